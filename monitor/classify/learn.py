"""``monitor train --with-labels``: the release taught further by users' own labels, and judged beside the old one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from monitor.classify import metrics
from monitor.classify.base import load_base
from monitor.classify.corpus import CORPUS, Corpus, CorpusPost, read_corpus
from monitor.classify.evaluate import as_text, judged
from monitor.classify.fit import OnStep, fit
from monitor.classify.prediction import Prediction
from monitor.classify.recipe import Recipe
from monitor.classify.release import find, read_card, read_weights, save_weights
from monitor.classify.scorer import load, prepared
from monitor.classify.train import published
from monitor.codebook import Labels, codebook, decide
from monitor.config import Classifier as Settings
from monitor.errors import MonitorError

FEWEST = 30  # labelled posts
FRESH = 3  # one in so many authors is not learned from, but judged on
REPLAY, LEAST_REPLAY = 4, 800  # posts of the corpus for each labelled one, so that nothing is unlearned
LEARNING = Recipe(epochs=2, adapter_rate=2e-4, head_rate=3e-4)
ROUNDS, LEVEL = 1000, 0.95
_LOW, _HIGH = (1 - LEVEL) / 2, (1 + LEVEL) / 2


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of the old and the new model on the same ``n`` posts, and the interval (95 %) of new minus old."""

    posts: str
    n: int
    figure: str
    old: float
    new: float
    low: float
    high: float


def learn(
    labelled: Sequence[CorpusPost],
    out: Path,
    settings: Settings | None = None,
    recipe: Recipe = LEARNING,
    folder: Path = CORPUS,
    on_step: OnStep | None = None,
) -> list[Compared]:
    """Go on from the release that ``settings`` names with ``labelled`` posts, and write a new one into ``out``.

    A third of the authors is held back to judge on. Nothing is switched: the caller decides by what it reads.

    Raises:
        MonitorError: too few labelled posts.
        CorpusError, ModelError: as ``read_corpus``, ``load_release``.
    """
    chosen = settings or Settings()
    taught, fresh = _split(labelled)
    if len(labelled) < FEWEST or not taught or not fresh:
        authors = len({post.persona for post in labelled})
        raise MonitorError(
            f"{len(labelled)} labelled posts by {authors} authors are too few to learn from and to judge on",
            f"Label some hundreds ({FEWEST} by several authors at least): monitor sample, then monitor label",
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise MonitorError(f"{out} exists already", "Name a new folder with --out: nothing is overwritten.")
    old, release, corpus = load(chosen), find(chosen.model), read_corpus(folder)
    card = read_card(release)
    recipe = replace(recipe, rank=card["recipe"]["rank"])
    posts = [*taught, *_replayed(corpus, recipe, len(taught))]
    model = fit(load_base(card["base"]["name"]), posts, recipe, on_step, start=read_weights(release))
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent) as place:  # a release is there whole or not at all
        save_weights(model, Path(place))
        taught_by = {"from": card["model_id"], "labels": len(taught), "labels held back": len(fresh)}
        published(Path(place), corpus, recipe, card["base"]["name"], taught_by)
        out.mkdir(exist_ok=True)
        for path in Path(place).iterdir():
            path.replace(out / path.name)
    new = load(chosen.model_copy(update={"model": str(out)}))
    return [
        one
        for name, judged_on in (("corpus, held out", corpus.split("heldout")), ("your labels, held back", fresh))
        for one in compared(name, judged_on, judged(old, judged_on), judged(new, judged_on))
    ]


def _split(labelled: Sequence[CorpusPost]) -> tuple[list[CorpusPost], list[CorpusPost]]:
    """(to learn from, to judge on): by author, always alike, so that no later round learns what it is judged on."""
    is_fresh = [int(hashlib.sha256(post.persona.encode()).hexdigest(), 16) % FRESH == 0 for post in labelled]
    pairs = list(zip(labelled, is_fresh, strict=True))
    taught = [post for post, fresh in pairs if not fresh]
    known = {prepared(as_text(post)) for post in taught}  # copypasta: other authors, the same text
    return taught, [post for post, fresh in pairs if fresh and prepared(as_text(post)) not in known]


def _replayed(corpus: Corpus, recipe: Recipe, labels: int) -> list[CorpusPost]:
    known = corpus.split("train")
    chance = random.Random(recipe.seed)  # noqa: S311 - no secret, only a choice
    return chance.sample(known, min(len(known), max(LEAST_REPLAY, REPLAY * labels)))


def compared(
    name: str, posts: Sequence[CorpusPost], old: Sequence[Prediction], new: Sequence[Prediction], seed: int = 1
) -> list[Compared]:
    """Figures of two models on the same posts, with intervals of the difference.

    Paired percentile bootstrap over authors: posts of one author are alike.
    """
    truth = _indices([post.labels for post in posts])
    both = [
        _indices([decide(one.relevant, one.concern, one.removal, one.stance) for one in part]) for part in (old, new)
    ]
    by_author: dict[str, list[int]] = {}
    for row, post in enumerate(posts):
        by_author.setdefault(post.persona, []).append(row)
    authors, chance = [np.array(rows) for rows in by_author.values()], np.random.default_rng(seed)
    draws = [
        np.concatenate([authors[i] for i in chance.integers(0, len(authors), len(authors))]) for _ in range(ROUNDS)
    ]
    found = []
    for figure, of in FIGURES.items():
        was, now = (of(truth, one) for one in both)
        gains = [of(truth[rows], both[1][rows]) - of(truth[rows], both[0][rows]) for rows in draws]
        low, high = np.quantile(gains, [_LOW, _HIGH])
        found.append(Compared(name, len(posts), figure, was, now, float(low), float(high)))
    return found


def _indices(labels: Sequence[Labels]) -> NDArray[np.int_]:
    """(n, 4): relevant, concern, removal, stance as numbers."""
    book = codebook()
    rows = [
        (one.relevant, one.concern, book.removal.index(one.removal), book.stance.index(one.stance)) for one in labels
    ]
    return np.array(rows, int).reshape(-1, 4)


Figure = Callable[[NDArray[np.int_], NDArray[np.int_]], float]
FIGURES: dict[str, Figure] = {
    "relevance F1": lambda truth, found: metrics.f1(truth[:, 0], found[:, 0], 1),
    "concern kappa": lambda truth, found: metrics.quadratic_kappa(truth[:, 1], found[:, 1], 4),
    "removal F1": lambda truth, found: metrics.macro_f1(truth[:, 2], found[:, 2], 5),
    "stance F1": lambda truth, found: metrics.macro_f1(truth[:, 3], found[:, 3], 3),
}
