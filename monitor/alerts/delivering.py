"""Alerts to their targets through Apprise, at least once.

Each message is a row that was committed together with the state it tells of. It is marked as begun before it is sent
and as sent once its target has taken it, so no state is told twice while all goes well. Where the program is killed in
between, or a target takes a message and does not say so, nobody can know whether it arrived: then it is sent again,
since a lost alarm is worse than a repeated one, under the same key and with a line that says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.alert_settings import Alerts, Target
from monitor.errors import ConfigError, Undelivered
from monitor.records.alerts import Alert, Delivery
from monitor.store import Store, alerting
from monitor.text import post_url

GIVEN_UP = timedelta(hours=24)
_LOOK_SECONDS = 15.0
_FAULT_LIMIT = 300  # characters
_FIRST = {  # what the post that is named began
    "concern": "First of concern level 2 or 3",
    "removal": "First that spoke of leaving",
    "phrase": "First that said it",
}
_AGAIN = (
    "This may reach you twice: it was being sent when the program stopped or the target did not answer. "
    "Its key is the same."
)

log = logging.getLogger(__name__)


def opened(settings: Alerts) -> dict[str, Any]:
    """A notifier for each target that can be opened; the others are logged, and their messages wait."""
    found = {}
    for target in settings.targets:
        try:
            found[target.name] = notifier(target)
        except ConfigError as error:
            log.error("no alert reaches '%s'. %s %s", target.name, error.message, error.hint)
    return found


def notifier(target: Target) -> Any:
    """What sends to one target: no images are linked, nothing is stored, and nobody is called before a message.

    Raises:
        ConfigError: an address that Apprise cannot read, or a secret that is not set.
    """
    import apprise

    address = target.address()
    # Without a logo, which receivers would fetch from somebody else's server.
    asset = apprise.AppriseAsset(
        app_id="Backlash Monitor", app_desc="Backlash Monitor", app_url="", image_url_logo="", image_url_mask="",
        async_mode=False,
    )  # fmt: skip
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    found = apprise.Apprise(asset=asset)
    if not found.add(address):
        raise ConfigError(
            f"The address of the alert target '{target.name}' cannot be read",
            "See github.com/caronc/apprise/wiki for how an address of its kind is written.",
        )
    return found


def send(notifier: Any, title: str, body: str, name: str) -> None:
    """One message to one target; waits for its answer, for as long as Apprise does (4 s, mail 15 s).

    Raises:
        Undelivered: the target did not take it.
    """
    import apprise

    try:
        taken = notifier.notify(title=title, body=body, notify_type="warning", body_format=apprise.NotifyFormat.TEXT)
    except Exception as fault:
        raise Undelivered(f"the target '{name}' failed: {fault!r}"[:_FAULT_LIMIT]) from fault
    if not taken:
        raise Undelivered(f"the target '{name}' did not take it")


def keep_delivering(
    store: Store, name: str, notifier: Any, stop: threading.Event, news: threading.Event, first_seconds: float = 5.0
) -> None:
    """Send what waits for one target until ``stop``; faults are logged and tried again, ever more seldom, for a day."""
    from monitor.collect.backoff import Backoff

    backoff = Backoff(first_seconds=first_seconds, longest_seconds=600.0, attempts=1_000_000)
    while not stop.is_set():
        news.clear()
        try:
            fault = deliver_waiting(store, name, notifier, stop, backoff.progress)
        except Exception as error:  # noqa: BLE001 - whatever it is, collecting and the other targets go on
            fault = Undelivered(f"alerts could not be read or noted: {error!r}"[:_FAULT_LIMIT])
        if fault is not None:
            backoff.wait(f"alerts to '{name}'", fault, stop)
        else:
            _wait(news, stop)


def deliver_waiting(
    store: Store, name: str, notifier: Any, stop: threading.Event, progress: Any = lambda: None
) -> Undelivered | None:
    """Send every message that waits for a target, in order; the last fault, if any."""
    last = None
    alerts = (
        {alert.id: alert for alert in alerting.since(store)} if alerting.deliveries(store, name, waiting=True) else {}
    )
    held: set[str] = set()  # what follows of an alert must not come before what waits of it
    for delivery in alerting.deliveries(store, name, waiting=True):
        if stop.is_set():
            break
        if delivery.message.alert in held:
            continue
        try:
            _deliver(store, delivery, alerts[delivery.message.alert], notifier)
            progress()
        except Undelivered as fault:
            last = fault
            held.add(delivery.message.alert)
    return last


def _deliver(store: Store, delivery: Delivery, alert: Alert, notifier: Any) -> None:
    message = delivery.message
    if datetime.now(UTC) - delivery.created_at > GIVEN_UP:
        log.error("alert %s was not delivered to '%s' within a day; given up", message.key, message.target)
        store.note_delivery(message, "given up", delivery.fault)
        return
    if message.state != "resolved" and alert.resolved_at is not None:
        store.note_delivery(message, "given up", "it was over before it could be told")
        return
    title, body = composed(store, alert, delivery)
    store.note_delivery(message, "begun")
    try:
        send(notifier, title, body, message.target)
    except Undelivered as fault:
        store.note_delivery(message, "failed", fault.message)
        raise
    store.note_delivery(message, "sent")


def composed(store: Store, alert: Alert, delivery: Delivery) -> tuple[str, str]:
    """Title and text. What others wrote is in neither, but for phrases that several authors said."""
    message = delivery.message
    what = alert.topic or alert.subject
    title = (
        f"{message.state.upper()}: {alert.detector} of {what}"
        if alert.topic
        else (f"{message.state.upper()}: {alert.detector}, {what}")
    )
    lines = [_opening(alert, message.state), alert.sentence, *driven_by(store, alert), alert.rate]
    if message.state != "resolved":
        lines.append(f"Acknowledge: monitor alerts acknowledge {alert.id}")
    lines += [_AGAIN] * (delivery.attempts > 0)
    return title, "\n".join([*(line for line in lines if line), f"Key: {message.key}"])


def driven_by(store: Store, alert: Alert) -> list[str]:
    """The thread, the phrases and the post behind an alert, as far as they still stand."""
    found = alerting.places(store, [key for key in (alert.thread, alert.first) if key is not None])
    links = {key: post_url(*place) or place[1] for key, place in found.items()}
    told = []
    if alert.thread in links:
        told.append(f"Most answered: {links[alert.thread]}")
    if alert.phrases:
        told.append("New phrases: " + "; ".join(f"“{phrase}”" for phrase in alert.phrases))
    if alert.first in links and alert.first != alert.thread:
        told.append(f"{_FIRST.get(alert.detector, 'First of that time')}: {links[alert.first]}")
    return told


def _opening(alert: Alert, state: str) -> str:
    if state == "escalated":
        return f"Nobody has acknowledged this since {alert.fired_at:%d %b %H:%M} UTC."
    if state == "resolved":
        return f"It is over. It fired {alert.fired_at:%d %b %H:%M} UTC:"
    return ""


def _wait(news: threading.Event, stop: threading.Event) -> None:
    until = time.monotonic() + _LOOK_SECONDS
    while not (stop.wait(0.2) or news.is_set() or time.monotonic() > until):
        pass


def tried(settings: Alerts, names: Sequence[str]) -> list[tuple[str, str]]:
    """Send a test message to the targets named, none for all; each with what went wrong, empty where nothing did."""
    import apprise

    done = []
    for target in settings.targets:
        if names and target.name not in names:
            continue
        fault = ""
        try:
            found = notifier(target)
            with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call]
                try:
                    send(found, "TEST: Backlash Monitor", "A test message: alerts reach this target.", target.name)
                except Undelivered as error:
                    reason = " ".join(said.getvalue().split())
                    fault = f"{error.message}. {reason}"[:_FAULT_LIMIT]
        except ConfigError as error:
            fault = f"{error.message} {error.hint}".strip()
        done.append((target.name, fault))
    return done
