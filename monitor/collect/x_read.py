"""Answers and stream lines of X as records: posts, what they cost, what could not be kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from monitor.collect import archive_x, json_text
from monitor.collect.base import Malformed, hour_of, rejected
from monitor.collect.x_spend import charges
from monitor.config import X
from monitor.errors import CollectError, StreamEnded
from monitor.records import Batch, Charge, Cursor, Gap, Post, Rejected, Seen, Source

_KNOWN = 100_000  # what search reads beside a stream of 250 posts a second was sent minutes before


class Known:
    """The posts that came last: the stream sends some twice, and search finds them again."""

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}

    def add(self, post_id: str) -> bool:
        """Is it a new one?"""
        if int(post_id) in self._ids:
            return False
        self._ids[int(post_id)] = None
        if len(self._ids) > _KNOWN:
            del self._ids[next(iter(self._ids))]
        return True


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
    known: Known = field(default_factory=Known)

    def take_line(self, line: bytes, at: datetime) -> Post | None:
        """One line of the filtered stream, sent ``at`` by X's clock; the post that it brought, if any.

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
        return next(iter(self.take_answer(value, "live", at)), None)

    def take_last(self, line: bytes, at: datetime) -> None:
        """A line of a stream that is left, whatever X says in it of its end."""
        with suppress(StreamEnded):
            self.take_line(line, at)

    def take_answer(self, answer: dict[str, Any], source: Source, now: datetime) -> list[Post]:
        """The posts of an answer, given ``now`` by X's clock; those that only came along are their context."""
        self.charged += charges(answer, self.settings, now)
        found = []
        for item in archive_x.read(answer, now):
            if isinstance(item.record, Malformed):
                self.rejects.append(rejected(self.stream, item.record.why, json_text.write(answer), now))
            elif item.is_chosen and isinstance(item.record, Post):
                found.append(replace(item.record, source=source))
        self.posts += found
        new = [post for post in found if not post.is_edit and self.known.add(post.post_id)]
        self.seen.update(hour_of(post.observed_at) for post in new)
        return found

    def bill(self) -> Batch:
        """What was read for an answer that is of no use: X bills it all the same."""
        return Batch(self.stream, charges=tuple(self.charged))

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


def next_page(answer: dict[str, Any], page: str | None = None) -> str | None:
    """The token of the page that follows ``page``; None behind the last.

    Raises:
        CollectError: it is no page of a search.
    """
    meta = answer.get("meta")
    if not isinstance(meta, dict) or not ("result_count" in meta or "data" in answer):
        raise CollectError("X answered a search with no page")
    following = meta.get("next_token")
    if following is not None and following == page:
        raise CollectError("X named the same page of a search again")
    return following if isinstance(following, str) and following else None


def oldest(answer: dict[str, Any]) -> datetime | None:
    """When the oldest post of a page was made."""
    meta = answer.get("meta")
    post_id = str(meta.get("oldest_id") or "") if isinstance(meta, dict) else ""
    return archive_x.time_of_id(post_id) if post_id.isdecimal() and post_id.isascii() else None


def _disconnect(line: dict[str, Any]) -> str:
    """Why X ends the stream; empty where the line says nothing of the kind."""
    errors = line.get("errors")
    told: Iterable[Any] = errors if isinstance(errors, list) else [line]
    for error in told:
        if isinstance(error, dict) and error.get("title") in ("operational-disconnect", "ConnectionException"):
            return str(error.get("disconnect_type") or error.get("connection_issue") or error["title"])[:100]
    return ""
