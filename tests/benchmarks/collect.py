"""How fast the live stream is decoded and matched, and whether its memory stays flat."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from importlib import resources
from multiprocessing.connection import Connection
from pathlib import Path

from tests.servers.flood import Flood

_PAGE = 4096


@dataclass(frozen=True)
class Drained:
    """``grown_bytes``: the most that resident memory rose above what it was after the first tenth."""

    per_second: float
    cpu_seconds: float
    matched: int
    grown_bytes: int


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Rows of (measure, target, measured)."""
    count = 200_000 if quick else 2_000_000
    with Flood(count) as flood:
        drained, size = _in_process(flood.url, count), flood.frame_bytes
    with Flood(count // 10, is_compressed=False) as flood:
        plain = _in_process(flood.url, count // 10)
    what = f"decode and match, {count:,} events of {size:,.0f} bytes from a loopback socket, server in its own process"
    return [
        (f"{what}, compressed", "at least 10,000 events/s", f"{drained.per_second:,.0f} events/s"),
        ("the same, not compressed", "at least 10,000 events/s", f"{plain.per_second:,.0f} events/s"),
        (
            f"memory grown over the last {count * 9 // 10:,} of them",
            "under 32 MB",
            f"{drained.grown_bytes / 1e6:.1f} MB",
        ),
    ]


def _in_process(url: str, count: int) -> Drained:
    """In a fresh process, whose memory is its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_drain, args=(theirs, url, count), daemon=True)
    process.start()
    theirs.close()
    drained: Drained = ours.recv()
    process.join()
    return drained


def _drain(pipe: Connection, url: str, count: int) -> None:
    from monitor.collect.bluesky import LiveCollector
    from monitor.collect.match import Matcher
    from monitor.config import Bluesky, parse

    matcher = Matcher(parse(resources.files("monitor").joinpath("example.toml").read_text("utf-8")).topics)
    collector = LiveCollector(Bluesky(jetstream_url=url))
    started, cpu_started, taken, matched, floor, highest = time.monotonic(), time.process_time(), 0, 0, 0, 0
    for batch in collector.pull(None):
        matched += sum(bool(matcher.match_post(post)) for post in batch.posts)
        if batch.cursor is not None:
            taken = int(batch.cursor.value.split('"seq":')[1].split(",")[0])
        if taken >= count // 10:
            highest = max(highest, _resident_bytes())
            floor = floor or highest
        if taken >= count:
            break
    pipe.send(
        Drained(count / (time.monotonic() - started), time.process_time() - cpu_started, matched, highest - floor)
    )


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
