"""What would have come without an event, point by point: each with a band of its own.

Few hours stray further than a whole window does, and further the longer ago it is that anything was known. So a point's
band comes from the points of placebo windows at the same distance from their start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.analyse.event_study import Effect, Study
from monitor.analyse.placebos import HALF, LEAST_WINDOWS, Placed, around, doubted, held, placebo_range, rule_of, swing
from monitor.analyse.regression import Values


@dataclass(frozen=True, slots=True)
class Points:
    """Counts, shape (points,): as they came, as expected without the event, and the band that holds 95 % without one.

    All are NaN in points that were not seen whole; the band is where there are too few placebo dates for one.
    """

    found: Values
    expected: Values
    low: Values
    high: Values


def counterfactual(told: Study, number: int, effect: Effect, hours: int) -> Points:
    """The window of an event that has an ``effect`` on counts, in points of so many hours; the rest is left out.

    What is expected adds up to what the effect says of the whole window.
    """
    fitted, event, swings = told.fitted, told.events[number], told.swings[number]
    before, _, rate = around(fitted, event, number, len(told.events))
    at, half = max(0, event.at), HALF * fitted.measure.weight(event.window)
    points = [slice(i, i + hours) for i in range(0, len(rate) - hours + 1, hours)]
    # A part of how points stray is that of their windows, a part their own: as many as lie between the numbers of both.
    like = swings.windows * math.sqrt(event.hours / hours)
    is_banded = swings.windows >= LEAST_WINDOWS
    strays, doubts = (
        _placebos(told, event, points) if is_banded else (np.zeros((0, len(points))), np.zeros(len(points)))
    )
    rows = np.full((4, len(points)), np.nan)
    for column, point in enumerate(points):
        if not fitted.seen[at:][point].all():
            continue
        own = held(fitted, at + point.start, rate[point])
        rows[:2, column] = own.found, (effect.expected[point] * fitted.exposure[at:][point]).sum()
        if is_banded:
            rule = rule_of(swings.before, strays[:, column], swings.windows)
            middle = rule.shift + rule.slope * before.swing
            ends = placebo_range(rule.rest(swings.before, strays[:, column]), like)
            ends = doubted(ends, own.doubt - doubts[column])
            rows[2:, column] = [(own.foreseen + half) * np.exp(middle + end) - half for end in ends]
    return Points(*np.maximum(rows, 0))


def _placebos(told: Study, event: Placed, points: Sequence[slice]) -> tuple[Values, Values]:
    """Swings of the points of placebo windows, shape (dates, points), and what of their variance comes of samples."""
    fitted, swings = told.fitted, told.swings[told.events.index(event)]
    places = [Placed(int(at), event.hours) for at in swings.at]
    rates = np.stack([around(fitted, place, None, len(told.events))[2] for place in places])
    hours = np.array([place.at for place in places])[:, None] + np.arange(event.hours)
    seen, weight = fitted.seen[hours], fitted.measure.weight(slice(None))
    unread = np.zeros(len(fitted.seen)) if fitted.measure.sampled is None else fitted.measure.sampled[0]
    each = (fitted.measure.counts[hours], rates * fitted.exposure[hours], unread[hours])
    found, foreseen, doubt = (
        np.stack([np.where(seen, one, 0.0)[:, point].sum(axis=1) for point in points], axis=1) for one in each
    )
    strays, doubts = swing(found, foreseen, doubt, weight)
    return np.asarray(strays), np.median(doubts, axis=0)
