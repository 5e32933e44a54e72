"""An outcry as a self-exciting process: posts beget posts, on top of a quiet rate, by the hour of the day.

The rate of hour t is s(t) (b + n sum_i k(t - i) y_i): b is what comes anyway, n how many posts one post begets, k how
long that takes, s the daily rhythm. It is a Hawkes process in discrete time (Hawkes 1971; as a model of what spreads
online: Zhao et al., SEISMIC, KDD 2015). The kernel k is a mixture of exponentials, whose weights are smooth in the
logarithm of their time, so that exponential and power-law decays are both among them. Counts vary as a negative
binomial. Parameters are drawn from their posterior by emcee (Foreman-Mackey et al. 2013), and forecasts play the
process on from what was seen, so that both what is not known and what is chance stand in their width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

TIMES = np.array([0.7, 1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0])  # hours, of the kernel's exponentials
_KEPT = np.exp(-1 / TIMES)
# Parameters: log b, logit n, tilt and bend of the kernel, log phi, log alpha, cosine and sine of the day.
_MEAN = np.array([0.0, 0.7, -0.6, 0.3, 0.0, -2.5, 0.0, 0.0])
_SPREAD = np.array([2.0, 1.5, 1.0, 0.3, 1.5, 1.5, 0.5, 0.5])
_WALKERS, _STEPS, _BURN_IN, _PATHS = 24, 300, 120, 2_000


@dataclass(frozen=True, slots=True)
class Fit:
    """Draws of the parameters, shape (draws, 8), and what the past still excites, shape (times,)."""

    draws: Values
    excited: Values
    hour: int  # of the day, counted as in the fit, at which a forecast begins


def fit(posts: Values, seen: Mask, told: Mask, seed: int = 0) -> Fit:
    """Fit the process to hourly counts.

    Args:
        posts: shape (hours,), those of hours not collected filled by a guess: they excite what follows.
        seen: which hours were collected.
        told: which hours the fit explains; others excite only (the rise of an outcry comes from outside).
        seed: of the draws.
    """
    import emcee
    from scipy.optimize import minimize

    history, at = excitement(posts), np.flatnonzero(seen & told)
    clock = _clock(np.arange(len(posts)))

    def log_posterior(parameters: Values) -> Values:
        rate = _rate(parameters, history[at], clock[at])
        prior = -0.5 * np.sum(((parameters - _MEAN) / _SPREAD) ** 2, axis=1)
        return np.asarray(prior + _log_likelihood(parameters, posts[at], rate).sum(axis=1))

    best = minimize(lambda p: -log_posterior(p[None])[0], _MEAN, method="L-BFGS-B").x
    rng = np.random.default_rng(seed)
    start = best + 0.1 * _SPREAD * rng.standard_normal((_WALKERS, len(_MEAN)))
    sampler = emcee.EnsembleSampler(_WALKERS, len(_MEAN), log_posterior, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    sampler.run_mcmc(start, _STEPS)
    return Fit(sampler.get_chain(discard=_BURN_IN, thin=3, flat=True), _excited(posts), len(posts))


def forecast(fitted: Fit, hours: int, seed: int = 0) -> Values:
    """Hourly counts as they may go on, shape (paths, hours)."""
    rng = np.random.default_rng(seed)
    drawn = fitted.draws[rng.integers(0, len(fitted.draws), _PATHS)]
    excited = np.repeat(fitted.excited[None], _PATHS, axis=0)
    paths = np.zeros((_PATHS, hours))
    clock = _clock(fitted.hour + np.arange(hours))
    for hour in range(hours):
        rate = _rate_of(drawn, excited, clock[hour])
        paths[:, hour] = rng.poisson(rng.gamma(size := _size(drawn, rate), rate / size))
        excited = _KEPT * excited + (1 - _KEPT) * paths[:, hour, None]
    return paths


def excitement(posts: Values) -> Values:
    """What earlier hours excite in each hour by each of ``TIMES``, shape (hours, times); a kernel sums to 1."""
    from scipy.signal import lfilter

    shifted = np.concatenate([[0.0], posts[:-1]])
    return np.stack([lfilter([1 - kept], [1, -kept], shifted) for kept in _KEPT], axis=1)


def _excited(posts: Values) -> Values:
    return np.asarray(excitement(np.concatenate([posts, [0.0]]))[-1])


def _clock(hour: NDArray[np.int64]) -> Values:
    angle = 2 * np.pi * hour / 24
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _weights(parameters: Values) -> Values:
    """Of each exponential, shape (draws, times)."""
    place = np.arange(len(TIMES)) - (len(TIMES) - 1) / 2
    level = parameters[:, 2, None] * place - parameters[:, 3, None] * place**2
    level = np.exp(level - level.max(axis=1, keepdims=True))
    return np.asarray(level / level.sum(axis=1, keepdims=True))


def _branching(parameters: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-parameters[:, 1])))


def _rate(parameters: Values, history: Values, clock: Values) -> Values:
    """Expected posts, shape (draws, hours)."""
    begotten = (_branching(parameters)[:, None] * _weights(parameters)) @ history.T
    return np.asarray(np.exp(parameters[:, 6:] @ clock.T) * (np.exp(parameters[:, 0, None]) + begotten))


def _rate_of(parameters: Values, excited: Values, clock: Values) -> Values:
    begotten = _branching(parameters) * (_weights(parameters) * excited).sum(axis=1)
    return np.asarray(np.exp(parameters[:, 6:] @ clock) * (np.exp(parameters[:, 0]) + begotten))


def _size(parameters: Values, rate: Values) -> Values:
    """Of the negative binomial whose variance is rate (1 + phi + alpha rate)."""
    phi, alpha = np.exp(parameters[:, 4:6]).T.reshape(2, -1, *[1] * (rate.ndim - 1))
    return np.asarray(np.maximum(rate / (phi + alpha * rate), 1e-6))


def _log_likelihood(parameters: Values, posts: Values, rate: Values) -> Values:
    from scipy.special import gammaln

    size = _size(parameters, rate)
    total = size + rate
    chance = gammaln(posts + size) - gammaln(size) - gammaln(posts + 1)
    return np.asarray(chance + size * np.log(size / total) + posts * np.log(rate / total))
