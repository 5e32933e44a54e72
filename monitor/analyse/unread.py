"""What reading a sample leaves unknown of hourly counts: how far they would differ, had other slices been drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Units:
    """What was drawn: slices in which posts were read, or single posts. Arrays have one entry for each, shape (units,).

    ``hour`` is the one it lies in; a slice that lies in two has an entry for each, with the same ``unit``, which are
    numbered from 0. ``weight`` is 1 over its chance to be drawn. ``stratum`` numbers the strata from 0, ``drawn`` is
    how many units were drawn of it, empty ones too; 0 where a post was drawn for itself.
    """

    hour: Numbers
    unit: Numbers
    stratum: Numbers
    drawn: Numbers
    weight: Values


def noise(units: Units, counts: Values, cases: Values, hours: int) -> Values:
    """Variances of the weighted counts and cases of each hour and, between them, the covariance, shape (3, hours).

    A stratum's variance is that of its units' totals (Cochran 1977, 11.3), each unit's part put into its own hour: the
    parts add up to it, though one alone may be negative.

    Args:
        counts: what was read in each unit, shape (units,), not weighted.
        cases: of how many, shape (units,).
    """
    own, of = counts * units.weight, cases * units.weight
    parts = [_part(units, one, other) for one, other in ((own, own), (own, of), (of, of))]
    return np.stack([np.bincount(units.hour, part, hours) for part in parts])


def _part(units: Units, one: Values, other: Values) -> Values:
    drawn = np.maximum(units.drawn, 2)
    of_unit, of_stratum = (
        [np.bincount(by, total)[by] for total in (one, other)] for by in (units.unit, units.stratum)
    )  # fmt: skip
    squares, means = ((one * whole[1] + other * whole[0]) / 2 for whole in (of_unit, of_stratum))
    around_mean = (squares - means / drawn) * drawn / (drawn - 1)
    return np.asarray((1 - 1 / units.weight) * np.where(units.drawn > 1, around_mean, squares))
