"""The Jetstream server of the demo with what the real one does besides: retention, compression, and every way to fail.

Each connection in turn gets the next ``Fault`` of the script; when the script is over, the server behaves.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import zstandard
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from monitor.demo.jetstream import JetstreamServer, Params
from tests.servers.events import NSID

GARBAGE: tuple[str | bytes, ...] = (
    "",
    "no json",
    "{",
    "null",
    "[1, 2]",
    "{}",
    '{"$type":"message"}',
    '{"$type":"message","payload":[]}',
    '{"$type":"message","payload":{"$type":"nothing#known","seq":"x"}}',
    '{"$type":"unheard-of","payload":{}}',
    "[" * 100_000,
    b"\xff\xfe\x00garbage",
    b"\x28\xb5\x2f\xfdnot really zstd",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong on one connection, once ``after`` events were sent on it.

    ``how`` is one of: close_1000, close_1001, internal_error, consumer_too_slow, tcp_abort, silence, garbage_frames,
    rotate_dictionary, or, before the connection stands, refuse_503, cursor_too_old, duplicates.
    """

    how: str
    after: int = 0


class FaultyJetstream(JetstreamServer):
    """As ``JetstreamServer``.

    Args:
        faults: one for each connection, in order.
        floor: seq of the oldest event that is still served.
        dictionary: frames are compressed by it for clients that ask so.
    """

    def __init__(
        self,
        events: Iterable[dict[str, Any]] = (),
        *,
        faults: Sequence[Fault] = (),
        floor: int = 0,
        dictionary: bytes | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(events, **settings)
        self._script = iter(faults)
        self._faults: dict[str, Fault] = {}
        self._sent: dict[str, int] = {}
        self._compressors: dict[str, zstandard.ZstdCompressor] = {}
        self.floor = floor
        self.dictionary = dictionary
        self.requests: list[dict[str, list[str]]] = []

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if urlsplit(request.path).path.endswith("getZstdDictionary"):
            return self._hand_out(connection)
        refusal = super()._answer(connection, request)
        if refusal is not None:
            return refusal
        params = parse_qs(urlsplit(request.path).query)
        if "zstdDictionary" in params and int(params["zstdDictionary"][0]) != self._dictionary_id():
            return _refuse(connection, 400, "UnknownZstdDictionary")
        self.requests.append(params)
        fault = self._faults[str(connection.id)] = next(self._script, Fault("none", -1))
        if fault.how == "refuse_503":
            return _refuse(connection, 503, "Overloaded")
        if fault.how == "cursor_too_old" or 0 <= _cursor(params) < min(self.floor, 10**15):
            return _refuse(connection, 400, "CursorTooOld")
        return None

    def _stream(self, connection: ServerConnection, params: Params, index: int) -> None:
        if "zstdDictionary" in params and self.dictionary:
            known = zstandard.ZstdCompressionDict(self.dictionary)
            self._compressors[str(connection.id)] = zstandard.ZstdCompressor(dict_data=known)
        cursor = _cursor(params)
        oldest = next((i for i, event in enumerate(self.log) if event["seq"] >= self.floor), 0)
        if index < oldest:
            index = oldest
            self._inform(connection, "OutdatedCursor")
        if cursor < 10**15 and self.log and cursor > self.log[-1]["seq"] + 1:
            index = len(self.log)
            self._inform(connection, "FutureCursor")
        if self._faults[str(connection.id)].how == "duplicates":
            index = max(index - 5, 0)
        super()._stream(connection, params, index)

    def _send(self, connection: ServerConnection, event: dict[str, Any]) -> None:
        key = str(connection.id)
        fault, sent = self._faults[key], self._sent.setdefault(key, 0)
        if sent == fault.after:
            self._act(connection, fault.how)
        self._transmit(connection, {"$type": "message", "payload": event})
        self._sent[key] += 1

    def _act(self, connection: ServerConnection, how: str) -> None:
        if how in ("close_1000", "close_1001"):
            connection.close(int(how[-4:]))
        elif how in ("internal_error", "consumer_too_slow"):
            name = {"internal_error": "InternalError", "consumer_too_slow": "ConsumerTooSlow"}[how]
            self._transmit(connection, {"$type": "error", "error": name, "message": "scripted"})
            connection.close(1011)
        elif how == "tcp_abort":
            # A linger of zero seconds sends RST in place of FIN.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.socket.close()
        elif how == "silence":
            while connection.close_code is None and not self._is_closed.is_set():
                time.sleep(0.02)
        elif how == "garbage_frames":
            for frame in GARBAGE:
                connection.send(frame)
        elif how == "rotate_dictionary":
            self.dictionary = dictionary(self._dictionary_id() + 1)
            connection.close(1001)

    def _encode(self, frame: dict[str, Any]) -> str | bytes:
        return json.dumps(frame)  # escapes lone surrogates where orjson refuses them

    def _transmit(self, connection: ServerConnection, frame: dict[str, Any]) -> None:
        compressor = self._compressors.get(str(connection.id))
        text = self._encode(frame)
        connection.send(compressor.compress(text.encode() if isinstance(text, str) else text) if compressor else text)

    def _inform(self, connection: ServerConnection, name: str) -> None:
        self._transmit(connection, {"$type": "message", "payload": {"$type": f"{NSID}#info", "name": name}})

    def _dictionary_id(self) -> int:
        return struct.unpack("<II", self.dictionary[:8])[1] if self.dictionary else 0

    def _hand_out(self, connection: ServerConnection) -> Response:
        if self.dictionary is None:
            return _refuse(connection, 404, "NotFound")
        headers = Headers({"Content-Length": str(len(self.dictionary)), "Content-Type": "application/octet-stream"})
        return Response(200, "OK", headers, self.dictionary)


def dictionary(number: int) -> bytes:
    """A zstd dictionary with that id, trained on a few events."""
    samples = [
        orjson.dumps({"$type": "message", "payload": {"seq": n, "text": f"post {n * 7919}" * 9}}) for n in range(500)
    ]
    return zstandard.train_dictionary(4096, samples, dict_id=number).as_bytes()


def _cursor(params: Params) -> int:
    return int(params["cursor"][0]) if "cursor" in params else -1


def _refuse(connection: ServerConnection, status: int, error: str) -> Response:
    return connection.respond(status, orjson.dumps({"error": error, "message": "scripted"}).decode())
