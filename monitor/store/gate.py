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
    """flock on files beside the database; the locks go with the process, also after kill -9.

    Args:
        path: the database file.
        wait_seconds: how long to wait for a lock before ``StoreBusy``.
    """

    def __init__(self, path: Path, wait_seconds: float = 30.0) -> None:
        self._turnstile = path.with_name(path.name + ".turn")
        self._lock = path.with_name(path.name + ".lock")
        self._rewrite = path.with_name(path.name + ".rewrite")
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
    def rewrite(self) -> Iterator[None]:
        """Hold the file alone for as long as it takes; whoever waits meanwhile does not lose patience."""
        with self.write(), _locked(self._rewrite, fcntl.LOCK_EX, self._patience()):
            yield

    @contextmanager
    def _pass(self, how: int) -> Iterator[None]:
        patience = self._patience()
        with ExitStack() as held:
            with _locked(self._turnstile, fcntl.LOCK_EX, patience):
                held.enter_context(_locked(self._lock, how, patience))
            yield

    def _patience(self) -> _Patience:
        return _Patience(self._wait_seconds, self._rewrite)


class _Patience:
    """How long to wait: ``seconds``, and again so long while ``rewrite`` is locked."""

    def __init__(self, seconds: float, rewrite: Path) -> None:
        self._seconds, self._rewrite = seconds, rewrite
        self._deadline = time.monotonic() + seconds

    def is_over(self) -> bool:
        if time.monotonic() > self._deadline and _is_locked(self._rewrite):
            self._deadline = time.monotonic() + self._seconds
        return time.monotonic() > self._deadline


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def _locked(path: Path, how: int, patience: _Patience) -> Iterator[None]:
    # A descriptor per use: flock belongs to the open file, so two threads sharing one would not exclude each other.
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}", "Check the folder and its rights.") from error
    try:
        _wait_for(descriptor, how, patience, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, how: int, patience: _Patience, path: Path) -> None:
    attempt = 0
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if patience.is_over():
                raise StoreBusy(
                    f"{path.with_suffix('').name} was held by another process for too long",
                    "Another monitor process may hang: see `monitor status`, or stop it.",
                ) from None
        time.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
        attempt += 1
