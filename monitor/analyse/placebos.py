"""How far windows stray by themselves: what every stretch without an event held over what was expected of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.analyse.regression import SEEN, TAIL, Mask, Regression, Values

Some = float | Values
LEVEL = 0.95
LEAST_WINDOWS = 8  # without an event, side by side, for placebos to say how windows differ
ENOUGH_WINDOWS = 39  # for a 2.5 % quantile to exist among them
HALF = 0.5
_MOST_PLACEBOS, _SHRINK, _Z = 400, 10.0, 1.959964


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an event stands: hours from the start of the series, and how long its window is."""

    at: int
    hours: int

    @property
    def window(self) -> slice:
        return slice(max(0, self.at), self.at + self.hours)


@dataclass(frozen=True, slots=True)
class Held:
    """What a stretch held and was expected to hold: ``swing`` is the logarithm of their ratio, with half a post added.

    ``doubt`` is the variance of the swing that comes of reading a sample only, 0 where all was read.
    """

    found: float
    foreseen: float
    swing: float
    doubt: float


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to be expected of a window by itself: ``shift`` + ``slope`` times the swing of the window before it."""

    slope: float
    shift: float

    def rest(self, before: Values, after: Values) -> Values:
        return np.asarray(after - self.slope * before - self.shift)


@dataclass(frozen=True, slots=True)
class Swings:
    """Of the placebo dates ``at``: swings of the window ``before`` each and ``after`` it, and the ``rest`` by the rule.

    ``windows`` would fit side by side. ``doubt`` is the part of a sample in the variance of the rest.
    """

    at: Values
    before: Values
    after: Values
    rule: Rule
    rest: Values
    windows: float
    doubt: float


def swings_of(fitted: Regression, events: Sequence[Placed], hours: int) -> Swings:
    """Of windows of so many hours in which none of the events stands, nor what it leaves behind."""
    quiet = np.ones(len(fitted.seen), bool)
    for event in events:
        quiet[max(0, event.at) : max(0, event.at + TAIL * event.hours)] = False
    places = _places(quiet, fitted.seen, hours)
    pairs = [around(fitted, Placed(int(place), hours), None, len(events))[:2] for place in places]
    before, after = (np.array([pair[side].swing for pair in pairs]) for side in (0, 1))
    windows = _covered(places, hours, fitted.seen) / hours
    rule = rule_of(before, after, windows) if windows >= LEAST_WINDOWS else Rule(0.0, 0.0)
    doubts = [later.doubt + rule.slope**2 * earlier.doubt for earlier, later in pairs]
    doubt = float(np.median(doubts)) if doubts else 0.0
    return Swings(places, before, after, rule, rule.rest(before, after), windows, doubt)


def strayed(swings: Swings) -> float | None:
    """The share of placebo dates at which nothing "has an effect" by the interval of the others: 5 % if all is well.

    The dates of the earlier half of the time are judged by the later half and the other way round, so that it shows
    where windows strayed more at one time than at another. None where a half holds too few windows for an interval.
    """
    if swings.windows / 2 < LEAST_WINDOWS:
        return None
    early = np.arange(len(swings.at)) < len(swings.at) // 2
    outside = []
    for known in (early, ~early):
        before, after = swings.before[known], swings.after[known]
        rule = rule_of(before, after, swings.windows / 2)
        low, high = placebo_range(rule.rest(before, after), swings.windows / 2)
        rest = rule.rest(swings.before[~known], swings.after[~known])
        outside.append((rest < low) | (rest > high))
    return float(np.concatenate(outside).mean())


def around(fitted: Regression, event: Placed, number: int | None, events: int) -> tuple[Held, Held, Values]:
    """What the windows before and after held, and the rate expected in each hour after without the event."""
    first, last = max(0, event.at - event.hours), event.at + event.hours
    bare = fitted.design[first:last].copy()
    if number is not None:
        column = bare.shape[1] - 2 * (events - number)
        bare[:, column : column + 2] = 0
    rate = fitted.expected_without(event.at, event.at + TAIL * event.hours, bare)
    at = max(0, event.at)
    before, after = rate[: at - first], rate[at - first :]
    return held(fitted, first, before), held(fitted, at, after), after


def held(fitted: Regression, first: int, rate: Values) -> Held:
    """Of the stretch from the hour ``first`` that has an expected rate, shape (hours,), what was seen of it."""
    part, measure = slice(first, first + len(rate)), fitted.measure
    seen = fitted.seen[part]
    found = float(measure.counts[part][seen].sum())
    foreseen = float((rate * fitted.exposure[part])[seen].sum())
    told, doubt = swing(found, foreseen, measure.unread(part, seen), measure.weight(part))
    return Held(found, foreseen, float(told), float(doubt))


def swing(found: Some, foreseen: Some, unread: Some, weight: float) -> tuple[Some, Some]:
    """The logarithm of found over foreseen, half a post added to both, and the variance that a sample leaves to it."""
    half = HALF * weight
    return np.log((found + half) / (foreseen + half)), (unread + half * (weight - 1)) / (found + half) ** 2


def placebo_range(rest: Values, windows: float) -> tuple[float, float]:
    """Between which the logarithm strays by itself in 95 %, the finite number of windows allowed for."""
    from scipy.special import stdtrit

    tail = (1 - LEVEL) / 2
    outer = max(0.0, tail * (1 + 1 / windows) - 1 / windows)
    low, high = (float(end) for end in np.quantile(rest, [outer, 1 - outer]))
    if windows >= ENOUGH_WINDOWS:
        return low, high
    free = windows - 2
    spread = float(rest.std()) * math.sqrt(windows / free * (1 + 1 / windows))
    half = float(stdtrit(free, 1 - tail)) * spread
    return min(low, -half), max(high, half)


def doubted(strays: tuple[float, float], variance: float) -> tuple[float, float]:
    """A range for what has so much more variance, or less: to half of the range at most."""
    squares = (max(end**2 + _Z**2 * variance, end**2 / 4) for end in strays)
    low, high = (math.sqrt(square) for square in squares)
    return -low, high


def rule_of(before: Values, after: Values, windows: float) -> Rule:
    """What the swing before tells of the one after; drawn towards nothing where there are few windows to learn from."""
    slope = float(np.clip(np.cov(before, after)[0, 1] / max(float(before.var(ddof=1)), 1e-9), 0, 1))
    slope *= windows / (windows + _SHRINK)
    return Rule(slope, float(np.median(after - slope * before)))


def _places(quiet: Mask, seen: Mask, hours: int) -> Values:
    """Dates with nothing but quiet from one window before to one after them, enough of it collected."""
    total, found = np.concatenate([[0], np.cumsum(quiet)]), np.concatenate([[0], np.cumsum(seen)])
    at = np.arange(hours, len(quiet) - hours + 1)
    free = total[at + hours] - total[at - hours] == 2 * hours
    enough = (found[at + hours] - found[at] >= SEEN * hours) & (found[at] - found[at - hours] >= SEEN * hours)
    good = at[free & enough]
    return np.asarray(good[:: max(1, len(good) // _MOST_PLACEBOS)], dtype=np.float64)


def _covered(places: Values, hours: int, seen: Mask) -> float:
    """Seen hours in any of the windows."""
    covered = np.zeros(len(seen), bool)
    for place in places:
        covered[int(place) : int(place) + hours] = True
    return float((covered & seen).sum())
