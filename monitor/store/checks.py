"""Typed questions to the store about what platforms were asked to confirm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.records import Asking, Platform
from monitor.store import Store


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """One that has not ended. ``last`` is where the pass goes on after it, "" where it is the last of the pass."""

    name: str
    state: Asking
    job: str | None
    last: str | None
    begun_at: datetime
    asked: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One id that X is asked about; without an author where its text stands in replies only."""

    id: str
    author_id: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What was asked, answered and done in one check; posts include reposts, ``contexts`` are copies in replies."""

    name: str
    platform: Platform
    state: Asking
    job: str | None
    begun_at: datetime
    ended_at: datetime | None
    asked: int
    named: int
    deleted: int
    hidden: int
    shown: int
    scrubbed: int
    contexts: int


def open_check(store: Store, platform: Platform) -> OpenCheck | None:
    """The check of a platform that a kill, or a fault, left unfinished."""
    found = store.read("open_check", platform=platform).to_pylist()
    return OpenCheck(**found[0]) if found else None


def asked(store: Store, name: str) -> tuple[Asked, ...]:
    """What a check of X asks about, without what was removed since it was planned."""
    return tuple(Asked(**row) for row in store.read("asked", name=name).to_pylist())


def pass_ended(store: Store, platform: Platform, stream: str) -> datetime | None:
    """When the last pass over everything of a platform ended; None where one was left in the middle, or never was."""
    found = store.read("pass_ended", platform=platform, stream=stream)["ended_at"].to_pylist()
    return found[0] if found else None


def checks(store: Store, name: str | None = None) -> tuple[Checked, ...]:
    """All checks, or the one of that name, oldest first."""
    return tuple(Checked(**row) for row in store.read("checks", name=name).to_pylist())
