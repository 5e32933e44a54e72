"""``monitor run``: one thread collects, one scores, both through the same store, until told to stop."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.alone import alone
from monitor.config import Classifier, Config
from monitor.errors import ConfigError, MonitorError, StoreBusy
from monitor.records import Batch
from monitor.store import Committed, Store

if TYPE_CHECKING:
    from monitor.classify import Prediction, Text
    from monitor.collect.backoff import Backoff
    from monitor.collect.base import Collector

log = logging.getLogger("monitor")

_SCORE_BATCH = 64  # posts per round: a commit each, so that a kill loses little work and Ctrl-C is heard soon
_PACE_SECONDS = 0.5  # between rounds: each costs the file 0.1 s however few posts are in it
_LOOK_SECONDS = 10.0  # without news: another process may have imported something
_REFRESH_SECONDS = 600.0  # threads of posts that a backfill or an import brought
_GROUP_SECONDS = 10.0  # a search among many groups costs the same for one post as for a thousand
_TEND_SECONDS = 3600.0
_LONGEST_COMMIT_SECONDS = 900.0  # lines that X sent may wait that long for a store that is slow
_NICE = 10


def run(config: Config, store: Store, stop: threading.Event) -> None:
    """Collect and score until ``stop`` is set.

    Raises:
        StoreBusy: another ``monitor run`` collects into this file.
        MonitorError: whatever stopped one of the threads; the other has been stopped too.
    """
    with _alone(store.path):
        faults: list[BaseException] = []
        news = threading.Event()
        threads = [
            *(_thread(name, partial(work, config, store, stop, news), stop, faults) for name, work in _sources(config)),
            _thread("score", lambda: _score(config, store, stop, news), stop, faults),
            _thread("group", lambda: _group(store, stop), stop, faults),
            *([_thread("alerts", lambda: _alert(config, store, stop), stop, faults)] if config.alerts.enabled else []),
            _thread("tend", lambda: _tend(store, stop), stop, faults),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # joins in slices, so that a signal reaches the main thread
                thread.join(0.5)
        if faults:
            raise faults[0]


Work = Callable[[Config, Store, threading.Event, threading.Event], None]


def _sources(config: Config) -> list[tuple[str, Work]]:
    sources: list[tuple[str, bool, Work]] = [
        ("collect", config.bluesky.enabled, _bluesky),
        ("collect from X", config.x.enabled, _x),
        ("check posts of X", config.x.enabled and config.x.comply_hours > 0, _comply),
        ("look up edits on X", config.x.enabled and config.x.edits, _edits),
        ("count posts of X", config.x.enabled and config.x.count_hours > 0, _count),
    ]
    enabled = [(name, work) for name, is_enabled, work in sources if is_enabled]
    if not enabled:
        raise ConfigError("Nothing is collected: neither [bluesky] nor [x] is enabled", "Enable one in monitor.toml.")
    return enabled


def _bluesky(config: Config, store: Store, stop: threading.Event, news: threading.Event) -> None:
    from monitor.collect.backoff import Backoff
    from monitor.collect.bluesky import LiveCollector

    _collect(LiveCollector(config.bluesky), "bluesky", Backoff(), config, store, stop, news)


def _x(config: Config, store: Store, stop: threading.Event, news: threading.Event) -> None:
    from monitor.collect.backoff import Backoff
    from monitor.collect.x import StreamCollector
    from monitor.collect.x_api import Api
    from monitor.collect.x_spend import Till
    from monitor.config import Secrets
    from monitor.store.queries import spent_since

    till = Till(config.x, lambda day: spent_since(store, day), _LONGEST_COMMIT_SECONDS)
    collector = StreamCollector(Api(config.x, Secrets.from_environment()), config.topics, till)
    for rule in collector.unsayable:
        log.warning("X's stream cannot be asked for %s; only another rule may find such posts there", rule)
    backoff = Backoff(first_seconds=5.0, longest_seconds=320.0)
    _collect(collector, "x", backoff, config, store, stop, news, lambda batch: till.booked(batch.charges))


def _comply(config: Config, store: Store, stop: threading.Event, news: threading.Event) -> None:
    from monitor.compliance import keep_to_x

    keep_to_x(config.x, store, stop)


def _edits(config: Config, store: Store, stop: threading.Event, news: threading.Event) -> None:
    from monitor.editing import keep_edits

    keep_edits(config, store, stop, lambda _, done: news.set() if done.updated else None)


def _count(config: Config, store: Store, stop: threading.Event, news: threading.Event) -> None:
    from monitor.census import keep_counted

    keep_counted(config, store, stop)


def _collect(
    collector: Collector,
    platform: str,
    backoff: Backoff,
    config: Config,
    store: Store,
    stop: threading.Event,
    news: threading.Event,
    on_batch: Callable[[Batch], None] = lambda _: None,
) -> None:
    from monitor.collect import collect
    from monitor.collect.match import Matcher
    from monitor.collect.watch import Watch

    watch = Watch.of(store, platform, config.bluesky.thread_days)

    def close() -> None:
        stop.wait()
        collector.close()

    refreshed_at = time.monotonic()

    def tell(batch: Batch, done: Committed) -> None:
        nonlocal refreshed_at
        on_batch(batch)
        if done.inserted or done.updated or done.shown:
            news.set()
        if time.monotonic() - refreshed_at > _REFRESH_SECONDS:
            watch.refresh(store, platform)
            refreshed_at = time.monotonic()

    threading.Thread(target=close, name="close", daemon=True).start()
    collect(collector, store, Matcher(config.topics), watch, stop, tell, backoff)


def _score(config: Config, store: Store, stop: threading.Event, news: threading.Event) -> None:
    from monitor.scoring import score_pending

    scorer = _Yielding(config.classifier)
    log.info("classifier %s is ready", scorer.model_id)
    while not stop.is_set():
        news.clear()
        found = score_pending(store, scorer, config.topics, _SCORE_BATCH)  # type: ignore[arg-type]  # scores as one does
        if found < _SCORE_BATCH:
            stop.wait(_PACE_SECONDS)
            _wait_for(news, stop, _LOOK_SECONDS)


class _Yielding:
    """A scorer that runs when nobody else wants the processors; collecting and the pages come first.

    Its thread and those that the engine starts from there have low priority. The caller's has not: whoever holds the
    file must get on.
    """

    def __init__(self, settings: Classifier) -> None:
        from monitor.classify import load

        # Two threads on two busy cores wait for each other: 10 posts/s; one: 65.
        threads = max((os.cpu_count() or 2) - 1, 1)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # read by torch when it is imported
        self._pool = ThreadPoolExecutor(1, "model")
        # First at full priority: imports hold the interpreter lock, and while they are kept off the collector waits.
        self._pool.submit(load, settings, log.info, threads).result()
        self._pool.submit(_yield).result()
        self._scorer = self._pool.submit(load, settings, log.info, threads).result()  # its threads are born yielding
        self.model_id = self._scorer.model_id

    def score(self, items: Sequence[Text]) -> list[Prediction]:
        return self._pool.submit(self._scorer.score, items).result()


def _yield() -> None:
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _wait_for(news: threading.Event, stop: threading.Event, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not (news.wait(0.2) or stop.is_set() or time.monotonic() > deadline):
        pass


def _group(store: Store, stop: threading.Event) -> None:
    from monitor.grouping import BATCH, group_pending

    while not stop.is_set():
        is_behind = group_pending(store) == BATCH
        stop.wait(_PACE_SECONDS if is_behind else _GROUP_SECONDS)


def _alert(config: Config, store: Store, stop: threading.Event) -> None:
    from monitor.alerts.keeping import keep_alerting

    keep_alerting(config, store, stop)


def _tend(store: Store, stop: threading.Event) -> None:
    while not stop.is_set():
        store.tend()
        stop.wait(_TEND_SECONDS)


def _thread(
    name: str, work: Callable[[], None], stop: threading.Event, faults: list[BaseException]
) -> threading.Thread:
    def guarded() -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - it is raised again in the main thread
            faults.append(fault)
            log.error("%s stopped: %s", name, fault.message if isinstance(fault, MonitorError) else repr(fault))
        finally:
            stop.set()

    return threading.Thread(target=guarded, name=name, daemon=True)


def is_running(path: Path) -> bool:
    """Whether a ``monitor run`` collects into the store at ``path``."""
    try:
        with _alone(path):
            return False
    except StoreBusy:
        return True


def _alone(path: Path) -> AbstractContextManager[None]:
    # Two live streams into one file would count everything twice in `seen`.
    busy = StoreBusy(f"Another monitor run collects into {path}", "Stop it first, or name another [store] path.")
    return alone(path, ".run", busy)
