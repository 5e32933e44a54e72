"""How common something is among posts, when what is known of each post is a classifier's score.

Three estimates that assume the classifier errs on these posts as it did on those it never saw (only the shares of the
classes differ): ACC and PACC, adjusted counts (Forman 2008; Bella et al. 2010), and EMQ (Saerens et al. 2002). Where
people labelled a random sample, ``monitor.analyse.powered`` assumes nothing of the classifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import TooFewPosts
from monitor.records import Confusion, Estimate

Adjustment = Literal["PACC", "ACC"]
LEVEL, _Z = 0.95, 1.959964
LEAST_HELD_OUT = 10  # posts of a class, without which its errors are not known
LEAST_POSTS = 10
_STEPS = 4000  # of the search for an interval's ends
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """All that an estimate needs of the posts: ``n`` of them, the sum of their weights, and the weighted sums of the
    labels given and of the calibrated scores, one for each class.

    ``squares`` is the sum of squared weights, copies of one text taken together: they get one score, right or wrong.
    ``between`` is, for each class, the variance of its share because not all posts were read, over share x (1 - share).
    """

    n: int
    weight: float
    squares: float
    labels: tuple[float, ...]
    scores: tuple[float, ...]
    between: tuple[float, ...]


def adjusted(scored: Scored, confusion: Confusion, method: Adjustment = "PACC") -> tuple[Estimate, ...]:
    """The share of each class, corrected, with an interval.

    Least squares on the simplex (Hopkins and King 2010, 4.3). The interval is of every share that the data do not
    contradict, with the variance that would hold if it were true (Fieller 1954; Wilson 1927 for one class), which
    stays honest near 0. The variance has three parts: posts of one class get different scores, the held-out posts were
    few (counted by author), and sampled posts stand for others.

    Raises:
        TooFewPosts: fewer than ``LEAST_POSTS``, or than ``LEAST_HELD_OUT`` held-out posts of a class.
        ValueError: the classifier cannot tell two of the classes apart.
    """
    held = np.asarray(confusion.matrix, np.float64).sum(axis=1)
    for needed, n in ((LEAST_POSTS, scored.n), (LEAST_HELD_OUT, int(held.min()))):
        if n < needed:
            raise TooFewPosts(needed, n)
    means, spreads, seen = _measured(scored, confusion, method)
    if np.linalg.svd(means, compute_uv=False)[-1] < 0.1:
        raise ValueError("the classifier cannot tell these classes apart")
    inverse = np.linalg.inv(means.T)
    free = inverse @ seen
    shares = simplex(means.T, seen)
    noise = np.einsum("ka,jab,kb->kj", inverse, spreads, inverse)
    unsure = noise * np.asarray(confusion.effects) / held
    within = scored.squares / scored.weight**2
    estimates = []
    for k, share in enumerate(shares):
        low, high = _ends(k, float(free[k]), shares, means[:, k], noise[k] * within, unsure[k], scored.between[k])
        low, high = min(low, float(share)), max(high, float(share))
        text = f"{percent(share)} ({percent(low)} to {percent(high)})"
        estimates.append(Estimate(float(share), low, high, LEVEL, f"{method}, Fieller", scored.n, text))
    return tuple(estimates)


def between_slices(weights: ArrayLike, posts: ArrayLike, labels: ArrayLike, shares: ArrayLike, total: float) -> Array:
    """``Scored.between`` (classes,) of posts that were read in slices of time, each slice whole: neighbours are alike.

    The variance of slice totals (Cochran 1977, 9.3) over what independent posts would have, and no less than theirs.

    Args:
        weights: of each post of a slice, 1 over the chance of the slice, shape (slices,).
        posts: how many were read in each, shape (slices,).
        labels: of which each class was given, shape (slices, classes).
        shares: the weighted share of each class among all posts, shape (classes,).
        total: the weight of all posts, those that were not sampled too.
    """
    weight, n, share = (np.asarray(one, np.float64) for one in (weights, posts, shares))
    spread = weight * (weight - 1)
    alone = float(spread @ n)
    off = np.asarray(labels, np.float64).reshape(len(n), len(share)) - np.outer(n, share)
    together = spread @ off**2 / np.maximum(share * (1 - share), 1e-12)
    known = (share > 0) & (share < 1)
    return np.where(known, np.maximum(together, alone), alone) / total**2


def simplex(matrix: Array, seen: Array) -> Array:
    """The shares (classes,), none negative and 1 in all, that ``matrix`` brings closest to ``seen``."""
    from scipy.optimize import nnls

    heavy = 1e4  # the weight of the sum being 1
    found = nnls(np.vstack([matrix, np.full(matrix.shape[1], heavy)]), np.append(seen, heavy))[0]
    return np.asarray(found / found.sum())


def emq(scores: ArrayLike, trained: ArrayLike, weights: ArrayLike | None = None, rounds: int = 1000) -> Array:
    """The shares by expectation and maximisation (Saerens, Latinne and Decaestecker 2002).

    Args:
        scores: calibrated probabilities, shape (posts, classes); rows may stand for several posts.
        trained: the shares among the posts on which they were calibrated, shape (classes,).
        weights: how many posts a row stands for, shape (posts,).
    """
    given, prior = np.clip(np.asarray(scores, np.float64), 1e-12, 1), np.asarray(trained, np.float64)
    weight = np.ones(len(given)) if weights is None else np.asarray(weights, np.float64)
    odds, shares = given / prior, prior
    for _ in range(rounds):
        joint = odds * shares
        new = weight @ (joint / joint.sum(axis=1, keepdims=True)) / weight.sum()
        if np.abs(new - shares).max() < 1e-7:
            return np.asarray(new)
        shares = new
    return np.asarray(shares)


def _measured(scored: Scored, confusion: Confusion, method: Adjustment) -> tuple[Array, Array, Array]:
    """What each true class gets on average (true, given), the covariances of that, and what these posts got."""
    if method == "PACC":
        return np.asarray(confusion.means), np.asarray(confusion.spreads), np.asarray(scored.scores) / scored.weight
    counts = np.asarray(confusion.matrix, np.float64)
    means = counts / counts.sum(axis=1, keepdims=True)
    smooth = counts + 1 / counts.shape[1]  # a label that was never given wrongly may still be
    smooth /= smooth.sum(axis=1, keepdims=True)
    spreads = np.stack([np.diag(row) - np.outer(row, row) for row in smooth])
    return means, spreads, np.asarray(scored.labels) / scored.weight


def _ends(
    k: int, free: float, shares: Array, means: Array, within: Array, unsure: Array, between: float
) -> tuple[float, float]:
    """The least and the largest share of class ``k`` that lie within 1.96 of their own standard errors of ``free``."""
    grid = np.linspace(0, 1, _STEPS + 1) ** 2  # fine near 0
    free = min(max(free, 0.0), 1.0)  # what cannot be would make the interval too narrow, or empty
    rest = np.delete(shares, k)
    rest = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
    mixed = np.insert(np.outer(1 - grid, rest), k, grid, axis=1)
    parts = mixed * within + mixed**2 * unsure
    own = parts[:, k]
    for_rest, for_own = _stretched(grid, free, (float(rest @ np.delete(means, k)), float(means[k])), (rest, unsure), k)
    variance = own * for_own + (parts.sum(axis=1) - own) * for_rest + between * grid * (1 - grid)
    fits = grid[(free - grid) ** 2 <= _Z**2 * variance]
    return (float(fits[0]), float(fits[-1])) if len(fits) else (free, free)


def _stretched(
    grid: Array, free: float, means: tuple[float, float], errors: tuple[Array, Array], k: int
) -> tuple[Array, Array]:
    """How many times larger the variances of the other classes and of class ``k`` are if a share of ``grid`` is true.

    Then the held-out posts misled: where they showed too few errors, their variance is too small as well. As in
    Wilson's interval, each share is judged by the means that it implies.
    """
    rest, unsure = errors
    low, high = means
    spread = (1 - grid) ** 2 * float(rest**2 @ np.delete(unsure, k)), grid**2 * float(unsure[k])
    total = spread[0] + spread[1] + 1e-15
    found = []
    for mean, part, size in ((low, spread[0], 1 - grid), (high, spread[1], grid)):
        moved = mean + (high - low) * (free - grid) * part / total / np.maximum(size, 1e-9)
        moved, held = np.clip(moved, 0.002, 0.998), min(max(mean, 0.002), 0.998)
        found.append(np.clip(moved * (1 - moved) / (held * (1 - held)), 0.25, 4))
    return found[0], found[1]


def percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.01 or share == 0 else f"{share:.2%}"
