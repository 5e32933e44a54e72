"""Histories in which nothing happened but what happens by itself: now and then an outcry of no event."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.validation.cascades import hawkes

Counts = NDArray[np.int64]


def history(rng: np.random.Generator, hours: int, effect: NDArray[np.float64] | None = None) -> Counts:
    """Hourly counts, self-exciting, with outcries about every two months; ``effect`` multiplies what is new."""
    kernel = (1 + np.arange(1, 24 * 21) / rng.uniform(0.5, 3)) ** -(1 + rng.uniform(0.3, 0.9))
    kernel = np.concatenate([kernel, np.zeros(max(0, hours - len(kernel)))])[:hours]
    shocks = np.full(hours, rng.uniform(0.1, 3.0))
    for _ in range(rng.poisson(hours / 1440)):
        at = int(rng.integers(0, hours))
        since = np.arange(hours) - at
        shocks += np.where(since >= 0, rng.uniform(0.5, 10) * np.exp(-np.maximum(since, 0) / rng.uniform(3, 20)), 0)
    times = np.ones(hours) if effect is None else effect
    branching, spread = rng.uniform(0.2, 0.7), rng.uniform(0, 2)
    return hawkes(rng, hours, kernel, branching, shocks, spread, lambda hour: float(times[hour]))
