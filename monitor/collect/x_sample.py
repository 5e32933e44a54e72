"""A sample of X's past: the slices of time that were drawn, each read whole, every post with its weight.

Which slices is decided before (``monitor.analyse.sampling``) and kept in the store, so that a stopped sample goes on
with what was drawn, and nobody can draw until the result pleases.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, RECENT_LIMIT, compile_queries
from monitor.collect.x_read import Pending, next_page
from monitor.collect.x_search import ARCHIVE_PAGE, ARCHIVE_SECONDS, RECENT_PAGE, is_recent
from monitor.collect.x_spend import Till, affordable
from monitor.config import Topic
from monitor.errors import CollectError
from monitor.records import Batch, Cursor, Gap, Slice, Window


@dataclass(frozen=True, slots=True)
class Turn:
    """The next page: of which slice, of which query. ``page`` is X's token, None for the first.

    ``rules`` is the fingerprint of the queries among which ``query`` counts.
    """

    slice: int = 0
    query: int = 0
    page: str | None = None
    rules: str = ""


def stream_of(topic: Topic, window: Window, posts: int) -> str:
    """The name of the sample of ``posts`` of a window under the topic's rules: who asks for the same gets the same."""
    edges = (window.start.isoformat(), window.end.isoformat(), str(posts))
    return f"{stream_of_topic(topic)}{fingerprint((*edges, *compile_queries(topic, ARCHIVE_LIMIT).strings))}"


def stream_of_topic(topic: Topic) -> str:
    """With what the names of all samples of a topic begin."""
    return f"x:sample:{topic.name}:"


def unread(stream: str, window: Window, posts: int) -> Gap:
    """What the ledger holds of a sample of ``posts`` from its draw until its last slice is read."""
    return Gap(stream, window.start, window.end, f"sample {posts}: not yet read whole")


class SampleCollector:
    """The slices of one sample, one after the other.

    Args:
        api: who asks.
        topic: whose rules are searched for; ``unsayable`` tells which parts of them cannot be.
        unread: the ledger's gap, with the name of the sample; filled with the last slice.
        slices: what was drawn, the earliest first.
        till: what may be spent.
        archive_seconds: between two requests of the full archive.
    """

    def __init__(
        self,
        api: Api,
        topic: Topic,
        unread: Gap,
        slices: Sequence[Slice],
        till: Till,
        *,
        archive_seconds: float = ARCHIVE_SECONDS,
    ) -> None:
        self.stream, self.topic, self._unread = unread.stream, topic, unread
        self._api, self._slices, self._till = api, slices, till
        # All slices by the same queries: a shorter limit cuts the topic into other ones.
        self._is_recent = bool(slices) and is_recent(slices[0].window.start)
        queries = compile_queries(topic, RECENT_LIMIT if self._is_recent else ARCHIVE_LIMIT)
        self._queries, self.unsayable = queries.strings, queries.unsayable
        self._rules = fingerprint(self._queries)
        self._pause = 0.0 if self._is_recent else archive_seconds
        self._turn, self._not_before = Turn(), 0.0
        self._closed = threading.Event()

    @property
    def progress(self) -> float:
        """Share that is done, 0 to 1."""
        return self._turn.slice / len(self._slices) if self._slices else 1.0

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """One batch for each page; nothing where all was read before.

        Raises:
            Unpaid: the budget, or the credit at X, allows no further page.
            CollectError: X refused a query; a sample with holes that nobody drew is none.
        """
        self._turn = self._resumed(_turn_of(cursor))
        pending = Pending(self.stream, self._api.settings)
        try:
            while self._has_more() and not self._closed.wait(max(0.0, self._not_before - time.monotonic())):
                try:
                    self._read(pending)
                except CollectError:
                    if pending.charged:
                        yield pending.bill()
                    raise
                finally:
                    self._till.note(pending.charged)
                yield pending.batch(Cursor(self.stream, orjson.dumps(asdict(self._turn)).decode()))
        finally:
            self._api.close()

    def close(self) -> None:
        """Make ``pull`` return after the page it is at."""
        self._closed.set()

    def _resumed(self, turn: Turn) -> Turn:
        """A week makes other queries of the same rules: what is read of a slice by the old ones is read again."""
        return turn if turn.rules == self._rules else Turn(turn.slice, rules=self._rules)

    def _has_more(self) -> bool:
        return bool(self._queries) and self._turn.slice < len(self._slices)

    def _read(self, pending: Pending) -> None:
        turn = self._turn
        try:
            answer = self._ask(turn)
        except QueryRefused as error:
            if turn.page is None:
                raise CollectError(error.message, error.hint) from None
            self._turn = replace(turn, page=None)  # a token does not live for ever
            return
        found = {post.post_id for post in pending.take_answer(answer, "search", self._api.now())}
        page = next_page(answer, turn.page)
        weight = self._slices[turn.slice].weight
        pending.posts = [replace(p, sample_weight=weight) if p.post_id in found else p for p in pending.posts]
        if page is not None:
            self._turn = replace(turn, page=page)
        elif turn.query + 1 < len(self._queries):
            self._turn = replace(turn, query=turn.query + 1, page=None)
        else:
            self._turn = Turn(turn.slice + 1, rules=self._rules)
            if not self._has_more():
                pending.gaps.append(replace(self._unread, filled_by="search"))

    def _ask(self, turn: Turn) -> dict[str, Any]:
        window = self._slices[turn.slice].window
        most = affordable(self._till, self._api.settings, RECENT_PAGE if self._is_recent else ARCHIVE_PAGE)
        search = self._api.search if self._is_recent else self._api.search_all
        self._not_before = time.monotonic() + self._pause
        return search(self._queries[turn.query], window.start, window.end, most, turn.page)


def _turn_of(cursor: Cursor | None) -> Turn:
    try:
        return Turn(**orjson.loads(cursor.value)) if cursor is not None else Turn()
    except (ValueError, TypeError):
        raise CollectError(f"the cursor of {cursor.stream if cursor else ''} cannot be read") from None
