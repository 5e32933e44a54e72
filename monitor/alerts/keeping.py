"""Alerts as ``monitor run`` keeps them: every minute a look, each change committed with what is to be told of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitor.alert_settings import Alerts
from monitor.alerts.delivering import keep_delivering, opened
from monitor.alerts.judging import judge
from monitor.alerts.missed import Missed
from monitor.alerts.troubles import troubles
from monitor.alerts.watching import Learned, learn
from monitor.alone import alone
from monitor.analyse.episodes import Policy, Step, step
from monitor.config import Config
from monitor.errors import MonitorError, StoreBusy
from monitor.records.alerts import Finding
from monitor.store import Store, alerting

_LEARN = timedelta(hours=24)
_AGAIN_SECONDS = 60.0

log = logging.getLogger(__name__)


def policy(settings: Alerts) -> Policy:
    """Who is told and when, by the configuration."""
    return Policy(
        targets=tuple(target.name for target in settings.targets if not target.escalation),
        escalation=tuple(target.name for target in settings.targets if target.escalation),
        cooldown=timedelta(hours=settings.cooldown_hours),
        escalate_after=timedelta(minutes=settings.escalate_minutes),
    )


def note(store: Store, findings: Sequence[Finding], now: datetime, settings: Alerts) -> Step:
    """Commit what the findings change, together with the messages about it."""
    done = step(alerting.latest(store), findings, now, policy(settings))
    if done.alerts or done.messages:
        store.commit_alerts(done.alerts, done.messages, now)
    return done


def keep_alerting(config: Config, store: Store, stop: threading.Event, again_seconds: float = _AGAIN_SECONDS) -> None:
    """Look, note and deliver until ``stop``; faults are logged and never raised.

    Args:
        again_seconds: after which it begins again where another process was at it, or a target's address is wrong.
    """
    while not stop.is_set():
        try:
            busy = StoreBusy(f"Alerts of {store.path} are kept by another process already", "")
            with alone(store.path, ".alerts", busy):
                _keep(config, store, stop)
        except Exception as fault:
            # Collecting must not end for it, whatever it is: what is not collected today is lost.
            log.error("no alerts; again in %.0f s. %s", again_seconds, _told(fault))
            log.debug("it was", exc_info=True)
            stop.wait(again_seconds)


def _keep(config: Config, store: Store, stop: threading.Event) -> None:
    news: list[threading.Event] = []
    senders = []
    for name, notifier in opened(config.alerts).items():
        news.append(threading.Event())
        arguments = (store, name, notifier, stop, news[-1])
        senders.append(threading.Thread(target=keep_delivering, args=arguments, name=f"alert {name}", daemon=True))
    for sender in senders:
        sender.start()
    try:
        _look_on(config, store, stop, news)
    finally:
        for sender in senders:
            sender.join(0.5)  # one that waits for an answer is left behind: its message is told again


def _look_on(config: Config, store: Store, stop: threading.Event, news: list[threading.Event]) -> None:
    learned: Learned | None = None
    begun_at = datetime.now(UTC)
    wait_seconds = 0.0
    while not stop.wait(wait_seconds):
        wait_seconds = config.alerts.every_seconds
        try:
            now = datetime.now(UTC)
            done = look(store, learned, config, now, begun_at)
            for one in done.alerts:
                if now in (one.fired_at, one.woken_at, one.resolved_at):
                    log.warning("alert %s (%s): %s", one.id, one.state(now), one.sentence)
            for event in news if done.messages else ():
                event.set()
            if learned is None or not timedelta() <= now - learned.at < _LEARN:
                learned = learn(store, config, now)
                wait_seconds = 0.0
        except Exception as fault:
            log.error("alerts were not looked after; again in %.0f s. %s", wait_seconds, _told(fault))
            log.debug("it was", exc_info=True)


def look(store: Store, learned: Learned | None, config: Config, now: datetime, begun_at: datetime) -> Step:
    """One look: what is found is committed first, and only then is it noted as judged.

    Args:
        begun_at: since when this program looks; what is not collected so soon after a start is no trouble yet.
    """
    before = Missed.read(store, now)
    after = before.at(now, [topic.name for topic in config.topics])
    findings = troubles(store, config, now, begun_at)
    if learned is not None:
        judged = judge(store, learned, config, now, after.due)
        findings += judged.findings
        after = after.without(judged.done)
    done = note(store, findings, now, config.alerts)
    if after != before or learned is None:
        after.keep(store)
    return done


def _told(fault: Exception) -> str:
    return f"{fault.message} {fault.hint}".strip() if isinstance(fault, MonitorError) else repr(fault)
