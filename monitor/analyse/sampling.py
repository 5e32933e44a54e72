"""Which minutes to read where a budget does not buy every post: a stratified design over the counts of a census.

A search answers newest first and cannot jump to a random post, but it can be asked for any stretch of time. So what is
drawn is a slice of an hour, which is read whole. Every hour is cut into equal slices of about five posts, or fewer
where the budget is small: more slices make a narrower and surer interval, and each costs a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.analyse.shares import effective_size, share_interval
from monitor.errors import MonitorError
from monitor.records import Slice, Stratum, Window

POSTS_A_SLICE = (
    5  # with 10 the intervals are a tenth wider, with 2 a twentieth narrower at more than twice the requests
)
LEAST_SLICES = 200  # where the budget has so many posts: of 400 read, intervals 6 % narrower than with 90 slices
POWER = 0.75  # of an hour's count, in proportion to which it is read
DESIGN_EFFECT = 1.2  # of drift and cascades on the variance: 1.1 in the median simulated history, 1.5 in one in ten
_HOUR = 3600
Counts = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Design:
    """How many slices are drawn of each stratum, which is an hour or several that follow each other.

    ``counts``, ``slices`` and ``stratum`` have one entry for each hour: the census, into how many slices it is cut (0
    where the census counts nothing: there is nothing to read) and where it belongs. ``drawn`` has one for each stratum.
    """

    counts: Counts
    slices: Counts
    stratum: Counts
    drawn: Counts

    @property
    def sizes(self) -> Counts:
        """Posts in each stratum."""
        return np.bincount(self.stratum, self.counts, len(self.drawn)).astype(np.int64)

    @property
    def available(self) -> Counts:
        """Slices in each stratum."""
        return np.bincount(self.stratum, self.slices, len(self.drawn)).astype(np.int64)

    @property
    def strata(self) -> list[Stratum]:
        """What an estimate needs to know of each stratum."""
        rows = zip(self.sizes.tolist(), self.available.tolist(), self.drawn.tolist(), strict=True)
        return [Stratum(*row) for row in rows]

    @property
    def probability(self) -> Values:
        """The chance of every post of a stratum to be read; ``sample_weight`` is 1 over it."""
        return np.asarray(self.drawn / np.maximum(self.available, 1))

    @property
    def expected(self) -> float:
        """Posts read on average. One draw in 100 reads 13 % more than a budget of 400, and 6 % more than 2,000."""
        return float((self.probability * self.sizes).sum())


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample before it is read: ``posts`` expected in ``slices`` requests or more.

    ``size`` is as how many posts drawn one by one from endless ones it counts, infinite for a census.
    """

    posts: int
    slices: int
    size: float

    def interval(self, share: float) -> tuple[float, float]:
        """The 95 % interval that a share of ``share``, 0 to 1, in the sample would have."""
        return share_interval(share, self.size)


def design(counts: ArrayLike, budget: int) -> Design:
    """Share out ``budget`` posts over hours of ``counts`` posts each, shape (hours,).

    An hour is read in proportion to its count to the power ``POWER`` (Bankier 1988), small ones whole. The first power
    is Neyman's optimum for the share of the whole while nobody knows how the share varies; the square root suits hours
    side by side. Simulated, 0.75 has an overall error 8 % above that of the first power (the square root 28 %) and one
    of the quieter days, which a peak is compared with, 9 % below it. Hours with too little to read are put together
    until two slices or more are drawn of each stratum.

    Raises:
        MonitorError: the budget is below two posts, and below the census.
    """
    hourly = np.asarray(counts, np.int64)
    if budget >= hourly.sum():
        return _census(hourly)
    if budget < 2:
        raise MonitorError(
            f"a budget of {budget} posts buys no sample", "Two posts are the least that say how far off."
        )
    a_slice = min(POSTS_A_SLICE, max(1.0, budget / LEAST_SLICES))
    slices = np.minimum(np.ceil(hourly / a_slice), _HOUR).astype(np.int64)
    wanted = _allocated(hourly, budget)
    stratum = _grouped(wanted, 2 * a_slice)
    available, sizes, parts = (np.bincount(stratum, of) for of in (slices, hourly, wanted))
    exact = parts / np.maximum(sizes, 1) * available
    # Rounding the running sum keeps the total; each entry is rounded up or down.
    drawn = np.diff(np.floor(np.cumsum(exact) + 1e-9), prepend=0.0)
    return Design(hourly, slices, stratum, np.clip(drawn, np.minimum(2, available), available).astype(np.int64))


def draw(plan: Design, start: datetime, seed: int | None = None) -> list[Slice]:
    """Draw the slices of a design whose first hour begins at ``start``: in each stratum any as likely as another."""
    hour = np.repeat(np.arange(len(plan.slices)), plan.slices)
    part = np.arange(len(hour)) - (np.cumsum(plan.slices) - plan.slices)[hour]
    stratum = plan.stratum[hour]
    order = np.lexsort((np.random.default_rng(seed).random(len(hour)), stratum))
    rank = np.arange(len(hour)) - (np.cumsum(plan.available) - plan.available)[stratum[order]]
    chosen = np.sort(order[rank < plan.drawn[stratum[order]]])
    pieces = plan.slices[hour[chosen]]
    begin, end = (hour[chosen] * _HOUR + (part[chosen] + i) * _HOUR // pieces for i in (0, 1))
    rows = zip(begin.tolist(), end.tolist(), stratum[chosen].tolist(), strict=True)
    weights = (1 / np.maximum(plan.probability, 1e-300)).tolist()
    return [
        Slice(Window(start + timedelta(seconds=low), start + timedelta(seconds=high)), where, weights[where])
        for low, high, where in rows
    ]


def placed(slices: Sequence[Slice], times: Sequence[datetime]) -> Counts:
    """The index of the slice in which each time lies, -1 where it lies in none; shape (times,)."""
    starts, ends = (
        np.array([at.timestamp() for at in edges], np.float64)
        for edges in ([one.window.start for one in slices], [one.window.end for one in slices])
    )
    seconds = np.array([at.timestamp() for at in times], np.float64)
    index = np.searchsorted(starts, seconds, side="right") - 1
    return np.where((index >= 0) & (seconds < np.append(ends, -np.inf)[index]), index, -1)


def sample_of(counts: ArrayLike, posts: int) -> Sample:
    """What a sample of ``posts`` posts would be worth, before anything is read.

    Raises:
        MonitorError: as ``design``.
    """
    plan = design(counts, posts)
    size = effective_size(plan.sizes, 1 / np.maximum(plan.probability, 1e-300)) / DESIGN_EFFECT
    return Sample(round(plan.expected), int(plan.drawn.sum()), size)


def _census(hourly: Counts) -> Design:
    """Every hour in which something was said, read whole."""
    is_read = (hourly > 0).astype(np.int64)
    return Design(hourly, is_read, np.arange(len(hourly)), is_read)


def _allocated(hourly: Counts, budget: int) -> Values:
    """Posts wanted of each hour: ``budget`` in all, none above the hour's count."""
    counts = hourly.astype(np.float64)
    low, high = 0.0, float(counts.max())
    for _ in range(100):
        factor = (low + high) / 2
        low, high = (low, factor) if np.minimum(counts, factor * counts**POWER).sum() > budget else (factor, high)
    return np.asarray(np.minimum(counts, low * counts**POWER))


def _grouped(wanted: Values, least: float) -> Counts:
    """Strata of hours that follow each other, each with ``least`` posts wanted or more."""
    stratum, found, held = np.zeros(len(wanted), np.int64), 0, 0.0
    for hour, posts in enumerate(wanted):
        if held >= least - 1e-6:
            found, held = found + 1, 0.0
        stratum[hour] = found
        held += posts
    if held < least - 1e-6:
        stratum[stratum == found] = max(found - 1, 0)
    return stratum
