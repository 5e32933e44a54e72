"""What many tests need: a store, a time, and a post that says something."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from monitor.records import Post
from monitor.store import Store

T0 = datetime(2025, 5, 9, 12, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Engine files go beside the other files of this run, one folder for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["XDG_CACHE_HOME"] = str(shared / "cache")


@pytest.fixture(scope="session")
def shipped_engine(_own_cache: None) -> None:
    """Built before, so that a program under test does not spend its time on that: 40 s where it is in 8 bits."""
    from monitor.classify import load

    load()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "monitor.duckdb")


@pytest.fixture
def make_post() -> Callable[..., Post]:
    return a_post


def lacking(what: str) -> NoReturn:
    """Skip where a machine lacks something; .ci/run sets MONITOR_REQUIRE_ALL, and then it is a failure."""
    if os.environ.get("MONITOR_REQUIRE_ALL"):
        pytest.fail(what)
    pytest.skip(what)


def wait_for(claim: Callable[[], object], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it does not come about"
        time.sleep(0.05)


def a_post(number: int = 1, **fields: Any) -> Post:
    """A matched Bluesky post by author ``number``, one minute later for each number."""
    values: dict[str, Any] = {
        "platform": "bluesky",
        "post_id": uri(number),
        "author_id": did(number),
        "text": f"SoundCloud's AI clause, thought {number}",
        "kind": "original",
        "created_at": T0 + timedelta(minutes=number),
        "observed_at": T0 + timedelta(minutes=number),
        "source": "live",
        "matched": ("soundcloud-ai/ai-terms",),
    }
    return Post(**(values | fields))


def did(number: int) -> str:
    return f"did:plc:author{number}"


def uri(number: int) -> str:
    return f"at://{did(number)}/app.bsky.feed.post/{number}"
