"""The labels of ``codebook.toml`` as values: the only place that knows their names and order."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Codebook:
    """``concern``, ``removal`` and ``stance`` list their values in the order of probability vectors."""

    version: str
    concern: tuple[int, ...]
    removal: tuple[str, ...]
    stance: tuple[str, ...]
    least_concern: dict[str, int]
    meaning: dict[str, dict[str, str]]
    question: dict[str, str]


@dataclass(frozen=True, slots=True)
class Labels:
    """One judgement of one post by the codebook."""

    relevant: int
    concern: int
    removal: str
    stance: str


def decide(relevant: float, concern: Sequence[float], removal: Sequence[float], stance: Sequence[float]) -> Labels:
    """The labels of probabilities, in the codebook's order of decisions: relevance first, floors of concern last.

    The vectors hold the doubt about relevance (an irrelevant post is concern 0, none, neutral), so a post that is
    hardly relevant bears milder labels: on held-out posts that is right more often than leaving the doubt out. Concern
    is ordinal: its label is the expected level, rounded. The likeliest level would call a post that is torn
    between 1 and 3 either, never 2.
    """
    book = codebook()
    if relevant < 0.5:
        return Labels(0, 0, "none", "neutral")
    stage = book.removal[_likeliest(removal)]
    level = round(sum(value * p for value, p in zip(book.concern, concern, strict=True)))
    return Labels(1, max(level, book.least_concern.get(stage, 0)), stage, book.stance[_likeliest(stance)])


def _likeliest(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)


@cache
def codebook() -> Codebook:
    """The codebook this program was built with."""
    table = tomllib.loads(resources.files("monitor").joinpath("codebook.toml").read_text("utf-8"))
    labels = ("concern", "removal", "stance")
    return Codebook(
        version=table["version"],
        concern=tuple(table["concern"]["values"]),
        removal=tuple(table["removal"]["values"]),
        stance=tuple(table["stance"]["values"]),
        least_concern=dict(table["removal"]["least_concern"]),
        meaning={label: dict(table[label]["meaning"]) for label in labels},
        question={label: table[label]["question"] for label in ("relevant", *labels)},
    )
