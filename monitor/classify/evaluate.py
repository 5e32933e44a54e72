"""The model's figures on posts it never saw, beside those of simpler means on the same posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.classify import metrics
from monitor.classify.baselines import BASELINES, LONG
from monitor.classify.corpus import CORPUS, CorpusPost, Split, groups, read_corpus
from monitor.classify.prediction import HEADS, Prediction, Text, unsure
from monitor.classify.scorer import Scorer, load
from monitor.codebook import codebook, decide
from monitor.config import Classifier

REVIEW_COST = Classifier().review_cost
FIGURES = (
    "relevance_f1", "relevance_recall", "relevance_specificity", "concern_kappa", "concern_mae",
    "removal_f1", "blocked_f1", "stance_f1", "groups_right",
    "relevance_ece", "concern_ece", "removal_ece", "stance_ece", "unsure", "sure_right",
)  # fmt: skip
PARTS: dict[str, Callable[[CorpusPost], bool]] = {
    "all": lambda post: True,
    # Contrast groups are harder than what people write: both figures are told, one would hide the other.
    "contrast groups": lambda post: bool(post.group),
    "all but these": lambda post: not post.group,
    "SoundCloud": lambda post: not post.group and post.platform == "SoundCloud",
    "other platforms": lambda post: not post.group and post.platform != "SoundCloud",
    "with context": lambda post: not post.group and bool(post.context),
    # Length tells relevance in a part of the corpus (its README), so a figure over all lengths may flatter.
    "short": lambda post: not post.group and len(post.text) < LONG,
    "long": lambda post: not post.group and len(post.text) >= LONG,
    # By somebody who saw neither corpus nor model, after everything else: whether the other held-out posts flatter.
    "written last": lambda post: post.writer == "heldout-fresh-all",
}


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one judge over ``n`` posts, under the names of FIGURES; None where a judge gives none."""

    judge: str
    posts: str
    n: int
    figures: dict[str, float | None]


def evaluate(scorer: Scorer | None = None, folder: Path = CORPUS, split: Split = "heldout") -> list[Row]:
    """Rows for a table: the model and the baselines on the same posts of a split, whole and in PARTS and languages.

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
    return Text(post.text, post.context, post.names)


def rows(judge: str, posts: Sequence[CorpusPost], found: Sequence[Prediction]) -> list[Row]:
    """One row for each of PARTS and for each language; a part without posts has none."""
    languages = sorted({post.lang for post in posts}, key=lambda lang: (lang != "en", lang))
    parts = PARTS | {lang: partial(_is_in, lang) for lang in languages}
    pairs = list(zip(posts, found, strict=True))
    chosen = {name: [pair for pair in pairs if belongs(pair[0])] for name, belongs in parts.items()}
    return [
        Row(judge, name, len(part), figures([post for post, _ in part], [one for _, one in part]))
        for name, part in chosen.items()
        if part
    ]


def _is_in(lang: str, post: CorpusPost) -> bool:
    return not post.group and post.lang == lang


def figures(posts: Sequence[CorpusPost], found: Sequence[Prediction]) -> dict[str, float | None]:
    """All of FIGURES; labels as the codebook decides them, calibration errors those of the likeliest label.

    ``unsure`` is the share of labels that a person should look at, ``sure_right`` how many of the others are right.
    """
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
    decided = [decide(one.relevant, one.concern, one.removal, one.stance) for one in found]
    top = {
        "relevance": np.array([label.relevant for label in decided]),
        "concern": np.array([label.concern for label in decided]),
        "removal": np.array([book.removal.index(label.removal) for label in decided]),
        "stance": np.array([book.stance.index(label.stance) for label in decided]),
    }
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
        "groups_right": _groups_right(posts, {head: top[head] == truth[head] for head in truth}),
    }
    doubts = any(0 < one.relevant < 1 for one in found)  # a judge that is always certain has no calibration
    errors = {f"{head}_ece": metrics.calibration_error(truth[head], tables[head]) for head in tables}
    is_right = np.array([[top[name][i] == truth[name][i] for name in truth] for i in range(len(found))])
    flagged = [unsure(one, REVIEW_COST) for one in found]
    is_sure = np.array([[head not in heads for head in HEADS] for heads in flagged])
    told: dict[str, float | None] = {**errors, "unsure": float(1 - is_sure.mean())}
    told["sure_right"] = float(is_right[is_sure].mean()) if is_sure.any() else None
    return values | {name: value if doubts else None for name, value in told.items()}


def _groups_right(posts: Sequence[CorpusPost], is_right: Mapping[str, NDArray[np.bool_]]) -> float | None:
    """Share of the contrast groups in which every label that differs is right on every post; None without groups."""
    place = {post.id: i for i, post in enumerate(posts)}
    shares = []
    for members in groups(posts).values():
        rows = [place[post.id] for post in members]
        differs = [head for head in HEADS if len({getattr(post.labels, head) for post in members}) > 1]
        shares.append(all(is_right["relevance" if head == "relevant" else head][rows].all() for head in differs))
    return float(np.mean(shares)) if shares else None


def _share(found: NDArray[np.int_], truth: Sequence[int], label: int) -> float | None:
    """How many of the posts that bear ``label`` were given it; None where none does."""
    bears = np.asarray(truth) == label
    return float((found[bears] == label).mean()) if bears.any() else None
