"""Counts of every bucket as rows: empty where nobody looked, zero where nothing was said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from monitor.analyse.coverage import collected as share_collected
from monitor.analyse.series import floored
from monitor.records import Window
from monitor.store import Store
from monitor.store.hours import counted, newcomers
from monitor.store.views import Scope
from monitor.study import event_gaps

_MONDAY = timedelta(days=4)  # the first one since 1970
_COUNTS = ("posts", "authors", "new_authors", "texts", "considering", "committed", "done", "blocked")


def rows(store: Store, scope: Scope, window: Window, seconds: int) -> list[dict[str, Any]]:
    """One for each bucket of a window, whose edges are whole ones since 1970; weeks begin on Mondays, all in UTC.

    Figures are None where nothing of the bucket was collected, and as counted, not scaled up, where a part was.
    ``new_authors`` are those of whom nothing earlier of what is counted is stored.
    """
    shift = _MONDAY % timedelta(seconds=seconds)
    start = floored(window.start - shift, seconds) + shift
    n = -int(-(window.end - start).total_seconds() // seconds)
    whole = Window(start, start + timedelta(seconds=n * seconds))
    with store.reading() as moment:
        found = {**counted(moment, scope, whole, seconds), "new_authors": newcomers(moment, scope, whole, seconds)}
        shares = share_collected(start, seconds, n, event_gaps(moment, whole, scope.topics))
    told = []
    for i in range(n):
        posts, seen = float(found["posts"][i]), shares[i] > 0 or found["posts"][i] > 0
        told.append(
            {
                "start": (start + timedelta(seconds=i * seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                **{name: round(float(found[name][i])) if seen else None for name in _COUNTS},
                "unscored": round(float(found["waiting"][i])) if seen else None,
                "concern": round(float(found["concern"][i]) / posts, 4) if posts else None,
                "concern2": round(float(found["concern2"][i]) / posts, 4) if posts else None,
                "collected": round(float(shares[i]), 4),
            }
        )
    return told
