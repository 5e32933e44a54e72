"""What X would charge, to the cent, by the prices of November 2026 (https://docs.x.com/x-api/getting-started/pricing).

Every post and user in an answer is a resource read, those in ``includes`` too; each is charged once per UTC day. A
counts request is charged each time. What is refused costs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.servers.x.clock import Clock

POST, USER = Decimal("0.005"), Decimal("0.010")
COUNTS_RECENT, COUNTS_ALL = Decimal("0.005"), Decimal("0.010")


@dataclass(frozen=True, slots=True)
class DayBill:
    """One UTC day: how many were charged, and the sum."""

    posts: int
    users: int
    counts_recent: int
    counts_all: int

    @property
    def counts(self) -> int:
        return self.counts_recent + self.counts_all

    @property
    def dollars(self) -> Decimal:
        counts = self.counts_recent * COUNTS_RECENT + self.counts_all * COUNTS_ALL
        return self.posts * POST + self.users * USER + counts


@dataclass(slots=True)
class _Day:
    posts: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: {"counts/recent": 0, "counts/all": 0})


class Till:
    """Rings up what was sent. ``charges_included`` False leaves the posts in ``includes`` out."""

    def __init__(self, clock: Clock) -> None:
        self.charges_included = True
        self._clock = clock
        self._days: dict[date, _Day] = {}
        self._lock = threading.Lock()

    def ring(self, body: Mapping[str, Any]) -> None:
        """Charge what an answer in old names holds."""
        data, includes = body.get("data", []), body.get("includes", {})
        with self._lock:
            day = self._today()
            day.posts.update(_ids(data if isinstance(data, list) else [data]))
            day.posts.update(_ids(includes.get("tweets", [])) if self.charges_included else ())
            day.users.update(_ids(includes.get("users", [])))

    def ring_counts(self, endpoint: str) -> None:
        with self._lock:
            self._today().counts[endpoint] += 1

    def bill(self) -> dict[date, DayBill]:
        """The days on which something was charged."""
        with self._lock:
            return {
                at: DayBill(len(d.posts), len(d.users), d.counts["counts/recent"], d.counts["counts/all"])
                for at, d in sorted(self._days.items())
                if d.posts or d.users or any(d.counts.values())
            }

    def _today(self) -> _Day:
        return self._days.setdefault(self._clock.now().date(), _Day())


def _ids(resources: list[dict[str, Any]]) -> list[str]:
    return [resource["id"] for resource in resources]
