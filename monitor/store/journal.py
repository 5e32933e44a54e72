"""Batches on their way into the store, in a file beside it, so that one commit can hold many.

A commit opens and closes the database, 0.1 s of processor; a line in the journal takes none, and outlives the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from monitor.records import Batch
from monitor.store.faults import our_errors

if TYPE_CHECKING:
    from monitor.store import Store


@contextmanager
def journal(store: Store, name: str) -> Iterator[Callable[[Batch], None]]:
    """Gives what takes down one batch of charges and counts; all are committed at the end, whatever ends it."""
    held: list[Batch] = []
    path = _path(store, name)
    with our_errors(path):
        try:
            with path.open("ab") as file:

                def note(batch: Batch) -> None:
                    held.append(batch)
                    file.write(orjson.dumps(batch) + b"\n")
                    file.flush()

                yield note
        finally:
            _commit(store, held)
            path.unlink(missing_ok=True)  # not reached where the commit fails: then ``recover`` needs it


def recover(store: Store, name: str) -> None:
    """Commit what a killed program took down; committed before or not, nothing of it counts twice."""
    path = _path(store, name)
    if path.exists():
        with our_errors(path):
            lines = path.read_bytes().splitlines()
        _commit(store, list(_read(lines)))
        path.unlink(missing_ok=True)


def _path(store: Store, name: str) -> Path:
    return store.path.with_name(f"{store.path.name}.{name}")


def _commit(store: Store, held: list[Batch]) -> None:
    if held:
        charges, counted = chain.from_iterable(b.charges for b in held), chain.from_iterable(b.counted for b in held)
        store.commit(replace(held[-1], charges=tuple(charges), counted=tuple(counted)))


def _read(lines: list[bytes]) -> Iterator[Batch]:
    from pydantic import TypeAdapter, ValidationError

    batches = TypeAdapter(Batch)
    for line in lines:
        try:
            yield batches.validate_json(line)
        except ValidationError:  # the kill came while it was written
            continue
