"""What every collector must do, whatever it reads. See monitor/collect/base.py."""

import importlib
import threading
import time
from contextlib import suppress
from datetime import date

import pytest

from monitor.collect import COLLECTORS
from monitor.errors import CollectError, StreamEnded
from monitor.records import Batch
from monitor.store import Store
from monitor.store.queries import gaps, spent_since
from tests.collect.rig import Rig, ids, run

MODULES = {name: importlib.import_module(f"tests.collect.rig_{name}") for name in COLLECTORS}
RIGS = {name: module.RIGS for name, module in MODULES.items()}
EVERY = [(name, scenario) for name, rigs in RIGS.items() for scenario in rigs]
KILLED = [(name, scenario) for name, module in MODULES.items() for scenario in getattr(module, "KILLED", module.RIGS)]
ONE_EACH = [(name, next(iter(rigs))) for name, rigs in RIGS.items()]


@pytest.fixture
def rig(request, tmp_path):
    name, scenario = request.param
    with RIGS[name][scenario](tmp_path) as rig:
        yield rig


each_scenario = pytest.mark.parametrize("rig", EVERY, ids="-".join, indirect=True)
each_collector = pytest.mark.parametrize("rig", ONE_EACH, ids="-".join, indirect=True)


def holds_what_it_should(store: Store, rig: Rig) -> None:
    assert ids(store) == rig.post_ids
    assert rig.seen is None or sum(store.read("status_seen")["n"].to_pylist()) == rig.seen
    assert sum(store.read("status_rejected")["n"].to_pylist()) == rig.rejected
    assert all(gap.end is not None for gap in gaps(store))
    assert spent_since(store, date.min) == rig.bill()


@each_scenario
def test_everything_that_matches_is_stored_once_and_nothing_else(rig, store):
    run(rig.open(), store, until=rig.is_done)
    holds_what_it_should(store, rig)


@pytest.mark.parametrize("rig", KILLED, ids="-".join, indirect=True)
def test_a_stream_that_is_killed_after_every_commit_loses_nothing_and_doubles_nothing(rig, store):
    for _ in range(60):
        killed = _Killed(rig)
        with suppress(KeyboardInterrupt):
            run(rig.open(), store, until=rig.is_done, on_commit=killed)
        if killed.is_done:
            break
    else:
        pytest.fail("it was restarted 60 times and is still not at its end")
    holds_what_it_should(store, rig)


class _Killed:
    """Dies right after a commit, before the loop learns of it."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.is_done = True  # nothing was committed, so nothing was left

    def __call__(self, batch, committed) -> None:
        self.is_done = self._rig.is_done(batch)
        raise KeyboardInterrupt


@each_scenario
def test_batches_are_unmatched_and_speak_of_their_own_stream(rig):
    collector = rig.open()
    batches: list[Batch] = []
    with suppress(CollectError):
        batches.extend(_pulled(rig, collector))
    for batch in batches:
        assert batch.stream == collector.stream
        assert batch.cursor is None or batch.cursor.stream == collector.stream
        assert all(post.matched == () for post in batch.posts)
        parts = (*batch.seen, *batch.gaps, *batch.rejected)
        assert {part.stream for part in parts} <= {collector.stream}


@each_scenario
def test_a_lost_stream_leaves_an_open_gap_that_begins_where_its_cursor_stands(rig):
    batches: list[Batch] = []
    try:
        batches.extend(_pulled(rig, rig.open()))
    except StreamEnded:
        assert rig.is_live
        gap, cursor = batches[-1].gaps[-1], [batch.cursor for batch in batches if batch.cursor][-1]
        assert gap.end is None
        assert cursor.at in (None, gap.start)
    except CollectError:
        assert not rig.is_live


@each_collector
def test_pulling_ends_within_two_seconds_of_being_closed(rig):
    collector = rig.open()
    pulling = threading.Thread(target=lambda: list(collector.pull(None)), daemon=True)
    pulling.start()
    time.sleep(0.3)
    collector.close()
    collector.close()
    pulling.join(2)
    assert not pulling.is_alive()


def _pulled(rig: Rig, collector):
    """What one pull from the beginning yields, up to the end of the source."""
    for batch in collector.pull(None):
        yield batch
        if rig.is_done(batch):
            return
