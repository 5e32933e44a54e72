"""The server's own time, which a test can move, and the windows of the rate limits that hang on it."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta

from tests.servers.x.problem import Problem, plain

WINDOW = timedelta(minutes=15)


class Clock:
    """Runs on from ``at`` (now by default), or stands still where ``runs`` is False."""

    def __init__(self, at: datetime | None = None, *, runs: bool = True) -> None:
        self._at, self._from, self._runs = at or datetime.now(UTC), time.monotonic(), runs

    def now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._from if self._runs else 0.0)

    def move(self, by: timedelta) -> None:
        """Forwards, or backwards where ``by`` is negative."""
        self._at += by

    def stand_at(self, at: datetime) -> None:
        """From now on it stands still there."""
        self._at, self._runs = at, False


class Limits:
    """Requests that are left to each endpoint in its window.

    ``per_window`` and ``archive_pause_seconds`` (between two requests of the full archive) may be changed at any time.
    """

    def __init__(self, clock: Clock) -> None:
        self.per_window = {
            "search/recent": 450,
            "search/all": 300,
            "counts/recent": 300,
            "counts/all": 300,
            "lookup": 300,
            "rules": 450,
            "rules/change": 100,
            "stream": 50,
            "compliance": 150,
        }
        self.archive_pause_seconds = 1.0
        self._clock = clock
        self._windows: dict[str, tuple[datetime, int]] = {}
        self._last_archive: datetime | None = None
        self._lock = threading.Lock()

    def take(self, endpoint: str) -> dict[str, str]:
        """Use one request up and tell the headers.

        Raises:
            Problem: 429, none is left.
        """
        with self._lock:
            now = self._clock.now()
            start, used = self._windows.get(endpoint, (now, 0))
            if not start <= now < start + WINDOW:
                start, used = now, 0
            limit = self.per_window[endpoint]
            if endpoint == "search/all" and self._is_hasty(now):
                raise too_many(_headers(1, 0, now + timedelta(seconds=self.archive_pause_seconds)))
            is_open = used < limit
            used += is_open
            self._windows[endpoint] = (start, used)
        headers = _headers(limit, max(limit - used, 0), start + WINDOW)
        if not is_open:
            raise too_many(headers)
        return headers

    def _is_hasty(self, now: datetime) -> bool:
        pause = timedelta(seconds=self.archive_pause_seconds)
        if self._last_archive is not None and timedelta() <= now - self._last_archive < pause:
            return True
        self._last_archive = now
        return False


def _headers(limit: int, remaining: int, reset_at: datetime) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(limit),
        "x-rate-limit-remaining": str(remaining),
        "x-rate-limit-reset": str(math.ceil(reset_at.timestamp())),
    }


def too_many(headers: dict[str, str]) -> Problem:
    """429; X sends no Retry-After."""
    return plain(429, "Too Many Requests", headers=headers)
