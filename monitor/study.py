"""The one join of store and analysis, used by the command line, the pages and reports alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.analyse.series import Series, Side, bucket_seconds, filled, side
from monitor.analyse.windows import unwatched
from monitor.config import Event
from monitor.records import Gap, Window
from monitor.store import Store, queries, views
from monitor.store.views import Scope


@dataclass(frozen=True, slots=True)
class EventSummary:
    """The windows of equal width before and after an event."""

    event: Event
    before: Side
    after: Side


def event_summary(
    store: Store, events: Sequence[Event], window_days: float = 3, scope: Scope | None = None
) -> list[EventSummary]:
    """Posts, concern and removal in [at - days, at) and [at, at + days) of each event.

    Args:
        scope: None takes each event's own topic, or all topics where it names none.
    """
    width = timedelta(days=window_days)
    return [_summary(store, event, width, scope or own_scope(event)) for event in events]


def event_series(
    store: Store, event: Event, window_days: float = 3, scope: Scope | None = None
) -> tuple[Series, list[Gap]]:
    """Both windows of an event in equal buckets, one of whose edges is the event, and when nobody looked."""
    width = timedelta(days=window_days)
    window = Window(event.at - width, event.at + width)
    seconds = bucket_seconds(2 * width)
    gaps = event_gaps(store, window)
    return filled(views.series(store, scope or own_scope(event), window, seconds), window, seconds, gaps), gaps


def window_sides(
    store: Store, scope: Scope, earlier: Window, later: Window, gaps: Sequence[Gap] = ()
) -> tuple[Side, Side]:
    """Totals of two windows that touch."""
    rows = views.sides(store, scope, earlier.start, later.start, later.end).to_pylist()
    return side(rows[0], earlier, gaps), side(rows[1], later, gaps)


def live_gaps(store: Store, window: Window) -> list[Gap]:
    """When live collection stood still in a window, as the ledger has it."""
    return [gap for gap in queries.gaps(store, window.start, window.end) if gap.stream.endswith(":live")]


def event_gaps(store: Store, window: Window) -> list[Gap]:
    """``live_gaps`` and what lies before the first and after the last that was collected."""
    head = views.head(store)
    reached_at = max((at for at in (head.newest_at, head.event_at) if at is not None), default=None)
    return unwatched(window, live_gaps(store, window), head.oldest_at, head.begun_at, reached_at)


def own_scope(event: Event) -> Scope:
    """All posts on an event's topic."""
    return Scope(topics=(event.topic,) if event.topic else ())


def _summary(store: Store, event: Event, width: timedelta, scope: Scope) -> EventSummary:
    earlier, later = Window(event.at - width, event.at), Window(event.at, event.at + width)
    gaps = event_gaps(store, Window(earlier.start, later.end))
    return EventSummary(event, *window_sides(store, scope, earlier, later, gaps))
