"""Verdicts on responses that did nothing, and on some that did, over five shapes of outcry; and a peer on the same.

The peer is what is usually done: CausalImpact (Brodersen et al. 2015; its port `bsts-causalimpact`) with the three days
before the response as the pre-period.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.analyse.response import History, response
from tests.validation.cascades import SHAPES, Cascade, Effect, cascade

START = datetime(2026, 1, 1, tzinfo=UTC)
AFTER_HOURS, LEAST_HOURS, MOST_HOURS, PEER_DAYS = 100, 24, 120, 3


@dataclass(frozen=True)
class Trial:
    """``found`` is -1 where the response is said to have quelled, 1 where fed, 0 neither; None where refused."""

    shape: str
    factor: float
    found: int | None
    peer: bool | None
    seconds: float
    shares: tuple[int | None, ...]


def run(replicates: int = 200) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    trials = list(_trials(replicates))
    return [*_nothing(trials), *_power(trials), _runtime(trials)]


def _trials(replicates: int) -> Iterator[Trial]:
    jobs = [(shape, factor, seed) for shape in SHAPES for factor in (1.0, 0.5, 0.25) for seed in range(replicates)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(_trial, *zip(*jobs, strict=True), chunksize=4)


def _effect(factor: float, at: int) -> Effect:
    return lambda hour: factor if hour >= at else 1.0


def _trial(shape: str, factor: float, seed: int) -> Trial:
    rng = np.random.default_rng([seed, 20])
    at = int(rng.integers(LEAST_HOURS, MOST_HOURS))
    made = cascade(shape, rng, at + AFTER_HOURS, _effect(factor, at), outages=seed % 3)
    place = made.begun + at
    parts = {"concern": rng.binomial(made.posts, _share(len(made.posts), made.begun)).astype(np.float64)}
    history = History(START, made.posts.astype(np.float64), made.collected, parts)
    begun = time.process_time()
    answer = response(history, START + timedelta(hours=place))
    seconds = time.process_time() - begun
    volume = answer.outcomes[0]
    found = None
    if volume.estimate and not any(check.passed is False for check in volume.diagnostics):
        found = int(volume.estimate.low > 1) - int(volume.estimate.high < 1)
    shares = tuple(
        None if not one.estimate else int(one.estimate.low > 0) - int(one.estimate.high < 0)
        for one in answer.outcomes[3:]
    )
    return Trial(shape, factor, found, _peer(made, place) if factor == 1 else None, seconds, shares)


def _share(hours: int, begun: int) -> np.ndarray:
    """Anger fades as the outcry does: from 60 % towards 35 %."""
    since = np.maximum(np.arange(hours) - begun, 0)
    return np.asarray(0.35 + 0.25 / (1 + since / 24))


def _peer(made: Cascade, at: int) -> bool | None:
    """Whether CausalImpact credits the response with an effect; None where it is not installed."""
    try:
        from causal_impact import CausalImpact
    except ModuleNotFoundError:
        return None
    import pandas as pd

    first = at - PEER_DAYS * 24
    counts = pd.DataFrame({"posts": made.posts[first : at + 72].astype(float)})
    counts.loc[made.collected[first : at + 72] == 0, "posts"] = np.nan
    counts = counts.interpolate(limit_direction="both")
    told = CausalImpact(counts, [0, at - first - 1], [at - first, len(counts) - 1], model_args={"seed": 1})
    return bool(told.summary_stats["p_value"] < 0.05)


def _nothing(trials: list[Trial]) -> Iterator[tuple[str, str, str]]:
    for shape in [*SHAPES, "all"]:
        these = [one for one in trials if one.factor == 1 and shape in (one.shape, "all")]
        told = [one.found for one in these if one.found is not None]
        credited, peer = sum(map(abs, told)), [one.peer for one in these if one.peer is not None]
        row = f"{credited / len(these):.1%} of {len(these)}; {credited / max(1, len(told)):.1%} of {len(told)} judged"
        other = f"; peer {np.mean(peer):.0%}" if peer else "; peer: pip install bsts-causalimpact"
        yield f"effect of nothing, {shape}", row + other, "at most 6 %"
    shares = [found for one in trials if one.factor == 1 for found in one.shares if found is not None]
    yield "effect of nothing on a share", f"{np.mean(np.abs(shares)):.1%} of {len(shares)}", "at most 6 %"


def _power(trials: list[Trial]) -> Iterator[tuple[str, str, str]]:
    for factor in (0.5, 0.25):
        these = [one for one in trials if one.factor == factor]
        quelled = sum(one.found == -1 for one in these)
        refused = sum(one.found is None for one in these)
        yield (
            f"response that lets {factor:.0%} through is seen to quell",
            f"{quelled / len(these):.0%} of {len(these)} ({refused / len(these):.0%} refused)",
            "",
        )


def _runtime(trials: list[Trial]) -> tuple[str, str, str]:
    return "seconds of processor a verdict", f"{np.median([one.seconds for one in trials]):.2f}", ""
