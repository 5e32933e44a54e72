"""What only one process may do with a store at a time: a lock on a file beside it, which dies with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StoreBusy
from monitor.store.faults import our_errors


@contextmanager
def alone(path: Path, ending: str, busy: StoreBusy) -> Iterator[None]:
    """Hold the lock ``ending`` of the store at ``path``.

    Raises:
        StoreBusy: ``busy``, at once, where another has it.
    """
    with our_errors(path):
        descriptor = os.open(path.with_name(path.name + ending), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, busy)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, busy: StoreBusy) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise busy from None
