"""What a backfill still has to ask, as a value that fits into a cursor.

A task is one query over one window; the first of the list is being paged through. Whatever happens between two
pages, the plan committed with the last page says all that is left.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from monitor.collect.bluesky_query import Queries
from monitor.records import Window

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Task:
    """One query (its index) over one window."""

    query: int
    window: Window

    def split(self, parts: int, shortest: timedelta) -> tuple[Task, ...]:
        """The same window in up to ``parts`` equal parts, oldest first; none shorter than ``shortest``."""
        start, span = self.window.start, self.window.end - self.window.start
        parts = min(parts, span // shortest)
        if parts < 2:
            return (self,)
        # Whole milliseconds, which is what the search compares.
        step = timedelta(milliseconds=math.ceil(span / parts / timedelta(milliseconds=1)))
        edges = [min(start + i * step, self.window.end) for i in range(parts + 1)]
        return tuple(Task(self.query, Window(a, b)) for a, b in itertools.pairwise(edges) if a < b)


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks left; ``page`` is the server's cursor within the first one, ``asked`` the hits asked for before it."""

    fingerprint: str
    window: Window
    tasks: tuple[Task, ...]
    page: str | None = None
    asked: int = 0

    def turn(self, page: str, asked: int) -> Plan:
        """Go on with the next page of the first task."""
        return replace(self, page=page, asked=asked)

    def follow(self, tasks: tuple[Task, ...] = ()) -> Plan:
        """The first task is done, or goes on as ``tasks``."""
        return replace(self, tasks=(*tasks, *self.tasks[1:]), page=None, asked=0)

    @property
    def left(self) -> timedelta:
        """Time windows not asked yet, summed over all queries."""
        return sum((task.window.end - task.window.start for task in self.tasks), timedelta())

    def encode(self) -> str:
        """As text for a cursor."""
        tasks = [[task.query, *_pair(task.window)] for task in self.tasks]
        return json.dumps([_VERSION, self.fingerprint, _pair(self.window), tasks, self.page, self.asked])


def decode(text: str) -> Plan | None:
    """The plan that ``encode`` wrote; None where it is of another version."""
    version, *rest = json.loads(text)
    if version != _VERSION:
        return None
    fingerprint, window, tasks, page, asked = rest
    return Plan(fingerprint, _window(window), tuple(Task(q, _window(pair)) for q, *pair in tasks), page, asked)


def make(queries: Queries, window: Window, earlier: Plan | None) -> Plan:
    """The wide queries over ``window``, less what ``earlier`` has done of it.

    An earlier plan goes on if it asked the same queries from the same start and no further than now; what lies
    beyond its end is added. Any other begins anew.
    """
    fingerprint = hashlib.sha256("\n".join(queries.strings).encode()).hexdigest()[:16]
    if earlier is None or not _continues(earlier, fingerprint, window):
        return Plan(fingerprint, window, _tasks(queries.wide, window))
    beyond = _tasks(queries.wide, Window(earlier.window.end, window.end))
    return replace(earlier, window=window, tasks=earlier.tasks + beyond)


def _continues(earlier: Plan, fingerprint: str, window: Window) -> bool:
    same = (earlier.fingerprint, earlier.window.start) == (fingerprint, window.start)
    return same and earlier.window.end <= window.end


def _tasks(queries: int, window: Window) -> tuple[Task, ...]:
    return tuple(Task(query, window) for query in range(queries) if window.start < window.end)


def _pair(window: Window) -> list[str]:
    return [window.start.isoformat(), window.end.isoformat()]


def _window(pair: list[str]) -> Window:
    start, end = (datetime.fromisoformat(edge).astimezone(UTC) for edge in pair)
    return Window(start, end)
