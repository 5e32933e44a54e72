"""Calls that may stall, made apart from the thread that has to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from monitor.errors import StreamEnded

_LOOK_SECONDS = 0.1

T = TypeVar("T")


def apart(call: Callable[[], T], name: str) -> Future[T]:
    """Make a call in a thread of its own. Nobody has to wait for it: it does not keep the program from ending."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as fault:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(fault)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


def unless(closed: threading.Event, call: Callable[[], T], name: str) -> T:
    """The result of a call, however long it takes, unless ``closed`` is set meanwhile.

    Raises:
        StreamEnded: it was.
        Exception: what the call raised.
    """
    future = apart(call, name)
    while not wait((future,), _LOOK_SECONDS).done:
        if closed.is_set():
            raise StreamEnded("stopped")
    return future.result()
