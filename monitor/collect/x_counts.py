"""How many posts X counts, by the hour: a census for cents, without reading a post."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from monitor.collect.base import hour_of
from monitor.collect.bluesky_record import parse_time
from monitor.collect.x_api import Api
from monitor.collect.x_query import ARCHIVE_LIMIT, RECENT_LIMIT, compile_queries
from monitor.collect.x_search import FIRST_POST, LAG, RECENT
from monitor.collect.x_spend import MICRO, Till, charge
from monitor.config import Topic, XPrices
from monitor.errors import CollectError
from monitor.records import Batch, Charge, Counted, Cursor, Item, Window

HOUR = timedelta(hours=1)
_PART = timedelta(days=30)  # X answers with 31 days at most
_AT_ONCE = 10  # requests: one takes some 0.3 s, and 18 months are 19 of them for each query
_MARGIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Question:
    """One topic over a stretch that one answer holds, in as many requests as it has queries."""

    window: Window
    queries: tuple[str, ...]
    item: Item


@dataclass(slots=True)
class _Answer:
    """What one query brought: each page is billed, also where a later one failed."""

    charged: list[Charge] = field(default_factory=list)
    hours: Counter[datetime] = field(default_factory=Counter)
    error: CollectError | None = None
    is_whole: bool = False


def whole_hours(window: Window, now: datetime) -> Window:
    """The window from hour to hour, as far as X can count it: no hour that still goes on, none before X."""
    start = max(hour_of(window.start), FIRST_POST)
    return Window(start, max(start, min(hour_of(window.end + HOUR - timedelta.resolution), hour_of(now - LAG))))


def questions(topic: Topic, window: Window, now: datetime) -> list[Question]:
    """What has to be asked for the hours of a window; nothing where the topic has no rule that X can be asked."""
    is_recent = window.start > now - RECENT + _MARGIN
    queries = compile_queries(topic, RECENT_LIMIT if is_recent else ARCHIVE_LIMIT).strings
    parts = range(-(-(window.end - window.start) // _PART)) if queries else ()
    edges = [(window.start + n * _PART, min(window.start + (n + 1) * _PART, window.end)) for n in parts]
    return [Question(Window(*edge), queries, "counts_recent" if is_recent else "counts_all") for edge in edges]


def cost(asked: Sequence[Question], prices: XPrices) -> int:
    """Microdollars for all of them."""
    return sum(len(one.queries) * round(getattr(prices, one.item) * MICRO) for one in asked)


def count(api: Api, topic: Topic, asked: Sequence[Question], till: Till, cursor: Cursor) -> Iterator[Batch]:
    """A batch for each question: its hours, also those without a post, and what asking cost.

    A topic of several queries is counted high: a post that two of them find counts twice.

    Raises:
        Unpaid: the budget does not allow the questions; nothing was asked.
        CollectError: as ``Api``, when all answers that came were yielded.
    """
    till.check(cost(asked, api.settings.prices))
    stop, error = threading.Event(), None
    with ThreadPoolExecutor(_AT_ONCE, "counts") as pool:
        waiting = [
            (one, [pool.submit(partial(_answer, api, query, one, till, stop)) for query in one.queries])
            for one in asked
        ]
        try:
            for one, futures in waiting:
                answers = [future.result() for future in futures]
                error = error or next((answer.error for answer in answers if answer.error), None)
                if charged := tuple(charge for answer in answers for charge in answer.charged):
                    yield Batch(cursor.stream, charges=charged, counted=_counted(topic, one, answers), cursor=cursor)
        finally:
            stop.set()  # whoever stops reading does not pay for the rest
    if error is not None:
        raise error


def _counted(topic: Topic, asked: Question, answers: Sequence[_Answer]) -> tuple[Counted, ...]:
    """The sums of all queries; nothing where one of them has no answer."""
    if not all(answer.is_whole for answer in answers):
        return ()
    sums = sum((answer.hours for answer in answers), Counter[datetime]())
    hours = range((asked.window.end - asked.window.start) // HOUR)
    return tuple(Counted("x", topic.name, at, sums[at]) for at in (asked.window.start + n * HOUR for n in hours))


def _answer(api: Api, query: str, asked: Question, till: Till, stop: threading.Event) -> _Answer:
    answer, page = _Answer(), None
    try:
        while not stop.is_set():
            page = _page(api, query, asked, till, answer, page)
            if page is None:
                answer.is_whole = True
                break
    except CollectError as error:
        answer.error = error
        stop.set()
    return answer


def _page(api: Api, query: str, asked: Question, till: Till, answer: _Answer, page: str | None) -> str | None:
    """Take one page; the token of the next."""
    ask = api.counts if asked.item == "counts_recent" else api.counts_all
    till.check(round(getattr(api.settings.prices, asked.item) * MICRO))
    said = ask(query, asked.window.start, asked.window.end, page)
    billed = charge(asked.item, uuid.uuid4().hex, api.settings, datetime.now(UTC))
    till.note([billed])
    answer.charged.append(billed)
    answer.hours.update(_buckets(said))
    following = (said.get("meta") or {}).get("next_token")
    return following if following != page else None


def _buckets(said: dict[str, Any]) -> Counter[datetime]:
    """
    Raises:
        CollectError: these are no counts.
    """
    if not isinstance(said.get("data"), list) or not isinstance(said.get("meta"), dict):
        raise CollectError("X answered a request for counts with none")
    found: Counter[datetime] = Counter()
    for bucket in said["data"]:
        start, n = parse_time(bucket.get("start")), bucket.get("tweet_count", bucket.get("post_count"))
        if start is None or type(n) is not int or n < 0:
            raise CollectError("X answered a request for counts with what is none")
        found[hour_of(start)] += n
    return found
