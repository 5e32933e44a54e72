"""Event effects on histories in which nothing happened but outcries by themselves, and on the same with one planted.

What came without the event is known hour by hour, so the true effect of a window is what came over what would have
come. Levels drift, outcries come of themselves about every two months, outages leave hours out, labels err.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.checks import FATAL, covered, pre_trend, side
from monitor.analyse.event_study import Placed, effect, study
from monitor.analyse.findings import refusal
from monitor.analyse.regression import Measure
from tests.validation.cascades import hawkes

Values = NDArray[np.float64]

HISTORIES = ((15, 72), (30, 72), (90, 72), (200, 72), (540, 72), (90, 168))  # days, hours of the window
SHAPES = ("decay", "step", "rise")
SENSITIVITY, FALSE, HELD_OUT = 0.8, 0.05, 400


@dataclass(frozen=True)
class Trial:
    """``side`` is what is found, None where refused or doubted by a check; ``true`` the effect that was planted."""

    days: int
    window: int
    factor: float
    side: int | None
    low: float
    high: float
    ratio: float
    true: float
    share: tuple[float, float, float] | None
    seconds: float


def run(replicates: int = 200, histories: tuple[tuple[int, int], ...] = HISTORIES) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    jobs = [
        (days, window, factor, seed) for days, window in histories for factor in (1, 2, 4) for seed in range(replicates)
    ]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        trials = list(pool.map(_trial, *zip(*jobs, strict=True), chunksize=4))
    return [row for days, window in histories for row in _rows(trials, days, window)]


def history(rng: np.random.Generator, hours: int, drift: float = 0.15) -> Values:
    """Hourly counts, self-exciting, whose level wanders by ``drift`` a week on the logarithm."""
    kernel = np.zeros(hours)
    memory = (1 + np.arange(1, 24 * 21) / rng.uniform(0.5, 3)) ** -(1 + rng.uniform(0.3, 0.9))
    kernel[: min(hours, len(memory))] = memory[:hours]
    shocks = np.full(hours, rng.uniform(0.1, 3.0))
    for _ in range(rng.poisson(hours / 1440)):
        since = np.arange(hours) - int(rng.integers(0, hours))
        shocks += np.where(since >= 0, rng.uniform(0.5, 10) * np.exp(-np.maximum(since, 0) / rng.uniform(3, 20)), 0)
    level = np.cumsum(drift * rng.standard_normal(hours // 168 + 3))
    shocks *= np.exp(np.interp(np.arange(hours) / 168, np.arange(len(level)), level - level.mean()))
    return hawkes(rng, hours, kernel, rng.uniform(0.2, 0.7), shocks, rng.uniform(0, 2), lambda _: 1.0).astype(float)


def _planted(shape: str, factor: float, hours: int, at: int, window: int) -> Values:
    """By what each hour is multiplied; about ``factor`` over the window, gone four windows later."""
    since = (np.arange(hours) - at) / window
    forms = {
        "decay": np.exp(-since) * 1.582,
        "step": np.where(since < 1, 1.0, np.clip((4 - since) / 3, 0, 1)),
        "rise": np.where(since < 1, 2 * since, np.clip((4 - since) / 1.5, 0, 2)),
    }
    return 1 + (factor - 1) * np.where(since >= 0, forms[shape], 0.0)


def _trial(days: int, window: int, factor: float, seed: int) -> Trial:
    rng, hours = np.random.default_rng([seed, days, window]), 24 * days
    at = int(rng.integers(hours // 2, max(hours // 2 + 1, hours - 2 * window)))
    without = history(rng, hours)
    posts = without + rng.poisson(without * (_planted(SHAPES[seed % 3], factor, hours, at, window) - 1))
    collected = np.ones(hours)
    for _ in range(rng.poisson(hours / 300)):
        first = int(rng.integers(0, hours))
        collected[first : first + int(rng.integers(1, 12))] = 0
    begun, event = time.process_time(), Placed(at, window)
    told = study(Measure("posts", np.where(collected > 0, posts, 0)), collected, [event])
    found = effect(told, 0)
    seconds = time.process_time() - begun
    made = (pre_trend(told, 0, found), covered(collected, event))
    doubted = refusal(told, 0, found) or any(one.passed is False and one.name in FATAL for one in made)
    seen = collected[event.window] > 0
    true = posts[event.window][seen].sum() / max(without[event.window][seen].sum(), 0.5)
    estimate = found.estimate
    share = _share(rng, posts, collected, event, factor)
    known = None if doubted else side(estimate)
    return Trial(days, window, factor, known, estimate.low, estimate.high, estimate.effect, true, share, seconds)


def _share(
    rng: np.random.Generator, posts: Values, collected: Values, event: Placed, factor: float
) -> tuple[float, float, float] | None:
    """Low and high of a share that goes from 20 % up by ``factor`` / 2 (1 stays), as labelled; and the true ratio."""
    share = np.full(len(posts), 0.2) * np.exp(0.1 * np.sin(np.arange(len(posts)) / 500))
    share[event.window] *= max(1.0, factor / 2)
    true = rng.binomial(posts.astype(int), share)
    labelled = rng.binomial(true, SENSITIVITY) + rng.binomial(posts.astype(int) - true, FALSE)
    wrong = (float(rng.binomial(HELD_OUT, FALSE)), float(HELD_OUT))
    told = study(Measure("share", labelled.astype(float), posts, wrong=wrong), collected, [event])
    found = effect(told, 0)
    if refusal(told, 0, found) is not None:
        return None
    return found.estimate.low, found.estimate.high, max(1.0, factor / 2)


def _rows(trials: list[Trial], days: int, window: int) -> Iterator[tuple[str, str, str]]:
    here = [one for one in trials if (one.days, one.window) == (days, window)]
    where = f"{days} days, window of {window} h"
    none = [one for one in here if one.factor == 1]
    told = [one.side for one in none if one.side is not None]
    wrong = sum(map(abs, told))
    row = f"{wrong / max(1, len(told)):.1%} of {len(told)} judged ({len(none) - len(told)} not judged)"
    yield f"effect of no event, {where}", row, "at most 6 %"
    sound = [one for one in here if one.side is not None]
    inside = np.mean([one.low <= one.true <= one.high for one in sound])
    yield f"interval holds the true ratio, {where}", f"{inside:.1%} of {len(sound)}", "93 to 97 %"
    bias = np.median([np.log(one.ratio / one.true) for one in sound if one.true > 0])
    yield f"median error of the logarithm, {where}", f"{bias:+.3f}", ""
    for factor in (2, 4):
        these = [one for one in here if one.factor == factor]
        seen = np.mean([one.side == 1 for one in these])
        yield f"{factor} times as many posts is seen, {where}", f"{seen:.0%} of {len(these)}", ""
    shares = [one.share for one in here if one.share is not None]
    held = np.mean([low <= true <= high for low, high, true in shares])
    yield f"interval holds the true share's ratio, labels that err, {where}", f"{held:.1%} of {len(shares)}", ""
    yield f"seconds of processor, {where}", f"{np.median([one.seconds for one in here]):.2f}", ""
