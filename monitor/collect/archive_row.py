"""One row of a table as a post, and which column means what."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from monitor.collect.archive_x import time_of_id
from monitor.collect.base import Malformed
from monitor.collect.bluesky_record import TEXT_LIMIT, parse_time, split_uri
from monitor.errors import ArchiveError
from monitor.records import Engagement, Kind, Platform, Post
from monitor.text import storable

# Headers in lower case with "_" for all else, of twarc, 4CAT, minet, Communalytic and plain sense; the first wins.
HEADERS = {
    "post_id": ("post_id", "id", "uri", "tweet_id", "status_id", "id_str", "url", "link"),
    "text": ("text", "full_text", "body", "content", "message", "tweet", "post"),
    "created_at": ("created_at", "createdat", "created", "date", "datetime", "timestamp", "time", "published_at"),
    "observed_at": ("observed_at", "indexed_at", "indexedat", "collected_at"),
    "author_id": ("author_id", "did", "user_id", "author_did", "user_did"),
    "author_handle": ("author_handle", "author_username", "username", "screen_name", "handle", "user_handle", "author"),
    "lang": ("lang", "language"),
    "kind": ("kind",),
    "platform": ("platform",),
    "reply_to": (
        "reply_to",
        "referenced_tweets_replied_to_id",
        "in_reply_to_status_id",
        "in_reply_to_id",
        "to_tweetid",
    ),
    "quote_of": ("quote_of", "referenced_tweets_quoted_id", "quoted_status_id", "quoted_id", "quoted_post_uri"),
    "repost_of": ("repost_of", "referenced_tweets_retweeted_id", "retweeted_status_id", "retweeted_id"),
    "context": ("context",),
    "likes": ("likes", "like_count", "public_metrics_like_count", "favorite_count", "likecount"),
    "reposts": ("reposts", "repost_count", "public_metrics_retweet_count", "retweet_count", "repostcount"),
    "replies": ("replies", "reply_count", "public_metrics_reply_count", "replycount"),
    "quotes": ("quotes", "quote_count", "public_metrics_quote_count", "quotecount"),
}
FIELDS = tuple(HEADERS)
_PLATFORMS: dict[str, Platform] = {"bluesky": "bluesky", "bsky": "bluesky", "x": "x", "twitter": "x"}
_FIRST_YEAR = 2006  # of Twitter; what claims to be older is a broken clock
_X_URL = re.compile(r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/[^/]+/status/(\d+)")
_BLUESKY_URL = re.compile(r"https?://bsky\.app/profile/(did:[^/]+)/post/([^/?#]+)")


def assign(columns: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Field -> index of its column: as ``mapping`` (column -> field) says, else guessed from the column's name.

    Raises:
        ArchiveError: an unknown column or field, or no column for the id, the text or the time.
    """
    for column, field in mapping.items():
        _known("column", column, columns)
        _known("field", field, FIELDS)
    guessed = _guess([column for column in columns if column not in mapping], set(mapping.values()))
    assigned = {field: columns.index(column) for column, field in (guessed | dict(mapping)).items()}
    missing = [field for field in ("post_id", "text") if field not in assigned]
    missing += [] if {"created_at", "observed_at"} & assigned.keys() else ["created_at"]
    if missing:
        raise ArchiveError(
            f"no column is known to hold {' or '.join(missing)}; there are: {', '.join(columns)[:500]}",
            f"Say which: --column NAME={missing[0]}",
        )
    return assigned


def build(cells: Mapping[str, str], raw: str, measured_at: datetime) -> Post:
    """The post that a row's filled cells describe; times without zone are UTC.

    Raises:
        Malformed: no id, text or time, or one that cannot be.
    """
    platform, post_id = _identity(cells)
    observed_at, created_at = _times(cells, platform, post_id)
    refers = {field: _post_id(cells[field])[1] for field in ("reply_to", "quote_of", "repost_of") if field in cells}
    kind = _kind(cells.get("kind"), refers)
    return Post(
        platform=platform,
        post_id=post_id,
        author_id=split_uri(post_id)[0] if platform == "bluesky" else storable(cells.get("author_id", "")),
        text="" if kind == "repost" else _text(cells),
        kind=kind,
        created_at=created_at,
        observed_at=observed_at,
        source="import",
        author_handle=storable(cells["author_handle"]).lstrip("@") if "author_handle" in cells else None,
        lang=cells["lang"][:3].split("-")[0].lower() if "lang" in cells else None,
        context=storable(cells["context"]) if "context" in cells else None,
        reply_to=refers.get("reply_to"),
        quote_of=refers.get("quote_of"),
        repost_of=refers.get("repost_of"),
        engagement=_engagement(cells, measured_at),
        raw=raw,
    )


def _known(what: str, name: str, names: Iterable[str]) -> None:
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
        raise ArchiveError(f"unknown {what} '{name}'", f"Did you mean '{nearest[0]}'?" if nearest else "")


def _guess(columns: list[str], taken: set[str]) -> dict[str, str]:
    """Column -> field, for the fields that are not ``taken``."""
    plain = {re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_"): column for column in reversed(columns)}
    found = {field: next((plain[h] for h in headers if h in plain), None) for field, headers in HEADERS.items()}
    guessed: dict[str, str] = {}
    for field, column in found.items():
        if column is not None and field not in taken and column not in guessed:
            guessed[column] = field
    return guessed


def _identity(cells: Mapping[str, str]) -> tuple[Platform, str]:
    if "post_id" not in cells:
        raise Malformed("no post id")
    told, post_id = _post_id(cells["post_id"])
    platform = _PLATFORMS.get(cells.get("platform", "").lower(), told)
    if platform != told:
        raise Malformed("post id is none of its platform")
    return platform, post_id


def _post_id(text: str) -> tuple[Platform, str]:
    """Platform and id, from an id or a post's address; what a spreadsheet made of a long number is none any more."""
    if m := _X_URL.match(text):
        return "x", m[1]
    if m := _BLUESKY_URL.match(text):
        text = f"at://{m[1]}/app.bsky.feed.post/{m[2]}"
    if re.fullmatch(r"\d{1,19}", text):
        return "x", text
    split_uri(text)
    return "bluesky", text


def _text(cells: Mapping[str, str]) -> str:
    if "text" not in cells:
        raise Malformed("text is missing or no string")
    if len(cells["text"]) > TEXT_LIMIT:
        raise Malformed(f"text longer than {TEXT_LIMIT:,} characters")
    return storable(cells["text"])


def _times(cells: Mapping[str, str], platform: Platform, post_id: str) -> tuple[datetime, datetime | None]:
    """When the platform saw the post, and when its author says it was made.

    Raises:
        Malformed: no time, or one that no platform can have seen.
    """
    created_at = parse_any_time(cells.get("created_at", ""))
    observed_at = parse_any_time(cells.get("observed_at", ""))
    at = observed_at or (time_of_id(post_id) if platform == "x" else None) or created_at
    if at is None:
        raise Malformed("no time that can be read")
    if at.year < _FIRST_YEAR or at > datetime.now(UTC) + timedelta(days=1):
        raise Malformed("time before the platform or in the future")
    return at, created_at


def parse_any_time(text: str) -> datetime | None:
    """ISO 8601, seconds or milliseconds since 1970, or the form of X's first API ("Fri May 09 12:00:00 +0000 2025")."""
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number >= 1e11 else number, UTC)
        return parse_time(text) or datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y").astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _kind(told: str | None, refers: Mapping[str, Any]) -> Kind:
    if told in get_args(Kind):
        return cast(Kind, told)
    kinds: dict[str, Kind] = {"repost_of": "repost", "reply_to": "reply", "quote_of": "quote"}
    return next((kind for field, kind in kinds.items() if field in refers), "original")


def _engagement(cells: Mapping[str, str], measured_at: datetime) -> Engagement | None:
    counts = {field: _count(cells[field]) for field in ("likes", "reposts", "replies", "quotes") if field in cells}
    return Engagement(measured_at, **counts) if counts else None


def _count(text: str) -> int | None:
    m = re.fullmatch(r"(\d{1,18})(?:\.0+)?", text)
    return int(m[1]) if m else None
