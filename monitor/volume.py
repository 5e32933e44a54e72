"""How many posts X says there are: a volume without gaps of ours, where its hours were counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.series import Counts
from monitor.config import Topic
from monitor.planning import hourly_counts, is_countable
from monitor.records import Gap, Window
from monitor.store import Store

STREAM = "x:counts"
_HOUR = timedelta(hours=1)
_WIDTHS = (1, 2, 3, 6, 12, 24)  # hours
_BUCKETS = 100


@dataclass(frozen=True, slots=True)
class CountedVolume:
    """Posts on X that match a topic, in equal buckets of whole hours from ``start``; ``posts`` is 0 where not counted.

    X counts what its query language can say, reposts left out, before the rest of the rules and the classifier; what
    was deleted before it counted is not in it.
    """

    topic: str
    start: datetime
    seconds: int
    posts: Counts
    is_counted: NDArray[np.bool_]

    @property
    def starts(self) -> list[datetime]:
        return [self.start + timedelta(seconds=self.seconds * i) for i in range(len(self.posts))]

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """When nothing was counted."""
        return tuple(self._gaps())

    def _gaps(self) -> Iterator[Gap]:
        edges = np.flatnonzero(np.diff(np.concatenate([[True], self.is_counted, [True]]).astype(np.int8)))
        for first, last in edges.reshape(-1, 2).tolist():
            step = timedelta(seconds=self.seconds)
            yield Gap(STREAM, self.start + first * step, self.start + last * step, "not counted by X yet")


def counted_volume(
    store: Store, window: Window, configured: Sequence[Topic], topics: Sequence[str] = ()
) -> CountedVolume | None:
    """X's counts of the one topic that is asked for; None where it counted nothing of the window.

    Args:
        configured: with the rules that are in force, under which counts are looked for.
        topics: whose posts; of several topics, or none, there is no sum: a post may match more than one.
    """
    chosen = [topic for topic in configured if not topics or topic.name in topics]
    if len(chosen) != 1 or not is_countable(chosen[0]):
        return None
    start, end = _hour(window.start), _hour(window.end - timedelta(microseconds=1)) + _HOUR
    hours = (end - start) // _HOUR
    width = next((one for one in _WIDTHS if hours <= _BUCKETS * one), _WIDTHS[-1])
    end += -hours % width * _HOUR  # a last bar of fewer hours would pass for a fall
    with store.reading() as moment:
        counts = hourly_counts(moment, chosen[0], Window(start, end))
    if (counts < 0).all():
        return None
    first = np.arange(0, len(counts), width)
    is_counted = np.minimum.reduceat(counts, first) >= 0
    posts = np.where(is_counted, np.add.reduceat(counts, first), 0)
    return CountedVolume(chosen[0].name, start, 3600 * width, posts, is_counted)


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
