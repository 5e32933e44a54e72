"""Times as the operator writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.errors import ConfigError
from monitor.records import Window


def time_of(text: str) -> datetime:
    """A day or a time in ISO 8601; UTC unless it names a zone.

    Raises:
        ConfigError: it is neither.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"'{text}' is no day or time", "Write 2025-05-08 or 2025-05-08T20:00Z.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def window_of(since: str, until: str) -> Window:
    """From ``since`` to ``until``, or to now where that is empty.

    Raises:
        ConfigError: a part is no time, or the window is empty.
    """
    window = Window(time_of(since), time_of(until) if until else datetime.now(UTC))
    if window.start >= window.end:
        raise ConfigError(f"Nothing lies between {since} and {until or 'now'}", "The start must come before the end.")
    return window
