"""A yardstick that learns from the same posts: TF-IDF of words and letters, and logistic regression for each head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.classify.corpus import CORPUS, CorpusPost, read_corpus
from monitor.classify.prediction import Likelihoods, Prediction, predictions
from monitor.classify.prepare import prepare
from monitor.codebook import codebook
from monitor.errors import ModelError


def word_regression(posts: Sequence[CorpusPost]) -> list[Prediction]:
    """Trained on the shipped corpus when first asked (half a minute); text and context count as features of their own.

    Raises:
        ModelError: scikit-learn is not installed.
    """
    judge: Callable[[Sequence[CorpusPost]], list[Prediction]] = _judge()
    return judge(posts)


@cache
def _judge() -> Any:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_union
    except ImportError:
        raise ModelError("The regression to compare with is not installed", "pip install -e '.[dev]'") from None
    from scipy.sparse import hstack

    def features() -> Any:
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, dtype=np.float32)
        return make_union(TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32), letters)

    known = read_corpus(CORPUS).split("train")
    of_text, of_context = features(), features()
    rows = hstack([of_text.fit_transform(_texts(known)), of_context.fit_transform(_contexts(known))]).tocsr()
    heads = {}
    for head, (chosen, labels) in lessons(known).items():
        heads[head] = LogisticRegression(C=8.0, class_weight="balanced", max_iter=400).fit(rows[chosen], labels)

    def judge(posts: Sequence[CorpusPost]) -> list[Prediction]:
        given = hstack([of_text.transform(_texts(posts)), of_context.transform(_contexts(posts))]).tocsr()
        return heads_predictions({head: fitted.predict_proba(given) for head, fitted in heads.items()})

    return judge


def lessons(known: Sequence[CorpusPost]) -> dict[str, tuple[NDArray[np.int_], NDArray[np.int_]]]:
    """By head: the places of the posts that teach it, and their labels; only relevant posts teach the last three."""
    book, found = codebook(), [post.labels for post in known]
    targets = {
        "relevant": [labels.relevant for labels in found],
        "concern": [labels.concern for labels in found],
        "removal": [book.removal.index(labels.removal) for labels in found],
        "stance": [book.stance.index(labels.stance) for labels in found],
    }
    chosen = dict.fromkeys(targets, np.flatnonzero(targets["relevant"])) | {"relevant": np.arange(len(known))}
    return {head: (chosen[head], np.array(target)[chosen[head]]) for head, target in targets.items()}


def heads_predictions(found: Mapping[str, NDArray[np.float64]]) -> list[Prediction]:
    """The probabilities of four separate heads, each (n, classes), as predictions."""
    return predictions(Likelihoods(found["relevant"][:, 1], found["concern"], found["removal"], found["stance"]))


def _texts(posts: Sequence[CorpusPost]) -> list[str]:
    return [prepare(post.text, post.names) for post in posts]


def _contexts(posts: Sequence[CorpusPost]) -> list[str]:
    return [prepare(post.context or "", post.names) for post in posts]
