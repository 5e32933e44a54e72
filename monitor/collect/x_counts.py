"""How many posts X counts, by the hour: a census for cents, without reading a post."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.collect.base import hour_of
from monitor.collect.bluesky_record import parse_time
from monitor.collect.x_api import Api
from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, RECENT_LIMIT
from monitor.collect.x_search import FIRST_POST, LAG, RECENT
from monitor.collect.x_spend import MICRO, Till, charge
from monitor.config import XPrices
from monitor.errors import CollectError
from monitor.records import Batch, Charge, Counted, Item, Window

STREAM = "x:counts"
HOUR = timedelta(hours=1)
PART = timedelta(days=30)  # X answers with 31 days at most
_AT_ONCE = 10  # requests: one takes some 0.3 s, and 18 months are 19 of them for each query
_MOST_PAGES = 5  # of one answer, where one is expected: each is billed
_MARGIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Question:
    """One query of a topic over hours that one answer holds."""

    topic: str
    query: str
    window: Window
    item: Item


@dataclass(slots=True)
class _Answer:
    """What one question brought: each page is billed, also where a later one failed."""

    hours: list[int]
    charged: list[Charge] = field(default_factory=list)
    error: CollectError | None = None
    is_whole: bool = False


def whole_hours(window: Window, now: datetime) -> Window:
    """The window from hour to hour, as far as X can count it: no hour that still goes on, none before X."""
    start = max(hour_of(window.start), FIRST_POST)
    return Window(start, max(start, min(hour_of(window.end + HOUR - timedelta.resolution), hour_of(now - LAG))))


def endpoint(start: datetime, now: datetime) -> tuple[Item, int]:
    """Which counts reach back to ``start``, the cheaper first, and how many characters of a query they take."""
    is_recent = start > now - RECENT + _MARGIN
    return ("counts_recent", RECENT_LIMIT) if is_recent else ("counts_all", ARCHIVE_LIMIT)


def cost(asked: Sequence[Question], prices: XPrices) -> int:
    """Microdollars for all of them."""
    return sum(round(getattr(prices, one.item) * MICRO) for one in asked)


def count(api: Api, asked: Sequence[Question], till: Till, stop: threading.Event) -> Iterator[Batch]:
    """A batch for each answer, as they come: its hours, also those without a post, and what asking cost.

    Once ``stop`` is set, or one answer was an error, nothing more is asked; what was asked before is still yielded.

    Args:
        till: takes down what the questions cost; one that trusts the ledger only for what is committed meanwhile.

    Raises:
        Unpaid: the budget does not allow the questions, and nothing was asked; or not the further pages of an answer.
        CollectError: as ``Api``, when all answers that came were yielded.
    """
    till.check(cost(asked, api.settings.prices))
    now = datetime.now(UTC)
    till.note(charge(one.item, "", api.settings, now) for one in asked)  # so that no further page spends it
    ended, error = threading.Event(), None
    with ThreadPoolExecutor(_AT_ONCE, "counts") as pool:
        futures = {pool.submit(_answer, api, one, till, stop, ended): one for one in asked}
        try:
            for future in as_completed(futures):
                answer = future.result()
                error = error or answer.error
                if answer.charged:
                    yield _batch(futures[future], answer)
        finally:
            ended.set()  # whoever stops reading does not pay for the rest
    if error is not None:
        raise error


def _batch(asked: Question, answer: _Answer) -> Batch:
    counted = Counted("x", asked.topic, fingerprint((asked.query,)), asked.window.start, tuple(answer.hours))
    return Batch(STREAM, charges=tuple(answer.charged), counted=(counted,) if answer.is_whole else ())


def _answer(api: Api, asked: Question, till: Till, stop: threading.Event, ended: threading.Event) -> _Answer:
    answer, page = _Answer([0] * ((asked.window.end - asked.window.start) // HOUR)), None
    try:
        while not (answer.is_whole or stop.is_set() or ended.is_set()):
            if page is not None:
                _afford(till, asked, api)
            page = _take_page(api, asked, answer, page)
            answer.is_whole = page is None
    except CollectError as error:
        answer.error = error
        ended.set()
    return answer


def _afford(till: Till, asked: Question, api: Api) -> None:
    """A further page, which nobody expected."""
    price = charge(asked.item, "", api.settings, datetime.now(UTC))
    till.check(price.microdollars)
    till.note([price])


def _take_page(api: Api, asked: Question, answer: _Answer, page: str | None) -> str | None:
    """The token of the next page."""
    ask = api.counts if asked.item == "counts_recent" else api.counts_all
    said = ask(asked.query, asked.window.start, asked.window.end, page)
    meta = said.get("meta")
    if not isinstance(said.get("data"), list) or not isinstance(meta, dict):
        raise CollectError("X answered a request for counts with none")
    answer.charged.append(charge(asked.item, uuid.uuid4().hex, api.settings, datetime.now(UTC)))
    _add(said["data"], asked.window, answer.hours)
    following = meta.get("next_token")
    if following and len(answer.charged) == _MOST_PAGES:
        raise CollectError(f"X answered a request for counts with more than {_MOST_PAGES} pages")
    return following if isinstance(following, str) and following else None


def _add(buckets: list[Any], window: Window, hours: list[int]) -> None:
    """
    Raises:
        CollectError: these are no counts of the window.
    """
    for bucket in buckets:
        told = bucket if isinstance(bucket, dict) else {}
        start, n = parse_time(told.get("start")), told.get("tweet_count", told.get("post_count"))
        if start is None or type(n) is not int or n < 0 or not window.start <= start < window.end:
            raise CollectError("X answered a request for counts with what is none")
        hours[(start - window.start) // HOUR] += n
