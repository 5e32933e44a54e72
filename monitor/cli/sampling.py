"""``monitor backfill --sample``: draw it, and say what it found."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from monitor.cli.options import say
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.collect.x_sample import SampleCollector
    from monitor.config import Config, Topic
    from monitor.planning import Option
    from monitor.records import Window
    from monitor.store import Store


def samples(
    config: Config, topics: Sequence[Topic], window: Window, store: Store, posts: int, stop: threading.Event
) -> list[SampleCollector]:
    """Have X count, draw a sample of ``posts`` for each topic and say what it will read.

    Raises:
        ConfigError, MonitorError, CollectError: as the counts and the draw refuse.
        typer.Exit: ``stop`` came while X counted; nothing is drawn.
    """
    from monitor.collect.x_api import Api
    from monitor.collect.x_sample import SampleCollector, unread
    from monitor.collect.x_spend import Till
    from monitor.config import Secrets
    from monitor.planning import ask, countable, hourly_counts, option_of
    from monitor.sampled import drawn
    from monitor.store.queries import spent_since

    secrets, hours = Secrets.from_environment(), countable(window, datetime.now(UTC))
    if hours.end < window.end:
        raise ConfigError(
            "A sample is drawn of hours that are over", f"End it with --until {hours.end:%Y-%m-%dT%H:%M}Z"
        )
    ask(config, secrets, store, topics, hours, stop, say)
    if stop.is_set():
        say("Stopped. Nothing is drawn; the counts so far are kept. Start again and it goes on.")
        raise typer.Exit(130)
    collectors = []
    for topic in topics:
        with store.reading() as moment:
            hourly = hourly_counts(moment, topic, hours)
        if not hourly.any():
            say(f"{topic.name}: X counts no post, so there is nothing to read.")
            continue
        stream, slices = drawn(store, topic, hours, hourly, posts)
        with store.reading() as moment:
            option = option_of(config.x, moment, hourly, posts)
        say(
            f"{topic.name}: reads about {min(posts, hourly.sum()):,} of {hourly.sum():,} posts that X counts, "
            f"in {len(slices):,} stretches of time drawn at random, a request each or more. {_worth(option)}"
        )
        till = Till(config.x, lambda day: spent_since(store, day))
        collectors.append(SampleCollector(Api(config.x, secrets), topic, unread(stream, hours, posts), slices, till))
    return collectors


def _worth(option: Option) -> str:
    from monitor.cli.planning import interval_text

    share, ends = list(option.intervals.items())[-1]
    told = (
        "" if option.is_census else f"; a share of {100 * share:g} % will have a 95 % interval of {interval_text(ends)}"
    )
    return f"All of it costs about ${option.dollars:,.2f} at most{told}."


def tell(store: Store, collectors: Sequence[SampleCollector]) -> None:
    """What the samples say of all posts."""
    from monitor.sampled import findings

    for collector in collectors:
        name = collector.topic.name
        if collector.progress < 1:
            say(f"{name}: the sample is not read to its end. The same command goes on where it stopped.")
            continue
        for finding in findings(store, collector.topic, collector.stream):
            say(f"{name}, {finding.text}")
