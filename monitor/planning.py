"""What X's posts of a window would cost, and what they would tell, before any of them is read.

X is asked for counts first: cents for all hours of months. They are kept: nothing is asked, and paid for, twice.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitor.alone import alone
from monitor.analyse.sampling import Sample, sample_of
from monitor.collect.backoff import HOPELESS, Backoff
from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_counts import HOUR, PART, STREAM, Question, cost, count, endpoint, whole_hours
from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, RECENT_LIMIT, compile_queries
from monitor.collect.x_spend import MICRO, Till
from monitor.config import Config, Secrets, Topic, X
from monitor.errors import CollectError, ConfigError, RateLimited, StoreBusy
from monitor.records import Window
from monitor.store import Moment, Store
from monitor.store.journal import journal, recover
from monitor.store.queries import spent_since

SIZES = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)  # posts of the samples that are offered
SHARES = (0.5, 0.1)  # at which the intervals are told: where they are widest, and of something rare
_JOURNAL = "counts"
_ATTEMPTS = 3  # after a fault of X, at what is not counted yet
_compiled = cache(compile_queries)
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
    authors, each another one at most. ``intervals`` are the 95 % intervals, by the share that is asked for.
    """

    posts: int
    is_census: bool
    context: float
    authors: float
    dollars: float
    intervals: dict[float, tuple[float, float]]
    days: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What X counts of one topic, ``posts`` in ``hours`` hours, and the ways to read them, the largest last.

    A post that two of its ``queries`` find is counted twice. Without a query X cannot be asked for any of its rules.
    """

    topic: str
    queries: int
    hours: int
    posts: int
    unsayable: tuple[str, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Plans:
    """``dollars`` were spent on counts for this; ``budget`` is what they left."""

    window: Window
    dollars: float
    budget: Budget
    topics: tuple[Plan, ...]


def countable(window: Window, now: datetime) -> Window:
    """The whole hours of a window that X can count.

    Raises:
        ConfigError: there are none.
    """
    hours = whole_hours(window, now)
    if hours.start >= hours.end:
        raise ConfigError(
            "X can count nothing in this time", "It counts whole hours that are over, from 21 March 2006 on."
        )
    return hours


def ask(
    config: Config,
    secrets: Secrets,
    store: Store,
    topics: Sequence[Topic],
    hours: Window,
    stop: threading.Event,
    say: Callable[[str], None],
) -> float:
    """Have X count what it has not counted yet, and keep it; the dollars that this cost.

    Args:
        stop: when it is set, nothing more is asked; what was asked is kept.
        say: told what it will cost before anything is asked.

    Raises:
        AuthError, RateLimited, Unpaid, CollectError: as X, or the budget, answers; what was counted before is kept.
    """
    busy = StoreBusy(f"X is being asked for counts into {store.path} already", "Wait until that is done.")
    with alone(store.path, ".counting", busy):
        recover(store, _JOURNAL)
        due = _missing(store, topics, hours)
        return _asked(config, secrets, store, due, topics, hours, stop, say) if due else 0.0


def _asked(
    config: Config,
    secrets: Secrets,
    store: Store,
    due: list[Question],
    topics: Sequence[Topic],
    hours: Window,
    stop: threading.Event,
    say: Callable[[str], None],
) -> float:
    api = Api(config.x, secrets)
    backoff = Backoff(attempts=_ATTEMPTS, hopeless=(*HOPELESS, QueryRefused, RateLimited))
    _till(config.x, store).check(cost(due, config.x.prices))
    requests = f"{len(due):,} request{'s' * (len(due) > 1)}"
    say(f"Asking X for counts: {requests}, ${cost(due, config.x.prices) / MICRO:,.3f}. No post is read.")
    paid: list[int] = []
    try:
        while due and not stop.is_set():
            try:
                _ask(api, store, due, stop, paid)
                due = []
            except CollectError as error:
                if not backoff.wait(STREAM, error, stop):
                    error.hint = _hint(error, bool(paid))
                    raise
                due = _missing(store, topics, hours)
    finally:
        api.close()
    return sum(paid) / MICRO


def _hint(error: CollectError, has_paid: bool) -> str:
    wait = f"X answers again in {error.wait_seconds / 60:.0f} min." if type(error) is RateLimited else ""
    kept = "What was counted is kept: run it again, and only the rest is asked and paid for." if has_paid else ""
    return " ".join(filter(None, (error.hint, wait, kept)))


def _till(settings: X, store: Store) -> Till:
    """For one attempt: what it spends is in the journal, and in the ledger only when it ends."""
    return Till(settings, lambda day: spent_since(store, day), commit_seconds=math.inf)


def _ask(api: Api, store: Store, due: list[Question], stop: threading.Event, paid: list[int]) -> None:
    with journal(store, _JOURNAL) as note:
        for batch in count(api, due, _till(api.settings, store), stop):
            note(batch)
            paid += [one.microdollars for one in batch.charges]


def plan(config: Config, store: Store, topics: Sequence[Topic], hours: Window, dollars: float) -> Plans:
    """What reading would cost, from the counts that are kept; ``dollars`` is what ``ask`` told."""
    with store.reading() as moment:
        budget = _budget(config.x, moment, datetime.now(UTC))
        return Plans(hours, dollars, budget, tuple(_plan(config.x, moment, topic, hours, budget) for topic in topics))


def _plan(settings: X, store: Moment, topic: Topic, window: Window, budget: Budget) -> Plan:
    compiled = _compiled(topic, ARCHIVE_LIMIT)
    hourly = np.maximum(hourly_counts(store, topic, window), 0)
    options = tuple(_options(settings, hourly, budget))
    return Plan(topic.name, len(compiled.strings), len(hourly), int(hourly.sum()), compiled.unsayable, options)


def _options(settings: X, hourly: Hourly, budget: Budget) -> Iterator[Option]:
    """Samples of several sizes, those that the budgets buy, and the census."""
    total, each = int(hourly.sum()), sum(_prices(settings))
    bought = {int(left / each + 1e-9) for left in (budget.today, budget.month)} if each else set()
    sizes = sorted({size for size in {*SIZES, *bought} if 2 <= size < total})
    samples = {sample.posts: sample for sample in (sample_of(hourly, size) for size in sizes)}  # some draw the same
    samples |= {total: sample_of(hourly, total)} if total else {}
    for posts, sample in samples.items():
        yield _option(settings, sample, budget, is_census=posts == total)


def option_of(settings: X, store: Moment, hourly: Hourly, posts: int) -> Option:
    """What a sample of ``posts`` costs and how exact it is.

    Raises:
        MonitorError: the size buys no sample.
    """
    total, budget = int(hourly.sum()), _budget(settings, store, datetime.now(UTC))
    return _option(settings, sample_of(hourly, min(posts, total)), budget, is_census=posts >= total)


def _option(settings: X, sample: Sample, budget: Budget, *, is_census: bool) -> Option:
    post, context, authors = (sample.posts * price for price in _prices(settings))
    dollars = round(post + context + authors, 6)
    intervals = {share: sample.interval(share) for share in SHARES}
    return Option(sample.posts, is_census, context, authors, dollars, intervals, budget.days(dollars))


def _prices(settings: X) -> tuple[float, float, float]:
    """Dollars for a post, for what it refers to and for its author, where these are read."""
    prices = settings.prices
    return prices.post, prices.post if settings.context else 0.0, prices.user if settings.authors else 0.0


def _budget(settings: X, store: Moment, now: datetime) -> Budget:
    today = now.date()
    spent, of_month = (spent_since(store, day) / MICRO for day in (today, today.replace(day=1)))
    month = max(0.0, settings.budget_per_month - of_month)
    today_left = min(month, max(0.0, settings.budget_per_day - spent))
    return Budget(round(today_left, 6), round(month, 6), settings.budget_per_day)


def _missing(store: Store, topics: Sequence[Topic], hours: Window) -> list[Question]:
    """As few questions as cover every hour that was not counted for every query of each topic."""
    now = datetime.now(UTC)
    with store.reading() as moment:
        return [question for topic in topics for question in _questions(moment, topic, hours, now)]


def _questions(store: Moment, topic: Topic, hours: Window, now: datetime) -> Iterator[Question]:
    unknown = np.flatnonzero(hourly_counts(store, topic, hours) < 0)
    if not unknown.size:
        return
    item, limit = endpoint(hours.start + int(unknown[0]) * HOUR, now)
    queries = _compiled(topic, limit).strings
    for query, counts in zip(queries, _counts(store, topic, queries, hours), strict=True):
        for first, last in _parts(unknown[counts[unknown] < 0]):
            yield Question(topic.name, query, Window(hours.start + first * HOUR, hours.start + last * HOUR), item)


def _parts(hours: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First hour and end of stretches that one answer holds, none beginning or ending with an hour that is known."""
    while hours.size:
        within = hours[hours < hours[0] + PART // HOUR]
        yield int(within[0]), int(within[-1]) + 1
        hours = hours[within.size :]


def is_countable(topic: Topic) -> bool:
    """Can X be asked for any of the topic's rules? Of others it counts nothing, which is no zero."""
    return bool(_compiled(topic, RECENT_LIMIT).strings)


def hourly_counts(store: Moment, topic: Topic, hours: Window) -> Hourly:
    """Posts that X counts in each hour, shape (hours,); -1 where not every query was counted.

    Either form of the queries will do.
    """
    found = np.full((hours.end - hours.start) // HOUR, -1, np.int64)
    for queries in {_compiled(topic, limit).strings: None for limit in (RECENT_LIMIT, ARCHIVE_LIMIT)}:
        counts = _counts(store, topic, queries, hours)
        found = np.where((counts >= 0).all(axis=0), counts.sum(axis=0), found)
    return found


def _counts(store: Moment, topic: Topic, queries: Sequence[str], hours: Window) -> Hourly:
    """Kept counts, shape (queries, hours); -1 where there is none."""
    counts = np.full((len(queries), (hours.end - hours.start) // HOUR), -1, np.int64)
    names = [fingerprint((query,)) for query in queries]
    params = {"platform": "x", "topic": topic.name, "queries": names, "start": hours.start, "end": hours.end}
    table = store.read("counted", **params)
    counts[table["query"].to_numpy(), table["hour"].to_numpy()] = table["n"].to_numpy()
    return counts
