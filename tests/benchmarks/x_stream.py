"""X's filtered stream at its fastest beside the Bluesky live tail, through random faults: its cost, its losses."""

from __future__ import annotations

import math
import multiprocessing
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb

from monitor.records import Gap
from tests.benchmarks.collect import _resident_bytes
from tests.benchmarks.traffic import Chatter, Traffic

PER_SECOND, EVENTS_PER_SECOND = 250.0, 300.0
_TEXTS = (
    "SoundCloud trains its AI on whatever we uploaded, and nobody asked",
    "took my catalogue off soundcloud, AI terms and all",
    "is the SoundCloud AI clause as bad as they say? reading section 7",
)
_FAULTS = ("close", "cut", "reset", "operational_disconnect", "silence")
_SETTLE_SECONDS = 960.0  # X lets 450 pages be searched in 15 minutes; what is missing then waits for the next


@dataclass(frozen=True)
class Told:
    """What the server did."""

    ids: dict[str, float]  # of what it published -> unix seconds
    connects: int


@dataclass
class Cost:
    """What the collecting process used while the stream ran."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    resident: list[int] = field(default_factory=list)


def run(quick: bool) -> list[tuple[str, str, str]]:
    """One minute without faults, or ten of a soak with one about every 75 s."""
    seconds = 60.0 if quick else 600.0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "monitor.duckdb"
        traffic = stack.enter_context(Traffic())
        server = stack.enter_context(_process(_serve))
        url = server.recv()
        collector = stack.enter_context(_process(_collect, str(path), url, traffic.url))
        traffic.play(Chatter(seconds, EVENTS_PER_SECOND, 20))
        server.send((seconds, 0.0 if quick else 75.0))
        told: Told = server.recv()
        collector.send("measured")
        cost: Cost = collector.recv()
        _settle(path, told)
        collector.send("enough")
        gaps = collector.recv()
        server.send("bill")  # only now: what fills the last gap is billed too
        return _rows(path, told, cost, gaps, server.recv(), seconds)


def _rows(
    path: Path, told: Told, cost: Cost, gaps: list[Gap], billed: float, seconds: float
) -> list[tuple[str, str, str]]:
    stored = _stored(path)
    named = [(gap.start.timestamp(), gap.end.timestamp() if gap.end else math.inf) for gap in gaps if not gap.filled_by]
    absent = [at for post_id, at in told.ids.items() if post_id not in stored]
    missing = [at for at in absent if not any(start <= at < end for start, end in named)]
    unpaid = abs(_dollars(path) - billed)
    fifth = len(cost.resident) // 5
    early, late = (statistics.median(part) for part in (cost.resident[fifth : 2 * fifth], cost.resident[-fifth:]))
    at = f"{len(told.ids):,} posts at {PER_SECOND:g}/s from X beside {EVENTS_PER_SECOND:g} events/s from Bluesky"
    return [
        (f"{at}: processor time", "under 60 %", f"{100 * cost.cpu_seconds / cost.wall_seconds:.0f} % of a core"),
        ("posts of X lost outside of unfilled gaps", "0", str(len(missing))),
        (f"posts of X in the {len(named)} unfilled of {len(gaps)} gaps", "", f"{len(absent) - len(missing):,}"),
        ("posts of X stored twice", "0", str(sum(n - 1 for n in stored.values()))),
        ("connections to X in 15 minutes", "under 50", f"{told.connects} in {seconds / 60:.0f} min"),
        ("memory grown from the second fifth to the last", "under 64 MB", f"{(late - early) / 1e6:.0f} MB"),
        ("memory at its peak, for a moment", "", f"{max(cost.resident) / 1e6:.0f} MB, else {late / 1e6:.0f} MB"),
        ("the ledger's price against X's bill", "0", f"{unpaid:.2f} of $ {billed:,.2f}"),
    ]  # fmt: skip


def _settle(path: Path, told: Told) -> None:
    """Wait until everything that can be found was found."""
    from monitor.collect.x import Position
    from monitor.store import Store

    store, deadline = Store(path), time.monotonic() + _SETTLE_SECONDS
    wanted = datetime.fromtimestamp(max(told.ids.values()), UTC)
    while time.monotonic() < deadline:
        cursor = store.cursor("x:live")
        position = Position.of(cursor) if cursor is not None else None
        if position is not None and position.at > wanted and not position.holes:
            return
        time.sleep(1)


def _stored(path: Path) -> dict[str, int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT post_id, count(*) FROM posts WHERE platform = 'x' GROUP BY 1").fetchall()
    return dict(rows)


def _dollars(path: Path) -> float:
    from monitor.store import Store
    from monitor.store.queries import spent_since

    return spent_since(Store(path), date(2020, 1, 1)) / 1e6


@contextmanager
def _process(work: object, *arguments: str) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *arguments), daemon=True)  # type: ignore[arg-type]
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection) -> None:
    from tests.servers.x import XServer, make_post

    chance = random.Random(4)
    server = XServer()
    server.stream.heartbeat_seconds = 1.0
    with server:
        pipe.send(server.url)
        seconds, fault_seconds = pipe.recv()
        assert server.stream.wait_connected(1, 60)
        ids: dict[str, float] = {}
        begun = due = time.monotonic()
        fault_at = begun + 30 if fault_seconds else float("inf")
        while due < begun + seconds:
            due += 1 / PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            now = datetime.now(UTC)
            post = make_post(f"{chance.choice(_TEXTS)} {len(ids)}", now, author=chance.randrange(5_000))
            ids[post.id] = now.timestamp()
            server.publish(post)
            if time.monotonic() > fault_at:
                fault_at += chance.expovariate(1 / fault_seconds)
                server.stream.strike(chance.choice(_FAULTS))
        pipe.send(Told(ids, server.stream.connects))
        pipe.recv()
        pipe.send(float(server.dollars()))
        pipe.recv()


def _collect(pipe: Connection, path: str, url: str, jetstream_url: str) -> None:
    from pydantic import SecretStr

    from monitor.collect import collect
    from monitor.collect.backoff import Backoff
    from monitor.collect.bluesky import LiveCollector
    from monitor.collect.match import Matcher
    from monitor.collect.watch import Watch
    from monitor.collect.x import StreamCollector
    from monitor.collect.x_api import Api
    from monitor.collect.x_spend import Till
    from monitor.config import Bluesky, Near, Rule, Secrets, Topic, X
    from monitor.store import Store
    from monitor.store.queries import gaps, spent_since

    topic = Topic(name="t", platform="SoundCloud", rules=(Rule(id="ai", near=(Near(a=("soundcloud",), b=("ai",)),)),))
    store, stop = Store(Path(path)), threading.Event()
    settings = X(api_url=url, budget_per_day=1e6, budget_per_month=1e6, silence_seconds=10)
    api = Api(settings, Secrets(x_bearer_token=SecretStr("x-bearer-token")))
    sources = (
        (StreamCollector(api, [topic], Till(settings, lambda day: spent_since(store, day))), "x", Backoff(5.0, 320.0)),
        (LiveCollector(Bluesky(jetstream_url=jetstream_url)), "bluesky", Backoff()),
    )
    threads = []
    for source, platform, backoff in sources:
        watch = Watch.of(store, platform, 30)
        arguments = (source, store, Matcher([topic]), watch, stop, None, backoff)
        threads.append(threading.Thread(target=collect, args=arguments, daemon=True))
        threads[-1].start()
    time.sleep(3)
    cost, cpu, begun = Cost(), time.process_time(), time.monotonic()
    while not pipe.poll(1.0):
        cost.resident.append(_resident_bytes())
    cost.cpu_seconds, cost.wall_seconds = time.process_time() - cpu, time.monotonic() - begun
    pipe.recv()
    pipe.send(cost)
    pipe.recv()
    stop.set()
    for source, _, _ in sources:
        source.close()
    for thread in threads:
        thread.join()
    pipe.send(list(gaps(store)))
    pipe.recv()
