"""The join of store and classifier: what is stored and has no score gets one."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from monitor.classify import Prediction, Scorer, Text
from monitor.classify.prepare import names_of
from monitor.config import Topic
from monitor.records import Score
from monitor.store import Store
from monitor.store.queries import Unscored, shown_models, unscored

log = logging.getLogger(__name__)


def score_pending(
    store: Store, scorer: Scorer, topics: Sequence[Topic], limit: int = 256, *, is_anew: bool = True
) -> int:
    """Score up to ``limit`` posts that have no score by this model; returns how many were taken up.

    Scores of an earlier model stay on the pages until this one has scored everything, and are then replaced all at
    once; only posts that have none (new ones, edited ones) show this model's at once. Cut off, it goes on where it was.
    A post whose text changed meanwhile keeps waiting: the store takes no score of an older text.

    ``is_anew`` False leaves alone what an earlier model has scored.
    """
    waiting = unscored(store, scorer.model_id if is_anew else None, limit)
    if not waiting:
        if is_anew and set(shown_models(store)) - {scorer.model_id}:
            store.switch_scores(scorer.model_id)
            log.info("every post has been scored by %s; the pages show its scores now", scorer.model_id)
        return 0
    found = scorer.score([Text(post.text, post.context, names_of(topics, post.matched)) for post in waiting])
    store.commit_scores([_score(post, one, scorer.model_id) for post, one in zip(waiting, found, strict=True)])
    return len(waiting)


def _score(post: Unscored, found: Prediction, model_id: str) -> Score:
    return Score(
        post.platform,  # type: ignore[arg-type]  # the store holds no other platform
        post.post_id,
        found.relevant,
        found.concern,
        found.removal,
        found.stance,
        model_id,
        post.revision,
    )
