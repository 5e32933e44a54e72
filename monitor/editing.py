"""What authors on X made of their posts in the hour for which they may, found by ``monitor run``."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.config import Config, Secrets
from monitor.errors import MonitorError
from monitor.records import Window
from monitor.store import Store
from monitor.store.queries import editable, spent_since

if TYPE_CHECKING:
    from monitor.collect import OnCommit

log = logging.getLogger(__name__)

EVERY_SECONDS = 900.0
_REACH = timedelta(days=2)  # what was made earlier, while nobody looked, would be paid for anew


def keep_edits(
    config: Config,
    store: Store,
    stop: threading.Event,
    on_commit: OnCommit | None = None,
    every_seconds: float = EVERY_SECONDS,
    since: datetime | None = None,
) -> None:
    """Look up every quarter of an hour what can be edited no longer, until ``stop``; each post once.

    Args:
        on_commit: called after every commit.
        every_seconds: also after which a fault is tried again; faults are logged and never raised.
        since: where nothing was ever looked up, begin with what was made then; None is the start of this UTC day, since
            what was read on another would be paid for anew.
    """
    since = since or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while not stop.is_set():
        try:
            _pass(config, store, stop, on_commit, since)
        except Exception as fault:
            # Collecting must not end for it, whatever it is: what is not collected today is lost.
            told = f"{fault.message} {fault.hint}".strip() if isinstance(fault, MonitorError) else repr(fault)
            log.error("posts of X were not looked up for edits; again in %.0f min. %s", every_seconds / 60, told)
            log.debug("it was", exc_info=True)
        stop.wait(every_seconds)


def _pass(config: Config, store: Store, stop: threading.Event, on_commit: OnCommit | None, since: datetime) -> None:
    from monitor.collect import collect
    from monitor.collect.backoff import HOPELESS, Backoff
    from monitor.collect.match import Matcher
    from monitor.collect.watch import Watch
    from monitor.collect.x_api import Api
    from monitor.collect.x_edits import SETTLED, EditsCollector
    from monitor.collect.x_spend import Till
    from monitor.errors import Unpaid

    till = Till(config.x, lambda day: spent_since(store, day))
    now = datetime.now(UTC)
    first = Window(min(since, now - SETTLED), now - SETTLED)
    later = Window(now - _REACH, now - SETTLED)
    api = Api(config.x, Secrets.from_environment())
    collector = EditsCollector(api, lambda after: editable(store, after, later if after else first), till)
    backoff = Backoff(hopeless=(*HOPELESS, Unpaid))
    collect(collector, store, Matcher(config.topics), Watch(0), stop, on_commit, backoff)
