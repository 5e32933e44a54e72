"""One cut for all detectors of all topics, so that together they give one false alarm in so many weeks.

A plug-in tail is too optimistic: it takes the fitted baseline for the true one. So each detector's real rate at a cut
is simulated (Beran 1990, JASA 85:715): quiet histories from the fitted baseline are fitted anew, and the chance that
the true baseline passes the threshold of the fitted one is computed exactly, not counted. The cut is where these rates
add up to the stated one; what a detector of few posts cannot use of it, because counts are whole, others get.

Where stored history has a heavier tail than the baseline, its own tail takes over: the scale of an exponential
distribution of the exceedances (Coles 2001, An Introduction to Statistical Modeling of Extreme Values, chapter 4), by
their median, which past outbreaks hardly move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.analyse import baseline as counting
from monitor.analyse import share_baseline as sharing
from monitor.analyse.baseline import WEEK, Baseline, Cells, Values
from monitor.analyse.share_baseline import ShareBaseline

CUTS = np.logspace(-8, -1.3, 24)
REPLICATES = 16
_CELLS = np.arange(0, WEEK, 14)  # every other hour of the day, over all days
_UPPER = 0.05  # share of history whose tail is looked at


@dataclass(frozen=True, slots=True)
class Tail:
    """How heavy a history's tail is: ``scale`` 1 and ``at`` -log(0.05) where the baseline tells it right."""

    at: float = -math.log(_UPPER)
    scale: float = 1.0

    def chance(self, chance: Values) -> Values:
        """The chance as the history has it, never smaller than the baseline's own."""
        surprise = -np.log(np.maximum(chance, 1e-300))
        own = _UPPER * np.exp(-(surprise - self.at) / self.scale)
        return np.where(surprise > self.at, np.maximum(own, chance), chance) if self.scale > 1 else chance


def count_rates(
    baseline: Baseline, cells: Cells, collected: Values, least: int, replicates: int = REPLICATES, seed: int = 7
) -> Values:
    """Chance that a quiet, fully collected hour is an alarm at each of ``CUTS``.

    Args:
        cells, collected: the history that the baseline was fitted to.
        least: a smaller count is none.
    """
    from scipy.stats import nbinom

    histories = counting.simulated(baseline, cells, collected, replicates, np.random.default_rng(seed))
    rate, dispersion, _ = counting.fit_many(histories, cells, collected)
    dispersion = dispersion * baseline.dispersion / max(float(dispersion.mean()), 1e-9)  # fitting corrects it so, too
    size, p = counting.parameters(rate[:, _CELLS], dispersion[:, None])
    needed = np.maximum(nbinom.isf(CUTS[:, None, None], size, p) + 1, least)
    return np.asarray(baseline.chance(needed, baseline.rate[_CELLS]).mean((1, 2)))


def share_rates(baseline: ShareBaseline, n: Values, least: int, replicates: int = REPLICATES, seed: int = 7) -> Values:
    """Chance that a quiet bucket, of a size as in history, is an alarm at each of ``CUTS``."""
    histories = sharing.simulated(baseline, n, replicates, np.random.default_rng(seed))
    share, rho = sharing.fit_many(histories, n)
    rho = np.clip(rho * baseline.rho / max(float(rho.mean()), 1e-9), 1e-6, 0.9)
    enough = np.sort(n[n >= least]).astype(np.int64)
    if not len(enough):
        return np.zeros(len(CUTS))
    sizes = enough[np.linspace(0, len(enough) - 1, min(12, len(enough))).astype(np.int64)]
    found = [_share_rate(baseline, share, rho, int(size)) for size in sizes]
    return np.asarray(np.mean(found, axis=0) * len(enough) / len(n))


def _share_rate(baseline: ShareBaseline, share: Values, rho: Values, n: int) -> Values:
    above = sharing.tails(share, rho, n)
    needed = (above[None] > CUTS[:, None, None]).sum(2)  # the smallest count whose tail is within the cut
    true = np.append(sharing.tails(np.array([baseline.share]), np.array([baseline.rho]), n)[0], 0.0)
    return np.asarray(true[needed].mean(1))


def cut(rates: Sequence[tuple[Values, float]], per_week: float) -> float:
    """Where the detectors' rates, each with its tests a week, add up to ``per_week``; at most the last of ``CUTS``."""
    total = np.maximum(sum((one * tests for one, tests in rates), np.zeros(len(CUTS))), 1e-300)
    place = np.interp(math.log(per_week), np.log(total), np.log(CUTS)) if total[-1] > per_week else math.log(CUTS[-1])
    return float(np.exp(place))


def rate_at(rates: Values, where: float) -> float:
    """A detector's rate at a cut."""
    return float(np.exp(np.interp(math.log(where), np.log(CUTS), np.log(np.maximum(rates, 1e-300)))))


def tail_of(chances: Values) -> Tail:
    """How heavy the tail of a history is, from each bucket's chance under the baseline (NaN where masked)."""
    surprise = -np.log(np.maximum(chances, 1e-300))
    known = surprise[~np.isnan(surprise)]
    if len(known) < 100:
        return Tail()
    at = max(float(np.quantile(known, 1 - _UPPER)), -math.log(_UPPER))
    excess = known[known > at] - at
    scale = float(np.median(excess)) / math.log(2) if len(excess) >= 10 else 1.0
    # Two standard errors of the median of exponentials: chance alone must not make thresholds higher.
    return Tail(at, scale) if scale > 1 + 2 / (math.log(2) * math.sqrt(max(len(excess), 1))) else Tail()
