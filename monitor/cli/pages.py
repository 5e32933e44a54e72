"""The dashboards as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def serve(config: Path, *, port: int, address: str, browser: bool) -> int:
    """Run Streamlit on ``dashboards/app.py`` until it ends; returns its exit code (0 after Ctrl-C)."""
    from importlib.util import find_spec

    app = find_spec("dashboards.app")
    assert app is not None
    assert app.origin is not None
    command = [
        *(sys.executable, "-m", "streamlit", "run", app.origin),
        *("--server.port", str(port)),
        *("--server.address", address),
        *("--server.headless", "false" if browser else "true"),
        *("--server.fileWatcherType", "none"),
        *("--browser.gatherUsageStats", "false"),
        *("--client.toolbarMode", "minimal"),
    ]
    environment = {**os.environ, "MONITOR_CONFIG": str(config.resolve())}
    process = subprocess.Popen(command, env=environment)  # noqa: S603
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait(10)
        return 0
