"""Event: what was different after a change of terms or a response to it, for those who judge it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import streamlit as st

from dashboards import charts, counting, data, funnel, impact, prevailing, spread, widgets
from dashboards.charts import Ground
from dashboards.widgets import Frame
from dashboards.wording import SAMPLED, grown, shortened, stamp, width_name
from monitor.analyse.coverage import parts, source_name
from monitor.analyse.series import Side, Unit, readable
from monitor.analyse.words import before_after, shortfalls
from monitor.config import Event
from monitor.records import Window
from monitor.store.views import Scope
from monitor.study import EventPicture, own_scope

DAYS = (1, 3, 7, 14)
_KINDS = {
    "terms_effective": "terms take effect",
    "discovery": "discovery",
    "statement": "statement",
    "executive_statement": "executive's statement",
    "terms_revised": "terms revised",
    "other": "event",
}
_FOR_MEAN = 20
_TERMS = "Wish to leave: removal considered, announced or blocked."


def show(frame: Frame) -> None:
    """The page: choose event and width, then the words, the figures, the charts and the table."""
    events = sorted(frame.config.events, key=lambda event: event.at)
    if not events:
        _empty()
        return
    event, days = _chosen(events, data.head(frame.store, frame.path).newest_at)
    picture = data.event(frame.store, frame.path, event, days, _scope(frame.scope, event))
    if picture.rules.by and _wants_rebased():
        picture = data.event(frame.store, frame.path, event, days, _scope(frame.scope, event), is_rebased=True)
    _headline(frame, picture, days)
    if picture.summary.before.posts + picture.summary.after.posts == 0:
        _nothing(frame, picture.summary.before.unscored + picture.summary.after.unscored)
        return
    _notes(frame, picture, events, days)
    _figures(picture.summary.before, picture.summary.after, days)
    unit = _charts(frame, picture, events)
    _table(picture.summary.before, picture.summary.after, days, unit)
    _corrected(frame, event, days)
    scope = _scope(frame.scope, event)
    impact.section(frame, event, days, scope)
    funnel.section(frame, event, days, scope)
    spread.section(frame, event, days, scope)


def _empty() -> None:
    st.subheader("No events are configured", anchor=False)
    st.text("Add an [[events]] block to the configuration, with an id, a kind, a title and a time.")


def _chosen(events: list[Event], newest_at: datetime | None) -> tuple[Event, int]:
    """At first the one that the address names by its id, else the last that is behind the newest post."""
    titles = {event.id: event.title for event in events}
    past = sum(1 for event in events if newest_at is not None and event.at < newest_at)
    asked, last = st.query_params.get("event"), events[max(0, past - 1)].id
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Event",
            list(titles),
            index=list(titles).index(asked if asked in titles else last),
            format_func=lambda id_: titles[id_],
            key="event",
            on_change=_name_in_address,  # bound, the address would take the title
            width=380,
        )
        days = st.segmented_control(
            "Days before and after", DAYS, default=3, required=True, key="days", bind="query-params"
        )
    event = next(event for event in events if event.id == chosen)
    if asked is not None and asked not in titles:
        st.text(
            f"There is no event “{shortened(asked, 60)}” in the configuration; this is “{event.title}”. "
            f"Known are: {', '.join(titles)}."
        )
    return event, days or 3


def _name_in_address() -> None:
    st.query_params["event"] = st.session_state["event"]


def _wants_rebased() -> bool:
    told = "Leaves out what not every version of the rules finds, so that before and after compare."
    return st.toggle("Same rules before and after", key="rebased", bind="query-params", help=told)


def _scope(scope: Scope, event: Event) -> Scope:
    return Scope(scope.topics or own_scope(event).topics, scope.langs, scope.platforms)


def _headline(frame: Frame, picture: EventPicture, days: int) -> None:
    summary = picture.summary
    event = summary.event
    with st.container(key="meta-event"):
        st.text(f"{_KINDS[event.kind]} · {stamp(event.at, frame.zone)}" + (f" · {event.url}" if event.url else ""))
    with st.container(key="sentence-event"):
        st.text(before_after(event.title, summary.before, summary.after, days))


def _nothing(frame: Frame, waiting: int) -> None:
    if waiting:
        st.text("They are scored while monitor run runs, and at the end of an import or backfill.")
        return
    head = data.head(frame.store, frame.path)
    if head.oldest_at is None or head.newest_at is None:
        st.text("Nothing has been collected yet. Start with: monitor run")
        return
    st.text(
        f"The file holds posts from {stamp(head.oldest_at, frame.zone)} to {stamp(head.newest_at, frame.zone)}.\n"
        "To look further back: monitor backfill --since DATE --until DATE"
    )


def _notes(frame: Frame, picture: EventPicture, events: list[Event], days: int) -> None:
    event, width = picture.summary.event, timedelta(days=days)
    near = [other for other in events if other is not event and abs(other.at - event.at) < width]
    notes = [f"Within the same {2 * days} days: {other.title}, {stamp(other.at, frame.zone)}." for other in near]
    if near:
        notes.append("What changed cannot be put down to one of them alone.")
    notes += _rule_notes(frame, picture)
    searched = picture.summary.before.searched + picture.summary.after.searched
    if searched:
        notes.append(
            f"Survivors only: {searched:,} posts were searched for or imported later; deleted ones are missing, "
            "and answers to them that match no rule themselves."
        )
    if picture.series.is_sampled:
        notes.append(SAMPLED)
    if notes:
        with st.container(key="meta-notes"):
            st.text("\n".join(notes))


def _rule_notes(frame: Frame, picture: EventPicture) -> list[str]:
    rules = picture.rules
    notes = [
        f"{stamp(v.since, frame.zone)}: version {v.number} of the rules of {v.topic} begins (dotted line)."
        for v in rules.boundaries
    ]
    if picture.is_rebased:
        notes.append(rules.words)
    elif rules.by:
        notes.append("Several versions of the rules found these posts: counts before and after do not compare.")
    if picture.undecided:
        notes.append(f"{picture.undecided:,} answers are left out because what they answer is gone.")
    return notes


def _figures(before: Side, after: Side, days: int) -> None:
    compares = not shortfalls(before, after)
    with st.grid(columns=4, min_column_width=150, gap="small"):
        widgets.count("Relevant posts", after.posts, before.posts if compares else None)
        widgets.mean(after, before)
        widgets.count("Left or removed", after.removal["done"], before.removal["done"] if compares else None)
        widgets.count("Wish to leave", _aims(after), _aims(before) if compares else None)
    told = f"arrows: against the {days} d before" if compares else "counts are not compared, see above"
    st.caption(f"The {days} d after the event; {told}. {_TERMS}")


def _aims(side: Side) -> int:
    return side.leaving - side.removal["done"]


def _charts(frame: Frame, picture: EventPicture, events: list[Event]) -> Unit:
    event = picture.summary.event
    ground = Ground(
        frame.zone, picture.gaps, event, [other for other in events if other is not event], picture.rules.boundaries
    )
    unit = counting.unit()
    counts = picture.counts[unit]
    means = readable(picture.series, _FOR_MEAN, halves=True)
    before, after = picture.summary.before, picture.summary.after
    n, waiting = before.posts + after.posts, before.unscored + after.unscored
    told = f"{unit.capitalize()} per {width_name(counts.seconds)}. n = {n:,} relevant, {waiting:,} not scored yet; "
    told += f"{before.reposts + after.reposts:,} reposts. Full line: this event. Dashed: others. Grey: not collected."
    widgets.figure("Volume", told, charts.volume(counts, ground, unit))
    counting.by_x(frame, _scope(frame.scope, event), picture.window, ground)
    left, right = st.columns(2, gap="medium")
    with left:
        told = f"Mean per {width_name(means.seconds)}, band: 95 % interval. n = {n:,} posts."
        widgets.figure("Concern", told, charts.concern(means, ground))
    with right:
        removal = means if unit == "posts" else counts
        told = f"{unit.capitalize()} per {width_name(removal.seconds)} by likeliest stage. "
        told += f"n = {before.leaving + after.leaving:,} posts."
        widgets.figure("Removal", told, charts.removal(removal, ground, unit))
    return unit


def _table(before: Side, after: Side, days: int, unit: Unit) -> None:
    stages = "Removal" if unit == "posts" else f"Removal, {unit}"
    was = before.counted(unit).removal
    counts = [
        ("Relevant posts", before.posts, after.posts),
        ("Authors", before.authors, after.authors),
        ("Distinct texts", before.texts, after.texts),
        ("Reposts of them", before.reposts, after.reposts),
        *((f"{stages}: {stage}", n, after.counted(unit).removal[stage]) for stage, n in was.items()),
        ("Waiting for a score", before.unscored, after.unscored),
    ]
    compares = not shortfalls(before, after)
    rows = [_row(*each, compares=compares) for each in counts]
    rows.insert(4, ("Mean concern (95 % interval)", _interval(before), _interval(after), _difference(before, after)))
    rows += _collected(before, after)
    names = ("", f"{days} d before", f"{days} d after", "change")
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})
    st.subheader("Before and after", anchor=False)
    st.dataframe(table, hide_index=True, width="stretch", height="content", alt="Totals before and after the event")


def _corrected(frame: Frame, event: Event, days: int) -> None:
    width, scope = timedelta(days=days), _scope(frame.scope, event)
    windows = {
        f"{days} d before": Window(event.at - width, event.at),
        f"{days} d after": Window(event.at, event.at + width),
    }
    prevailing.table({
        name: data.corrected(frame.store, frame.path, scope, f"{event.id} {name}", window, frame.config.classifier)
        for name, window in windows.items()
    })  # fmt: skip


def _collected(before: Side, after: Side) -> list[tuple[str, str, str, str]]:
    """How much of the time was collected: by source where there are several."""
    if len(before.sources) > 1:
        pairs = zip(before.sources, after.sources, strict=True)
        return [(f"Time collected: {source_name(was.stream)}", parts(was), parts(now), "") for was, now in pairs]
    return [
        ("Time collected", f"{before.collected:.0%}", f"{after.collected:.0%}", ""),
        ("Time watched live", f"{before.watched:.0%}", f"{after.watched:.0%}", ""),
    ]


def _row(name: str, before: int, after: int, *, compares: bool) -> tuple[str, str, str, str]:
    return name, f"{before:,}", f"{after:,}", (grown(before, after) if compares else None) or ""


def _interval(side: Side) -> str:
    if side.concern is None:
        return "–"
    if side.concern_low is None or side.concern_high is None:
        return f"{side.concern:.2f}"
    return f"{side.concern:.2f} ({side.concern_low:.2f}–{side.concern_high:.2f})"


def _difference(before: Side, after: Side) -> str:
    if before.concern is None or after.concern is None:
        return ""
    return f"{after.concern - before.concern:+.2f}"


show(widgets.frame())
