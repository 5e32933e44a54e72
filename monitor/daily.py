"""Day by day and platform: what share of the time was collected, and what share of the posts that exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from monitor.analyse.capture import LEAST_SET, LEAST_SHARED, Counted, Refused, existing
from monitor.analyse.coverage import Coverage, coverage_by_bucket
from monitor.completeness import AFTER, BEFORE, Source, sources
from monitor.config import Topic
from monitor.planning import hourly_counts, is_countable
from monitor.records import Estimate, Gap, Window
from monitor.store import Moment, Store, views
from monitor.store.streams import counted_by_day, found_by_day

_REASONS = 3  # of a day's gaps, the longest first
_DAY = timedelta(days=1)
_REFUSALS = {  # by what would be needed
    LEAST_SET: f"no estimate: stream or search found under {LEAST_SET} posts",
    LEAST_SHARED: "no estimate: no post was found by both stream and search",
    0: "no estimate: some posts are from before it was noted which sources found them; search again to tell",
}
_NOTHING = {"posts": 0, "stream": 0, "search": 0, "both": 0, "unnoted": 0}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of one platform, or what of it lies in the window that was asked for.

    ``shares`` are those of the live stream that collected least of it, None where none ever collected. ``why`` tells
    the longest of its gaps.
    ``posts`` are those that a rule matches: found by the ``stream``, by ``search``, in ``both``, or imported.
    ``counted`` compares with the platform's own counts, in the ``hours`` of which there are some.
    """

    window: Window
    platform: str
    shares: Coverage | None
    why: str
    posts: int
    stream: int
    search: int
    both: int
    existing: Estimate | Refused
    counted: Counted | None = None
    hours: int = 0

    @property
    def estimate(self) -> Estimate | None:
        return self.existing if isinstance(self.existing, Estimate) else None

    @property
    def at_least(self) -> int:
        """So many posts exist anyway."""
        return self.existing.n if isinstance(self.existing, Estimate) else self.existing.at_least

    @property
    def refusal(self) -> str:
        """Why there is no estimate, the same words for the same reason; empty where there is one."""
        if isinstance(self.existing, Estimate):
            return ""
        return _REFUSALS[self.existing.needed]

    @property
    def exist_text(self) -> str:
        """The estimate with its interval, or how many there are at least."""
        if isinstance(self.existing, Estimate):
            return f"{self.existing.effect:,.0f} ({self.existing.low:,.0f}–{self.existing.high:,.0f})"
        return f"at least {self.at_least:,}"

    @property
    def counted_text(self) -> str:
        """Collected of counted, and in how many hours where the day was not counted whole."""
        if self.counted is None:
            return ""
        share = "" if self.counted.share is None else f" ({self.counted.share:.0%})"
        hours = "" if self.hours % 24 == 0 else f", {self.hours} h"
        return f"{self.counted.collected:,} of {self.counted.counted:,}{share}{hours}"


def shown_window(store: Store, width: timedelta, now: datetime) -> Window | None:
    """The last ``width`` up to now, in whole UTC days and no further back than anything was collected; None without.

    Of invented posts, up to the newest.
    """
    with store.reading() as moment:
        head = views.head(moment)
        begun = [one.begun_at for one in sources(moment, now=now)]
    first = min((at for at in (head.oldest_at, *begun) if at is not None), default=None)
    if first is None:
        return None
    end = now if not head.is_synthetic or head.newest_at is None else head.newest_at
    start = _midnight(max(first, end - width + _DAY))
    return Window(start, end) if start < end else None


def days(
    store: Store,
    window: Window,
    topics: Sequence[str] = (),
    now: datetime | None = None,
    configured: Sequence[Topic] = (),
) -> list[Day]:
    """Each day of a window, newest first, of every platform that has a live stream or posts in it.

    Args:
        topics: whose posts are counted; empty takes all. The shares of time are those of whole streams.
        configured: topics with the rules that are in force, under which X's counts are looked for.
        now: counts a stream that moved a moment ago as having come that far.
    """
    with store.reading() as moment:
        streams: dict[str, list[Source | None]] = {}
        for one in sources(moment, now=now, window=window):
            streams.setdefault(one.platform, []).append(one)
        found = _by_day(found_by_day(moment, window, topics).to_pylist())
        counted = [topic for topic in configured if not topics or topic.name in topics]
        census = _by_day(counted_by_day(moment, window, _census(moment, counted, window)))
    parts = _parts(window)
    platforms = sorted({*streams, *(platform for _, platform in (*found, *census))})
    told = [
        _least([list(_platform(name, one, parts, found, census)) for one in streams.get(name, [None])])
        for name in platforms
    ]
    return [day for same in reversed(list(zip(*told, strict=True))) for day in same]


def _least(streams: Sequence[Sequence[Day]]) -> list[Day]:
    """Of several live streams of a platform, each day of the one that collected least of it."""
    return [
        min(same, key=lambda day: day.shares.collected if day.shares else 0.0) for same in zip(*streams, strict=True)
    ]


def _census(store: Moment, topics: Sequence[Topic], window: Window) -> list[dict[str, Any]]:
    """The hours of the window that X counted whole, of each topic."""
    hours = Window(_hour(window.start), _hour(window.end))
    rows = []
    for topic in filter(is_countable, topics):
        counts = hourly_counts(store, topic, hours)
        for place in np.flatnonzero(counts >= 0).tolist():
            at = int(hours.start.timestamp()) + 3600 * place
            rows.append({"topic": topic.name, "hour": at, "n": int(counts[place])})
    return rows


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _platform(
    name: str,
    source: Source | None,
    parts: Sequence[Window],
    found: Mapping[tuple[datetime, str], Row],
    census: Mapping[tuple[datetime, str], Row],
) -> Iterator[Day]:
    rows = [found.get((_midnight(part.start), name), _NOTHING) for part in parts]
    estimates = existing(*([row[column] for row in rows] for column in ("stream", "search", "both")))
    shares = [None] * len(parts) if source is None else _shares(source, parts)
    reasons = [""] * len(parts) if source is None else _reasons(source, parts)
    for part, row, estimate, share, why in zip(parts, rows, estimates, shares, reasons, strict=True):
        counted = census.get((_midnight(part.start), name))
        yield Day(
            part,
            name,
            share,
            why,
            row["posts"],
            row["stream"],
            row["search"],
            row["both"],
            existing=_unnoted(row) or estimate,
            counted=Counted(counted["collected"], counted["counted"]) if counted else None,
            hours=counted["hours"] if counted else 0,
        )


def _unnoted(row: Row) -> Refused | None:
    if not row["unnoted"]:
        return None
    why = f"{row['unnoted']:,} posts are from before it was noted which sources found them; search again to tell"
    return Refused(0, row["unnoted"], row["posts"], f"At least {row['posts']:,}; how many more cannot be said: {why}.")


def _shares(source: Source, parts: Sequence[Window]) -> list[Coverage | None]:
    found = coverage_by_bucket(source.ledger, [*(part.start for part in parts), parts[-1].end])
    columns = (found.live.tolist(), found.filled.tolist(), found.missing.tolist())
    return [Coverage(source.stream, part, *row) for part, *row in zip(parts, *columns, strict=True)]


def _reasons(source: Source, parts: Sequence[Window]) -> list[str]:
    whole = Window(parts[0].start, parts[-1].end)
    around = [
        Gap(source.stream, whole.start, min(source.begun_at, whole.end), BEFORE),
        Gap(source.stream, max(source.reached_at, whole.start), whole.end, AFTER),
    ]
    lost: list[defaultdict[str, timedelta]] = [defaultdict(timedelta) for _ in parts]
    for gap in (*source.gaps, *around):
        start, end = max(gap.start, whole.start), min(gap.end or whole.end, whole.end)
        if start >= end:
            continue
        for number in range((start - _midnight(whole.start)) // _DAY, len(parts)):
            part = parts[number]
            if part.start >= end:
                break
            lost[number][_why(gap)] += min(end, part.end) - max(start, part.start)
    return ["; ".join(sorted(each, key=lambda why: -each[why])[:_REASONS]) for each in lost]


def _why(gap: Gap) -> str:
    return f"{gap.why} (filled by {gap.filled_by})" if gap.filled_by else gap.why


def _by_day(rows: Sequence[Row]) -> dict[tuple[datetime, str], Row]:
    return {(row["day"], row["platform"]): row for row in rows}


def _parts(window: Window) -> list[Window]:
    """The UTC days of a window; the first and the last may be cut."""
    first = _midnight(window.start)
    n = -(-(window.end - first) // _DAY)
    edges = [window.start, *(first + number * _DAY for number in range(1, n)), window.end]
    return [Window(start, end) for start, end in pairwise(edges)]


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
