"""monitor run, recheck, import."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, open_store, say

if TYPE_CHECKING:
    from typing import Protocol

    from monitor.collect.base import Collector
    from monitor.config import Config, Topic
    from monitor.records import Batch
    from monitor.store import Committed, Store

    class Ending(Collector, Protocol):
        """A collector of what comes to an end."""

        @property
        def progress(self) -> float: ...


_EVER_DAYS = 36_500
_COUNTS = ("inserted", "updated", "deleted", "hidden", "rejected")
NO_SCORE = "Leave the scoring to monitor run."
_SCORE_BATCH = 128  # posts between two commits


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Watch Bluesky live and score what matches, until Ctrl-C. Needs no account."""
    from monitor.cli.logs import to_stderr
    from monitor.config import load
    from monitor.live import run as run_live

    to_stderr()
    loaded = load(config)
    stop = stop_on_signals()
    store = open_store(loaded, for_real_posts=True)
    topics = ", ".join(topic.name for topic in loaded.topics)
    sources = [loaded.bluesky.jetstream_url] * loaded.bluesky.enabled + [loaded.x.api_url] * loaded.x.enabled
    say(f"Watching {' and '.join(sources) or 'nothing'} for {topics} into {loaded.store.path}. Ctrl-C stops.")
    run_live(loaded, store, stop)
    say("Stopped. Start again and it goes on where it stopped.")


def recheck(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Ask Bluesky which stored posts still exist.

    Missing ones become deletions, the others get new engagement counts. Needs no account; resumable.
    """
    from monitor.cli.logs import to_stderr
    from monitor.collect.bluesky_session import session_path
    from monitor.collect.recheck import SETTLED
    from monitor.collect.recheck import recheck as recheck_of
    from monitor.config import Secrets, load
    from monitor.store.queries import status, stored_ids

    to_stderr()
    loaded = load(config)
    store = open_store(loaded, create=False, for_real_posts=True)
    before = datetime.now(UTC) - SETTLED
    total = sum(source.posts for source in status(store).sources if source.platform == "bluesky")
    collector = recheck_of(
        loaded.bluesky,
        Secrets.from_environment(),
        session_path(loaded.store.path),
        lambda after: [post_id for post_id, _ in stored_ids(store, "bluesky", after, before=before)],
    )
    collect_to_end(collector, loaded, store, f"Rechecking {total:,} posts", stop_on_signals(), None)


def import_files(
    files: Annotated[list[Path], typer.Argument(help="JSONL (plain, .gz, .zst), JSON or CSV files.")],
    column: Annotated[
        list[str], typer.Option("--column", help="CSV: COLUMN=FIELD, e.g. --column body=text (may be repeated).")
    ] = [],  # noqa: B006
    topic: Annotated[
        str, typer.Option(help="Keep every post of the files under this topic, also those that no rule matches.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Read files again that were imported before.")] = False,
    no_score: Annotated[bool, typer.Option("--no-score", help=NO_SCORE)] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Read archives of Bluesky or X posts, or CSV.

    Jetstream v1 and v2 events, Bluesky post views, X API v2 payloads as twarc writes them (JSONL, plain, .gz or .zst),
    CSV with a column mapping. What no rule matches is left out, unless --topic says to keep it. Resumable.
    """
    from monitor.collect.archive import ArchiveCollector
    from monitor.config import IMPORT_RULE, load

    loaded = load(config)
    keep = f"{chosen(loaded, [topic])[0].name}/{IMPORT_RULE}" if topic else None
    mapping = _mapping(column)
    store, stop = open_store(loaded, for_real_posts=True), stop_on_signals()
    for file in files:
        collector = ArchiveCollector(file, mapping, keep_all=keep, again=again)
        collect_to_end(collector, loaded, store, f"Importing {file.name}", stop, progress_of(collector))
    group_waiting(store, stop)
    if not no_score:
        score_waiting(loaded, store, stop)


def collect_to_end(
    collector: Collector,
    config: Config,
    store: Store,
    what: str,
    stop: threading.Event,
    progress: Callable[[], float] | None,
    only: Topic | None = None,
) -> None:
    """
    Args:
        only: no other topic gets the posts, nor do the threads that they hang on: what is weighted as a sample of one
            topic is none of the others.
    """
    from monitor.collect import collect
    from monitor.collect.backoff import HOPELESS, Backoff
    from monitor.collect.match import Matcher
    from monitor.collect.watch import Watch
    from monitor.errors import Unpaid

    sums = Counter[str]()

    def close() -> None:
        stop.wait()
        collector.close()

    threading.Thread(target=close, daemon=True).start()
    try:
        with _bar(what, progress) as advance:

            def committed(batch: Batch, result: Committed) -> None:
                for name in _COUNTS:
                    sums[name] += getattr(result, name)
                advance(sums["inserted"])

            platform = "x" if collector.stream.startswith("x:") else "bluesky"
            watch = Watch.of(store, platform, 0 if only else _EVER_DAYS)
            backoff = Backoff(hopeless=(*HOPELESS, Unpaid))  # whoever waits at a terminal is told, and may come back
            matcher = Matcher([only] if only else config.topics)
            collect(collector, store, matcher, watch, stop, committed, backoff)
    finally:
        say(f"{what}: " + ", ".join(f"{sums[name]:,} {name}" for name in _COUNTS) + ".")
    store.tend()
    if stop.is_set():
        say("Stopped; start again and it goes on.")
        raise typer.Exit(130)


def score_waiting(config: Config, store: Store, stop: threading.Event) -> None:
    """Score what waits for it, unless a ``monitor run`` is there to do that."""
    from monitor.classify import load
    from monitor.cli.progress import bar
    from monitor.live import is_running
    from monitor.scoring import score_pending
    from monitor.store.queries import status

    waiting = sum(source.unscored for source in status(store).sources)
    if not waiting or is_running(store.path):
        return
    scorer, done = load(config.classifier), 0
    with bar("Scoring", lambda: min(1.0, done / waiting)) as advance:
        while not stop.is_set() and (found := score_pending(store, scorer, config.topics, _SCORE_BATCH, is_anew=False)):
            done += found
            advance(done)
    say(f"{done:,} posts scored." + (" Stopped; monitor run scores the rest." if stop.is_set() else ""))


def group_waiting(store: Store, stop: threading.Event) -> None:
    """Find out which posts say the same, unless a ``monitor run`` is there to do that."""
    from monitor.grouping import group_pending
    from monitor.live import is_running

    while not (stop.is_set() or is_running(store.path)) and group_pending(store):
        pass


def progress_of(collector: Ending) -> Callable[[], float]:
    return lambda: collector.progress


def _bar(what: str, progress: Callable[[], float] | None) -> AbstractContextManager[Callable[[int], None]]:
    from monitor.cli.progress import bar

    return bar(what, progress) if progress else nullcontext(lambda _: None)


def chosen(config: Config, names: list[str]) -> list[Topic]:
    """The topics of these names, or all.

    Raises:
        ConfigError: there is no such topic.
    """
    from monitor.errors import ConfigError

    known = {topic.name: topic for topic in config.topics}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"There is no topic '{unknown[0]}'", f"monitor.toml defines: {', '.join(known)}")
    return [known[name] for name in names] if names else list(config.topics)


def _mapping(columns: list[str]) -> dict[str, str] | None:
    from monitor.errors import ConfigError

    wrong = [pair for pair in columns if "=" not in pair]
    if wrong:
        raise ConfigError(f"'{wrong[0]}' is no COLUMN=FIELD", "For example: --column body=text --column id=post_id")
    return dict(pair.split("=", 1) for pair in columns) or None


def stop_on_signals() -> threading.Event:
    import signal

    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    return stop


def add_to(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(recheck)
    app.command("import")(import_files)
