"""What X has withdrawn of the stored posts: ids in, an answer out, in jobs that a kill may interrupt anywhere.

A check is planned in the store under a random name before X hears of it, and X's job bears that name: whatever was
done at X without our knowing is found again. The answer is applied in one transaction with the end of its check and
the cursor, so once. Deleted and protected posts, and what X withdrew, are removed; those of suspended and deactivated
accounts are hidden until a later answer does not name them. What stands as context in a reply is asked for as well.

X tells of no edits here, and charges nothing (November 2026).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from monitor.collect import json_text
from monitor.collect.apart import unless
from monitor.collect.backoff import Backoff
from monitor.collect.base import rejected
from monitor.collect.bluesky_record import parse_time
from monitor.collect.x_jobs import Gone, Job, JobsApi
from monitor.errors import CollectError
from monitor.records import AccountStatus, Asking, Batch, Check, Cursor, Deletion, Rejected, Scrub, Visibility
from monitor.store import Store
from monitor.store.checks import Asked, OpenCheck, asked, open_check

STREAM = "x:comply"
MOST = 100_000  # ids in one job: 2 MB to send
_AWAY: dict[str, Visibility] = {"deactivated": "deactivated", "suspended": "suspended"}
_FAILURES = 3  # jobs that X may let fail in a row
_LONGEST_POLL = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """What X says of one id; ``at`` is when it was withdrawn, where X says so."""

    id: str
    reason: str
    at: datetime | None


class ComplianceRun:
    """One pass over everything of X that is stored, or the rest of one.

    Args:
        jobs: X.
        store: what is asked about, and where the pass stands.
        stop: ends it soon; it goes on from there.
        on_check: called with the name of each check that is worked on, and again when it has ended.
        most: ids in one job.
        poll_seconds: the first wait for an answer; it doubles up to a minute (150 requests in 15 minutes are allowed).
        backoff: how faults are waited out.
    """

    def __init__(
        self,
        jobs: JobsApi,
        store: Store,
        stop: threading.Event,
        on_check: Callable[[str], None] = lambda _: None,
        *,
        most: int = MOST,
        poll_seconds: float = 1.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._jobs, self._store, self._stop, self._on_check = jobs, store, stop, on_check
        self._most, self._poll_seconds, self._backoff = most, poll_seconds, backoff or Backoff()
        self._failures = 0

    def run(self) -> None:
        """Until the pass is over or ``stop`` is set.

        Raises:
            CollectError: X cannot be asked, or lets one job after the other fail.
        """
        try:
            while not self._stop.is_set():
                try:
                    if self._is_over():
                        return
                    self._backoff.progress()
                except CollectError as error:
                    if self._stop.is_set():
                        return
                    if not self._backoff.wait(STREAM, error, self._stop):
                        raise
                if self._failures >= _FAILURES:
                    raise CollectError(f"X let {_FAILURES} compliance jobs in a row fail or expire", "Try later.")
        finally:
            self._jobs.close()

    def _is_over(self) -> bool:
        """Work on one check to its end; True when it was the last of the pass."""
        check = open_check(self._store, "x") or self._plan()
        if check is None:
            self._store.commit(Batch(STREAM, cursor=Cursor(STREAM, "")))
            return True
        self._on_check(check.name)
        try:
            is_applied = self._work(check)
        except Gone:
            self._fail(check, "expired")
            return False
        self._on_check(check.name)
        return is_applied and check.last == ""

    def _plan(self) -> OpenCheck | None:
        self._store.plan_check(f"monitor-{uuid.uuid4().hex[:16]}", STREAM, self._most)
        return open_check(self._store, "x")

    def _work(self, check: OpenCheck) -> bool:
        """True when the answer was applied, False when the job came to nothing, or was left for later."""
        job = self._ask(self._jobs.look, check.job) if check.job else self._begin(check)
        if job.status == "created" and check.state != "uploaded":
            ids = [one.id for one in asked(self._store, check.name)]
            if not ids:  # all of it was removed meanwhile; nothing can be asked, and X lets the job expire
                self._apply(check, [], [])
                return True
            self._ask(self._jobs.upload, job, ids)
            self._note(check, "uploaded")
        job = self._wait(job)
        if job.status == "complete":
            lines, unread = read(self._ask(self._jobs.download, job))
            self._apply(check, lines, unread)
            return True
        if job.status in ("failed", "expired"):
            self._fail(check, "failed" if job.status == "failed" else "expired")
        return False

    def _begin(self, check: OpenCheck) -> Job:
        job = self._ask(self._jobs.named, check.name) or self._ask(self._jobs.create, check.name)
        self._note(check, "created", job.id)
        return job

    def _wait(self, job: Job) -> Job:
        seconds = self._poll_seconds
        while (job := self._ask(self._jobs.look, job.id)).status in ("created", "in_progress"):
            if self._stop.wait(seconds):
                break
            seconds = min(2 * seconds, max(_LONGEST_POLL, self._poll_seconds))
        return job

    def _ask(self, call: Callable[..., T], *arguments: Any) -> T:
        """One request, which may stall for as long as its timeouts say while the operator wants to stop.

        Raises:
            CollectError: X cannot be asked, or ``stop`` was set meanwhile.
        """
        return unless(self._stop, partial(call, *arguments), "ask X what was taken back")

    def _note(self, check: OpenCheck, state: Asking, job: str | None = None) -> None:
        self._store.commit(Batch(STREAM, checks=(Check(check.name, "x", state, job),)))

    def _fail(self, check: OpenCheck, state: Asking) -> None:
        """End it; the same ids are asked for anew, since the cursor stays."""
        self._note(check, state)
        self._failures += 1

    def _apply(self, check: OpenCheck, lines: Sequence[Line], unread: Sequence[Rejected]) -> None:
        self._failures = 0
        self._store.commit(answer(check, asked(self._store, check.name), lines, unread))


def read(body: bytes) -> tuple[list[Line], list[Rejected]]:
    """The lines of an answer, and those that say nothing we know.

    Raises:
        CollectError: it breaks off in the middle; who is missing in it may not be taken for still there.
    """
    lines, unread = [], []
    whole = body.endswith(b"\n")
    texts = body.split(b"\n")
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        line = _line(text)
        if line is not None:
            lines.append(line)
        elif number == len(texts) and not whole:
            raise CollectError("X's answer breaks off in the middle")
        else:
            unread.append(rejected(STREAM, "compliance line without an id", text))
    return lines, unread


def answer(check: OpenCheck, ids: Iterable[Asked], lines: Iterable[Line], unread: Sequence[Rejected]) -> Batch:
    """What X's answer does to the store, the end of the check and the cursor with it.

    Ids that were not asked for are left alone.
    """
    known = {one.id: one for one in ids}
    named = {line.id: line for line in lines if line.id in known}
    gone = [line for line in named.values() if not _may_come_back(line, known[line.id])]
    statuses = _back(known, named) | _away(known, named)
    return Batch(
        STREAM,
        deletions=tuple(_deletion(line, known[line.id], check) for line in gone if line.reason != "scrub_geo"),
        scrubs=tuple(Scrub("x", line.id) for line in gone if line.reason == "scrub_geo"),
        accounts=tuple(AccountStatus("x", author_id, status, check.begun_at) for author_id, status in statuses.items()),
        rejected=tuple(unread),
        checks=(Check(check.name, "x", "applied", named=len(named)),),
        cursor=Cursor(STREAM, check.last or ""),
    )


def _may_come_back(line: Line, one: Asked) -> bool:
    """Hidden, not removed; whose author is unknown cannot be hidden."""
    return line.reason in _AWAY and bool(one.author_id)


def _away(known: dict[str, Asked], named: dict[str, Line]) -> dict[str, Visibility]:
    there = ((known[line.id], line) for line in named.values())
    return {one.author_id: _AWAY[line.reason] for one, line in there if _may_come_back(line, one)}


def _back(known: dict[str, Asked], named: dict[str, Line]) -> dict[str, Visibility]:
    """Authors who are hidden here, though X shows a post of theirs."""
    return {one.author_id: "active" for one in known.values() if one.hidden and one.id not in named}


def _deletion(line: Line, one: Asked, check: OpenCheck) -> Deletion:
    at = min(line.at or check.begun_at, datetime.now(UTC))
    if line.reason == "deleted":
        return Deletion("x", line.id, one.author_id, at, "author")
    # A reason that we do not know is taken at X's word as well: its action is always to delete.
    return Deletion("x", line.id, one.author_id, at, "protected" if line.reason == "protected" else "takedown")


def _line(text: bytes) -> Line | None:
    try:
        value = json_text.parse(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("id"), str | int):
        return None
    return Line(str(value["id"]), str(value.get("reason") or ""), parse_time(value.get("redacted_at")))
