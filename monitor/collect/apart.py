"""Calls that may stall, made apart from the thread that has to go on."""

from __future__ import annotations

import math
import threading
import time
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


def unless(closed: threading.Event, call: Callable[[], T], name: str, seconds: float = math.inf) -> T:
    """The result of a call, unless ``closed`` is set meanwhile.

    Raises:
        StreamEnded: it was, or ``seconds`` have passed: an answer that drips has no end of its own.
        Exception: what the call raised.
    """
    future, until = apart(call, name), time.monotonic() + seconds
    while not wait((future,), _LOOK_SECONDS).done:
        if closed.is_set():
            raise StreamEnded("stopped")
        if time.monotonic() > until:
            raise StreamEnded(f"no whole answer in {seconds:g} s to: {name}")
    return future.result()
