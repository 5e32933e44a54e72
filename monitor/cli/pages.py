"""The dashboards as a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

_GRACE_SECONDS = 5.0


def serve(config: Path, *, port: int, address: str, browser: bool) -> int:
    """Run the pages until they end; returns their exit code (0 after Ctrl-C or SIGTERM)."""
    command = [
        *(sys.executable, "-m", "dashboards"),
        *("--server.port", str(port)),
        *("--server.address", address),
        *("--server.headless", "false" if browser else "true"),
        *("--server.showEmailPrompt", "false"),  # else the first start asks for an e-mail address and waits
        *("--server.fileWatcherType", "none"),
        *("--browser.gatherUsageStats", "false"),
        *("--client.toolbarMode", "minimal"),
    ]
    environment = {**os.environ, "MONITOR_CONFIG": str(config.resolve())}
    # Its banner goes to stderr: stdout is for data.
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr.fileno())  # noqa: S603
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return process.wait()
    except KeyboardInterrupt:
        _end(process)
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
