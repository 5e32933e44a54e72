"""The share of posts from labels that people gave to a random sample, sharpened by the classifier's scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.analyse.prevalence import LEAST_POSTS, LEVEL, Scored, percent
from monitor.analyse.shares import t_quantile
from monitor.errors import TooFewPosts
from monitor.records import Estimate

LEAST_LABELLED = 30
RARE, FEW = 0.05, 10  # below this share, or with fewer labelled posts on one side, the interval is an exact one
_LEAST_FREEDOM = 20.0  # where a handful of labels make the variance, Student's t would say nothing at all
_Z = 1.959964
Array = NDArray[np.float64]


def powered(
    scored: Scored,
    k: int,
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike,
    chances: ArrayLike,
    power: float | None = None,
) -> Estimate:
    """The share by prediction-powered inference (PPI++, Angelopoulos, Duchi and Zrnic 2023).

    It needs no assumption about the classifier, whose scores only make the interval narrower: ``power`` says how far
    they are used, None takes what makes it narrowest. With unequal chances it is active inference (Zrnic and Candes
    2024), weighted to the sum of its weights (Hajek 1971). The interval is Student's, as few labels may make most of
    the variance; under 5 % it is Clopper and Pearson's (1934) with the effective size (Korn and Graubard 1998).

    Args:
        scored: all posts.
        k: the class whose share is asked for.
        labels: 0 or 1, for each labelled post, shape (labelled,).
        scores: the classifier's for each of these.
        weights: the ``sample_weight`` of each.
        chances: that each had to be drawn and labelled.

    Raises:
        TooFewPosts: fewer than ``LEAST_POSTS`` posts, or than ``LEAST_LABELLED`` that are labelled.
    """
    said, told = np.asarray(labels, np.float64), np.asarray(scores, np.float64)
    weight, chance = np.asarray(weights, np.float64), np.asarray(chances, np.float64)
    for needed, n in ((LEAST_POSTS, scored.n), (LEAST_LABELLED, len(said))):
        if n < needed:
            raise TooFewPosts(needed, n)
    part, score = weight / chance / (weight / chance).sum(), scored.scores[k] / scored.weight
    spread = part * np.sqrt(np.maximum(1 - chance, 0)) * math.sqrt(len(said) / (len(said) - 1))
    is_few = min(said.sum(), (1 - said).sum()) < FEW  # a slope that fits a handful leaves nothing to doubt
    used = power if power is not None else 0.0 if is_few else _power(said - part @ said, told - part @ told, spread)
    left = said - used * told
    share = min(1.0, max(0.0, used * score + float(part @ left)))
    parts, between = spread**2 * (left - part @ left) ** 2, scored.between[k]
    quantile = t_quantile(_freedom(parts))
    variance = (quantile / _Z) ** 2 * (float(parts.sum()) + between * share * (1 - share))
    method = f"PPI++, power {used:.2f}"
    if is_few or min(share, 1 - share) < RARE:
        share, low, high = _exact(share, variance, float(part @ said), float((spread**2).sum()) + between)
        method += ", exact"
    else:
        half = _Z * math.sqrt(variance)
        low, high = max(0.0, share - half), min(1.0, share + half)
    text = f"{percent(share)} ({percent(low)} to {percent(high)})"
    return Estimate(share, low, high, LEVEL, method, len(said), text)


def chance_weights(scores: ArrayLike, weights: ArrayLike) -> Array:
    """In proportion to which posts are best drawn for the share of an outcome: the standard deviation that the score
    leaves in the label (Zrnic and Candes 2024, after Neyman 1934), times what the post stands for."""
    score = np.asarray(scores, np.float64)
    return np.asarray(np.asarray(weights, np.float64) * np.sqrt(np.clip(score * (1 - score), 0, None)))


def _power(said: Array, told: Array, spread: Array) -> float:
    """The slope that leaves the least variance, from 0 (labels alone) to 1."""
    below = float((spread * told) @ (spread * told))
    return min(1.0, max(0.0, float((spread * said) @ (spread * told)) / below)) if below > 0 else 0.0


def _freedom(parts: Array) -> float:
    """Degrees of freedom of a variance that is the sum of these (Satterthwaite 1946): few where few make most of it."""
    total = float(parts.sum())
    if total <= 0:
        return math.inf
    excess = float(parts @ parts) / total**2 - 1 / len(parts)
    return max(_LEAST_FREEDOM, 2 / max(excess, 1e-9))


def _exact(share: float, variance: float, plain: float, per_post: float) -> tuple[float, float, float]:
    """Clopper and Pearson's interval with the size that gives ``variance``, but no more than the labels are worth
    where none of them, or all, say yes."""
    from scipy.stats import beta

    if per_post <= 0:  # every post is labelled
        return plain, plain, plain
    size = 1 / per_post
    if 0 < plain < 1 and variance > 0 and 0 < share < 1:
        size = share * (1 - share) / variance
    else:
        share = plain
    yes = share * size
    low = float(beta.ppf(0.025, yes, size - yes + 1)) if yes > 0 else 0.0
    high = float(beta.ppf(0.975, yes + 1, size - yes)) if yes < size else 1.0
    return share, min(low, share), max(high, share)
