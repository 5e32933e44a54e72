"""Which stretch of time a page is about, and when nobody was looking in it. Pure: ``now`` is always an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.analyse.series import BY_FILES, floored
from monitor.records import Gap, Window

STILL = timedelta(minutes=2)  # a live stream commits every second or so: silent for so long, nobody collects


@dataclass(frozen=True, slots=True)
class View:
    """A window on the buckets' grid. ``is_live`` is False where it ends at the newest post instead of now."""

    window: Window
    seconds: int
    is_live: bool

    @property
    def before(self) -> Window:
        """The window of equal width that ends where this one starts."""
        return Window(self.window.start - (self.window.end - self.window.start), self.window.start)


def view(
    width: timedelta,
    seconds: int,
    now: datetime,
    newest_at: datetime | None,
    moved_at: datetime | None,
    *,
    is_synthetic: bool,
) -> View:
    """The last ``width`` up to now while somebody collects or the newest post lies in it, else up to that post.

    A file of invented posts always ends at its newest post: its times are those of the case, not of the playing.
    """
    is_live = not is_synthetic and (reached(now, moved_at) == now or newest_at is None or now - newest_at < width)
    end = now if is_live or newest_at is None else newest_at + timedelta(microseconds=1)
    return View(Window(floored(end - width, seconds) + timedelta(seconds=seconds), end), seconds, is_live)


def unwatched(
    window: Window,
    gaps: Sequence[Gap],
    oldest_at: datetime | None,
    begun_at: datetime | None,
    reached_at: datetime | None,
) -> list[Gap]:
    """The recorded gaps and those that nobody records: before collection began, and after it last moved.

    Args:
        oldest_at: the oldest stored post.
        begun_at: when live collection began; posts before it were searched for or imported, nobody knows how
            completely. None where nothing was ever collected live.
        reached_at: up to when everything was collected.
    """
    found = list(gaps)
    first = min((at for at in (oldest_at, begun_at) if at is not None), default=None)
    if first is not None and first > window.start:
        found.append(Gap("all", window.start, min(first, window.end), "collection had not begun"))
    begun = window.end if begun_at is None else min(begun_at, window.end)
    if first is not None and max(first, window.start) < begun:
        found.append(Gap("all", max(first, window.start), begun, "live collection had not begun", BY_FILES))
    if reached_at is not None and reached_at < window.end:
        found.append(Gap("all", max(reached_at, window.start), window.end, "not collected"))
    return found


def reached(now: datetime, moved_at: datetime | None) -> datetime | None:
    """Up to when live collection has come: now while it runs, else its last commit; None where it never ran."""
    return now if moved_at is not None and now - moved_at < STILL else moved_at
