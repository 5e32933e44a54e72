"""Bluesky live: everything that is posted, deleted or edited on the network, through Jetstream v2.

The stream goes on from the cursor that was committed with the posts. Each loss of the server becomes a ``Gap`` from the
last event received until the server was back, filled by "replay" where it sent what we had missed. Should it no longer
hold that (36 h), it begins with the oldest it has, and what lies between stays an unfilled gap.

``seen`` counts new posts, not reposts: it is what shares of the whole network are shares of.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator

from monitor.collect.base import Malformed
from monitor.collect.bluesky_batch import STREAM, Pending, Position
from monitor.collect.bluesky_record import POST, REPOST
from monitor.collect.jetstream import Connection, Jetstream, decode
from monitor.config import Bluesky
from monitor.errors import CursorTooOld, StreamEnded
from monitor.records import Batch, Cursor

KINDS = ("commit", "account", "identity")  # "sync" only says that somebody should read a whole repository again
EVENTS = 1_000  # in one batch at most
_NOT_RUNNING = "the program was not running"
_REWIND_SECONDS = 5  # when the server is another one, whose clock may differ


class LiveCollector:
    """The live stream of one Jetstream server.

    Args:
        settings: where it is, and after how much silence it counts as lost.
        flush_seconds: how long events are gathered into one batch.
    """

    stream = STREAM

    def __init__(self, settings: Bluesky, *, flush_seconds: float = 0.5) -> None:
        self._url = settings.jetstream_url
        self._silence_seconds = settings.silence_seconds
        self._server = Jetstream(self._url, KINDS, (POST, REPOST))
        self._flush_seconds = flush_seconds
        self._why = _NOT_RUNNING
        self._closed = threading.Event()

    def close(self) -> None:
        """Make a running ``pull`` return within a second, or five while it dials."""
        self._closed.set()

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """Batches of ``flush_seconds`` or 1,000 events; empty ones when nothing came.

        Raises:
            StreamEnded: the server is lost; the last batch said so with an open gap.
        """
        at = Position.of(cursor) if cursor is not None else None
        pending = Pending(self._url, at)
        try:
            yield from self._resume(at, pending)
        except StreamEnded as error:
            self._why = error.message
            yield pending.lost(error.message)
            raise

    def _resume(self, at: Position | None, pending: Pending) -> Iterator[Batch]:
        for start, is_gapless in self._starts(at):
            try:
                with self._server.connect(start) as connection:
                    pending.resumed(self._why, is_gapless=is_gapless)
                    yield from self._read(connection, pending)
                return
            except CursorTooOld as error:
                self._why = f"{self._why}; {error.message}"
        raise StreamEnded("the server accepts no cursor at all")

    def _starts(self, at: Position | None) -> Iterator[tuple[int | None, bool]]:
        """Cursors to try in turn until one is not too old, each with whether nothing can be missed from there on."""
        if at is not None:
            is_same_server = at.host == self._url and at.seq is not None
            if is_same_server:
                yield at.seq, True
            # One that lies too far back is moved by the server to the oldest event it has.
            yield at.time_us - _REWIND_SECONDS * 1_000_000, not is_same_server
        yield None, at is None

    def _read(self, connection: Connection, pending: Pending) -> Iterator[Batch]:
        heard_at = time.monotonic()
        flush_at = heard_at + self._flush_seconds
        while not self._closed.is_set():
            frame = connection.receive(flush_at - time.monotonic())
            if frame is not None:
                heard_at = time.monotonic()
                _take(connection, frame, pending)
            elif time.monotonic() - heard_at >= self._silence_seconds:
                raise StreamEnded(f"no event for {self._silence_seconds:g} s")
            now = time.monotonic()
            if pending.events >= EVENTS or now >= flush_at:
                yield pending.take()
                flush_at = time.monotonic() + self._flush_seconds
                heard_at += flush_at - now - self._flush_seconds  # while the store was at work nobody listened
        yield pending.take()


def _take(connection: Connection, frame: bytes, pending: Pending) -> None:
    text = frame
    try:
        text = connection.decompress(frame)
        pending.add(decode(text))
    except Malformed as fault:
        pending.reject(fault.why, text)
