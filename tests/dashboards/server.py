"""The app as `monitor dashboard` serves it, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(config: Path) -> Iterator[str]:
    """Serve the pages on ``config`` until the block ends; yields their address."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "monitor",
        "dashboard",
        "--config",
        str(config),
        "--port",
        str(port),
        "--no-browser",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (config.parent / "dashboard.log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=config.parent, start_new_session=True
        )
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the command and the server that it started
            process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the pages did not come up; see dashboard.log")
