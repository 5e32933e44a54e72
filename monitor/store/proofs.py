"""The log of what was removed or hidden since somebody asked for it, as a proof to whoever did."""

from __future__ import annotations

from monitor.records import Proof
from monitor.store import Store


def forgotten(store: Store) -> tuple[Proof, ...]:
    """Every request to be forgotten, oldest first."""
    return _proofs(store, by_check=False)


def complied(store: Store) -> tuple[Proof, ...]:
    """Every post or author of which something was done by a platform's answer, oldest first."""
    return _proofs(store, by_check=True)


def _proofs(store: Store, *, by_check: bool) -> tuple[Proof, ...]:
    return tuple(Proof(**row) for row in store.read("proofs", by_check=by_check).to_pylist())
