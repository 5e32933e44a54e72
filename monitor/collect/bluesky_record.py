"""The one place where a Bluesky post record, repost record or post view becomes a ``Post``.

Required are a DID, a record key and a text that is a string; without them ``Malformed`` is raised. Everything else is
lenient: a field of the wrong type counts as absent, because clients write what they like and the post is still a post.
The protocol caps a text at 3,000 bytes; one of more than 100,000 characters was made to break readers and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from monitor.collect import json_text
from monitor.collect.base import Malformed
from monitor.records import Engagement, Kind, Post, Source
from monitor.text import storable

POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
TEXT_LIMIT = 100_000  # characters
RAW_LIMIT = 1_000_000  # characters of JSON; a repository refuses records beyond 1 MB
_ITEMS_LIMIT = 200  # facets, tags: more are ignored

_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}")
_RKEY = re.compile(r"[A-Za-z0-9._~:-]{1,512}")
_POST_URI = re.compile(r"at://did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}/app\.bsky\.feed\.post/[A-Za-z0-9._~:-]{1,512}")
_LANG = re.compile(r"([A-Za-z]{2,3})(?:-|$)")


def build_post(
    author_id: object,
    rkey: object,
    record: object,
    *,
    observed_at: datetime,
    source: Source,
    raw: object = None,
    author_handle: str | None = None,
    context: str | None = None,
    engagement: Engagement | None = None,
) -> Post:
    """An app.bsky.feed.post record as a Post; ``raw`` is the payload that is kept as JSON (default: the record).

    Raises:
        Malformed: no DID, no record key, no record, no text, or far too much of it.
    """
    post_id = uri_of(author_id, POST, rkey)
    record = _object(record)
    embed = _dict(record.get("embed"))
    reply_to = _post_uri(_dict(_dict(record.get("reply")).get("parent")).get("uri"))
    quote_of = _quoted(embed) if embed else None
    links, hashtags = beside_text(record, embed) if embed or "facets" in record or "tags" in record else ((), ())
    return Post(
        platform="bluesky",
        post_id=post_id,
        author_id=str(author_id),
        text=_text(record.get("text")),
        kind=_kind(reply_to, quote_of),
        created_at=parse_time(record.get("createdAt")),
        observed_at=observed_at,
        source=source,
        author_handle=author_handle,
        lang=_lang(record.get("langs")),
        reply_to=reply_to,
        quote_of=quote_of,
        context=context,
        links=links,
        hashtags=hashtags,
        engagement=engagement,
        raw=_json(record if raw is None else raw),
    )


def build_repost(
    author_id: object, rkey: object, record: object, *, observed_at: datetime, source: Source, raw: object = None
) -> Post:
    """An app.bsky.feed.repost record as a Post of kind "repost" with empty text.

    Raises:
        Malformed: no DID, no record key, no record, or it reposts no post.
    """
    post_id = uri_of(author_id, REPOST, rkey)
    record = _object(record)
    repost_of = _post_uri(_dict(record.get("subject")).get("uri"))
    if repost_of is None:
        raise Malformed("repost of no post")
    return Post(
        platform="bluesky",
        post_id=post_id,
        author_id=str(author_id),
        text="",
        kind="repost",
        created_at=parse_time(record.get("createdAt")),
        observed_at=observed_at,
        source=source,
        repost_of=repost_of,
        raw=_json(record if raw is None else raw),
    )


def build_from_view(view: object, *, measured_at: datetime, source: Source) -> Post:
    """An app.bsky.feed.defs#postView (searchPosts, getPosts; camelCase JSON) as a Post with its engagement.

    ``observed_at`` is the view's indexedAt, which is when the network saw the post; without it ``measured_at``.

    Raises:
        Malformed: as ``build_post``, or the view has no post URI.
    """
    view = _object(view)
    author_id, rkey = split_uri(view.get("uri"))
    author = _dict(view.get("author"))
    handle = author.get("handle")
    return build_post(
        author_id,
        rkey,
        view.get("record"),
        observed_at=parse_time(view.get("indexedAt")) or measured_at,
        source=source,
        raw={name: value for name, value in view.items() if name != "embed"},  # holds the text of a quoted author
        author_handle=storable(handle) if isinstance(handle, str) and handle != "handle.invalid" else None,
        context=_quoted_text(view),
        engagement=Engagement(
            measured_at=measured_at,
            likes=_count(view.get("likeCount")),
            reposts=_count(view.get("repostCount")),
            replies=_count(view.get("replyCount")),
            quotes=_count(view.get("quoteCount")),
        ),
    )


def uri_of(author_id: object, collection: str, rkey: object) -> str:
    """``at://<did>/<collection>/<rkey>``, the post id of Bluesky.

    Raises:
        Malformed: one of the parts is none.
    """
    if not (isinstance(author_id, str) and _DID.fullmatch(author_id)):
        raise Malformed("author is no DID")
    if not (isinstance(rkey, str) and _RKEY.fullmatch(rkey)):
        raise Malformed("record key is missing or malformed")
    return f"at://{author_id}/{collection}/{rkey}"


def split_uri(uri: object) -> tuple[str, str]:
    """DID and record key of a post's at-URI.

    Raises:
        Malformed: it is none.
    """
    post_uri = _post_uri(uri)
    if post_uri is None:
        raise Malformed("no URI of a post")
    _, _, author_id, _, rkey = post_uri.split("/")
    return author_id, rkey


def parse_time(value: object) -> datetime | None:
    """An ISO 8601 time as UTC, taken as UTC where it names no zone; None where it is none or not representable."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed("text is missing or no string")
    if len(value) > TEXT_LIMIT:
        raise Malformed(f"text longer than {TEXT_LIMIT:,} characters")
    return storable(value)


def _kind(reply_to: str | None, quote_of: str | None) -> Kind:
    return "reply" if reply_to else "quote" if quote_of else "original"


def _quoted(embed: dict[str, Any]) -> str | None:
    """``record`` is a strong reference in embed.record and holds one in embed.recordWithMedia."""
    record = _dict(embed.get("record"))
    return _post_uri(record.get("uri")) or _post_uri(_dict(record.get("record")).get("uri"))


def _quoted_text(view: dict[str, Any]) -> str | None:
    """The quoted post's text, which a view carries; not for replies, whose context is their parent's text."""
    if _dict(_dict(view.get("record")).get("reply")):
        return None
    record = _dict(_dict(view.get("embed")).get("record"))
    value = _dict(record.get("value")) or _dict(_dict(record.get("record")).get("value"))
    text = value.get("text")
    return storable(text) if isinstance(text, str) and text and len(text) <= TEXT_LIMIT else None


def beside_text(record: dict[str, Any], embed: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Links and hashtags of facets, link cards and tags."""
    facets = list(_features(record.get("facets")))
    links = [facet.get("uri") for facet in facets] + [_card(embed), _card(_dict(embed.get("media")))]
    return _unique(links), _unique([facet.get("tag") for facet in facets] + _list(record.get("tags")))


def _card(embed: dict[str, Any]) -> object:
    return _dict(embed.get("external")).get("uri")


def _features(facets: object) -> Iterator[dict[str, Any]]:
    for facet in _list(facets):
        for feature in _list(_dict(facet).get("features")):
            yield _dict(feature)


def _lang(langs: object) -> str | None:
    """The language that the author names; None where several are named, since it may be any of them."""
    named = {m[1].lower() for lang in _list(langs) if isinstance(lang, str) and (m := _LANG.match(lang))}
    return named.pop() if len(named) == 1 else None


def _unique(values: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(storable(v) for v in values if isinstance(v, str) and v))


def _post_uri(value: object) -> str | None:
    return value if isinstance(value, str) and _POST_URI.fullmatch(value) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("record is missing or no object")
    return value


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:_ITEMS_LIMIT] if isinstance(value, list) else []


def _json(value: object) -> str:
    try:
        text = json_text.write(value)
    except RecursionError:
        raise Malformed("record is nested too deeply") from None
    if len(text) > RAW_LIMIT:
        raise Malformed(f"record larger than {RAW_LIMIT:,} characters")
    return text
