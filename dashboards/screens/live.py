"""Live: what is being said now, for those who watch it."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboards import alerts, charts, counting, data, prevailing, widgets
from dashboards.charts import Ground
from dashboards.widgets import Colour, Frame
from dashboards.wording import SAMPLED, ago, span, stamp, width_name
from monitor.analyse.coverage import shortfall
from monitor.analyse.series import Unit, readable
from monitor.analyse.windows import reached
from monitor.analyse.words import WHOLE
from monitor.study import LivePicture

HOURS = {"1 h": 1, "6 h": 6, "24 h": 24, "7 d": 168}
_FOR_MEAN = 20  # posts that a bucket should hold on average: a mean needs more than a count


def show(frame: Frame) -> None:
    """The page: a choice of width, then a part that refreshes itself."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Window",
            list(HOURS),
            default="7 d" if frame.is_synthetic else "24 h",
            required=True,
            key="window",
            bind="query-params",
        )
        unit = counting.unit()
        runs = st.toggle("Refresh by itself", value=True, key="refresh")
    every = frame.config.dashboard.refresh_seconds if runs else None
    st.fragment(_picture, run_every=every)(frame, HOURS[chosen or "24 h"], str(chosen), unit)


def _picture(frame: Frame, hours: int, name: str, unit: Unit) -> None:
    with widgets.guarded():
        picture = data.live(frame.store, frame.path, frame.scope, hours)
        alerts.section(frame)
        if picture.head.newest_at is None:
            _empty(picture)
            return
        _status(frame, picture, name)
        _figures(picture, name)
        _charts(frame, picture, unit)
        _corrected(frame, picture, name)
        _posts(frame, picture, hours)


def _empty(picture: LivePicture) -> None:
    st.subheader("No posts yet", anchor=False)
    if reached(datetime.now(UTC), picture.head.moved_at) is not None:
        st.text("The collector has run and no post matched a topic so far. This page fills by itself.")
    else:
        st.text("Start collecting with: monitor run\nOr play the invented example with: monitor demo")


def _status(frame: Frame, picture: LivePicture, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="status"):
        label, icon, colour, text = _state(frame, picture, name)
        st.badge(label, icon=f":material/{icon}:", color=colour)
        st.text(text)


def _state(frame: Frame, picture: LivePicture, name: str) -> tuple[str, str, Colour, str]:
    now, head, window = datetime.now(UTC), picture.head, picture.view.window
    newest = f"newest post {ago(now - (head.newest_at or now))} ago"
    if not picture.view.is_live:
        return (
            "not live",
            "history",
            "blue",
            f"The {name} up to the newest post: {span(window.start, window.end, frame.zone)}",
        )
    if head.moved_at is None:
        return "no live collection", "sensors_off", "orange", f"{newest}. Start collecting with: monitor run"
    if reached(now, head.moved_at) != now:
        text = f"Last commit {stamp(head.moved_at, frame.zone)}. Start it again with: monitor run"
        return "collection stopped", "sensors_off", "red", text
    return "collecting", "sensors", "green", f"{ago(now - (head.event_at or head.moved_at))} behind · {newest}"


def _figures(picture: LivePicture, name: str) -> None:
    now, before = picture.now, picture.before
    short, was_short = shortfall(now.sources), shortfall(before.sources)
    compares = min(before.collected, now.collected) >= WHOLE and not short and not was_short
    with st.grid(columns=7, min_column_width=120, gap="small"):
        widgets.count("Relevant posts", now.posts, before.posts if compares else None)
        widgets.count("Authors", now.authors, before.authors if compares else None)
        widgets.count("Distinct texts", now.texts, before.texts if compares else None)
        widgets.count("Reposts", now.reposts, before.reposts if compares else None)
        widgets.mean(now, before if compares else None)
        widgets.count("Removal talk", now.leaving, before.leaving if compares else None)
        widgets.count("Not scored yet", now.unscored, None)
    if compares:
        st.caption(f"Arrows: against the {name} before.")
    else:
        told = f"this window was collected to {now.collected:.0%}, the {name} before to {before.collected:.0%}."
        if was_short and not short:
            told = f"of those, {was_short[0].lower()}{was_short[1:]}"
        st.caption(f"No comparison with the {name} before: {short or told}")


def _charts(frame: Frame, picture: LivePicture, unit: Unit) -> None:
    counts, means = picture.counts[unit], readable(picture.series, _FOR_MEAN)
    ground, now = Ground(frame.zone, picture.gaps, boundaries=picture.boundaries), picture.now
    told = f"per {width_name(counts.seconds)}. n = {now.posts:,} relevant, {now.unscored:,} not scored yet"
    told = f"{unit.capitalize()} {told}; {now.reposts:,} reposts."
    widgets.figure("Volume", told, charts.volume(counts, ground, unit))
    counting.by_x(frame, frame.scope, picture.view.window, ground)
    left, right = st.columns(2, gap="medium")
    with left:
        told = f"Mean per {width_name(means.seconds)}, band: 95 % interval. n = {now.posts:,} posts."
        widgets.figure("Concern", told, charts.concern(means, ground))
    with right:
        removal, tally = means if unit == "posts" else counts, now.counted(unit)
        told = f"{unit.capitalize()} per {width_name(removal.seconds)} by likeliest stage. "
        told += f"n = {tally.leaving:,} of {tally.n:,}."
        widgets.figure("Removal", told, charts.removal(removal, ground, unit))
    if picture.boundaries:
        st.caption(
            "Dotted: the rules changed here; counts on its two sides do not compare. Event pages can rebase them."
        )
    if picture.series.is_sampled:
        st.caption(SAMPLED)
    if now.searched:
        st.caption(
            f"Survivors only: {now.searched:,} of these posts were searched for or imported; deleted ones are missing."
        )


def _corrected(frame: Frame, picture: LivePicture, name: str) -> None:
    window = picture.view.window
    found = data.corrected(frame.store, frame.path, frame.scope, name, window, frame.config.classifier)
    prevailing.table({name: found})


def _posts(frame: Frame, picture: LivePicture, hours: int) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Newest", anchor=False)
        for number, post in enumerate(picture.newest):
            widgets.card(post, f"new-{number}", frame.zone)
        if not picture.newest:
            st.text("No relevant post in this window.")
    with right:
        st.subheader("Most engaged", anchor=False)
        engaged = data.engaged(frame.store, frame.path, frame.scope, hours, picture.view.window)
        for number, post in enumerate(engaged):
            widgets.card(post, f"top-{number}", frame.zone, counts=True)
        if not engaged:
            st.text("No reposts, replies or quotes in this window.")


show(widgets.frame())
