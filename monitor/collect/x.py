"""X live: the filtered stream, and recent search for what it missed.

X's stream cannot be resumed. After every loss, of the connection or of this program, recent search is asked for what
lies between the last post and the moment the stream was back; the stream goes on meanwhile. What the search could not
fill (too long ago, no budget) stays in the ledger as an unfilled gap, with the reason.

All positions are times by X's clock: what X told of its time, carried on by the wall clock, which unlike the monotonic
one goes on while the machine sleeps.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from monitor.collect.apart import unless
from monitor.collect.x_api import Api
from monitor.collect.x_fill import PATIENCE_SECONDS, Filler, Hole
from monitor.collect.x_query import RECENT_LIMIT, compile_queries, compile_stream, reconcile
from monitor.collect.x_read import Known, Pending
from monitor.collect.x_spend import Till
from monitor.collect.x_stream import Connection, Line, Pace
from monitor.config import Topic
from monitor.errors import AuthError, CollectError, OverBudget, RateLimited, StreamEnded
from monitor.records import Batch, Cursor, Gap

STREAM = "x:live"
LINES = 1_000  # in one batch at most
LATE_SECONDS = 10.0  # how much later than it should a post may come; what comes later still is measured
_LATEST_SECONDS = 600.0  # what comes later than that is an odd one, and says nothing of the others
LAG_SECONDS = 45.0  # until search knows a post; it takes no end nearer than 10 s
_LATEST = 100  # lines by which lateness is measured
_LOOK_SECONDS = 0.05  # while search is asked
_FINISH_SECONDS = 1.0
_NOT_RUNNING = "the program was not running"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where everything that X sends has been taken, but for the holes.

    Attributes:
        at: by X's clock.
        holes: what search is still to be asked for.
        over_budget: why the stream was left for good, where what follows is not to be paid for later either.
    """

    at: datetime
    holes: tuple[Hole, ...] = ()
    over_budget: str = ""

    @classmethod
    def of(cls, cursor: Cursor) -> Position:
        """Read what ``cursor()`` wrote.

        Raises:
            CollectError: it was written by something else.
        """
        try:
            value = orjson.loads(cursor.value)
            holes = tuple(map(Hole.read, value["holes"]))
            return cls(datetime.fromtimestamp(value["at"], UTC), holes, str(value["over_budget"]))
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            raise CollectError(f"the cursor of {cursor.stream} cannot be read: {cursor.value[:100]}") from None

    def cursor(self) -> Cursor:
        """The position as the store keeps it."""
        holes = [hole.written() for hole in self.holes]
        value = {"at": self.at.timestamp(), "holes": holes, "over_budget": self.over_budget}
        return Cursor(STREAM, orjson.dumps(value).decode(), self.at)


class StreamCollector:
    """The filtered stream of one app.

    Args:
        api: who asks.
        topics: compiled into rules; ``unsayable`` tells what of them X's language cannot say.
        till: what may be spent.
        flush_seconds: how long lines are gathered into one batch.
        late_seconds: how late posts may come; so far before its last line begins what a lost stream missed.
        lag_seconds: how old a time must be for search to know its posts.
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
        late_seconds: float = LATE_SECONDS,
        lag_seconds: float = LAG_SECONDS,
        pace: Pace | None = None,
    ) -> None:
        self._api, self._till = api, till
        self._rules = compile_stream(topics)
        self.unsayable = self._rules.unsayable
        queries = tuple(query for topic in topics for query in compile_queries(topic, RECENT_LIMIT).strings)
        self._filler = Filler(api.another(), STREAM, queries, till, lag_seconds)
        self._flush_seconds, self._late_seconds = flush_seconds, late_seconds
        self._late: deque[float] = deque(maxlen=_LATEST)
        self._known = Known()
        self._pace = pace or Pace()
        self._why, self._over_budget = _NOT_RUNNING, ""
        self._has_connected = False
        self._attempt = object()
        self._closed = threading.Event()

    def close(self) -> None:
        """Make a running ``pull`` return within seconds."""
        self._closed.set()

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """Batches of ``flush_seconds`` or 1,000 lines; empty ones when nothing came.

        Raises:
            StreamEnded, RateLimited, Unpaid, AuthError: the stream is lost; the last batch said so with an open gap.
        """
        position = Position.of(cursor) if cursor is not None else Position(datetime.now(UTC))
        self._at, self._over_budget = position.at, position.over_budget
        self._filler.resume(position.holes)
        pending = Pending(STREAM, self._api.settings, known=self._known)
        self._pace.take()  # too soon: what was lost is in the ledger already, with its own reason
        try:
            self._till.check()
            attempt = self._attempt = object()
            unless(self._closed, lambda: self._agree(attempt), "the rules of the stream", PATIENCE_SECONDS)
            with Connection(self._api, self._till, self._closed) as connection:
                self._has_connected = True
                try:
                    self._came_back(position if cursor is not None else None, connection, pending)
                    yield from self._read(connection, pending)
                finally:  # it is paid for
                    for line in connection.left():
                        pending.take_last(line.text, line.at)
            self._filler.finish(pending, _FINISH_SECONDS)
            yield pending.batch(self._cursor())
        except CollectError as error:
            if self._closed.is_set():  # what it still holds is paid for
                yield pending.batch(self._cursor() if cursor is not None or self._has_connected else None)
                return
            yield self._lost(error, pending)
            raise self._lasting(error) from None
        finally:
            self._api.close()

    def _agree(self, attempt: object) -> None:
        """Let X's rules be ours, unless another attempt at it was begun meanwhile."""
        api = self._api.another()
        try:
            changes = reconcile(self._rules.rules, api.rules())
            if attempt is self._attempt:
                api.change_rules(changes.add, changes.delete)
        finally:
            api.close()

    def _came_back(self, position: Position | None, connection: Connection, pending: Pending) -> None:
        if position is not None and position.over_budget:
            pending.gaps.append(Gap(STREAM, self._at, connection.began_at, position.over_budget))
        elif position is not None:
            is_start = self._why == _NOT_RUNNING
            self._filler.add(self._at, connection.began_at, self._why, pending, is_start=is_start)
        self._over_budget = ""
        self._at = connection.began_at - timedelta(seconds=self._lateness())

    def _read(self, connection: Connection, pending: Pending) -> Iterator[Batch]:
        flush_at = time.monotonic() + self._flush_seconds
        lines = 0
        while not self._closed.is_set():
            wait = flush_at - time.monotonic()
            line = connection.receive(min(wait, _LOOK_SECONDS) if self._filler.is_busy else wait)
            if line is not None:
                self._take(line, pending)
                lines += 1
            elif time.monotonic() - connection.heard_at >= self._api.settings.silence_seconds:
                raise StreamEnded(f"no heartbeat for {self._api.settings.silence_seconds:g} s")
            self._filler.step(pending)
            if lines >= LINES or time.monotonic() >= flush_at:
                self._at = connection.taken_at - timedelta(seconds=self._lateness())
                yield pending.batch(self._cursor())
                lines, flush_at = 0, time.monotonic() + self._flush_seconds

    def _take(self, line: Line, pending: Pending) -> None:
        post = pending.take_line(line.text, line.at)
        if post is not None:
            self._late.append((line.at - post.observed_at).total_seconds())
        self._till.left()  # read again in time, so that the thread of the connection need not

    def _lateness(self) -> float:
        """Seconds by which what was sent may still be on its way."""
        return self._late_seconds + min(_LATEST_SECONDS, max(0.0, 0.0, *self._late))

    def _cursor(self) -> Cursor:
        return Position(self._at, tuple(self._filler.holes), self._over_budget).cursor()

    def _lost(self, error: CollectError, pending: Pending) -> Batch:
        self._why = error.message
        self._filler.finish(pending, _FINISH_SECONDS)  # nobody may ever pull again
        if isinstance(error, OverBudget):
            self._filler.give_up(error.message, pending)
            self._over_budget = error.message
        pending.gaps.append(Gap(STREAM, self._at, None, self._over_budget or error.message))
        return pending.batch(self._cursor())

    def _lasting(self, error: CollectError) -> CollectError:
        """A live stream is asked for again for ever; credentials that were wrong from the start are the operator's."""
        if isinstance(error, RateLimited | StreamEnded):
            return error
        if isinstance(error, AuthError) and not self._has_connected:
            return error
        return StreamEnded(error.message, error.hint)
