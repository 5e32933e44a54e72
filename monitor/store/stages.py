"""Who said what about leaving, and who deleted posts or went, as a removal funnel takes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.records import Window
from monitor.store.views import Reader, Scope

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """Columns of ``stages.sql``: one row for each relevant post, by author and time; ``chances`` is (posts, labels).

    ``gone`` says when each author last deleted a collected post, (posts,): minus infinity where none is known.
    """

    author_key: NDArray[np.uint64]
    at: Values
    label: NDArray[np.object_]
    chances: Values
    searched: NDArray[np.bool_]
    sampled: NDArray[np.bool_]
    gone: Values


def stages(store: Reader, scope: Scope, window: Window) -> Told:
    """The relevant posts of a window with what they say about leaving."""
    table = store.read("stages", start=window.start, end=window.end, **scope.params())
    order = np.lexsort((table["at"].to_numpy(), table["author_key"].to_numpy()))
    columns = {name: table[name].to_numpy()[order] for name in table.column_names if name != "chances"}
    flat = table["chances"].combine_chunks().flatten().to_numpy().astype(np.float64)
    chances = flat.reshape(table.num_rows, -1)[order] if table.num_rows else np.zeros((0, 1))
    return Told(**columns, chances=chances, gone=_gone(store, columns["author_key"]))


def hidden(store: Reader, scope: Scope, window: Window) -> dict[str, int]:
    """Authors whose posts that spoke of leaving are hidden, by the status of their account."""
    rows = store.read("hidden_stages", start=window.start, end=window.end, **scope.params()).to_pylist()
    return {row["status"]: row["authors"] for row in rows}


def departed(store: Reader, scope: Scope, window: Window) -> dict[str, int]:
    """Posts that were deleted in a window, by their last removal label or "not scored"; the hour decides.

    A post on two topics of the scope counts under each; see ``departures.sql``.
    """
    found = Counter[str]()
    for row in store.read("departures", start=window.start, end=window.end, **scope.params()).to_pylist():
        found[row["removal_label"] or "not scored"] += row["n"]
    return dict(found)


def _gone(store: Reader, author_key: NDArray[np.uint64]) -> Values:
    table = store.read("deleters")
    keys, gone = table["author_key"].to_numpy(), table["gone"].to_numpy()
    if len(keys) == 0:
        return np.full(len(author_key), -np.inf)
    place = np.minimum(np.searchsorted(keys, author_key), len(keys) - 1)
    return np.where(keys[place] == author_key, gone[place], -np.inf)
