"""Typed questions about live streams and what else found the posts of their platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from monitor.records import Window
from monitor.store.views import Reader

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LiveStream:
    """How far a live stream came, and when posts were found of its platform otherwise; see ``live_streams.sql``."""

    stream: str
    begun_at: datetime | None
    event_at: datetime | None
    moved_at: datetime | None
    newest_at: datetime | None
    files_from: datetime | None
    files_to: datetime | None

    @property
    def platform(self) -> str:
        return self.stream.split(":")[0]


def live_streams(store: Reader) -> tuple[LiveStream, ...]:
    """Every live stream that was ever begun."""
    return tuple(LiveStream(**row) for row in store.read("live_streams").to_pylist())


def found_by_day(store: Reader, window: Window, topics: Sequence[str] = ()) -> pa.Table:
    """Posts of each day and platform by what found them; see ``coverage_days.sql``."""
    return store.read("coverage_days", start=window.start, end=window.end, topics=list(topics) or None)


def counted_by_day(store: Reader, window: Window, census: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What X counts of each day, and what was collected of it; see ``coverage_counted.sql``."""
    if not census:
        return []
    table = store.read("coverage_counted", start=window.start, end=window.end, census=list(census))
    return table.to_pylist()  # type: ignore[no-any-return]
