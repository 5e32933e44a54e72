"""Backfill from X: recent search for the last seven days, the full archive for what lies further back.

It finds SURVIVORS ONLY, as every search does: what was deleted since is missing. Every post that is read is billed, so
nothing is read twice: a search that was stopped goes on at its page, a longer window is searched only beyond the old
one. When the budget ends, the ledger says which time was not searched to its end, until it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.collect.base import rejected
from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_place import Place, decode, fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, RECENT_LIMIT, XQueries, compile_queries
from monitor.collect.x_read import Pending, next_page, oldest
from monitor.collect.x_spend import Till, affordable
from monitor.config import Topic
from monitor.errors import CollectError, Unpaid
from monitor.records import Batch, Cursor, Gap, Window

FIRST_POST = datetime(2006, 3, 21, tzinfo=UTC)  # X takes no earlier start
RECENT = timedelta(days=7)  # that recent search reaches back
RECENT_PAGE, ARCHIVE_PAGE = 100, 500
ARCHIVE_SECONDS = 1.05  # X answers one search of the full archive a second
LAG = timedelta(seconds=30)  # X takes no end nearer than 10 s, and no clock is exact
_MARGIN = timedelta(minutes=10)
_REFUSED = "search refused the query"


class SearchCollector:
    """All queries of one topic over one window, page by page, newest first.

    Args:
        api: who asks.
        topic: whose rules are searched for; ``unsayable`` tells which parts of them cannot be.
        window: by the time of the posts.
        till: what may be spent.
        archive_seconds: between two requests of the full archive.
    """

    def __init__(
        self, api: Api, topic: Topic, window: Window, till: Till, *, archive_seconds: float = ARCHIVE_SECONDS
    ) -> None:
        self._api, self._topic, self._till = api, topic, till
        start = max(window.start, FIRST_POST)
        # What lies ahead is not searched, and must not count as done.
        self._window = Window(start, max(start, min(window.end, datetime.now(UTC) - LAG)))
        self._place, self._queries = self._begun(self._window)
        self.stream = f"x:search:{topic.name}"
        self.unsayable = self._queries.unsayable
        self._archive_seconds, self._not_before = archive_seconds, 0.0
        self._closed = threading.Event()

    @property
    def progress(self) -> float:
        """Share that is done, 0 to 1."""
        return self._place.done(len(self._queries.strings))

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """One batch for each page; nothing where the whole window was searched before.

        Raises:
            Unpaid: the budget, or the credit at X, allows no further page; a last batch has noted it as a gap.
        """
        self._resume(cursor)
        pending = Pending(self.stream, self._api.settings)
        try:
            while self._has_more() and not self._closed.wait(max(0.0, self._not_before - time.monotonic())):
                try:
                    self._turn(pending)
                except Unpaid as error:
                    yield self._unpaid(pending, error)
                    raise
                except CollectError:
                    if pending.charged:
                        yield pending.batch(None)
                    raise
                self._till.note(pending.charged)
                yield pending.batch(Cursor(self.stream, self._place.encode()))
        finally:
            self._api.close()

    def close(self) -> None:
        """Make ``pull`` return after the page it is at."""
        self._closed.set()

    def _begun(self, window: Window) -> tuple[Place, XQueries]:
        limit = RECENT_LIMIT if is_recent(window.start) else ARCHIVE_LIMIT
        queries = compile_queries(self._topic, limit)
        return Place.of(window, self._window.start, fingerprint(queries.strings), limit), queries

    def _resume(self, cursor: Cursor | None) -> None:
        """Go on where an earlier search for the same from the same start stood; any other begins anew."""
        earlier = decode(cursor.value) if cursor is not None else None
        if earlier is None or earlier.since != self._place.since or earlier.end > self._place.end:
            return
        queries = compile_queries(self._topic, earlier.limit)
        if earlier.rules == fingerprint(queries.strings):
            self._place, self._queries = earlier, queries

    def _has_more(self) -> bool:
        """Is there a page to ask for? Behind a finished stretch follows what the window has beyond it."""
        if self._place.query < len(self._queries.strings):
            return self._place.start < self._place.end
        beyond = Window(self._place.window.end, self._window.end)
        if int(beyond.end.timestamp()) <= self._place.end or not self._queries.strings:
            return False
        self._place, self._queries = self._begun(beyond)
        return True

    def _turn(self, pending: Pending) -> None:
        """The next page; a query that X refuses is noted, and the others go on."""
        is_archive = self._place.limit == ARCHIVE_LIMIT or not is_recent(self._place.window.start)
        if self._place.page is not None and is_archive != self._place.is_archive:
            self._place = self._place.lost()
        try:
            answer = self._ask(is_archive=is_archive)
        except QueryRefused as error:
            self._refused(pending, error)
            return
        pending.take_answer(answer, "search", self._api.now())
        page, earliest = next_page(answer, self._place.page), oldest(answer)
        self._place = self._place.turn(page, earliest, is_archive=is_archive)
        self._fill(pending)

    def _ask(self, *, is_archive: bool) -> dict[str, Any]:
        place = self._place
        most = affordable(self._till, self._api.settings, ARCHIVE_PAGE if is_archive else RECENT_PAGE)
        search = self._api.search_all if is_archive else self._api.search
        end = datetime.fromtimestamp(place.asked_until, UTC)
        self._not_before = time.monotonic() + (self._archive_seconds if is_archive else 0.0)
        return search(self._queries.strings[place.query], place.window.start, end, most, place.page)

    def _refused(self, pending: Pending, error: QueryRefused) -> None:
        if self._place.page is not None:  # a token does not live for ever
            self._place = self._place.lost()
            return
        query = self._queries.strings[self._place.query]
        pending.rejects.append(rejected(self.stream, _REFUSED, f"{query}: {error.message}"))
        pending.gaps.append(self._gap(_REFUSED))
        self._place = replace(self._place.follow(), gap=_REFUSED, is_partial=True)

    def _unpaid(self, pending: Pending, error: Unpaid) -> Batch:
        if not self._place.gap:
            self._place = replace(self._place, gap=f"not searched to its end: {error.message}")
        pending.gaps.append(self._gap(self._place.gap))
        return pending.batch(Cursor(self.stream, self._place.encode()))

    def _fill(self, pending: Pending) -> None:
        """Behind the last page: what was noted for want of money is filled now."""
        place = self._place
        if place.query == len(self._queries.strings) and place.gap and not place.is_partial:
            pending.gaps.append(self._gap(place.gap, "search"))

    def _gap(self, why: str, filled_by: str | None = None) -> Gap:
        return Gap(self.stream, self._place.window.start, self._place.window.end, why, filled_by)


def is_recent(start: datetime) -> bool:
    """Does recent search reach back to ``start``, with time to ask it?"""
    return start > datetime.now(UTC) - RECENT + _MARGIN
