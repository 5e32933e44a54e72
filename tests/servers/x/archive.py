"""The posts that the server holds, those that are gone and why, and which of them a query finds."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tests.servers.x import query
from tests.servers.x.posts import XPost, XUser, time_of

HIDING = ("protected", "suspended")  # reasons for which X says "not authorized" rather than "not found"
_QUERIES = 64  # whose hits are kept


@dataclass(frozen=True, slots=True)
class Gone:
    """Why a post or an author cannot be seen: deleted, deactivated, protected, suspended."""

    reason: str
    at: datetime
    is_author: bool = False


class Archive:
    """All posts by id; hits of a query are kept up to date while posts come and go."""

    def __init__(self) -> None:
        self.gone: dict[str, Gone] = {}
        self.gone_authors: dict[str, Gone] = {}
        self._posts: dict[str, XPost] = {}
        self._successors: dict[str, str] = {}
        self._hits: dict[str, list[int]] = {}
        self._lock = threading.RLock()

    def hold(self, *posts: XPost) -> None:
        with self._lock:
            for post in posts:
                if post.id in self._posts:
                    self._hits.clear()
                self._posts[post.id] = post
                self._follow(post)
                for text, ids in self._hits.items():
                    if self._is_hit(text, post):
                        bisect.insort(ids, int(post.id))

    def _follow(self, post: XPost) -> None:
        """Every version of a post tells of all."""
        for old in post.versions[:-1]:
            self._successors[old] = post.id
            if old in self._posts:
                self._posts[old] = replace(self._posts[old], versions=post.versions)

    def latest(self, post_id: str) -> XPost:
        """The newest version of a post that is held under one of its ids."""
        with self._lock:
            return self._posts[self._successors.get(post_id, post_id)]

    def look_up(self, post_id: str) -> XPost | None:
        """The post with that id, an old version too; None if it is unknown or gone."""
        with self._lock:
            post = self._posts.get(post_id)
            return None if post is None or self.why_gone(post) else post

    def is_hidden(self, post_id: str) -> bool:
        """Is it there, but not to be seen?"""
        with self._lock:
            post = self._posts.get(post_id)
            gone = self.why_gone(post) if post else self.gone.get(post_id)
            return gone is not None and gone.reason in HIDING

    def why_gone(self, post: XPost) -> Gone | None:
        posts = (self.gone.get(version) for version in post.versions)
        return next((gone for gone in posts if gone), None) or self.gone_authors.get(post.author.id)

    def why_id_gone(self, post_id: str) -> Gone | None:
        """For compliance: also of posts that were never held."""
        with self._lock:
            post = self._posts.get(post_id)
            return self.why_gone(post) if post else self.gone.get(post_id)

    def authors(self) -> dict[str, XUser]:
        with self._lock:
            return {post.author.id: post.author for post in self._posts.values()}

    def newest_first(self, text: str, since: int, until: int) -> Iterator[XPost]:
        """Hits with ids from ``since`` inclusive to ``until`` exclusive that can be seen and are the last version."""
        ids = self.hits(text, since, until)
        for post_id in reversed(ids):
            post = self.look_up(str(post_id))
            if post is not None and post.id not in self._successors:
                yield post

    def hits(self, text: str, since: int, until: int) -> list[int]:
        with self._lock:
            if text not in self._hits:
                if len(self._hits) >= _QUERIES:
                    self._hits.clear()
                self._hits[text] = sorted(int(p.id) for p in self._posts.values() if self._is_hit(text, p))
            ids = self._hits[text]
            return ids[bisect.bisect_left(ids, since) : bisect.bisect_left(ids, until)]

    def times(self, text: str, since: int, until: int) -> list[datetime]:
        """When the hits were posted, newest first."""
        return [time_of(post.id) for post in self.newest_first(text, since, until)]

    def _is_hit(self, text: str, post: XPost) -> bool:
        tree = query.parse(text)
        if post.refers_to("retweeted") and query.reads_text(tree):
            return False
        return query.matches(tree, post, self._posts.get, "search")
