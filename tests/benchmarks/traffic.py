"""A Jetstream server in its own process, with something going on behind it."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Protocol, Self

from tests.benchmarks.crowd import Crowd, Event
from tests.servers.events import create, delete, repost, uri

_MATCHING = (
    "SoundCloud changed its terms and now an AI may be trained on all I ever uploaded. Read section 7 again.",
    "Taking my whole catalogue off SoundCloud tonight, nobody asked whether AI may learn from it. Bandcamp it is.",
    "So is SoundCloud training AI on our tracks or not? Their statement says no, the terms say something else.",
    "SoundCloud backlash, day two: people post their deleted accounts, the company a statement about AI and trust.",
)
_CHATTER = "what a day, first coffee then rain, then more coffee, and the train was late again but the book is good"


class Plan(Protocol):
    """Events and how fast they come."""

    @property
    def per_second(self) -> float: ...
    def events(self) -> Iterator[Event]: ...


@dataclass(frozen=True)
class Living:
    """A seeded crowd."""

    seed: int
    n: int
    per_second: float

    def events(self) -> Iterator[Event]:
        return Crowd(self.seed).events(self.n)


@dataclass(frozen=True)
class Chatter:
    """Posts, reposts and deletes that match nothing, and ``matching`` of each second's posts that do."""

    seconds: float
    per_second: float
    matching: float = 0
    seed: int = 1

    def events(self) -> Iterator[Event]:
        chance, said = random.Random(self.seed), 0.0
        for n in range(round(self.seconds * self.per_second)):
            author, rkey = str(chance.randrange(20_000)), f"s{self.seed}n{n}"
            said += self.matching / self.per_second
            if said >= 1:
                said -= 1
                yield create(0, f"{chance.choice(_MATCHING)} {rkey}", author, rkey)
            elif n % 10 < 4:
                yield create(0, f"{_CHATTER} {rkey}", author, rkey)
            elif n % 10 < 8:
                yield repost(0, uri(str(n), rkey), author, rkey)
            else:
                yield delete(0, author, rkey)


class Traffic:
    """The server's process; use it with ``with``. ``url`` goes into the configuration."""

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self.url: str = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def play(self, plan: Plan) -> None:
        """Begin; events are numbered on and stamped with the time at which they go out."""
        self._pipe.send(plan)

    def played(self, wait_seconds: float = 0.0) -> int | None:
        """Number of the last event of the plan once it is over; None before."""
        return self._pipe.recv() if self._pipe.poll(wait_seconds) else None


def _serve(pipe: Connection) -> None:
    from monitor.demo.jetstream import JetstreamServer

    with JetstreamServer() as server:
        pipe.send(server.url)
        seq = 0
        while True:
            plan: Any = pipe.recv()
            due = time.monotonic()
            for event in plan.events():
                due += 1 / plan.per_second
                early_seconds = due - time.monotonic()
                if early_seconds > 0.005:  # in bursts of 5 ms: sleeping for each event would cost a core
                    time.sleep(early_seconds)
                seq += 1
                server.append(event | {"seq": seq, "time": datetime.now(UTC).isoformat()})
            pipe.send(seq)
