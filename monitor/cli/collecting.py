"""monitor run, backfill, recheck, import."""

from __future__ import annotations

import threading

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, open_store, say


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Watch Bluesky live and score what matches, until Ctrl-C. Needs no account."""
    from monitor.cli.logs import to_stderr
    from monitor.config import load
    from monitor.live import run as run_live

    to_stderr()
    loaded = load(config)
    stop = _stop_on_signals()
    store = open_store(loaded)
    topics = ", ".join(topic.name for topic in loaded.topics)
    say(f"Watching {loaded.bluesky.jetstream_url} for {topics} into {loaded.store.path}. Ctrl-C stops.")
    run_live(loaded, store, stop)
    say("Stopped. Start again and it goes on where it stopped.")


def _stop_on_signals() -> threading.Event:
    import signal

    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    return stop


def add_to(app: typer.Typer) -> None:
    app.command()(run)
