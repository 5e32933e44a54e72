"""What a live connection brought since the last batch, and where the stream stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from monitor.collect.base import Malformed, hour_of, rejected
from monitor.collect.bluesky_event import INFO, event_time, read_event
from monitor.collect.bluesky_record import parse_time
from monitor.errors import CollectError
from monitor.records import AccountStatus, Batch, Cursor, Deletion, Gap, Post, Rejected, Seen

STREAM = "bluesky:live"
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Position:
    """The last event received: its server, its number there (None: not one yet), the server's time of it and ours."""

    host: str
    seq: int | None
    at: datetime
    received_at: datetime

    @classmethod
    def of(cls, cursor: Cursor) -> Position:
        """Read what ``cursor()`` wrote.

        Raises:
            CollectError: it was written by something else.
        """
        try:
            value = orjson.loads(cursor.value)
            at, received_at = (_EPOCH + value[name] * _MICROSECOND for name in ("time_us", "received_us"))
            return cls(value["host"], value["seq"], at, received_at)
        except (ValueError, KeyError, TypeError, OverflowError):
            raise CollectError(f"the cursor of {cursor.stream} cannot be read: {cursor.value[:100]}") from None

    @property
    def time_us(self) -> int:
        """Server's time in unix microseconds."""
        return (self.at - _EPOCH) // _MICROSECOND

    def cursor(self) -> Cursor:
        """The position as the store keeps it."""
        received_us = (self.received_at - _EPOCH) // _MICROSECOND
        value = {"host": self.host, "seq": self.seq, "time_us": self.time_us, "received_us": received_us}
        return Cursor(STREAM, orjson.dumps(value).decode(), None if self.seq is None else self.at)


class Pending:
    """Events on their way into a batch.

    Args:
        host: whose events they are.
        at: where the stream stood before.
    """

    def __init__(self, host: str, at: Position | None) -> None:
        self._host, self._at = host, at
        self._begun = datetime.now(UTC)
        self._last_seq = at.seq if at is not None and at.host == host else None
        self._outage: tuple[Position, str, bool] | None = None
        self._last: dict[str, Any] | None = None
        self._empty()

    def resumed(self, why: str, *, is_gapless: bool) -> None:
        """Connected again; ``is_gapless`` when the server sends what was missed, so that the first event proves it."""
        if self._at is not None:
            self._outage = (self._at, why, is_gapless)

    def add(self, payload: dict[str, Any]) -> None:
        """Take one event; one that was taken before is passed over.

        Raises:
            Malformed: it cannot be kept.
        """
        if payload.get("$type") == INFO:
            return self._heed(payload.get("name"))
        seq = payload.get("seq")
        if type(seq) is not int or not 0 <= seq < 2**63:
            raise Malformed("event without a number")
        is_new = self._last_seq is None or seq > self._last_seq
        if not is_new and self._is_later(payload):
            self._heed("FutureCursor")  # which a server should have said by itself
            is_new = True
        if self._outage is not None and (is_new or seq == self._last_seq):
            self._end_outage(payload, is_new=is_new)
        if is_new:
            self._last_seq, self._last = seq, payload
            self._keep(read_event(payload))
            self.events += 1
        return None

    def reject(self, why: str, raw: bytes) -> None:
        """Take down what could not be kept."""
        self.events += 1
        self._rejected.append(rejected(STREAM, why, raw))

    def take(self) -> Batch:
        """Everything since the last batch; an empty batch when nothing came."""
        self._move()
        batch = Batch(
            STREAM,
            posts=tuple(self._posts),
            deletions=tuple(self._deletions),
            accounts=tuple(self._accounts),
            seen=tuple(Seen(STREAM, hour, n) for hour, n in self._seen.items()),
            rejected=tuple(self._rejected),
            gaps=tuple(self._gaps),
            cursor=self._at.cursor() if self._at is not None and self._has_moved else None,
        )
        self._empty()
        return batch

    def lost(self, why: str) -> Batch:
        """Everything since the last batch, and an open gap that begins where the stream stands."""
        self._move()
        if self._at is None:  # kept too, or a program that is killed now would not know since when it waits
            self._at, self._has_moved = Position(self._host, None, self._begun, self._begun), True
        self._gaps.append(Gap(STREAM, self._at.at, None, why))
        return self.take()

    def _empty(self) -> None:
        self.events = 0
        self._has_moved = False
        self._posts: list[Post] = []
        self._deletions: list[Deletion] = []
        self._accounts: list[AccountStatus] = []
        self._rejected: list[Rejected] = []
        self._gaps: list[Gap] = []
        self._seen: Counter[datetime] = Counter()

    def _move(self) -> None:
        if self._last is not None:
            self._at = Position(self._host, self._last_seq, _witnessed_at(self._last), datetime.now(UTC))
            self._has_moved = True
            self._last = None

    def _keep(self, record: Post | Deletion | AccountStatus | None) -> None:
        if isinstance(record, Post):
            self._posts.append(record)
            if record.kind != "repost" and not record.is_edit:
                self._seen[hour_of(record.observed_at)] += 1
        elif isinstance(record, Deletion):
            self._deletions.append(record)
        elif record is not None:
            self._accounts.append(record)

    def _is_later(self, payload: dict[str, Any]) -> bool:
        """A repeated event is no later than the last one; one of a server that counts anew is."""
        if self._last is not None:
            return _witnessed_at(payload) > _witnessed_at(self._last)
        return self._at is not None and _witnessed_at(payload) > self._at.at

    def _heed(self, notice: object) -> None:
        """The server could not begin where we asked: OutdatedCursor, FutureCursor."""
        if notice == "FutureCursor":  # it counts anew
            self._last_seq = None
        if self._outage is not None:
            self._outage = (*self._outage[:2], False)

    def _end_outage(self, payload: dict[str, Any], *, is_new: bool) -> None:
        assert self._outage is not None
        lost_at, why, is_gapless = self._outage
        if not is_gapless and not is_new:
            return
        # Counted on our clock, since what is replayed follows the lost event at once on the server's.
        end = lost_at.at + (datetime.now(UTC) - lost_at.received_at) if is_gapless else event_time(payload)
        self._gaps.append(Gap(STREAM, lost_at.at, max(end, lost_at.at), why, "replay" if is_gapless else None))
        self._outage = None


def _witnessed_at(payload: dict[str, Any]) -> datetime:
    """The time that the server looks a cursor of microseconds up in; an import of old events leaves it alone."""
    return parse_time(payload.get("witnessedAt")) or event_time(payload)
