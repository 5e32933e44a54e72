"""The only retry: how long to wait after a fault of a source, and when to give up.

A library (stamina, tenacity) retries a call; here a generator is resumed from the committed cursor and the wait must
end at once when the operator stops the program, so what would remain of the library is one line of arithmetic.
"""

from __future__ import annotations

import logging
import random
import threading
import time

from monitor.errors import ArchiveError, AuthError, CollectError, RateLimited, StreamEnded

log = logging.getLogger(__name__)

HOPELESS = (AuthError, ArchiveError)
_PATIENT = (StreamEnded, RateLimited)
_LONGEST_RATE_LIMIT_SECONDS = 900.0


class Backoff:
    """Waits that double from ``first_seconds`` to ``longest_seconds``, each cut by up to half at random.

    A server that restarts drops all its clients at once; the random part keeps them from coming back together.

    Args:
        attempts: for faults of a finite source, how often in a row without any progress.
        healthy_seconds: a live stream that held for so long starts over from the shortest wait.
        hopeless: faults that are raised at once.
    """

    def __init__(
        self,
        first_seconds: float = 0.5,
        longest_seconds: float = 60.0,
        attempts: int = 6,
        healthy_seconds: float = 30.0,
        hopeless: tuple[type[CollectError], ...] = HOPELESS,
    ) -> None:
        self._first, self._longest = first_seconds, longest_seconds
        self._attempts, self._healthy, self._hopeless = attempts, healthy_seconds, hopeless
        self._faults = 0
        self._has_progressed = False
        self._resumed_at = time.monotonic()

    def progress(self) -> None:
        """Something was committed since the last fault."""
        self._has_progressed = True

    def wait(self, stream: str, error: CollectError, stop: threading.Event) -> bool:
        """Wait as the fault demands, or until ``stop``; False when trying again is hopeless."""
        if isinstance(error, self._hopeless):
            return False
        self._count(error)
        if not isinstance(error, _PATIENT) and self._faults > self._attempts:
            return False
        seconds = self._seconds(error)
        log.warning("%s: %s; again in %.1f s. %s", stream, error.message, seconds, error.hint)
        stop.wait(seconds)
        self._resumed_at = time.monotonic()
        return True

    def _count(self, error: CollectError) -> None:
        # A server that takes us in and throws us out at once must not be asked twice a second for ever.
        is_healthy = not isinstance(error, StreamEnded) or time.monotonic() - self._resumed_at >= self._healthy
        self._faults = 1 if self._has_progressed and is_healthy else self._faults + 1
        self._has_progressed = False

    def _seconds(self, error: CollectError) -> float:
        if isinstance(error, RateLimited):
            return min(max(error.wait_seconds, 0.0), _LONGEST_RATE_LIMIT_SECONDS) + random.uniform(0.0, self._first)  # noqa: S311
        doubled = min(self._first * 2.0 ** min(self._faults - 1, 30), self._longest)
        return doubled * random.uniform(0.5, 1.0)  # noqa: S311
