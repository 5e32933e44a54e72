"""The model's figures on posts it never saw, beside those of simpler means on the same posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.classify import metrics
from monitor.classify.baselines import BASELINES, LONG
from monitor.classify.corpus import CORPUS, CorpusPost, Split, read_corpus
from monitor.classify.prediction import Prediction, Text
from monitor.classify.scorer import Scorer, load
from monitor.codebook import codebook

FIGURES = (
    "relevance_f1", "relevance_recall", "relevance_specificity", "concern_kappa", "concern_mae",
    "removal_f1", "blocked_f1", "stance_f1",
    "relevance_ece", "concern_ece", "removal_ece", "stance_ece",
)  # fmt: skip
GROUPS: dict[str, Callable[[CorpusPost], bool]] = {
    "all": lambda post: True,
    "en": lambda post: post.lang == "en",
    "not en": lambda post: post.lang != "en",
    # Length tells relevance in a part of the corpus (its README), so a figure over all lengths may flatter.
    "short": lambda post: len(post.text) < LONG,
    "long": lambda post: len(post.text) >= LONG,
}


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one judge over ``n`` posts, under the names of FIGURES; None where a judge gives none."""

    judge: str
    posts: str
    n: int
    figures: dict[str, float | None]


def evaluate(scorer: Scorer | None = None, folder: Path = CORPUS, split: Split = "heldout") -> list[Row]:
    """Rows for a table: the model and the baselines on the same posts of a split, whole and by GROUPS.

    Raises:
        CorpusError: as ``read_corpus``.
        ModelError: as ``load``, or a baseline's package is missing.
    """
    posts = read_corpus(folder).split(split)
    judge = scorer or load()
    found = {"this model": judged(judge, posts)} | {name: base(posts) for name, base in BASELINES.items()}
    return [row for name, given in found.items() for row in rows(name, posts, given)]


def judged(scorer: Scorer, posts: Sequence[CorpusPost]) -> list[Prediction]:
    """The model's predictions, told each post's platform as a topic would."""
    return scorer.score([as_text(post) for post in posts])


def as_text(post: CorpusPost) -> Text:
    """A corpus post as the scorer takes it."""
    return Text(post.text, post.context, (post.platform,) if post.platform else ())


def rows(judge: str, posts: Sequence[CorpusPost], found: Sequence[Prediction]) -> list[Row]:
    """One row for each of GROUPS; a row without posts is left out."""
    pairs = list(zip(posts, found, strict=True))
    groups = {name: [pair for pair in pairs if belongs(pair[0])] for name, belongs in GROUPS.items()}
    return [
        Row(judge, name, len(group), figures([post for post, _ in group], [one for _, one in group]))
        for name, group in groups.items()
        if group
    ]


def figures(posts: Sequence[CorpusPost], found: Sequence[Prediction]) -> dict[str, float | None]:
    """All of FIGURES; a label is the likeliest one, calibration errors are those of its probability."""
    book = codebook()
    labels = [post.labels for post in posts]
    truth = {
        "relevance": [label.relevant for label in labels],
        "concern": [label.concern for label in labels],
        "removal": [book.removal.index(label.removal) for label in labels],
        "stance": [book.stance.index(label.stance) for label in labels],
    }
    tables = {
        "relevance": np.array([(1 - one.relevant, one.relevant) for one in found]),
        "concern": np.array([one.concern for one in found]),
        "removal": np.array([one.removal for one in found]),
        "stance": np.array([one.stance for one in found]),
    }
    top = {head: table.argmax(1) for head, table in tables.items()}
    expected = np.array([one.expected_concern for one in found])
    values: dict[str, float | None] = {
        "relevance_f1": metrics.f1(truth["relevance"], top["relevance"], 1),
        "relevance_recall": _share(top["relevance"], truth["relevance"], 1),
        "relevance_specificity": _share(top["relevance"], truth["relevance"], 0),
        "concern_kappa": metrics.quadratic_kappa(truth["concern"], top["concern"], len(book.concern)),
        "concern_mae": float(np.abs(expected - truth["concern"]).mean()),
        "removal_f1": metrics.macro_f1(truth["removal"], top["removal"], len(book.removal)),
        "blocked_f1": metrics.f1(truth["removal"], top["removal"], book.removal.index("blocked")),
        "stance_f1": metrics.macro_f1(truth["stance"], top["stance"], len(book.stance)),
    }
    doubts = any(0 < one.relevant < 1 for one in found)  # a judge that is always certain has no calibration
    errors = {f"{head}_ece": metrics.calibration_error(truth[head], tables[head]) for head in tables}
    return values | {name: error if doubts else None for name, error in errors.items()}


def _share(found: NDArray[np.int_], truth: Sequence[int], label: int) -> float | None:
    """How many of the posts that bear ``label`` were given it; None where none does."""
    bears = np.asarray(truth) == label
    return float((found[bears] == label).mean()) if bears.any() else None
