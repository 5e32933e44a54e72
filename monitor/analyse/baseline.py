"""What an hour of the week usually brings, and how seldom more comes by chance.

A negative-binomial baseline with hour-of-week terms and coverage as its offset, fitted robustly: hours far above it are
down-weighted and it is fitted again, so that a past outbreak does not hide the next one (Noufaily et al. 2013,
Statistics in Medicine 32:1206, after Farrington et al. 1996, JRSS A 159:547). Means come from the quasi-Poisson
equations, which hold for any variance, the dispersion from Pearson's statistic (Breslow 1984, Appl. Statistics 33:38).

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
_STEPS = 30  # of Fisher scoring
_RIDGE = 1.0  # a normal prior with SD 1 on log rate ratios: of an hour that was hardly seen, little is made
_LEAST, _MOST = 1e-6, 1e3  # dispersion


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


def fitted(counts: Values, cells: Cells, collected: Values) -> Baseline:
    """The baseline of one history, its dispersion corrected for the bias of fitting (bootstrap, Efron 1990).

    Args:
        counts: per hour, shape (hours,).
        cells: hours of the week.
        collected: share of each hour that was collected, the offset of its mean; 0 masks the hour.
    """
    rate, dispersion = fit_many(counts[None].astype(np.float64), cells, collected)
    found = Baseline(rate[0], float(dispersion[0]))
    again = fit_many(simulated(found, cells, collected, 24, np.random.default_rng(1)), cells, collected)[1]
    ratio = float(np.clip(found.dispersion / max(float(np.mean(again)), _LEAST), 0.5, 2.0))
    return Baseline(found.rate, found.dispersion * ratio)


def simulated(
    baseline: Baseline, cells: Cells, collected: Values, replicates: int, generator: np.random.Generator
) -> Values:
    """Quiet histories, shape (replicates, hours)."""
    size, p = parameters(baseline.expected(cells, collected), baseline.dispersion)
    return generator.negative_binomial(size, p, (replicates, len(cells))).astype(np.float64)


def fit_many(counts: Values, cells: Cells, collected: Values) -> tuple[Values, Values]:
    """Rates (replicates, 168) and dispersions (replicates,) of counts (replicates, hours)."""
    order = np.argsort(cells, kind="stable")
    order = order[collected[order] > 0]
    counts, cells, offset = counts[:, order], cells[order], collected[order]
    present, first = np.unique(cells, return_index=True)
    weights, beta = np.ones(counts.shape), None

    def by_cell(values: Values) -> Values:
        sums = np.zeros((len(values), WEEK))
        if len(first):
            sums[:, present] = np.add.reduceat(values, first, axis=1)
        return sums

    for left in reversed(range(ROUNDS)):
        beta = _effects(by_cell(weights * counts), by_cell(weights * offset), beta)
        rate = np.exp(np.clip(beta @ _design().T, -30, 30))
        mean = rate[:, cells] * offset
        dispersion = _dispersion(counts, mean, weights)
        if left:
            weights = down_weighted(_anscombe(counts, mean, dispersion[:, None]))
    return rate, dispersion


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
        beta = beta + np.clip(np.linalg.solve(information, score.T).T, -3, 3)
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


def _anscombe(counts: Values, mean: Values, dispersion: Values) -> Values:
    """Residuals made symmetric by the power 2/3 (Anscombe 1953; McCullagh and Nelder 1989, 2.4.2)."""
    mean = np.maximum(mean, 1e-9)
    spread = np.sqrt(mean + dispersion * mean**2)
    return np.asarray(1.5 * (np.cbrt(counts) ** 2 - np.cbrt(mean) ** 2) * np.cbrt(mean) / spread)
