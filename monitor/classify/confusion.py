"""How a release errs on posts it never saw, kept beside its card: counts of its labels are corrected with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.classify.corpus import CORPUS, CorpusPost, read_corpus
from monitor.classify.evaluate import judged
from monitor.classify.prediction import Prediction
from monitor.classify.release import RELEASE, find
from monitor.classify.scorer import load
from monitor.codebook import codebook, decide
from monitor.config import Classifier
from monitor.errors import ModelError
from monitor.records import Confusion

FILE = "confusion.json"
CLEAR = 2  # from this level of concern on a post counts under "concern2"
Array = NDArray[np.float64]


def confusions(posts: Sequence[CorpusPost], found: Sequence[Prediction]) -> tuple[Confusion, ...]:
    """The confusion of each outcome.

    Contrast groups are left out: they were written so that models err on them, and what people write is not.
    """
    pairs = [(post, one) for post, one in zip(posts, found, strict=True) if not post.group]
    book = codebook()
    given = [post.labels for post, _ in pairs]
    decided = [decide(one.relevant, one.concern, one.removal, one.stance) for _, one in pairs]
    authors = np.unique([post.persona for post, _ in pairs], return_inverse=True)[1]
    relevant, concern, removal = (
        np.array([getattr(one, name) for _, one in pairs]) for name in ("relevant", "concern", "removal")
    )
    clear = concern[:, CLEAR:].sum(axis=1)
    return (
        _confusion(
            "relevant", ("no", "yes"), *_places(given, decided, lambda one: one.relevant), _two(relevant), authors
        ),
        _confusion(
            "concern2", ("no", "yes"), *_places(given, decided, lambda one: one.concern >= CLEAR), _two(clear), authors
        ),
        _confusion(
            "removal",
            book.removal,
            *_places(given, decided, lambda one: book.removal.index(one.removal)),
            removal,
            authors,
        ),
    )


def keep_confusions(settings: Classifier, on_build: Callable[[str], None]) -> Path:
    """Measure the release that ``settings`` name, without training it again; returns the file.

    Raises:
        ModelError: as ``load``.
    """
    folder, scorer = find(settings.model), load(settings, on_build)
    posts = read_corpus(CORPUS).split("heldout")
    save_confusions(folder, scorer.model_id, confusions(posts, judged(scorer, posts)))
    return folder / FILE


def save_confusions(folder: Path, model_id: str, found: Sequence[Confusion]) -> None:
    """Write them beside the card of the release ``model_id``."""
    rows = {"model_id": model_id, "outcomes": [asdict(one) for one in found]}
    (folder / FILE).write_text(json.dumps(rows) + "\n", encoding="utf-8")


def read_confusions(model_id: str, folder: Path = RELEASE) -> tuple[Confusion, ...]:
    """What is known of the release in ``folder``; nothing where it has none, or one of another model.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        rows = json.loads(path.read_text("utf-8"))
        if rows["model_id"] != model_id:
            return ()
        return tuple(Confusion(**{name: _frozen(value) for name, value in row.items()}) for row in rows["outcomes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error!r}", "Measure it again: monitor evaluate --keep") from None


def _places(given: Any, decided: Any, of: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array([int(of(one)) for one in given]), np.array([int(of(one)) for one in decided])


def _two(yes: Array) -> Array:
    return np.stack([1 - yes, yes], axis=1)


def _confusion(
    outcome: str,
    classes: Sequence[str],
    true: NDArray[np.int64],
    predicted: NDArray[np.int64],
    scores: Array,
    authors: NDArray[np.int64],
) -> Confusion:
    k = len(classes)
    matrix = np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)
    parts = [(scores[true == j], authors[true == j]) for j in range(k)]
    means = [part.mean(axis=0) if len(part) else np.zeros(k) for part, _ in parts]
    spreads = [np.cov(part.T) if len(part) > 1 else np.zeros((k, k)) for part, _ in parts]
    return Confusion(
        outcome,
        tuple(classes),
        _frozen(matrix.tolist()),
        _frozen(np.round(means, 6).tolist()),
        _frozen(np.round(spreads, 8).tolist()),
        tuple(round(_effect(part, of), 3) for part, of in parts),
    )


def _effect(scores: Array, authors: NDArray[np.int64]) -> float:
    """The variance of a mean over authors, by that over posts (Kish 1965)."""
    if len(scores) < 2:
        return 1.0
    off = scores - scores.mean(axis=0)
    sums = np.zeros((authors.max() + 1, scores.shape[1]))
    np.add.at(sums, authors, off)
    return max(1.0, float((sums**2).sum() / max((off**2).sum(), 1e-12)))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
