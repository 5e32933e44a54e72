"""Which stored posts have their replies, quotes and reposts collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from monitor.config import THREAD_RULE
from monitor.records import AccountStatus, Deletion, Post
from monitor.store import Store
from monitor.store.queries import watched


@lru_cache(maxsize=1_000)  # one tuple for all posts that matched the same
def _topics(rules: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.split("/")[0] for rule in rules))


class Watch:
    """Post ids with the topics they matched, dropped when the stream's own time is ``days`` past them.

    A reply that was collected for its thread is watched as well, so a conversation is followed to its end.

    Args:
        days: how long a post is watched; 0 watches none.
        topics: post ids to begin with, counted as of today.
    """

    def __init__(self, days: int, topics: Mapping[str, Iterable[str]] | None = None) -> None:
        self._days = days
        self._by_day: dict[int, dict[str, tuple[str, ...]]] = {}
        self._newest = date.min.toordinal()
        today = datetime.now(UTC).toordinal()
        for post_id, names in (topics or {}).items():
            self._add(post_id, tuple(names), today)

    @classmethod
    def of(cls, store: Store, platform: str, days: int) -> Watch:
        """What the store holds of a platform."""
        return cls(days, watched(store, platform, datetime.now(UTC) - timedelta(days=days)) if days else None)

    def refresh(self, store: Store, platform: str) -> None:
        """Watch also what other processes stored meanwhile: a backfill, an import."""
        today = datetime.now(UTC).toordinal()
        found = watched(store, platform, datetime.now(UTC) - timedelta(days=self._days)) if self._days else {}
        for post_id, names in found.items():
            if not self._topics_of(post_id):
                self._add(post_id, names, today)

    def __len__(self) -> int:
        return sum(map(len, self._by_day.values()))

    def rules_of(self, post: Post) -> tuple[str, ...]:
        """ "topic/thread" for every topic that a parent of the post matched."""
        if not self._by_day:
            return ()
        topics = {topic for parent in post.parents for topic in self._topics_of(parent)}
        return tuple(f"{topic}/{THREAD_RULE}" for topic in sorted(topics))

    def add(self, post: Post) -> None:
        """Watch a post that matched; nobody replies to a repost."""
        if post.kind != "repost" and post.matched:
            self._add(post.post_id, _topics(post.matched), post.observed_at.toordinal())

    def forget(self, end: Deletion | AccountStatus) -> bool:
        """A post, or an account with all its posts, is gone; True when something was watched."""
        if isinstance(end, Deletion):
            return self._forget(end.post_id)
        if end.status != "deleted":
            return False
        start = f"at://{end.author_id}/"
        gone = [post_id for ids in self._by_day.values() for post_id in ids if post_id.startswith(start)]
        return sum(map(self._forget, gone)) > 0

    def _forget(self, post_id: str) -> bool:
        return sum(ids.pop(post_id, None) is not None for ids in self._by_day.values()) > 0

    def _topics_of(self, post_id: str) -> tuple[str, ...]:
        return next((ids[post_id] for ids in self._by_day.values() if post_id in ids), ())

    def _add(self, post_id: str, topics: tuple[str, ...], day: int) -> None:
        self._newest = max(self._newest, day)
        if day > self._newest - self._days:
            self._by_day.setdefault(day, {})[post_id] = topics
        for past in [d for d in self._by_day if d <= self._newest - self._days]:
            del self._by_day[past]
