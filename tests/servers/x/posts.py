"""Made-up posts and authors in the shapes of X API v2, in the old names ("tweet"); names.py has the new ones."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)
_LONG = 280  # characters from which on the whole text stands in note_tweet only
_RETWEET = 140  # characters after which the text of a repost is cut
_EDIT = timedelta(hours=1)  # as long a post may be edited
_HASHTAG = re.compile(r"(?<![\w&])#(\w*[^\W\d]\w*)")
_MENTION = re.compile(r"(?<!\w)@(\w{1,15})")
_low_bits = itertools.count(1)


@dataclass(frozen=True, slots=True)
class XUser:
    """An author."""

    id: str
    username: str
    name: str
    created_at: datetime

    def payload(self) -> dict[str, Any]:
        """Every field there is here; the server sends those that were asked for."""
        metrics = {"followers_count": 12, "following_count": 34, "tweet_count": 567, "listed_count": 0}
        return {
            "id": self.id,
            "name": self.name,
            "username": self.username,
            "created_at": iso(self.created_at),
            "description": f"{self.name} makes music",
            "protected": False,
            "verified": False,
            "public_metrics": metrics,
        }


@dataclass(frozen=True, slots=True)
class XPost:
    """A post as the server holds it. ``text`` is whole and unescaped; ``refers`` holds (kind, id)."""

    id: str
    author: XUser
    text: str
    created_at: datetime
    lang: str
    links: tuple[str, ...]
    refers: tuple[tuple[str, str], ...]
    reply_to_user: str | None
    conversation_id: str
    metrics: tuple[tuple[str, int], ...]
    versions: tuple[str, ...]

    def refers_to(self, kind: str) -> str | None:
        """Id of the post that is "retweeted", "quoted" or "replied_to"."""
        return dict(self.refers).get(kind)

    def hashtags(self) -> list[str]:
        return _HASHTAG.findall(self.text)

    def mentions(self) -> list[str]:
        return _MENTION.findall(self.text)

    def payload(self) -> dict[str, Any]:
        """Every field there is here; the server sends those that were asked for."""
        whole = _escaped(" ".join([self.text, *map(short_link, self.links)]))
        is_long = len(whole) > _LONG and not self.refers_to("retweeted")
        shown = f"{whole[: _LONG - 25]}… {short_link(self.id)}" if is_long else whole
        payload: dict[str, Any] = {
            "id": self.id,
            "text": shown,
            "author_id": self.author.id,
            "created_at": iso(self.created_at),
            "conversation_id": self.conversation_id,
            "lang": self.lang,
            "edit_history_tweet_ids": list(self.versions),
            "edit_controls": self._edit_controls(),
            "public_metrics": dict(self.metrics),
            "possibly_sensitive": False,
            "reply_settings": "everyone",
        }
        optional = {
            "entities": _entities(shown, self.links),
            "note_tweet": {"text": whole, "entities": _entities(whole, self.links)} if is_long else None,
            "referenced_tweets": [{"type": kind, "id": post_id} for kind, post_id in self.refers],
            "in_reply_to_user_id": self.reply_to_user,
        }
        return payload | {name: value for name, value in optional.items() if value}

    def _edit_controls(self) -> dict[str, Any]:
        until = time_of(self.versions[0]) + _EDIT
        return {"edits_remaining": 6 - len(self.versions), "is_edit_eligible": True, "editable_until": iso(until)}


def make_user(number: int = 1, username: str | None = None) -> XUser:
    """An author; the same for the same arguments."""
    made_at = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return XUser(str(10**9 + number), username or f"author{number}", f"Author {number}", made_at)


def make_post(
    text: str,
    at: datetime,
    *,
    author: XUser | int = 1,
    lang: str = "en",
    links: tuple[str, ...] = (),
    replied_to: XPost | str | None = None,
    quoted: XPost | str | None = None,
    reposted: XPost | None = None,
    likes: int = 0,
    reposts: int = 0,
    replies: int = 0,
    quotes: int = 0,
) -> XPost:
    """A post of that time: hashtags and mentions are read from ``text``, ``links`` come behind it as t.co links.

    A post that it refers to may be named by its id alone. A repost has the text that X gives it, "RT @handle: ...".
    """
    post_id = snowflake(at)
    kinds = (("retweeted", reposted), ("quoted", quoted), ("replied_to", replied_to))
    if reposted is not None:
        text = f"RT @{reposted.author.username}: {reposted.text}"
        text = text if len(text) <= _RETWEET else text[: _RETWEET - 1] + "…"
    if isinstance(quoted, XPost):
        links = (*links, f"https://x.com/{quoted.author.username}/status/{quoted.id}")
    counts = {"retweet_count": reposts, "reply_count": replies, "like_count": likes, "quote_count": quotes}
    return XPost(
        id=post_id,
        author=make_user(author) if isinstance(author, int) else author,
        text=text,
        created_at=at.astimezone(UTC),
        lang=lang,
        links=links,
        refers=tuple((kind, of.id if isinstance(of, XPost) else of) for kind, of in kinds if of is not None),
        reply_to_user=replied_to.author.id if isinstance(replied_to, XPost) else None,
        conversation_id=replied_to.conversation_id if isinstance(replied_to, XPost) else replied_to or post_id,
        metrics=(*counts.items(), ("bookmark_count", 0), ("impression_count", 0)),
        versions=(post_id,),
    )


def edited(post: XPost, text: str, at: datetime) -> XPost:
    """The next version of a post: an id of its own, the history of all."""
    post_id = snowflake(at)
    return replace(post, id=post_id, text=text, created_at=at.astimezone(UTC), versions=(*post.versions, post_id))


def snowflake(at: datetime) -> str:
    """A new post id of that time, larger than the ones given out before for the same millisecond."""
    return str((milliseconds(at) << 22) + next(_low_bits) % 2**22)


def first_id(at: datetime) -> int:
    """The smallest id that a post of that time can have."""
    return milliseconds(at) << 22


def time_of(post_id: str | int) -> datetime:
    return EPOCH + timedelta(milliseconds=int(post_id) >> 22)


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def short_link(target: str) -> str:
    return f"https://t.co/{hashlib.sha256(target.encode()).hexdigest()[:10]}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _entities(text: str, links: tuple[str, ...]) -> dict[str, Any]:
    """What stands in ``text``, with its places in code points."""
    urls = [_url(text, link) for link in links if short_link(link) in text]
    tags = [{"start": m.start(), "end": m.end(), "tag": m[1]} for m in _HASHTAG.finditer(text)]
    names = [{"start": m.start(), "end": m.end(), "username": m[1]} for m in _MENTION.finditer(text)]
    return {name: found for name, found in (("urls", urls), ("hashtags", tags), ("mentions", names)) if found}


def _url(text: str, link: str) -> dict[str, Any]:
    short = short_link(link)
    start = text.index(short)
    shown = link.split("://", 1)[-1]
    return {
        "start": start,
        "end": start + len(short),
        "url": short,
        "expanded_url": link,
        "display_url": shown if len(shown) < 28 else shown[:26] + "…",
    }
