"""How much of a stretch of time a stream collected: live, filled afterwards, or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.records import Gap, Window

ENOUGH = 0.9  # share of a window below which whatever is said of it must say so
_NAMES = {"bluesky": "Bluesky", "x": "X"}
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
Micros = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ledger:
    """One stream's whole history, ready to be asked: whole microseconds since 1970, in which no edge is rounded.

    From ``at[i]`` to ``at[i + 1]`` the stream was in one state. ``live`` and ``filled`` are the microseconds spent so
    before ``at[i]``; before the first entry and after the last nothing was collected.
    """

    stream: str
    at: Micros
    live: Micros
    filled: Micros


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of a window that add up to 1: collected ``live``, ``filled`` afterwards, ``missing``."""

    stream: str
    window: Window
    live: float
    filled: float
    missing: float

    @property
    def collected(self) -> float:
        return 1 - self.missing


@dataclass(frozen=True, slots=True)
class BucketCoverage:
    """The same shares for each bucket, shape (buckets,)."""

    stream: str
    live: Shares
    filled: Shares
    missing: Shares

    @property
    def collected(self) -> Shares:
        return 1 - self.missing


def ledger(stream: str, gaps: Iterable[Gap], first_at: datetime | None, now: datetime) -> Ledger:
    """What is known of ``stream`` from its gaps (those of other streams are left out).

    Time before ``first_at`` and after ``now`` is missing. An open gap lasts until ``now``. Where a filled gap and an
    unfilled one overlap the time is missing; what a filled gap covers before ``first_at`` was filled.

    Args:
        first_at: when the stream first collected; None where it never did.
        now: or, for a stream that stands still, up to when it had come (``windows.reached``).
    """
    own = [gap for gap in gaps if gap.stream == stream]
    today = _micros([now])[0]
    first = today if first_at is None else _micros([first_at])[0]
    starts = _micros([gap.start for gap in own])
    ends = np.maximum(_micros([gap.end or now for gap in own]), starts)
    is_filled = np.array([gap.filled_by is not None for gap in own], bool)
    edges = np.concatenate([starts, ends, [first, today]])
    order = np.argsort(edges, kind="stable")
    at = edges[order]
    unfilled, filled = (_depth(which, order) > 0 for which in (~is_filled, is_filled))
    is_known = ~unfilled & (at < today)
    return Ledger(stream, at, _spent(at, is_known & ~filled & (at >= first)), _spent(at, is_known & filled))


def coverage(history: Ledger, window: Window) -> Coverage:
    """What part of ``window`` was collected.

    Raises:
        ValueError: the window has no width.
    """
    found = coverage_by_bucket(history, [window.start, window.end])
    return Coverage(history.stream, window, float(found.live[0]), float(found.filled[0]), float(found.missing[0]))


def coverage_by_bucket(history: Ledger, edges: Sequence[datetime]) -> BucketCoverage:
    """What part of each bucket was collected; bucket i lies between edges i and i + 1.

    Raises:
        ValueError: the edges do not ascend.
    """
    times = _micros(edges)
    width = np.diff(times)
    if len(width) == 0 or (width <= 0).any():
        raise ValueError("the edges of buckets must ascend")
    live, filled = (np.diff(_before(history.at, spent, times)) for spent in (history.live, history.filled))
    return BucketCoverage(history.stream, live / width, filled / width, (width - live - filled) / width)


def collected(start: datetime, seconds: int, n: int, gaps: Iterable[Gap]) -> Shares:
    """Share of each of ``n`` buckets outside every unfilled gap of any stream, shape (n,); an open gap reaches the end.

    Of streams taken together only their gaps count: one of them may have begun long after another, which is no loss.
    """
    if n == 0:
        return np.zeros(0)
    edges = [start + timedelta(seconds=seconds * i) for i in range(n + 1)]
    whole = Window(edges[0], edges[-1])
    unfilled = [replace(gap, stream="") for gap in gaps if gap.filled_by is None]
    return coverage_by_bucket(ledger("", unfilled, whole.start, whole.end), edges).collected


def shortfall(found: Sequence[Coverage]) -> str:
    """One sentence where a source collected less than ``ENOUGH`` of a window; empty where all have enough."""
    least = min(found, key=lambda one: one.collected, default=None)
    if least is None or least.collected >= ENOUGH:
        return ""
    told = "; ".join(f"{source_name(one.stream)}: {parts(one)}" for one in found)
    how_much = f"Only {_percent(least.collected)}% of" if least.collected > 0 else "Nothing of"
    verb = "was" if least.collected == 0 or _span(least.window).startswith("this") else "were"
    return f"{how_much} {_span(least.window)} {verb} collected ({told}); what is missing is not zero."


def source_name(stream: str) -> str:
    """A stream as people call it: Bluesky, X, Bluesky search soundcloud."""
    platform, _, rest = stream.partition(":")
    name = _NAMES.get(platform, platform)
    return name if rest in ("", "live") else f"{name} {rest.replace(':', ' ')}"


def parts(one: Coverage) -> str:
    """What was collected, as words: 60% live, 12% filled later."""
    live, filled = _percent(one.live), _percent(one.collected) - _percent(one.live)
    if one.collected == 0:
        return "nothing"
    return f"{live}% live" + (f", {filled}% filled later" if one.filled > 0 else "")


def _micros(times: Sequence[datetime]) -> Micros:
    # Rounded, a double holds microseconds exactly until 2112; dividing timedeltas takes half as long again.
    return np.rint(np.array([at.timestamp() for at in times], np.float64) * 1e6).astype(np.int64)


def _depth(which: NDArray[np.bool_], order: NDArray[np.int_]) -> Micros:
    """How many of the gaps ``which`` are open from each edge on; the two last edges open and close none."""
    steps = np.concatenate([which, -which.astype(np.int64), [0, 0]])
    return np.cumsum(steps[order])


def _spent(at: Micros, is_in: ArrayLike) -> Micros:
    return np.concatenate([[0], np.cumsum(np.diff(at) * np.asarray(is_in)[:-1])])


def _before(at: Micros, spent: Micros, times: Micros) -> Micros:
    """Microseconds spent in a state before each of ``times``."""
    place = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 1)
    following = np.minimum(place + 1, len(at) - 1)
    is_in = spent[following] > spent[place]
    return np.asarray(spent[place] + is_in * np.maximum(times - at[place], 0))


def _percent(share: float) -> int:
    """Rounded down: 89.9 % is not 90, and what is not whole is not 100."""
    return math.floor(share * 100 + 1e-9)


def _span(window: Window) -> str:
    seconds = (window.end - window.start).total_seconds()
    # A page's window is cut to its buckets: 23 hours and 57 minutes are a day to whoever chose one.
    unit, width = next((one for one in _UNITS if _fits(seconds, one[1])), _UNITS[-1])
    n = max(1, round(seconds / width))
    return f"this {unit}" if n == 1 else f"these {n:,} {unit}s"


def _fits(seconds: float, width: int) -> bool:
    """Whether whole units of ``width`` are within a fiftieth of it."""
    n = round(seconds / width)
    return n > 0 and abs(seconds - n * width) <= seconds / 50
