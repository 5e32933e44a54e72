"""Which hours nobody judged while they ran, so that an outbreak within a stop is told once its posts are there.

The program may not have run, or the posts came later: by a stream's replay, by a search, or once they were scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from monitor.alerts.hours import number
from monitor.analyse.baseline import WEEK
from monitor.store import Store

_MARK = "alerts missed"


@dataclass(frozen=True, slots=True)
class Missed:
    """Every hour before ``to`` was judged but for ``hours``, both since 1970; what is older than a week is given up."""

    to: int
    hours: frozenset[int] = frozenset()

    @classmethod
    def read(cls, store: Store, now: datetime) -> Self:
        """As it was kept; a store that nobody looked at before has missed nothing."""
        told = store.marked(_MARK)
        if told is None:
            return cls(number(now) - 1)
        to, *hours = map(int, told.split())
        return cls(to, frozenset(hours))

    def keep(self, store: Store) -> None:
        """Note it in the store."""
        store.mark(_MARK, " ".join(map(str, (self.to, *sorted(self.hours)))))

    def at(self, now: datetime) -> Self:
        """With the hours that went by since; the running one and the one before are judged anyway."""
        running = number(now)
        passed = {*self.hours, *range(self.to, running - 1)}
        kept = frozenset(hour for hour in passed if running - WEEK <= hour < running - 1)
        return type(self)(min(max(self.to, running - 1), running), kept)

    def without(self, judged: frozenset[int]) -> Self:
        """After these hours were judged for good."""
        return type(self)(self.to + (self.to in judged), self.hours - judged)
