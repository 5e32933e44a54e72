"""What goes into a score and what comes out, and how raw outputs become consistent probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.codebook import codebook, decide

Array = NDArray[np.float64]
HEADS = {"relevant": slice(0, 1), "concern": slice(1, 4), "removal": slice(4, 9), "stance": slice(9, 12)}
OUTPUTS = 12


@dataclass(frozen=True, slots=True)
class Text:
    """One post as a reader sees it.

    ``platform_aliases`` are names of the platform whose terms are discussed; ``lang`` is the platform's word (BCP 47).
    """

    text: str
    context: str | None = None
    platform_aliases: tuple[str, ...] = ()
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """Calibrated probabilities in codebook order: relevant, concern (4), removal (5), stance (3)."""

    relevant: float
    concern: tuple[float, ...]
    removal: tuple[float, ...]
    stance: tuple[float, ...]

    @property
    def expected_concern(self) -> float:
        return sum(level * p for level, p in enumerate(self.concern))


def expected_costs(found: Prediction) -> dict[str, float]:
    """What the decided labels are expected to cost, by head; one wrong label, or one level of concern, costs 1."""
    book, labels = codebook(), decide(found.relevant, found.concern, found.removal, found.stance)
    return {
        "relevant": min(found.relevant, 1 - found.relevant),
        "concern": sum(p * abs(level - labels.concern) for level, p in zip(book.concern, found.concern, strict=True)),
        "removal": 1 - found.removal[book.removal.index(labels.removal)],
        "stance": 1 - found.stance[book.stance.index(labels.stance)],
    }


def unsure(found: Prediction, review_cost: float) -> list[str]:
    """The heads whose label a person should look at: where a look costs less than the label is expected to.

    ``review_cost`` is the price of a look as a share of that of a wrong label (Chow 1970, the reject option).
    """
    return [head for head, cost in expected_costs(found).items() if cost > review_cost]


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Per row: P(relevant) (n,), and the other labels given that the post is relevant (n, 4), (n, 5), (n, 3)."""

    relevant: Array
    concern: Array
    removal: Array
    stance: Array


def likelihoods(raw: NDArray[np.float32], temperatures: Mapping[str, float]) -> Likelihoods:
    """Raw outputs (n, 12) -> likelihoods under the temperatures of each head.

    Concern outputs are conditional (concern > k among concern >= k), so that P(concern > k) is their running product.
    """
    scaled = {head: raw[:, part].astype(np.float64) / temperatures[head] for head, part in HEADS.items()}
    above = _sigmoid(scaled["concern"]).cumprod(1)
    edges = np.hstack([np.ones((len(raw), 1)), above, np.zeros((len(raw), 1))])
    relevant = _sigmoid(scaled["relevant"])[:, 0]
    return Likelihoods(relevant, edges[:, :-1] - edges[:, 1:], _softmax(scaled["removal"]), _softmax(scaled["stance"]))


def combine(windows: Likelihoods) -> Likelihoods:
    """The windows of one text as one row: as relevant as its most relevant window, read mostly where it is relevant."""
    weights = windows.relevant / windows.relevant.sum()
    parts = (weights @ part for part in (windows.concern, windows.removal, windows.stance))
    return Likelihoods(windows.relevant.max(keepdims=True), *(part[None] for part in parts))


def predictions(found: Likelihoods) -> list[Prediction]:
    """Gate the labels by relevance (an irrelevant post is concern 0, none, neutral) and hold the codebook's floors."""
    book = codebook()
    relevant = found.relevant[:, None]
    removal = _gated(found.removal, relevant, book.removal.index("none"))
    stance = _gated(found.stance, relevant, book.stance.index("neutral"))
    concern = _floored(_gated(found.concern, relevant, 0), removal)
    rows = zip(found.relevant, concern, removal, stance, strict=True)
    return [Prediction(float(r), *(tuple(map(float, part)) for part in parts)) for r, *parts in rows]


def _gated(given: Array, relevant: Array, neutral: int) -> Array:
    gated = given * relevant
    gated[:, neutral] += 1 - relevant[:, 0]
    return np.asarray(gated / gated.sum(1, keepdims=True))


def _floored(concern: Array, removal: Array) -> Array:
    """P(concern >= k) is at least the probability of the removal stages whose floor is k or more."""
    book = codebook()
    floors = np.array([book.least_concern.get(stage, 0) for stage in book.removal])
    tails = [np.maximum(concern[:, k:].sum(1), removal[:, floors >= k].sum(1)) for k in book.concern[1:]]
    edges = np.column_stack([np.ones(len(concern)), *tails, np.zeros(len(concern))])
    return np.asarray(np.clip(edges[:, :-1] - edges[:, 1:], 0, 1))


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def concatenate(parts: Sequence[Likelihoods]) -> Likelihoods:
    """Several blocks of rows as one."""
    names = ("relevant", "concern", "removal", "stance")
    return Likelihoods(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
