"""Typed questions to the store about its own state; the pages' questions stand in ``views``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from monitor.records import Gap, Slice, Window
from monitor.store import Moment, Store


@dataclass(frozen=True, slots=True)
class Unscored:
    """A text that waits for its score. ``matched`` are "topic/rule" ids; ``revision`` goes back with the score."""

    platform: str
    post_id: str
    text: str
    context: str | None
    matched: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Stored posts of one platform and source; ``newest`` is the observed time of the last one."""

    platform: str
    source: str
    posts: int
    reposts: int
    hidden: int
    unscored: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class CursorStatus:
    """``event_at`` is the platform's time of the last event, where the stream says one."""

    stream: str
    value: str
    event_at: datetime | None
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Spend:
    """What X bills for one kind of reads on one UTC day."""

    day: date
    item: str
    n: int
    microdollars: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample that was drawn of a window; ``posts`` is how many were asked for, None where that was not kept."""

    sample: str
    window: Window
    posts: int | None


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What is going on in one file; ``rejected`` is (stream, reason, count), most frequent first.

    ``authors`` and ``texts`` are those behind the posts that are not hidden.
    """

    sources: tuple[SourceStatus, ...]
    seen: dict[str, int]
    rejected: tuple[tuple[str, str, int], ...]
    deleted: dict[str, int]
    cursors: tuple[CursorStatus, ...]
    gaps: tuple[Gap, ...]
    synthetic: bool
    models: dict[str, int]
    authors: int
    texts: int
    spend: tuple[Spend, ...]


def shown_models(store: Store) -> dict[str, int]:
    """How many visible posts show the scores of which model; more than one while everything is scored anew."""
    return {row["model_id"]: row["n"] for row in store.read("status_models").to_pylist()}


def unscored(store: Store, model_id: str | None, limit: int) -> list[Unscored]:
    """Posts without any score, then, unless ``model_id`` is None, those that only other models have scored."""
    with store.reading() as moment:
        rows = moment.read("unscored", limit=limit).to_pylist()
        if model_id is not None and len(rows) < limit:
            rows += moment.read("outdated", model_id=model_id, limit=limit - len(rows)).to_pylist()
    return [Unscored(**{**row, "matched": tuple(row["matched"])}) for row in rows]


def watched(store: Store, platform: str, since: datetime) -> dict[str, tuple[str, ...]]:
    """Post ids whose replies, quotes and reposts are collected, each with the topics it matched."""
    table = store.read("watched", platform=platform, since=since)
    topics = (tuple(names) for names in table["topics"].to_pylist())
    return dict(zip(table["post_id"].to_pylist(), topics, strict=True))


def stored_ids(
    store: Store, platform: str, after: str = "", limit: int = 1000, before: datetime | None = None
) -> list[tuple[str, str]]:
    """One page of (post id, author id) of posts observed earlier than ``before``; their ids follow ``after``."""
    table = store.read("stored_ids", platform=platform, after=after, before=before, limit=limit)
    return list(zip(table["post_id"].to_pylist(), table["author_id"].to_pylist(), strict=True))


def editable(store: Store, after: str, window: Window, limit: int = 1000) -> list[str]:
    """One page of ids of X posts made in ``window`` and read while they could be edited; they follow ``after``."""
    table = store.read("editable", after=int(after or 0), start=window.start, end=window.end, limit=limit)
    return [str(post_id) for post_id in table["post_id"].to_pylist()]


def gaps(store: Store, start: datetime | None = None, end: datetime | None = None) -> tuple[Gap, ...]:
    """Every time in the window when a stream could not collect, and why."""
    return tuple(Gap(**row) for row in store.read("gaps", start=start, end=end).to_pylist())


def open_gap(store: Store, stream: str) -> Gap | None:
    """The gap of this stream that is still open; one is left open when the program stops or is killed."""
    rows = store.read("open_gap", stream=stream).to_pylist()
    return Gap(stream, rows[0]["start"], None, rows[0]["why"]) if rows else None


def drawn_slices(store: Store, sample: str) -> list[Slice]:
    """What was drawn for a sample, the earliest first; nothing where none is kept under that name."""
    found = store.read("slices", sample=sample).to_pylist()
    return [Slice(Window(row["start"], row["end"]), row["stratum"], row["weight"]) for row in found]


def overlapping(store: Store | Moment, prefix: str, window: Window) -> list[Sampled]:
    """Samples whose names begin with ``prefix`` and that were drawn of some of the window."""
    found = store.read("overlapping", prefix=prefix, start=window.start, end=window.end).to_pylist()
    return [Sampled(row["sample"], Window(row["start"], row["end"]), row["posts"]) for row in found]


def spent_since(store: Store | Moment, day: date) -> int:
    """Microdollars that X has billed since a UTC day, that day included."""
    return sum(store.read("spend", since=day)["microdollars"].to_pylist())


def status(store: Store) -> StoreStatus:
    """Everything that ``monitor status`` tells, of one moment."""
    with store.reading() as moment:
        seen = moment.read("status_seen")
        rejected = moment.read("status_rejected").to_pylist()
        deleted = moment.read("status_deleted").to_pylist()
        return StoreStatus(
            sources=tuple(SourceStatus(**row) for row in moment.read("status_posts").to_pylist()),
            seen=dict(zip(seen["stream"].to_pylist(), seen["n"].to_pylist(), strict=True)),
            rejected=tuple((row["stream"], row["why"], row["n"]) for row in rejected),
            deleted={row["platform"]: row["n"] for row in deleted},
            cursors=tuple(CursorStatus(**row) for row in moment.read("cursors").to_pylist()),
            gaps=tuple(Gap(**row) for row in moment.read("gaps", start=None, end=None).to_pylist()),
            synthetic=moment.read("marked", key="synthetic")["value"].to_pylist() == ["true"],
            models={row["model_id"]: row["n"] for row in moment.read("status_models").to_pylist()},
            **moment.read("status_distinct").to_pylist()[0],
            spend=tuple(Spend(**row) for row in moment.read("spend", since=date.min).to_pylist()),
        )
