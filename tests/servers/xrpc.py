"""A loopback PDS and AppView: sessions, searchPosts, getPosts and getProfile over HTTP, with faults on demand.

>>> with Xrpc() as server:
...     server.posts = [post_view("a post", at)]
...     server.fail("searchPosts", status=502)          # the next one only
...     server.rate_limit("searchPosts", reset_in=2.0)
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.answering import QuietHandler

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"[\w']+")
_rkeys = itertools.count(1)


def post_view(
    text: str,
    at: datetime,
    *,
    author: str = DID,
    rkey: str | None = None,
    handle: str = "somebody.test",
    created_at: datetime | None = None,
    reply_to: str | None = None,
    quoted: dict[str, Any] | None = None,
    likes: int = 0,
    tags: Iterable[str] = (),
    link: str | None = None,
) -> dict[str, Any]:
    """A post as searchPosts and getPosts show it. ``quoted`` is the view of another post."""
    uri = f"at://{author}/app.bsky.feed.post/{rkey or f'3k{next(_rkeys):011d}'}"
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": text, "createdAt": _iso(created_at or at)}
    record["langs"] = ["en"]
    if reply_to is not None:
        record["reply"] = {"root": {"uri": reply_to, "cid": "c"}, "parent": {"uri": reply_to, "cid": "c"}}
    features = [{"$type": "app.bsky.richtext.facet#tag", "tag": tag} for tag in tags]
    if link is not None:
        features.append({"$type": "app.bsky.richtext.facet#link", "uri": link})
    if features:
        record["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [f]} for f in features]
    view = {
        "uri": uri,
        "cid": "bafyreib",
        "author": {"did": author, "handle": handle},
        "record": record,
        "replyCount": 0,
        "repostCount": 0,
        "likeCount": likes,
        "quoteCount": 0,
        "indexedAt": _iso(at),
        "labels": [],
    }
    if quoted is not None:
        record["embed"] = {"$type": "app.bsky.embed.record", "record": {"uri": quoted["uri"], "cid": quoted["cid"]}}
        shown = {"uri": quoted["uri"], "author": quoted["author"], "value": quoted["record"]}
        view["embed"] = {"$type": "app.bsky.embed.record#view", "record": shown}
    return view


@dataclass(slots=True)
class Fault:
    """What the server does instead of answering one request."""

    status: int | None = None
    error: str = "InternalServerError"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    resets: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; ``method`` without "app.bsky.feed."."""

    method: str
    params: dict[str, list[str]]
    authorized: bool


class Xrpc:
    """The server; what it holds and how it fails may be changed while it runs."""

    def __init__(self, handle: str = "monitor.test", password: str = "app-pass-word", wall: int = 10_000) -> None:
        self.handle, self.password, self.wall = handle, password, wall
        self.posts: list[dict[str, Any]] = []
        self.accounts: dict[str, str] = {}  # DID -> error name of getProfile, "" for a profile
        self.requests: list[Request] = []
        self.needs_login = True
        self.ignores_windows = False
        self.hides_wall = False  # gives no cursor there, rather than refuse the page behind it
        self.overlap = 0  # hits of the page before that come again
        self.token_seconds = 7200.0
        self._faults: dict[str, list[Fault]] = {}
        self._access: set[str] = set()
        self._refresh: set[str] = set()
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str, str, int], list[dict[str, Any]]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Xrpc:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def fail(self, method: str, times: int = 1, **fault: Any) -> None:
        """Let the next ``times`` requests of ``method`` end as ``Fault(**fault)`` says."""
        self._faults.setdefault(method, []).extend(Fault(**fault) for _ in range(times))

    def rate_limit(self, method: str, *, reset_in: float | None = None, retry_after: str | None = None) -> None:
        """429 with the headers of the real PDS."""
        headers = {"ratelimit-limit": "3000", "ratelimit-remaining": "0", "ratelimit-policy": "3000;w=300"}
        if reset_in is not None:
            headers["ratelimit-reset"] = str(int(time.time() + reset_in))
        if retry_after is not None:
            headers["retry-after"] = retry_after
        self.fail(method, status=429, error="RateLimitExceeded", headers=headers)

    def expire_tokens(self, refresh: bool = False) -> None:
        """Make every access token stale, and with ``refresh`` the refresh tokens too."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    # What follows runs in the threads of the server.

    def answer(self, method: str, params: dict[str, list[str]], token: str, body: bytes) -> tuple[int, Any]:
        with self._lock:
            known = token in self._access
            self.requests.append(Request(method, params, known))
        if method == "createSession":
            return self._create_session(json.loads(body))
        if method == "refreshSession":
            return self._refresh_session(token)
        if token and not known:
            return 400, {"error": "ExpiredToken", "message": "Token has expired"}
        if method == "searchPosts":
            if self.needs_login and not token:
                return 403, {"error": "Forbidden", "message": "Request forbidden by administrative rules."}
            return self._search({key: values[0] for key, values in params.items()})
        if method == "getPosts":
            if len(params["uris"]) > 25:
                return 400, {"error": "InvalidRequest", "message": "uris must not have more than 25 elements"}
            wanted = set(params["uris"])
            return 200, {"posts": [view for view in self.posts if view["uri"] in wanted]}
        if method == "getProfile":
            return self._profile(params["actor"][0])
        return 501, {"error": "MethodNotImplemented", "message": "Method Not Implemented"}

    def next_fault(self, method: str) -> Fault | None:
        with self._lock:
            faults = self._faults.get(method)
            return faults.pop(0) if faults else None

    def _create_session(self, credentials: dict[str, str]) -> tuple[int, Any]:
        if (credentials["identifier"], credentials["password"]) != (self.handle, self.password):
            return 401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}
        return 200, self._session()

    def _refresh_session(self, token: str) -> tuple[int, Any]:
        if token not in self._refresh:
            return 400, {"error": "ExpiredToken", "message": "Token has been revoked"}
        self._refresh.discard(token)
        return 200, self._session()

    def _session(self) -> dict[str, Any]:
        access, refresh = (_token(self.token_seconds) for _ in range(2))
        self._access.add(access)
        self._refresh.add(refresh)
        return {"accessJwt": access, "refreshJwt": refresh, "handle": self.handle, "did": DID, "active": True}

    def _profile(self, did: str) -> tuple[int, Any]:
        error = self.accounts.get(did, "InvalidRequest")
        if error:
            return 400, {"error": error, "message": "Profile not found"}
        return 200, {"did": did, "handle": "somebody.test"}

    def _search(self, params: dict[str, str]) -> tuple[int, Any]:
        start, limit = int(params.get("cursor", "0")), int(params.get("limit", "25"))
        if start + limit > self.wall:
            return 400, {"error": "BadRequest", "message": "disallowed size/offset parameters"}
        hits = self._hits(params["q"], params.get("since", ""), params.get("until", "9"))
        first = max(0, start - self.overlap)
        page = hits[first : first + limit]
        if self.overlap:
            random.Random(start).shuffle(page)
        body: dict[str, Any] = {"posts": page}
        if first + limit < len(hits) and not (self.hides_wall and first + limit >= self.wall):
            body["cursor"] = str(first + limit)
        return 200, body

    def _hits(self, query: str, since: str, until: str) -> list[dict[str, Any]]:
        key = (query, since, until, len(self.posts))
        if key not in self._found:
            self._found[key] = sorted(
                (v for v in self.posts if self._is_hit(v, query, since, until)), key=_sort_at, reverse=True
            )
        return self._found[key]

    def _is_hit(self, view: dict[str, Any], query: str, since: str, until: str) -> bool:
        if not self.ignores_windows and not since <= _sort_at(view) < until:
            return False
        return all(_holds(view["record"], m[1] or m[2], m[1] is not None) for m in _TERM.finditer(query))


def _holds(record: dict[str, Any], term: str, quoted: bool) -> bool:
    features = [f for facet in record.get("facets", ()) for f in facet["features"]]
    if not quoted and term.startswith("#"):
        return any(f.get("tag", "").lower() == term[1:].lower() for f in features)
    if not quoted and term.startswith("domain:"):
        return any(urlsplit(f.get("uri", "")).hostname == term[7:] for f in features)
    if not quoted and term.startswith("https://"):
        return any(f.get("uri") == term for f in features)
    text = str(record.get("text", "")).lower()
    return term.lower() in text if quoted else term.lower() in _WORD.findall(text)


def _sort_at(view: dict[str, Any]) -> str:
    return min(str(view["record"].get("createdAt") or view["indexedAt"]), view["indexedAt"])


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _token(seconds: float) -> str:
    payload = {"exp": int(time.time() + seconds), "jti": str(random.random()), "sub": DID}
    parts = ({"typ": "at+jwt", "alg": "HS256"}, payload)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts), "c2ln"])


def _handler(server: Xrpc) -> type[QuietHandler]:
    class Handler(QuietHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            method = url.path.rsplit(".", 1)[-1]
            body = self.read_body()
            fault = server.next_fault(method)
            if fault is not None:
                time.sleep(fault.seconds)
                if fault.resets:
                    self._reset()
                    return
                if fault.body is not None or fault.status is not None:
                    error = json.dumps({"error": fault.error, "message": "on demand"}).encode()
                    self._send(fault.status or 200, error if fault.body is None else fault.body, fault.headers)
                    return
            token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
            status, answer = server.answer(method, parse_qs(url.query), token, body)
            self._send(status, json.dumps(answer).encode(), {})

        do_POST = do_GET

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_head(status, headers | {"content-length": str(len(body))})
            self.wfile.write(body)

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

    return Handler
