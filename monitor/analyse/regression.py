"""Hourly counts as a regression: a slow level, the rhythm of day and week, and a shape for each event.

An event may make the level jump, and the jump may grow or shrink along a ramp over the event's window; from there it
runs back to nothing by four windows after the event. An outcry decays, so a step for ever is not assumed: what lasts
longer than that cannot be told apart from the drift of the level, and is left to it (interrupted time series: Wagner et
al. 2002; Bernal et al. 2017). The level moves by cosines of no less than eight weeks a period, where there are so many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEEN = 0.5  # share of an hour that must have been collected
TAIL = 4  # windows after which an event has run out
_DAY, _WEEK, _LEVEL = 24, 168, 28 * 24
_FULL_WEEKS = 3  # of data, for the week to have a rhythm of its own
_DISPERSIONS, _RIDGE = (1e-4, 1e3), 1e-8
_BLOCK = 64
_PRIOR, _STEPS = 1 / 9, 60  # a standard deviation of 3 on the logarithm; Fisher's steps at most


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted each hour: ``counts``, of which ``out_of`` are the cases where it is a share of them, else None.

    A mean between 0 and ``top`` is a share of ``top``: counts are sums over ``top`` (Papke and Wooldridge 1996).
    ``wrong`` is how many of how many held-out posts without it the classifier said to have it; None: not corrected.
    ``control`` is what else moves it, a column of the regression (``control.term``), None for nothing that is known.
    Where posts of a sample count as several, ``read`` are the cases that were read, and ``sampled`` the variances that
    the sample leaves (``unread.noise``); None where all was read.
    """

    name: str
    counts: Values
    out_of: Values | None = None
    top: float = 1.0
    wrong: tuple[float, float] | None = None
    read: Values | None = None
    sampled: Values | None = None
    control: Values | None = None

    @property
    def cases(self) -> Values:
        """What ``counts`` are of: themselves, where it is no share."""
        return self.counts if self.out_of is None else self.out_of

    @property
    def read_cases(self) -> Values:
        return self.cases if self.read is None else self.read

    def weight(self, part: slice) -> float:
        """As how many a post that was read counts in a stretch; where none was, as elsewhere."""
        if self.read is None:
            return 1.0
        within, whole = (self.read[each].sum() for each in (part, slice(None)))
        if within == 0:
            part, within = slice(None), whole
        return max(1.0, float(self.cases[part].sum() / within)) if within else 1.0

    def unread(self, part: slice, seen: Mask) -> float:
        """The variance that a sample leaves to the counts of a stretch, of a share to what they are beyond it."""
        if self.sampled is None:
            return 0.0
        own, both, cases = self.sampled[:, part][:, seen].sum(axis=1)
        share = 0.0 if self.out_of is None else self.counts[part][seen].sum() / max(self.cases[part][seen].sum(), 1e-9)
        return max(0.0, float(own - 2 * share * both + share**2 * cases))


@dataclass(frozen=True, slots=True)
class Regression:
    """Fitted at ``parameters``; ``gram`` is the second derivative of its quasi-likelihood there.

    ``rate`` is what is expected in each hour were it collected whole, shape (hours,). ``weight`` are the second
    derivatives of each hour, ``residual`` the first; zero where nothing was seen.
    """

    measure: Measure
    design: Values
    exposure: Values
    seen: Mask
    parameters: Values
    rate: Values
    weight: Values
    residual: Values
    gram: Values

    def expected_without(self, first: int, last: int, bare: Values) -> Values:
        """Rates of hours in ``bare`` rows of a design by the fit that leaves the hours [first, last) out.

        One Newton step from the whole fit, which is what dummies of their own for those hours would give (Salkever
        1976), to second order.
        """
        part = slice(max(0, first), last)
        rows, weight = self.design[part], self.weight[part]
        gram = self.gram - _gram(rows, weight)
        gram[np.diag_indices_from(gram)] += _RIDGE * np.maximum(np.diag(self.gram), 1.0)
        move = np.linalg.solve(gram, -_summed(rows, self.residual[part]))
        linear = _times(bare, self.parameters + np.asarray(np.clip(move, -3, 3), dtype=np.float64))
        return mean_of(linear, is_share=self.measure.out_of is not None)


def mean_of(linear: Values, *, is_share: bool) -> Values:
    """What a linear predictor stands for: a rate, or a share."""
    bounded = np.clip(linear, -30, 30)
    return np.asarray(1 / (1 + np.exp(-bounded)) if is_share else np.exp(bounded))


def fit(measure: Measure, collected: Values, events: Sequence[tuple[int, int]]) -> Regression:
    """Negative binomial with the dispersion by moments for counts, quasi-binomial for shares.

    Args:
        collected: share of each hour that was collected; its logarithm is the offset, and hours under ``SEEN`` are out.
        events: (hour, hours of the window) of each; their terms are the last two columns for each, in this order.
    """
    hours = len(measure.counts)
    besides = [] if measure.control is None else [measure.control[:, None]]
    design = np.concatenate([clock(hours), *besides, *(terms(hours, *event) for event in events)], axis=1)
    exposure = collected if measure.out_of is None else measure.out_of
    seen = (collected >= SEEN) & (exposure > 0)
    parameters = np.zeros(design.shape[1])
    known = (design[seen] != 0).any(axis=0) if seen.any() else np.zeros(design.shape[1], bool)
    counts, alpha = measure.counts, 0.0
    if known.any() and counts[seen].sum() > 0:
        is_share = measure.out_of is not None
        parameters[known], alpha = _fitted(counts[seen], design[seen][:, known], exposure[seen], is_share=is_share)
    rate = mean_of(_times(design, parameters), is_share=measure.out_of is not None)
    mean = rate * exposure
    inner = mean / (1 + alpha * mean) if measure.out_of is None else mean * (1 - rate)
    residual = (counts - mean) / (1 + alpha * mean) if measure.out_of is None else counts - mean
    weight, residual = np.where(seen, inner, 0.0), np.where(seen, residual, 0.0)
    gram = _gram(design, weight) + np.diag(np.full(design.shape[1], _PRIOR))
    return Regression(measure, design, exposure, seen, parameters, rate, weight, residual, gram)


def _fitted(counts: Values, design: Values, exposure: Values, *, is_share: bool) -> tuple[Values, float]:
    start = np.zeros(design.shape[1])
    start[0] = _linear(counts.sum() / exposure.sum(), is_share=is_share)
    if is_share:
        return _scored(counts, design, exposure, start, 0.0, is_share=True), 0.0
    alpha = 0.5
    for _ in range(3):  # the dispersion by moments (Breslow 1984)
        start = _scored(counts, design, exposure, start, alpha, is_share=False)
        mean = mean_of(_times(design, start), is_share=False) * exposure
        alpha = dispersion(counts, mean, max(1, len(counts) - design.shape[1]))
    return start, alpha


def _scored(counts: Values, design: Values, exposure: Values, start: Values, alpha: float, *, is_share: bool) -> Values:
    """Fisher's scoring with a weak prior on all but the constant, so that nothing runs away where posts are few.

    statsmodels finds the same where it finds anything, and stops with an error where an event has hours without a post.
    """
    prior = np.full(design.shape[1], _PRIOR)
    prior[0] = 0.0
    found = start
    for _ in range(_STEPS):
        rate = mean_of(_times(design, found), is_share=is_share)
        mean = rate * exposure
        residual = counts - mean if is_share else (counts - mean) / (1 + alpha * mean)
        weight = mean * (1 - rate) if is_share else mean / (1 + alpha * mean)
        gram = _gram(design, weight) + np.diag(prior + _RIDGE)
        move: Values = np.asarray(np.linalg.solve(gram, _summed(design, residual) - prior * found), dtype=np.float64)
        move *= min(1.0, 2.0 / max(float(np.abs(_times(design, move)).max()), 1e-12))
        found = np.asarray(found + move, dtype=np.float64)
        if np.abs(move).max() < 1e-5:
            break
    return found


def _gram(design: Values, weight: Values) -> Values:
    """In blocks so small that BLAS keeps to one thread: two threads on a busy machine of two cores took 20 times as
    long for 18 months of hours (3.7 s, not 0.2), since each waits by spinning.
    """
    rooted = design * np.sqrt(weight)[:, None]
    whole = len(rooted) // _BLOCK * _BLOCK
    blocks = rooted[:whole].reshape(-1, _BLOCK, rooted.shape[1])
    rest = rooted[whole:]
    return np.asarray(np.matmul(blocks.transpose(0, 2, 1), blocks).sum(axis=0) + rest.T @ rest)


def _times(design: Values, parameters: Values) -> Values:
    return np.asarray(np.einsum("ij,j->i", design, parameters))


def _summed(design: Values, residual: Values) -> Values:
    return np.asarray(np.einsum("ij,i->j", design, residual))


def _linear(rate: float, *, is_share: bool) -> float:
    return math.log(rate / (1 - min(rate, 1 - 1e-6))) if is_share else math.log(rate)


def dispersion(counts: Values, mean: Values, free: float) -> float:
    """So large that Pearson's statistic is what it should be: variance is mean + alpha mean^2."""
    from scipy.optimize import brentq

    def excess(alpha: float) -> float:
        return float(((counts - mean) ** 2 / np.maximum(mean + alpha * mean**2, 1e-12)).sum()) - free

    low, high = _DISPERSIONS
    if excess(low) <= 0:
        return low
    return high if excess(high) > 0 else float(brentq(excess, low, high, rtol=1e-4))


def clock(hours: int) -> Values:
    """A constant, the slow level, and harmonics of the day and of the week: as many as there is data for."""
    at = np.arange(hours)
    periods = [_DAY / n for n in (1, 2)] if hours >= 3 * _DAY else []
    periods += [_WEEK / n for n in (1, 2, 3)] if hours >= _FULL_WEEKS * _WEEK else []
    waves = [wave(2 * np.pi * at / period) for period in periods for wave in (np.cos, np.sin)]
    slow = [np.cos(np.pi * n * (at + 0.5) / hours) for n in range(1, hours // _LEVEL + 1) if hours >= 3 * _LEVEL]
    return np.stack([np.ones(hours), *waves, *slow], axis=1)


def terms(hours: int, at: int, width: int) -> Values:
    """Shape (hours, 2): what begins with the event and is gone a window later, and what is highest then; see module."""
    since = (np.arange(hours) - at) / width
    early = np.where(since >= 0, np.clip(1 - since, 0, 1), 0.0)
    late = np.where(since >= 0, np.minimum(since, np.clip((TAIL - since) / (TAIL - 1), 0, 1)), 0.0)
    return np.stack([early, np.maximum(late, 0)], axis=1)
