"""Typed questions about texts that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.store import Store

_SLICE = 100_000  # sketches read at once: all of a million would hold the file for 0.8 s


@dataclass(frozen=True, slots=True)
class Ungrouped:
    """A text that waits for its group; ``revision`` goes back with it."""

    key: int
    revision: int
    text: str


def ungrouped(store: Store, limit: int) -> list[Ungrouped]:
    """Posts without a text group, oldest first."""
    return [Ungrouped(**row) for row in store.read("ungrouped", limit=limit).to_pylist()]


def groups_of(store: Store, forms: Sequence[int]) -> dict[int, int]:
    """The group of each form that is known already."""
    rows = store.read("text_forms", forms=list(forms)).to_pylist()
    return {row["form"]: row["text_group"] for row in rows}


def sketches(store: Store, bands: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Groups that may be near any of the texts with these bands, in the order in which they were made."""
    last = store.read("text_groups_end")["last"][0].as_py()
    for first in range(0, last, _SLICE):
        rows = store.read("text_sketches", bands=list(bands), first=first, last=first + _SLICE).to_pylist()
        yield from ((row["text_group"], tuple(row["sketch"])) for row in rows)
