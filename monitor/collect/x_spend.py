"""What X's answers cost, and whether the operator's budget still allows the next one.

X bills by the read: each post and each author once per UTC day, each counts request always. The ledger is kept by the
store, in the transaction of the posts; here is what one answer adds to it, and the till that says stop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from monitor.config import X
from monitor.errors import OverBudget
from monitor.records import Charge, Item

log = logging.getLogger(__name__)

MICRO = 1_000_000
SMALLEST_PAGE = 10  # posts that X lets a search be asked for at least
_READ_SECONDS = 5.0  # how long a sum that the store gave is trusted; another program may spend from the same budget
_COMMIT_SECONDS = 3.0
_WARN = 0.8
_LONGEST_WAIT_SECONDS = 900.0

Spent = Callable[[date], int]  # microdollars since a UTC day


def charges(answer: dict[str, Any], settings: X, at: datetime) -> Iterator[Charge]:
    """The posts and users in one answer or one line of the stream."""
    data, includes = answer.get("data"), answer.get("includes")
    beside = includes if isinstance(includes, dict) else {}
    posts = [*(data if isinstance(data, list) else [data]), *_all(beside, "tweets", "posts")]
    for item, found in (("post", posts), ("user", _all(beside, "users"))):
        for key in _ids(found):
            yield charge(item, key, settings, at)  # type: ignore[arg-type]


def charge(item: Item, key: str, settings: X, at: datetime) -> Charge:
    """One read, at today's price."""
    price = getattr(settings.prices, item)
    return Charge(at.astimezone(UTC).date(), item, key, round(price * MICRO))


class Till:
    """Says what may still be spent today; safe from any thread.

    Args:
        settings: budgets in dollars per UTC day and per calendar month.
        spent: microdollars in the ledger since a day.
        commit_seconds: after which what was read is in the ledger, told by ``booked`` or not; younger reads are counted
            beside it.
    """

    def __init__(self, settings: X, spent: Spent, commit_seconds: float = _COMMIT_SECONDS) -> None:
        self._settings, self._spent, self._commit_seconds = settings, spent, commit_seconds
        self._notes: deque[tuple[float, int]] = deque()
        self._read_at, self._left, self._unbooked = float("-inf"), 0, 0
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._warned: date | None = None

    def note(self, charged: Iterable[Charge]) -> None:
        """Something was read that the ledger may not hold yet."""
        if cost := sum(one.microdollars for one in charged):
            with self._lock:
                self._notes.append((time.monotonic(), cost))
                self._left -= cost
                self._unbooked += cost

    def booked(self, charged: Iterable[Charge]) -> None:
        """The ledger holds it now; of notes for what was read but never booked, the oldest go."""
        cost = sum(one.microdollars for one in charged)
        with self._lock:
            while self._notes and cost >= self._notes[0][1]:
                cost -= self._notes.popleft()[1]
            if self._notes and cost:
                at, noted = self._notes[0]
                self._notes[0] = (at, noted - cost)

    def left(self) -> int:
        """Microdollars; at most some seconds old, and counted low rather than high: what comes twice counts twice."""
        age = time.monotonic() - self._read_at
        if age > _READ_SECONDS or (self._left <= 0 and age > min(_COMMIT_SECONDS, self._commit_seconds)):
            self._read()
        return max(0, self._left)

    def check(self, cost: int = 1) -> None:
        """Refuse what would cost ``cost`` microdollars.

        Raises:
            OverBudget: the budget does not allow it.
        """
        self.left()
        self.insist(cost)

    def insist(self, cost: int = 1) -> None:
        """``check`` by what is known already, without looking into the store.

        Raises:
            OverBudget: the budget does not allow it.
        """
        if self._left < cost:
            now = datetime.now(UTC)
            midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
            raise OverBudget(
                f"the budget for X is used up: ${self._settings.budget_per_day:,.2f} a day,"
                f" ${self._settings.budget_per_month:,.2f} a month",
                min((midnight - now).total_seconds(), _LONGEST_WAIT_SECONDS),
                "Collecting from X goes on with the next UTC day, or with larger budgets in [x].",
            )

    def _read(self) -> None:
        with self._reading:  # one at a time: what is noted meanwhile is counted from its beginning to its end
            self._look()

    def _look(self) -> None:
        today = datetime.now(UTC).date()
        budgets = ((self._settings.budget_per_day, today), (self._settings.budget_per_month, today.replace(day=1)))
        with self._lock:  # before the ledger is asked: what is booked meanwhile counts twice rather than not at all
            while self._notes and self._notes[0][0] < time.monotonic() - self._commit_seconds:
                self._notes.popleft()
            beside, self._unbooked = sum(cost for _, cost in self._notes), 0
        shares = [(budget * MICRO, self._spent(since)) for budget, since in budgets]
        with self._lock:
            self._read_at = time.monotonic()
            self._left = round(min(budget - spent for budget, spent in shares)) - beside - self._unbooked
        if self._warned != today and any(spent >= _WARN * budget for budget, spent in shares):
            self._warned = today
            log.warning("80 %% of a budget for X is spent; $%.2f are left", max(0, self._left) / MICRO)


def affordable(till: Till, settings: X, page: int) -> int:
    """How many posts the next page may hold: ``page``, or as many as the budget allows even if none was read today.

    Raises:
        OverBudget: not even the smallest page.
    """
    # A reply that quotes brings two posts along.
    each = settings.prices.post * (3 if settings.context else 1) + (settings.prices.user if settings.authors else 0)
    most = page if not each else min(page, int(till.left() / (each * MICRO)))
    if most < SMALLEST_PAGE:
        till.check(round(SMALLEST_PAGE * each * MICRO))
    return max(SMALLEST_PAGE, most)


def _all(parts: dict[str, Any], *names: str) -> list[Any]:
    return [one for name in names if isinstance(parts.get(name), list) for one in parts[name]]


def _ids(found: Iterable[Any]) -> list[str]:
    return [str(one["id"]) for one in found if isinstance(one, dict) and "id" in one]
