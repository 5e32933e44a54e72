"""What the scripted HTTP servers share: a handler that is quiet, keeps connections and fills no packets first."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any


class QuietHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    content_type = "application/json"

    def log_message(self, *_: Any) -> None:
        pass

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def send_head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers; ``content_type`` where ``headers`` name no other."""
        self.send_response(status)
        for name, value in {"content-type": self.content_type, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
