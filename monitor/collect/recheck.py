"""Recheck: which stored Bluesky posts still exist, and what engagement they have by now.

``getPosts`` leaves out what is gone without a word, so silence is the only sign of a deletion, and a deletion cannot
be undone here. Silence is therefore believed only when it is confirmed: each missing post is asked for once more, by
another route where there is one (who is logged in is not shown posts of those who block them), together with a
witness, a post that was there a moment ago. Where the witness is missing too, the server is at fault.

Posts of a deactivated or taken-down account are missing as well. They are hidden, not deleted: the account may be back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.collect import json_text
from monitor.collect.base import Malformed, rejected
from monitor.collect.bluesky_faults import Refused
from monitor.collect.bluesky_record import build_from_view, split_uri
from monitor.collect.bluesky_session import Session, anonymous, logged_in
from monitor.config import Bluesky, Secrets
from monitor.errors import CollectError
from monitor.records import AccountStatus, Batch, Check, Cursor, Deletion, Post, Rejected, Visibility

STREAM = "bluesky:recheck"
COMPLY = "bluesky:comply"
GROUP = 100  # posts between two commits
_URIS = 25  # that getPosts takes
SETTLED = timedelta(hours=1)  # how old a post must be: an AppView that lags behind does not know the newest yet
_VIEW_LAG = timedelta(minutes=10)
_UNBELIEVABLE = 100  # posts of which a server knows none
_STATES: dict[str, Visibility] = {"AccountDeactivated": "deactivated", "AccountTakedown": "takendown"}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Group:
    """What was learnt about some posts; becomes one batch."""

    stream: str
    asked: int = 0
    missing: int = 0
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    posts: list[Post] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    accounts: dict[str, AccountStatus] = field(default_factory=dict)
    looked_up: set[str] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)

    def batch(self, after: str, check: str) -> Batch:
        step = Check(check, "bluesky", "asking" if after else "applied", asked=self.asked, named=self.missing)
        return Batch(
            self.stream,
            posts=tuple(self.posts),
            deletions=tuple(self.deletions),
            accounts=tuple(self.accounts.values()),
            rejected=tuple(self.rejected),
            checks=(step,) if check else (),
            cursor=Cursor(self.stream, after),
        )


class RecheckCollector:
    """Ask for every stored post once; the cursor is the last id asked, or "" when all were.

    Args:
        stored: the ids that follow one, in order, "" for the first; a page of any length, empty at the end. Only of
            posts that are ``SETTLED``: what a server does not know yet would pass for deleted.
        session: where to ask.
        confirm: where to ask again for what is missing; ``session`` itself by default.
        pause_seconds: between two groups of 100 posts.
        check: name of the pass in the proof log, with a cursor of its own; "" keeps no proof.
    """

    def __init__(
        self,
        stored: Callable[[str], Sequence[str]],
        session: Session,
        confirm: Session | None = None,
        pause_seconds: float = 0.25,
        check: str = "",
    ) -> None:
        self.stream = COMPLY if check else STREAM
        self._check_name = check
        self._stored = stored
        self._session = session
        self._confirm = confirm or session
        self._pause_seconds = pause_seconds
        self._closed = threading.Event()
        self._witness: str | None = None

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """One batch for each group of posts: engagement of those that are there, deletions of those that are not."""
        groups = self._groups(cursor.value if cursor else "")
        ids = next(groups, None)
        try:
            while ids is not None and not self._closed.is_set():
                group = self._check(ids)
                following = next(groups, None)
                yield group.batch(ids[-1] if following else "", self._check_name)
                ids = following
                self._closed.wait(self._pause_seconds if ids else 0.0)
        finally:
            self._session.close()
            self._confirm.close()

    def close(self) -> None:
        """Make ``pull`` return after the group it is at."""
        self._closed.set()

    def _groups(self, after: str) -> Iterator[Sequence[str]]:
        while page := self._stored(after):
            yield from (page[start : start + GROUP] for start in range(0, len(page), GROUP))
            after = page[-1]

    def _check(self, ids: Sequence[str]) -> _Group:
        group = _Group(self.stream)
        wanted = [post_id for post_id in ids if _is_post(post_id)]
        views = _existing(self._session, wanted)
        self._witness = next(iter(views), self._witness)
        missing = [post_id for post_id in wanted if post_id not in views]
        if missing:
            views |= self._ask_again(missing, ids[-1])
        for view in views.values():
            self._found(group, view)
        for post_id in missing:
            if post_id not in views:
                self._missing(group, post_id)
        group.asked, group.missing = len(wanted), len(set(wanted) - views.keys())
        return group

    def _ask_again(self, missing: Sequence[str], after: str) -> dict[str, Any]:
        """Those of the missing posts that exist after all.

        Raises:
            CollectError: the server does not even know what it showed a moment ago, or knows nothing of ours.
        """
        witness = self._witness or self._find_witness(after)
        if witness is None and len(missing) >= _UNBELIEVABLE:
            raise _failing(self._session, f"knows none of {len(missing)} stored posts")
        views: dict[str, Any] = {}
        size = _URIS - 1
        for start in range(0, len(missing), size):
            asked = [*missing[start : start + size], *([witness] if witness else [])]
            answer = _existing(self._confirm, asked)
            if witness is not None and answer.pop(witness, None) is None:
                self._witness = None
                raise _failing(self._confirm, "leaves out a post that was there a moment ago")
            views |= answer
        return views

    def _find_witness(self, after: str) -> str | None:
        """A stored post behind ``after`` that the server knows, searched among the next thousand."""
        for _ in range(10):
            ids = self._stored(after)[:GROUP]
            if not ids:
                return None
            views = _existing(self._session, [post_id for post_id in ids if _is_post(post_id)])
            if views:
                self._witness = next(iter(views))
                return self._witness
            after = ids[-1]
        raise _failing(self._session, "knows none of 1,000 stored posts")

    def _found(self, group: _Group, view: Any) -> None:
        try:
            post = build_from_view(view, measured_at=group.asked_at, source="recheck")
        except Malformed as error:
            group.rejected.append(rejected(group.stream, error.why, json_text.write(view), group.asked_at))
            return
        # What is stored is taken even where no rule matches it any more: the view may show an edit. But what the live
        # stream brought in the last minutes is newer than a view that lags behind.
        group.posts.append(replace(post, observed_at=group.asked_at - _VIEW_LAG, is_edit=True))
        group.accounts[post.author_id] = AccountStatus("bluesky", post.author_id, "active", group.asked_at - _VIEW_LAG)

    def _missing(self, group: _Group, post_id: str) -> None:
        author_id, _ = split_uri(post_id)
        if author_id not in group.accounts and author_id not in group.looked_up:
            group.looked_up.add(author_id)
            self._look_up(group, author_id)
        status = group.accounts.get(author_id)
        if status is None or status.status == "active":
            group.deletions.append(Deletion("bluesky", post_id, author_id, datetime.now(UTC), "missing"))

    def _look_up(self, group: _Group, author_id: str) -> None:
        """Note the author's account in the group if it is hidden rather than gone."""
        try:
            self._confirm.query("app.bsky.actor.getProfile", {"actor": author_id})
        except Refused as error:
            if (state := _STATES.get(error.name)) is not None:
                group.accounts[author_id] = AccountStatus("bluesky", author_id, state, datetime.now(UTC))


def recheck(
    settings: Bluesky, secrets: Secrets, session_path: Path, stored: Callable[[str], Sequence[str]], check: str = ""
) -> RecheckCollector:
    """A recheck that asks logged in where credentials are set and anonymously else; see ``bluesky_session.anonymous``.

    What a login does not see is asked for again without it, at bsky.social's public AppView or at the same server.
    """
    without = anonymous(settings)
    has_login = secrets.bluesky_handle and secrets.bluesky_app_password
    session = logged_in(settings, secrets, session_path) if has_login else without
    confirm = without if without.service_url != session.service_url else session
    log.info("looking posts up %s, missing ones again %s", session.name, confirm.name)
    return RecheckCollector(stored, session, confirm, check=check)


def _existing(session: Session, ids: Sequence[str]) -> dict[str, Any]:
    """Views of the posts that the server knows, by id."""
    views: dict[str, Any] = {}
    asked = set(ids)
    for start in range(0, len(ids), _URIS):
        answer = session.query("app.bsky.feed.getPosts", {"uris": list(ids[start : start + _URIS])})
        if not isinstance(answer.get("posts"), list):
            raise CollectError(f"{session.service_url} answered getPosts without posts")
        named = ((view.get("uri"), view) for view in answer["posts"] if isinstance(view, dict))
        views |= {uri: view for uri, view in named if isinstance(uri, str) and uri in asked}
    return views


def _is_post(post_id: str) -> bool:
    """Reposts have ids too, but getPosts knows none."""
    try:
        split_uri(post_id)
    except Malformed:
        return False
    return True


def _failing(session: Session, what: str) -> CollectError:
    return CollectError(
        f"{session.service_url} {what}; nothing was deleted", "Check [bluesky].service_url, or try later."
    )
