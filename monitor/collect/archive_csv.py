"""Tables: CSV and TSV with one post in each row."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from monitor.collect import json_text
from monitor.collect.archive_item import Item
from monitor.collect.archive_lines import Lines
from monitor.collect.archive_row import assign, build
from monitor.collect.base import Malformed
from monitor.errors import ArchiveError

_FIELD_LIMIT = 1_000_000  # characters


class Table:
    """The rows of a table as items.

    Args:
        path: for the header, which is read on its own.
        mapping: column -> field (``archive_row.FIELDS``); fields that it leaves out are guessed from the header.
        measured_at: of the engagement.

    Attributes:
        replaced: lines with bytes that are no UTF-8, which were replaced.

    Raises:
        ArchiveError: no header, an unknown column or field, or no column for the id, the text or the time.
    """

    def __init__(self, path: Path, mapping: Mapping[str, str] | None, measured_at: datetime) -> None:
        csv.field_size_limit(_FIELD_LIMIT)
        first = next(iter(Lines(path)), b"")
        if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ArchiveError(f"{path} is UTF-16", "Save it as UTF-8.")
        header = first.decode("utf-8-sig", "replace")
        self._delimiter = max("\t,;|", key=header.count)
        self._columns = next(csv.reader([header], delimiter=self._delimiter), [])
        try:
            self._fields = assign(self._columns, mapping or {})
        except ArchiveError as error:
            raise ArchiveError(f"{path}: {error.message}", error.hint) from None
        self._measured_at = measured_at
        self.replaced = 0

    def items(self, lines: Lines) -> Iterator[tuple[str, int, int, Item]]:
        """For each row: its text, the line and byte at which it ends, and what it is.

        A row that is no CSV ends with its first line, so that a stray quote takes no other row with it.
        """
        source = _Source(self._decoded(lines))
        while True:
            reader = csv.reader(source, delimiter=self._delimiter, strict=True)
            try:
                row = next(reader, None)
            except csv.Error:
                row = []
                source.give_back()
            if row is None:
                return
            text, number, offset = source.taken()
            if number > 1 and text.strip():
                yield text, number, offset, self._item(row)

    def _decoded(self, lines: Lines) -> Iterator[tuple[str, int, int]]:
        for line in lines:
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                text = line.decode("utf-8", "replace")
                self.replaced += 1
            yield text, lines.number, lines.offset

    def _item(self, row: list[str]) -> Item:
        try:
            if not row:
                raise Malformed("row is no CSV")
            if len(row) > len(self._columns):
                raise Malformed("row has more fields than the header")
            cells = {field: row[i].strip() for field, i in self._fields.items() if i < len(row) and row[i].strip()}
            post = build(cells, "", self._measured_at)
            return Item(replace(post, raw=self._own(post.kind, row)), is_chosen=True)
        except Malformed as error:
            return Item(error)

    def _own(self, kind: str, row: list[str]) -> str:
        """The row as JSON without what others wrote: their deletion could not reach it there."""
        others = {"context", "text"} if kind == "repost" else {"context"}
        left_out = {i for field, i in self._fields.items() if field in others}
        kept = {name: cell for i, (name, cell) in enumerate(zip(self._columns, row, strict=False)) if i not in left_out}
        return json_text.write(kept)


class _Source:
    """Lines for the CSV reader, one record at a time."""

    def __init__(self, lines: Iterator[tuple[str, int, int]]) -> None:
        self._lines = lines
        self._returned: deque[tuple[str, int, int]] = deque()
        self._taken: list[tuple[str, int, int]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._taken.append(line)
        return line[0]

    def give_back(self) -> None:
        """Let the reader have all but the first line of the record again."""
        self._returned.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]

    def taken(self) -> tuple[str, int, int]:
        """The record's text, and the line and byte it ends at; the next record begins."""
        lines, self._taken = self._taken, []
        return "".join(line[0] for line in lines), lines[-1][1], lines[-1][2]
