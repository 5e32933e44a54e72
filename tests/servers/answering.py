"""What the scripted HTTP servers share: a handler that is quiet, keeps connections and fills no packets first."""

from __future__ import annotations

import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any


class QuietHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    content_type = "application/json"

    def log_message(self, *_: Any) -> None:
        pass

    def time(self) -> float:
        """Unix seconds that the server tells; it may have its own clock."""
        return time.time()

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def send_head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers; ``content_type`` where ``headers`` name no other."""
        self.send_response_only(status)
        self.send_header("date", formatdate(self.time(), usegmt=True))
        for name, value in {"content-type": self.content_type, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
