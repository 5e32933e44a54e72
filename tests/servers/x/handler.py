"""The HTTP side: read a request, let its fault happen, or answer it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers.answering import QuietHandler
from tests.servers.x.faults import Fault, Request
from tests.servers.x.problem import Problem
from tests.servers.x.wire import Wire

if TYPE_CHECKING:
    from tests.servers.x.server import XServer


class Listener(ThreadingHTTPServer):
    """A server that ends its open connections when it ends, as a process does that is killed."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler_class: type[QuietHandler]) -> None:
        super().__init__(address, handler_class)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def handler(server: XServer, is_closed: threading.Event) -> type[QuietHandler]:
    """The handler class of one server."""

    class Handler(QuietHandler):
        content_type = "application/json; charset=utf-8"

        def time(self) -> float:
            return server.clock.now().timestamp()

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.read_body()
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = server.note(self.command, url.path, dict(parse_qsl(url.query)), body, headers)
            self._wire = Wire(self, is_closed)
            try:
                self._respond(request, server.faults.next(request.endpoint) or Fault())
            except OSError:  # the client is gone
                self.close_connection = True

        do_POST = do_PUT = do_GET

        def _respond(self, request: Request, fault: Fault) -> None:
            if fault.seconds:
                self._wire.wait_gone(fault.seconds)
                if self._wire.is_gone() or is_closed.is_set():
                    self.close_connection = True
                    return
            if fault.resets:
                self._wire.drop(resets=True)
                return
            try:
                self._answer(request, fault)
            except Problem as refusal:
                request.status = refusal.status
                self._send(refusal.status, json.dumps(refusal.body).encode(), refusal.headers)

        def _answer(self, request: Request, fault: Fault) -> None:
            if fault.problem is not None:
                raise fault.problem
            if fault.body is not None:
                request.status = fault.status
                self._send(fault.status, fault.body, {})
                return
            rates = server.admit(request)
            if request.endpoint == "stream":
                request.status = 200
                server.serve_stream(request, self._wire, rates)
                return
            try:
                status, headers, body = server.answer(request)
            except Problem as refusal:
                refusal.headers.update(rates)
                raise
            request.status = status
            self._send(status, _altered(body, fault), rates | headers, cuts=fault.cuts)

        def _send(self, status: int, body: bytes, headers: dict[str, str], *, cuts: bool = False) -> None:
            self.send_head(status, headers | {"content-length": str(len(body))})
            self.wfile.write(body[: len(body) // 2] if cuts else body)
            if cuts:
                self._wire.drop(resets=False)

    return Handler


def _altered(body: bytes, fault: Fault) -> bytes:
    if not (fault.errors or fault.lacks):
        return body
    answer = {name: member for name, member in json.loads(body).items() if name != fault.lacks}
    if not fault.errors:
        return json.dumps(answer).encode()
    return json.dumps(answer | {"errors": [*answer.get("errors", []), *fault.errors]}).encode()
