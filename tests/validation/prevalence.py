"""Corrected shares against planted ones: bias and coverage of raw labels, PACC and PPI++, all posts read or slices."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.powered import chance_weights, powered
from monitor.analyse.prevalence import Scored, adjusted, between_slices
from monitor.classify.sample import inclusion
from monitor.records import Confusion, Estimate

SHARES = (0.005, 0.02, 0.1, 0.4)
POSTS, HELD_OUT, LABELLED = 5000, 400, 200
SEED = 7
WANTED = "93 to 97 %"
Array = NDArray[np.float64]


def planted(
    chance: np.random.Generator, n: int, share: float | NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], Array]:  # fmt: skip
    """Truth and scores of ``n`` posts; at 0.5 the scores have about 80 % sensitivity and 5 % false positives.

    ``share`` is the chance of each to be true, or the truth itself.
    """
    truth = chance.random(n) < share
    x = chance.normal(np.where(truth, 0.84, -1.645), 1)
    return truth, 1 / (1 + np.exp(-2.2 * x))


def scored_of(scores: Array) -> Scored:
    """Sums of posts of weight 1."""
    n, yes, total = len(scores), float((scores >= 0.5).sum()), float(scores.sum())
    return Scored(n, n, n, (n - yes, yes), (n - total, total), (0, 0))


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
        found[name] = powered(scored, 1, truth[some], scores[some], ones[some], chances[some])
    return float(truth.mean()), found


def sliced(chance: np.random.Generator, share: float) -> tuple[float, dict[str, Estimate | float]]:
    """The same where one slice of time in ten was read, each whole and of some 20 posts; a mood lasts for a while."""
    n = POSTS // 2
    mood = np.convolve(chance.normal(0, 1, n + 9), np.ones(10) / np.sqrt(10), "valid")
    sizes = chance.poisson(20, n)
    shares = np.repeat(np.minimum(share * np.exp(0.7 * mood - 0.245), 1), sizes)
    all_true = chance.random(len(shares)) < shares
    is_read = np.isin(np.repeat(np.arange(n), sizes), chance.permutation(n)[: n // 10])
    part, slices = all_true[is_read], np.repeat(np.arange(n), sizes)[is_read]
    _, scores = planted(chance, len(part), part)
    labels = np.bincount(slices, scores >= 0.5, n)
    posts = np.bincount(slices, minlength=n)
    alone = scored_of(scores)
    weight = 10.0 * len(part)
    both = np.stack([posts - labels, labels], axis=1)
    between = between_slices(np.full(n, 10), posts, both, np.asarray(alone.labels) / len(part), weight)
    summed = (tuple(10 * one for one in vector) for vector in (alone.labels, alone.scores))
    scored = Scored(len(part), weight, 100.0 * len(part), *summed, tuple(between.tolist()))
    chances = np.full(len(part), min(1.0, LABELLED / len(part)))
    some = np.flatnonzero(chance.random(len(part)) < chances)
    tens = np.full(len(some), 10.0)
    return float(all_true.mean()), {
        "PACC, read in slices": adjusted(scored, confused(chance, HELD_OUT))[1],
        "PPI++, read in slices": powered(scored, 1, part[some], scores[some], tens, chances[some]),
    }


def run(replicates: int = 2000) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(chain.from_iterable(pool.map(_rows, SHARES, repeat(replicates))))


def _rows(share: float, replicates: int) -> list[tuple[str, str, str]]:
    """Mean error, coverage at 95 % and mean width of each method at one planted share."""
    errors, covered, widths = defaultdict(list), defaultdict(list), defaultdict(list)
    for number in range(replicates):
        truth, found = estimates(np.random.default_rng((SEED, int(share * 1000), number)), share)
        of_slices, also = sliced(np.random.default_rng((SEED, int(share * 1000), number, 1)), share)
        pairs = [(truth, *one) for one in found.items()] + [(of_slices, *one) for one in also.items()]
        for truth, name, one in pairs:
            errors[name].append((one.effect if isinstance(one, Estimate) else one) - truth)
            if isinstance(one, Estimate):
                covered[name].append(one.low <= truth <= one.high)
                widths[name].append(one.high - one.low)
    told = {name: _told(off, covered[name], widths[name]) for name, off in errors.items()}
    return [(f"{name}, true {share:.1%}", text, WANTED if covered[name] else "") for name, text in told.items()]


def _told(errors: Sequence[float], covered: Sequence[bool], widths: Sequence[float]) -> str:
    told = f"{100 * np.mean(errors):+.2f} points"
    return f"{told}; covers {np.mean(covered):.1%}, {100 * np.mean(widths):.2f} points wide" if covered else told
