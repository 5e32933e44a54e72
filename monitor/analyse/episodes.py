"""How an alert goes from firing to resolved. Pure: what is known, what is found and the time in, what changes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from monitor.records.alerts import Alert, Finding, Message, Told

_SKEW = timedelta(minutes=5)  # an alert from further ahead was fired by a clock that was wrong
STATES = ("collection", "spend")  # hold or do not: each new one is news
_LOST = timedelta(days=1)  # without any word on an open alert (its topic is gone, nothing can be told): it is over


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is told, and when. ``targets`` hear of everything, ``escalation`` of what nobody acknowledged in time.

    A statistic's alert is over when it was calm for the ``cooldown``: a wave that ebbs and comes back is one alert.
    """

    targets: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    cooldown: timedelta = timedelta(hours=6)
    escalate_after: timedelta = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Step:
    """Alerts that began or changed, and messages that were not there before."""

    alerts: tuple[Alert, ...]
    messages: tuple[Message, ...]


def step(known: Sequence[Alert], findings: Sequence[Finding], now: datetime, policy: Policy) -> Step:
    """What the findings of ``now`` make of the alerts; ``known`` are the open ones and the last one of each key."""
    # What a clock that was ahead has fired and ended says nothing of now.
    past = [alert for alert in known if alert.resolved_at is None or alert.fired_at <= now + _SKEW]
    latest = {alert.key: alert for alert in sorted(past, key=lambda alert: (alert.resolved_at is None, alert.fired_at))}
    changed: dict[str, Alert] = {}
    messages: list[Message] = []
    for finding in findings:
        before = latest.get(finding.key)
        after, state = _next(before, finding, now, policy)
        if after is not None and after != before:
            changed[after.id] = latest[after.key] = after
        if after is not None and state is not None:
            messages += _messages(after, state, now, policy)
    for alert in [alert for alert in latest.values() if alert.resolved_at is None]:
        if now - alert.seen_at > _LOST and alert.id not in changed and not _is_told_of(alert, findings):
            changed[alert.id] = replace(alert, resolved_at=now)
        elif _is_unheard(alert, now, policy):
            changed[alert.id] = replace(alert, escalated_at=now)
            messages += [Message(alert.id, "escalated", _round(alert), name) for name in policy.escalation]
    return Step(tuple(changed.values()), tuple(messages))


def _next(before: Alert | None, finding: Finding, now: datetime, policy: Policy) -> tuple[Alert | None, Told | None]:
    is_open = before is not None and before.resolved_at is None
    if finding.is_alarm is None:
        return before, None
    if before is not None and is_open and not finding.is_alarm:
        return (replace(before, resolved_at=now), "resolved") if _is_calm(before, now, policy) else (before, None)
    if not finding.is_alarm:
        return before, None
    if before is not None and is_open:
        return _goes_on(before, finding, now)
    if before is not None and finding.detector not in STATES and _is_snoozed(before, now):
        return before, None
    return _fired(finding, now), "firing"


def _goes_on(alert: Alert, finding: Finding, now: datetime) -> tuple[Alert, Told | None]:
    alert = replace(alert, seen_at=max(now, alert.seen_at))
    if finding.estimate is not None and (alert.estimate is None or finding.estimate.effect >= alert.estimate.effect):
        names = ("sentence", "estimate", "thread", "first", "phrases")  # the height of it
        alert = replace(alert, **{name: getattr(finding, name) for name in names})
    slept = alert.snoozed_until is not None and alert.snoozed_until <= now
    if slept and (alert.woken_at is None or alert.woken_at < alert.snoozed_until):  # type: ignore[operator]
        return replace(alert, woken_at=now, escalated_at=None), "firing"
    return alert, None


def _is_calm(alert: Alert, now: datetime, policy: Policy) -> bool:
    """Whether it can be called over; a state is what it is, and a clock that went back must not keep an alert open."""
    return alert.detector in STATES or not timedelta() <= now - alert.seen_at < policy.cooldown


def _is_snoozed(last: Alert, now: datetime) -> bool:
    return last.snoozed_until is not None and now < last.snoozed_until


def _is_unheard(alert: Alert, now: datetime, policy: Policy) -> bool:
    since = alert.woken_at or alert.fired_at
    is_waiting = alert.state(now) == "firing" and alert.escalated_at is None
    return is_waiting and bool(policy.escalation) and now - since >= policy.escalate_after


def _is_told_of(alert: Alert, findings: Iterable[Finding]) -> bool:
    return any(finding.key == alert.key and finding.is_alarm is not None for finding in findings)


def _fired(finding: Finding, now: datetime) -> Alert:
    names = ("topic", "detector", "subject", "began_at", "sentence", "rate", "estimate", "thread", "first", "phrases")
    told = sha256("\n".join([*finding.key, now.isoformat()]).encode()).hexdigest()[:8]
    return Alert(id=told, fired_at=now, seen_at=now, **{name: getattr(finding, name) for name in names})


def _messages(alert: Alert, state: Told, now: datetime, policy: Policy) -> list[Message]:
    if alert.snoozed_until is not None and now < alert.snoozed_until:
        return []
    names = policy.targets + (policy.escalation if state == "resolved" and alert.escalated_at else ())
    return [Message(alert.id, state, _round(alert), name) for name in names]


def _round(alert: Alert) -> int:
    """Seconds after the first firing at which it woke: a number that only grows, and needs no column."""
    return 0 if alert.woken_at is None else max(1, int((alert.woken_at - alert.fired_at).total_seconds()))
