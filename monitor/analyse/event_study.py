"""What did events change? One segmented regression of hourly counts with all events in it, judged by quiet windows.

The effect of an event is what its window held over what the ``regression`` expects there without it, the window itself
left out of the fit. Posts beget posts: hours are no independent draws, and no formula knows how far a window strays by
itself. Therefore the same is asked of every stretch without an event: what it held over what was expected, corrected by
what the stretch before it held. Those placebos are the distribution of no effect, and their quantiles the interval: a
conformal one, exact where the time of the event is exchangeable with theirs (Chernozhukov, Wuethrich and Zhu 2021).
Where they are too few for a quantile, Student's t or the furthest of them, whichever is wider; where there are nearly
none, Newey and West's (1987) error with the fixed-b critical values of Kiefer and Vogelsang (2005). Where the window
was read as a sample and the placebos were not, or less so, what the sample may be off by is added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.analyse.placebos import (
    HALF,
    LEAST_WINDOWS,
    LEVEL,
    Held,
    Placed,
    Swings,
    around,
    doubted,
    placebo_range,
    swings_of,
)
from monitor.analyse.regression import TAIL, Measure, Regression, Values, fit
from monitor.records import Estimate

PLACEBO = "segmented regression, interval from placebo dates"
HAC = "segmented regression, Newey-West interval"
_CONTROLLED = " and a control"
_SHORT_HOURS, _SHORT = 240, 1.5  # after so little, simulated effects of nothing are seen too often without the factor
_FEWEST = 2.0


@dataclass(frozen=True, slots=True)
class Study:
    """One measure's regression with all events, and how windows differ without any."""

    fitted: Regression
    events: tuple[Placed, ...]
    swings: tuple[Swings, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """``estimate`` is a ratio, 1 for none; ``added`` the same in counts (or share of cases) with its interval.

    ``found`` and ``foreseen`` are of ``cases`` where it is a share; all three count a post of a sample as many, and
    ``weight`` is as how many on average. ``expected`` are the counts (or shares) of each hour of the window without the
    event. ``before`` is the swing of the window before the event; ``rank`` is the share of placebos that strayed no
    less, 0 to 1, None without placebos.
    """

    estimate: Estimate
    added: tuple[float, float, float]
    found: float
    foreseen: float
    cases: float
    weight: float
    expected: Values
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
    known = {hours: swings_of(fitted, events, hours) for hours in widths}
    return Study(fitted, tuple(events), tuple(known[event.hours] for event in events))


def effect(told: Study, number: int) -> Effect:
    """What the event of that number changed in its window; for the caller to refuse before, where it is too little."""
    event, swings, measure = told.events[number], told.swings[number], told.fitted.measure
    before, after, expected = around(told.fitted, event, number, len(told.events))
    quiet = swings.windows >= LEAST_WINDOWS
    middle = swings.rule.shift + swings.rule.slope * before.swing if quiet else 0.0
    strays = placebo_range(swings.rest, swings.windows) if quiet else _hac_range(told, event)
    low, high = doubted(strays, after.doubt + swings.rule.slope**2 * before.doubt - swings.doubt)
    log_ratio = after.swing - middle
    ends = (log_ratio, log_ratio - high, log_ratio - low)
    part = event.window
    cases, n = (float(each[part][told.fitted.seen[part]].sum()) for each in (measure.cases, measure.read_cases))
    ratio = _corrected(measure, after.found, cases, ends)
    method = (PLACEBO if quiet else HAC) + ("" if measure.control is None else _CONTROLLED)
    estimate = Estimate(*ratio, LEVEL, method, round(n))
    added = _added(measure, after, cases, ratio, (middle, middle + high, middle + low))
    rank = float((np.abs(swings.rest) >= abs(log_ratio)).mean()) if quiet else None
    shift = math.exp(middle)
    weight = measure.weight(part)
    return Effect(
        estimate, added, after.found, after.foreseen * shift, cases, weight, expected * shift, before.swing, rank
    )


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

    false = (wrong + HALF) / (of + 1)
    few, many = (float(betaincinv(wrong + HALF, of - wrong + HALF, q)) for q in (0.025, 0.975))
    middle = math.log(true_ratio(ratios[0], false))
    doubt = max(abs(math.log(true_ratio(ratios[0], other)) - middle) for other in (few, many))
    down = middle - math.log(true_ratio(ratios[1], false))
    up = math.log(true_ratio(ratios[2], false)) - middle
    return math.exp(middle), math.exp(middle - math.hypot(down, doubt)), math.exp(middle + math.hypot(up, doubt))


def _added(
    measure: Measure, after: Held, cases: float, ratio: Sequence[float], ends: Sequence[float]
) -> tuple[float, float, float]:
    """Counts over what would have come; of a share, corrected where it is, the difference that its ratio makes."""
    if measure.out_of is None:
        counts = [after.found - after.foreseen * math.exp(end) for end in ends]
        return counts[0], counts[1], counts[2]
    false = 0.0 if measure.wrong is None else (measure.wrong[0] + HALF) / (measure.wrong[1] + 1)
    share = after.found / max(cases, 1e-9)
    share = max(share - false, 0.0) / (1 - false)
    points = [share - share / max(one, 1e-9) for one in ratio]
    return points[0], points[1], points[2]
