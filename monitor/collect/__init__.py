"""The room that knows platforms, and the one loop through which everything enters the store: pull, match, commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import chain

from monitor.collect.backoff import Backoff
from monitor.collect.base import Collector
from monitor.collect.match import Matcher
from monitor.collect.versions import note
from monitor.collect.watch import Watch
from monitor.errors import CollectError
from monitor.records import AccountStatus, Batch, Deletion, Post
from monitor.store import Committed, Store

__all__ = ["COLLECTORS", "collect"]

# Every collector, and where it stands. The contract test demands tests/collect/rig_<name>.py of each.
COLLECTORS = {
    "bluesky": "monitor.collect.bluesky:LiveCollector",
    "x": "monitor.collect.x:StreamCollector",
    "x_search": "monitor.collect.x_search:SearchCollector",
    "x_edits": "monitor.collect.x_edits:EditsCollector",
    "x_sample": "monitor.collect.x_sample:SampleCollector",
    "search": "monitor.collect.bluesky_search:SearchCollector",
    "recheck": "monitor.collect.recheck:RecheckCollector",
    "archive": "monitor.collect.archive:ArchiveCollector",
}

OnCommit = Callable[[Batch, Committed], None]

_HOLD_ITEMS = 5_000
_LONGEST_PAUSE_SECONDS = 2.0
_PAUSES = 4.0  # times what a commit took: opening and closing the file costs 0.1 s of processor whatever is written
_PARTS = ("posts", "deletions", "accounts", "scrubs", "checks", "seen", "rejected", "gaps", "charges", "counted")


def collect(
    collector: Collector,
    store: Store,
    matcher: Matcher,
    watch: Watch,
    stop: threading.Event,
    on_commit: OnCommit | None = None,
    backoff: Backoff | None = None,
    commit_seconds: float = 0.2,
    hold_seconds: float = 2.0,
) -> None:
    """Move one source into the store until it is exhausted or ``stop`` is set; the caller closes the collector.

    Posts are kept that match a rule, that hang on a watched post, or that are edits (the store takes those of posts it
    holds). After a fault of the source the stream goes on from the committed cursor.

    Args:
        on_commit: called after every commit with what was committed and what came of it.
        backoff: how faults are waited out.
        commit_seconds: at least so long between two commits, so that a replay is not slowed down by them; 0 for none.
        hold_seconds: how long what brings no post waits for what does: each commit shuts out the pages for a moment.

    Raises:
        CollectError: the source cannot be read and trying again is hopeless.
        StoreError: at once; nothing of the failed batch was kept.
    """
    backoff = backoff or Backoff()
    inlet = _Inlet(store, matcher, watch, on_commit, commit_seconds, hold_seconds)
    while not stop.is_set():
        try:
            _drain(collector, store, inlet, stop, backoff)
            return
        except CollectError as error:
            if not backoff.wait(collector.stream, error, stop):
                raise


def _drain(collector: Collector, store: Store, inlet: _Inlet, stop: threading.Event, backoff: Backoff) -> None:
    try:
        # Closed, since a fault of the store would leave its socket open until the program hangs on it.
        with closing(collector.pull(store.cursor(collector.stream))) as batches:
            for batch in batches:
                if inlet.take(batch) and batch.cursor is not None:  # a bill alone is no progress
                    backoff.progress()
                if stop.is_set():  # its last batch may hold what was paid for
                    collector.close()
    except CollectError:
        inlet.flush()
        raise
    inlet.flush()


class _Inlet:
    """What was pulled but is not committed yet."""

    def __init__(
        self,
        store: Store,
        matcher: Matcher,
        watch: Watch,
        on_commit: OnCommit | None,
        commit_seconds: float,
        hold_seconds: float,
    ) -> None:
        self._store, self._matcher, self._watch, self._on_commit = store, matcher, watch, on_commit
        self._commit_seconds, self._hold_seconds = commit_seconds, hold_seconds
        self._versions = note(store, matcher.topics)
        self._held = _Held()
        self._committed_at, self._next_at = time.monotonic(), 0.0

    def take(self, batch: Batch) -> bool:
        """Match a batch and commit it, or hold it for a moment; True when it was committed."""
        posts, has_forgotten = self._kept(batch)
        is_lost = any(gap.end is None for gap in batch.gaps)
        self._held.add(replace(batch, posts=posts), is_urgent=bool(posts) or is_lost or has_forgotten)
        now = time.monotonic()
        if now - self._committed_at >= self._hold_seconds or self._held.items >= _HOLD_ITEMS:
            return self.flush()
        return self._held.is_urgent and now >= self._next_at and self.flush()

    def flush(self) -> bool:
        """Commit what is held, if there is anything; True when there was."""
        batch, self._held = self._held.joined(), _Held()
        if batch is None:
            return False
        begun = time.monotonic()
        committed = self._store.commit(batch)
        self._committed_at = time.monotonic()
        pause = min(_LONGEST_PAUSE_SECONDS, _PAUSES * (self._committed_at - begun)) if self._commit_seconds else 0.0
        self._next_at = self._committed_at + max(self._commit_seconds, pause)
        if self._on_commit is not None:
            self._on_commit(batch, committed)
        return True

    def _kept(self, batch: Batch) -> tuple[tuple[Post, ...], bool]:
        """The posts that belong here, and whether a watched one is gone.

        Read in the order of time, so that an answer to what was gone by then is left out however the events were cut
        into batches.
        """
        kept, has_forgotten = [], False
        records: list[Post | Deletion | AccountStatus] = [*batch.posts, *batch.deletions, *batch.accounts]
        for record in sorted(records, key=_time):
            if isinstance(record, Post):
                post = self._matched(record)
                kept += [post] if post.matched or post.is_edit else []
            else:
                has_forgotten |= self._watch.forget(record)
        return tuple(kept), has_forgotten

    def _matched(self, post: Post) -> Post:
        # An import may keep a file whole: its posts come matched.
        rules = tuple(dict.fromkeys((*post.matched, *self._matcher.match_post(post))))
        topics = {rule.split("/")[0] for rule in rules}
        rules += tuple(rule for rule in self._watch.rules_of(post) if rule.split("/")[0] not in topics)
        if rules:
            versions = {self._versions[topic] for rule in rules if (topic := rule.split("/")[0]) in self._versions}
            post = replace(post, matched=rules, versions=tuple(sorted(versions)))
            self._watch.add(post)
        return post


def _time(record: Post | Deletion | AccountStatus) -> datetime:
    if isinstance(record, Post):
        return record.observed_at
    return record.deleted_at if isinstance(record, Deletion) else record.changed_at


class _Held:
    """Batches that wait for one commit."""

    def __init__(self) -> None:
        self.items = 0
        self.is_urgent = False
        self._batches: list[Batch] = []

    def add(self, batch: Batch, *, is_urgent: bool) -> None:
        if batch == Batch(batch.stream):
            return
        self._batches.append(batch)
        self.items += len(batch.posts) + len(batch.deletions) + len(batch.accounts) + len(batch.rejected)
        self.is_urgent |= is_urgent

    def joined(self) -> Batch | None:
        """All of them as one; None when there is none."""
        if not self._batches:
            return None
        parts = {name: tuple(chain.from_iterable(getattr(b, name) for b in self._batches)) for name in _PARTS}
        cursors = [batch.cursor for batch in self._batches if batch.cursor is not None]
        return Batch(self._batches[-1].stream, **parts, cursor=cursors[-1] if cursors else None)
