"""What each detector makes of a history, and what it says of one bucket: pure numbers and their sentences."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from monitor.analyse import baseline as counting
from monitor.analyse import share_baseline as sharing
from monitor.analyse.baseline import WEEK, Baseline, Cells, Values
from monitor.analyse.share_baseline import ShareBaseline
from monitor.analyse.thresholds import Tail, count_rates, rate_at, share_rates, tail_of
from monitor.records import Estimate

TRUST_DAYS = 14  # collected, before a baseline can be trusted: every hour of the week twice
_LEAST_BUCKETS = 28  # of a share: as many as two weeks have half days
_WIDTHS = (1, 3, 6, 12, 24)  # hours over which a share is taken
_ENOUGH_POSTS = 30  # that half of the buckets of a share should hold
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Detector:
    """A fitted baseline and what is known of its errors; ``chances`` are those of its own history, NaN where masked."""

    baseline: Baseline | ShareBaseline
    rates: Values
    tail: Tail
    hours: int = 1
    chances: Values = field(default_factory=lambda: np.zeros(0))

    @property
    def tests_per_week(self) -> float:
        return WEEK / self.hours

    def weeks_between(self, cut: float) -> float:
        """How many weeks lie between two false alarms."""
        rate = rate_at(self.rates, cut) * self.tests_per_week
        return 1 / rate if rate > 1e-6 else float("inf")

    def fired(self, cut: float) -> int:
        """How many buckets of its own history would be alarms."""
        known = self.chances[~np.isnan(self.chances)]
        return int((self.tail.chance(known) <= cut).sum())


@dataclass(frozen=True, slots=True)
class Untrusted:
    """No baseline yet; ``why`` says what is missing and for how long."""

    why: str


def count_detector(counts: Values, cells: Cells, collected: Values, least: int) -> Detector | Untrusted:
    """Of counts per hour, shape (hours,); ``collected`` is 0 where an hour is masked.

    Args:
        least: a smaller count is never an alarm.
    """
    days = float(collected.sum()) / 24
    if days < TRUST_DAYS:
        return _too_short(days)
    return _of_counts(counts, cells, collected, least)


def sampled_detector(counts: Values, cells: Cells, collected: Values, least: int) -> Detector | Untrusted:
    """As ``count_detector``, of some hours drawn from a history that is long enough."""
    if (collected > 0).sum() < 4 * _LEAST_BUCKETS:
        return Untrusted(f"its baseline has {int((collected > 0).sum())} of {4 * _LEAST_BUCKETS} hours")
    return _of_counts(counts, cells, collected, least)


def _of_counts(counts: Values, cells: Cells, collected: Values, least: int) -> Detector:
    baseline, expected = counting.fitted(counts, cells, collected)
    chances = np.where(collected > 0, baseline.chance(counts, expected), np.nan)
    enough = np.where(counts < least, np.maximum(chances, 1.0), chances)  # fewer are never an alarm
    return Detector(baseline, count_rates(baseline, cells, collected, least), tail_of(chances), 1, enough)


def share_detector(counts: Values, n: Values, first: int, collected: Values, least: int) -> Detector | Untrusted:
    """Of ``counts`` among ``n`` posts per hour, over the narrowest buckets that usually hold enough.

    Args:
        first: number of the first hour since 1970: buckets keep to the clock.
        least: a bucket of fewer posts is never an alarm.
    """
    days = float(collected.sum()) / 24
    if days < TRUST_DAYS:
        return _too_short(days)
    known = np.where(collected > 0, 1, 0)
    for width in _WIDTHS:
        is_seen = bucketed(known, first, width) == width
        part, whole = bucketed(counts * known, first, width)[is_seen], bucketed(n * known, first, width)[is_seen]
        if np.median(whole[whole > 0] if (whole > 0).any() else whole) >= _ENOUGH_POSTS:
            break
    if (whole > 0).sum() < _LEAST_BUCKETS or (whole >= least).sum() == 0:
        return Untrusted(
            f"its baseline has {int((whole > 0).sum())} of {_LEAST_BUCKETS} buckets of {width} h with posts, "
            f"{int((whole >= least).sum())} of them with {least} or more"
        )
    baseline = sharing.fitted(part, whole)
    chances = np.where(whole >= least, baseline.chance(part, whole), np.nan)
    return Detector(baseline, share_rates(baseline, whole, least), tail_of(chances), width, chances)


def bucketed(values: Values, first: int, width: int) -> Values:
    """Sums over ``width`` hours on the clock's grid; whole buckets only."""
    skip = -first % width
    whole = (len(values) - skip) // width
    return np.asarray(values[skip : skip + whole * width].reshape(whole, width).sum(1))


def count_estimate(count: int, expected: float) -> Estimate:
    """How many times the usual it is; the exact interval of a Poisson mean (Garwood 1936) over the baseline."""
    from scipy.stats import chi2

    low = chi2.ppf((1 - _LEVEL) / 2, 2 * count) / 2 if count else 0.0
    high = chi2.ppf((1 + _LEVEL) / 2, 2 * count + 2) / 2
    base = max(expected, 1e-3)
    return Estimate(count / base, float(low) / base, float(high) / base, _LEVEL, "exact Poisson over baseline", count)


def share_estimate(count: int, n: int) -> Estimate:
    """A share with its exact interval (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    low = beta.ppf((1 - _LEVEL) / 2, count, n - count + 1) if count else 0.0
    high = beta.ppf((1 + _LEVEL) / 2, count + 1, n - count) if count < n else 1.0
    return Estimate(count / n, float(low), float(high), _LEVEL, "Clopper-Pearson", n)


def _too_short(days: float) -> Untrusted:
    return Untrusted(
        f"its baseline has {days:.1f} of {TRUST_DAYS} collected days; it can be trusted after "
        f"{TRUST_DAYS - days:.1f} more"
    )
