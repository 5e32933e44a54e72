"""Segmented regression: terms of events, and generalised linear models that keep to reason in short segments.

Where events follow each other closely, their terms can hardly be told apart, and a fit without restraint explains a
fall by two rises that nobody saw. A normal prior on the terms of events (ridge; le Cessie and van Houwelingen 1992)
holds them within reason; where data speak it is not felt. statsmodels offers no such fit with an error, so the few
lines of reweighted least squares stand here; without the prior they give what statsmodels gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Moments = Callable[[Values], tuple[Values, Values, Values]]  # linear predictor -> mean, its slope, variance

PER_EVENT = 3
LEVEL = 0.95
LEAST_WINDOWS = 4  # without an event, for their spread to say something
FEWEST_FREE = 3  # degrees of freedom, where little is known of how windows differ
PRIOR = 2.0  # standard deviation of a term: a factor of 7 for rates
_ROUNDS, _CLOSE, _LONGEST_STEP = 60, 1e-8, 3.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an event stands: hours from the start of the series, and how long its window is."""

    at: int
    hours: int

    @property
    def window(self) -> slice:
        return slice(self.at, self.at + self.hours)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Parameters, expected counts, and each observation's score residual and information."""

    parameters: Values
    mean: Values
    residuals: Values
    information: Values


def event_terms(hours: int, event: Placed) -> Values:
    """A step and two ramps, shape (hours, 3): over the window, and over three times as long after it."""
    since = np.arange(hours) - event.at
    ramps = [np.clip(since / event.hours, 0, 1), np.clip((since - event.hours) / (3 * event.hours), 0, 1)]
    return np.stack([(since >= 0).astype(float), *ramps], axis=1)


def penalty(free: int, events: int) -> Values:
    """Precision of the prior of each parameter, the first ``free`` of which have none."""
    return np.concatenate([np.zeros(free), np.full(PER_EVENT * events, PRIOR**-2)])


def fit(design: Values, counts: Values, offset: Values, moments: Moments, prior: Values) -> Fitted:
    """The posterior mode, by reweighted least squares.

    Args:
        design: shape (observations, parameters); the first column is 1.
        counts: what was found, shape (observations,).
        offset: of the linear predictor, shape (observations,).
        moments: of the counts, at a linear predictor.
        prior: precision of each parameter around 0.
    """
    parameters = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        mean, slope, variance = moments(design @ parameters + offset)
        weights = slope**2 / variance
        gradient = design.T @ (slope * (counts - mean) / variance) - prior * parameters
        step = np.linalg.lstsq(design.T @ (design * weights[:, None]) + np.diag(prior), gradient, rcond=None)[0]
        parameters = parameters + step * min(1.0, _LONGEST_STEP / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < _CLOSE:
            break
    mean, slope, variance = moments(design @ parameters + offset)
    return Fitted(parameters, mean, slope * (counts - mean) / variance, slope**2 / variance)


def negative_binomial(alpha: float) -> Moments:
    """Rates on the logarithm; variance is mean + alpha mean^2."""

    def moments(predictor: Values) -> tuple[Values, Values, Values]:
        mean = np.exp(np.clip(predictor, -30, 30))
        return mean, mean, mean + alpha * mean**2

    return moments


def binomial(n: Values) -> Moments:
    """Of ``n`` each, shares on the logit."""

    def moments(predictor: Values) -> tuple[Values, Values, Values]:
        chance = 1 / (1 + np.exp(-np.clip(predictor, -30, 30)))
        slope = np.maximum(n * chance * (1 - chance), 1e-12)
        return n * chance, slope, slope

    return moments


def sandwich(design: Values, fitted: Fitted, prior: Values, lags: int) -> Values:
    """Covariance of the parameters by Newey and West (1987), Bartlett's weights over ``lags`` observations."""
    moments = design * fitted.residuals[:, None]
    meat = moments.T @ moments
    for lag in range(1, min(lags, len(moments) - 1) + 1):
        cross = moments[lag:].T @ moments[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    bread = np.linalg.pinv(design.T @ (design * fitted.information[:, None]) + np.diag(prior))
    return np.asarray(bread @ (meat + np.diag(prior)) @ bread)


def quiet_windows(hours: int, events: Sequence[Placed]) -> list[slice]:
    """Windows side by side, as long as those of the events, in which none of these and of their aftermath stands."""
    width = max(event.hours for event in events)
    quiet = np.ones(hours, bool)
    for event in events:
        quiet[max(0, event.at) : max(0, event.at + 4 * event.hours)] = False
    every = [slice(first, first + width) for first in range(0, hours - width + 1, width)]
    return [part for part in every if quiet[part].all()]
