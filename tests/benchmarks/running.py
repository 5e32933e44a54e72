"""``monitor run`` as the operator starts it: a process, its configuration, its log, its memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Self

import orjson

from monitor.errors import StoreError
from monitor.store import Store

COMMAND = (sys.executable, "-m", "monitor")
_ROOT = str(Path(__file__).parents[2])


def environment() -> dict[str, str]:
    """Without the operator's own settings, and with this checkout to import from."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("BLUESKY_", "MONITOR_", "X_"))}
    return ours | {"PYTHONPATH": os.pathsep.join(filter(None, (_ROOT, ours.get("PYTHONPATH"))))}


def write_config(folder: Path, url: str) -> Path:
    """The configuration that ``monitor init`` writes, on another server."""
    example = resources.files("monitor").joinpath("example.toml").read_text("utf-8")
    path = folder / "monitor.toml"
    path.write_text(example.replace("[bluesky]\n", f'[bluesky]\njetstream_url = "{url}"\n'), "utf-8")
    return path


class Running:
    """``monitor run`` from ``start`` to ``kill`` or ``stop``; ``log`` is what it said since it started."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._log = config.with_name("run.log")
        self._begun = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        return self._log.read_bytes()[self._begun :].decode("utf-8", "replace")

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._begun = log.tell()
            command = [*COMMAND, "run", "-c", str(self._config)]
            self._process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)

    def kill(self) -> None:
        """As a power cut does: nobody is told."""
        self._end(signal.SIGKILL)

    def stop(self) -> tuple[int, int]:
        """As Ctrl-C does; returns exit code and peak memory in bytes."""
        return self._end(signal.SIGINT)

    def wait(self, seconds: float) -> int:
        """Exit code, once it ends by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def until(self, claim: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for something while it runs.

        Raises:
            TimeoutError: it did not come.
        """
        deadline = time.monotonic() + seconds
        while not claim():
            self._check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come in {seconds:g} s")
            time.sleep(0.2)

    def _check(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, f"monitor run ended by itself:\n{self.log[-2000:]}"

    def _end(self, how: signal.Signals) -> tuple[int, int]:
        self._check()
        assert self._process is not None
        peak = peak_memory(self._process.pid)
        self._process.send_signal(how)
        return self._process.wait(), peak


def peak_memory(pid: int) -> int:
    """Peak resident memory in bytes; not ``ru_maxrss``, which holds the peak of the process that started this one."""
    if not Path("/proc").is_dir():  # macOS keeps no such peak of another process
        import psutil

        return int(psutil.Process(pid).memory_info().rss)
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def reached_seq(path: Path) -> int | None:
    """Number of the last event that the store has taken; None before the first."""
    try:
        cursor = Store(path, create=False).cursor("bluesky:live")
    except StoreError:  # no file yet
        return None
    return None if cursor is None else orjson.loads(cursor.value)["seq"]
