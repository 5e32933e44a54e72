"""Who is meant when somebody asks to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.records import Platform
from monitor.store import Store


@dataclass(frozen=True, slots=True)
class Author:
    """One author of stored posts, hidden ones included; ``handles`` are all that they had."""

    platform: Platform
    author_id: str
    posts: int
    reposts: int
    first_at: datetime
    last_at: datetime
    handles: tuple[str, ...]


def called(store: Store, handle: str, platform: Platform | None = None) -> tuple[Author, ...]:
    """Everybody who ever had a handle, in any case, with or without @; the latest first."""
    return _authors(store, handle.removeprefix("@").lower(), None, platform)


def known(store: Store, platform: Platform, author_id: str) -> Author | None:
    """The author with an id; None where we hold no post of theirs."""
    return next(iter(_authors(store, None, author_id, platform)), None)


def _authors(store: Store, handle: str | None, author_id: str | None, platform: str | None) -> tuple[Author, ...]:
    rows = store.read("authors", handle=handle, id=author_id, platform=platform).to_pylist()
    return tuple(Author(**{**row, "handles": tuple(row["handles"])}) for row in rows)
