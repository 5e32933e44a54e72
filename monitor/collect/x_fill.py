"""What the filtered stream missed, asked of recent search beside it, page by page.

X's stream cannot be resumed. Each time that it missed is a hole; how far search has come in it stands in the cursor,
so that neither a lost connection nor a restart begins anew. Search may read 450 pages in 15 minutes, a fifth of what
the stream can bring: hours that were missed take hours, and the stream goes on meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.collect.apart import apart
from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_place import Place, fingerprint
from monitor.collect.x_query import RECENT_LIMIT
from monitor.collect.x_read import Pending, next_page, oldest
from monitor.collect.x_spend import Till, affordable
from monitor.errors import CollectError, OverBudget, RateLimited
from monitor.records import Gap, Window

_REACH = timedelta(days=7)  # of recent search
_TIME_TO_ASK = timedelta(minutes=10)
_MARGIN = timedelta(minutes=1)
PAGE = 100
PATIENCE_SECONDS = 180.0
_ATTEMPTS = 6  # at one page, the last after some 45 minutes
_TOO_LATE = "recent search reaches back 7 days only"


@dataclass(frozen=True, slots=True)
class Hole:
    """A time that the stream missed, by X's clock, and the next page that search is to be asked for."""

    start: datetime
    end: datetime
    why: str
    place: Place

    @classmethod
    def of(cls, start: datetime, end: datetime, why: str, rules: str) -> Hole:
        """Nothing of it was asked for."""
        # X takes whole seconds, and tells its time in such.
        asked = Window(start, end + timedelta(seconds=2))
        return cls(start, end, why, Place.of(asked, start, rules, RECENT_LIMIT))

    def is_untouched(self, why: str) -> bool:
        """Has it the same reason, and was nothing of it asked for?"""
        return self == Hole.of(self.start, self.end, why, self.place.rules)

    def gap(self, stream: str) -> Gap:
        """As the ledger holds it while search is at it."""
        return Gap(stream, self.start, self.end, f"{self.why}; search is not yet through")

    def closed(self, stream: str) -> Gap:
        """As the ledger holds it in the end."""
        if self.place.gap:
            return Gap(stream, self.start, self.end, f"{self.why}; not filled: {self.place.gap}")
        return Gap(stream, self.start, self.end, self.why, "search")

    def given_up(self, why: str) -> Hole:
        """With a reason for which it is not, or not wholly, filled."""
        return replace(self, place=replace(self.place, gap=self.place.gap or why))

    def written(self) -> dict[str, Any]:
        """For the cursor."""
        times = {"start": self.start.timestamp(), "end": self.end.timestamp()}
        return times | {"why": self.why, "place": asdict(self.place)}

    @classmethod
    def read(cls, value: dict[str, Any]) -> Hole:
        """What ``written`` gave.

        Raises:
            ValueError, KeyError, TypeError, OverflowError, OSError: it was something else.
        """
        start, end = (datetime.fromtimestamp(value[name], UTC) for name in ("start", "end"))
        return cls(start, end, str(value["why"]), Place(**value["place"]))


@dataclass(slots=True)
class Filler:
    """Asks for the holes in turn, one page at a time, without ever letting its caller wait.

    Args:
        api: who asks; of its own, since a call may still stall when the stream is connected anew.
        stream: whose gaps these are.
        queries: in the language of search, together as wide as the rules of the stream.
        till: what may be spent.
        lag_seconds: how old a time must be for search to know its posts.
    """

    api: Api
    stream: str
    queries: Sequence[str]
    till: Till
    lag_seconds: float
    holes: list[Hole] = field(default_factory=list)
    _call: Future[dict[str, Any]] | None = None
    _asked: Place | None = None
    _overdue: list[Future[dict[str, Any]]] = field(default_factory=list)
    _not_before: float = 0.0  # monotonic
    _faults: int = 0
    _patience: float = 0.0  # monotonic

    @property
    def rules(self) -> str:
        """Fingerprint of the queries."""
        return fingerprint(self.queries)

    @property
    def is_busy(self) -> bool:
        """Is there anything to wait for?"""
        return bool(self.holes or self._overdue)

    def resume(self, holes: Sequence[Hole]) -> None:
        """Go on with the holes of the committed cursor; under other rules each is asked for from its start."""
        self.holes = [
            hole if hole.place.rules == self.rules else Hole.of(hole.start, hole.end, hole.why, self.rules)
            for hole in holes
        ]

    def add(self, start: datetime, end: datetime, why: str, pending: Pending, *, is_start: bool) -> None:
        """The stream missed everything from ``start`` to ``end``.

        A program that is started again and again (``is_start``) makes one hole, else it would leave more than it fills.
        """
        if end <= start:  # by a clock that was wrong before X told its own
            pending.gaps.append(Gap(self.stream, start, start, why))
            return
        if is_start and self.holes and self.holes[-1].is_untouched(why) and start <= self.holes[-1].end:
            earlier = self.holes.pop()
            if earlier.start < start:  # the one hole has one gap; that of the later loss, which is open, lies within it
                pending.gaps.append(Gap(self.stream, start, start, why))
            elif start < earlier.start:
                pending.gaps.append(Gap(self.stream, earlier.start, earlier.start, why))
            start = min(start, earlier.start)
        hole = Hole.of(start, end, why, self.rules)
        self.holes.append(hole)
        pending.gaps.append(hole.gap(self.stream))

    def give_up(self, why: str, pending: Pending) -> None:
        """Fill none of them; the ledger says why."""
        pending.gaps += [hole.given_up(why).closed(self.stream) for hole in self.holes]
        self.holes = []

    def step(self, pending: Pending) -> None:
        """Take the answer that has come, or ask for the next page where it is time."""
        self._take_overdue(pending)
        if self._call is not None:
            if self._call.done():
                self._take(self._call, pending)
            elif time.monotonic() > self._patience:  # an answer that drips has no end
                self._overdue.append(self._call)
                asked, self._call, self._asked = self._asked, None, None
                self._fail(CollectError(f"X gave no whole answer in {PATIENCE_SECONDS:g} s"), asked, pending)
        elif self.holes and time.monotonic() >= self._not_before:
            self._ask(pending)

    def finish(self, pending: Pending, seconds: float) -> None:
        """Take the answers that are on their way, which are paid for, if they come in time."""
        wait([*self._overdue, *([self._call] if self._call is not None else [])], seconds)
        self._take_overdue(pending)
        if self._call is not None and self._call.done():
            self._take(self._call, pending)

    def _ask(self, pending: Pending) -> None:
        age = (self.api.now() - self.holes[0].end).total_seconds()
        if age < self.lag_seconds:
            self._not_before = time.monotonic() + self.lag_seconds - age
            return
        hole = self.holes[0] = self._within_reach(self.holes[0], pending)
        if hole.end <= hole.start or hole.place.query >= len(self.queries):
            self._done(pending)
            return
        try:
            most = affordable(self.till, self.api.settings, PAGE)
        except OverBudget as error:
            self.give_up(error.message, pending)
            return
        place = self._asked = hole.place
        query, until = self.queries[place.query], datetime.fromtimestamp(place.asked_until, UTC)
        self._patience = time.monotonic() + PATIENCE_SECONDS
        self._call = apart(lambda: self.api.search(query, place.window.start, until, most, place.page), "fill")

    def _within_reach(self, hole: Hole, pending: Pending) -> Hole:
        """Only what recent search still knows; the rest is noted as lost. A page that X named stands for itself."""
        end_of_reach = self.api.now() - _REACH
        if hole.start > end_of_reach + _MARGIN or hole.place.page is not None:
            return hole
        edge = end_of_reach + _TIME_TO_ASK
        pending.gaps.append(Gap(self.stream, hole.start, min(edge, hole.end), f"{hole.why}; {_TOO_LATE}"))
        later = Hole.of(min(edge, hole.end), hole.end, hole.why, self.rules)
        until = hole.place.until  # what lies behind it was read, and is paid for
        rest = replace(later.place, query=hole.place.query, gap=hole.place.gap, until=until, asked_until=until)
        later = replace(later, place=rest if until > rest.start else rest.follow())
        if later.start < later.end:
            pending.gaps.append(later.gap(self.stream))
        return later

    def _take(self, call: Future[dict[str, Any]], pending: Pending) -> None:
        asked, self._call, self._asked = self._asked, None, None
        try:
            answer = self._booked(call, pending)
            page, until = next_page(answer, asked.page if asked else None), oldest(answer)
        except CollectError as error:
            self._fail(error, asked, pending)
            return
        if not self.holes or self.holes[0].place != asked:  # given up meanwhile; it is paid for all the same
            return
        self._faults = 0
        self._move(self.holes[0].place.turn(page, until, is_archive=False), pending)

    def _take_overdue(self, pending: Pending) -> None:
        """What comes after the patience for it ended was asked for again since, but X bills it."""
        for call in [call for call in self._overdue if call.done()]:
            self._overdue.remove(call)
            with suppress(CollectError):
                self._booked(call, pending)

    def _booked(self, call: Future[dict[str, Any]], pending: Pending) -> dict[str, Any]:
        answer = call.result()
        charged = len(pending.charged)
        pending.take_answer(answer, "search", self.api.now())
        self.till.note(pending.charged[charged:])
        return answer

    def _fail(self, error: CollectError, asked: Place | None, pending: Pending) -> None:
        if not self.holes or self.holes[0].place != asked:  # given up meanwhile
            return
        place = self.holes[0].place
        if isinstance(error, RateLimited):  # or the credit at X is used up; who buys more within the week has it all
            self._not_before = time.monotonic() + error.wait_seconds
        elif isinstance(error, QueryRefused) and place.page is not None and place.until < place.asked_until:
            # A token does not live for ever; where the pages before it led nowhere, neither would they again.
            self._move(place.lost(), pending)
        elif isinstance(error, QueryRefused) or self._faults + 1 == _ATTEMPTS:
            self._faults = 0
            self.holes[0] = self.holes[0].given_up(error.message)
            self._move(self.holes[0].place.follow(), pending)  # the other queries may find most of it
        else:
            self._faults += 1
            self._not_before = time.monotonic() + self.lag_seconds * 2**self._faults

    def _move(self, place: Place, pending: Pending) -> None:
        self.holes[0] = replace(self.holes[0], place=place)
        if place.query >= len(self.queries):
            self._done(pending)

    def _done(self, pending: Pending) -> None:
        hole = self.holes.pop(0)
        if hole.start < hole.end:
            pending.gaps.append(hole.closed(self.stream))
