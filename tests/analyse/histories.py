"""Invented months of posts with a known truth: a daily rhythm, cascades, and people who leave more in the bursts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOURS = 14 * 24


@dataclass(frozen=True, slots=True)
class History:
    """Seconds since the start of each post in order, whether its author leaves, and posts for each hour."""

    at: NDArray[np.float64]
    leaves: NDArray[np.bool_]
    counts: NDArray[np.int64]


def a_history(chance: np.random.Generator, share: float | None = None) -> History:
    """Two weeks of 2-40 posts an hour and about 40 cascades, most after the middle, of 20 to 3,000 posts.

    ``share`` of the quiet times is 1-20 % where it is not given. It drifts with the posts of the ten minutes around
    (its odds at most double in a burst of three times as many), and each cascade adds its own.
    """
    span = HOURS * 3600
    quiet = np.exp(chance.uniform(np.log(0.01), np.log(0.2))) if share is None else share
    rate = np.exp(chance.uniform(np.log(2), np.log(40)))
    calm = chance.uniform(0, span, chance.poisson(2 * rate * HOURS))
    rhythm = 0.5 + 0.45 * np.sin(2 * np.pi * (calm / 86_400 - chance.random()))
    calm = calm[chance.random(len(calm)) < rhythm]
    n = chance.poisson(40)
    start = np.where(chance.random(n) < 0.5, chance.uniform(0, span, n), span / 2 + chance.exponential(86_400, n))
    which = np.repeat(np.arange(n), np.minimum(20 * (1 + chance.pareto(1.2, n)), 3000).astype(int))
    lasts = np.exp(chance.uniform(np.log(900), np.log(4 * 3600), n))
    at = np.concatenate([calm, start[which] + chance.exponential(lasts[which])])
    own = np.concatenate([np.zeros(len(calm)), chance.normal(0, 0.7, n)[which]])
    order = np.argsort(at)[: (at < span).sum()]
    at, own = at[order], own[order]
    minutes = (at // 600).astype(int)
    busy = np.bincount(minutes)[minutes]
    odds = np.log(quiet / (1 - quiet)) + chance.uniform(-0.2, 0.6) * np.log(busy / np.median(busy)) + own
    leaves = chance.random(len(at)) < 1 / (1 + np.exp(-odds))
    return History(at, leaves, np.bincount((at // 3600).astype(int), minlength=HOURS))
