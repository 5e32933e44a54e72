"""The labels of ``codebook.toml`` as values: the only place that knows their names and order."""

from __future__ import annotations

import tomllib
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
    )
