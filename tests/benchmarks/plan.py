"""``monitor plan`` for 18 months, from the shell's point of view; X's server is another process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, date, datetime
from importlib import resources
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from monitor.store import Store
from monitor.store.queries import spent_since
from tests.benchmarks.running import COMMAND, environment
from tests.benchmarks.x_stream import _process

SINCE, UNTIL = datetime(2024, 2, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC)
POSTS = 5_000


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Medians of five plans (three when quick), each into a fresh store, after one that warms disk and server."""
    with _process(_serve) as server:
        url = server.recv()
        plans = [_planned(url, server) for _ in range(4 if quick else 6)][1:]
    asked, busy, kept, off, dollars = (statistics.median(plan[n] for plan in plans) for n in range(5))
    name = f"monitor plan for {(UNTIL - SINCE).days * 24:,} hours, ${dollars:.2f} of counts"
    return [
        (name, "under 3 s", f"{asked:.2f} s ({busy:.2f} s of processor)"),
        ("the same from kept counts", "under 3 s", f"{kept:.2f} s"),
        ("the ledger's price against X's bill", "0", f"{off:.3f} of $ {dollars:,.2f}"),
    ]


def _planned(url: str, server: Connection) -> tuple[float, float, float, float, float]:
    """Seconds, of these of processor, seconds from kept counts, dollars that are not booked, dollars billed."""
    with tempfile.TemporaryDirectory() as folder:
        example = resources.files("monitor").joinpath("example.toml").read_text("utf-8")
        Path(folder, "monitor.toml").write_text(example.replace("[x]\n", f'[x]\napi_url = "{url}"\n'), "utf-8")
        before, (asked, busy, plan) = _bill(server), _timed(folder)
        kept, _, again = _timed(folder)
        billed = _bill(server) - before
        assert plan["topics"] == again["topics"]
        return (
            asked,
            busy,
            kept,
            abs(billed - spent_since(Store(Path(folder, "monitor.duckdb")), date.min) / 1e6),
            billed,
        )


def _timed(folder: str) -> tuple[float, float, dict[str, Any]]:
    times, wall = os.times(), time.perf_counter()
    command = [*COMMAND, "plan", "--since", f"{SINCE:%Y-%m-%d}", "--until", f"{UNTIL:%Y-%m-%d}", "--json"]
    variables = environment() | {"X_BEARER_TOKEN": "x-bearer-token"}
    done = subprocess.run(
        command, cwd=folder, env=variables, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    seconds, after = time.perf_counter() - wall, os.times()
    busy = after.children_user + after.children_system - times.children_user - times.children_system
    return seconds, busy, json.loads(done.stdout)


def _bill(server: Connection) -> float:
    server.send("bill")
    return float(server.recv())


def _serve(pipe: Connection) -> None:
    from tests.servers.x import XServer, make_post

    server = XServer()
    server.limits.per_window["counts/all"] = 1_000_000
    each = (UNTIL - SINCE) / POSTS
    server.hold(*(make_post(f"SoundCloud may train AI on this {n}", SINCE + n * each, author=n) for n in range(POSTS)))
    with server:
        pipe.send(server.url)
        while pipe.recv():
            pipe.send(float(server.dollars()))
