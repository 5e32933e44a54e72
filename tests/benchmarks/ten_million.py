"""Ten million posts of eighteen months on twenty topics: the command line, the alerts' look and the pages."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from monitor.alerts.watching import learn
from monitor.analyse.event_study import effect, study
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure
from monitor.config import Config, load
from monitor.impact import impacts
from monitor.store import Store
from tests.benchmarks.alerts import TOPICS, config_of, look
from tests.benchmarks.dashboard import chromium, first_picture
from tests.benchmarks.filling import fill
from tests.benchmarks.running import COMMAND, environment
from tests.dashboards.server import serving

_DAYS = 548
_ASKED = (
    "status",
    "series --since {since}",
    "prevalence",
    "impact e0",
    "funnel e0",
    "funnel --since {month} --topic topic-0",
    "spread e0",
    "spread --since {month} --topic topic-0",
    "spread",
)
_TOPIC = """
[[topics]]
name = "topic-{}"
platform = "SoundCloud"
[[topics.rules]]
id = "ai-terms"
phrases = ["soundcloud"]
"""
_EVENT = """
[[events]]
id = "e{}"
kind = "statement"
title = "Statement {}"
topic = "topic-0"
announced = {:%Y-%m-%dT%H:00:00Z}
"""
_TIMED = """
import resource, subprocess, sys, time
begun = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds, used = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
failed = f"; failed with {done.returncode}" if done.returncode else ""
busy, grown = used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3
print(f"{seconds:.1f} s ({busy:.1f} s of processor, {grown:,.0f} MB{failed})", end="")
"""  # in a process of its own: what is started from one that has grown is told to have that size
Row = tuple[str, str, str]


def run(quick: bool) -> list[Row]:
    """A store of ten million posts (and half as many reposts), or of three hundred thousand when quick."""
    posts = 300_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "monitor.duckdb")
        fill(store, posts, _DAYS, [topic.name for topic in config_of(store).topics])
        return measured(store, _written(store), f"{posts:,} posts, {store.path.stat().st_size / 1e9:.1f} GB")


def measured(store: Store, path: Path, size: str) -> list[Row]:
    """Of a store that is filled, under the configuration at ``path``."""
    now = datetime.now(UTC)
    days = {"since": f"{now - timedelta(days=_DAYS):%Y-%m-%d}", "month": f"{now - timedelta(days=30):%Y-%m-%d}"}
    config = load(path)
    return [
        ("event study alone, 18 months of hours", "under 2 s", _seconds(_alone)),
        (
            f"four events with checks on {size}",
            "under 10 s",
            _seconds(lambda: impacts(store, config.events, config.events)),
        ),
        *_alerts(store, config),
        *((f"monitor {asked}".format(**days), "", _command(path, asked.format(**days))) for asked in _ASKED),
        *_pages(path),
    ]


def _written(store: Store) -> Path:
    """A configuration with the topics of ``fill`` and four statements on the first of them."""
    events = enumerate(datetime.now(UTC) - timedelta(days=days) for days in (45, 32, 20, 8))
    blocks = [*(_TOPIC.format(n) for n in range(TOPICS)), *(_EVENT.format(n, n, at) for n, at in events)]
    path = store.path.with_name("monitor.toml")
    path.write_text("\n".join([*blocks, f'[store]\npath = "{store.path}"\n']), "utf-8")
    return path


def _alone() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(2, 2, 24 * _DAYS)).astype(float)
    effect(study(Measure("posts", counts), np.ones(24 * _DAYS), [Placed(9000, 72)]), 0)


def _alerts(store: Store, config: Config) -> list[Row]:
    begun, busy = time.perf_counter(), time.process_time()
    learned = learn(store, config, datetime.now(UTC))
    learning = f"{time.perf_counter() - begun:.1f} s ({time.process_time() - busy:.1f} s of processor)"
    seconds = [look(store, learned, config) for _ in range(9)]
    told = f"{statistics.median(seconds):.2f} s (median of 9, max {max(seconds):.2f})"
    return [("alerts: one look at 20 topics", "under 1 s", told), ("alerts: learning, once a day", "", learning)]


def _command(config: Path, asked: str) -> str:
    """Seconds, seconds of processor and memory of one command from its start to its end."""
    command = [sys.executable, "-c", _TIMED, *COMMAND, *asked.split()]
    told = subprocess.run(
        command, env=environment() | {"MONITOR_CONFIG": str(config)}, stdout=subprocess.PIPE, check=True
    )
    return told.stdout.decode()


def _seconds(work: object) -> str:
    begun, busy = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return f"{time.perf_counter() - begun:.2f} s ({time.process_time() - busy:.2f} s of processor)"


def _pages(config: Path) -> list[Row]:
    """First pictures on a server that just started, then of a second visitor."""
    pages = {
        "Live page": ("", ".st-key-card-new-0"),
        "Event page to its last section": ("event?event=e0", ".st-key-sentence-spread"),
    }
    if shutil.which("chromium") is None:
        return [(f"{name}, first picture", "", "not measured: no chromium") for name in pages]
    rows = []
    with chromium() as browser, serving(config) as url:
        for name, (address, last) in pages.items():
            with browser.new_context() as first, browser.new_context() as second:
                cold, warm = (first_picture(one, f"{url}/{address}", last) for one in (first, second))
            rows.append((f"{name}, first picture; of a second visitor", "", f"{cold:.1f} s; {warm:.1f} s"))
    return rows
