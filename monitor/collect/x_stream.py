"""One connection to X's filtered stream through tweepy, which may connect once and then has to let go.

By itself tweepy reconnects a thousand times a second after a clean close, ends for good when a line cannot be read, and
hides why. So every line is handed on unread, and whatever happens to the connection ends it; the loop reconnects.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from monitor.collect.x_api import Api, beside, our_error, redirect
from monitor.errors import CollectError, RateLimited, StreamEnded

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


class Connection:
    """The lines of one connection, heartbeats left out.

    Args:
        api: whose stream.

    Raises:
        CollectError: there was no way in, as ``our_error`` says.
    """

    def __init__(self, api: Api) -> None:
        self.heard_at = self._received_at = time.monotonic()
        self._lines: Queue[tuple[float, bytes]] = Queue(_LINES_WAITING)
        self._fault: CollectError | None = None
        self._is_open = threading.Event()
        self._response: Response | None = None
        self._client = _client(api, self)
        self._thread = self._client.filter(threaded=True, **beside(api.settings))
        while not self._is_open.wait(0.05):
            if not self._thread.is_alive():
                raise self._fault or StreamEnded("X closed the stream before it began")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        if self._response is not None and self._thread.is_alive():
            _shut(self._response)  # else it waits for the next heartbeat, and X counts it as the one connection
        self._thread.join(_JOIN_SECONDS)

    def receive(self, timeout_seconds: float) -> bytes | None:
        """The next line; None when none came in time.

        Raises:
            StreamEnded: the connection is gone. What had arrived before was delivered.
        """
        try:
            self._received_at, line = self._lines.get(timeout=max(0.0, timeout_seconds))
            return line
        except Empty:
            if not self._thread.is_alive() and self._lines.empty():
                raise self._fault or StreamEnded("X closed the stream") from None
            return None

    def left(self) -> list[bytes]:
        """What has arrived and was not received yet, once the caller wants no more."""
        self._client.disconnect()
        with self._lines.mutex:
            lines = [line for _, line in self._lines.queue]
            self._lines.queue.clear()
        return lines

    @property
    def taken_at(self) -> float:
        """Up to when (monotonic) everything that X sent was received by the caller."""
        heard_at = self.heard_at
        return heard_at if self._lines.empty() else self._received_at

    def _opened(self, response: Response) -> None:
        self._response = response

    def _began(self) -> None:
        self._is_open.set()

    def _heard(self, line: bytes | None = None) -> None:
        now = time.monotonic()
        try:
            if line is not None:
                self._lines.put_nowait((now, line))
        except Full:
            self._ended(StreamEnded("the store was too slow for the stream"))
        self.heard_at = now  # last: whoever sees it finds the line in the queue

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

    client = Once(api.token, return_type=dict)
    redirect(client.session, api.settings.api_url)
    client.session.hooks["response"].append(lambda response, *_, **__: connection._opened(response))
    return client


def _shut(response: Any) -> None:
    try:
        response.raw.shutdown()
    except (AttributeError, OSError, ValueError):  # closed by itself meanwhile
        response.close()
