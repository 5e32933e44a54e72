"""How complete the collection behind a number was: the join of the store's ledger with ``analyse.coverage``.

A source is a live stream that has collected. Outside the time it did, what a search or import found of its platform
counts as filled between the first and the last of these posts, though nobody knows how completely. A file without live
streams has no sources: nothing is said to be missing where nothing was watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.analyse.coverage import Coverage, Ledger, coverage, ledger
from monitor.analyse.series import BY_FILES
from monitor.analyse.windows import STILL
from monitor.records import Gap, Window
from monitor.store import Store, views
from monitor.store.streams import LiveStream, live_streams
from monitor.store.views import Reader

BEFORE, AFTER = "live collection had not begun", "not collected"  # time that no ledger records
_RECENT = {"24 hours": timedelta(hours=24), "7 days": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Source:
    """A live stream, collecting from ``begun_at`` to ``reached_at``; ``gaps`` also hold the time around that."""

    stream: str
    begun_at: datetime
    reached_at: datetime
    gaps: tuple[Gap, ...]

    @property
    def platform(self) -> str:
        return self.stream.split(":")[0]

    @property
    def ledger(self) -> Ledger:
        """Its whole history, files included."""
        known_to = max([self.reached_at, *(gap.end for gap in self.gaps if gap.filled_by == BY_FILES and gap.end)])
        return ledger(self.stream, self.gaps, self.begun_at, known_to)


@dataclass(frozen=True, slots=True)
class Recent:
    """What one stream collected of a stretch that ends now; ``name`` is "24 hours", "7 days" or "since it began"."""

    name: str
    coverage: Coverage


def sources(
    reader: Reader, platforms: Sequence[str] = (), now: datetime | None = None, window: Window | None = None
) -> tuple[Source, ...]:
    """The live streams of ``platforms`` (empty: of all) that have ever collected.

    Args:
        now: counts a stream that moved a moment ago as having come that far; None takes its last event.
        window: only gaps that reach into it.
    """
    found = [one for one in live_streams(reader) if not platforms or one.platform in platforms]
    gaps = views.gaps(reader, window) if found else []
    told = [_source(one, one.begun_at, gaps, now) for one in found if one.begun_at is not None]
    return tuple(one for one in told if one.reached_at > one.begun_at)


def of_windows(
    reader: Reader, windows: Sequence[Window], platforms: Sequence[str] = (), now: datetime | None = None
) -> list[tuple[Coverage, ...]]:
    """What each source collected of each window; what of it lies in the future is missing."""
    whole = Window(min(window.start for window in windows), max(window.end for window in windows))
    ledgers = [one.ledger for one in sources(reader, platforms, now, whole)]
    return [tuple(coverage(each, window) for each in ledgers) for window in windows]


def recent(store: Store, now: datetime) -> list[Recent]:
    """What each source collected over the last day, the last seven and since it began.

    Of invented posts the time ends where their case does.
    """
    with store.reading() as moment:
        is_synthetic = views.head(moment).is_synthetic
        found = sources(moment, now=now)
    return [one for source in found for one in _recent(source, source.reached_at if is_synthetic else now)]


def _recent(source: Source, end: datetime) -> list[Recent]:
    windows = {name: Window(end - width, end) for name, width in _RECENT.items()}
    windows["since it began"] = Window(source.begun_at, end)
    history = source.ledger
    return [Recent(name, coverage(history, window)) for name, window in windows.items() if window.start < window.end]


def _source(one: LiveStream, begun_at: datetime, gaps: Sequence[Gap], now: datetime | None) -> Source:
    reached_at = _reached(one, now)
    own = [gap for gap in gaps if gap.stream == one.stream]
    return Source(one.stream, begun_at, reached_at, (*own, *_filled(one, begun_at, reached_at)))


def _reached(one: LiveStream, now: datetime | None) -> datetime:
    """Up to when the stream has come by the platform's clock: one that replays what it missed has not come to now."""
    known = [at for at in (one.event_at or one.moved_at, one.newest_at, one.begun_at) if at is not None]
    at = max(known)
    return now if now is not None and timedelta() < now - at < STILL else at


def _filled(one: LiveStream, begun_at: datetime, reached_at: datetime) -> list[Gap]:
    """Time outside the stream's own in which searches or imports found posts."""
    if one.files_from is None or one.files_to is None:
        return []
    stretches = [
        (one.files_from, min(one.files_to, begun_at), BEFORE),
        (max(one.files_from, reached_at), one.files_to, AFTER),
    ]
    return [Gap(one.stream, start, end, why, BY_FILES) for start, end, why in stretches if start < end]
