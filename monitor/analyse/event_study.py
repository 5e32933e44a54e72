"""What did events change? One segmented regression of hourly counts with all events in it, judged by quiet windows.

The effect of an event is what its window held over what the ``regression`` expects there without it, the window itself
left out of the fit. Posts beget posts: hours are no independent draws, and no formula knows how far a window strays by
itself. Therefore the same is asked of every stretch without an event: what it held over what was expected, corrected by
what the stretch before it held. Those placebos are the distribution of no effect, and their quantiles the interval: a
conformal one, exact where the time of the event is exchangeable with theirs (Chernozhukov, Wuethrich and Zhu 2021).
Where they are too few for a quantile, Student's t or the furthest of them, whichever is wider; where there are nearly
none, Newey and West's (1987) error with the fixed-b critical values of Kiefer and Vogelsang (2005).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.analyse.regression import SEEN, TAIL, Mask, Measure, Regression, Values, fit
from monitor.records import Estimate

LEVEL = 0.95
PLACEBO = "segmented regression, interval from placebo dates"
HAC = "segmented regression, Newey-West interval"
LEAST_WINDOWS = 8  # without an event, side by side, for placebos to say how windows differ
ENOUGH_WINDOWS = 39  # for a 2.5 % quantile to exist among them
_SHORT_HOURS, _SHORT = 240, 1.5  # after so little, simulated effects of nothing are seen too often without the factor
_MOST_PLACEBOS, _FEWEST, _SHRINK, _HALF = 400, 2.0, 10.0, 0.5


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an event stands: hours from the start of the series, and how long its window is."""

    at: int
    hours: int

    @property
    def window(self) -> slice:
        return slice(max(0, self.at), self.at + self.hours)


@dataclass(frozen=True, slots=True)
class Swings:
    """Logarithms of found over expected counts at placebo dates ``at``: ``before`` each, and ``after`` it.

    ``slope`` of after on before, ``shift`` and the ``rest`` that it leaves. ``windows`` would fit side by side.
    """

    at: Values
    before: Values
    after: Values
    slope: float
    shift: float
    rest: Values
    windows: float


@dataclass(frozen=True, slots=True)
class Study:
    """One measure's regression with all events, and how windows differ without any."""

    fitted: Regression
    events: tuple[Placed, ...]
    swings: tuple[Swings, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """``estimate`` is a ratio, 1 for none; ``added`` the same in counts (or share of cases) with its interval.

    ``expected`` are the counts (or shares) of each hour of the window without the event, ``low`` and ``high`` their
    band. ``before`` is the swing of the window before the event; ``score`` says where the effect ranks among placebos:
    the share of them that strayed no less, from 0 to 1, None without placebos.
    """

    estimate: Estimate
    added: tuple[float, float, float]
    found: float
    foreseen: float
    expected: Values
    low: Values
    high: Values
    before: float
    rank: float | None


def study(measure: Measure, collected: Values, events: Sequence[Placed]) -> Study:
    """Fit the model and ask it of all stretches in which no event stands.

    Args:
        measure: hourly, shape (hours,).
        collected: share of each hour that was collected, 0 to 1.
        events: in any order; those outside of the series have no terms.
    """
    fitted = fit(measure, collected, [(event.at, event.hours) for event in events])
    widths = {event.hours for event in events}
    known = {hours: _swings(fitted, events, hours) for hours in widths}
    return Study(fitted, tuple(events), tuple(known[event.hours] for event in events))


def effect(told: Study, number: int) -> Effect:
    """What the event of that number changed in its window; for the caller to refuse before, where it is too little."""
    event, swings = told.events[number], told.swings[number]
    found, foreseen, before, expected = _around(told.fitted, event, number, len(told.events))
    quiet = swings.windows >= LEAST_WINDOWS
    middle = swings.shift + swings.slope * before if quiet else 0.0
    low, high = _placebo_range(swings) if quiet else _hac_range(told, event)
    log_ratio = _log_ratio(found, foreseen) - middle
    ends = (log_ratio, log_ratio - high, log_ratio - low)
    ratio = _corrected(told.fitted.measure, found, _cases(told.fitted, event), ends)
    shifted = expected * math.exp(middle)
    estimate = Estimate(*ratio, LEVEL, PLACEBO if quiet else HAC, round(_cases(told.fitted, event)))
    added = _added(told.fitted, event, found, foreseen, ratio, (middle, middle + high, middle + low))
    rank = float((np.abs(swings.rest) >= abs(log_ratio)).mean()) if quiet else None
    band = (shifted * math.exp(low), shifted * math.exp(high))
    return Effect(estimate, added, found, foreseen * math.exp(middle), shifted, *band, before, rank)


def _around(fitted: Regression, event: Placed, number: int | None, events: int) -> tuple[float, float, float, Values]:
    """Found and foreseen in the window, the swing of the window before it, and the rate expected without the event."""
    first, last = max(0, event.at - event.hours), event.at + event.hours
    bare = fitted.design[first:last].copy()
    if number is not None:
        column = bare.shape[1] - 2 * (events - number)
        bare[:, column : column + 2] = 0
    rate = fitted.expected_without(event.at, event.at + TAIL * event.hours, bare)
    seen, at = fitted.seen[first:last], max(0, event.at) - first
    mean = np.where(seen, rate * fitted.exposure[first:last], 0.0)
    counts = np.where(seen, fitted.measure.counts[first:last], 0.0)
    before = _log_ratio(counts[:at].sum(), mean[:at].sum())
    return float(counts[at:].sum()), float(mean[at:].sum()), before, rate[at:]


def _swings(fitted: Regression, events: Sequence[Placed], hours: int) -> Swings:
    quiet = np.ones(len(fitted.seen), bool)
    for event in events:
        quiet[max(0, event.at) : max(0, event.at + TAIL * event.hours)] = False
    places = _places(quiet, fitted.seen, hours)
    around = [_around(fitted, Placed(int(place), hours), None, len(events)) for place in places]
    after = np.array([_log_ratio(found, foreseen) for found, foreseen, _, _ in around])
    before = np.array([one[2] for one in around])
    windows = _covered(places, hours, fitted.seen) / hours
    if windows < LEAST_WINDOWS:
        return Swings(places.astype(float), before, after, 0.0, 0.0, after, windows)
    slope = float(np.clip(np.cov(before, after)[0, 1] / max(float(before.var(ddof=1)), 1e-9), 0, 1))
    slope *= windows / (windows + _SHRINK)
    shift = float(np.median(after - slope * before))
    return Swings(places.astype(float), before, after, slope, shift, after - slope * before - shift, windows)


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


def _placebo_range(swings: Swings) -> tuple[float, float]:
    """Between which the logarithm strays by itself in 95 %, the finite number of windows allowed for."""
    from scipy.special import stdtrit

    tail = (1 - LEVEL) / 2
    outer = max(0.0, tail * (1 + 1 / swings.windows) - 1 / swings.windows)
    low, high = (float(end) for end in np.quantile(swings.rest, [outer, 1 - outer]))
    if swings.windows >= ENOUGH_WINDOWS:
        return low, high
    free = swings.windows - 2
    spread = float(swings.rest.std()) * math.sqrt(swings.windows / free * (1 + 1 / swings.windows))
    half = float(stdtrit(free, 1 - tail)) * spread
    return min(low, -half), max(high, half)


def _hac_range(told: Study, event: Placed) -> tuple[float, float]:
    """The same from the residuals of all hours, where few are quiet; what there are of placebos may widen it."""
    from scipy.special import stdtrit

    fitted = told.fitted
    mean = fitted.rate * fitted.exposure
    residual = np.where(fitted.seen, fitted.measure.counts - mean, 0.0)
    lags = min(event.hours, len(residual) // 4)
    variance = float(residual @ residual)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(residual[lag:] @ residual[:-lag])
    seen = max(1, int(fitted.seen.sum()))
    typical = max(float(mean[fitted.seen].mean()), 1e-9) if fitted.seen.any() else 1.0
    relative = math.sqrt(max(variance, 0.0) / seen) / typical  # of an hour, in the long run
    inside = max(1, int(fitted.seen[event.window].sum()))
    outside = max(1, seen - TAIL * event.hours)
    error = relative * math.sqrt(1 / inside + 1 / outside)
    share = min(0.5, (lags + 1) / seen)
    critical = 1.96 + 2.9694 * share + 0.4160 * share**2 - 0.5324 * share**3
    half = critical * error * (_SHORT if fitted.seen[: event.at].sum() < _SHORT_HOURS else 1.0)
    swings = told.swings[told.events.index(event)]
    if swings.windows >= _FEWEST:
        half = max(half, float(stdtrit(swings.windows - 1, (1 + LEVEL) / 2)) * float(np.sqrt((swings.rest**2).mean())))
    return -half, half


def _corrected(
    measure: Measure, found: float, cases: float, ends: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Ratios; of shares those of the true ones: (q1 - f) / (q0 - f), where f of those without it are said to have it.

    What the classifier misses cancels in a ratio. The uncertainty of f (Jeffreys) adds to that of the logarithm.
    """
    ratios = (math.exp(ends[0]), math.exp(ends[1]), math.exp(ends[2]))
    if measure.wrong is None or measure.out_of is None or cases <= 0:
        return ratios
    from scipy.special import betaincinv

    wrong, of = measure.wrong
    share = found / cases

    def true_ratio(ratio: float, false: float) -> float:
        return max(share - false, 1e-4) / max(share / ratio - false, 1e-4)

    false = (wrong + _HALF) / (of + 1)
    few, many = (float(betaincinv(wrong + _HALF, of - wrong + _HALF, q)) for q in (0.025, 0.975))
    middle = math.log(true_ratio(ratios[0], false))
    doubt = max(abs(math.log(true_ratio(ratios[0], other)) - middle) for other in (few, many))
    down = middle - math.log(true_ratio(ratios[1], false))
    up = math.log(true_ratio(ratios[2], false)) - middle
    return math.exp(middle), math.exp(middle - math.hypot(down, doubt)), math.exp(middle + math.hypot(up, doubt))


def _added(
    fitted: Regression, event: Placed, found: float, foreseen: float, ratio: Sequence[float], ends: Sequence[float]
) -> tuple[float, float, float]:
    """Counts over what would have come; of a share, corrected where it is, the difference that its ratio makes."""
    measure = fitted.measure
    if measure.out_of is None:
        counts = [found - foreseen * math.exp(end) for end in ends]
        return counts[0], counts[1], counts[2]
    false = 0.0 if measure.wrong is None else (measure.wrong[0] + _HALF) / (measure.wrong[1] + 1)
    share = found / max(_cases(fitted, event), 1e-9)
    share = max(share - false, 0.0) / (1 - false)
    points = [share - share / max(one, 1e-9) for one in ratio]
    return points[0], points[1], points[2]


def _cases(fitted: Regression, event: Placed) -> float:
    part = event.window
    counted = fitted.measure.counts if fitted.measure.out_of is None else fitted.measure.out_of
    return float(counted[part][fitted.seen[part]].sum())


def _log_ratio(found: float, foreseen: float) -> float:
    return math.log((found + _HALF) / (foreseen + _HALF))
