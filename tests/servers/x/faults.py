"""What a server does instead of answering a request, and the journal of what came."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.servers.x.clock import Clock, too_many
from tests.servers.x.problem import Problem, plain


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    ``seconds`` pass first, and where nothing else is set the request is answered then. ``problem`` is a refusal,
    ``body`` raw bytes with ``status``; ``resets`` sends RST before a byte; ``cuts`` breaks off in the middle of the
    true answer, which is charged; ``errors`` stand as partial errors beside the true answer; it comes without the
    member ``lacks``.
    """

    problem: Problem | None = None
    status: int = 200
    body: bytes | None = None
    resets: bool = False
    cuts: bool = False
    seconds: float = 0.0
    errors: tuple[dict[str, Any], ...] = ()
    lacks: str = ""


@dataclass(slots=True)
class Request:
    """One request as it came, and the status it got; None while it is being answered or without an answer."""

    method: str
    path: str
    endpoint: str
    params: dict[str, str]
    body: Any
    is_authorised: bool
    at: datetime
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    status: int | None = None


class Faults:
    """Faults to come, for each endpoint in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: dict[str, list[Fault]] = {}
        self._lock = threading.Lock()

    def add(self, endpoint: str, *faults: Fault) -> None:
        with self._lock:
            self._faults.setdefault(endpoint, []).extend(faults)

    def next(self, endpoint: str) -> Fault | None:
        with self._lock:
            waiting = self._faults.get(endpoint)
            return waiting.pop(0) if waiting else None

    def rate_limit(self, endpoint: str, reset_in: float | None, times: int) -> None:
        """429s with a reset header so many seconds from now (past where negative), or without one."""
        headers = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0"}
        if reset_in is not None:
            headers["x-rate-limit-reset"] = str(int(self._clock.now().timestamp() + reset_in))
        self.add(endpoint, *[Fault(too_many(headers if reset_in is not None else {}))] * times)

    def fail(self, endpoint: str, status: int, times: int) -> None:
        titles = {401: "Unauthorized", 403: "Forbidden", 500: "Internal Server Error", 503: "Service Unavailable"}
        self.add(endpoint, *[Fault(plain(status, titles.get(status, "Error")))] * times)
