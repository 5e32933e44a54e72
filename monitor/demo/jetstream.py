"""A small Jetstream v2 server on loopback: serves a list of events as the real one serves the network.

The demo plays its case from it through the real collector; the tests build their faults on it.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import orjson

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

_MICROSECONDS_FROM = 10**15  # a cursor of that size is a time
_LOOK_SECONDS = 0.05

Params = Mapping[str, Sequence[str]]


class JetstreamServer:
    """Serves a growing log of event payloads, in order of their ``seq``; use it with ``with``.

    Args:
        events: the log to begin with.
        events_per_second: how fast each client is served; None as fast as it reads.
        from_start: send the whole log to a client that names no cursor, where the real server begins at the tip.
        is_due: an event is held back, and all that come after it, until this says so.
    """

    def __init__(
        self,
        events: Iterable[dict[str, Any]] = (),
        *,
        events_per_second: float | None = None,
        from_start: bool = False,
        is_due: Callable[[dict[str, Any]], bool] = lambda _: True,
    ) -> None:
        self.log = list(events)
        self._is_due = is_due
        self._seconds = 1 / events_per_second if events_per_second else 0.0
        self._from_start = from_start
        self._is_closed = threading.Event()
        self._grown = threading.Condition()

    @property
    def url(self) -> str:
        """What goes into ``[bluesky] jetstream_url``."""
        host, port = self._server.socket.getsockname()[:2]
        return f"ws://{host}:{port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, port: int = 0) -> None:
        """Listen on a port of loopback, a free one by default."""
        from websockets.sync.server import serve

        self._is_closed.clear()
        self._server = serve(
            self._serve,
            "127.0.0.1",
            port,
            process_request=self._answer,
            subprotocols=["xrpc.v1.json"],  # type: ignore[list-item]  # a NewType of str
            compression=None,
            ping_interval=None,  # a pong comes late from a client that has much to read
        )
        threading.Thread(target=self._server.serve_forever, name="jetstream", daemon=True).start()

    def close(self) -> None:
        """Stop listening and close every connection as a server does that shuts down."""
        self._is_closed.set()
        self._server.shutdown()

    def append(self, *events: dict[str, Any]) -> None:
        """Something happens on the network; connected clients hear of it."""
        with self._grown:
            self.log.extend(events)
            self._grown.notify_all()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a handshake, or answer a plain HTTP request; None goes on with the handshake."""
        path = urlsplit(request.path).path
        is_known = path == "/xrpc/network.bsky.jetstream.subscribeEvents"
        return None if is_known else connection.respond(404, '{"error":"MethodNotImplemented"}')

    def _serve(self, connection: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        assert connection.request is not None
        params = parse_qs(urlsplit(connection.request.path).query)
        try:
            self._stream(connection, params, self._first(params))
            connection.close(1001)
        except (ConnectionClosed, OSError):
            return

    def _stream(self, connection: ServerConnection, params: Params, index: int) -> None:
        due = time.monotonic()
        while not self._is_closed.is_set():
            if index >= len(self.log):
                with self._grown:
                    self._grown.wait(_LOOK_SECONDS)
                continue
            event = self.log[index]
            if not _is_asked_for(event, params):
                index += 1
                continue
            if not self._is_due(event):
                time.sleep(_LOOK_SECONDS)
                continue
            index += 1
            due += self._seconds
            time.sleep(max(due - time.monotonic(), 0.0))
            self._send(connection, event)

    def _send(self, connection: ServerConnection, event: dict[str, Any]) -> None:
        connection.send(self._encode({"$type": "message", "payload": event}))

    def _encode(self, frame: dict[str, Any]) -> str | bytes:
        return orjson.dumps(frame).decode()

    def _first(self, params: Params) -> int:
        """Index in the log where a client begins: the cursor is inclusive, be it a seq or a time."""
        if "cursor" not in params:
            return 0 if self._from_start else len(self.log)
        cursor = int(params["cursor"][0])
        return bisect.bisect_left(self.log, cursor, key=time_us if cursor >= _MICROSECONDS_FROM else _seq)


def time_us(event: Mapping[str, Any]) -> int:
    """Unix microseconds of an event."""
    at = datetime.fromisoformat(event.get("witnessedAt") or event["time"])
    return round(at.timestamp() * 1_000_000)


def _seq(event: Mapping[str, Any]) -> int:
    return int(event["seq"])


def _is_asked_for(event: Mapping[str, Any], params: Params) -> bool:
    kind = str(event["$type"]).rpartition("#")[2]
    if "kinds" in params and kind not in params["kinds"]:
        return False
    return kind != "commit" or "collections" not in params or event["collection"] in params["collections"]
