"""Counts of every measure over long windows, as an event study and ``monitor series`` take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.records import Window
from monitor.store.views import Reader, Scope

if TYPE_CHECKING:
    import pyarrow as pa

Values = NDArray[np.float64]
_HOUR_SECONDS = 3600


def counted(
    store: Reader, scope: Scope, window: Window, seconds: int = _HOUR_SECONDS, without: Sequence[str] = ()
) -> Mapping[str, Values]:
    """Columns of ``hours.sql`` over every bucket of a window, zeros filled in, shape (buckets,) each.

    Args:
        without: topics whose posts are left out.
    """
    bounds = {"start": window.start, "end": window.end, "seconds": seconds}
    table = store.read("hours", **bounds, **scope.params(), without=list(without) or None)
    found = {name: np.zeros(_buckets(window, seconds)) for name in table.column_names[1:]}
    for name, values in found.items():
        values[table["bucket"].to_numpy()] = table[name].to_numpy()
    return found


def newcomers(store: Reader, scope: Scope, window: Window, seconds: int = _HOUR_SECONDS) -> Values:
    """How many authors first spoke in each bucket of a window, shape (buckets,)."""
    table = store.read("hours_new", start=window.start, end=window.end, seconds=seconds, **scope.params())
    found = np.zeros(_buckets(window, seconds))
    found[table["bucket"].to_numpy()] = table["authors"].to_numpy()
    return found


def loudest(store: Reader, scope: Scope, window: Window, loud: Sequence[Window]) -> Values:
    """Hourly posts by the author who posted most in each of these, shape (len(loud), hours)."""
    ends = {"starts": [one.start for one in loud], "ends": [one.end for one in loud]}
    bounds = {"start": window.start, "end": window.end, "seconds": _HOUR_SECONDS}
    table = store.read("hours_loudest", **bounds, **ends, **scope.params())
    found = np.zeros((len(loud), _buckets(window, _HOUR_SECONDS)))
    found[table["number"].to_numpy(), table["bucket"].to_numpy()] = table["posts"].to_numpy()
    return found


def sampled(store: Reader, scope: Scope, window: Window) -> pa.Table:
    """What was read of samples, by hour and slice; see ``hours_sampled.sql``."""
    bounds = {"start": window.start, "end": window.end, "seconds": _HOUR_SECONDS}
    return store.read("hours_sampled", **bounds, **scope.params())


def _buckets(window: Window, seconds: int) -> int:
    return -int(-(window.end - window.start).total_seconds() // seconds)
