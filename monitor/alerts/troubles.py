"""Whether collection and spending are in trouble: states that hold or do not, so they have no false-alarm rate."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitor.alerts.hours import platforms
from monitor.analyse.coverage import source_name
from monitor.config import Config
from monitor.records import Gap
from monitor.records.alerts import Finding
from monitor.store import Moment, Store, alerting, views
from monitor.store.queries import spent_since
from monitor.store.streams import live_streams

if TYPE_CHECKING:
    from monitor.config import X

STATE = "A state, not a statistic: it has no false-alarm rate."
_MICRO = 1_000_000
_WARN = 0.8  # of a budget, as collecting warns
_QUIET = 0.1  # of the median hour
_BUSY = 100  # a stream that inspects so many an hour is never silent for one
_NORMAL_DAYS, _LEAST_HOURS = 14, 24
_SKEW = timedelta(minutes=5)


def troubles(store: Store, config: Config, now: datetime, begun_at: datetime) -> list[Finding]:
    """One finding for each live stream that should be collected, and each budget.

    Args:
        begun_at: since when they should; a stream that never began is no trouble so soon after it.
    """
    with store.reading() as moment:
        return [
            *_collection(moment, config, now, begun_at),
            *(_spending(moment, config.x, now) if config.x.enabled else ()),
        ]


def _collection(store: Moment, config: Config, now: datetime, begun_at: datetime) -> Iterator[Finding]:
    gaps = [gap for gap in views.gaps(store) if gap.end is None]
    seen = alerting.seen_hours(store, now - timedelta(days=_NORMAL_DAYS))
    streams = {one.platform: one for one in live_streams(store)}
    for platform in platforms(config):
        stream, one = f"{platform}:live", streams.get(platform)
        why = _gap(gaps, stream, config, now) or _silence(seen, stream, now)
        if one is None:
            why = why or _absence(begun_at, config, now)
        elif platform == "bluesky":
            why = why or _stillness(one.moved_at, config, now)
        told = f"{source_name(stream)}: {why or ('is collected' if one else 'has not begun yet')}."
        yield Finding("", "collection", stream, now, bool(why), told, STATE)


def _absence(begun_at: datetime, config: Config, now: datetime) -> str:
    if (now - begun_at).total_seconds() < 60 * config.alerts.trouble_minutes:
        return ""
    return f"it is enabled, but nothing of it was ever collected; tried since {begun_at:%d %b %H:%M} UTC"


def _gap(gaps: list[Gap], stream: str, config: Config, now: datetime) -> str:
    since = min((gap.start for gap in gaps if gap.stream == stream), default=None)
    if since is None or (now - since).total_seconds() < 60 * config.alerts.trouble_minutes:
        return ""
    why = next(gap.why for gap in gaps if gap.stream == stream and gap.start == since)
    return f"nothing is collected since {since:%d %b %H:%M} UTC ({why})"


def _silence(seen: list[dict[str, Any]], stream: str, now: datetime) -> str:
    """The last whole hour against the median one of two weeks."""
    last = int(now.timestamp()) // 3600 - 1
    counts = {row["hour"]: row["n"] for row in seen if row["stream"] == stream}
    before = [n for hour, n in counts.items() if hour < last]
    if len(before) < _LEAST_HOURS or (normal := statistics.median(before)) < _BUSY:
        return ""
    n = counts.get(last, 0)
    return f"{n:,} events in the last whole hour, where {normal:,.0f} are usual" if n < _QUIET * normal else ""


def _stillness(moved_at: datetime | None, config: Config, now: datetime) -> str:
    if moved_at is None or (now - moved_at).total_seconds() < 60 * config.alerts.trouble_minutes:
        ahead = moved_at is not None and moved_at - now > _SKEW
        return (
            f"this machine's clock went back: the last commit is {moved_at - now} ahead" if ahead and moved_at else ""
        )
    return f"nothing was committed since {moved_at:%d %b %H:%M} UTC"


def _spending(store: Moment, settings: X, now: datetime) -> Iterator[Finding]:
    today = now.astimezone(UTC).date()
    budgets = (("day", settings.budget_per_day, today), ("month", settings.budget_per_month, today.replace(day=1)))
    for name, budget, since in budgets:
        if budget > 0:
            yield from _budget(name, budget, spent_since(store, since) / _MICRO, since)


def _budget(name: str, budget: float, spent: float, since: date) -> Iterator[Finding]:
    began_at = datetime.combine(since, datetime.min.time(), UTC)
    for what, at, told in (("80 %", _WARN, "is spent"), ("stop", 1.0, "is spent: collecting from X has stopped")):
        text = f"X: ${spent:,.2f} of ${budget:,.2f} for this {name} {told if spent >= at * budget else 'are spent'}."
        yield Finding("", "spend", f"{name} {what}", began_at, spent >= at * budget, text, STATE)
