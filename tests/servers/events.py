"""Event payloads as Jetstream v2 sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NSID = "network.bsky.jetstream.subscribeEvents"
POST, REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"
T0 = datetime(2025, 5, 9, 12, tzinfo=UTC)
CID = "bafyreiguce4jh7kcbmof3pmcvasifqtw24b6isakj5ve5ga2b4z4alpc4i"


def clock(seq: int) -> str:
    """The server's time of event ``seq``: one each second from T0."""
    return (T0 + timedelta(seconds=seq)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def did(author: int | str) -> str:
    return f"did:plc:author{author}"


def uri(author: int | str, rkey: str, collection: str = POST) -> str:
    return f"at://{did(author)}/{collection}/{rkey}"


def ref(target: str) -> dict[str, str]:
    return {"uri": target, "cid": CID}


def commit(
    seq: int, author: int | str, operation: str, rkey: str, record: Any = None, collection: str = POST
) -> dict[str, Any]:
    payload = {
        "$type": f"{NSID}#commit",
        "seq": seq,
        "did": did(author),
        "time": clock(seq),
        "rev": f"rev{seq}",
        "operation": operation,
        "collection": collection,
        "rkey": rkey,
    }
    return payload if operation == "delete" else payload | {"record": record, "cid": CID}


def create(seq: int, text: str, author: int | str = 1, rkey: str | None = None, **fields: Any) -> dict[str, Any]:
    """A new post."""
    return commit(seq, author, "create", rkey or f"r{seq}", post_record(seq, text, **fields))


def update(seq: int, text: str, author: int | str, rkey: str, **fields: Any) -> dict[str, Any]:
    return commit(seq, author, "update", rkey, post_record(seq, text, **fields))


def delete(seq: int, author: int | str, rkey: str, collection: str = POST) -> dict[str, Any]:
    return commit(seq, author, "delete", rkey, collection=collection)


def repost(seq: int, of: str, author: int | str = 1, rkey: str | None = None) -> dict[str, Any]:
    record = {"$type": REPOST, "createdAt": clock(seq), "subject": ref(of)}
    return commit(seq, author, "create", rkey or f"r{seq}", record, REPOST)


def account(seq: int, author: int | str, status: str | None = None) -> dict[str, Any]:
    """An account's new state; None means active."""
    state = {"active": status is None, "did": did(author), "seq": 10**9 + seq, "time": clock(seq)}
    wrapped = state if status is None else state | {"status": status}
    return {"$type": f"{NSID}#account", "seq": seq, "did": did(author), "time": clock(seq), "account": wrapped}


def identity(seq: int, author: int | str = 1) -> dict[str, Any]:
    state = {"did": did(author), "seq": 10**9 + seq, "time": clock(seq)}
    return {"$type": f"{NSID}#identity", "seq": seq, "did": did(author), "time": clock(seq), "identity": state}


def post_record(seq: int, text: str, **fields: Any) -> dict[str, Any]:
    return {"$type": POST, "createdAt": clock(seq), "langs": ["en"], "text": text} | fields


def reply_to(parent: str, root: str | None = None) -> dict[str, Any]:
    """The ``reply`` field of a record."""
    return {"parent": ref(parent), "root": ref(root or parent)}


def quote_of(target: str) -> dict[str, Any]:
    """The ``embed`` field of a record."""
    return {"$type": "app.bsky.embed.record", "record": ref(target)}


def chatter(count: int, first: int = 1) -> list[dict[str, Any]]:
    """Posts of many authors, every third of which matches the test topic; no two events share an author."""
    texts = ("the weather is fine", "lunch", "SoundCloud will train its AI on our music")
    return [create(seq, f"{texts[seq % 3]} {seq}", author=seq) for seq in range(first, first + count)]
