"""The event study on histories with outcries of their own, outages, label error: effects of nothing, of something."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from monitor.analyse.event_study import LEAST_POSTS, effect, foreseen, study
from monitor.analyse.segments import Placed
from tests.validation.quiet import history

HISTORIES = ((30, 72), (90, 72), (180, 72), (540, 72), (90, 168))  # days, hours of the window
FACTORS = (1.0, 1.5, 2.0)
_RECALL, _FALSE = 0.9, 0.05  # of the classifier's relevance


@dataclass(frozen=True)
class Trial:
    days: int
    hours: int
    factor: float
    found: int  # 1 more, -1 fewer, 0 no clear change
    ratio: float
    seconds: float


def run(replicates: int = 200) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    jobs = [(*one, factor, seed) for one in HISTORIES for factor in FACTORS for seed in range(replicates)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        trials = [one for one in pool.map(_trial, *zip(*jobs, strict=True), chunksize=8) if one is not None]
    return [*_nothing(trials), *_something(trials), _runtime(trials)]


def _trial(days: int, hours: int, factor: float, seed: int) -> Trial | None:
    rng = np.random.default_rng([seed, days, hours])
    n = 24 * days
    at = int(rng.integers(n // 2, max(n // 2 + 1, n - 2 * hours)))
    times = np.ones(n)
    times[at : at + hours] = factor
    true = history(rng, n, times)
    posts = rng.binomial(true, _RECALL) + rng.poisson(_FALSE * true.mean(), n)
    collected = np.ones(n)
    for _ in range(rng.poisson(n / 300)):
        start = int(rng.integers(0, n))
        collected[start : start + int(rng.integers(1, 12))] = 0
    begun = time.process_time()
    fitted = study(np.where(collected > 0, posts, 0).astype(np.float64), collected, [Placed(at, hours)])
    if fitted.posts[at : at + hours].sum() + foreseen(fitted, 0) < LEAST_POSTS:
        return None  # the product refuses
    one = effect(fitted, 0).estimate
    seconds = time.process_time() - begun
    return Trial(days, hours, factor, int(one.low > 1) - int(one.high < 1), one.effect, seconds)


def _nothing(trials: list[Trial]) -> Iterator[tuple[str, str, str]]:
    for days, hours in (*HISTORIES, (0, 0)):
        these = [one for one in trials if one.factor == 1 and (not days or (one.days, one.hours) == (days, hours))]
        share = np.mean([one.found != 0 for one in these])
        bias = np.median([one.ratio for one in these])
        name = f"{days} days, windows of {hours // 24}" if days else "all"
        yield f"effect of nothing: {name}", f"{share:.1%} of {len(these)}; median ratio {bias:.2f}", "at most 6 %"


def _something(trials: list[Trial]) -> Iterator[tuple[str, str, str]]:
    for factor in FACTORS[1:]:
        for days, hours in HISTORIES:
            these = [one for one in trials if (one.days, one.hours, one.factor) == (days, hours, factor)]
            seen = np.mean([one.found == 1 for one in these])
            name = f"{factor:g} times as much that is new: seen, {days} days, windows of {hours // 24}"
            yield name, f"{seen:.0%} of {len(these)}; median ratio {np.median([one.ratio for one in these]):.1f}", ""


def _runtime(trials: list[Trial]) -> tuple[str, str, str]:
    longest = [one.seconds for one in trials if one.days == 540]
    return "18 months of hours, seconds of processor", f"{np.median(longest):.2f}", "under 2"
