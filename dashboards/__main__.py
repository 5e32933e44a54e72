"""`python -m dashboards [OPTIONS OF STREAMLIT RUN]`: serve the pages, and load what they need before anybody looks."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.errors import MonitorError


def main() -> None:
    """Serve until interrupted."""
    from streamlit.web import cli

    threading.Thread(target=_warm, daemon=True).start()
    cli.main(["run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]], prog_name="monitor dashboard")


def _warm() -> None:
    """Import the charts and draw one picture for nobody: saves the first viewer a second or two."""
    from dashboards import charts
    from monitor import config, study
    from monitor.store import Store
    from monitor.store.views import Scope

    charts.warm()
    with suppress(MonitorError):  # the pages say it better
        settings = config.load(Path(os.environ.get("MONITOR_CONFIG", "monitor.toml"))).store
        store = Store(settings.path, create=False, memory_limit=settings.memory_limit, threads=settings.threads)
        study.live_picture(store, Scope(), timedelta(days=1), datetime.now(UTC))


if __name__ == "__main__":
    main()
