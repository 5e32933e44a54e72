"""One temperature per head, fitted on posts of other writers and cases than those trained on (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.classify.prediction import HEADS, likelihoods
from monitor.codebook import Labels, codebook

UNSCALED = dict.fromkeys(HEADS, 1.0)
_TRIED = np.geomspace(0.25, 4.0, 161)


def temperatures(raw: NDArray[np.float32], labels: Sequence[Labels]) -> dict[str, float]:
    """For raw outputs (n, 12) and the posts' labels, the temperature of each head with the least log loss.

    Relevance is fitted on all posts, the other heads on the relevant ones, since only those train them.
    """
    book = codebook()
    relevant = np.array([found.relevant for found in labels])
    truths = {
        "relevant": relevant,
        "concern": np.array([found.concern for found in labels]),
        "removal": np.array([book.removal.index(found.removal) for found in labels]),
        "stance": np.array([book.stance.index(found.stance) for found in labels]),
    }
    rows = {head: np.flatnonzero(relevant) for head in HEADS} | {"relevant": np.arange(len(labels))}
    return {head: _best(head, raw[rows[head]], truths[head][rows[head]]) for head in HEADS}


def _best(head: str, raw: NDArray[np.float32], truth: NDArray[np.int_]) -> float:
    losses = [_log_loss(head, raw, truth, float(tried)) for tried in _TRIED]
    return round(float(_TRIED[int(np.argmin(losses))]), 4)


def _log_loss(head: str, raw: NDArray[np.float32], truth: NDArray[np.int_], temperature: float) -> float:
    found = getattr(likelihoods(raw, UNSCALED | {head: temperature}), head)
    table = np.column_stack([1 - found, found]) if head == "relevant" else found
    return float(-np.log(np.clip(table[np.arange(len(truth)), truth], 1e-9, 1)).mean())
