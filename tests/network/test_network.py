"""What the store holds after a story on the real network, with the bridge and the collector killed in the middle."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from monitor.store import Store, queries
from tests.network.collecting import Collecting, Command, Thread, write_config
from tests.network.servers import Network
from tests.network.story import ABOUT, BESIDE, Story

pytestmark = [pytest.mark.network, pytest.mark.timeout(300)]

STREAM = "bluesky:live"
PEOPLE = ("alice", "bjorn", "chika", "dmitri", "emeka", "fatma", "gitte", "hoang")
STEPS = 140
BRIDGE_KILLED, BRIDGE_BACK = (25, 72, 118), (32, 80, 124)
COLLECTOR_STOPPED, COLLECTOR_BACK = (45, 95), (60, 104)


class Stored:
    """What the file holds, read from a snapshot: the collector goes on meanwhile."""

    def __init__(self, store: Store) -> None:
        copy = store.snapshot(store.path.with_name("snapshot.duckdb"))
        with duckdb.connect(str(copy), read_only=True) as connection:
            rows = connection.execute("SELECT post_id, text, NOT hidden, context, model_id FROM posts").fetchall()
        self.rows = [(uri, text, visible) for uri, text, visible, _, _ in rows]
        self.contexts = {uri: context for uri, _, _, context, _ in rows if context is not None}
        self.unscored = {uri for uri, *_, model in rows if model is None and "/app.bsky.feed.post/" in uri}


def wait_for(claim: Callable[[], bool], what: str, collecting: Collecting, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not claim():
        collecting.check()
        assert time.monotonic() < end, f"after {seconds} s still waiting for {what}"
        time.sleep(0.1)


def begin(network: Network, collecting: Collecting, story: Story, store: Store) -> None:
    """Without a cursor a live stream begins now, so the first commit must be waited for."""
    before = network.bridge_status()["readers"]
    collecting.start()
    wait_for(lambda: network.bridge_status()["readers"] > before, "the collector to connect", collecting)
    story.post("alice", ABOUT[0])
    wait_for(lambda: store.cursor(STREAM) is not None, "the first commit", collecting)


def check(collecting: Collecting, story: Story, store: Store) -> None:
    """Let everything written so far come through, a last post behind it, and compare."""
    last = story.post("alice", ABOUT[0])
    wait_for(lambda: last in {uri for uri, _, _ in Stored(store).rows}, "the last post", collecting)
    stored = Stored(store)
    assert len(stored.rows) == len({uri for uri, _, _ in stored.rows}), "a post is stored twice"
    assert set(stored.rows) == story.expected()
    assert stored.contexts == story.expected_context()


def interrupt(step: int, network: Network, collecting: Collecting) -> None:
    if step in BRIDGE_KILLED:
        network.bridge.stop(signal.SIGKILL)
    if step in BRIDGE_BACK:
        network.bridge.start()
    if step in COLLECTOR_STOPPED:
        collecting.stop()
    if step in COLLECTOR_BACK:
        collecting.start()


def turn(step: int, story: Story) -> None:
    """What must happen for certain, on top of what happens by chance."""
    if step == 20:
        story.deactivate("bjorn")
        story.take_down("chika")
    if step == 30:  # while the bridge is dead
        story.take_down("dmitri")
    if step == 50:  # while nobody collects
        story.leave("emeka")
        story.activate("bjorn")
    if step == 78:
        story.undo_take_down("dmitri")
    if step == 100:
        story.be_deleted("fatma")
        story.deactivate("gitte")
        story.take_down("gitte")
        story.undo_take_down("gitte")  # and is still deactivated
    if step in (10, 50, 110):
        turn_one_post(story)


def turn_one_post(story: Story) -> None:
    about, beside = story.post("alice", ABOUT[1]), story.post("alice", BESIDE[0])
    answer = story.answer(about, "hoang")
    story.quote(answer, "alice")
    story.repost(about, "hoang")
    story.answer(beside, "hoang")
    story.edit(about, BESIDE[2])
    story.edit(beside, ABOUT[3])
    story.quote(beside, "hoang")
    short_lived = story.post("hoang", ABOUT[2])
    story.answer(short_lived, "alice")
    story.delete(short_lived)
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://soundcloud.com/terms-of-use#ai"}
    place = {"byteStart": 0, "byteEnd": 4}
    linked = story.post("hoang", BESIDE[4], facets=[{"index": place, "features": [link]}])
    tagged = story.post("hoang", BESIDE[4], tags=["NoAISoundCloud"])
    story.kept |= {linked, tagged}


@pytest.fixture(params=[Thread, Command], ids=["parts", "monitor-run"])
def collecting(request: pytest.FixtureRequest, network: Network, tmp_path: Path) -> Iterator[Collecting]:
    running: Collecting = request.param(write_config(tmp_path, network.jetstream_url))
    yield running
    running.stop()


@pytest.fixture
def parts(network: Network, tmp_path: Path) -> Iterator[Collecting]:
    running = Thread(write_config(tmp_path, network.jetstream_url))
    yield running
    running.stop()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "monitor.duckdb")


def test_the_store_holds_exactly_what_the_network_holds(network: Network, collecting: Collecting, store: Store) -> None:
    story = Story(network, PEOPLE, seed=1 if isinstance(collecting, Thread) else 2)
    start = network.bridge_status()["seq"]
    begin(network, collecting, story, store)
    for step in story.run(STEPS):
        interrupt(step, network, collecting)
        turn(step, story)
    check(collecting, story, store)

    story.undo_take_down("chika")
    story.activate("gitte")
    check(collecting, story, store)
    assert all(visible for _, _, visible in story.expected())

    status = queries.status(store)
    assert status.rejected == ()
    assert status.seen == {STREAM: network.new_posts(start)}
    assert {gap.end is None for gap in status.gaps} == {False}
    if isinstance(collecting, Command):
        wait_for(lambda: not Stored(store).unscored, "every post's scores", collecting)


@pytest.mark.parametrize("at_once", [False, True], ids=["one-by-one", "in-one-batch"])
def test_answers_to_what_is_gone_by_then_are_not_collected(
    network: Network, parts: Collecting, store: Store, at_once: bool
) -> None:
    story = Story(network, ("alice", "bjorn", "chika"), seed=4 if at_once else 3)
    begin(network, parts, story, store)
    if at_once:
        parts.stop()
    post, last_words = story.post("bjorn", ABOUT[1]), story.post("chika", ABOUT[2])
    story.answer(post, "alice")
    if not at_once:
        check(parts, story, store)
    story.delete(post)
    story.be_deleted("chika")
    if not at_once:
        check(parts, story, store)
    story.answer(post, "alice")
    story.quote(last_words, "alice")
    if at_once:
        parts.start()
    check(parts, story, store)
