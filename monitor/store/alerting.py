"""Typed questions about alerts and their deliveries, and what the detectors look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monitor.records import Estimate, Window
from monitor.records.alerts import Alert, Delivery, Message
from monitor.store.rows import naive

if TYPE_CHECKING:
    from monitor.store import Moment, Store

_TIME, _TEXT = pa.timestamp("us"), pa.string()
_ESTIMATE = ("effect", "low", "high", "level", "method", "n")
_ALERT = pa.schema(
    [
        *((n, _TEXT) for n in ("id", "topic", "detector", "subject", "sentence", "rate", "method")),
        *((n, pa.float64()) for n in ("effect", "low", "high", "level")),
        ("n", pa.int64()),
        *((n, pa.uint64()) for n in ("thread", "first")),
        ("phrases", pa.list_(_TEXT)),
        *((n, _TIME) for n in ("began_at", "fired_at", "seen_at", "woken_at", "escalated_at", "resolved_at")),
        *((n, _TIME) for n in ("acknowledged_at", "snoozed_until")),
    ]
)
_MESSAGE = pa.schema([("alert", _TEXT), ("state", _TEXT), ("round", pa.int64()), ("target", _TEXT)])


def staged(alerts: Iterable[Alert], messages: Iterable[Message]) -> dict[str, pa.Table]:
    """The tables that ``writes/alerts.sql`` reads."""
    told = [{name: getattr(message, name) for name in _MESSAGE.names} for message in messages]
    return {
        "in_alerts": pa.Table.from_pylist([_row(alert) for alert in alerts], _ALERT),
        "in_messages": pa.Table.from_pylist(told, _MESSAGE),
    }


def latest(store: Store | Moment) -> list[Alert]:
    """The open alerts, and the last one of each topic, detector and subject."""
    return [_alert(row) for row in store.read("alerts_latest").to_pylist()]


def since(store: Store | Moment, at: datetime = datetime(1970, 1, 1, tzinfo=UTC)) -> list[Alert]:
    """The open alerts and those that fired since ``at``, the newest first."""
    return [_alert(row) for row in store.read("alerts", since=at).to_pylist()]


def deliveries(store: Store | Moment, target: str | None = None, *, waiting: bool = False) -> list[Delivery]:
    """Who was told, the oldest first; ``waiting`` leaves out what was sent or given up."""
    return [_delivery(row) for row in store.read("deliveries", target=target, waiting=waiting).to_pylist()]


def places(store: Store | Moment, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Platform and id of the posts of these keys that still stand."""
    rows = store.read("alert_posts", keys=list(keys)).to_pylist() if keys else []
    return {row["key"]: (row["platform"], row["post_id"]) for row in rows}


def first_post(
    store: Store | Moment, topic: str, window: Window, detector: str, platforms: Sequence[str]
) -> int | None:
    """The key of the first post of a topic in a window, of those that a detector counts; see ``alert_first.sql``."""
    bounds = {"start": window.start, "end": window.end, "detector": detector, "platforms": list(platforms)}
    found = store.read("alert_first", topic=topic, **bounds)["key"].to_pylist()
    return found[0] if found else None


def hours(store: Store | Moment, window: Window) -> pa.Table:
    """See ``alert_hours.sql``."""
    return store.read("alert_hours", start=window.start, end=window.end)


def threads(store: Store | Moment, window: Window, platforms: Sequence[str]) -> pa.Table:
    """See ``alert_threads.sql``."""
    return store.read("alert_threads", start=window.start, end=window.end, platforms=list(platforms))


def texts(
    store: Store | Moment, asked: Sequence[tuple[str, int]], platforms: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """What was said, by topic, in hours since 1970; ``asked`` are topics and their hours; see ``alert_texts.sql``."""
    topics, numbers = [topic for topic, _ in asked], [hour for _, hour in asked]
    found: dict[str, list[dict[str, Any]]] = {topic: [] for topic in topics}
    if asked:
        start, end = (datetime.fromtimestamp(n * 3600, UTC) for n in (min(numbers), max(numbers) + 1))
        bounds = {"start": start, "end": end, "platforms": list(platforms)}
        for row in store.read("alert_texts", topics=topics, hours=numbers, **bounds).to_pylist():
            found[row["topic"]].append(row)
    return found


def seen_hours(store: Store | Moment, at: datetime) -> list[dict[str, Any]]:
    """What live streams inspected since ``at``; see ``seen_hours.sql``."""
    return store.read("seen_hours", since=at).to_pylist()  # type: ignore[no-any-return]


def _row(alert: Alert) -> dict[str, Any]:
    row = {name: getattr(alert, name) for name in _ALERT.names if hasattr(alert, name)}
    row |= {name: getattr(alert.estimate, name, None) for name in _ESTIMATE}
    row["phrases"] = list(alert.phrases)
    return {name: naive(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _alert(row: dict[str, Any]) -> Alert:
    parts = {name: row.pop(name) for name in _ESTIMATE}
    estimate = None if parts["effect"] is None else Estimate(**parts)
    return Alert(**(row | {"estimate": estimate, "phrases": tuple(row["phrases"])}))


def _delivery(row: dict[str, Any]) -> Delivery:
    message = Message(row["alert"], row["state"], row["round"], row["target"])
    names = ("created_at", "begun_at", "attempts", "sent_at", "fault", "given_up")
    return Delivery(message, **{name: row[name] for name in names})
