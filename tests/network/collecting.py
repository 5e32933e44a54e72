"""The product as it collects through the bridge: its parts in a thread, or ``monitor run`` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Protocol

from monitor import config
from monitor.collect import collect
from monitor.collect.bluesky import LiveCollector
from monitor.collect.match import Matcher
from monitor.collect.watch import Watch
from monitor.store import Store

RULES = """
[[topics]]
name = "soundcloud-ai"
platform = "SoundCloud"

[[topics.rules]]
id = "ai-terms"
near = [
  { a = ["soundcloud"], b = ["ai", "ki", "ia", "train*", "entrena*", "学習", "학습"], within = 25 },
]
hashtags = ["deletesoundcloud", "noaisoundcloud"]
links = ["soundcloud.com/terms-of-use"]

[[topics.rules]]
id = "other-words"
phrases = ["generative clause"]
"""


def write_config(folder: Path, jetstream_url: str) -> Path:
    """A monitor.toml whose database stands beside it."""
    path = folder / "monitor.toml"
    path.write_text(
        f'{RULES}\n[bluesky]\njetstream_url = "{jetstream_url}"\n\n[store]\npath = "monitor.duckdb"\n', "utf-8"
    )
    return path


class Collecting(Protocol):
    """Something that collects into the configured store from ``start`` to ``stop``; ``check`` says if it cannot."""

    def start(self) -> None: ...
    def check(self) -> None: ...
    def stop(self) -> None: ...


class Thread:
    """The collector, the matcher, the watch and the store, made anew at each start."""

    def __init__(self, path: Path) -> None:
        self._config = config.load(path)
        self._stop = threading.Event()
        self._faults: list[BaseException] = []
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def check(self) -> None:
        assert not self._faults, self._faults

    def stop(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(20)
            assert not self._thread.is_alive(), "the collector does not stop"
        self.check()

    def _collect(self) -> None:
        try:
            store, days = Store(self._config.store.path), self._config.bluesky.thread_days
            live, watch = LiveCollector(self._config.bluesky), Watch.of(store, "bluesky", days)
            collect(live, store, Matcher(self._config.topics), watch, self._stop)
        except BaseException as fault:
            self._faults.append(fault)
            raise


class Command:
    """``monitor run``, killed without warning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self._path.with_name("run.log").open("ab")
        program = "from monitor.cli import main; main()"
        with log:
            self._running = subprocess.Popen(
                [sys.executable, "-c", program, "run", "--config", self._path],
                env={**os.environ, "HF_HUB_OFFLINE": "1"},
                stdout=log,
                stderr=log,
            )

    def check(self) -> None:
        assert self._running is None or self._running.poll() is None, self._path.with_name("run.log").read_text()

    def stop(self) -> None:
        if self._running is None:
            return
        self._running.send_signal(signal.SIGKILL)
        self._running.wait()
        self._running = None
