"""X's compliance jobs as ``monitor comply`` and ``monitor run`` work through them: the same pass, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alone import alone
from monitor.config import Secrets, X
from monitor.errors import MonitorError, StoreBusy
from monitor.store import Store
from monitor.store.checks import Checked, checks, pass_ended

if TYPE_CHECKING:
    from monitor.collect.x_jobs import JobsApi

_LOOK_SECONDS = 600.0  # a machine that slept has another time than it waited for

log = logging.getLogger(__name__)


def pass_over_x(
    jobs: JobsApi, store: Store, stop: threading.Event, on_check: Callable[[Checked], None] = lambda _: None
) -> list[Checked]:
    """Ask X about everything of it that is stored, or about the rest where a pass was left; the checks that ended well.

    Args:
        on_check: called with each check that is worked on, and again when it has ended.

    Raises:
        StoreBusy: another process is at it.
        CollectError: X cannot be asked; its jobs fail.
    """
    from monitor.collect.backoff import HOPELESS, Backoff
    from monitor.collect.x_compliance import ComplianceRun
    from monitor.errors import Unpaid

    found: dict[str, Checked] = {}

    def worked_on(name: str) -> None:
        [found[name]] = checks(store, name)
        on_check(found[name])

    busy = StoreBusy(f"Posts of X in {store.path} are being checked already", "Wait until that is done.")
    with alone(store.path, ".comply", busy):
        ComplianceRun(jobs, store, stop, worked_on, backoff=Backoff(hopeless=(*HOPELESS, Unpaid))).run()
    return [check for check in found.values() if check.state == "applied"]


def keep_to_x(settings: X, store: Store, stop: threading.Event, again_seconds: float = 3600.0) -> None:
    """A pass every ``comply_hours`` until ``stop``: where one was left, or is due, at once.

    Args:
        again_seconds: after which a pass that came to a fault is tried again; faults are logged.
    """
    wait_seconds = 0.0
    while not stop.wait(wait_seconds):
        try:
            wait_seconds = _pass_if_due(settings, store, stop)
        except Exception as fault:
            # Collecting must not end for it, whatever it is: what is not collected today is lost.
            told = f"{fault.message} {fault.hint}".strip() if isinstance(fault, MonitorError) else repr(fault)
            log.error("posts of X were not checked; again in %.0f min. %s", again_seconds / 60, told)
            log.debug("it was", exc_info=True)
            wait_seconds = again_seconds


def _pass_if_due(settings: X, store: Store, stop: threading.Event) -> float:
    """Seconds after which to look again."""
    from monitor.collect.x_compliance import STREAM
    from monitor.collect.x_jobs import JobsApi

    every = timedelta(hours=settings.comply_hours)
    ended = pass_ended(store, "x", STREAM)
    if ended is not None and (left := ended + every - datetime.now(UTC)) > timedelta():
        return min(left.total_seconds(), _LOOK_SECONDS)
    found = pass_over_x(JobsApi(settings, Secrets.from_environment()), store, stop)
    sums = {name: sum(getattr(check, name) for check in found) for name in ("asked", "deleted", "hidden", "shown")}
    log.info("posts of X were checked: %s", ", ".join(f"{n:,} {name}" for name, n in sums.items()))
    return min(every.total_seconds(), _LOOK_SECONDS)
