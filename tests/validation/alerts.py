"""Alerts on quiet histories: how often they fire for nothing against the stated rate, and what outbreaks they see.

Histories come from the families that the baselines assume and from two that they do not: counts whose level wanders,
and counts that beget counts. A detector is fitted to eight weeks and then judges hours that it never saw. Several
topics with all their detectors together are ``topics``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.baseline import WEEK
from monitor.analyse.detectors import Untrusted, count_detector, share_detector
from monitor.analyse.thresholds import cut
from tests.validation import topics

Values = NDArray[np.float64]
Truth = Callable[[np.random.Generator, int], tuple[Values, Values | None]]  # counts, and of how many where a share

LEARNED, JUDGED = 8 * WEEK, 26 * WEEK  # hours
WEEKS = (1.0, 20.0)  # between two stated false alarms
LEAST = 5
OUTBREAKS = (2.0, 4.0)


def _rate(rng: np.random.Generator, hours: int) -> Values:
    at = np.arange(hours)
    daily = np.exp(rng.uniform(0.2, 0.8) * np.sin(2 * np.pi * (at - rng.uniform(0, 24)) / 24))
    return np.asarray(rng.uniform(1, 20) * daily * np.where(at // 24 % 7 >= 5, rng.uniform(0.6, 1.2), 1.0))


def poisson(rng: np.random.Generator, hours: int) -> tuple[Values, None]:
    return rng.poisson(_rate(rng, hours)).astype(float), None


def negative_binomial(rng: np.random.Generator, hours: int) -> tuple[Values, None]:
    size = rng.uniform(2, 20)
    return rng.poisson(rng.gamma(size, _rate(rng, hours) / size)).astype(float), None


def wandering(rng: np.random.Generator, hours: int) -> tuple[Values, None]:
    """The level moves by some 10 % a week."""
    level = np.cumsum(0.1 / np.sqrt(WEEK) * rng.standard_normal(hours))
    size = rng.uniform(5, 20)
    rate = _rate(rng, hours) * np.exp(level - level.mean())
    return rng.poisson(rng.gamma(size, rate / size)).astype(float), None


def answered(rng: np.random.Generator, hours: int) -> tuple[Values, None]:
    """Each post begets others in the hours after it, 0.3 on average."""
    rate, found = _rate(rng, hours) * 0.7, np.zeros(hours)
    kernel = 0.3 * np.exp(-np.arange(1, 13) / 3)
    kernel *= 0.3 / kernel.sum()
    for hour in range(hours):
        found[hour] = rng.poisson(rate[hour])
        rate[hour + 1 : hour + 13] += found[hour] * kernel[: len(rate[hour + 1 : hour + 13])]
    return found, None


def share(rng: np.random.Generator, hours: int) -> tuple[Values, Values]:
    """Posts of a kind among all posts, whose share differs from hour to hour as a beta does."""
    posts, _ = negative_binomial(rng, hours)
    mean, size = rng.uniform(0.05, 0.4), rng.uniform(20, 200)
    part = rng.binomial(posts.astype(int), rng.beta(mean * size, (1 - mean) * size, hours))
    return part.astype(float), posts


TRUTHS: dict[str, Truth] = {
    "Poisson": poisson,
    "negative binomial": negative_binomial,
    "level that wanders": wandering,
    "posts that beget posts": answered,
    "share": share,
}
RELEARNED = ("level that wanders",)  # every day, as monitor run does
FEWER = 8  # times as few of these, and half as long


@dataclass(frozen=True)
class Trial:
    """``fired`` at each of ``WEEKS``, in so many ``weeks``; ``seen`` is the share of hours of outbreaks."""

    fired: Values
    weeks: float
    seen: Values


def run(replicates: int = 200) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    jobs = [
        (name, seed) for name in TRUTHS for seed in range(-(-replicates // FEWER) if name in RELEARNED else replicates)
    ]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        trials = list(pool.map(_trial, *zip(*jobs, strict=True), chunksize=4))
        told = {name: [one for (of, _), one in zip(jobs, trials, strict=True) if of == name] for name in TRUTHS}
        return [*(row for name, found in told.items() for row in _rows(name, found)), *topics.rows(pool, replicates)]


def _trial(name: str, seed: int) -> Trial:
    rng = np.random.default_rng([seed, len(name)])
    judged, step = (JUDGED // 2, 24) if name in RELEARNED else (JUDGED, JUDGED)
    counts, n = TRUTHS[name](rng, LEARNED + judged)
    blocks = [_block(rng, counts, n, start, step) for start in range(LEARNED, LEARNED + judged, step)]
    known = [one for one in blocks if one is not None]
    fired, seen = (np.sum([one[part] for one in known], axis=0) for part in (0, 1))
    return Trial(fired, len(known) * step / WEEK, seen / max(1, len(known)))


def _block(
    rng: np.random.Generator, counts: Values, n: Values | None, start: int, hours: int
) -> tuple[Values, Values] | None:
    """Alarms at each of ``WEEKS`` and the share of outbreaks of each size that is seen, after ``start``."""
    past, new = slice(start - LEARNED, start), slice(start, start + hours)
    collected = np.ones(LEARNED)
    for _ in range(3):
        first = int(rng.integers(0, LEARNED))
        collected[first : first + 8] = 0
    cells = np.arange(len(counts)) % WEEK
    if n is None:
        one = count_detector(counts[past] * (collected > 0), cells[past], collected, LEAST)
    else:
        one = share_detector(counts[past], n[past], 0, collected, LEAST)
    if isinstance(one, Untrusted):
        return None
    cuts = np.array([cut([(one.rates, one.tests_per_week)], 1 / weeks) for weeks in WEEKS])
    if n is None:
        size, found = one.baseline.expected(cells[new], np.ones(hours)), counts[new]  # type: ignore[union-attr]
        more = [found + rng.poisson(found.mean() * (times - 1), hours) for times in OUTBREAKS]
        is_known = np.ones(hours, bool)
    else:
        size, found = (values[new].reshape(-1, one.hours).sum(1) for values in (n, counts))
        more = [rng.binomial(size.astype(int), min(1.0, times * found.sum() / size.sum())) for times in OUTBREAKS]
        is_known = size >= LEAST

    def fired(these: Values) -> Values:
        chances = one.tail.chance(one.baseline.chance(these, size))  # type: ignore[union-attr]
        return np.asarray((chances <= cuts[:, None]) & is_known & ((these >= LEAST) | (n is not None)))

    return fired(found).sum(axis=1), np.array([fired(these)[0].mean() for these in more])


def _rows(name: str, trials: list[Trial]) -> Iterator[tuple[str, str, str]]:
    weeks = sum(one.weeks for one in trials)
    for place, between in enumerate(WEEKS):
        fired, stated = np.array([one.fired[place] for one in trials]), weeks / between
        error = 1.96 * fired.std(ddof=1) * np.sqrt(len(trials)) / stated
        text = f"{fired.sum() / stated:.2f} of the stated rate (± {error:.2f}; {weeks:,.0f} weeks)"
        yield f"false alarms at one in {between:g} weeks, {name}", text, "0.8 to 1.2"
    seen = np.mean([one.seen for one in trials], axis=0)
    for times, share in zip(OUTBREAKS, seen, strict=True):
        yield f"{times:g} times the usual is seen, {name}", f"{share:.0%} of hours", ""
