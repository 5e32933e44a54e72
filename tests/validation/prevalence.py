"""Corrected shares against planted ones: bias and coverage of raw labels, PACC and PPI++."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.powered import chance_weights, powered
from monitor.analyse.prevalence import Scored, adjusted
from monitor.classify.sample import inclusion
from monitor.records import Confusion, Estimate

SHARES = (0.005, 0.02, 0.1, 0.4)
POSTS, HELD_OUT, LABELLED = 5000, 400, 200
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


def run(replicates: int = 1000, seed: int = 0) -> list[dict[str, object]]:
    """A row for each method and planted share: bias, coverage at 95 % and mean width."""
    rows: list[dict[str, object]] = []
    for share in SHARES:
        errors, covered, widths = defaultdict(list), defaultdict(list), defaultdict(list)
        for number in range(replicates):
            truth, found = estimates(np.random.default_rng((seed, int(share * 1000), number)), share)
            for name, one in found.items():
                errors[name].append((one.effect if isinstance(one, Estimate) else one) - truth)
                if isinstance(one, Estimate):
                    covered[name].append(one.low <= truth <= one.high)
                    widths[name].append(one.high - one.low)
        rows += [
            {
                "method": name,
                "share": share,
                "bias": float(np.mean(off)),
                "coverage": float(np.mean(covered[name])) if covered[name] else None,
                "width": float(np.mean(widths[name])) if widths[name] else None,
                "replicates": replicates,
            }
            for name, off in errors.items()
        ]
    return rows
