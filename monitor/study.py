"""The one join of store and analysis, used by the command line, the pages and reports alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.analyse.series import Series, Side, Unit, bucket_seconds, by_unit, filled, readable, sides
from monitor.analyse.windows import View, reached, unwatched, view
from monitor.completeness import of_windows
from monitor.config import Event
from monitor.rebasing import LeftOut, Rules, boundaries, left_out, rules_of
from monitor.records import Gap, RuleVersion, Window
from monitor.store import Store, views
from monitor.store.views import Head, Keys, PostView, Reader, Scope

if TYPE_CHECKING:
    import pyarrow as pa

_LIVE_COUNT, _EVENT_COUNT = 2, 3  # posts that a bucket of a volume should hold on average


@dataclass(frozen=True, slots=True)
class EventSummary:
    """The windows of equal width before and after an event."""

    event: Event
    before: Side
    after: Side


@dataclass(frozen=True, slots=True)
class EventPicture:
    """What the Event page shows: totals of both windows, the series over them, and when nobody looked.

    ``counts`` are the volumes in readable buckets, in every unit. ``rules`` says where the topics' rules changed. A
    rebased picture leaves out what not all of them find; ``undecided`` posts among those may belong, but what they
    answer is gone.
    """

    summary: EventSummary
    series: Series
    counts: Mapping[Unit, Series]
    gaps: tuple[Gap, ...]
    rules: Rules
    is_rebased: bool = False
    undecided: int = 0

    @property
    def window(self) -> Window:
        """Both windows as one."""
        width = len(self.series.posts) * self.series.seconds
        return Window(self.series.start, self.series.start + timedelta(seconds=width))


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What the Live page shows, all of one moment; ``before`` is the window of equal width before ``now``.

    ``counts`` are the volumes in readable buckets, in every unit.
    """

    view: View
    head: Head
    series: Series
    counts: Mapping[Unit, Series]
    before: Side
    now: Side
    gaps: tuple[Gap, ...]
    newest: tuple[PostView, ...]
    boundaries: tuple[RuleVersion, ...] = ()


def live_picture(store: Store, scope: Scope, width: timedelta, now: datetime) -> LivePicture:
    """The last ``width`` up to ``now``, or up to the newest post of a file that nobody adds to."""
    seconds = bucket_seconds(width)
    with store.reading() as moment:
        head = views.head(moment)
        seen = view(width, seconds, now, head.newest_at, head.moved_at, is_synthetic=head.is_synthetic)
        whole = Window(seen.before.start, seen.window.end)
        reached_at = reached(now, head.moved_at) if seen.is_live else None
        gaps = unwatched(whole, views.gaps(moment, whole, scope.topics), head.oldest_at, head.begun_at, reached_at)
        rows = views.series(moment, scope, whole, seconds, origin=seen.window.start)
        before, after = _sides(moment, scope, rows, seen.before, seen.window, gaps, now=now)
        series = filled(rows, seen.window, seconds, gaps)
        return LivePicture(
            view=seen,
            head=head,
            series=series,
            counts=_counts(moment, scope, readable(series, _LIVE_COUNT), seen.window),
            before=before,
            now=after,
            gaps=tuple(gaps),
            newest=tuple(views.newest(moment, scope, seen.window)),
            boundaries=boundaries(moment, scope, seen.window),
        )


def event_summary(
    store: Store, events: Sequence[Event], window_days: float = 3, scope: Scope | None = None
) -> list[EventSummary]:
    """Posts, concern and removal in [at - days, at) and [at, at + days) of each event.

    Args:
        scope: None takes each event's own topic, or all topics where it names none.
    """
    width = timedelta(days=window_days)
    with store.reading() as moment:
        return [_summary(moment, event, width, scope or own_scope(event)) for event in events]


def event_picture(
    store: Store,
    event: Event,
    window_days: float = 3,
    scope: Scope | None = None,
    *,
    is_rebased: bool = False,
    version: int | None = None,
) -> EventPicture:
    """One event's summary, and both windows in equal buckets, one of whose edges is the event.

    Args:
        is_rebased: count only what the rules of the whole time find; see ``rebasing``.
        version: then by this version of the rules.

    Raises:
        CannotRebase: that version cannot be applied to all posts.
    """
    scope = scope or own_scope(event)
    width = timedelta(days=window_days)
    window = Window(event.at - width, event.at + width)
    seconds = bucket_seconds(2 * width)
    with store.reading() as moment:
        gaps = event_gaps(moment, window, scope.topics)
        rules = rules_of(moment, scope, window, version)
        out = left_out(moment, scope, window, rules) if is_rebased else LeftOut()
        series = filled(views.series(moment, scope, window, seconds, without=out.keys), window, seconds, gaps)
        return EventPicture(
            summary=_summary(moment, event, width, scope, out.keys),
            series=series,
            counts=_counts(moment, scope, readable(series, _EVENT_COUNT, halves=True), window, out.keys),
            gaps=tuple(gaps),
            rules=rules,
            is_rebased=is_rebased and bool(rules.by),
            undecided=out.undecided,
        )


def event_gaps(store: Reader, window: Window, topics: Sequence[str] = ()) -> list[Gap]:
    """The ledger's gaps for these topics and what lies before the first and after the last that was collected."""
    head = views.head(store)
    return unwatched(window, views.gaps(store, window, topics), head.oldest_at, head.begun_at, known_to(head))


def known_to(head: Head) -> datetime | None:
    """Up to when a file tells what was posted."""
    return max((at for at in (head.newest_at, head.event_at) if at is not None), default=None)


def own_scope(event: Event) -> Scope:
    """All posts on an event's topic."""
    return Scope(topics=(event.topic,) if event.topic else ())


def _summary(store: Reader, event: Event, width: timedelta, scope: Scope, without: Keys = frozenset()) -> EventSummary:
    earlier, later = Window(event.at - width, event.at), Window(event.at, event.at + width)
    whole = Window(earlier.start, later.end)
    rows = views.series(store, scope, whole, round(width.total_seconds()), origin=event.at, without=without)
    gaps = event_gaps(store, whole, scope.topics)
    return EventSummary(event, *_sides(store, scope, rows, earlier, later, gaps, without))


def _sides(
    store: Reader,
    scope: Scope,
    rows: pa.Table,
    earlier: Window,
    later: Window,
    gaps: Sequence[Gap],
    without: Keys = frozenset(),
    now: datetime | None = None,
) -> tuple[Side, Side]:
    width = (later.end - later.start).total_seconds()
    distinct = views.distinct(store, scope, Window(earlier.start, later.end), width, later.start, without)
    before, after = sides(rows, distinct, earlier, later, gaps)
    was, is_now = of_windows(store, [earlier, later], scope.platforms, now)
    return replace(before, sources=was), replace(after, sources=is_now)


def _counts(
    store: Reader, scope: Scope, series: Series, window: Window, without: Keys = frozenset()
) -> dict[Unit, Series]:
    return by_unit(series, views.distinct(store, scope, window, series.seconds, without=without))
