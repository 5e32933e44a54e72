"""monitor backfill."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.collecting import (
    NO_SCORE,
    chosen,
    collect_to_end,
    group_waiting,
    progress_of,
    score_waiting,
    stop_on_signals,
)
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, open_store, say

if TYPE_CHECKING:
    from typing import Protocol

    from monitor.collect.base import Collector
    from monitor.collect.x_sample import SampleCollector
    from monitor.config import Config, Topic
    from monitor.errors import MonitorError
    from monitor.records import Window
    from monitor.store import Store

    class Searching(Collector, Protocol):
        """A search of the past."""

        unsayable: tuple[str, ...]

        @property
        def progress(self) -> float: ...


TIMES = "A day or a time, UTC unless it names a zone: 2025-05-08, 2025-05-08T20:00Z"


class Past(StrEnum):
    """Whose past can be searched."""

    BLUESKY = "bluesky"
    X = "x"


def backfill(
    since: Annotated[str, typer.Option(help=TIMES)],
    until: Annotated[str, typer.Option(help="The end, exclusive; default: now.")] = "",
    platform: Annotated[Past, typer.Option(help="Whose past: X's costs money, see monitor plan.")] = Past.BLUESKY,
    topic: Annotated[list[str], typer.Option(help="Only this topic (may be repeated).")] = [],  # noqa: B006
    sample: Annotated[int, typer.Option(min=0, help="X: read about so many posts of each topic, at random.")] = 0,
    no_score: Annotated[bool, typer.Option("--no-score", help=NO_SCORE)] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Search the past of Bluesky or X for the topics' rules.

    Needs BLUESKY_HANDLE and BLUESKY_APP_PASSWORD, or X_BEARER_TOKEN; every post read from X is billed, and the budgets
    in [x] end it. Finds survivors only: what was deleted since is missing. Resumable. A --sample reads stretches of
    time that are drawn at random, and weights its posts; monitor plan says what one costs and how exact it is.
    """
    from monitor.cli.times import window_of
    from monitor.collect.bluesky_search import SURVIVORS_ONLY
    from monitor.config import load

    loaded, window = load(config), window_of(since, until)
    topics = chosen(loaded, topic)
    store, stop = open_store(loaded, for_real_posts=True), stop_on_signals()
    drawn: Sequence[SampleCollector] = ()
    if sample:
        from monitor.cli.sampling import samples

        _check_sample(platform, until)
        drawn = samples(loaded, topics, window, store, sample, stop)
        collectors: Sequence[Searching] = drawn
    else:
        search = _bluesky_search if platform is Past.BLUESKY else _x_search
        collectors = search(loaded, topics, window, store)
    say(SURVIVORS_ONLY)
    owners = {one.stream: one.topic for one in drawn}
    unpaid = _search(collectors, loaded, store, stop, owners)
    if platform is Past.X:
        say(_spent(store))
    group_waiting(store, stop)
    if not no_score:
        score_waiting(loaded, store, stop)
    if sample:
        from monitor.cli.sampling import tell

        tell(store, drawn)
    if unpaid is not None:
        raise unpaid


def _check_sample(platform: Past, until: str) -> None:
    from monitor.errors import ConfigError

    if platform is not Past.X:
        raise ConfigError("Only X is sampled: reading Bluesky's past costs nothing", "Leave --sample out.")
    if not until:
        raise ConfigError("A sample needs --until", "Without it each start would draw of another time.")


def _search(
    collectors: Sequence[Searching], config: Config, store: Store, stop: threading.Event, owners: Mapping[str, Topic]
) -> MonitorError | None:
    """Search one after the other; the want of money that ended one, so that what was found can be scored first.

    The others are begun all the same: each notes what it could not search as a gap. What ``owners`` names by
    its stream is kept for that topic alone.
    """
    from monitor.errors import Unpaid

    unpaid = None
    for collector in collectors:
        for rule in collector.unsayable:
            say(f"{collector.stream}: the search cannot say {rule}; only another rule may find such posts.")
        try:
            what, only = f"Searching {collector.stream}", owners.get(collector.stream)
            collect_to_end(collector, config, store, what, stop, progress_of(collector), only)
        except Unpaid as error:
            unpaid = unpaid or error
    return unpaid


def _spent(store: Store) -> str:
    from monitor.collect.x_spend import MICRO
    from monitor.store.queries import spent_since

    today = datetime.now(UTC).date()
    day, month = (spent_since(store, since) / MICRO for since in (today, today.replace(day=1)))
    return f"Spent on X: ${day:,.3f} today, ${month:,.3f} this month."


def _bluesky_search(config: Config, topics: list[Topic], window: Window, store: Store) -> Sequence[Searching]:
    from monitor.collect.bluesky_search import SearchCollector
    from monitor.collect.bluesky_session import session_path
    from monitor.collect.match import Matcher
    from monitor.config import Secrets

    secrets, matcher, path = Secrets.from_environment(), Matcher(config.topics), session_path(store.path)
    return [SearchCollector(config.bluesky, secrets, topic, window, path, matcher=matcher) for topic in topics]


def _x_search(config: Config, topics: list[Topic], window: Window, store: Store) -> Sequence[Searching]:
    from monitor.collect.x_api import Api
    from monitor.collect.x_search import SearchCollector
    from monitor.collect.x_spend import Till
    from monitor.config import Secrets
    from monitor.store.queries import spent_since

    api, till = Api(config.x, Secrets.from_environment()), Till(config.x, lambda day: spent_since(store, day))
    return [SearchCollector(api, topic, window, till) for topic in topics]


def add_to(app: typer.Typer) -> None:
    app.command()(backfill)
