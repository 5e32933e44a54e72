"""The filtered stream's scenarios for the contract test: posts are published while the client comes and goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from monitor.collect.x import Position, StreamCollector
from monitor.collect.x_api import Api
from monitor.collect.x_spend import Till
from monitor.collect.x_stream import Pace
from monitor.config import Secrets, Topic, X
from monitor.records import Batch
from tests.collect.rig import TOPIC, Rig, Rigs
from tests.servers.x import StreamFault, XPost, XServer, make_post

COUNT = 12  # every third says nothing about the platform
Scenario = Callable[[Path], AbstractContextManager[Rig]]


def settings(server: XServer, **more: object) -> X:
    return X(enabled=True, api_url=server.url, **{"silence_seconds": 0.6, **more})


def stream(
    server: XServer,
    spent: Callable[..., int] = lambda day: 0,
    *,
    topic: Topic = TOPIC,
    late_seconds: float = 0.2,
    lag_seconds: float = 0.05,
    **more: object,
) -> StreamCollector:
    chosen = settings(server, **more)
    api = Api(chosen, Secrets(x_bearer_token=SecretStr(server.token)))
    seconds = {"flush_seconds": 0.03, "late_seconds": late_seconds, "lag_seconds": lag_seconds}
    return StreamCollector(api, [topic], Till(chosen, spent), pace=Pace(0.0), **seconds)


def x_server(**settings: object) -> XServer:
    """One whose search knows the posts at once, and takes an end that lies ahead."""
    server = XServer(**settings)  # type: ignore[arg-type]
    server.search.least_lag = timedelta(seconds=-5)
    server.stream.heartbeat_seconds = 0.02
    return server


@dataclass
class Author:
    """Publishes one post after another from the first connection on, whether somebody listens or not.

    ``late`` is how long after it was made X tells of a post.
    """

    server: XServer
    texts: Sequence[str]
    edits: bool = False
    quotes: bool = False
    late: timedelta = timedelta()
    posts: list[XPost] = field(default_factory=list)
    ended_at: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.server.stream.wait_connected(1, 0.1):
            if self.stop.is_set():
                return
        for number, text in enumerate(self.texts):
            quoted = self.posts[0] if self.quotes and self.posts else None
            post = make_post(text, self.server.clock.now() - self.late, author=number + 1, quoted=quoted)
            self.posts.append(post)
            self.server.publish(post)
            if self.stop.wait(0.03):
                return
        if self.edits:
            self.server.edit(self.posts[0], "SoundCloud, edited")
        self.ended_at = self.server.clock.now() - self.late

    def is_read(self, batch: Batch) -> bool:
        """Does a batch go past the last post, with nothing left to ask search for?"""
        ended_at = self.ended_at
        if ended_at is None or batch.cursor is None:
            return False
        position = Position.of(batch.cursor)
        return position.at > ended_at and not position.holes


def chatter(count: int = COUNT) -> list[str]:
    return [f"Lunch number {n}" if n % 3 == 2 else f"SoundCloud trains AI, post {n}" for n in range(count)]


@contextmanager
def publishing(server: XServer, author: Author) -> Iterator[Author]:
    thread = threading.Thread(target=author.run, name="author", daemon=True)
    with server:
        thread.start()
        try:
            yield author
        finally:
            author.stop.set()
            thread.join(5)


def _scenario(
    *faults: StreamFault,
    names: str = "as_asked",
    rejected: int = 0,
    before: Callable[[XServer], None] = lambda server: None,
    edits: bool = False,
    quotes: bool = False,
) -> Scenario:
    @contextmanager
    def rig(folder: Path) -> Iterator[Rig]:
        server = x_server(names=names)
        for fault in faults:
            server.stream.script(fault)
        before(server)
        texts = [text for text in chatter() if not quotes or "SoundCloud" in text]  # who quotes a watched post is kept
        with publishing(server, Author(server, texts, edits, quotes)) as author:
            yield XRig(
                open=partial(stream, server),
                post_ids=_Ids(author),  # type: ignore[arg-type]
                is_done=author.is_read,
                rejected=rejected,
                is_live=True,
                bill=lambda: int(server.dollars() * 1_000_000),
                server=server,
            )

    return rig


@dataclass(frozen=True)
class XRig(Rig):
    """With the server, whose bill the ledger is held against."""

    server: XServer = field(kw_only=True)


@dataclass(frozen=True)
class _Ids:
    """The ids of what was published and matches; known in the end only, since X's ids are times."""

    author: Author

    def __eq__(self, other: object) -> bool:
        return other == {post.id for post in self.author.posts if "SoundCloud" in post.text}

    __hash__ = None  # type: ignore[assignment]


RIGS: Rigs = {
    "plain": _scenario(),
    "new_names": _scenario(names="new"),
    "old_names": _scenario(names="old"),
    "close": _scenario(StreamFault("close", 3)),
    "close_at_once": _scenario(StreamFault("close", 3), StreamFault("close", 0), StreamFault("close", 1)),
    "cut": _scenario(StreamFault("cut", 3)),
    "reset": _scenario(StreamFault("reset", 3)),
    "operational_disconnect": _scenario(StreamFault("operational_disconnect", 3)),
    "full_queue_disconnect": _scenario(StreamFault("operational_disconnect", 3, disconnect_type="ReceiveBufferFull")),
    "silence": _scenario(StreamFault("silence", 3)),
    "bad_json": _scenario(StreamFault("bad_json", 3), rejected=1),
    "untagged": _scenario(StreamFault("untagged", 3)),
    "duplicate": _scenario(StreamFault("duplicate", 3)),
    "unordered": _scenario(StreamFault("unordered", 3)),
    "refused": _scenario(StreamFault("close", 3), StreamFault("refuse_503")),
    "another_connection": _scenario(StreamFault("close", 3), StreamFault("refuse_too_many_connections")),
    "rules_of_others": _scenario(before=lambda server: server.rules.put("cats", "somebody-else") and None),
    "search_fails_once": _scenario(StreamFault("close", 3), before=lambda server: server.fail("search/recent", 503)),
    "edits": _scenario(edits=True),
    "quotes": _scenario(StreamFault("close", 5), quotes=True),
}
KILLED = ("plain", "quotes")
