"""Who hangs on whom, and what stands on several platforms: the questions of the spread to the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.records import Window
from monitor.store.views import PostView, Reader, Scope, post_views

if TYPE_CHECKING:
    import pyarrow as pa

_LINKS = ("replies", "quotes", "reposts")


@dataclass(frozen=True, slots=True)
class Counts:
    """Posts of one platform in a window; see ``spread_counts.sql``."""

    platform: str
    posts: int
    unscored: int
    others: int
    reposts: int
    readable: int
    searched: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Author:
    """An account, as its posts tell it."""

    author: int
    platform: str
    author_id: str
    author_handle: str | None

    @property
    def name(self) -> str:
        """As people know the account: its handle, its id where no handle is known."""
        return f"@{self.author_handle}" if self.author_handle else self.author_id


@dataclass(frozen=True, slots=True)
class Appearance:
    """A link or text on one platform: how often, by how many accounts, when and in which post first."""

    what: str
    platform: str
    posts: int
    authors: int
    first_at: datetime
    first_key: int


def linked_posts(store: Reader, scope: Scope, window: Window) -> pa.Table:
    """The posts of a window and the stored ones that they hang on, at any distance; see ``spread_posts.sql``."""
    import pyarrow as pa

    part = store.read("spread_posts", start=window.start, end=window.end, **scope.params())
    parts = [part]
    while keys := _named(part, parts):
        part = store.read("spread_above", keys=keys, langs=list(scope.langs) or None)
        parts.append(part)
    return pa.concat_tables(parts)


def _named(part: pa.Table, known: Sequence[pa.Table]) -> list[int]:
    """Keys of what these posts hang on and is not among the known ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = pc.unique(pa.chunked_array([chunk for name in _LINKS for chunk in part[name].chunks], pa.uint64()))
    for one in known:
        named = named.filter(pc.invert(pc.is_in(named, one["key"])))
    return named.filter(pc.not_equal(named, pa.scalar(0, pa.uint64()))).to_pylist()  # type: ignore[no-any-return]


def counts(store: Reader, scope: Scope, window: Window) -> tuple[Counts, ...]:
    """On how many posts it all rests, by platform."""
    rows = store.read("spread_counts", start=window.start, end=window.end, **scope.params()).to_pylist()
    return tuple(Counts(**row) for row in rows)


def shared_links(store: Reader, scope: Scope, window: Window, limit: int) -> list[tuple[Appearance, ...]]:
    """Links on several platforms, the most frequent first; each with its platforms, the first one first."""
    return _shared(store.read("spread_links", start=window.start, end=window.end, limit=limit, **scope.params()))


def shared_texts(store: Reader, scope: Scope, window: Window, limit: int) -> list[tuple[Appearance, ...]]:
    """Texts on several platforms, word for word or nearly, as ``shared_links``."""
    return _shared(store.read("spread_phrases", start=window.start, end=window.end, limit=limit, **scope.params()))


def authors(store: Reader, keys: Iterable[int]) -> dict[int, Author]:
    """Who these authors are, by their key."""
    rows = store.read("spread_authors", authors=list(keys)).to_pylist()
    return {row["author"]: Author(**row) for row in rows}


def posts_of(store: Reader, keys: Iterable[int]) -> dict[int, PostView]:
    """These posts, by their key."""
    table = store.read("posts_keyed", keys=list(keys))
    return dict(zip(table["key"].to_pylist(), post_views(table.drop_columns(["key"])), strict=True))


def _shared(table: pa.Table) -> list[tuple[Appearance, ...]]:
    by: dict[str, list[Appearance]] = {}
    for row in table.to_pylist():
        by.setdefault(row["what"], []).append(Appearance(**row))
    return [tuple(found) for found in by.values()]
