"""What did events change? One segmented negative-binomial regression of hourly counts, all events in it.

Each event has a step, and two ramps that let the step change over the window that is judged and over three times as
long after it, so that an outcry may jump, fall and come to rest; hour of the day and of the week are harmonics; the
share of each hour that was collected is an offset, and hours that were hardly collected are left out (interrupted time
series: Wagner et al. 2002; Bernal et al. 2017). The effect of an event is what came in the window over what the model
expects without the event, everything else as it was; its terms only keep the rest of the model clear of it.

Posts beget posts, so hours are no independent draws. Errors are those of Newey and West (1987) over the length of the
window; and where there is enough time without any event, the same window laid over it shows how much such windows
differ by themselves. The wider of the two is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.segments import (
    FEWEST_FREE,
    LEAST_WINDOWS,
    LEVEL,
    PER_EVENT,
    Placed,
    event_terms,
    fit,
    negative_binomial,
    penalty,
    quiet_windows,
    sandwich,
)
from monitor.records import Estimate

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

METHOD = "segmented negative-binomial regression"
SEEN = 0.5  # share of an hour that must have been collected
LEAST_POSTS = 10  # in the window and what would have come without the event, together
_DAY, _WEEK = 24, 168
_FULL_WEEKS = 3  # of data, for the week to have a rhythm of its own


@dataclass(frozen=True, slots=True)
class Effect:
    """``estimate`` is a ratio, 1 for none; ``added`` the same in posts, with its interval.

    ``expected`` are the counts of each hour of the window without the event, ``low`` and ``high`` their interval as a
    band.
    """

    estimate: Estimate
    added: tuple[float, float, float]
    expected: Values
    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class Study:
    """A fitted model: expected counts of whole hours, ``fitted`` with and ``without[i]`` without event i.

    ``swings`` are the logarithms of found over expected counts of windows in which no event stands; ``spread`` their
    standard deviation, NaN where there are too few.
    """

    events: tuple[Placed, ...]
    posts: Values
    collected: Values
    fitted: Values
    design: Values
    without: tuple[Values, ...]
    covariance: Values
    swings: Values

    @property
    def seen(self) -> Mask:
        return self.collected >= SEEN

    @property
    def spread(self) -> float:
        return float(self.swings.std(ddof=1)) if len(self.swings) >= LEAST_WINDOWS else math.nan


def study(posts: Values, collected: Values, events: Sequence[Placed]) -> Study:
    """Fit the model.

    Args:
        posts: hourly counts, shape (hours,).
        collected: share of each hour that was collected, 0 to 1.
        events: in any order; those outside of the series have no terms.
    """
    clock = _clock(len(posts))
    design = np.concatenate([clock, *(event_terms(len(posts), event) for event in events)], axis=1)
    prior = penalty(clock.shape[1], len(events))
    seen = collected >= SEEN
    offset, alpha = np.log(np.maximum(collected, SEEN))[seen], 0.5
    for _ in range(3):  # the dispersion by moments (Breslow 1984)
        fitted = fit(design[seen], posts[seen], offset, negative_binomial(alpha), prior)
        alpha = _dispersion(posts[seen], fitted.mean, seen.sum() - design.shape[1])
    covariance = sandwich(design[seen], fitted, prior, max(event.hours for event in events))
    parameters = fitted.parameters
    without = tuple(np.exp(_left_out(design, number, clock.shape[1]) @ parameters) for number in range(len(events)))
    expected = np.exp(design @ parameters)
    swings = _swings(posts, collected, expected, events)
    return Study(tuple(events), posts, collected, expected, design, without, covariance, swings)


def effect(fitted: Study, number: int) -> Effect:
    """What the event of that number changed in its window."""
    event = fitted.events[number]
    seen = fitted.seen[event.window]
    share = fitted.collected[event.window] * seen
    with_it, without = fitted.fitted[event.window] * share, fitted.without[number][event.window] * share
    design = fitted.design[event.window]
    bare = _left_out(design, number, design.shape[1] - PER_EVENT * len(fitted.events))
    slope = (with_it @ design) / with_it.sum() - (without @ bare) / without.sum()
    found = float(fitted.posts[event.window][seen].sum())
    log_ratio = math.log((found + 0.5) / (float(without.sum()) + 0.5))
    error = math.sqrt(max(0.0, float(slope @ fitted.covariance @ slope)))
    by_itself = fitted.spread * math.sqrt(1 + 1 / len(fitted.swings)) if len(fitted.swings) >= LEAST_WINDOWS else 0.0
    error = max(error, by_itself)
    half = _quantile(fitted) * error
    ratio, low, high = (math.exp(log_ratio + shift) for shift in (0.0, -half, half))
    estimate = Estimate(ratio, low, high, LEVEL, METHOD, round(found))
    added = (found - found / ratio, found - found / low, found - found / high)
    whole = fitted.without[number][event.window]
    return Effect(estimate, added, whole, whole * math.exp(-half), whole * math.exp(half))


def foreseen(fitted: Study, number: int) -> float:
    """Posts that the window would have held without the event, in the hours that were seen."""
    window = fitted.events[number].window
    share = fitted.collected[window] * fitted.seen[window]
    return float((fitted.without[number][window] * share).sum())


def swing(fitted: Study, first: int, hours: int) -> float:
    """The logarithm of what a stretch held over what was expected of it; half a post is added to both."""
    part = slice(max(0, first), first + hours)
    seen = fitted.seen[part]
    found = fitted.posts[part][seen].sum()
    expected = (fitted.fitted[part] * fitted.collected[part])[seen].sum()
    return math.log((found + 0.5) / (expected + 0.5))


def _quantile(fitted: Study) -> float:
    """Student's t; of few windows without an event, or few days, little is known about the error itself."""
    from scipy.stats import t

    longest = max(event.hours for event in fitted.events)
    blocks = int(fitted.seen.sum() // longest) - len(fitted.events)
    free = len(fitted.swings) - 1 if len(fitted.swings) >= LEAST_WINDOWS else max(FEWEST_FREE, blocks)
    return float(t.ppf((1 + LEVEL) / 2, free))


def _left_out(design: Values, number: int, first: int) -> Values:
    bare = design.copy()
    bare[:, first + PER_EVENT * number : first + PER_EVENT * (number + 1)] = 0
    return bare


def _clock(hours: int) -> Values:
    """A constant and harmonics of the day, and of the week where weeks were seen."""
    at = np.arange(hours)
    periods = [_DAY / n for n in (1, 2)] if hours >= 3 * _DAY else []
    periods += [_WEEK / n for n in (1, 2, 3)] if hours >= _FULL_WEEKS * _WEEK else []
    waves = [wave(2 * np.pi * at / period) for period in periods for wave in (np.cos, np.sin)]
    return np.stack([np.ones(hours), *waves], axis=1)


def _dispersion(posts: Values, mean: Values, free: float) -> float:
    """So large that Pearson's statistic is what it should be: variance is mean + alpha mean^2."""
    from scipy.optimize import brentq

    def excess(alpha: float) -> float:
        return float(((posts - mean) ** 2 / (mean + alpha * mean**2)).sum()) - free

    low, high = 1e-4, 1e3
    if excess(low) <= 0:
        return low
    return high if excess(high) > 0 else float(brentq(excess, low, high))


def _swings(posts: Values, collected: Values, expected: Values, events: Sequence[Placed]) -> Values:
    """Of windows side by side in which no event, and none of what it left, stands; shape (windows,)."""
    seen, found = collected >= SEEN, []
    for part in quiet_windows(len(posts), events):
        here = seen[part]
        if here.mean() >= SEEN:
            mean = (expected[part] * collected[part])[here].sum()
            found.append(math.log((posts[part][here].sum() + 0.5) / (mean + 0.5)))
    return np.array(found)
