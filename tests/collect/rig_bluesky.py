"""The live stream's scenarios for the contract test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from monitor.collect.bluesky import LiveCollector
from monitor.collect.bluesky_batch import Position
from monitor.config import Bluesky
from monitor.records import Batch
from tests.collect.rig import Rig, Rigs
from tests.servers.events import chatter, create, delete, identity, uri
from tests.servers.jetstream import GARBAGE, Fault, FaultyJetstream, dictionary

COUNT = 11  # the last one matches


def live(url: str, silence_seconds: float = 5) -> LiveCollector:
    settings = Bluesky(jetstream_url=url, silence_seconds=silence_seconds)
    return LiveCollector(settings, flush_seconds=0.03)


def reaches(seq: int) -> Callable[[Batch], bool]:
    """Does a batch go as far as event ``seq``?"""
    return lambda batch: batch.cursor is not None and (Position.of(batch.cursor).seq or 0) >= seq


def matching(events: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(
        f"at://{e['did']}/{e['collection']}/{e['rkey']}"
        for e in events
        if e.get("operation") == "create" and "SoundCloud" in e["record"]["text"]
    )


def _scenario(
    *faults: Fault, silence_seconds: float = 5, rejected: int = 0, **settings: Any
) -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(folder: Path) -> Iterator[Rig]:
        events = chatter(COUNT)
        with FaultyJetstream(events, faults=faults, from_start=True, events_per_second=150, **settings) as server:
            yield Rig(
                open=lambda: live(server.url, silence_seconds),
                post_ids=matching(events),
                is_done=reaches(COUNT),
                seen=COUNT,
                rejected=rejected,
                is_live=True,
            )

    return rig


@contextmanager
def _create_after_its_delete(folder: Path) -> Iterator[Rig]:
    """The create is replayed after the delete was seen, as another server may do."""
    events = [
        create(1, "SoundCloud stays", author=1),
        delete(2, author=2, rkey="gone"),
        create(3, "SoundCloud, gone already", author=2, rkey="gone"),
        identity(4),
    ]
    with FaultyJetstream(events, from_start=True) as server:
        yield Rig(
            open=lambda: live(server.url), post_ids=frozenset({uri(1, "r1")}), is_done=reaches(4), seen=2, is_live=True
        )


RIGS: Rigs = {
    "plain": _scenario(),
    "compressed": _scenario(dictionary=dictionary(7)),
    "rotated_dictionary": _scenario(Fault("rotate_dictionary", 5), dictionary=dictionary(7)),
    "close_1000": _scenario(Fault("close_1000", 5)),
    "close_1001": _scenario(Fault("close_1001", 5), Fault("close_1001", 0), Fault("close_1001", 1)),
    "internal_error": _scenario(Fault("internal_error", 5)),
    "consumer_too_slow": _scenario(Fault("consumer_too_slow", 5)),
    "tcp_abort": _scenario(Fault("tcp_abort", 5)),
    "refused": _scenario(Fault("close_1000", 5), Fault("refuse_503"), Fault("refuse_503")),
    "silence": _scenario(Fault("silence", 5), silence_seconds=0.6),
    "garbage_frames": _scenario(Fault("garbage_frames", 5), rejected=len(GARBAGE)),
    "duplicates_after_reconnect": _scenario(Fault("close_1000", 5), Fault("duplicates")),
    "create_after_its_delete": _create_after_its_delete,
}
KILLED = ("plain", "compressed", "create_after_its_delete")  # a killed program does not live to see the other faults
