"""What no detector judged while it ran, so that an outbreak within a stop is told once its posts are there.

The program may not have run, or the posts came later: by a stream's replay, by a search, or once they were scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Self

from monitor.alerts.hours import Due, number
from monitor.alerts.watching import STATISTICS
from monitor.analyse.baseline import WEEK
from monitor.store import Store

_MARK = "alerts missed"


@dataclass(frozen=True, slots=True)
class Missed:
    """Everything before the hour ``to`` (since 1970) was judged but for ``due``; what is older than a week is given up.

    Each topic and detector has its own: one that is not collected or not scored must not hold up the others, and what
    was judged by one must not be judged by it again because another still waits.
    """

    to: int
    due: frozenset[Due] = frozenset()

    @classmethod
    def read(cls, store: Store, now: datetime) -> Self:
        """As it was kept; a store that nobody looked at before has missed nothing."""
        told = store.marked(_MARK)
        if told is None:
            return cls(number(now) - 1)
        first, *lines = told.split("\n")
        due = {(topic, name, int(hour)) for topic, name, *hours in map(str.split, lines) for hour in hours}
        return cls(int(first.split()[0]), frozenset(due))  # earlier versions noted hours of no topic behind it

    def keep(self, store: Store) -> None:
        """Note it in the store."""
        hours: dict[tuple[str, str], list[str]] = defaultdict(list)
        for topic, name, hour in sorted(self.due):
            hours[topic, name].append(str(hour))
        store.mark(_MARK, "\n".join([str(self.to), *(" ".join([*key, *every]) for key, every in hours.items())]))

    def at(self, now: datetime, topics: Collection[str]) -> Self:
        """With the hours of these topics that went by since; the running one is looked at again anyway."""
        running = number(now)
        oldest = running - WEEK
        passed = {*self.due, *product(topics, STATISTICS, range(max(self.to, oldest), running))}
        kept = frozenset(one for one in passed if one[0] in topics and oldest <= one[2] < running)
        return type(self)(running, kept)

    def without(self, judged: frozenset[Due]) -> Self:
        """After these were judged for good."""
        return replace(self, due=self.due - judged)
