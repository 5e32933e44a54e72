"""Backfill from X: recent search for the last seven days, the full archive for what lies further back.

It finds SURVIVORS ONLY, as every search does: what was deleted since is missing. Every post that is read is billed.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from monitor.collect.base import rejected
from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_query import compile_queries
from monitor.collect.x_read import Pending
from monitor.collect.x_spend import Till, affordable
from monitor.config import Topic
from monitor.errors import CollectError
from monitor.records import Batch, Cursor, Gap, Window

RECENT = timedelta(days=7)  # that recent search reaches back
RECENT_LIMIT, ARCHIVE_LIMIT = 512, 1_024  # characters of a query
RECENT_PAGE, ARCHIVE_PAGE = 100, 500
_MARGIN = timedelta(minutes=10)
_LAG = timedelta(seconds=30)  # no search looks at what is newer


@dataclass(frozen=True, slots=True)
class _Place:
    """Which query of which window, and the token of its next page."""

    start: float
    end: float
    limit: int
    query: int = 0
    page: str | None = None


class SearchCollector:
    """All queries of one topic over one window, page by page, newest first.

    Args:
        api: who asks.
        topic: whose rules are searched for; ``unsayable`` tells which parts of them cannot be.
        window: by the time of the posts.
        till: what may be spent.
    """

    def __init__(self, api: Api, topic: Topic, window: Window, till: Till) -> None:
        self._api, self._till = api, till
        now = datetime.now(UTC)
        end = max(window.start, min(window.end, now - _LAG))
        self._is_recent = window.start > now - RECENT + _MARGIN
        limit = RECENT_LIMIT if self._is_recent else ARCHIVE_LIMIT
        self._queries = compile_queries(topic, limit)
        self._place = _Place(window.start.timestamp(), end.timestamp(), limit)
        self._window = Window(window.start, end)
        self.stream = f"x:search:{topic.name}"
        self.unsayable = self._queries.unsayable
        self._closed = threading.Event()

    @property
    def progress(self) -> float:
        """Share of the queries that is done, 0 to 1."""
        return self._place.query / max(1, len(self._queries.strings))

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """One batch for each page; nothing where the whole window was searched before.

        Raises:
            Unpaid: the budget, or the credit at X, allows no further page.
        """
        self._place = self._resumed(cursor)
        pending = Pending(self.stream, self._api.settings)
        try:
            while self._place.query < len(self._queries.strings) and not self._closed.is_set():
                self._turn(pending)
                self._till.note(pending.charged)
                yield pending.batch(Cursor(self.stream, orjson.dumps(asdict(self._place)).decode()))
        finally:
            self._api.close()

    def close(self) -> None:
        """Make ``pull`` return after the page it is at."""
        self._closed.set()

    def _resumed(self, cursor: Cursor | None) -> _Place:
        """Where an interrupted search of the same window stood; another window is searched from its start."""
        if cursor is None:
            return self._place
        try:
            place = _Place(**orjson.loads(cursor.value))
        except (ValueError, TypeError):
            raise CollectError(f"the cursor of {cursor.stream} cannot be read: {cursor.value[:100]}") from None
        same = (place.start, place.limit) == (self._place.start, self._place.limit)
        return place if same and place.query < len(self._queries.strings) else self._place

    def _turn(self, pending: Pending) -> None:
        """The next page; a query that X refuses is noted, and the others go on."""
        place, query = self._place, self._queries.strings[self._place.query]
        try:
            answer = self._ask(query, place)
        except QueryRefused as error:
            pending.rejects.append(rejected(self.stream, "search refused the query", f"{query}: {error.message}"))
            pending.gaps.append(Gap(self.stream, self._window.start, self._window.end, "search refused the query"))
            self._place = _Place(place.start, place.end, place.limit, place.query + 1)
            return
        pending.take_answer(answer, "search")
        page = (answer.get("meta") or {}).get("next_token")
        following = place.query if page else place.query + 1
        self._place = _Place(place.start, place.end, place.limit, following, page)

    def _ask(self, query: str, place: _Place) -> dict[str, Any]:
        start, end = (datetime.fromtimestamp(at, UTC) for at in (place.start, place.end))
        most = affordable(self._till, self._api.settings, RECENT_PAGE if self._is_recent else ARCHIVE_PAGE)
        search = self._api.search if self._is_recent else self._api.search_all
        return search(query, start, end, most, place.page)
