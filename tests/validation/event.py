"""Event effects on histories in which nothing happened but outcries by themselves, and on the same with one planted.

What came without the event is known hour by hour, so the true effect of a window is what came over what would have
come. Levels drift, outcries come of themselves about every two months, outages leave hours out, labels err. Of sampled
histories only slices were read, of all the time or from a week before the event on or up to it; backfilled ones were
searched for up to some day, when a part of the posts was gone already. News moves the posts on every topic.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.checks import FATAL, covered, placebo_dates, pre_trend, side
from monitor.analyse.control import Control, term
from monitor.analyse.counterfactual import counterfactual
from monitor.analyse.event_study import Study, effect, study
from monitor.analyse.findings import refusal
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure
from monitor.analyse.survivors import alike, collected_alike
from monitor.impact import POINT_HOURS
from tests.validation.histories import SHAPES, history, news, outages, planted, read

Values = NDArray[np.float64]

# How it was collected, days, hours of the window.
HISTORIES = (
    ("whole", 15, 72),
    ("whole", 30, 72),
    ("whole", 90, 72),
    ("whole", 200, 72),
    ("whole", 540, 72),
    ("whole", 90, 168),
    ("sampled", 90, 72),
    ("sampled since", 90, 72),
    ("sampled before", 90, 72),
    ("backfilled", 90, 72),
    ("news", 90, 72),
    ("news, control", 90, 72),
)
SENSITIVITY, FALSE, HELD_OUT = 0.8, 0.05, 400


@dataclass(frozen=True)
class Trial:
    """``side`` is what is found, None where refused or doubted by a check; ``true`` the effect that was planted.

    ``held`` says of each point of the chart whether its band holds what came without the event. ``placebos`` is what
    the check of placebo dates says.
    """

    case: tuple[str, int, int]
    factor: float
    side: int | None
    low: float
    high: float
    ratio: float
    true: float
    share: tuple[float, float, float] | None
    held: tuple[bool, ...]
    placebos: bool | None
    seconds: float


def run(
    replicates: int = 200, histories: Sequence[tuple[str, int, int]] = HISTORIES
) -> list[tuple[str, str, str]]:  # fmt: skip
    """Rows of (what, measured, wanted)."""
    jobs = [(case, factor, seed) for case in histories for factor in (1, 2, 4) for seed in range(replicates)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        trials = list(pool.map(_trial, *zip(*jobs, strict=True), chunksize=4))
    return [row for case in histories for row in _rows([one for one in trials if one.case == case], case)]


def _trial(case: tuple[str, int, int], factor: float, seed: int) -> Trial:
    how, days, window = case
    rng, hours = np.random.default_rng([seed, days, window, *how.split(",")[0].encode()]), 24 * days
    at = int(rng.integers(hours // 2, max(hours // 2 + 1, hours - 2 * window)))
    moved = news(rng, hours) if how.startswith("news") else np.ones(hours)
    without = history(rng, hours, besides=moved)
    posts = without + rng.poisson(without * (planted(SHAPES[seed % 3], factor, hours, at, window) - 1))
    collected, event = outages(rng, hours), Placed(at, window)
    labelled = _labelled(rng, posts, event, factor)
    wrong = (float(rng.binomial(HELD_OUT, FALSE)), float(HELD_OUT))
    live, left = np.ones(hours), np.ones(hours)
    if how == "backfilled":
        live[: int(rng.integers(hours // 8, at + window))] = 0
        left = np.where(live > 0, 1.0, rng.uniform(0.5, 0.95))
    kept = rng.binomial(posts.astype(int), left).astype(float) * (collected > 0)
    labelled = rng.binomial(labelled.astype(int), left).clip(max=kept).astype(float)
    control = term(Control("", history(rng, hours, besides=moved), collected)) if how.endswith("control") else None
    measures = (Measure("posts", kept, control=control), Measure("share", labelled, kept, wrong=wrong))
    if how.startswith("sampled"):
        some = slice(at - 168 if how == "sampled since" else 0, at if how == "sampled before" else hours)
        measures = read(rng, kept, labelled, some, wrong)
    begun = time.process_time()
    hours_alike = alike(collected, live, event)
    told = study(measures[0], hours_alike.collected, [event])
    found = effect(told, 0)
    seconds = time.process_time() - begun
    made = (
        pre_trend(told, 0, found),
        covered(collected, event),
        collected_alike(hours_alike, np.where(live > 0, 0, kept), kept, event),
    )
    doubted = refusal(told, 0, found) or any(one.passed is False and one.name in FATAL for one in made)
    seen = hours_alike.collected[event.window] > 0
    true = posts[event.window][seen].sum() / max(without[event.window][seen].sum(), 0.5)
    estimate = found.estimate
    points = counterfactual(told, 0, found, POINT_HOURS)
    came = (without * left)[event.window].reshape(-1, POINT_HOURS).sum(axis=1)
    if how.startswith("sampled"):  # its band is one of sampled points, and how those would be without the event is
        came = points.found if factor == 1 else np.full(len(came), np.nan)  # known where there is none
    banded = ~np.isnan(points.low) & ~np.isnan(came)
    held = tuple(((points.low <= came) & (came <= points.high))[banded].tolist())
    share = study(measures[1], hours_alike.collected, [event])
    return Trial(
        case,
        factor,
        None if doubted else side(estimate),
        estimate.low,
        estimate.high,
        estimate.effect,
        true,
        None if doubted and how == "backfilled" else _share(share, factor),
        () if doubted else held,
        placebo_dates(told, 0, found).passed,
        seconds,
    )


def _labelled(rng: np.random.Generator, posts: Values, event: Placed, factor: float) -> Values:
    """Posts labelled as of a kind whose share goes from 20 % up by ``factor`` / 2 (1 stays)."""
    share = np.full(len(posts), 0.2) * np.exp(0.1 * np.sin(np.arange(len(posts)) / 500))
    share[event.window] *= max(1.0, factor / 2)
    true = rng.binomial(posts.astype(int), share)
    return np.asarray(rng.binomial(true, SENSITIVITY) + rng.binomial(posts.astype(int) - true, FALSE), np.float64)


def _share(told: Study, factor: float) -> tuple[float, float, float] | None:
    """Low and high of the share's ratio, and the true one."""
    found = effect(told, 0)
    if refusal(told, 0, found) is not None:
        return None
    return found.estimate.low, found.estimate.high, max(1.0, factor / 2)


def _rows(here: list[Trial], case: tuple[str, int, int]) -> Iterator[tuple[str, str, str]]:
    how, days, window = case
    where = f"{how}, {days} days, window of {window} h"
    none = [one for one in here if one.factor == 1]
    told = [one.side for one in none if one.side is not None]
    wrong = sum(map(abs, told))
    row = f"{wrong / max(1, len(told)):.1%} of {len(told)} judged ({len(none) - len(told)} not judged)"
    yield f"effect of no event, {where}", row, "at most 6 %"
    sound = [one for one in here if one.side is not None]
    inside = np.mean([one.low <= one.true <= one.high for one in sound])
    yield f"interval holds the true ratio, {where}", f"{inside:.1%} of {len(sound)}", "93 to 97 %"
    yield (
        f"median width of the interval, high over low, {where}",
        f"{np.median([w.high / w.low for w in sound]):.2f}",
        "",
    )
    bias = np.median([np.log(one.ratio / one.true) for one in sound if one.true > 0])
    yield f"median error of the logarithm, {where}", f"{bias:+.3f}", ""
    for factor in (2, 4):
        these = [one for one in here if one.factor == factor]
        seen = np.mean([one.side == 1 for one in these])
        yield f"{factor} times as many posts is seen, {where}", f"{seen:.0%} of {len(these)}", ""
    shares = [one.share for one in here if one.share is not None]
    held = np.mean([low <= true <= high for low, high, true in shares])
    yield f"interval holds the true share's ratio, labels that err, {where}", f"{held:.1%} of {len(shares)}", ""
    points = [point for one in here for point in one.held]
    row = f"{np.mean(points):.1%} of {len(points):,}" if points else "no band"
    yield f"band of the chart holds what came without it, {where}", row, "93 to 97 %"
    failed = [one.placebos is False for one in here if one.placebos is not None]
    row = f"{np.mean(failed):.1%} of {len(failed)}" if failed else "too little time for it"
    yield f"placebo dates doubt the interval, {where}", row, ""
    yield f"seconds of processor, {where}", f"{np.median([one.seconds for one in here]):.2f}", ""
