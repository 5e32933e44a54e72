"""kill -9 of ``monitor run`` at random moments under load; after each, the file must hold what its cursor says."""

from __future__ import annotations

import fcntl
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from monitor.errors import MonitorError
from monitor.store import Store
from monitor.store.queries import StoreStatus, status
from tests.benchmarks.crowd import Crowd, Event, Expected
from tests.benchmarks.running import Running, reached_seq, write_config
from tests.benchmarks.traffic import Chatter, Living, Traffic

_EVENTS_PER_SECOND = 400


@dataclass
class Outcome:
    """What was found after the kills and at the end. ``faults`` says each in words; the counts sum them up."""

    kills: int
    in_commit: int = 0
    events: int = 0
    posts: int = 0
    lost: int = 0
    twice: int = 0
    other: int = 0
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Thirty kills, or five."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = campaign(Path(folder), kills=5 if quick else 30, seed=2)
    about = f"of {outcome.posts:,} posts, {outcome.events:,} events, {outcome.kills} kills"
    return [
        (f"kill -9 ({outcome.in_commit} hit a transaction): posts lost", "0", f"{outcome.lost} {about}"),
        ("kill -9: posts twice", "0", str(outcome.twice)),
        ("kill -9: file cannot be read", "0", str(outcome.unreadable)),
        ("kill -9: cursor, seen, rejected, contexts, gaps or scores wrong", "0", "; ".join(["0", *outcome.faults[:3]])
         if not outcome.other else f"{outcome.other}: {'; '.join(outcome.faults[:3])}"),
    ]  # fmt: skip


def campaign(folder: Path, kills: int, seed: int, seconds: float = 2.0) -> Outcome:
    """Kill ``kills`` times while events come in, then let one run catch up and look at everything.

    Args:
        seconds: how long after its first commit a run lives at most; the events come for about as long as all runs.
    """
    chance, outcome = random.Random(seed), Outcome(kills)
    outcome.events = n = round(kills * 2 * seconds * _EVENTS_PER_SECOND)
    with Traffic() as traffic, Running(write_config(folder, traffic.url)) as running:
        path = folder / "monitor.duckdb"
        first = _warm(running, traffic, path)
        # None are seen where the stream's tip was the last of the chatter.
        oracle = _Oracle(seed, n, first, status(Store(path)).seen.get("bluesky:live", 0))
        traffic.play(Living(seed, n, _EVENTS_PER_SECOND))
        for _ in range(kills):
            outcome.in_commit += _live_and_die(running, path, chance, seconds)
            _examine(path, oracle, outcome)
            running.start()
        running.until(lambda: traffic.played(), 120, "the end of the load")
        running.until(lambda: reached_seq(path) == first + n, 120, "the last event")
        running.until(lambda: "is ready" in running.log, 120, "the classifier")
        exit_code, _ = running.stop()
        if exit_code:
            _blame(outcome, f"monitor run ended with {exit_code}")
        _examine(path, oracle, outcome)
        outcome.posts = len(oracle.at(first + n).posts)
        if any(gap.end is None for gap in status(Store(path)).gaps):
            _blame(outcome, "a gap is still open")
        outcome.other += _scored_wrongly(path, outcome)
    return outcome


class _Oracle:
    """What the store must hold behind each event; asked in rising order."""

    def __init__(self, seed: int, n: int, first: int, seen_before: int) -> None:
        self._crowd = Crowd(seed)
        self._events: Iterator[Event] = self._crowd.events(n)
        self._taken = first
        self._crowd.expected.seen = seen_before

    def at(self, seq: int) -> Expected:
        for _ in range(seq - self._taken):
            next(self._events)
        self._taken = max(self._taken, seq)
        return self._crowd.expected


def _warm(running: Running, traffic: Traffic, path: Path) -> int:
    """Start and wait for the first cursor: a stream without one begins at the tip, by contract."""
    running.start()
    said: list[int | None] = [None]

    def is_heard() -> bool:
        if reached_seq(path) is None:
            traffic.play(Chatter(0.5, 50, seed=len(said)))
            said.append(traffic.played(30))
        return reached_seq(path) == said[-1] is not None

    running.until(is_heard, 60, "the first cursor")
    assert said[-1] is not None
    return said[-1]


def _live_and_die(running: Running, path: Path, chance: random.Random, seconds: float) -> bool:
    """Kill some time after this life's first commit, or while it still starts; True inside a write transaction."""
    if chance.random() < 0.15:
        time.sleep(chance.uniform(0, seconds))
    else:
        begun = path.stat().st_mtime_ns
        running.until(lambda: path.stat().st_mtime_ns != begun, 60, "a commit")
        time.sleep(chance.uniform(0, seconds))
    is_writing = _is_writing(path)
    running.kill()
    return is_writing


def _is_writing(path: Path) -> bool:
    with path.with_name(path.name + ".lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _examine(path: Path, oracle: _Oracle, outcome: Outcome) -> None:
    """Compare the file with what it must hold at its own cursor."""
    seq = reached_seq(path)
    try:
        found, state = _rows(path), status(Store(path, create=False))
    except (duckdb.Error, MonitorError) as error:
        outcome.unreadable += 1
        outcome.faults.append(f"unreadable: {error}")
        return
    if seq is None:
        _blame(outcome, "the cursor is gone")
        return
    expected = oracle.at(seq)
    _compare_posts(found, expected, outcome)
    _compare_counts(state, expected, outcome)


def _compare_posts(found: list[tuple[str, str, str | None, bool]], expected: Expected, outcome: Outcome) -> None:
    rows = {row[0]: row[1:] for row in found}
    wanted = expected.rows()
    lost, surplus = wanted.keys() - rows.keys(), rows.keys() - wanted.keys()
    outcome.lost += len(lost)
    outcome.twice += len(found) - len(rows)
    for post_id in sorted(lost)[:3]:
        outcome.faults.append(f"lost {post_id}")
    for post_id in sorted(surplus):
        _blame(outcome, f"should not be there: {post_id}")
    for post_id in sorted(rows.keys() & wanted.keys()):
        if rows[post_id] != wanted[post_id]:
            _blame(outcome, f"{post_id} is {rows[post_id]}, should be {wanted[post_id]}")


def _compare_counts(state: StoreStatus, expected: Expected, outcome: Outcome) -> None:
    counts = Counter(seen=state.seen.get("bluesky:live", 0), rejected=sum(n for _, _, n in state.rejected))
    for name, wanted in (("seen", expected.seen), ("rejected", expected.rejected)):
        if counts[name] != wanted:
            _blame(outcome, f"{name} is {counts[name]}, should be {wanted}")


def _blame(outcome: Outcome, what: str) -> None:
    outcome.other += 1
    outcome.faults.append(what)


def _rows(path: Path) -> list[tuple[str, str, str | None, bool]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT post_id, text, context, hidden FROM posts").fetchall()


def _scored_wrongly(path: Path, outcome: Outcome) -> int:
    """Texts that were scored twice, and posts whose score is not in the history of their present text."""
    with duckdb.connect(str(path), read_only=True) as connection:
        twice, other = connection.execute(
            "SELECT (SELECT count(*) - count(DISTINCT (key, revision, model_id)) FROM scores),"
            " (SELECT count(*) FROM posts p WHERE model_id IS NOT NULL AND NOT EXISTS"
            " (FROM scores s WHERE s.key = p.key AND s.revision = p.revision AND s.model_id = p.model_id))"
        ).fetchall()[0]
    if twice or other:
        outcome.faults.append(f"{twice} texts scored twice, {other} posts with the score of another text")
    return int(twice) + int(other)
