"""Typed questions of the pages: a scope and a window in, Arrow tables or records out.

A post counts as relevant from a probability of one half. Posts that wait for their score are counted apart.
Reposts stand beside posts, never among them. Hidden and deleted posts are in none of the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from monitor.errors import StoreError
from monitor.records import Gap, RuleVersion, Window
from monitor.store import Moment, Store

if TYPE_CHECKING:
    import pyarrow as pa

Relevance = Literal["relevant", "irrelevant", "unscored"]
Reader = Store | Moment
Keys = Collection[int]  # of posts, as the store hashes them
Order = Literal["newest", "oldest", "concern", "engagement"]

REPEATED = {"repeats": 3, "accounts": 5, "seconds": 600}  # posts of one author; authors of one text; quick ones
_FIRST_KEY = {"after_at": datetime(1, 1, 1, tzinfo=UTC), "after_key": 0}


class BadPattern(StoreError):
    """A search cannot be read as a regular expression of RE2."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which posts a page is about; empty takes all. Languages are primary subtags, "und" where none was said."""

    topics: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()

    def params(self) -> dict[str, list[str] | None]:
        return {name: list(getattr(self, name)) or None for name in ("topics", "langs", "platforms")}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the Posts page and an export select, beside the scope. ``start`` is inclusive, ``end`` exclusive.

    ``needle`` is a substring in any case, ``pattern`` a regular expression of RE2 in any case.
    """

    start: datetime | None = None
    end: datetime | None = None
    relevance: Relevance | None = "relevant"
    removals: tuple[str, ...] = ()
    stances: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    concern_low: float = 0.0
    concern_high: float = 3.0
    needle: str = ""
    pattern: str = ""

    def params(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) or None for name in ("removals", "stances", "kinds", "sources")}
        plain = {name: getattr(self, name) for name in ("start", "end", "relevance", "concern_low", "concern_high")}
        return {**lists, **plain, "needle": self.needle.lower() or None, "pattern": self.pattern or None}


@dataclass(frozen=True, slots=True)
class Head:
    """How far the store reaches and when live collection last moved; None where there is nothing to say.

    ``is_synthetic``: every post in the file is invented.
    """

    oldest_at: datetime | None
    newest_at: datetime | None
    begun_at: datetime | None
    moved_at: datetime | None
    event_at: datetime | None
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class PostView:
    """One post as a page shows it. Scores are None while the post waits for them; counts where not measured."""

    platform: str
    post_id: str
    author_id: str
    author_handle: str | None
    kind: str
    text: str
    context: str | None
    lang: str | None
    created_at: datetime | None
    observed_at: datetime
    edited_at: datetime | None
    source: str
    matched: tuple[str, ...]
    likes: int | None
    reposts: int | None
    replies: int | None
    quotes: int | None
    measured_at: datetime | None
    versions: tuple[str, ...] | None
    model_id: str | None
    relevant: float | None
    concern: float | None
    concern_probs: tuple[float, ...] | None
    removal_probs: tuple[float, ...] | None
    stance_probs: tuple[float, ...] | None
    concern_label: int | None
    removal_label: str | None
    stance_label: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of posts and how many there are in all."""

    rows: pa.Table
    total: int


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that occur, most frequent first."""

    langs: tuple[str, ...]
    platforms: tuple[str, ...]
    sources: tuple[str, ...]


def head(store: Reader) -> Head:
    """How far the store reaches."""
    return Head(**store.read("live_head").to_pylist()[0])


def series(
    store: Reader,
    scope: Scope,
    window: Window,
    seconds: int,
    origin: datetime | None = None,
    without: Keys = frozenset(),
) -> pa.Table:
    """One row for each bucket that holds anything; see ``window_series.sql``.

    Args:
        origin: where bucket 0 begins; None takes the window's start.
        without: keys of posts that are left out.
    """
    params = {"start": window.start, "end": window.end, "origin": origin or window.start, "seconds": seconds}
    return store.read("window_series", **params, **scope.params(), without=list(without) or None)


def distinct(
    store: Reader,
    scope: Scope,
    window: Window,
    seconds: float,
    origin: datetime | None = None,
    without: Keys = frozenset(),
) -> pa.Table:
    """Authors and distinct texts of each bucket, a row for each unit; see ``window_distinct.sql`` and ``series``."""
    params = {"start": window.start, "end": window.end, "origin": origin or window.start, "seconds": seconds}
    return store.read("window_distinct", **params, **scope.params(), without=list(without) or None)


def repeated(
    store: Reader, scope: Scope, start: datetime | None = None, end: datetime | None = None, limit: int = 20
) -> pa.Table:
    """The texts of relevant posts that were repeated most; see ``repeated_texts.sql``."""
    params = {"start": start, "end": end, "limit": limit, **REPEATED}
    return store.read("repeated_texts", **params, **scope.params())


def rule_versions(store: Reader) -> tuple[RuleVersion, ...]:
    """The rules that each topic had, in the order in which they held."""
    return tuple(RuleVersion(**row) for row in store.read("rule_versions").to_pylist())


def found_by(store: Reader, window: Window | None = None) -> dict[str | None, int]:
    """How many posts each version found, by "topic/number"; None: before versions were kept."""
    bounds = {"start": window.start, "end": window.end} if window else {"start": None, "end": None}
    return {row["version"]: row["n"] for row in store.read("window_versions", **bounds).to_pylist()}


def threads(store: Reader, topics: Sequence[str], window: Window) -> pa.Table:
    """The posts of a window on these topics and all stored posts that they hang on; see ``window_threads.sql``."""
    return store.read("window_threads", start=window.start, end=window.end, topics=list(topics))


def gaps(store: Reader, window: Window | None = None, topics: Sequence[str] = ()) -> list[Gap]:
    """When live collection stood still in a window, or ever, as the ledger has it, and samples that are half read.

    Where such a sample was not read yet, the posts of its topic seem to be none; ``topics`` empty asks about all.
    """
    bounds = {"start": window.start, "end": window.end} if window else {"start": None, "end": None}
    found = (Gap(**row) for row in store.read("gaps", **bounds).to_pylist())
    return [gap for gap in found if gap.stream.endswith(":live") or _is_half_read(gap, topics)]


def _is_half_read(gap: Gap, topics: Sequence[str]) -> bool:
    _, _, topic = gap.stream.rpartition(":")[0].partition(":sample:")
    return bool(topic) and not gap.filled_by and (not topics or topic in topics)


def newest(store: Reader, scope: Scope, window: Window, limit: int = 6) -> list[PostView]:
    """The last posts that are relevant or not scored yet, newest first."""
    params = {"start": window.start, "end": window.end, "limit": limit}
    return post_views(store.read("live_newest", **params, **scope.params()))


def engaged(store: Reader, scope: Scope, window: Window, limit: int = 5) -> list[PostView]:
    """The relevant posts that drew most engagement in the window, of any age; see ``live_engaged.sql``."""
    params = {"start": window.start, "end": window.end, "limit": limit}
    return post_views(store.read("live_engaged", **params, **scope.params()))


def one(store: Reader, platform: str, post_id: str) -> PostView | None:
    """One post; None where it is gone or hidden."""
    return next(iter(post_views(store.read("posts_one", platform=platform, post_id=post_id))), None)


def choices(store: Reader) -> Choices:
    """Languages, platforms and sources of the stored posts."""
    rows = store.read("posts_choices").to_pylist()
    columns = {name: Counter[str]() for name in ("lang", "platform", "source")}
    for row in rows:
        for name, counter in columns.items():
            counter[row[name]] += row["n"]
    langs, platforms, sources = (tuple(value for value, _ in c.most_common()) for c in columns.values())
    return Choices(langs, platforms, sources)


def found(store: Store, scope: Scope, what: Filter, order: Order = "newest", limit: int = 50, offset: int = 0) -> Found:
    """One page of the posts that meet a filter.

    Raises:
        BadPattern: the pattern is no regular expression of RE2.
    """
    params = {**what.params(), "sort": order, "limit": limit, "offset": offset}
    rows = _searched(store, "posts_found", what, params | scope.params())
    total = rows["total"][0].as_py() if rows.num_rows else 0
    return Found(rows.drop_columns(["total"]), total)


def parts(store: Store, scope: Scope, what: Filter, rows: int = 20_000) -> Iterator[pa.Table]:
    """All posts that meet a filter, ``rows`` at a time; the file is free between two parts.

    Raises:
        BadPattern: the pattern is no regular expression of RE2.
    """
    after = _FIRST_KEY
    while True:
        params = {**what.params(), **after, "limit": rows}
        part = _searched(store, "posts_export", what, params | scope.params())
        if part.num_rows:
            yield part
        if part.num_rows < rows:
            return
        after = {"after_at": part["observed_at"][-1].as_py(), "after_key": part["key"][-1].as_py()}


def _searched(store: Store, query: str, what: Filter, params: dict[str, Any]) -> pa.Table:
    try:
        return store.read(query, **params)
    except StoreError as error:
        complaint = str(error).partition("Invalid Input Error: ")[2]
        if what.pattern and complaint:
            raise BadPattern(
                f"The search cannot read '{what.pattern}' as a regular expression: {complaint}",
                "Syntax: github.com/google/re2/wiki/Syntax (no look-around, no back-references).",
            ) from error
        raise


def post_views(table: pa.Table) -> list[PostView]:
    """Rows of ``posts_one``."""
    return [PostView(**{name: _frozen(value) for name, value in row.items()}) for row in table.to_pylist()]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
