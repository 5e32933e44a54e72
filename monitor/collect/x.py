"""X live: the filtered stream, and recent search for what it missed.

X's stream cannot be resumed. After every loss, of the connection or of this program, recent search is asked for what
lies between the last post and the moment the stream was back, and only then does the cursor move on. What the search
could not fill (too long ago, no budget) stays in the ledger as an unfilled gap, with the reason.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_query import RECENT_LIMIT, compile_queries, compile_stream, reconcile
from monitor.collect.x_read import Pending
from monitor.collect.x_search import RECENT, RECENT_PAGE
from monitor.collect.x_spend import Till, affordable
from monitor.collect.x_stream import Connection, Pace
from monitor.config import Topic
from monitor.errors import AuthError, CollectError, RateLimited, StreamEnded, Unpaid
from monitor.records import Batch, Cursor, Gap

STREAM = "x:live"
LINES = 1_000  # in one batch at most
_REWIND = timedelta(seconds=15)  # posts come unordered and seconds late; a page of search holds 100 of them
LAG_SECONDS = 45.0  # after which recent search knows what the stream missed; it takes no end nearer than 10 s
_ATTEMPTS = 6  # at one page, the last after some 45 minutes
_NOT_RUNNING = "the program was not running"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where everything that X sends has been taken, and since when the stream has been waited for."""

    at: datetime

    @classmethod
    def of(cls, cursor: Cursor) -> Position:
        """Read what ``cursor()`` wrote.

        Raises:
            CollectError: it was written by something else.
        """
        try:
            return cls(datetime.fromtimestamp(orjson.loads(cursor.value)["at"], UTC))
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            raise CollectError(f"the cursor of {cursor.stream} cannot be read: {cursor.value[:100]}") from None

    def cursor(self) -> Cursor:
        """The position as the store keeps it."""
        return Cursor(STREAM, orjson.dumps({"at": self.at.timestamp()}).decode(), self.at)


class StreamCollector:
    """The filtered stream of one app.

    Args:
        api: who asks.
        topics: compiled into rules; ``unsayable`` tells what of them X's language cannot say.
        till: what may be spent.
        flush_seconds: how long lines are gathered into one batch.
        lag_seconds: how long after a loss the search is asked what was missed.
        pace: how often may be connected.
    """

    stream = STREAM

    def __init__(
        self,
        api: Api,
        topics: Sequence[Topic],
        till: Till,
        *,
        flush_seconds: float = 0.5,
        lag_seconds: float = LAG_SECONDS,
        pace: Pace | None = None,
    ) -> None:
        self._api, self._till = api, till
        self._rules = compile_stream(topics)
        self._queries = tuple(query for topic in topics for query in compile_queries(topic, RECENT_LIMIT).strings)
        self.unsayable = self._rules.unsayable
        self._flush_seconds, self._lag_seconds = flush_seconds, lag_seconds
        self._pace = pace or Pace()
        self._why = _NOT_RUNNING
        self._has_connected = False
        self._closed = threading.Event()

    def close(self) -> None:
        """Make a running ``pull`` return within seconds."""
        self._closed.set()

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """Batches of ``flush_seconds`` or 1,000 lines; empty ones when nothing came.

        Raises:
            StreamEnded, RateLimited, Unpaid, AuthError: the stream is lost; the last batch said so with an open gap.
        """
        at = Position.of(cursor).at if cursor is not None else None
        self._at = at or datetime.now(UTC)
        pending = Pending(STREAM, self._api.settings)
        self._pace.take()  # too soon: what was lost is in the ledger already, with its own reason
        try:
            self._till.check()
            changes = reconcile(self._rules.rules, self._api.rules())
            self._api.change_rules(changes.add, changes.delete)
            with Connection(self._api) as connection:
                self._has_connected = True
                try:
                    yield from self._read(connection, pending, missed_since=at)
                finally:  # it is paid for
                    pending.take_lines(connection.left())
            yield pending.batch(None)
        except (CollectError, QueryRefused) as error:
            self._why = error.message
            pending.gaps.append(Gap(STREAM, self._at, None, error.message))
            yield pending.batch(Position(self._at).cursor())
            raise self._lasting(error) from None
        finally:
            self._api.close()

    def _read(self, connection: Connection, pending: Pending, missed_since: datetime | None) -> Iterator[Batch]:
        filler = _Filler(self._api, self._queries, self._till, pending, missed_since, self._why, self._lag_seconds)
        flush_at = time.monotonic() + self._flush_seconds
        lines = 0
        while not self._closed.is_set():
            line = connection.receive(0.0 if filler.is_due else flush_at - time.monotonic())
            if line is not None:
                self._take(line, pending)
                lines += 1
            elif filler.is_due:
                filler.ask()
            elif time.monotonic() - connection.heard_at >= self._api.settings.silence_seconds:
                raise StreamEnded(f"no heartbeat for {self._api.settings.silence_seconds:g} s")
            if lines >= LINES or time.monotonic() >= flush_at:
                yield self._taken(pending, connection, filler)
                lines, flush_at = 0, time.monotonic() + self._flush_seconds
        yield self._taken(pending, connection, filler)

    def _lasting(self, error: CollectError) -> CollectError:
        """A live stream is asked for again for ever; what was wrong from the start is left to the operator."""
        if isinstance(error, RateLimited | StreamEnded):
            return error
        if isinstance(error, AuthError | QueryRefused) and not self._has_connected:
            return error
        return StreamEnded(error.message, error.hint)

    def _taken(self, pending: Pending, connection: Connection, filler: _Filler) -> Batch:
        """The batch; its cursor moves as far as lines were taken, but not past a gap that is not filled yet."""
        if filler.is_done:
            self._at = datetime.now(UTC) - timedelta(seconds=time.monotonic() - connection.taken_at)
        return pending.batch(Position(self._at).cursor() if filler.is_done else None)

    def _take(self, line: bytes, pending: Pending) -> None:
        known = len(pending.charged)
        pending.take_line(line)
        self._till.note(pending.charged[known:])
        self._till.check()


class _Filler:
    """Asks recent search for what the stream missed, page by page, query by query."""

    def __init__(
        self,
        api: Api,
        queries: Sequence[str],
        till: Till,
        pending: Pending,
        since: datetime | None,
        why: str,
        lag_seconds: float,
    ) -> None:
        self._api, self._till, self._pending = api, till, pending
        self._back_at = datetime.now(UTC)
        self._since, self._why = since, why
        self._page: str | None = None
        self._attempts, self._lag_seconds = 0, lag_seconds
        self._queries = list(queries) if since is not None else []
        self._not_before = time.monotonic() + lag_seconds
        self._end_at = self._back_at + timedelta(seconds=1 + lag_seconds / 2)  # X takes whole seconds
        if since is not None and since < self._back_at - RECENT:
            self._end(f"{why}; recent search reaches back 7 days only")

    @property
    def is_done(self) -> bool:
        """Nothing is left to ask for."""
        return not self._queries

    @property
    def is_due(self) -> bool:
        """The next page can be asked for."""
        return bool(self._queries) and time.monotonic() >= self._not_before

    def ask(self) -> None:
        """One page."""
        assert self._since is not None
        try:
            most = affordable(self._till, self._api.settings, RECENT_PAGE)
            answer = self._api.search(self._queries[0], self._since - _REWIND, self._end_at, most, self._page)
        except RateLimited as error:
            if isinstance(error, Unpaid):
                self._end(f"{self._why}; not filled: {error.message}")
            self._not_before = time.monotonic() + error.wait_seconds
            return
        except AuthError:
            raise
        except CollectError as error:
            self._attempts += 1
            self._not_before = time.monotonic() + self._lag_seconds * 2**self._attempts
            if isinstance(error, QueryRefused) or self._attempts == _ATTEMPTS:
                self._end(f"{self._why}; not filled: {error.message}")
            return
        self._attempts = 0
        known = len(self._pending.charged)
        self._pending.take_answer(answer, "search")
        self._till.note(self._pending.charged[known:])
        self._page = (answer.get("meta") or {}).get("next_token")
        if self._page is None:
            self._queries.pop(0)
            if not self._queries:
                self._pending.gaps.append(Gap(STREAM, self._since, self._back_at, self._why, "search"))

    def _end(self, why: str) -> None:
        assert self._since is not None
        self._queries = []
        self._pending.gaps.append(Gap(STREAM, self._since, self._back_at, why, None))
