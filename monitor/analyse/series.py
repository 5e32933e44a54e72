"""Counts per bucket of time and their summaries: zero where nothing was said, missing where nobody looked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.coverage import Coverage, collected
from monitor.codebook import codebook
from monitor.records import Gap, Window

if TYPE_CHECKING:
    import pyarrow as pa

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

# Every width divides a day, so that buckets laid from an event backwards and forwards meet at the event.
WIDTHS = (60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
NEAT = (*WIDTHS, 120, 600, 14_400, 28_800, 172_800)  # widths that a merged series may have
LEAST_FOR_INTERVAL = 10  # below, the normal approximation of a mean's interval misleads
BY_FILES = "search or import"  # what fills a gap as well as it can: nobody knows how completely
Unit = Literal["posts", "authors", "texts"]  # what a volume counts
_Z = 1.959964  # two-sided 95 %
_COUNTS = ("posts", "unscored", "searched", "reposts")
_SUMS = ("concern_sum", "concern_squares", "concern_cross", "weight_squares")


@dataclass(frozen=True, slots=True)
class Series:
    """Equal buckets from ``start``, each ``seconds`` wide; arrays have one entry for each bucket.

    Posts of a sample count 1 over their chance to be read, their weight w; counts are rounded. Over ``posts``,
    ``concern_sum`` adds up w c, where c is expected concern, ``concern_squares`` (w c)^2, ``concern_cross`` w^2 c and
    ``weight_squares`` w^2. ``collected`` is the share of the bucket in which collection ran, 0 to 1: where it is 0, a
    count of zero is no finding.
    """

    start: datetime
    seconds: int
    posts: Counts
    unscored: Counts
    searched: Counts
    reposts: Counts
    removal: dict[str, Counts]
    concern_sum: Values
    concern_squares: Values
    concern_cross: Values
    weight_squares: Values
    collected: Values

    @property
    def concern(self) -> tuple[Values, Values, Values]:
        """Mean expected concern and its 95 % interval; see ``mean_interval``."""
        return mean_interval(self.posts, *(getattr(self, name) for name in _SUMS))

    @property
    def is_sampled(self) -> bool:
        """Do some posts stand for others that were not read?"""
        return bool((self.weight_squares > self.posts + 0.5).any())

    @property
    def starts(self) -> list[datetime]:
        return [self.start + timedelta(seconds=self.seconds * i) for i in range(len(self.posts))]


@dataclass(frozen=True, slots=True)
class Tally:
    """``n`` of one unit, and how many of them stand behind posts of each removal stage, or of any but none."""

    n: int = 0
    removal: Mapping[str, int] = field(default_factory=dict)
    leaving: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """Totals of one window. ``concern`` is the mean expected concern with its 95 % interval, None without posts.

    ``collected`` is the share of the time outside every unfilled gap, ``watched`` the share that the live stream
    covered: what was only searched for or imported may be incomplete. ``sources`` tell the same of each live stream.
    """

    posts: int
    concern: float | None
    removal: dict[str, int]
    concern_low: float | None = None
    concern_high: float | None = None
    distinct: Mapping[Unit, Tally] = field(default_factory=dict)
    reposts: int = 0
    unscored: int = 0
    searched: int = 0
    collected: float = 1.0
    watched: float = 1.0
    sources: tuple[Coverage, ...] = ()

    @property
    def leaving(self) -> int:
        """Posts whose author considers, announces, did or was kept from a removal."""
        return sum(n for stage, n in self.removal.items() if stage != "none")

    @property
    def authors(self) -> int:
        return self.counted("authors").n

    @property
    def texts(self) -> int:
        return self.counted("texts").n

    def counted(self, unit: Unit) -> Tally:
        """The side's volumes in a unit."""
        if unit == "posts":
            return Tally(self.posts, self.removal, self.leaving)
        return self.distinct.get(unit, Tally(removal=dict.fromkeys(self.removal, 0)))


def bucket_seconds(width: timedelta, at_most: int = 100) -> int:
    """The narrowest of ``WIDTHS`` that cuts ``width`` into no more than ``at_most`` buckets; else a whole day."""
    return next((w for w in WIDTHS if width.total_seconds() / w <= at_most), WIDTHS[-1])


def floored(at: datetime, seconds: int) -> datetime:
    """The last whole bucket edge (counted from 1970, UTC) that is not after ``at``."""
    stamp = int(at.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)


def filled(table: pa.Table, window: Window, seconds: int, gaps: Sequence[Gap] = ()) -> Series:
    """The sparse rows of a series query as whole arrays over ``window``; rows of other buckets are left out.

    Args:
        table: columns bucket (0 at the window's start), posts, unscored, searched, reposts, concern_sum,
            concern_squares, concern_cross, weight_squares and one for each removal stage.
        window: what was asked; the number of buckets is its width over ``seconds``, rounded up.
        gaps: when nothing was collected.
    """
    n = -int(-(window.end - window.start).total_seconds() // seconds)
    at = table["bucket"].to_numpy().astype(np.int64)
    within = (at >= 0) & (at < n)
    column = {name: _dense(table[name], at, within, n) for name in table.column_names if name != "bucket"}
    counts = {name: _rounded(column[name]) for name in _COUNTS}
    return Series(
        start=window.start,
        seconds=seconds,
        removal={stage: _rounded(column[stage]) for stage in codebook().removal},
        collected=collected(window.start, seconds, n, gaps),
        concern_sum=column["concern_sum"],
        concern_squares=column["concern_squares"],
        concern_cross=column["concern_cross"],
        weight_squares=column["weight_squares"],
        **counts,
    )


def merged(series: Series, factor: int) -> Series:
    """The same series in buckets ``factor`` times as wide; the last one may reach past the end."""
    return Series(
        start=series.start,
        seconds=series.seconds * factor,
        removal={stage: _summed(counts, factor) for stage, counts in series.removal.items()},
        collected=_summed(series.collected, factor) / _summed(np.ones(len(series.collected)), factor),
        **{name: _summed(getattr(series, name), factor) for name in (*_COUNTS, *_SUMS)},
    )


def readable(series: Series, wanted: float, *, halves: bool = False) -> Series:
    """The narrowest buckets of a neat width that hold ``wanted`` posts on average, but no fewer than eight of them.

    ``halves`` keeps an edge in the middle, where an event stands.
    """
    n = len(series.posts)
    total = int((series.posts + series.unscored).sum())
    neat = [factor for factor in range(1, n // 8 + 1) if series.seconds * factor in NEAT]
    fitting = [factor for factor in neat if not halves or n % (2 * factor) == 0]
    factor = next((f for f in fitting if total * f >= wanted * n), max(fitting, default=1))
    return series if factor == 1 else merged(series, factor)


def by_unit(series: Series, distinct: pa.Table) -> dict[Unit, Series]:
    """The same series counted as posts, as authors and as distinct texts; of the last two only the volumes differ.

    Args:
        distinct: rows of ``window_distinct`` for the same buckets: authors do not add up over narrower ones.
    """
    return {
        "posts": series,
        "authors": _counted(series, distinct, "authors"),
        "texts": _counted(series, distinct, "texts"),
    }


def _counted(series: Series, distinct: pa.Table, unit: Unit) -> Series:
    rows, n = distinct.filter(np.array(distinct["unit"].to_pylist(), dtype=object) == unit), len(series.posts)
    at = rows["bucket"].to_numpy().astype(np.int64)
    within = (at >= 0) & (at < n)
    column = {name: _dense(rows[name], at, within, n).astype(np.int64) for name in ("n", *series.removal)}
    return replace(series, posts=column["n"], removal={stage: column[stage] for stage in series.removal})


def sides(
    table: pa.Table, distinct: pa.Table, earlier: Window, later: Window, gaps: Sequence[Gap] = ()
) -> tuple[Side, Side]:
    """Totals of two windows that touch where bucket 0 begins, from the rows of a series query over both.

    Args:
        distinct: rows of ``window_distinct`` whose bucket -1 is the one window and bucket 0 the other.
    """
    at = table["bucket"].to_numpy()
    return (
        _side(table.filter(at < 0), _tallies(distinct, -1), earlier, gaps),
        _side(table.filter(at >= 0), _tallies(distinct, 0), later, gaps),
    )


def _tallies(distinct: pa.Table, bucket: int) -> dict[Unit, Tally]:
    rows = (row for row in distinct.to_pylist() if row["bucket"] == bucket)
    stages = tuple(codebook().removal)
    return {row["unit"]: Tally(row["n"], {stage: row[stage] for stage in stages}, row["leaving"]) for row in rows}


def _side(rows: pa.Table, distinct: Mapping[Unit, Tally], window: Window, gaps: Sequence[Gap]) -> Side:
    total = {name: float(rows[name].fill_null(0).to_numpy().sum()) for name in rows.column_names}
    arrays = (np.array([total[name]]) for name in ("posts", *_SUMS))
    mean, low, high = (_number(values) for values in mean_interval(*arrays))
    width = max(1, round((window.end - window.start).total_seconds()))
    return Side(
        concern=mean,
        concern_low=low,
        concern_high=high,
        removal={stage: round(total[stage]) for stage in codebook().removal},
        distinct=distinct,
        collected=float(collected(window.start, width, 1, gaps)[0]),
        watched=float(collected(window.start, width, 1, [replace(g, filled_by=_live(g.filled_by)) for g in gaps])[0]),
        sources=(),  # the caller knows them
        **{name: round(total[name]) for name in _COUNTS},
    )


def _live(filled_by: str | None) -> str | None:
    return None if filled_by == BY_FILES else filled_by


def mean_interval(
    n: Values | Counts, total: Values, squares: Values, cross: Values, weight_squares: Values | Counts
) -> tuple[Values, Values, Values]:
    """Mean and its 95 % normal interval from the sums of w, w c, (w c)^2, w^2 c and w^2 over posts of weight w.

    The variance is that of a ratio of weighted sums (Cochran 1977, 6.3), with n / (n - 1) for the effective n of Kish
    (1965), n^2 / weight_squares; with equal weights both are the textbook's.

    NaN where there is too little (no posts for the mean, fewer than ``LEAST_FOR_INTERVAL`` for the interval)."""
    nothing = np.full(len(n), np.nan)
    mean = np.divide(total, n, out=nothing.copy(), where=n > 0)
    size = np.divide(np.square(n, dtype=np.float64), weight_squares, out=np.zeros(len(n)), where=n > 0)
    enough = size > LEAST_FOR_INTERVAL - 1e-6
    residuals = np.maximum(squares - 2 * mean * cross + mean**2 * weight_squares, 0)
    half = _Z * np.sqrt(residuals * np.divide(size, size - 1, out=nothing.copy(), where=enough)) / np.maximum(n, 1e-9)
    return mean, mean - half, mean + half


def change(before: float | None, after: float | None) -> float | None:
    """Relative change, 0.5 for half as much again; None where there is no base to compare with."""
    return None if before is None or after is None or before == 0 else (after - before) / before


def differ(before: Side, after: Side) -> bool:
    """Whether the 95 % interval of the difference of mean concern leaves out zero."""
    sides = [(side.concern, side.concern_high) for side in (before, after)]
    known = [(mean, high - mean) for mean, high in sides if mean is not None and high is not None]
    if len(known) < 2:
        return False
    (was, half), (now, other_half) = known
    return abs(now - was) > math.hypot(half, other_half)


def _rounded(values: Values) -> Counts:
    return np.rint(values).astype(np.int64)


def _summed(values: Any, factor: int) -> Any:
    return np.add.reduceat(values, np.arange(0, len(values), factor))


def _dense(column: pa.ChunkedArray, at: Counts, within: NDArray[np.bool_], n: int) -> Values:
    values = np.zeros(n)
    values[at[within]] = column.fill_null(0).to_numpy()[within]
    return values


def _number(values: Values) -> float | None:
    return None if np.isnan(values[0]) else float(values[0])
