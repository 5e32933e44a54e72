"""What an hour of the week usually brings, and how seldom more comes by chance.

A negative-binomial baseline with hour-of-week terms and coverage as its offset, fitted robustly: hours far above it are
down-weighted and it is fitted again, so that a past outbreak does not hide the next one (Noufaily et al. 2013,
Statistics in Medicine 32:1206, after Farrington et al. 1996, JRSS A 159:547). Means come from the quasi-Poisson
equations, which hold for any variance, the dispersion from Pearson's statistic (Breslow 1984, Appl. Statistics 33:38).

The level itself may wander, so each hour is expected at the level of the week or so before it, never of what came
after: an exponentially weighted mean (Brown 1959), as far behind it as what is judged is ahead of what was learned
from. So the dispersion holds how far a level of last week is off today: one that wanders widens what is usual.

Counts of one fit have a leading axis of replicates: a bootstrap of many histories costs little more than one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Cells = NDArray[np.int64]

WEEK = 168  # hours
FAR = 2.58  # standardised residuals above it are down-weighted, as Noufaily et al. do
ROUNDS = 3  # of fitting
_STEPS, _NEAR = 30, 1e-4  # of Fisher scoring at most; and what is left of a log rate, to be near enough
LEVEL_HOURS = 168.0  # of which the level is a mean, the older ones less and less
_BEHIND_HOURS = 36  # of the level, as live: a day is not learned from, and what is learned serves for another
_LEVEL_POSTS = 20.0  # that speak for the level of the whole history: a prior, of which few posts make little
_RIDGE = 10.0  # a normal prior with SD 0.3 on log rate ratios: of an hour that was hardly seen, little is made
_LEAST, _MOST = 1e-6, 1e3  # dispersion
_SPARSE, _MORE = 0.3, 9  # mean count of an hour that is mostly 0; and how many more one hour can tell of


@dataclass(frozen=True, slots=True)
class Baseline:
    """``rate`` per fully collected hour of the week, shape (168,); the variance is mean + ``dispersion`` x mean^2."""

    rate: Values
    dispersion: float

    def expected(self, cells: Cells, collected: Values) -> Values:
        """Mean count of hours of the week ``cells`` that were collected to a share."""
        return np.asarray(self.rate[cells] * collected)

    def chance(self, counts: Values, expected: Values) -> Values:
        """How likely so many or more are where nothing happens."""
        return tail(counts, expected, np.asarray(self.dispersion))

    def usual(self, expected: float, level: float = 0.95) -> tuple[int, int]:
        """Between which counts an hour lies with probability ``level``."""
        from scipy.stats import nbinom

        edges = nbinom.ppf([(1 - level) / 2, (1 + level) / 2], *parameters(expected, self.dispersion))
        return int(edges[0]), int(edges[1])


def cell(at: datetime) -> int:
    """Hour of the week, 0 from Monday 00:00 UTC."""
    return (int(at.timestamp()) // 3600 + 72) % WEEK


def fitted(counts: Values, cells: Cells, collected: Values) -> tuple[Baseline, Values]:
    """The baseline after one history, its dispersion corrected for the bias of fitting (bootstrap, Efron 1990).

    Also what was expected of each of its hours, shape (hours,), at the level that was known before it.

    Args:
        counts: per hour, shape (hours,).
        cells: hours of the week, one for each hour in a row.
        collected: share of each hour that was collected, the offset of its mean; 0 masks the hour.
    """
    rate, dispersion, expected = fit_many(counts[None].astype(np.float64), cells, collected)
    found = Baseline(rate[0], float(dispersion[0]))
    again = fit_many(simulated(found, cells, collected, 16, np.random.default_rng(1)), cells, collected)[1]
    ratio = float(np.clip(found.dispersion / max(float(np.mean(again)), _LEAST), 0.5, 2.0))
    return Baseline(found.rate, found.dispersion * ratio), expected[0]


def simulated(
    baseline: Baseline, cells: Cells, collected: Values, replicates: int, generator: np.random.Generator
) -> Values:
    """Quiet histories, shape (replicates, hours)."""
    size, p = parameters(baseline.expected(cells, collected), baseline.dispersion)
    return generator.negative_binomial(size, p, (replicates, len(cells))).astype(np.float64)


def fit_many(counts: Values, cells: Cells, collected: Values) -> tuple[Values, Values, Values]:
    """Of counts (replicates, hours): rates (replicates, 168) at the last level, dispersions, and what was expected."""
    order = np.argsort(cells, kind="stable")
    order = order[collected[order] > 0]
    present, first = np.unique(cells[order], return_index=True)
    weights, beta = np.where(collected > 0, np.ones(counts.shape), 0.0), None
    level = np.ones(counts.shape)

    def by_cell(values: Values) -> Values:
        sums = np.zeros((len(values), WEEK))
        if len(first):
            sums[:, present] = np.add.reduceat(values[:, order], first, axis=1)
        return sums

    for left in reversed(range(ROUNDS)):
        beta = _effects(by_cell(weights * counts), by_cell(weights * level * collected), beta)
        rate = np.exp(np.clip(beta @ _design().T, -30, 30))
        usual = rate[:, cells] * collected
        level, last = _levels(weights * counts, weights * usual)
        mean = usual * level
        dispersion = np.maximum(_dispersion(counts, mean, weights), _contagion(counts, mean, collected))
        if left:
            far = (
                _anscombe(counts, mean, dispersion[:, None])
                / np.where(_usual(mean, collected) < _SPARSE, 2, 1)[:, None]
            )
            weights = np.where(collected > 0, down_weighted(far), 0.0)
    return rate * last[:, None], dispersion, mean


def _levels(counts: Values, usual: Values) -> tuple[Values, Values]:
    """How many times the usual each hour is expected to bring, (replicates, hours), and what comes after them."""
    growth = np.exp(np.arange(counts.shape[1]) / LEVEL_HOURS)  # of a recent hour's weight against the first one's

    def faded(values: Values) -> Values:
        return np.asarray(np.cumsum(values * growth, axis=1) / growth)

    known = (faded(counts) + _LEVEL_POSTS) / (faded(usual) + _LEVEL_POSTS)
    level = np.ones(counts.shape)
    level[:, _BEHIND_HOURS:] = known[:, :-_BEHIND_HOURS]
    return level, known[:, -1]


def down_weighted(residuals: Values) -> Values:
    """1, and for residuals above ``FAR`` their inverse square."""
    return np.where(residuals > FAR, np.maximum(residuals, FAR) ** -2, 1.0)


def tail(counts: Values, mean: Values, dispersion: Values) -> Values:
    """P(Y >= count) of negative binomials."""
    from scipy.special import betainc

    size, p = parameters(mean, dispersion)
    return np.where(np.asarray(counts) <= 0, 1.0, betainc(np.maximum(counts, 1), size, 1 - p))


def parameters(mean: Values | float, dispersion: Values | float) -> tuple[Values, Values]:
    """Size and probability, as SciPy and NumPy call them."""
    size = 1 / np.clip(dispersion, _LEAST, _MOST)
    mean = np.maximum(mean, 1e-9)
    size, mean = np.broadcast_arrays(size, mean)
    return size, size / (size + mean)


@cache
def _design() -> Values:
    """The terms of an hour of the week (168, 18): three daily waves, the weekdays, two more waves at weekends."""
    hour, day = np.arange(WEEK) % 24, np.arange(WEEK) // 24
    waves = [wave(2 * np.pi * k * hour / 24) for k in (1, 2, 3) for wave in (np.sin, np.cos)]
    days = [(day == d) - 1 / 7 for d in range(7)]
    weekend = [wave * (day >= 5) for wave in waves[:4]]
    return np.column_stack([np.ones(WEEK), *waves, *days, *weekend])


def _effects(counts: Values, exposure: Values, beta: Values | None) -> Values:
    """Fisher scoring of log-linear rates from weighted sums by hour of the week, both (replicates, 168).

    Replicates of one history have nearly the same information, so they share the largest, which converges: one small
    matrix for all of them, where products of many kept BLAS's threads waiting for each other (80 ms against 2).
    """
    design, steps = _design(), _STEPS if beta is None else _STEPS // 2
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[0] = 0.0
    if beta is None:
        beta = np.zeros((len(counts), len(penalty)))
        beta[:, 0] = np.log((counts.sum(1) + 0.5) / np.maximum(exposure.sum(1), 1e-9))
    for _ in range(steps):
        mean = exposure * np.exp(np.clip(beta @ design.T, -30, 30)) + 1e-9
        information = (design * mean.max(0)[:, None]).T @ design + np.diag(penalty + 1e-9)
        score = (counts - mean) @ design - penalty * beta
        change = np.clip(np.linalg.solve(information, score.T).T, -3, 3)
        beta = beta + change
        if np.abs(change).max() < _NEAR:
            break
    return beta


def _dispersion(counts: Values, mean: Values, weights: Values) -> Values:
    """Where Pearson's statistic equals its degrees of freedom, by bisection; ``_LEAST`` where Poisson is too wide."""
    freedom = np.maximum(weights.sum(1) - _design().shape[1], 1.0)
    squares, mean = weights * (counts - mean) ** 2, np.maximum(mean, 1e-9)
    low, high = np.full(len(counts), np.log(_LEAST)), np.full(len(counts), np.log(_MOST))
    for _ in range(24):
        middle = (low + high) / 2
        is_narrow = (squares / (mean + np.exp(middle)[:, None] * mean**2)).sum(1) > freedom
        low, high = np.where(is_narrow, middle, low), np.where(is_narrow, high, middle)
    return np.asarray(np.exp((low + high) / 2))


def _contagion(counts: Values, mean: Values, collected: Values) -> Values:
    """Dispersion of counts that are mostly 0, from how many more come where there is one; 0 where they are not.

    Of such counts those that tell of the dispersion look far off and are down-weighted, as if nothing begot more. Far
    out the chance of one more is dispersion x mean / (1 + dispersion x mean); one outbreak counts for little in it.
    """
    usual = _usual(mean, collected)
    known = counts[:, collected > 0]
    some, more = (known >= 1).sum(1), np.clip(known - 1, 0, _MORE).sum(1)
    return np.asarray(np.where(usual < _SPARSE, np.minimum(more / (some + 1) / usual, _MOST), 0.0))


def _usual(mean: Values, collected: Values) -> Values:
    """Mean of an hour that was collected, (replicates,)."""
    return np.asarray(np.maximum(mean.sum(1) / max(float(collected.sum()), 1.0), 1e-9))


def _anscombe(counts: Values, mean: Values, dispersion: Values) -> Values:
    """Residuals made symmetric by the power 2/3 (Anscombe 1953; McCullagh and Nelder 1989, 2.4.2)."""
    mean = np.maximum(mean, 1e-9)
    spread = np.sqrt(mean + dispersion * mean**2)
    return np.asarray(1.5 * (np.cbrt(counts) ** 2 - np.cbrt(mean) ** 2) * np.cbrt(mean) / spread)
