"""Drawing posts to be labelled, each with a known chance, so that what they show can be weighed back to all posts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOOR = 0.1  # of the mean weight: also what the model is certain of is drawn now and then


def draw(weights: ArrayLike, n: int, seed: int | None = None) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Draw ``n`` of the items without replacement, with chances in proportion to ``weights`` (not negative).

    Systematic sampling from a random order (Madow 1949): exactly n items, and item i with exactly its probability.
    Equal weights make a simple random sample.

    Returns:
        Indices (n,), in random order, and the probability each had, (n,). All items, where n is their number or more.
    """
    given = np.asarray(weights, np.float64)
    chance = np.random.default_rng(seed)
    if n >= len(given):
        return chance.permutation(len(given)), np.ones(len(given))
    probabilities = inclusion(given, n)
    order = chance.permutation(len(given))
    # Rounding may leave the sum at n minus a hair, which would cost the last item.
    edges = np.round(probabilities[order].cumsum() - chance.random(), 9)
    chosen = order[np.diff(np.floor(edges), prepend=-1.0) > 0][:n]
    chance.shuffle(chosen)
    return chosen, probabilities[chosen]


def inclusion(weights: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The chance (n,) each item has in a sample of ``n``: in proportion to its weight, at least a floor, at most 1."""
    mean = weights.mean()
    left = np.maximum(weights, FLOOR * mean) if mean > 0 else np.ones(len(weights))
    found = np.minimum(1.0, n * left / left.sum())
    while (certain := found >= 1).any() and found.sum() < n - 1e-9:
        rest = left[~certain]
        grown = np.minimum(1.0, (n - certain.sum()) * rest / rest.sum())
        if np.allclose(grown, found[~certain]):
            break
        found[~certain] = grown
    return np.asarray(found)
