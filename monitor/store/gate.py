"""Who may open the database file now: many readers or one writer, between processes and threads.

DuckDB locks out every reader while one process has the file open for writing, and the other way round. So nobody
keeps it open, and everybody passes here first. A turnstile keeps either side from starving: a reader passes
it and takes the shared lock, a writer holds it while it waits for the exclusive one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from monitor.errors import StoreBusy, StoreError

_POLL_SECONDS = (0.001, 0.002, 0.005, 0.01)  # then the last one again


class Gate:
    """flock on two files beside the database; the locks go with the process, also after kill -9.

    Args:
        path: the database file.
        wait_seconds: how long to wait for a lock before ``StoreBusy``.
    """

    def __init__(self, path: Path, wait_seconds: float = 30.0) -> None:
        self._turnstile = path.with_name(path.name + ".turn")
        self._lock = path.with_name(path.name + ".lock")
        self._wait_seconds = wait_seconds

    @contextmanager
    def read(self) -> Iterator[None]:
        """Hold the file together with other readers."""
        with self._pass(fcntl.LOCK_SH):
            yield

    @contextmanager
    def write(self) -> Iterator[None]:
        """Hold the file alone."""
        with self._pass(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _pass(self, how: int) -> Iterator[None]:
        deadline = time.monotonic() + self._wait_seconds
        with ExitStack() as held:
            with _locked(self._turnstile, fcntl.LOCK_EX, deadline):
                held.enter_context(_locked(self._lock, how, deadline))
            yield


@contextmanager
def _locked(path: Path, how: int, deadline: float) -> Iterator[None]:
    # A descriptor per use: flock belongs to the open file, so two threads sharing one would not exclude each other.
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}", "Check the folder and its rights.") from error
    try:
        _wait_for(descriptor, how, deadline, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, how: int, deadline: float, path: Path) -> None:
    attempt = 0
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreBusy(
                    f"{path.with_suffix('').name} was held by another process for too long",
                    "Another monitor process may hang: see `monitor status`, or stop it.",
                ) from None
        time.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
        attempt += 1
