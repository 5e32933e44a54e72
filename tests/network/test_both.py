"""Bluesky and X in one program, killed twice: its status accounts for every post that either server ever sent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.collect.x import Position
from monitor.store import Store
from tests.network.collecting import Command, write_config
from tests.network.servers import Network
from tests.network.story import ABOUT, BESIDE, Story
from tests.network.test_network import STREAM, Stored, begin, wait_for
from tests.servers.x import StreamFault, XServer, make_post

pytestmark = [pytest.mark.network, pytest.mark.timeout(400)]

STEPS, KILLED, BACK = 60, (20, 40), (27, 44)


@pytest.fixture
def x() -> Iterator[XServer]:
    server = XServer()
    server.stream.heartbeat_seconds = 0.5
    server.stream.script(StreamFault("bad_json", 3))
    with server:
        yield server


@pytest.fixture
def running(network: Network, x: XServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    monkeypatch.setenv("X_BEARER_TOKEN", x.token)
    path = write_config(tmp_path, network.jetstream_url)
    with path.open("a") as config:
        config.write(f'\n[x]\nenabled = true\napi_url = "{x.url}"\n')
    command = Command(path)
    yield command
    command.stop()


def told(tmp_path: Path) -> dict[str, Any]:
    program, config = "from monitor.cli import main; main()", str(tmp_path / "monitor.toml")
    command = [sys.executable, "-c", program, "status", "--json", "--config", config]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_status_accounts_for_every_post_that_either_server_ever_sent(
    network: Network, x: XServer, running: Command, tmp_path: Path
) -> None:
    store, story = Store(tmp_path / "monitor.duckdb"), Story(network, ("alice", "bjorn"), seed=9)
    start = network.bridge_status()["seq"]
    begin(network, running, story, store)
    wait_for(lambda: store.cursor("x:live") is not None, "the stream of X", running)
    published, missed, kept, deleted = [], [], len(story.kept), []
    for step in range(STEPS):
        if step in KILLED:
            running.stop()
        if step in BACK:
            running.start()
        kept += 1
        uri = story.post("bjorn", ABOUT[step % len(ABOUT)])
        story.post("alice", BESIDE[step % len(BESIDE)])
        published.append(make_post(f"SoundCloud trains AI on us, {step}", datetime.now(UTC), author=step))
        now = datetime.now(UTC)
        if not x.publish(published[-1], make_post("lunch", now)):
            missed.append(now)
        if step in (10, 50):
            wait_for(lambda uri=uri: uri in {row[0] for row in Stored(store).rows}, "a post", running)  # type: ignore[misc]
            story.delete(uri)
            deleted.append(uri)
    ended = datetime.now(UTC)
    last = story.post("alice", ABOUT[0])
    wait_for(lambda: last in {row[0] for row in Stored(store).rows}, "the last post of Bluesky", running, 120)
    wait_for(lambda: _is_through(store, ended), "the last post of X", running, 200)

    status = told(tmp_path)
    stored = dict.fromkeys(("bluesky", "x"), 0)
    for source in status["sources"]:
        stored[source["platform"]] += source["posts"]
    assert stored == {"bluesky": kept + 1 - len(deleted), "x": len(published)}
    assert status["deleted"] == {"bluesky": len(deleted)}
    assert status["rejected"] == [{"stream": "x:live", "why": "stream line is no JSON object", "n": 1}]
    assert status["seen"][STREAM] == network.new_posts(start)
    assert status["gaps"]["open"] == []
    gaps = [gap for gap in status["gaps"]["closed"] if gap["stream"] == "x:live"]
    assert {gap["filled_by"] for gap in gaps} == {"search"}
    spans = [(_time(gap["start"]), _time(gap["end"]) + timedelta(seconds=1)) for gap in gaps]
    assert missed
    assert all(any(start <= at <= end for start, end in spans) for at in missed)
    assert all(gap["end"] and gap["why"] for gap in status["gaps"]["closed"])
    assert sum(row["dollars"] for row in status["spend"]["days"]) == pytest.approx(float(x.dollars()))


def _is_through(store: Store, at: datetime) -> bool:
    """Was everything of X taken up to ``at``, and everything that the stream missed asked of search?"""
    cursor = store.cursor("x:live")
    position = Position.of(cursor) if cursor is not None else None
    return position is not None and position.at > at and not position.holes


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
