"""Lines of X archives: payloads of the X API v2 as twarc, tweepy or curl save them.

A line is a page (data, includes, errors, meta), one post out of a page, or one that twarc has flattened (author and
referenced posts inline). Names are moving from "tweet" to "post"; both are read. A post that was edited has one id for
each version: it is kept under the first one with the text of the last, so that an edit replaces.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.collect import json_text
from monitor.collect.archive_item import Item
from monitor.collect.base import Malformed
from monitor.collect.bluesky_record import RAW_LIMIT, TEXT_LIMIT, parse_time
from monitor.records import Engagement, Kind, Post
from monitor.text import storable

_SNOWFLAKE_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)
_FIRST_SNOWFLAKE = 29_700_859_247  # ids before November 2010 were counted, not timed
_ID = re.compile(r"\d{1,19}")
_LANG = re.compile(r"(?!und|zxx|art|q)[a-z]{2,3}")  # X has codes of its own for "none"
_REPOSTS = ("retweeted", "reposted")


@dataclass(frozen=True, slots=True)
class _Page:
    """What stands beside the posts of one line."""

    measured_at: datetime
    handles: dict[str, str]
    texts: dict[str, str]
    authors: dict[str, str]
    first_ids: dict[str, str]


def is_page(line: dict[str, Any]) -> bool:
    """Is the line an X API v2 answer or one post of it?"""
    if "data" in line:
        return isinstance(line["data"], list | dict)
    if "id" in line:
        return isinstance(line.get("text"), str)
    return "errors" in line or ("meta" in line and "result_count" in _dict(line["meta"]))


def read(line: dict[str, Any], measured_at: datetime) -> Iterator[Item]:
    """The posts of a line, those that are referred to first.

    Args:
        measured_at: of the engagement, where twarc has not noted when it asked.
    """
    data = line.get("data", line if "id" in line else [])
    posts = data if isinstance(data, list) else [data]
    includes = _dict(line.get("includes"))
    included = _list(includes.get("tweets")) + _list(includes.get("posts")) + [r for p in posts for r in _inlined(p)]
    page = _page(line, [*included, *posts], _list(includes.get("users")), measured_at)
    for post in included:
        yield from _read(post, page, is_chosen=False)
    for post in posts:
        yield from _read(post, page, is_chosen=True)


def newer_versions(line: dict[str, Any]) -> list[str]:
    """Ids of the last versions of those posts of an answer that were edited since."""
    found = []
    for post in _list(line.get("data")):
        with suppress(Malformed):
            own_id = _id(_dict(post).get("id"))
            found += [last for last in _versions(post, own_id)[-1:] if last != own_id]
    return found


def time_of_id(post_id: str) -> datetime | None:
    """When the post with this id was made; None for ids of before November 2010."""
    number = int(post_id)
    return _SNOWFLAKE_EPOCH + timedelta(milliseconds=number >> 22) if number > _FIRST_SNOWFLAKE else None


def _read(post: Any, page: _Page, is_chosen: bool) -> Iterator[Item]:
    try:
        built = _build(post, page)
    except Malformed as error:
        yield Item(error)
        return
    if built is not None:
        yield Item(built, is_chosen=is_chosen)


def _build(post: Any, page: _Page) -> Post | None:
    """The post; None for a version that was edited since."""
    if not isinstance(post, dict):
        raise Malformed("X post is no object")
    own_id = _id(post.get("id"))
    versions = _versions(post, own_id)
    if own_id != versions[-1]:
        return None
    refers = {kind: page.first_ids.get(i, i) for kind, i in _references(post)}
    repost_of = next((refers[kind] for kind in _REPOSTS if kind in refers), None)
    reply_to, quote_of = refers.get("replied_to"), refers.get("quoted")
    kind: Kind = "repost" if repost_of else "reply" if reply_to else "quote" if quote_of else "original"
    created_at = parse_time(post.get("created_at"))
    observed_at = (time_of_id(own_id) if len(versions) > 1 else None) or created_at or time_of_id(own_id)
    if observed_at is None:
        raise Malformed("X post without a time")
    author_id = _author_id(post)
    handle = page.handles.get(author_id) or _dict(post.get("author")).get("username")
    context_of = "" if repost_of else reply_to or quote_of or ""
    urls, hashtags = entities(post)
    return Post(
        platform="x",
        post_id=versions[0],
        author_id=author_id,
        text="" if repost_of else text_of(post),
        kind=kind,
        created_at=created_at or observed_at,
        observed_at=observed_at,
        source="import",
        author_handle=storable(handle) if isinstance(handle, str) and handle else None,
        lang=_lang(post.get("lang")),
        reply_to=None if repost_of else reply_to,
        quote_of=None if repost_of else quote_of,
        repost_of=repost_of,
        context=page.texts.get(context_of),
        context_by=page.authors.get(context_of) or None,
        links=() if repost_of else urls,
        hashtags=() if repost_of else hashtags,
        is_edit=len(versions) > 1,
        engagement=None if repost_of else _engagement(post.get("public_metrics"), page.measured_at),
        raw=_raw(_own(post, is_repost=repost_of is not None)),
    )


def text_of(post: dict[str, Any]) -> str:
    """The whole text, of long posts too, with &amp;, &lt; and &gt; as the characters they stand for.

    Raises:
        Malformed: there is none, or far too much of it.
    """
    note = _dict(post.get("note_post") or post.get("note_tweet"))
    text = note.get("text") or post.get("text")
    if not isinstance(text, str):
        raise Malformed("text is missing or no string")
    if len(text) > TEXT_LIMIT:
        raise Malformed(f"text longer than {TEXT_LIMIT:,} characters")
    return storable(html.unescape(text))


def _page(line: dict[str, Any], posts: Iterable[Any], users: Iterable[Any], measured_at: datetime) -> _Page:
    asked_at = parse_time(_dict(line.get("__twarc")).get("retrieved_at"))
    handles = {str(u["id"]): u["username"] for u in users if isinstance(u, dict) and {"id", "username"} <= u.keys()}
    texts: dict[str, str] = {}
    authors: dict[str, str] = {}
    first_ids: dict[str, str] = {}
    for post in posts:
        try:
            post_id = _id(_dict(post).get("id"))
            first_ids[post_id] = first_id = _versions(post, post_id)[0]
            texts[first_id], authors[first_id] = text_of(post), _author_id(post)
        except Malformed:
            continue
    return _Page(asked_at or measured_at, handles, texts, authors, first_ids)


def _author_id(post: dict[str, Any]) -> str:
    return storable(str(post.get("author_id") or _dict(post.get("author")).get("id") or ""))


def _inlined(post: Any) -> list[Any]:
    """The referenced posts that twarc has written into the post itself."""
    refers = _list(_dict(post).get("referenced_posts") or _dict(post).get("referenced_tweets"))
    return [other for other in refers if isinstance(other, dict) and "text" in other]


def _references(post: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for other in _list(post.get("referenced_posts") or post.get("referenced_tweets")):
        kind, post_id = _dict(other).get("type"), str(_dict(other).get("id"))
        if isinstance(kind, str) and _ID.fullmatch(post_id):
            yield kind, post_id


def _versions(post: dict[str, Any], own_id: str) -> list[str]:
    """Ids of all versions, oldest first."""
    history = _list(post.get("edit_history_post_ids") or post.get("edit_history_tweet_ids"))
    return sorted({own_id, *(str(i) for i in history if _ID.fullmatch(str(i)))}, key=int)


def entities(post: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    note = _dict(post.get("note_post") or post.get("note_tweet"))
    both = [_dict(post.get("entities")), _dict(note.get("entities"))]
    urls = [_dict(u) for e in both for u in _list(e.get("urls"))]
    links = [u.get("unwound_url") or u.get("expanded_url") or u.get("url") for u in urls]
    tags = [_dict(t).get("tag") for e in both for t in _list(e.get("hashtags"))]
    return _unique(links), _unique(tags)


def _engagement(metrics: Any, measured_at: datetime) -> Engagement | None:
    if not isinstance(metrics, dict):
        return None
    reposts = metrics.get("repost_count", metrics.get("retweet_count"))
    counts = (metrics.get("like_count"), reposts, metrics.get("reply_count"), metrics.get("quote_count"))
    return Engagement(measured_at, *(n if type(n) is int and 0 <= n < 2**63 else None for n in counts))


def _id(value: Any) -> str:
    text = str(value) if isinstance(value, str | int) else ""
    if not _ID.fullmatch(text):
        raise Malformed("X post without an id")
    return text


def _lang(value: Any) -> str | None:
    return value if isinstance(value, str) and _LANG.fullmatch(value) else None


def _unique(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(storable(v) for v in values if isinstance(v, str) and v))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _own(post: dict[str, Any], *, is_repost: bool) -> dict[str, Any]:
    """The payload without what others wrote: nobody would find it in here when they take it back."""
    others = ("includes", *(("text", "full_text", "note_tweet", "note_post", "entities") if is_repost else ()))
    own = {name: value for name, value in post.items() if name not in others}
    for name in ("referenced_tweets", "referenced_posts"):
        if name in own:
            inlined = [part for part in _list(own[name]) if isinstance(part, dict)]
            own[name] = [{key: part[key] for key in ("type", "id") if key in part} for part in inlined]
    return own


def _raw(post: dict[str, Any]) -> str:
    text = json_text.write(post)
    if len(text) > RAW_LIMIT:
        raise Malformed(f"record larger than {RAW_LIMIT:,} characters")
    return text
