"""Play the invented case through the real path: a Jetstream server on loopback, and all that ``monitor run`` does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from monitor.config import Config, parse
from monitor.demo.case import Case, build
from monitor.demo.jetstream import JetstreamServer
from monitor.demo.report import Outcome
from monitor.errors import StoreError
from monitor.grouping import group_pending
from monitor.live import run
from monitor.store import Store
from monitor.store.queries import status
from monitor.study import event_summary

WINDOW_DAYS = 3.0
SYNTHETIC = "synthetic"
EVENTS_PER_SECOND = 300
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 3600.0  # the server falls silent when the case is played; what is left is to score it

OnProgress = Callable[[str, float], None]  # what is going on, share of it that is done


def open_store(path: Path) -> Store:
    """A store for the demo; the mark that its posts are invented comes before the first of them.

    Raises:
        StoreError: the file holds posts that are not the demo's.
    """
    store = Store(path)
    if store.marked(SYNTHETIC) != "true" and status(store).cursors:
        raise StoreError(f"{path} holds real posts", "The demo's are invented; give it a file of its own with --db.")
    store.mark(SYNTHETIC, "true")
    return store


def write_config(path: Path, store_path: Path) -> None:
    """The example configuration for pages on the demo's file."""
    stored_at = f'path = "{store_path.resolve().as_posix()}"'
    path.write_text(_example().replace('# path = "monitor.duckdb"', stored_at), "utf-8")


def play(store: Store, on_progress: OnProgress, window_days: float = WINDOW_DAYS) -> Outcome:
    """Run ``monitor run`` on the case until all is collected and scored, and compare before and after each event."""
    started = time.monotonic()
    config, case = parse(_example()), build()
    created = {(event["did"], event["rkey"]): _at(event) for event in case.events if event["operation"] == "create"}

    def is_due(event: dict[str, Any]) -> bool:
        return event["operation"] != "delete" or _is_stored(store, created[event["did"], event["rkey"]])

    with JetstreamServer(case.events, from_start=True, events_per_second=EVENTS_PER_SECOND, is_due=is_due) as server:
        bluesky = config.bluesky.model_copy(update={"jetstream_url": server.url, "silence_seconds": _PATIENCE_SECONDS})
        _run(config.model_copy(update={"bluesky": bluesky}), store, case, on_progress)
    while group_pending(store):
        pass
    state = status(store)
    return Outcome(
        played=case.posts,
        stored=sum(source.posts for source in state.sources),
        reposts=sum(source.reposts for source in state.sources),
        deleted=sum(state.deleted.values()),
        seconds=time.monotonic() - started,
        window_days=window_days,
        events=tuple(event_summary(store, config.events, window_days)),
    )


def _run(config: Config, store: Store, case: Case, on_progress: OnProgress) -> None:
    first, last = _at(case.events[0]), _at(case.events[-1])
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, config, store, stop)
        try:
            while not running.done():
                collected, scored = _progress(store, first, last)
                on_progress("Collecting", collected)
                on_progress("Scoring", scored if collected > 0 else 0.0)
                if collected >= 1 and scored >= 1:
                    stop.set()
                time.sleep(_LOOK_SECONDS)
        finally:
            stop.set()
        running.result()


def _progress(store: Store, first: datetime, last: datetime) -> tuple[float, float]:
    """Shares of the case that are collected and of the collected posts that are scored."""
    state = status(store)
    reached = max((cursor.event_at for cursor in state.cursors if cursor.event_at), default=first)
    posts = sum(source.posts for source in state.sources)
    unscored = sum(source.unscored for source in state.sources)
    return (reached - first) / (last - first), 1 - unscored / posts if posts else 1.0


def _is_stored(store: Store, at: datetime) -> bool:
    """Whether all posts up to ``at`` are stored: one deleted within the batch that brings it would leave no trace."""
    return any(cursor.event_at and cursor.event_at >= at for cursor in status(store).cursors)


def _at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def _example() -> str:
    return resources.files("monitor").joinpath("example.toml").read_text("utf-8")
