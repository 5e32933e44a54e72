"""One connection to a Jetstream v2 server: dialled, decompressed, decoded, nothing hidden.

Not the SDK's ``JetstreamClient``: its ``start()`` reconnects on its own, so that nobody could write down the gap; it
skips frames it cannot decode without a word, raises on ``#sync``, and sleeps up to 64 s where Ctrl-C cannot reach it.
To change that would take overriding five private methods. It is slow besides: over a loopback socket, posts and
reposts, one core of two (atproto 0.0.73, websockets 17.4), it decodes 9,000-12,500 events/s, and 21,000 with only its
decoding replaced; ``websockets`` and orjson alone, as here, 37,000-42,000. Importing the SDK costs 2 s.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from monitor.collect import json_text
from monitor.collect.base import Malformed
from monitor.errors import CollectError, CursorTooOld, StreamEnded

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed, InvalidStatus

_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"
_DICTIONARY_PATH = "/xrpc/network.bsky.jetstream.getZstdDictionary"
_SUBPROTOCOL = "xrpc.v1.json"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_TOO_OLD = "CursorTooOld"
_DIAL_SECONDS = 5.0
_FRAME_LIMIT = 64 * 2**20  # bytes; a record has 1 MB at most
_FRAMES_WAITING = 256  # read ahead while the store commits; then the server has to wait
_HINT = "See [bluesky] jetstream_url in monitor.toml; it must be a Jetstream v2 server."


class Jetstream:
    """A server, and the compression dictionary it gave us.

    Args:
        url: ws:// or wss:// and a host.
        kinds, collections: what to ask for.
    """

    def __init__(self, url: str, kinds: Sequence[str], collections: Sequence[str]) -> None:
        self._url = url
        self._params = [("kinds", kind) for kind in kinds] + [("collections", name) for name in collections]
        self._dictionary: bytes | None = None

    def connect(self, cursor: int | None) -> Connection:
        """Dial.

        Args:
            cursor: a seq (inclusive), or unix microseconds from 1e15 on; None begins at the live tip.

        Raises:
            CursorTooOld: the server no longer holds what follows the cursor.
            StreamEnded: there was no way in.
        """
        from websockets.exceptions import InvalidStatus, WebSocketException

        try:
            try:
                return self._dial(cursor)
            except InvalidStatus as refusal:
                if _error_of(refusal) != "UnknownZstdDictionary":
                    raise
                self._dictionary = None  # the server has another one by now
                return self._dial(cursor)
        except InvalidStatus as refusal:
            raise _refused(refusal) from refusal
        except (OSError, EOFError, ValueError, ImportError, WebSocketException) as error:  # ImportError: a SOCKS proxy
            raise StreamEnded(f"cannot connect to {self._url}: {_said(error)}", _HINT) from error

    def _dial(self, cursor: int | None) -> Connection:
        from websockets.sync.client import connect

        self._dictionary = self._dictionary or self._fetch_dictionary()
        params = [*self._params, *([("cursor", str(cursor))] if cursor is not None else [])]
        if self._dictionary is not None:
            params.append(("zstdDictionary", str(_dictionary_id(self._dictionary))))
        socket = connect(
            f"{self._url}{_PATH}?{urlencode(params)}",
            subprotocols=[_SUBPROTOCOL],  # type: ignore[list-item]  # NewType of str
            compression=None,  # of websockets itself; frames are compressed by dictionary
            open_timeout=_DIAL_SECONDS,
            close_timeout=0.2,
            ping_timeout=None,  # while the store is slow nobody reads pongs; silence is watched by the collector
            max_size=_FRAME_LIMIT,
            max_queue=_FRAMES_WAITING,
        )
        return Connection(socket, self._dictionary)

    def _fetch_dictionary(self) -> bytes | None:
        """What frames are compressed with; without one they come as plain text."""
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import urlopen

        origin = "http" + self._url.removeprefix("ws")
        try:
            with urlopen(origin + _DICTIONARY_PATH, timeout=_DIAL_SECONDS) as response:  # noqa: S310 - http(s) by Config
                dictionary = bytes(response.read())
        except (HTTPError, HTTPException):
            return None
        return dictionary if _dictionary_id(dictionary) else None


class Connection:
    """The frames of one connection."""

    def __init__(self, socket: Any, dictionary: bytes | None) -> None:
        import zstandard
        from websockets.exceptions import ConnectionClosed

        known = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._decompressor = zstandard.ZstdDecompressor(dict_data=known)
        self._zstd_error = zstandard.ZstdError
        self._connection_closed = ConnectionClosed
        self._socket = socket

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def receive(self, timeout_seconds: float) -> bytes | None:
        """The next frame; None when none came in time.

        Raises:
            StreamEnded: the connection is gone. What had arrived before was delivered.
        """
        try:
            return self._socket.recv(timeout_seconds, decode=False)  # type: ignore[no-any-return]
        except TimeoutError:
            return None
        except self._connection_closed as closed:
            raise StreamEnded(_closed(closed)) from closed

    def decompress(self, frame: bytes) -> bytes:
        """The frame as JSON text.

        Raises:
            Malformed: it cannot be decompressed.
        """
        if not frame.startswith(_ZSTD_MAGIC):
            return frame
        try:
            return self._decompressor.decompress(frame, max_output_size=_FRAME_LIMIT)
        except self._zstd_error:
            raise Malformed("frame cannot be decompressed") from None


def decode(text: bytes) -> dict[str, Any]:
    """The payload of an event.

    Raises:
        Malformed: this is no event.
        CursorTooOld, StreamEnded: it is the server's error frame, sent before it closes.
    """
    try:
        value = json_text.parse(text)
    except ValueError:
        raise Malformed("frame is no JSON") from None
    if not isinstance(value, dict):
        raise Malformed("frame is no object")
    if value.get("$type") == "error":
        raise _reported(value)
    payload = value.get("payload")
    if value.get("$type") != "message" or not isinstance(payload, dict):
        raise Malformed("frame is no event")
    return payload


def _dictionary_id(dictionary: bytes) -> int:
    """RFC 8878, section 5: magic number, then the id; 0 when it is no dictionary."""
    magic, number = struct.unpack("<II", dictionary[:8].ljust(8, b"\0"))
    return number if magic == 0xEC30A437 else 0


def _error_of(refusal: InvalidStatus) -> object:
    """The XRPC error that the body of a refused handshake names."""
    try:
        body = json_text.parse(bytes(refusal.response.body or b""))
    except ValueError:
        return None
    return body.get("error") if isinstance(body, dict) else None


def _refused(refusal: InvalidStatus) -> CollectError:
    error = _error_of(refusal)
    if error == _TOO_OLD:
        return CursorTooOld("the server no longer holds what follows the cursor")
    name = f" {error}" if isinstance(error, str) else ""
    return StreamEnded(f"the server refused the connection: HTTP {refusal.response.status_code}{name[:100]}", _HINT)


def _reported(frame: dict[str, Any]) -> CollectError:
    if frame.get("error") == _TOO_OLD:
        return CursorTooOld("the server no longer holds what follows the cursor")
    return StreamEnded(f"the server reported {str(frame.get('error'))[:100]}")


def _closed(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "the connection was lost" if closed.sent is None else f"we closed the connection: {closed.sent}"
    return f"the server closed the connection: {closed.rcvd}"


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
