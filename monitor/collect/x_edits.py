"""What became of stored X posts in the hour in which their authors may edit them.

X's stream sends a new version only where it matches a rule still, and X wants what was changed to be changed here too.
So each post that was read while it could be edited is looked up once after that, by a hundred ids. X bills a post once
per UTC day: most of these reads cost nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import timedelta

from monitor.collect.archive_x import newer_versions
from monitor.collect.x_api import Api
from monitor.collect.x_read import Pending
from monitor.collect.x_spend import MICRO, Till
from monitor.errors import CollectError
from monitor.records import Batch, Cursor

STREAM = "x:edits"
EDITABLE = timedelta(hours=1)  # after a post was made (X's help centre, 2024)
SETTLED = EDITABLE + timedelta(minutes=5)
_IDS = 100  # in one look-up

Stored = Callable[[str], Sequence[str]]


class EditsCollector:
    """Look up every post once; the cursor is the last id asked for.

    Args:
        api: who asks.
        stored: the ids that follow one, in order, "" for the first; a page of any length, empty at the end.
        till: what may be spent.
    """

    stream = STREAM

    def __init__(self, api: Api, stored: Stored, till: Till) -> None:
        self._api, self._stored, self._till = api, stored, till
        self._closed = threading.Event()

    def close(self) -> None:
        """Make ``pull`` return after the look-up it is at."""
        self._closed.set()

    def pull(self, cursor: Cursor | None) -> Generator[Batch, None, None]:
        """One batch for each hundred posts: those edited, in their last version, and what the reading cost.

        Raises:
            CollectError: X gave no answer, or none of a look-up.
        """
        pending = Pending(STREAM, self._api.settings)
        try:
            for ids in self._groups(cursor.value if cursor else ""):
                if self._closed.is_set():
                    return
                newer = self._look_up(ids, pending)
                if newer:
                    self._look_up(newer, pending)
                pending.posts = [post for post in pending.posts if post.is_edit]
                pending.seen.clear()  # they were inspected when they were read first
                yield pending.batch(Cursor(STREAM, ids[-1]))
        except CollectError:
            if pending.charged:  # the first of two answers is paid for
                yield pending.bill()
            raise
        finally:
            self._api.close()

    def _groups(self, after: str) -> Iterator[Sequence[str]]:
        while page := self._stored(after):
            while page:
                most = self._payable()
                yield page[:most]
                after, page = page[:most][-1], page[most:]

    def _payable(self) -> int:
        """How many ids the budget allows even if each is read anew today and was edited: that is a second read."""
        each = round(2 * self._api.settings.prices.post * MICRO)
        most = min(_IDS, self._till.left() // each) if each else _IDS
        if most < 1:
            self._till.check(each)
        return max(1, most)

    def _look_up(self, ids: Sequence[str], pending: Pending) -> list[str]:
        """Take the answer; the ids of newer versions than were asked for."""
        charged = len(pending.charged)
        answer = self._api.look_up(ids)
        if not {"data", "errors"} & answer.keys():  # of each id asked for, one or the other tells
            raise CollectError("X answered a look-up with neither posts nor errors")
        pending.take_answer(answer, "search", self._api.now())
        self._till.note(pending.charged[charged:])
        return newer_versions(answer)
