"""Answers and stream lines of X as records: posts, what they cost, what could not be kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from monitor.collect import archive_x, json_text
from monitor.collect.base import Malformed, hour_of, rejected
from monitor.collect.x_spend import charges
from monitor.config import X
from monitor.errors import StreamEnded
from monitor.records import Batch, Charge, Cursor, Gap, Post, Rejected, Seen, Source


@dataclass(slots=True)
class Pending:
    """What one stream brought since the last batch."""

    stream: str
    settings: X
    posts: list[Post] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)
    charged: list[Charge] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    seen: Counter[datetime] = field(default_factory=Counter)

    def take_line(self, line: bytes) -> Post | None:
        """One line of the filtered stream; the post that it brought, if any.

        Raises:
            StreamEnded: X says that it is about to close the stream.
        """
        try:
            value = json_text.parse(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            self.rejects.append(rejected(self.stream, "stream line is no JSON object", line))
            return None
        if "data" not in value and (said := _disconnect(value)):
            raise StreamEnded(f"X ended the stream: {said}")
        return next(iter(self.take_answer(value, "live")), None)

    def take_lines(self, lines: Iterable[bytes]) -> None:
        """The last lines of a stream that is left, whatever X says in them of its end."""
        for line in lines:
            with suppress(StreamEnded):
                self.take_line(line)

    def take_answer(self, answer: dict[str, Any], source: Source) -> list[Post]:
        """The posts of an answer; those that only came along are their context."""
        now = datetime.now(UTC)
        self.charged += charges(answer, self.settings, now)
        found = []
        for item in archive_x.read(answer, now):
            if isinstance(item.record, Malformed):
                self.rejects.append(rejected(self.stream, item.record.why, json_text.write(answer), now))
            elif item.is_chosen and isinstance(item.record, Post):
                found.append(replace(item.record, source=source))
        self.posts += found
        self.seen.update(hour_of(post.observed_at) for post in found if not post.is_edit)
        return found

    def batch(self, cursor: Cursor | None) -> Batch:
        """Everything since the last one."""
        batch = Batch(
            self.stream,
            posts=tuple(self.posts),
            seen=tuple(Seen(self.stream, hour, n) for hour, n in self.seen.items()),
            rejected=tuple(self.rejects),
            gaps=tuple(self.gaps),
            charges=tuple(self.charged),
            cursor=cursor,
        )
        for part in (self.posts, self.rejects, self.charged, self.gaps):
            part.clear()
        self.seen.clear()
        return batch


def _disconnect(line: dict[str, Any]) -> str:
    """Why X ends the stream; empty where the line says nothing of the kind."""
    errors = line.get("errors")
    told: Iterable[Any] = errors if isinstance(errors, list) else [line]
    for error in told:
        if isinstance(error, dict) and error.get("title") in ("operational-disconnect", "ConnectionException"):
            return str(error.get("disconnect_type") or error.get("connection_issue") or error["title"])[:100]
    return ""
