"""The contract that every collector keeps, and what they share.

A collector turns one source into ``Batch``es of UNMATCHED posts. The loop (``monitor.collect.collect``) matches and
commits them; it is the only caller of ``pull``. What a collector promises, and tests/collect/test_contract.py demands:

- ``pull(cursor)`` goes on exactly where ``cursor`` says. The loop passes the one COMMITTED with the posts, so an
  event may come twice and none is skipped. ``batch.cursor`` stands behind the last thing that the batch holds.
- What cannot be read becomes a ``Rejected`` in the batch and takes no neighbour with it; ``pull`` never raises for it.
- A fault of the source raises: ``RateLimited`` (the loop waits as asked), ``StreamEnded`` (a live stream is gone: the
  loop reconnects for ever), ``AuthError`` and ``ArchiveError`` (never retried), others (a few times).
- Before a live collector raises ``StreamEnded`` it yields a last batch: what it still held, its cursor and an open
  ``Gap`` that starts where the cursor stands. After the reconnect it closes that gap and says what filled it.
- A live collector yields at least every second, be it an empty batch, so that the loop can look whether to stop.
- ``pull`` returns when the source is exhausted, or within seconds of ``close()`` from any thread. It is a generator:
  whoever stops reading it closes it, and that lets go of sockets and files.
- SDKs are imported inside functions, since ``import atproto`` costs a second.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Protocol

from monitor.records import Batch, Cursor, Rejected


class Collector(Protocol):
    """One source of posts; see the module's docstring for what it promises."""

    @property
    def stream(self) -> str:
        """Name of the stream: "bluesky:live", "bluesky:search:<topic>", "import:<file name>"."""
        ...

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """Batches that follow ``cursor``; None means from the start, or from now on a live stream."""
        ...

    def close(self) -> None:
        """Make a running ``pull`` return soon; safe from any thread and more than once."""
        ...


class Malformed(Exception):
    """One item that cannot be kept. ``why`` is one of few fixed phrases, since rejections are counted by it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


RAW_LIMIT = 10_000  # characters of a rejected item that are kept


def rejected(stream: str, why: str, raw: str | bytes, at: datetime | None = None) -> Rejected:
    """The ledger's row for an item that could not be kept; ``raw`` is cut before it is decoded."""
    text = raw[: 4 * RAW_LIMIT].decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return Rejected(stream, why, at or datetime.now(UTC), text[:RAW_LIMIT])


def hour_of(at: datetime) -> datetime:
    """Start of the hour that ``at`` lies in."""
    return at.replace(minute=0, second=0, microsecond=0)
