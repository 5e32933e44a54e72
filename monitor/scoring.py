"""The join of store and classifier: what is stored and has no score gets one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.classify import Prediction, Scorer, Text
from monitor.config import Topic
from monitor.records import Score
from monitor.store import Store
from monitor.store.queries import Unscored, unscored


def score_pending(store: Store, scorer: Scorer, topics: Sequence[Topic], limit: int = 256) -> int:
    """Score up to ``limit`` posts that have no score by this model; returns how many were taken up.

    A post whose text changed meanwhile keeps waiting: the store takes no score of an older text.
    """
    waiting = unscored(store, scorer.model_id, limit)
    if not waiting:
        return 0
    names = {topic.name: (topic.platform, *topic.aliases) for topic in topics}
    found = scorer.score([Text(post.text, post.context, _aliases(post.matched, names)) for post in waiting])
    store.commit_scores([_score(post, one, scorer.model_id) for post, one in zip(waiting, found, strict=True)])
    return len(waiting)


def _aliases(matched: Iterable[str], names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    topics = dict.fromkeys(rule.split("/")[0] for rule in matched)
    return tuple(dict.fromkeys(alias for topic in topics for alias in names.get(topic, ())))


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
