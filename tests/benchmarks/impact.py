"""How long an event study takes: alone on 18 months of hours, and four events with checks out of a store."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from monitor.analyse.event_study import effect, study
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure
from monitor.config import Event
from monitor.impact import impacts
from monitor.store import Store
from tests.benchmarks.dashboard import fill

_MONTHS_HOURS = 24 * 548


def run(quick: bool) -> list[tuple[str, str, str]]:
    """A store of ten million posts, or of three hundred thousand when quick."""
    posts = 300_000 if quick else 10_000_000
    seconds = _four(posts)
    return [
        ("event study, 18 months of hours", "under 2 s", f"{_one():.2f} s"),
        (f"four events with checks, {posts:,} posts", "under 10 s", f"{seconds:.1f} s"),
    ]


def _one() -> float:
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(2, 2, _MONTHS_HOURS)).astype(float)
    begun = time.perf_counter()
    told = study(Measure("posts", counts), np.ones(_MONTHS_HOURS), [Placed(9000, 72)])
    effect(told, 0)
    return time.perf_counter() - begun


def _four(posts: int) -> float:
    now, same = datetime.now(UTC), {"kind": "statement", "topic": "soundcloud-ai"}
    events = [
        Event.model_validate({"id": f"e{n}", "title": f"Event {n}", "announced": now - timedelta(days=n), **same})
        for n in (45, 32, 20, 8)
    ]
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "posts.duckdb")
        fill(store, posts)
        begun = time.perf_counter()
        impacts(store, events, events)
        return time.perf_counter() - begun
