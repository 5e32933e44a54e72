"""How many posts X counts, kept up to date by ``monitor run``: a volume without gaps, for cents."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from monitor.config import Config, Secrets, Topic
from monitor.errors import MonitorError
from monitor.planning import ask, hourly_counts
from monitor.records import Window
from monitor.store import Store

_REACH = timedelta(days=6, hours=22)  # of recent counts, the cheaper ones
_HOUR = timedelta(hours=1)
_LOOK_SECONDS = 600.0  # a machine that slept has another time than it waited for

log = logging.getLogger(__name__)


def keep_counted(config: Config, store: Store, stop: threading.Event, again_seconds: float = 3600.0) -> None:
    """Have X count the last days every ``count_hours`` until ``stop``, each hour once.

    Args:
        again_seconds: after which a fault is tried again; faults are logged and never raised.
    """
    wait_seconds = 0.0
    while not stop.wait(wait_seconds):
        try:
            _count_if_due(config, store, stop)
            wait_seconds = _LOOK_SECONDS
        except Exception as fault:
            # Collecting must not end for it, whatever it is: what is not collected today is lost.
            told = f"{fault.message} {fault.hint}".strip() if isinstance(fault, MonitorError) else repr(fault)
            log.error("X was not asked for counts; again in %.0f min. %s", again_seconds / 60, told)
            log.debug("it was", exc_info=True)
            wait_seconds = again_seconds


def _count_if_due(config: Config, store: Store, stop: threading.Event) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = Window(now - _REACH, now)
    due = [topic for topic in config.topics if _is_due(store, topic, hours, config.x.count_hours)]
    if due:
        ask(config, Secrets.from_environment(), store, due, hours, stop, log.info)


def _is_due(store: Store, topic: Topic, hours: Window, count_hours: float) -> bool:
    """Have as many of the latest hours passed uncounted? What is older and missing is asked with them."""
    with store.reading() as moment:
        uncounted = hourly_counts(moment, topic, hours) < 0
    return bool(uncounted[-max(1, round(count_hours)) :].all())
