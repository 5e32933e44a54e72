"""Hourly counts of long windows, as an event study takes them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitor.records import Window
from monitor.store.views import Reader, Scope

Values = NDArray[np.float64]


def hourly(store: Reader, scope: Scope, window: Window) -> Mapping[str, Values]:
    """Columns of ``hourly.sql`` over every hour of a window, zeros filled in, shape (hours,) each."""
    table = store.read("hourly", start=window.start, end=window.end, **scope.params())
    at = table["hour"].to_numpy()
    return {name: _dense(at, table[name].to_numpy(), window) for name in table.column_names if name != "hour"}


def loudest(store: Reader, scope: Scope, window: Window, loud: Window) -> Values:
    """Posts in each hour of a window by the account that posted most in ``loud``, shape (hours,)."""
    table = store.read(
        "hourly_loudest",
        start=window.start,
        end=window.end,
        loud_start=loud.start,
        loud_end=loud.end,
        **scope.params(),
    )
    return _dense(table["hour"].to_numpy(), table["posts"].to_numpy(), window)


def _dense(at: NDArray[np.int32], found: Values, window: Window) -> Values:
    values = np.zeros(int((window.end - window.start).total_seconds() // 3600))
    kept = at < len(values)
    values[at[kept]] = found[kept]
    return values
