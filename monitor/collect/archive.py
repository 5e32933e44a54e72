"""Import: posts from files that somebody else has collected, of whatever size.

Read are JSONL (Jetstream events of version 1 and 2, Bluesky post views, X API v2 payloads; each line is looked at for
itself) and tables (CSV, TSV), plain, gzip or Zstandard. A line that cannot be read is rejected and counted. Importing
the same file again changes nothing: its stream is named by its content, and the cursor says that it was read.

The time of a post is the platform's: a Jetstream event's own, a view's indexedAt, an X post's created_at.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import threading
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from monitor.collect import archive_bluesky, archive_x, json_text
from monitor.collect.archive_batch import NO_JSON, UNKNOWN, Pending, Position
from monitor.collect.archive_csv import Table
from monitor.collect.archive_item import Item
from monitor.collect.archive_lines import Lines
from monitor.collect.base import Malformed
from monitor.errors import ArchiveError
from monitor.records import Batch, Cursor


class ArchiveCollector:
    """One file.

    Args:
        mapping: of a table, column -> field (``archive_row.FIELDS``); what it leaves out is guessed from the header.
        keep_all: rule id ("<topic>/import") under which every post is kept, matching or not; not for dumps of the whole
            network, nor for posts that only came along with another one.
        again: read the file once more although it was read, since the rules have changed.
        lines_per_batch: at most.
    """

    def __init__(
        self,
        path: Path,
        mapping: Mapping[str, str] | None = None,
        keep_all: str | None = None,
        again: bool = False,
        lines_per_batch: int = 2_000,
    ) -> None:
        self._path = path
        self._mapping = dict(mapping or {})
        self._keep_all = keep_all
        self._again = again
        self._lines_per_batch = lines_per_batch
        self._lines: Lines | None = None
        self._table: Table | None = None
        self._closed = threading.Event()

    @cached_property
    def stream(self) -> str:
        """Named by the file's content and by how it is read; reads all of it.

        Raises:
            ArchiveError: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise ArchiveError(f"{self._path} cannot be read: {error.strerror}") from None
        digest.update(json.dumps([sorted(self._mapping.items()), self._keep_all]).encode())
        return f"import:{digest.hexdigest()[:16]}"

    @property
    def progress(self) -> float:
        """Share of the file that was read, 0 to 1."""
        return self._lines.progress if self._lines else 0.0

    @property
    def replaced(self) -> int:
        """Lines of a table with bytes that are no UTF-8; they were replaced."""
        return self._table.replaced if self._table else 0

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """Batches of some lines; nothing for a file that was read to its end before.

        Raises:
            ArchiveError: the file is damaged (what came before was given), or nothing in it is understood.
        """
        start = Position.of(cursor)
        if start.is_done and not self._again:
            return
        if start.is_done:
            start = Position(again=True)
        self._again = False
        self._lines = lines = Lines(self._path, start.offset, start.number)
        pending = Pending(self.stream, start, self._keep_all, self._lines_per_batch)
        try:
            for raw, number, offset, items in self._entries(lines):
                pending.add(raw, number, offset, items)
                if pending.is_full:
                    yield pending.take()
                if self._closed.is_set():
                    break
        except ArchiveError:
            if pending.is_understood:
                yield pending.take()
            raise
        yield pending.take(is_done=not self._closed.is_set())

    def close(self) -> None:
        """Make ``pull`` return after the line it is at."""
        self._closed.set()

    def _entries(self, lines: Lines) -> Iterator[tuple[bytes | str, int, int, list[Item]]]:
        """For each line or row: its text, the line and byte it ends at, and what it holds."""
        first = next((line for line in Lines(self._path) if line.strip()), b"")
        if not first:
            raise ArchiveError(f"{self._path} is empty")
        measured_at = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        if not self._mapping and first.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"["):
            for line in lines:
                if line.strip():
                    yield line, lines.number, lines.offset, list(_items(line, measured_at))
            return
        self._table = Table(self._path, self._mapping, measured_at)
        for text, number, offset, item in self._table.items(lines):
            yield text, number, offset, [item]


def _items(line: bytes, measured_at: datetime) -> Iterator[Item]:
    """What one line of JSON holds, whichever of the known kinds it is."""
    try:
        value = json_text.parse(line.removeprefix(codecs.BOM_UTF8))
    except ValueError:
        yield Item(Malformed(NO_JSON))
        return
    for entry in value if isinstance(value, list) else [value]:
        yield from _read(entry, measured_at)


def _read(value: Any, measured_at: datetime) -> Iterator[Item]:
    if not isinstance(value, dict):
        yield Item(Malformed(UNKNOWN))
    elif (event := archive_bluesky.as_event(value)) is not None:
        yield from archive_bluesky.read(event)
    elif (views := archive_bluesky.views_in(value)) is not None:
        for view in views:
            yield from archive_bluesky.read_view(view, measured_at)
    elif archive_x.is_page(value):
        yield from archive_x.read(value, measured_at)
    else:
        yield Item(Malformed(UNKNOWN))
