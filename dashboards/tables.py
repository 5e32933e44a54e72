"""A series as the Arrow tables that a chart names, with wall-clock times of the viewer's zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from dashboards.wording import span, stamp, wall
from monitor.analyse.series import Counts, Series
from monitor.config import Event
from monitor.records import Gap, RuleVersion

ROWS = 3  # the names of events are set in so many rows, lest neighbours overlap

_TIME = pa.timestamp("ms", "UTC")
_BUCKET = [*((name, _TIME) for name in ("start", "end", "mid", "until")), ("when", pa.string())]
_BARS = pa.schema([*_BUCKET, ("what", pa.string()), *((name, pa.int64()) for name in ("n", "low", "high"))])
_MEANS = pa.schema([*_BUCKET, *((name, pa.float64()) for name in ("mean", "low", "high")), ("n", pa.int64())])
_GAPS = pa.schema(
    [("start", _TIME), ("end", _TIME), ("when", pa.string()), ("why", pa.string()), ("filled", pa.bool_())]
)
_BOUNDARIES = pa.schema([("start", _TIME), ("when", pa.string()), ("title", pa.string())])
_EVENTS = pa.schema(
    [
        ("start", _TIME),
        ("when", pa.string()),
        ("title", pa.string()),
        ("main", pa.bool_()),
        ("row", pa.int8()),
        ("top", pa.float64()),
    ]
)


class Buckets(Protocol):
    """What of a series says where its buckets lie."""

    @property
    def start(self) -> datetime: ...
    @property
    def seconds(self) -> int: ...
    @property
    def posts(self) -> Counts: ...
    @property
    def starts(self) -> list[datetime]: ...


def bars(series: Buckets, zone: ZoneInfo, *stacks: Mapping[str, Counts]) -> pa.Table:
    """Columns what, n, low, high: each stack grows from zero on its own.

    A zero has no height and needs no row, but the first and the last bucket have one, so that the axis spans them all.
    """
    edges = {0, len(series.posts) - 1}
    buckets, rows = _buckets(series, zone), []
    for stack in stacks:
        low = np.zeros(len(series.posts), dtype=np.int64)
        for what, heights in stack.items():
            cells = enumerate(zip(buckets, heights.tolist(), low.tolist(), strict=True))
            rows += [
                {**time, "what": what, "n": abs(n), "low": at, "high": at + n}
                for number, (time, n, at) in cells
                if n or number in edges
            ]
            low = low + heights
    return pa.Table.from_pylist(rows, schema=_BARS)


def means(series: Series, zone: ZoneInfo) -> pa.Table:
    """Columns mean, low, high, n: one row for each bucket, NULL where there is nothing to say."""
    mean, low, high = (values.tolist() for values in series.concern)
    cells = zip(_buckets(series, zone), mean, low, high, series.posts.tolist(), strict=True)
    rows = [
        {**time, "mean": _number(m), "low": _number(lo), "high": _number(hi), "n": n} for time, m, lo, hi, n in cells
    ]
    return pa.Table.from_pylist(rows, schema=_MEANS)


def gaps(series: Buckets, zone: ZoneInfo, ledger: Sequence[Gap]) -> pa.Table:
    """Columns start, end, why, filled: the gaps cut to the series."""
    last = _end(series)
    cut = [(max(gap.start, series.start), min(gap.end or last, last), gap) for gap in ledger]
    rows = [
        {
            "start": wall(start, zone),
            "end": wall(end, zone),
            "when": span(start, end, zone),
            "why": gap.why + (f"; filled by {gap.filled_by}, survivors only" if gap.filled_by else ""),
            "filled": gap.filled_by is not None,
        }
        for start, end, gap in cut
        if start < end
    ]
    return pa.Table.from_pylist(rows, schema=_GAPS)


def events(series: Buckets, zone: ZoneInfo, main: Event, others: Sequence[Event], top: float) -> pa.Table:
    """Columns start, title, main, row, top: the events that fall into the series, in the order of time."""
    within = [e for e in sorted((main, *others), key=lambda e: e.at) if series.start <= e.at < _end(series)]
    rows = [
        {
            "start": wall(event.at, zone),
            "when": stamp(event.at, zone),
            "title": event.title,
            "main": event is main,
            "row": number % ROWS,
            "top": top,
        }
        for number, event in enumerate(within)
    ]
    return pa.Table.from_pylist(rows, schema=_EVENTS)


def boundaries(series: Buckets, zone: ZoneInfo, versions: Sequence[RuleVersion]) -> pa.Table:
    """Columns start, title: where other rules began to choose the posts."""
    rows = [
        {
            "start": wall(version.since, zone),
            "when": stamp(version.since, zone),
            "title": f"rules of {version.topic}: version {version.number}",
        }
        for version in versions
        if series.start <= version.since < _end(series)
    ]
    return pa.Table.from_pylist(rows, schema=_BOUNDARIES)


def _buckets(series: Buckets, zone: ZoneInfo) -> list[dict[str, Any]]:
    """``until`` ends a bar a little early, so that neighbours stay apart."""
    step = timedelta(seconds=series.seconds)
    return [
        {
            "start": wall(at, zone),
            "end": wall(at, zone) + step,
            "mid": wall(at, zone) + step / 2,
            "until": wall(at, zone) + step * 0.88,
            "when": span(at, at + step, zone),
        }
        for at in series.starts
    ]


def _end(series: Buckets) -> Any:
    return series.start + timedelta(seconds=series.seconds * len(series.posts))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
