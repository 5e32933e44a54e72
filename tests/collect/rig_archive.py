"""The import's scenarios for the contract test: one file of each format, and broken lines among good ones."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

from monitor.collect.archive import ArchiveCollector
from tests.collect.rig import Rig, Rigs
from tests.conftest import T0
from tests.servers.events import account, chatter, delete, identity
from tests.servers.xrpc import post_view

BROKEN = (b"{broken", b"\xff\xfe", b"null", b"[1]", b'{"kind": "song"}')
N = 24


def v2(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As frames, every other one bare."""
    for i, event in enumerate(events):
        yield event if i % 2 else {"$type": "message", "payload": event}


def v1(event: dict[str, Any]) -> dict[str, Any]:
    """The same event as Jetstream 1 served it."""
    kind = event["$type"].partition("#")[2]
    at = datetime.fromisoformat(event["time"])
    old = {"did": event["did"], "time_us": round(at.timestamp() * 1e6), "kind": kind}
    if kind != "commit":
        return old | {kind: event[kind]}
    return old | {"commit": {k: v for k, v in event.items() if k not in ("$type", "seq", "did", "time")}}


def jsonl(values: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def table(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def x_post(number: int, text: str, **fields: Any) -> dict[str, Any]:
    """A post of the X API v2, made ``number`` minutes after T0."""
    at = T0 + timedelta(minutes=number)
    values = {"id": x_id(at), "text": text, "author_id": "7", "created_at": at.isoformat().replace("+00:00", "Z")}
    return values | fields


def x_id(at: datetime) -> str:
    return str((int(at.timestamp() * 1000) - 1288834974657) << 22)


def texts() -> list[str]:
    return [("SoundCloud took my songs" if i % 3 == 0 else "lunch") + f" {i}" for i in range(N)]


def _rig(
    name: str, data: bytes, post_ids: Iterable[str], seen: int | None = None, rejected: int = 0
) -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(folder: Path) -> Iterator[Rig]:
        path = folder / name
        path.write_bytes(data)
        yield Rig(
            open=lambda: ArchiveCollector(path, lines_per_batch=8),
            post_ids=frozenset(post_ids),
            seen=seen,
            rejected=rejected,
        )

    return rig


def _network() -> tuple[list[dict[str, Any]], list[str]]:
    """A dump of the network with a deleted post and a deleted account in it, and what is left."""
    events = chatter(N)
    gone = [events[2], events[5]]
    events += [identity(500), delete(501, 3, gone[0]["rkey"]), account(502, 6, "deleted")]
    kept = [e for e in events[:N] if e not in gone and "SoundCloud" in e["record"]["text"]]
    return events, [f"at://{e['did']}/{e['collection']}/{e['rkey']}" for e in kept]


def _rigs() -> Rigs:
    events, left = _network()
    views = [post_view(text, T0) for text in texts()]
    hits = [view["uri"] for view in views if "SoundCloud" in view["record"]["text"]]
    posts = [x_post(i, text) for i, text in enumerate(texts())]
    x_hits = [post["id"] for post in posts if "SoundCloud" in post["text"]]
    rows = [["id", "text", "created_at"], *([p["id"], p["text"] + "\nand more", p["created_at"]] for p in posts)]
    broken = [json.dumps(view).encode() for view in views]
    broken[1::5] = [line + b"\n" + BROKEN[i] for i, line in enumerate(broken[1::5])]
    return {
        "jetstream_v1": _rig("v1.jsonl", jsonl(map(v1, events)), left, seen=N),
        "jetstream_v2_gzip": _rig("v2.jsonl.gz", gzip.compress(jsonl(v2(events))), left, seen=N),
        "views_zstd": _rig("views.zst", zstandard.compress(jsonl(views)), hits),
        "x_pages": _rig("twarc.jsonl", jsonl({"data": posts[i : i + 10]} for i in range(0, N, 10)), x_hits),
        "csv_gzip": _rig("table.csv.gz", gzip.compress(table(rows)), x_hits),
        "broken_lines": _rig("broken.jsonl", b"\n".join(broken), hits, rejected=len(BROKEN)),
    }


RIGS: Rigs = _rigs()
