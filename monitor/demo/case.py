"""The invented SoundCloud case as a log of Jetstream v2 events.

``data/posts.jsonl`` and ``data/quotes.jsonl`` were written one by one for this demo; nobody in them exists. Reposts,
who passes on which quote, and the everyday posts around them are drawn with a fixed seed: every demo plays the same
case.
"""

from __future__ import annotations

import hashlib
import random
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import orjson

START, END = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 6, 16, tzinfo=UTC)
_POST, _REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"
_MESSAGE = "network.bsky.jetstream.subscribeEvents#commit"
_REPOSTS, _EVERYDAY, _QUOTES_EACH = 1_750, 620, 2
_CROWD = 900  # accounts that repost, quote and chat
_HALF_LIFE_HOURS = 5.0  # of the attention that a post gets
_TID = "234567abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Case:
    """``events`` are Jetstream payloads in order of seq; ``posts`` counts the posts and reposts among them."""

    events: tuple[dict[str, Any], ...]
    posts: int


@dataclass(frozen=True, slots=True)
class _Action:
    at: datetime
    operation: str
    uri: str
    record: dict[str, Any] | None = None


def build() -> Case:
    """The whole case; the same events every time."""
    chance = random.Random(20250509)  # noqa: S311 - a plot, not a secret
    written = _read("posts")
    uris = {post["id"]: _uri(post["author"], _POST, _time(post["at"]), post["id"]) for post in written}
    actions = [
        *_written(written, uris),
        *_quotes(written, uris, chance),
        *_reposts(written, uris, chance),
        *_everyday(chance),
    ]
    actions.sort(key=lambda action: (action.at, action.uri))
    events = tuple(_event(seq, action) for seq, action in enumerate(actions, start=1))
    return Case(events, sum(action.operation == "create" for action in actions))


def _written(posts: list[dict[str, Any]], uris: dict[str, str]) -> Iterator[_Action]:
    for post in posts:
        at, uri = _time(post["at"]), uris[post["id"]]
        record = _record(post["text"], post["lang"], at)
        yield _Action(at, "create", uri, record | _links(post, uris))
        if "edited_to" in post:
            edited = record | _links(post, uris) | {"text": post["edited_to"]}
            yield _Action(at + timedelta(minutes=11), "update", uri, edited)
        if "deleted_after_hours" in post:
            yield _Action(at + timedelta(hours=post["deleted_after_hours"]), "delete", uri)


def _links(post: dict[str, Any], uris: dict[str, str]) -> dict[str, Any]:
    links: dict[str, Any] = {}
    if "reply_to" in post:
        parent = {"uri": uris[post["reply_to"]], "cid": _cid(uris[post["reply_to"]])}
        links["reply"] = {"root": parent, "parent": parent}
    if "quote_of" in post:
        links["embed"] = _embed(uris[post["quote_of"]])
    return links


def _quotes(posts: list[dict[str, Any]], uris: dict[str, str], chance: random.Random) -> Iterator[_Action]:
    times = {post["id"]: _time(post["at"]) for post in posts}
    for index, quote in enumerate(_read("quotes") * _QUOTES_EACH):
        at = _later(times[quote["of"]], chance)
        uri = _uri(_someone(chance), _POST, at, f"quote{index}")
        record = _record(quote["text"], quote["lang"], at) | {"embed": _embed(uris[quote["of"]])}
        yield _Action(at, "create", uri, record)


def _reposts(posts: list[dict[str, Any]], uris: dict[str, str], chance: random.Random) -> Iterator[_Action]:
    kept = [post for post in posts if post.get("weight") and "deleted_after_hours" not in post]
    for index, post in enumerate(chance.choices(kept, [post["weight"] for post in kept], k=_REPOSTS)):
        at, subject = _later(_time(post["at"]), chance), uris[post["id"]]
        record = {
            "$type": _REPOST,
            "subject": {"uri": subject, "cid": _cid(subject)},
            "createdAt": _iso(at),
        }
        yield _Action(at, "create", _uri(_someone(chance), _REPOST, at, f"repost{index}"), record)


def _everyday(chance: random.Random) -> Iterator[_Action]:
    posts = _read("noise")
    seconds = (END - START).total_seconds()
    for index in range(_EVERYDAY):
        post = posts[index % len(posts)]
        at = START + timedelta(seconds=chance.uniform(0, seconds))
        uri = _uri(_someone(chance), _POST, at, f"everyday{index}")
        yield _Action(at, "create", uri, _record(post["text"], post["lang"], at))


def _event(seq: int, action: _Action) -> dict[str, Any]:
    did, collection, rkey = action.uri.removeprefix("at://").split("/")
    event: dict[str, Any] = {
        "$type": _MESSAGE,
        "seq": seq,
        "did": did,
        "time": _iso(action.at),
        "rev": rkey,
        "operation": action.operation,
        "collection": collection,
        "rkey": rkey,
    }
    if action.record is not None:
        event |= {"record": action.record, "cid": _cid(action.uri)}
    return event


def _record(text: str, lang: str, at: datetime) -> dict[str, Any]:
    return {"$type": _POST, "text": text, "langs": [lang], "createdAt": _iso(at)}


def _embed(uri: str) -> dict[str, Any]:
    return {"$type": "app.bsky.embed.record", "record": {"uri": uri, "cid": _cid(uri)}}


def _later(at: datetime, chance: random.Random) -> datetime:
    delay = chance.expovariate(0.693 / _HALF_LIFE_HOURS)
    return min(at + timedelta(hours=0.05 + delay), END - timedelta(minutes=1))


def _someone(chance: random.Random) -> str:
    return f"passer-by-{chance.randrange(_CROWD)}"


def _uri(author: str, collection: str, at: datetime, salt: str) -> str:
    did = b32encode(hashlib.sha256(author.encode()).digest()).decode().lower()[:24]
    return f"at://did:plc:{did}/{collection}/{_tid(at, salt)}"


def _tid(at: datetime, salt: str) -> str:
    number = (int(at.timestamp() * 1_000_000) << 10) | (hashlib.sha256(salt.encode()).digest()[0] << 2)
    return "".join(_TID[(number >> shift) & 31] for shift in range(60, -1, -5))


def _cid(uri: str) -> str:
    return "bafyrei" + b32encode(hashlib.sha256(uri.encode()).digest()).decode().lower().rstrip("=")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(name: str) -> list[dict[str, Any]]:
    text = resources.files("monitor.demo").joinpath("data", f"{name}.jsonl").read_bytes()
    return [orjson.loads(line) for line in text.splitlines() if line.strip()]
