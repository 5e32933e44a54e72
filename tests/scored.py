"""Scores for stored posts, as a classifier would have committed them."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.codebook import codebook
from monitor.records import Post, Score
from monitor.store import Store
from monitor.store.queries import unscored

MODEL = "test-model"


def score(
    store: Store,
    posts: Iterable[Post],
    *,
    relevant: float = 0.95,
    concern: int = 2,
    removal: str = "none",
    stance: str = "critical",
    model: str = MODEL,
) -> None:
    """Give each post all its probability on one label of each kind."""
    revisions = {(u.platform, u.post_id): u.revision for u in unscored(store, model, 10**6)}
    book = codebook()
    store.commit_scores(
        [
            Score(
                platform=post.platform,
                post_id=post.post_id,
                relevant=relevant,
                concern=_all_on(book.concern, concern),
                removal=_all_on(book.removal, removal),
                stance=_all_on(book.stance, stance),
                model_id=model,
                revision=revisions[post.key],
            )
            for post in posts
        ]
    )


def _all_on(values: tuple[object, ...], label: object) -> tuple[float, ...]:
    return tuple(float(value == label) for value in values)
