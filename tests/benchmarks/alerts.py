"""Alerts on a million posts of twenty topics: one look every minute, and learning anew once a day."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from monitor.alerts.judging import judge
from monitor.alerts.watching import learn
from monitor.config import Config, Rule, StoreSettings, Topic
from monitor.records import Batch, Cursor
from monitor.store import Store
from tests.benchmarks.filling import fill

TOPICS = 20


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Median and longest of looks, seconds of learning, and the longest wait of a commit beside it."""
    posts, looks = (100_000, 5) if quick else (1_000_000, 20)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "monitor.duckdb")
        config = config_of(store)
        fill(store, posts, topics=[topic.name for topic in config.topics])
        begun = time.perf_counter()
        waits: list[float] = []
        with _committing(store, waits):
            learned = learn(store, config, datetime.now(UTC))
        learning = time.perf_counter() - begun
        seconds = [look(store, learned, config) for _ in range(looks)]
        size = f"{posts:,} posts, {TOPICS} topics"
        return [
            (f"alerts: one look at {size}", "under 1 s", f"{statistics.median(seconds):.2f} s, max {max(seconds):.2f}"),
            (f"alerts: learning from {size}, once a day", "", f"{learning:.1f} s"),
            ("commits beside it, longest", "under 2 s", f"{max(waits):.2f} s (median {statistics.median(waits):.2f})"),
        ]


def config_of(store: Store) -> Config:
    rule = Rule(id="ai-terms", phrases=("soundcloud",))
    topics = tuple(Topic(name=f"topic-{n}", platform="SoundCloud", rules=(rule,)) for n in range(TOPICS))
    return Config(topics=topics, store=StoreSettings(path=store.path))


def look(store: Store, learned: object, config: Config) -> float:
    """Seconds of one look."""
    begun = time.perf_counter()
    found = judge(store, learned, config, datetime.now(UTC)).findings  # type: ignore[arg-type]
    assert len(found) == 5 * TOPICS
    return time.perf_counter() - begun


class _committing:
    """Small commits, five a second, as a collector makes them."""

    def __init__(self, store: Store, waits: list[float]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(store, waits))

    def _work(self, store: Store, waits: list[float]) -> None:
        while not self._stop.wait(0.2):
            begun = time.perf_counter()
            store.commit(Batch("bluesky:live", cursor=Cursor("bluesky:live", "1", at=datetime.now(UTC))))
            waits.append(time.perf_counter() - begun)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
