"""``monitor backfill --sample``: draw it, and say what it found."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from monitor.cli.options import say
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.collect.x_sample import SampleCollector
    from monitor.config import Config, Topic
    from monitor.records import Window
    from monitor.store import Store


def samples(
    config: Config, topics: Sequence[Topic], window: Window, store: Store, posts: int, stop: threading.Event
) -> list[SampleCollector]:
    """Have X count, draw a sample of ``posts`` for each topic and say what it will read.

    Raises:
        ConfigError, MonitorError, CollectError: as the counts and the draw refuse.
    """
    from monitor.collect.x_api import Api
    from monitor.collect.x_sample import SampleCollector
    from monitor.collect.x_spend import Till
    from monitor.config import Secrets
    from monitor.planning import ask, countable, hourly_counts
    from monitor.sampled import drawn
    from monitor.store.queries import spent_since

    secrets, hours = Secrets.from_environment(), countable(window, datetime.now(UTC))
    if hours.end < window.end:
        raise ConfigError(
            "A sample is drawn of hours that are over", f"End it with --until {hours.end:%Y-%m-%dT%H:%M}Z"
        )
    ask(config, secrets, store, topics, hours, stop, say)
    collectors = []
    for topic in topics:
        with store.reading() as moment:
            hourly = np.maximum(hourly_counts(moment, topic, hours), 0)
        if not hourly.any():
            say(f"{topic.name}: X counts no post, so there is nothing to read.")
            continue
        stream, slices = drawn(store, topic, hours, hourly, posts)
        say(
            f"{topic.name}: reads about {min(posts, hourly.sum()):,} of {hourly.sum():,} posts that X counts, "
            f"in {len(slices):,} stretches of time drawn at random, a request each or more."
        )
        till = Till(config.x, lambda day: spent_since(store, day))
        collectors.append(SampleCollector(Api(config.x, secrets), topic, stream, slices, till))
    return collectors


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
