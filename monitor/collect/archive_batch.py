"""What an import has read since its last batch, and where in the file it stands."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from monitor.collect.archive_item import Item
from monitor.collect.base import Malformed, hour_of, rejected
from monitor.errors import ArchiveError
from monitor.records import AccountStatus, Batch, Cursor, Deletion, Post, Rejected, Seen

NO_JSON, UNKNOWN = "line is no JSON", "line of an unknown kind"
_BYTES = 8 * 2**20  # in one batch, about
_FIRST_LINES = 100  # among which one must be understood
_SHOWN = 10_000  # characters of a rejected line


@dataclass(frozen=True, slots=True)
class Position:
    """Where the unpacked file was read to; ``again`` for a reading after the first, which counts nothing twice."""

    offset: int = 0
    number: int = 0
    is_done: bool = False
    again: bool = False

    @classmethod
    def of(cls, cursor: Cursor | None) -> Position:
        """Read what ``cursor`` wrote; None is the beginning."""
        return cls(**json.loads(cursor.value)) if cursor else cls()

    def cursor(self, stream: str) -> Cursor:
        """The position as the store keeps it."""
        return Cursor(stream, json.dumps(asdict(self)))


class Pending:
    """What was read since the last batch."""

    def __init__(self, stream: str, start: Position, keep_all: str | None, lines: int) -> None:
        self._stream, self._again, self._keep_all = stream, start.again, keep_all
        self._most_lines = lines
        self._offset, self._number = start.offset, start.number
        self.is_understood = start.number > 0
        self._empty()

    @property
    def is_full(self) -> bool:
        return self._count >= self._most_lines or self._bytes >= _BYTES

    def add(self, raw: bytes | str, number: int, offset: int, items: list[Item]) -> None:
        """Take what one line holds.

        Raises:
            ArchiveError: no line was understood so far, or a dump of the network is to be kept whole.
        """
        self._count += 1
        self._bytes += offset - self._offset
        self._offset, self._number = offset, number
        for item in items:
            self._keep(item, raw)
        self.is_understood = self.is_understood or not _is_strange(items)
        if self._count >= _FIRST_LINES:
            self._refuse_strange()

    def take(self, is_done: bool = False) -> Batch:
        """Everything since the last batch; the cursor says whether the file is done.

        Raises:
            ArchiveError: no line of the file was understood.
        """
        if is_done:
            self._refuse_strange()
        position = Position(self._offset, self._number, is_done, self._again)
        batch = Batch(
            self._stream,
            posts=tuple(self._posts),
            deletions=tuple(self._deletions),
            accounts=tuple(self._accounts),
            seen=() if self._again else tuple(Seen(self._stream, hour, n) for hour, n in self._seen.items()),
            rejected=() if self._again else tuple(self._rejected),
            cursor=position.cursor(self._stream),
        )
        self._empty()
        return batch

    def _keep(self, item: Item, raw: bytes | str) -> None:
        record = item.record
        if item.is_new and self._keep_all is not None:
            raise ArchiveError(
                "A dump of the whole network is not kept whole", "Import it without --topic; the rules choose."
            )
        if isinstance(record, Post):
            if self._keep_all is not None and item.is_chosen:
                record = replace(record, matched=(self._keep_all,))
            self._posts.append(record)
            if item.is_new:
                self._seen[hour_of(record.observed_at)] += 1
        elif isinstance(record, Deletion):
            self._deletions.append(record)
        elif isinstance(record, AccountStatus):
            self._accounts.append(record)
        else:
            text = raw[:_SHOWN].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:_SHOWN]
            self._rejected.append(rejected(self._stream, record.why, f"line {self._number}: {text}"))

    def _refuse_strange(self) -> None:
        if not self.is_understood:
            raise ArchiveError(
                f"none of the first {self._number} lines is understood",
                "Known are Jetstream events, Bluesky post views and X API v2 payloads, one JSON value a line "
                "(jq -c . FILE makes lines), and tables with a header.",
            )

    def _empty(self) -> None:
        self._count = self._bytes = 0
        self._posts: list[Post] = []
        self._deletions: list[Deletion] = []
        self._accounts: list[AccountStatus] = []
        self._rejected: list[Rejected] = []
        self._seen: Counter[datetime] = Counter()


def _is_strange(items: list[Item]) -> bool:
    whys = [item.record.why for item in items if isinstance(item.record, Malformed)]
    return len(whys) == len(items) > 0 and set(whys) <= {NO_JSON, UNKNOWN}
