"""What X's posts of a window would cost, and what they would tell, before any of them is read.

X is asked for counts first: cents for all hours of months. They are kept: nothing is asked, and paid for, twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from monitor.analyse.plan import Planned, planned
from monitor.collect.x_api import Api
from monitor.collect.x_counts import HOUR, Question, cost, count, questions, whole_hours
from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, compile_queries
from monitor.collect.x_spend import MICRO, Till
from monitor.config import Config, Secrets, Topic, X
from monitor.errors import ConfigError
from monitor.records import Batch, Cursor, Window
from monitor.store import Store
from monitor.store.queries import spent_since

SIZES = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)  # posts of the samples that are offered
SHARES = (0.5, 0.1)  # at which the intervals are told: where they are widest, and of something rare
_COMMIT_SECONDS = 1.0
Hourly: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Budget:
    """Dollars that may still be spent; ``daily`` is what each further day brings."""

    today: float
    month: float
    daily: float

    def days(self, dollars: float) -> int | None:
        """On how many UTC days it would be spent; None where the month's budget, or a day's of nothing, forbids it."""
        if dollars > self.month or (dollars > self.today and not self.daily):
            return None
        return 1 + max(0, -int(-(dollars - self.today) // self.daily)) if dollars > self.today else 1


@dataclass(frozen=True, slots=True)
class Option:
    """One way to read: ``posts`` of the posts that X counts, at most ``dollars`` in all.

    ``context`` and ``authors`` are the parts of it for posts that are referred to, one for each at most, and for
    authors, each another one at most. ``margins`` are half widths of the 95 % interval of a share, by the share.
    """

    posts: int
    is_census: bool
    context: float
    authors: float
    dollars: float
    margins: dict[float, float]
    days: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What X counts of one topic, ``posts`` in ``hours`` hours, and the ways to read them, the largest last."""

    topic: str
    hours: int
    posts: int
    unsayable: tuple[str, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Plans:
    """``asked`` requests for counts were made for this, which cost ``dollars``; ``budget`` is what they left."""

    window: Window
    asked: int
    dollars: float
    budget: Budget
    topics: tuple[Plan, ...]


def plan(
    config: Config, secrets: Secrets, store: Store, topics: list[Topic], window: Window, say: Callable[[str], None]
) -> Plans:
    """Count what is not counted yet, and work out what reading would cost.

    Args:
        say: told what the counts will cost before they are asked for.

    Raises:
        ConfigError: the window holds no whole hour that X can count.
        AuthError, RateLimited, Unpaid, CollectError: as X, or the budget, answers a request for counts.
    """
    now = datetime.now(UTC)
    hours = whole_hours(window, now)
    if hours.start >= hours.end:
        raise ConfigError(
            "X can count nothing in this time", "It counts whole hours that are over, from 21 March 2006 on."
        )
    due = [(topic, _missing(store, topic, hours, now)) for topic in topics]
    asked = [question for _, questions_ in due for question in questions_]
    price = cost(asked, config.x.prices)
    requests = sum(len(question.queries) for question in asked)
    if asked:
        say(f"Asking X for counts: {requests:,} requests, ${price / MICRO:,.3f}.")
        _ask(config.x, secrets, store, due, now)
    budget = _budget(config.x, store, now)
    return Plans(
        hours, requests, price / MICRO, budget, tuple(_plan(config.x, store, t, hours, budget) for t in topics)
    )


def _ask(settings: X, secrets: Secrets, store: Store, due: list[tuple[Topic, list[Question]]], now: datetime) -> None:
    api, till = Api(settings, secrets), Till(settings, lambda day: spent_since(store, day))
    try:
        till.check(cost([question for _, asked in due for question in asked], settings.prices))
        for topic, asked in due:
            _keep(store, count(api, topic, asked, till, _cursor(store, topic, now)))
    finally:
        api.close()


def _keep(store: Store, batches: Iterator[Batch]) -> None:
    """Commit what was counted and what it cost, once a second and whatever comes in between."""
    held: list[Batch] = []
    began = time.monotonic()
    try:
        for batch in batches:
            held.append(batch)
            if time.monotonic() - began > _COMMIT_SECONDS:
                _commit(store, held)
                began = time.monotonic()
    finally:
        _commit(store, held)


def _commit(store: Store, held: list[Batch]) -> None:
    if held:
        charges, counted = chain.from_iterable(b.charges for b in held), chain.from_iterable(b.counted for b in held)
        store.commit(replace(held[-1], charges=tuple(charges), counted=tuple(counted)))
        held.clear()


def _plan(settings: X, store: Store, topic: Topic, window: Window, budget: Budget) -> Plan:
    hourly = np.maximum(_counts(store, topic, window), 0)
    unsayable = compile_queries(topic, ARCHIVE_LIMIT).unsayable
    options = tuple(_options(settings, hourly, budget))
    return Plan(topic.name, len(hourly), int(hourly.sum()), unsayable, options)


def _options(settings: X, hourly: Hourly, budget: Budget) -> Iterator[Option]:
    """Samples of several sizes, those that the budgets buy, and the census."""
    total, each = int(hourly.sum()), sum(_prices(settings))
    bought = {int(left / each) for left in (budget.today, budget.month)} if each else set()
    sizes = sorted({size for size in {*SIZES, *bought} if 2 <= size < total})
    for size in (*sizes, *([total] if total else ())):
        yield _option(settings, planned(hourly, size), budget, is_census=size == total)


def _option(settings: X, sample: Planned, budget: Budget, *, is_census: bool) -> Option:
    post, context, authors = (sample.posts * price for price in _prices(settings))
    dollars = post + context + authors
    margins = {share: sample.half_width(share) for share in SHARES}
    return Option(sample.posts, is_census, context, authors, dollars, margins, budget.days(dollars))


def _prices(settings: X) -> tuple[float, float, float]:
    """Dollars for a post, for what it refers to and for its author, where these are read."""
    prices = settings.prices
    return prices.post, prices.post if settings.context else 0.0, prices.user if settings.authors else 0.0


def _budget(settings: X, store: Store, now: datetime) -> Budget:
    today = now.date()
    spent, of_month = (spent_since(store, day) / MICRO for day in (today, today.replace(day=1)))
    month = max(0.0, settings.budget_per_month - of_month)
    return Budget(min(month, max(0.0, settings.budget_per_day - spent)), month, settings.budget_per_day)


def _missing(store: Store, topic: Topic, window: Window, now: datetime) -> list[Question]:
    """The questions for the time from the first to the last hour that was not counted under these rules."""
    missing = np.flatnonzero(_counts(store, topic, window) < 0)
    if not missing.size:
        return []
    start, end = (window.start + int(hour) * HOUR for hour in (missing[0], missing[-1] + 1))
    return questions(topic, Window(start, end), now)


def _counts(store: Store, topic: Topic, window: Window) -> Hourly:
    """Stored counts, shape (hours,); -1 where there is none that was made under these rules."""
    hourly = np.full((window.end - window.start) // HOUR, -1, np.int64)
    rules, since = _rules(store.cursor(_stream(topic)))
    if rules == _fingerprint(topic):
        params = {"platform": "x", "topic": topic.name, "since": since, "start": window.start, "end": window.end}
        table = store.read("counted", **params)
        seconds = table["hour"].to_numpy().astype("datetime64[s]").astype(np.int64)
        hourly[(seconds - int(window.start.timestamp())) // 3600] = table["n"].to_numpy()
    return hourly


def _cursor(store: Store, topic: Topic, now: datetime) -> Cursor:
    """Under which rules is counted, and since when; the time stays while the rules do."""
    rules, since = _rules(store.cursor(_stream(topic)))
    if rules != _fingerprint(topic):
        rules, since = _fingerprint(topic), now - timedelta(seconds=1)
    return Cursor(_stream(topic), orjson.dumps({"rules": rules, "since": since.isoformat()}).decode())


def _rules(cursor: Cursor | None) -> tuple[str, datetime]:
    try:
        value = orjson.loads(cursor.value if cursor else b"")
        return value["rules"], datetime.fromisoformat(value["since"])
    except (ValueError, TypeError, KeyError):
        return "", datetime.max.replace(tzinfo=UTC)


def _stream(topic: Topic) -> str:
    return f"x:counts:{topic.name}"


def _fingerprint(topic: Topic) -> str:
    return fingerprint(compile_queries(topic, ARCHIVE_LIMIT).strings)
