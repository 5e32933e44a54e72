"""The filtered stream: one connection, heartbeats, and every way to end or spoil it.

Each connection in turn gets the next list of faults from the script; when the script is over, the server behaves.
Nothing is kept for a client that is away: what matched then is in search only.
"""

from __future__ import annotations

import json
import queue
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.servers.x.archive import Archive
from tests.servers.x.bill import Till
from tests.servers.x.clock import Clock
from tests.servers.x.names import FIELDS, Choice, Names, choice
from tests.servers.x.page import page
from tests.servers.x.posts import XPost
from tests.servers.x.problem import Problem, connection_refused, operational_disconnect, plain, too_many_connections
from tests.servers.x.rules import Rule, Rules
from tests.servers.x.search import known
from tests.servers.x.wire import Wire

HEARTBEAT = b"\r\n"
REFUSALS = ("refuse_429", "refuse_429_without_reset", "refuse_503", "refuse_too_many_connections")
ENDINGS = ("close", "cut", "reset", "operational_disconnect", "silence")
SPOILS = ("bad_json", "untagged", "duplicate", "unordered", "pause")
BAD_JSON = b'{"data":{"id":"1","text":"br\r\n'


@dataclass(frozen=True, slots=True)
class StreamFault:
    """What goes wrong on one connection, once ``after`` posts were sent on it.

    ``how`` is one of REFUSALS (before the stream stands); ENDINGS: close (the last chunk comes), cut (FIN in the middle
    of the chunks), reset (RST), operational_disconnect (``disconnect_type``), silence (no heartbeats either, the
    connection stays); SPOILS: bad_json, untagged (the next post), duplicate (the next post comes twice), unordered (the
    next two posts change places), pause (heartbeats and posts hold for ``seconds``). ``reset_in`` is for refuse_429.
    """

    how: str
    after: int = 0
    disconnect_type: str = "UpstreamOperationalDisconnect"
    seconds: float = 0.0
    reset_in: float = 900.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A post that was sent: on which connection (from 1), when by the server's clock."""

    post_id: str
    connection: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Matched:
    """A post with the rules that it matched when it was posted."""

    post: XPost
    rules: tuple[Rule, ...]


class Connection:
    """One client of the stream."""

    def __init__(self, number: int, wire: Wire, wanted: Choice, faults: tuple[StreamFault, ...]) -> None:
        self.number, self.wire, self.wanted = number, wire, wanted
        self.faults = deque(sorted(faults, key=lambda fault: fault.after))
        self.posts: queue.SimpleQueue[Matched | StreamFault] = queue.SimpleQueue()
        self.sent = 0

    def next_fault(self) -> StreamFault | None:
        is_due = self.faults and self.faults[0].after <= self.sent
        return self.faults.popleft() if is_due else None


class Stream:
    """The stream of the one app.

    ``heartbeat_seconds`` may be changed at any time. ``sent`` tells every post that went out, also the second time.
    """

    def __init__(self, archive: Archive, rules: Rules, clock: Clock, till: Till) -> None:
        self.heartbeat_seconds = 0.1
        self.sent: list[Sent] = []
        self.connects = 0
        self._archive, self._rules, self._clock, self._till = archive, rules, clock, till
        self._script: deque[tuple[StreamFault, ...]] = deque()
        self._now: Connection | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def script(self, *faults: StreamFault) -> None:
        """What goes wrong on the next connection that has no script yet."""
        self._script.append(faults)

    def strike(self, how: str, **settings: Any) -> None:
        """Let it go wrong on the open connection, after the posts that wait to be sent."""
        with self._lock:
            if self._now is not None:
                self._now.posts.put(StreamFault(how, **settings))

    def publish(self, *posts: XPost) -> int:
        """Give the matching posts to the client; how many, 0 if there is none."""
        matched = [Matched(post, tuple(self._rules.matching(post, self._archive.look_up))) for post in posts]
        matched = [item for item in matched if item.rules]
        with self._lock:
            if self._now is None or self._now.wire.is_gone():
                return 0
            for item in matched:
                self._now.posts.put(item)
            return len(matched)

    def wait_connected(self, connects: int = 1, timeout: float = 10.0) -> bool:
        """Wait until a client is there, and it is at least the connection of that number."""
        with self._changed:
            return self._changed.wait_for(lambda: self.connects >= connects and self._now is not None, timeout)

    def wait_sent(self, count: int, timeout: float = 10.0) -> bool:
        """Wait until that many posts went out."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.sent) >= count, timeout)

    # What follows runs in the threads of the server.

    def serve(self, params: Mapping[str, str], names: Names, wire: Wire, headers: dict[str, str]) -> None:
        """Hold one connection until it ends.

        Raises:
            Problem: it does not come to stand.
        """
        known(params, FIELDS)
        connection = self._admit(wire, choice(params, names))
        try:
            wire.begin(headers)
            with self._changed:
                self._changed.notify_all()
            self._run(connection)
        finally:
            with self._changed:
                if self._now is connection:
                    self._now = None
                self._changed.notify_all()

    def _admit(self, wire: Wire, wanted: Choice) -> Connection:
        with self._lock:
            faults = self._script.popleft() if self._script else ()
            for fault in faults:
                if fault.how in REFUSALS:
                    raise self._refusal(fault)
            if not self._rules.all():
                raise connection_refused("RuleConfigurationIssue", "You must define rules before connecting.", 409)
            if self._now is not None and not self._now.wire.is_gone():
                raise too_many_connections()
            self.connects += 1
            self._now = Connection(self.connects, wire, wanted, faults)
            return self._now

    def _refusal(self, fault: StreamFault) -> Problem:
        if fault.how == "refuse_too_many_connections":
            return too_many_connections()
        if fault.how == "refuse_503":
            return plain(503, "Service Unavailable")
        headers = {"x-rate-limit-limit": "50", "x-rate-limit-remaining": "0"}
        if fault.how == "refuse_429":
            headers["x-rate-limit-reset"] = str(int(self._clock.now().timestamp() + fault.reset_in))
        return plain(429, "Too Many Requests", headers=headers if fault.how == "refuse_429" else {})

    def _run(self, connection: Connection) -> None:
        while not connection.wire.is_closing():
            fault = connection.next_fault()
            if fault is None:
                fault = self._send_next(connection)
            if fault is not None and not self._act(connection, fault):
                return
        connection.wire.finish()

    def _send_next(self, connection: Connection) -> StreamFault | None:
        """Send a post, or a heartbeat when none comes in time; a fault that was put between the posts comes back."""
        try:
            item = connection.posts.get(timeout=self.heartbeat_seconds)
        except queue.Empty:
            connection.wire.send(HEARTBEAT)
            return None
        if isinstance(item, StreamFault):
            return item
        self._send(connection, item)
        return None

    def _act(self, connection: Connection, fault: StreamFault) -> bool:
        """Do it; does the connection go on?"""
        if fault.how in SPOILS:
            self._spoil(connection, fault)
            return True
        if fault.how == "operational_disconnect":
            connection.wire.send(_line(operational_disconnect(fault.disconnect_type)))
        if fault.how == "silence":
            connection.wire.wait_gone()
        elif fault.how in ("reset", "cut"):
            connection.wire.drop(resets=fault.how == "reset")
        else:
            connection.wire.finish()
        return False

    def _spoil(self, connection: Connection, fault: StreamFault) -> None:
        wire = connection.wire
        if fault.how == "bad_json":
            wire.send(BAD_JSON)
            return
        if fault.how == "pause":
            wire.wait_gone(fault.seconds)
            return
        posts = self._next_posts(connection, 2 if fault.how == "unordered" else 1)
        for post in reversed(posts) if fault.how == "unordered" else posts * (2 if fault.how == "duplicate" else 1):
            self._send(connection, post, has_tags=fault.how != "untagged")

    def _next_posts(self, connection: Connection, count: int) -> list[Matched]:
        """Wait for them with heartbeats; fewer if the client leaves or a fault comes."""
        posts: list[Matched] = []
        while len(posts) < count and not connection.wire.is_closing():
            try:
                item = connection.posts.get(timeout=self.heartbeat_seconds)
            except queue.Empty:
                connection.wire.send(HEARTBEAT)
                continue
            if isinstance(item, StreamFault):
                connection.faults.appendleft(replace(item, after=0))
                break
            posts.append(item)
        return posts

    def _send(self, connection: Connection, matched: Matched, *, has_tags: bool = True) -> None:
        body = page([matched.post], connection.wanted, self._archive)
        body["data"] = body["data"][0]
        tags = [{"id": r.id} | ({"tag": r.tag} if has_tags and r.tag is not None else {}) for r in matched.rules]
        line = _line(connection.wanted.spoken(body | {"matching_rules": tags}))
        connection.wire.insist()
        self._till.ring(body)  # before the client can read the post: a test compares as soon as it has it
        connection.sent += 1
        with self._changed:
            self.sent.append(Sent(matched.post.id, connection.number, self._clock.now()))
        connection.wire.send(line)
        with self._changed:
            self._changed.notify_all()


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode() + b"\r\n"
