"""Outcries as they are simulated: how many posts each hour, by shapes that are not the one the product fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

QUIET_HOURS, BEFORE_HOURS = 14 * 24, 6


@dataclass(frozen=True)
class Cascade:
    """``posts`` an hour; the outcry begins at hour ``begun``. ``collected`` is the share of each hour collected."""

    shape: str
    posts: Counts
    collected: Values
    begun: int


Effect = Callable[[int], float]  # hour -> by what the response multiplies what is new then


def no_effect(_: int) -> float:
    """A statement that does nothing."""
    return 1.0


def _daily(rng: np.random.Generator, n: int) -> Values:
    depth, at = rng.uniform(0.2, 0.7), rng.uniform(0, 24)
    return np.exp(depth * np.cos(2 * np.pi * (np.arange(n) - at) / 24))


def hawkes(
    rng: np.random.Generator, n: int, kernel: Values, branching: float, shocks: Values, spread: float, effect: Effect
) -> Counts:
    """Posts beget posts: gamma marks of mean 1 and variance ``spread`` say how far a post goes."""
    daily, rate, found = _daily(rng, n), shocks.copy(), np.zeros(n, np.int64)
    kernel = branching * kernel / kernel.sum()
    for hour in range(n):
        found[hour] = rng.poisson(daily[hour] * rate[hour] * effect(hour))
        if found[hour]:
            reach = rng.gamma(found[hour] / spread, spread) if spread else float(found[hour])
            rate[hour + 1 :] += reach * kernel[: n - hour - 1]
    return found


def _shocks(rng: np.random.Generator, n: int, begun: int, size: float, hours: float) -> Values:
    quiet = rng.uniform(0.1, 2.0)
    since = np.arange(n) - begun
    burst = np.where(since >= 0, np.exp(-np.maximum(since, 0) / hours), 0.0)
    return quiet + size * burst / burst.sum()


def exponential_hawkes(rng: np.random.Generator, n: int, begun: int, effect: Effect) -> Counts:
    kernel = np.exp(-np.arange(1, n + 1) / rng.uniform(2, 10))
    shocks = _shocks(rng, n, begun, rng.uniform(200, 1500), rng.uniform(2, 8))
    return hawkes(rng, n, kernel, rng.uniform(0.5, 0.85), shocks, rng.uniform(0, 3), effect)


def power_law_hawkes(rng: np.random.Generator, n: int, begun: int, effect: Effect) -> Counts:
    """Memory as measured on cascades: (1 + t / c)^-(1 + theta) (Zhao et al. 2015: theta .24 on Twitter)."""
    kernel = (1 + np.arange(1, n + 1) / rng.uniform(0.3, 2)) ** -(1 + rng.uniform(0.2, 0.8))
    shocks = _shocks(rng, n, begun, rng.uniform(200, 1500), rng.uniform(2, 8))
    return hawkes(rng, n, kernel, rng.uniform(0.4, 0.8), shocks, rng.uniform(0, 3), effect)


def _clustered(rng: np.random.Generator, mean: Values) -> Counts:
    """Counts whose log mean wanders by an autoregression and that vary as a negative binomial."""
    memory, size, noise = rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.3), np.zeros(len(mean))
    for i in range(1, len(mean)):
        noise[i] = memory * noise[i - 1] + size * np.sqrt(1 - memory**2) * rng.standard_normal()
    k = rng.uniform(5, 50)
    return rng.poisson(rng.gamma(k, mean * np.exp(noise) / k))


def omori(rng: np.random.Generator, n: int, begun: int, effect: Effect) -> Counts:
    """A power-law decay that nothing excites (Crane and Sornette 2008)."""
    since = np.maximum(np.arange(n) - begun, 0)
    decay = np.where(np.arange(n) >= begun, (1 + since / rng.uniform(3, 15)) ** -rng.uniform(0.8, 1.6), 0.0)
    mean = rng.uniform(0.1, 2.0) + rng.uniform(20, 120) * decay
    return _clustered(rng, _daily(rng, n) * mean * np.array([effect(i) for i in range(n)]))


def exponential(rng: np.random.Generator, n: int, begun: int, effect: Effect) -> Counts:
    since = np.maximum(np.arange(n) - begun, 0)
    decay = np.where(np.arange(n) >= begun, np.exp(-since / rng.uniform(12, 60)), 0.0)
    mean = rng.uniform(0.1, 2.0) + rng.uniform(20, 120) * decay
    return _clustered(rng, _daily(rng, n) * mean * np.array([effect(i) for i in range(n)]))


def two_waves(rng: np.random.Generator, n: int, begun: int, effect: Effect) -> Counts:
    """A second viral post sets off a smaller wave within the first two days."""
    kernel = (1 + np.arange(1, n + 1) / rng.uniform(0.3, 2)) ** -(1 + rng.uniform(0.4, 0.8))
    size = rng.uniform(300, 1200)
    shocks = _shocks(rng, n, begun, size, rng.uniform(2, 6))
    shocks += _shocks(rng, n, begun + int(rng.integers(12, 36)), size * rng.uniform(0.2, 0.5), 4) - shocks[0]
    return hawkes(rng, n, kernel, rng.uniform(0.4, 0.75), np.maximum(shocks, 0.05), rng.uniform(0, 3), effect)


SHAPES: dict[str, Callable[[np.random.Generator, int, int, Effect], Counts]] = {
    "exponential Hawkes": exponential_hawkes,
    "power-law Hawkes": power_law_hawkes,
    "Omori": omori,
    "exponential": exponential,
    "two waves": two_waves,
}


def cascade(
    shape: str, rng: np.random.Generator, hours: int, effect: Effect = no_effect, *, outages: int = 0
) -> Cascade:
    """One outcry after two quiet weeks; ``effect`` takes hours since it began. ``outages`` of 2 to 8 hours."""
    n = QUIET_HOURS + hours
    found = SHAPES[shape](rng, n, QUIET_HOURS, lambda hour: effect(hour - QUIET_HOURS))
    collected = np.ones(n)
    for _ in range(outages):
        start = int(rng.integers(QUIET_HOURS, n))
        collected[start : start + int(rng.integers(2, 9))] = 0
    return Cascade(shape, np.where(collected > 0, found, 0), collected, QUIET_HOURS)
