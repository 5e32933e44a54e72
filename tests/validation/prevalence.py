"""Corrected shares against planted ones: bias and coverage of raw labels, PACC and PPI++."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.powered import chance_weights, powered
from monitor.analyse.prevalence import Scored, adjusted
from monitor.classify.sample import inclusion
from monitor.records import Confusion, Estimate

SHARES = (0.005, 0.02, 0.1, 0.4)
POSTS, HELD_OUT, LABELLED = 5000, 400, 200
SEED = 7
WANTED = "93 to 97 %"
Array = NDArray[np.float64]


def planted(chance: np.random.Generator, n: int, share: float) -> tuple[NDArray[np.bool_], Array]:
    """Truth and scores of ``n`` posts; at 0.5 the scores have about 80 % sensitivity and 5 % false positives."""
    truth = chance.random(n) < share
    x = chance.normal(np.where(truth, 0.84, -1.645), 1)
    return truth, 1 / (1 + np.exp(-2.2 * x))


def scored_of(scores: Array) -> Scored:
    """Sums of posts of weight 1."""
    n, yes, total = len(scores), float((scores >= 0.5).sum()), float(scores.sum())
    return Scored(n, n, n, (n - yes, yes), (n - total, total))


def confused(chance: np.random.Generator, n: int) -> Confusion:
    """What ``n`` held-out posts, half of each class, show."""
    truth, scores = planted(chance, n, 0.5)
    both = np.stack([1 - scores, scores], axis=1)
    parts = [both[truth == label] for label in (False, True)]
    counts = tuple((int((part[:, 1] < 0.5).sum()), int((part[:, 1] >= 0.5).sum())) for part in parts)
    means = tuple(tuple(part.mean(axis=0).tolist()) for part in parts)
    spreads = tuple(tuple(map(tuple, np.cov(part.T).tolist())) for part in parts)
    return Confusion("concern2", ("no", "yes"), counts, means, spreads, (1.0, 1.0))


def estimates(chance: np.random.Generator, share: float) -> tuple[float, dict[str, Estimate | float]]:
    """The planted share of one collection, and what each method makes of it."""
    truth, scores = planted(chance, POSTS, share)
    found: dict[str, Estimate | float] = {"raw labels": float((scores >= 0.5).mean())}
    scored, held = scored_of(scores), confused(chance, HELD_OUT)
    found["ACC"], found["PACC"] = adjusted(scored, held, "ACC")[1], adjusted(scored, held)[1]
    ones = np.ones(POSTS)
    for name, weights in (("PPI++, random", ones), ("PPI++, --for", chance_weights(scores, ones))):
        chances = inclusion(weights, LABELLED)
        some = np.flatnonzero(chance.random(POSTS) < chances)
        mean = float(scores.mean())
        found[name] = powered(scored, mean, truth[some], scores[some], ones[some], chances[some])
    return float(truth.mean()), found


def run(replicates: int = 500) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(chain.from_iterable(pool.map(_rows, SHARES, repeat(replicates))))


def _rows(share: float, replicates: int) -> list[tuple[str, str, str]]:
    """Mean error, coverage at 95 % and mean width of each method at one planted share."""
    errors, covered, widths = defaultdict(list), defaultdict(list), defaultdict(list)
    for number in range(replicates):
        truth, found = estimates(np.random.default_rng((SEED, int(share * 1000), number)), share)
        for name, one in found.items():
            errors[name].append((one.effect if isinstance(one, Estimate) else one) - truth)
            if isinstance(one, Estimate):
                covered[name].append(one.low <= truth <= one.high)
                widths[name].append(one.high - one.low)
    told = {name: _told(off, covered[name], widths[name]) for name, off in errors.items()}
    return [(f"{name}, true {share:.1%}", text, WANTED if covered[name] else "") for name, text in told.items()]


def _told(errors: Sequence[float], covered: Sequence[bool], widths: Sequence[float]) -> str:
    told = f"{100 * np.mean(errors):+.2f} points"
    return f"{told}; covers {np.mean(covered):.1%}, {100 * np.mean(widths):.2f} points wide" if covered else told
