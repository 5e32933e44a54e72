"""Backfill: what Bluesky's search still finds of a topic in a window of the past.

It finds SURVIVORS ONLY. Deleted posts, deleted accounts and hidden ones are gone from the index, so a backfill
undercounts the people who left, which is the very thing this program is about. Posts that match only by what the
search cannot say (see ``bluesky_query``) are missing too. Whatever shows backfilled time must say so.

One query gives 10,000 hits at most, so a window that holds more (told by how far back its pages reach) is split until
it fits. Staff call the endpoint one for human searches: one page at a time, with a pause between.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.collect import bluesky_plan, json_text
from monitor.collect.base import Malformed, rejected
from monitor.collect.bluesky_faults import Refused
from monitor.collect.bluesky_plan import Plan, Task
from monitor.collect.bluesky_query import compile_queries
from monitor.collect.bluesky_record import build_from_view
from monitor.collect.bluesky_session import Session, logged_in
from monitor.collect.match import Matcher
from monitor.config import Bluesky, Secrets, Topic
from monitor.errors import CollectError
from monitor.records import Batch, Cursor, Gap, Post, Rejected, Window

SURVIVORS_ONLY = "A backfill finds survivors only: what was deleted since, and everybody who left, is missing from it."
WALL = 10_000  # hits that one query gives at most
PAGE = 100
SHORTEST_WINDOW = timedelta(minutes=1)
_MOST_PARTS = 64
_MOST_PAGES = 500  # of a wide query, before narrower ones are asked instead
_URIS = 25  # that getPosts takes


class SearchCollector:
    """All sayable queries of one topic over one window, page by page.

    Args:
        settings, secrets: where to log in, and as whom.
        topic: whose rules are searched for; ``unsayable`` tells which parts of them cannot be.
        window: by the time that the search sorts by, the earlier of created and indexed.
        session_path: file that keeps the session.
        matcher: with it the parents of matching replies are looked up for their text.
        wall: hits that one query gives at most.

    Raises:
        AuthError: no credentials are set.
    """

    def __init__(
        self,
        settings: Bluesky,
        secrets: Secrets,
        topic: Topic,
        window: Window,
        session_path: Path,
        *,
        matcher: Matcher | None = None,
        wall: int = WALL,
    ) -> None:
        self._queries = compile_queries(topic)
        self.stream = f"bluesky:search:{topic.name}"
        self.unsayable = self._queries.unsayable
        # What lies ahead is not searched, and must not count as done.
        self.window = window = Window(window.start, max(window.start, min(window.end, datetime.now(UTC))))
        self._session = logged_in(settings, secrets, session_path)
        self._pause_seconds = settings.search_pause_seconds
        self._matcher = matcher
        self._wall = wall
        self._closed = threading.Event()
        self._left = self._total = self._queries.wide * (window.end - window.start)

    @property
    def progress(self) -> float:
        """Share of the time to be searched that is done, 0 to 1, summed over the queries."""
        return 1 - self._left / self._total if self._total else 1.0

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """One batch for each page of hits; nothing where the whole window was searched before."""
        earlier = bluesky_plan.decode(cursor.value) if cursor else None
        plan = bluesky_plan.make(self._queries, self.window, earlier)
        known: set[str] = set()
        try:
            while plan.tasks and not self._closed.is_set():
                began = time.monotonic()
                batch, plan = self._turn(plan, known)
                self._left, self._total = plan.left, max(plan.left, self._total)
                yield replace(batch, cursor=Cursor(self.stream, plan.encode()))
                self._closed.wait(max(0.0, self._pause_seconds - (time.monotonic() - began)) if plan.tasks else 0.0)
        finally:
            self._session.close()

    def close(self) -> None:
        """Make ``pull`` return after the page it is at."""
        self._closed.set()

    def _turn(self, plan: Plan, known: set[str]) -> tuple[Batch, Plan]:
        """The next page as a batch, and what is left after it. ``known`` are the ids that the task gave already."""
        if plan.page is None:
            known.clear()
        try:
            answer = self._session.query("app.bsky.feed.searchPosts", self._params(plan))
        except Refused as error:
            return self._refused(plan, error)
        hits = answer.get("posts")
        if not isinstance(hits, list):
            raise CollectError(f"{self._session.service_url} answered a search without posts")
        posts, rejects = self._read(hits, known)
        gaps, rest = self._advance(plan, answer, posts)
        return Batch(self.stream, posts=self._with_parents(posts), rejected=rejects, gaps=gaps), rest

    def _params(self, plan: Plan) -> dict[str, Any]:
        task = plan.tasks[0]
        params = {"q": self._queries.strings[task.query], "sort": "latest", "limit": PAGE}
        params |= {"since": _spelt(task.window.start), "until": _spelt(task.window.end)}
        return params | ({"cursor": plan.page} if plan.page is not None else {})

    def _refused(self, plan: Plan, error: Refused) -> tuple[Batch, Plan]:
        """A page refused far down is the wall; any other refusal ends this task alone, and the others go on."""
        if 2 * plan.asked >= self._wall:
            gaps, rest = self._at_wall(plan, ())
            return Batch(self.stream, gaps=gaps), rest
        task, why = plan.tasks[0], "search refused the query"
        refusal = rejected(self.stream, why, f"{self._queries.strings[task.query]}: {error}")
        gaps = () if plan.page is None else (Gap(self.stream, task.window.start, task.window.end, why),)
        return Batch(self.stream, rejected=(refusal,), gaps=gaps), plan.follow()

    def _read(self, hits: list[Any], known: set[str]) -> tuple[tuple[Post, ...], tuple[Rejected, ...]]:
        posts, rejects, now = [], [], datetime.now(UTC)
        for hit in hits:
            try:
                post = build_from_view(hit, measured_at=now, source="search")
            except Malformed as error:
                rejects.append(rejected(self.stream, error.why, json_text.write(hit), now))
                continue
            if post.post_id not in known:
                known.add(post.post_id)
                posts.append(post)
        return tuple(posts), tuple(rejects)

    def _advance(self, plan: Plan, answer: dict[str, Any], posts: Sequence[Post]) -> tuple[tuple[Gap, ...], Plan]:
        task, page, asked = plan.tasks[0], answer.get("cursor"), plan.asked + PAGE
        expected = _expected(task.window, asked, answer, posts)
        narrower = self._queries.narrower.get(task.query, ())
        if narrower and expected > PAGE * max(_MOST_PAGES, 2 * len(narrower)):
            return (), plan.follow(tuple(Task(query, task.window) for query in narrower))
        reached = int(plan.page) + PAGE if plan.page is not None and plan.page.isdecimal() else asked
        if reached + PAGE > self._wall:  # and no cursor says nothing there: the real server ends as if it had no more
            return self._at_wall(plan, posts)
        if not isinstance(page, str) or not page or page == plan.page:
            return (), plan.follow()
        if expected > self._wall:
            parts = task.split(min(_MOST_PARTS, math.ceil(2 * expected / self._wall)), SHORTEST_WINDOW)
            if len(parts) > 1:
                return (), plan.follow(parts)
        return (), plan.turn(page, asked)

    def _at_wall(self, plan: Plan, posts: Sequence[Post]) -> tuple[tuple[Gap, ...], Plan]:
        """Search the window in halves; one that cannot be split any more stays incomplete, which the ledger says."""
        task = plan.tasks[0]
        halves = task.split(2, SHORTEST_WINDOW)
        # A server that ignores the window would give the same hits for each half, without end.
        if len(halves) > 1 and 2 * len(_inside(posts, task.window)) >= len(posts):
            return (), plan.follow(halves)
        return (Gap(self.stream, task.window.start, task.window.end, "search wall"),), plan.follow()

    def _with_parents(self, posts: tuple[Post, ...]) -> tuple[Post, ...]:
        """The posts, matching replies with the text they answer to where it still exists."""
        orphans = {post.post_id: post.reply_to for post in posts if post.reply_to and self._matches(post)}
        texts = parent_texts(self._session, sorted(set(orphans.values())))
        return tuple(replace(post, context=texts.get(orphans.get(post.post_id, ""), post.context)) for post in posts)

    def _matches(self, post: Post) -> bool:
        return self._matcher is not None and bool(self._matcher.match_post(post))


def parent_texts(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Texts of those posts of ``ids`` that still exist, by id; one request for 25 of them."""
    texts, now = {}, datetime.now(UTC)
    for start in range(0, len(ids), _URIS):
        answer = session.query("app.bsky.feed.getPosts", {"uris": list(ids[start : start + _URIS])})
        for view in answer.get("posts") or ():
            try:
                post = build_from_view(view, measured_at=now, source="search")
            except Malformed:
                continue
            texts[post.post_id] = post.text
    return texts


def _expected(window: Window, asked: int, answer: dict[str, Any], posts: Sequence[Post]) -> float:
    """Hits in the window: what the server says, or as many for all of it as for the part that was asked up to here."""
    total = answer.get("hitsTotal")
    if isinstance(total, int):
        return total
    inside = _inside(posts, window)
    if len(inside) < PAGE / 2:
        return 0
    return asked * (window.end - window.start) / (window.end - min(inside))


def _inside(posts: Sequence[Post], window: Window) -> list[datetime]:
    """The times that the search sorts by, of those posts that lie in the window."""
    times = (min(post.created_at or post.observed_at, post.observed_at) for post in posts)
    return [at for at in times if window.start <= at < window.end]


def _spelt(at: datetime) -> str:
    """A bare date is refused, in spite of the documentation (bluesky-social/atproto#3021)."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
