"""From the wire to the store and to the Live page, at 50 matching posts a second, with three dashboards reading."""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb

from monitor.classify import card
from monitor.records import Batch, Post, Score
from monitor.store import Store
from monitor.store.queries import status
from tests.benchmarks.running import Running, reached_seq, write_config
from tests.benchmarks.traffic import Chatter, Traffic
from tests.servers.events import did, uri

MATCHING_PER_SECOND, EVENTS_PER_SECOND = 50.0, 300.0
DASHBOARDS, REFRESH_SECONDS, ENGAGED_SECONDS, HOURS = 3, 3.0, 10.0, 24
_STORED_BEFORE = 100_000  # posts of the last weeks, so that the readers have something to read


@dataclass(frozen=True, slots=True)
class Look:
    """One look into the store: unix seconds when it began, when it was done, and the time of the newest it held."""

    begun: float
    done: float
    newest: float


def run(quick: bool) -> list[tuple[str, str, str]]:
    """One minute of load, or twenty seconds."""
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), 20.0 if quick else 60.0)


def _measure(folder: Path, seconds: float) -> list[tuple[str, str, str]]:
    path = folder / "monitor.duckdb"
    _fill(path, _STORED_BEFORE)
    with ExitStack() as stack:
        traffic = stack.enter_context(Traffic())
        running = stack.enter_context(Running(write_config(folder, traffic.url)))
        running.start()
        running.until(lambda: "is ready" in running.log, 120, "the classifier")
        follower = stack.enter_context(_reader(_follow, path))
        dashboards = [stack.enter_context(_reader(_watch, path)) for _ in range(DASHBOARDS)]
        traffic.play(Chatter(seconds, EVENTS_PER_SECOND, MATCHING_PER_SECOND))
        last = traffic.played(seconds + 60)
        running.until(lambda: reached_seq(path) == last, 60, "the last event")
        waiting = sum(source.unscored for source in status(Store(path)).sources)
        time.sleep(2 * REFRESH_SECONDS)
        commits = _told(follower)
        pictures = [_told(dashboard) for dashboard in dashboards]
        _, memory = running.stop()
    sent, stored = _arrivals(path)
    return _rows(sent, stored, commits, pictures, waiting, memory)


def _told(reader: Connection) -> list[Look]:
    reader.send("enough")
    seen: list[Look] = reader.recv()
    return seen


def _rows(
    sent: list[float],
    stored: list[float],
    commits: list[Look],
    pictures: list[list[Look]],
    waiting: int,
    memory: int,
) -> list[tuple[str, str, str]]:
    written = [there - wire for there, wire in zip(stored, sent, strict=True)]
    readable = _delays(sent, commits)
    visible = [delay for one in pictures for delay in _delays(sent, one)]
    spent = [look.done - look.begun for one in pictures for look in one]
    at = f"at {MATCHING_PER_SECOND:g} posts/s, {DASHBOARDS} dashboards"
    n = f"n = {len(sent):,}"
    return [
        (f"wire -> written into the store, p95 {at}", "under 2 s", _quantiles(written, n)),
        ("wire -> committed and readable, p95", "under 2 s", _quantiles(readable, f"{n}, seen by a fourth reader")),
        ("wire -> in a Live page's picture, p95", "under 5 s", _quantiles(visible, f"every {REFRESH_SECONDS:g} s")),
        ("Live page's queries, p95", "", _quantiles(spent, f"n = {len(spent)}")),
        ("unscored when the last post was stored", "", f"{waiting:,} posts of {len(sent):,}"),
        ("memory of monitor run with the model, peak", "under 1.5 GB", f"{memory / 1e9:.2f} GB"),
    ]  # fmt: skip


def _quantiles(seconds: Sequence[float], about: str) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[94]:.2f} s (p50 {cuts[49]:.2f}, max {max(seconds):.2f}; {about})"


def _delays(sent: Sequence[float], looks: Sequence[Look]) -> list[float]:
    """Seconds from each sending to the first look that held it."""
    newest = [look.newest for look in looks]
    return [looks[bisect_left(newest, wire)].done - wire for wire in sent]


def _fill(path: Path, n: int) -> None:
    """Posts of the last two weeks, scored by the model that will run."""
    store, model_id, now = Store(path), card()["model_id"], datetime.now(UTC)
    for first in range(0, n, 10_000):
        numbers = range(first, min(first + 10_000, n))
        posts = tuple(_old(number, now - timedelta(days=14) * number / n) for number in numbers)
        store.commit(Batch("import:old", posts=posts))
        store.commit_scores([_score(number, model_id) for number in numbers])


def _old(number: int, at: datetime) -> Post:
    author, text = f"old{number % 7_000}", f"SoundCloud, its AI terms, and what I think of them, part {number}."
    return Post(
        platform="bluesky",
        post_id=uri(author, f"o{number}"),
        author_id=did(author),
        text=text,
        kind="original",
        created_at=at,
        observed_at=at,
        source="import",
        lang="en",
        matched=("soundcloud-ai/ai-terms",),
        raw=f'{{"text":"{text}"}}',
    )


def _score(number: int, model_id: str) -> Score:
    post_id = uri(f"old{number % 7_000}", f"o{number}")
    return Score("bluesky", post_id, 0.9, (0.1, 0.2, 0.3, 0.4), (0.6, 0.1, 0.1, 0.1, 0.1), (0.7, 0.2, 0.1), model_id)


@contextmanager
def _reader(work: Callable[[Connection, Path], None], path: Path) -> Iterator[Connection]:
    """A process that looks until it is asked, and then says what it saw and when."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, path), daemon=True)
    process.start()
    theirs.close()  # or a reader that died would be waited for
    try:
        ours.recv()  # it is ready
        yield ours
    finally:
        process.kill()
        process.join()


def _watch(pipe: Connection, path: Path) -> None:
    """A dashboard: the Live page's picture at its refresh rate, and every 10 s its most engaged posts."""
    from monitor import study
    from monitor.store import views
    from monitor.store.views import Scope

    store, seen = Store(path, create=False), list[Look]()
    pipe.send("ready")
    time.sleep(random.Random(os.getpid()).uniform(0, REFRESH_SECONDS))
    engaged_at = 0.0
    while not pipe.poll():
        begun = time.time()
        picture = study.live_picture(store, Scope(), timedelta(hours=HOURS), datetime.now(UTC))
        newest = picture.head.newest_at
        seen.append(Look(begun, time.time(), newest.timestamp() if newest else 0.0))
        if begun - engaged_at > ENGAGED_SECONDS:
            views.engaged(store, Scope(), picture.view.window)
            engaged_at = begun
        pipe.poll(max(begun + REFRESH_SECONDS - time.time(), 0))
    pipe.send(seen)


def _follow(pipe: Connection, path: Path) -> None:
    """Somebody who looks after every commit how far the stream has come; the file's time says when there was one."""
    store, seen, written = Store(path, create=False), list[Look](), 0
    pipe.send("ready")
    while not pipe.poll(0.02):
        if path.stat().st_mtime_ns != written:
            written, begun = path.stat().st_mtime_ns, time.time()
            cursor = store.cursor("bluesky:live")
            seen.append(Look(begun, time.time(), cursor.at.timestamp() if cursor and cursor.at else 0.0))
    pipe.send(seen)


def _arrivals(path: Path) -> tuple[list[float], list[float]]:
    """When each live post was sent and when its transaction began to write it, in order of sending."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            "SELECT epoch(observed_at), epoch(stored_at) FROM posts WHERE source = 'live' ORDER BY observed_at"
        ).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]
