"""One connection to X's filtered stream through tweepy, which may connect once and then has to let go.

By itself tweepy reconnects a thousand times a second after a clean close, ends for good when a line cannot be read, and
hides why. So every line is handed on unread, and whatever happens to the connection ends it; the loop reconnects.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from monitor.collect import json_text
from monitor.collect.x_api import Api, beside, our_error, redirect
from monitor.collect.x_spend import Till, charges
from monitor.errors import CollectError, OverBudget, RateLimited, StreamEnded

if TYPE_CHECKING:
    from requests import Response
    from tweepy import StreamingClient

_LINES_WAITING = 20_000  # while gaps are filled or the store commits; a minute and more of the fastest stream
_CONNECTS, _PER_SECONDS = 45, 900.0  # X allows 50 in 15 minutes
_APART_SECONDS = 5.0
_JOIN_SECONDS = 1.0


class Pace:
    """Keeps connections 5 s apart and under 50 in 15 minutes, whatever the faults are."""

    def __init__(self, apart_seconds: float = _APART_SECONDS) -> None:
        self._apart_seconds = apart_seconds
        self._at: deque[float] = deque(maxlen=_CONNECTS)

    def take(self) -> None:
        """Count one connection.

        Raises:
            RateLimited: it is too soon for it.
        """
        now = time.monotonic()
        wait = self._at[-1] + self._apart_seconds - now if self._at else 0.0
        if len(self._at) == _CONNECTS:
            wait = max(wait, self._at[0] + _PER_SECONDS - now)
        if wait > 0:
            raise RateLimited("connecting to X again so soon would use up the 50 connections of 15 minutes", wait)
        self._at.append(now)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it came, and when by X's clock."""

    at: datetime
    text: bytes


class Connection:
    """The lines of one connection, heartbeats left out.

    Args:
        api: whose stream.
        till: what may be spent. X bills what it sends, read or not; so the connection ends itself when that is used up,
            whatever the caller is at.
        closed: set to get no further.

    Raises:
        CollectError: there was no way in, as ``our_error`` says.
    """

    def __init__(self, api: Api, till: Till, closed: threading.Event) -> None:
        self._api, self._till = api, till
        self.heard_at = time.monotonic()
        self._lines: Queue[Line] = Queue(_LINES_WAITING)
        self._spilt: list[Line] = []  # what the queue had no room for
        self._fault: CollectError | None = None
        self._is_open = threading.Event()
        self._response: Response | None = None
        self._client = _client(api, self)
        self._thread = self._client.filter(threaded=True, **beside(api.settings))
        while not self._is_open.wait(0.05):
            if closed.is_set() or not self._thread.is_alive():
                self._client.disconnect()
                raise self._fault or StreamEnded("X closed the stream before it began")
        self._heard_at = self._received_at = self.began_at  # by X's clock

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self._client.disconnect()
        if self._response is not None and self._thread.is_alive():
            _shut(self._response)  # else it waits for the next heartbeat, and X counts it as the one connection
        self._thread.join(_JOIN_SECONDS)

    def receive(self, timeout_seconds: float) -> Line | None:
        """The next line; None when none came in time.

        Raises:
            StreamEnded: the connection is gone. What had arrived before was delivered.
        """
        try:
            line = self._lines.get(timeout=max(0.0, timeout_seconds))
        except Empty:
            if not self._thread.is_alive() and self._lines.empty():
                raise self._fault or StreamEnded("X closed the stream") from None
            return None
        self._received_at = line.at
        return line

    def left(self) -> list[Line]:
        """What has arrived and was not received yet, once the caller wants no more."""
        self._leave()
        with self._lines.mutex:
            lines = [*self._lines.queue, *self._spilt]
            self._lines.queue.clear()
            self._spilt.clear()
        return lines

    @property
    def taken_at(self) -> datetime:
        """Up to when, by X's clock, everything that X sent was received by the caller."""
        heard_at = self._heard_at
        return heard_at if self._lines.empty() else self._received_at

    def _opened(self, response: Response) -> None:
        self._api.heard(response)
        self._response = response

    def _began(self) -> None:
        self.began_at = self._api.now()
        self._is_open.set()

    def _heard(self, line: bytes | None = None) -> None:
        now = self._api.now()
        try:
            if line is not None:
                self._note(line, now)  # before the caller can book it
                self._lines.put_nowait(Line(now, line))
                self._till.insist()
        except Full:  # not all that was heard of is in the queue: the time of the last line there stands
            self._spilt.append(Line(now, line or b""))
            self._ended(StreamEnded("the store was too slow for the stream"))
            return
        except OverBudget as error:
            self._ended(error)
        self._heard_at, self.heard_at = now, time.monotonic()  # last: whoever sees it finds the line in the queue

    def _note(self, line: bytes, now: datetime) -> None:
        with suppress(ValueError):
            answer = json_text.parse(line)
            self._till.note(charges(answer, self._api.settings, now) if isinstance(answer, dict) else ())

    def _ended(self, fault: CollectError) -> None:
        self._fault = self._fault or fault
        self._client.disconnect()

    def _refused(self) -> None:
        fault = our_error(self._response) if self._response is not None else StreamEnded("X refused the stream")
        # Whatever a server says on a bad day, the stream is asked for again; credentials and money are not.
        self._ended(fault if type(fault) is not CollectError else StreamEnded(fault.message, fault.hint))


def _client(api: Api, connection: Connection) -> StreamingClient:
    import tweepy

    class Once(tweepy.StreamingClient):  # type: ignore[misc]  # untyped
        def on_connect(self) -> None:
            connection._began()

        def on_data(self, raw_data: bytes) -> None:
            connection._heard(raw_data)

        def on_keep_alive(self) -> None:
            connection._heard()

        def on_closed(self, response: Response) -> None:
            connection._ended(StreamEnded("X closed the stream"))

        def on_connection_error(self) -> None:
            connection._ended(StreamEnded("the connection to X was lost"))

        def on_request_error(self, status_code: int) -> None:
            connection._refused()

        def on_exception(self, exception: Exception) -> None:
            connection._ended(StreamEnded(f"the connection to X was lost: {type(exception).__name__}"))

        def on_disconnect(self) -> None:
            pass

    client = Once(api.token, return_type=dict, daemon=True)
    redirect(client.session, api.settings.api_url)
    client.session.hooks["response"].append(lambda response, *_, **__: connection._opened(response))
    return client


def _shut(response: Any) -> None:
    try:
        response.raw.shutdown()
    except (AttributeError, OSError, ValueError):  # closed by itself meanwhile
        response.close()
