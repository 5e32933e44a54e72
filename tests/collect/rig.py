"""What the tests of collectors share: a topic, a way to run the loop, and the rigs of the contract test.

``rig_<name>.py`` beside this file has one ``RIGS`` for the collector ``<name>`` of COLLECTORS: scenario name ->
function that takes a folder and is a context manager yielding a ``Rig``. test_contract.py puts each to the test, and
kills and restarts those that ``KILLED`` names, or all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from monitor.collect import OnCommit, collect
from monitor.collect.backoff import Backoff
from monitor.collect.base import Collector
from monitor.collect.match import Matcher
from monitor.collect.watch import Watch
from monitor.config import Rule, Topic
from monitor.records import Batch
from monitor.store import Committed, Store

TOPIC = Topic(name="soundcloud-ai", platform="SoundCloud", rules=(Rule(id="any", phrases=("soundcloud",)),))


@dataclass(frozen=True)
class Rig:
    """A source with a scenario.

    Attributes:
        open: a new collector for the source, as a restarted program makes one.
        post_ids: what the store must hold in the end, reposts included.
        is_done: does this committed batch hold the last thing of the source? For streams that never end.
        seen: inspected posts in the end; None: not counted.
        rejected: items refused in the end, by reason.
        is_live: the stream never ends, so that its faults are gaps.
        bill: microdollars that the source has charged for, which must be those of the ledger.
    """

    open: Callable[[], Collector]
    post_ids: frozenset[str]
    is_done: Callable[[Batch], bool] = field(default=lambda batch: False)
    seen: int | None = None
    rejected: int = 0
    is_live: bool = False
    bill: Callable[[], int] = lambda: 0


Rigs = dict[str, Callable[[Path], AbstractContextManager[Rig]]]


def run(
    collector: Collector,
    store: Store,
    *,
    until: Callable[[Batch], bool] = lambda batch: False,
    watch: Watch | None = None,
    on_commit: OnCommit | None = None,
    seconds: float = 20,
) -> list[Batch]:
    """Collect until the source ends or a committed batch satisfies ``until``; returns what was committed."""
    batches: list[Batch] = []
    stop, expired = threading.Event(), threading.Event()
    alarm = threading.Timer(seconds, lambda: (expired.set(), stop.set()))
    alarm.daemon = True

    def committed(batch: Batch, result: Committed) -> None:
        batches.append(batch)
        if on_commit is not None:
            on_commit(batch, result)
        if until(batch):
            stop.set()

    watch = watch if watch is not None else Watch.of(store, "bluesky", 3650)
    alarm.start()
    try:
        collect(collector, store, Matcher([TOPIC]), watch, stop, committed, Backoff(0.01, 0.05), 0.0, 0.2)
    finally:
        alarm.cancel()
    assert not expired.is_set(), "the stream did not get to its end"
    return batches


def rows(store: Store) -> dict[str, dict[str, Any]]:
    """Every stored row by post id, reposts and hidden ones included."""
    with duckdb.connect(str(store.path), read_only=True) as connection:
        found = connection.execute("SELECT * FROM posts").to_arrow_table().to_pylist()
    return {row["post_id"]: row for row in found}


def ids(store: Store) -> frozenset[str]:
    """Every stored post id."""
    return frozenset(rows(store))
