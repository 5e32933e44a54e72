"""A yardstick that learns from the same posts: TF-IDF of words and letters, and logistic regression for each head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

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

    book, known = codebook(), read_corpus(CORPUS).split("train")
    of_text, of_context = features(), features()
    rows = hstack([of_text.fit_transform(_texts(known)), of_context.fit_transform(_contexts(known))]).tocsr()
    is_relevant = np.array([post.labels.relevant for post in known]) == 1
    targets = {
        "relevant": [post.labels.relevant for post in known],
        "concern": [post.labels.concern for post in known],
        "removal": [book.removal.index(post.labels.removal) for post in known],
        "stance": [book.stance.index(post.labels.stance) for post in known],
    }
    heads = {}
    for head, target in targets.items():
        chosen = np.arange(len(known)) if head == "relevant" else np.flatnonzero(is_relevant)
        fitted = LogisticRegression(C=8.0, class_weight="balanced", max_iter=400)
        heads[head] = fitted.fit(rows[chosen], np.array(target)[chosen])

    def judge(posts: Sequence[CorpusPost]) -> list[Prediction]:
        given = hstack([of_text.transform(_texts(posts)), of_context.transform(_contexts(posts))]).tocsr()
        found = {head: fitted.predict_proba(given) for head, fitted in heads.items()}
        return predictions(Likelihoods(found["relevant"][:, 1], found["concern"], found["removal"], found["stance"]))

    return judge


def _texts(posts: Sequence[CorpusPost]) -> list[str]:
    return [prepare(post.text, post.names) for post in posts]


def _contexts(posts: Sequence[CorpusPost]) -> list[str]:
    return [prepare(post.context or "", post.names) for post in posts]
