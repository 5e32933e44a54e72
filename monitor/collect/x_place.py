"""Where a backfill from X stands, as a value that fits into a cursor.

A window is searched query by query, each from its end to its start. What a later call adds behind the end is a stretch
of its own, so that nothing is read, and paid for, twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import orjson

from monitor.records import Window

_VERSION = 2


@dataclass(frozen=True, slots=True)
class Place:
    """The next page. Times are unix seconds, whole ones as X takes them.

    Attributes:
        rules: fingerprint of the queries; ``limit`` is the number of characters that they were made for.
        since: start of the whole window; ``start`` and ``end`` are those of the stretch that is being searched.
        query: index of the query; as many as there are when the stretch is done.
        until: end of what this query has still to search where no ``page`` says it better.
        page: X's token, valid for ``asked_until`` and at the endpoint that ``is_archive`` names.
        gap: why the ledger holds the stretch as a gap; ``is_partial`` where the search itself cannot fill it.
    """

    rules: str
    limit: int
    since: int
    start: int
    end: int
    query: int
    until: int
    asked_until: int
    page: str | None = None
    is_archive: bool = False
    gap: str = ""
    is_partial: bool = False

    @classmethod
    def of(cls, window: Window, since: datetime, rules: str, limit: int) -> Place:
        """The start of a stretch."""
        start, end = int(window.start.timestamp()), int(window.end.timestamp())
        return cls(rules, limit, int(since.timestamp()), start, end, 0, end, end)

    def turn(self, page: str | None, oldest: datetime | None, *, is_archive: bool) -> Place:
        """Behind a page whose oldest post was made at ``oldest``; without a next page the query is done."""
        if page is None:
            return self.follow()
        until = self.until if oldest is None else min(self.until, int(oldest.timestamp()) + 1)
        return replace(self, page=page, until=until, is_archive=is_archive)

    def follow(self) -> Place:
        """The next query."""
        return replace(self, query=self.query + 1, until=self.end, asked_until=self.end, page=None)

    def lost(self) -> Place:
        """Without the token of the next page: go on below the oldest post that was read."""
        return replace(self, page=None, asked_until=self.until)

    @property
    def window(self) -> Window:
        """The stretch."""
        return Window(datetime.fromtimestamp(self.start, UTC), datetime.fromtimestamp(self.end, UTC))

    def done(self, queries: int) -> float:
        """Share of the stretch that is searched, 0 to 1."""
        span = max(1, self.end - self.start)
        return min(1.0, (self.query + (self.end - self.until) / span) / max(1, queries))

    def encode(self) -> str:
        """As text for a cursor."""
        return orjson.dumps({"version": _VERSION, **asdict(self)}).decode()


def decode(text: str) -> Place | None:
    """The place that ``encode`` wrote; None where it is of another version."""
    try:
        values = orjson.loads(text)
        return Place(**values) if values.pop("version") == _VERSION else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def fingerprint(queries: Sequence[str]) -> str:
    """The same for the same queries."""
    return hashlib.sha256("\n".join(queries).encode()).hexdigest()[:16]
