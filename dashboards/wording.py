"""Times and texts as a viewer reads them. Times are shown in the zone the viewer chose; passed about they are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.analyse.series import change

_MOST_PERCENT = 3.0  # +300 %: what grew further is told in times
SAMPLED = (
    "Of some hours a sample was read: posts stand for all of them, authors and distinct texts only for what was read."
)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """The wall clock of ``zone``, dressed as UTC."""
    return at.astimezone(zone).replace(tzinfo=UTC)


def width_name(seconds: int) -> str:
    """A bucket's width in words: "15 minutes", "hour", "2 hours", "day"."""
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return name if seconds == unit else f"{seconds // unit} {name}s"
    return f"{seconds} seconds"


def stamp(at: datetime, zone: ZoneInfo) -> str:
    """A time for reading: Wed 14 May 2025, 15:00."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """A stretch of time for reading: Wed 14 May 2025, 15:00-15:15."""
    last = end.astimezone(zone)
    same = last.date() == start.astimezone(zone).date()
    return f"{stamp(start, zone)}–{f'{last:%H:%M}' if same else stamp(end, zone)}"


def grown(before: float | None, now: float) -> str | None:
    """A change for reading: "+34%", "60 times"; None where there is no base to compare with."""
    relative = change(before, now)
    if relative is None:
        return None
    return f"{relative:+.0%}" if relative <= _MOST_PERCENT else f"{1 + relative:,.0f} times"


def ago(since: timedelta) -> str:
    """A short age: 12 s, 5 min, 3 h, 2 d."""
    seconds = max(0, int(since.total_seconds()))
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
