"""The scripted X server: X API v2 on loopback, as faithful as a monitor can tell, with faults on demand.

>>> with XServer() as x:
...     x.hold(make_post("SoundCloud's AI clause", x.clock.now() - timedelta(hours=1)))
...     x.fail("search/recent", 503)  # the next one only
...     ...                           # let a client talk to x.url with x.token
...     assert x.count("search/recent") == 2
...     assert x.dollars() == Decimal("0.005")

Endpoints are named search/recent, search/all, counts/recent, counts/all, lookup, rules, rules/change, stream and
compliance; uploads and downloads of compliance jobs come without a token and are upload and download.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from tests.servers.x import problem
from tests.servers.x.archive import Archive, Gone
from tests.servers.x.bill import DayBill, Till
from tests.servers.x.clock import Clock, Limits
from tests.servers.x.compliance import Compliance
from tests.servers.x.faults import Fault, Faults, Request
from tests.servers.x.handler import Listener, handler
from tests.servers.x.names import Names
from tests.servers.x.posts import XPost, XUser, edited
from tests.servers.x.problem import Problem
from tests.servers.x.rules import Rules
from tests.servers.x.search import Search
from tests.servers.x.stream import Stream
from tests.servers.x.wire import Wire

Answer = tuple[int, dict[str, str], bytes]


class XServer:
    """The server; what it holds and how it fails may be changed while it runs. Use it with ``with``.

    Args:
        names: the dialect of the answers: "old", "new", or "as_asked" as X does it.
        clock: its time, by default the real one.
        port: a free one by default; a server that comes back on the port of the one before is a restart.
    """

    def __init__(self, *, names: Names = "old", clock: Clock | None = None, port: int = 0) -> None:
        self.names: Names = names
        self.token = "x-bearer-token"
        self.forbidden: set[str] = set()  # endpoints that the app may not use
        self.requests: list[Request] = []
        self.clock = clock or Clock()
        self.limits = Limits(self.clock)
        self.faults = Faults(self.clock)
        self.archive = Archive()
        self.till = Till(self.clock)
        self.rules = Rules(self.clock)
        self.stream = Stream(self.archive, self.rules, self.clock, self.till)
        self.search = Search(self.archive, self.clock, self.till)
        self._blocked: Problem | None = None
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._http = Listener(("127.0.0.1", port), handler(self, self._is_closed))
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self.compliance = Compliance(self.archive, self.clock, self.url)

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), name="x", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.drop_connections()

    # What happens on the network.

    def hold(self, *posts: XPost) -> None:
        """They are there for search, counts and lookup; the stream does not tell of them."""
        self.archive.hold(*posts)

    def publish(self, *posts: XPost) -> int:
        """They are posted now: held, and given to the stream if its rules match; how many the stream took."""
        self.archive.hold(*posts)
        return self.stream.publish(*posts)

    def edit(self, post: XPost, text: str, at: datetime | None = None) -> XPost:
        """Post the next version, with a newer id and the same history."""
        version = edited(self.archive.latest(post.id), text, at or self.clock.now())
        self.publish(version)
        return version

    def remove(self, *post_ids: str, reason: str = "deleted") -> None:
        """Let posts be gone; they need not be held."""
        self.archive.gone |= {post_id: Gone(reason, self.clock.now()) for post_id in post_ids}

    def remove_author(self, author: XUser, reason: str = "suspended") -> None:
        """Let an author be gone: deleted, deactivated, protected, suspended."""
        self.archive.gone_authors[author.id] = Gone(reason, self.clock.now())

    def bring_back(self, author: XUser) -> None:
        self.archive.gone_authors.pop(author.id, None)

    # What goes wrong.

    def fail(self, endpoint: str, status: int, times: int = 1) -> None:
        """Let the next requests end with that status and the body that X sends with it."""
        self.faults.fail(endpoint, status, times)

    def refuse(self, endpoint: str, refusal: Problem, times: int = 1) -> None:
        self.faults.add(endpoint, *[Fault(refusal)] * times)

    def rate_limit(self, endpoint: str, *, reset_in: float | None = None, times: int = 1) -> None:
        """429; ``reset_in`` seconds (negative: past) by the server's clock, None for no header."""
        self.faults.rate_limit(endpoint, reset_in, times)

    def stall(self, endpoint: str, seconds: float) -> None:
        """Let the next request wait; it is answered, and charged, only if the client is still there."""
        self.faults.add(endpoint, Fault(seconds=seconds))

    def fault(self, endpoint: str, fault: Fault) -> None:
        self.faults.add(endpoint, fault)

    def block(self, refusal: Problem | None = None) -> None:
        """Refuse all reads, as when the credits are gone (the default), until ``unblock``; the open stream ends."""
        self._blocked = refusal or problem.out_of_credits()
        self.stream.strike("close")

    def unblock(self) -> None:
        self._blocked = None

    # What came, and what it cost.

    def count(self, endpoint: str) -> int:
        with self._lock:
            return sum(request.endpoint == endpoint for request in self.requests)

    def bill(self) -> dict[date, DayBill]:
        """What X would charge, for each UTC day of the server's clock on which it charged anything."""
        return self.till.bill()

    def dollars(self) -> Decimal:
        return sum((day.dollars for day in self.bill().values()), Decimal())

    # What follows runs in the threads of the server.

    def note(self, method: str, path: str, params: dict[str, str], body: bytes, headers: Mapping[str, str]) -> Request:
        """Write the request down."""
        is_known = headers.get("authorization") == f"Bearer {self.token}"
        content = _read(body) if method == "POST" else body.decode(errors="replace") or None
        endpoint = _endpoint(method, path)
        request = Request(method, path, endpoint, params, content, is_known, self.clock.now(), dict(headers))
        with self._lock:
            self.requests.append(request)
        return request

    def admit(self, request: Request) -> dict[str, str]:
        """The rate headers of the answer.

        Raises:
            Problem: the request is refused before it is looked at.
        """
        if request.endpoint in ("upload", "download"):
            return {}
        if not request.endpoint:
            raise problem.plain(404, "Not Found")
        if not request.is_authorised:
            raise problem.plain(401, "Unauthorized")
        if request.endpoint in self.forbidden:
            raise problem.forbidden()
        headers = self.limits.take(request.endpoint)
        if self._blocked is not None:
            raise self._blocked
        return headers

    def answer(self, request: Request) -> Answer:
        """Status, headers and body of everything but the stream."""
        endpoint, last = request.endpoint, request.path.rsplit("/", 1)[-1]
        if endpoint == "upload":
            self.compliance.upload(last, str(request.body or "").encode())
            return 200, {}, b""
        if endpoint == "download":
            return 200, {"content-type": "text/plain"}, self.compliance.download(last)
        status, body = self._data(request, last)
        return status, {}, json.dumps(body, ensure_ascii=False).encode()

    def _data(self, request: Request, last: str) -> tuple[int, dict[str, Any]]:
        endpoint, params = request.endpoint, request.params
        if endpoint.startswith("search/"):
            return 200, self.search.search(params, last, self.names)
        if endpoint.startswith("counts/"):
            return 200, self.search.counts(params, last, self.names)
        if endpoint == "lookup":
            return 200, self.search.look_up(params, self.names)
        if endpoint == "rules":
            return 200, self.rules.get(params)
        if endpoint == "rules/change":
            return self.rules.change(params, request.body)
        if request.method == "POST":
            return 200, self.compliance.create(request.body)
        return 200, self.compliance.listed(params) if last == "jobs" else self.compliance.get(last)

    def serve_stream(self, request: Request, wire: Wire, headers: dict[str, str]) -> None:
        self.stream.serve(request.params, self.names, wire, headers)


_ENDPOINTS = {
    ("GET", "/2/tweets"): "lookup",
    ("GET", "/2/tweets/search/recent"): "search/recent",
    ("GET", "/2/tweets/search/all"): "search/all",
    ("GET", "/2/tweets/counts/recent"): "counts/recent",
    ("GET", "/2/tweets/counts/all"): "counts/all",
    ("GET", "/2/tweets/search/stream"): "stream",
    ("GET", "/2/tweets/search/stream/rules"): "rules",
    ("POST", "/2/tweets/search/stream/rules"): "rules/change",
    ("GET", "/2/compliance/jobs"): "compliance",
    ("POST", "/2/compliance/jobs"): "compliance",
    ("GET", "/2/compliance/jobs/"): "compliance",
    ("PUT", "/compliance/upload/"): "upload",
    ("GET", "/compliance/download/"): "download",
}


def _endpoint(method: str, path: str) -> str:
    """The name of the endpoint, "" if there is none; a last part that is an id does not count."""
    head, _, last = path.rpartition("/")
    return _ENDPOINTS.get((method, f"{head}/" if last.isdigit() else path), "")


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
