"""What each topic had in each hour, and how much of what it usually has was collected then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from monitor.analyse.baseline import Values
from monitor.analyse.coverage import collected
from monitor.analyse.detectors import TRUST_DAYS
from monitor.analyse.windows import STILL, reached
from monitor.config import Config
from monitor.records import Gap, Window
from monitor.store import Moment, Store, alerting, views
from monitor.store.streams import LiveStream, live_streams

if TYPE_CHECKING:
    import pyarrow as pa

LEAST_COLLECTED = 0.5  # of what an hour usually brings, for it to be learned from and judged
_COUNTS = ("posts", "unscored", "scored", "concern", "removal")

Mix = Mapping[str, Mapping[str, float]]
Due = tuple[str, str, int]  # a topic, a detector and an hour since 1970 that the detector is to judge


@dataclass(frozen=True, slots=True)
class Hours:
    """Per topic and hour from ``first`` (since 1970), shape (hours,); ``collected`` is 0 where masked.

    ``mix`` is what each platform brings of a topic's posts, adding up to 1. ``collected`` weighs with it what was
    collected of each platform, so a gap on one of them leaves the others to be judged.
    """

    first: int
    collected: Mapping[str, Values]
    values: Mapping[tuple[str, str], Values]
    threads: Mapping[tuple[str, int], int]
    mix: Mix

    @property
    def platforms(self) -> list[str]:
        return sorted({name for parts in self.mix.values() for name in parts})

    def of(self, topic: str, name: str) -> Values:
        found = self.values.get((topic, name))
        return np.zeros(len(self.collected[topic])) if found is None else found


def number(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp()) // 3600


def at(hour: int) -> datetime:
    """When an hour since 1970 began."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def platforms(config: Config) -> tuple[str, ...]:
    """Those that are watched live."""
    return tuple(name for name in ("bluesky", "x") if getattr(config, name).enabled)


def hours_of(store: Store, config: Config, start: int, end: int, now: datetime, mix: Mix | None = None) -> Hours:
    """What each hour from ``start`` to ``end`` held, of the platforms of ``mix``.

    Args:
        mix: as was learned; None takes it from these hours, without platforms that are new.
    """
    window = Window(at(start), min(at(end), now))
    topics = [topic.name for topic in config.topics]
    with store.reading() as moment:
        watched = _every_watched(moment, config, start, end, now)
        counts = alerting.hours(moment, window)
    if mix is None:
        watched = _settled(watched)
        posts = _rows(counts, ("topic", "platform"), "posts", start, end)
        mix = {topic: _mix({name: posts[topic, name] for name in watched}, watched) for topic in topics}
    known = {name for parts in mix.values() for name in parts}
    threads = alerting.threads(store, window, list(known))  # apart, so that nobody waits for both
    counts = counts.filter(np.array([name in known for name in counts["platform"].to_pylist()], bool))
    values = {
        (topic, name): row
        for name, table in [*((name, counts) for name in _COUNTS), ("answers", threads)]
        for (topic,), row in _rows(table, ("topic",), name, start, end).items()
    }
    keys = {(row["topic"], row["hour"]): row["thread"] for row in threads.to_pylist()}
    return Hours(start, {topic: _exposure(mix[topic], watched, end - start) for topic in topics}, values, keys, mix)


def collected_of(store: Store, config: Config, start: int, end: int, now: datetime, mix: Mix) -> dict[str, Values]:
    """As ``hours_of(...).collected``, without reading a post."""
    with store.reading() as moment:
        watched = _every_watched(moment, config, start, end, now)
    return {topic.name: _exposure(mix[topic.name], watched, end - start) for topic in config.topics}


def _every_watched(moment: Moment, config: Config, start: int, end: int, now: datetime) -> dict[str, Values]:
    streams = [one for one in live_streams(moment) if one.platform in platforms(config)]
    gaps = views.gaps(moment, Window(at(start), min(at(end), now)))
    return {one.platform: _watched(one, gaps, start, end, now) for one in streams}


def _watched(one: LiveStream, gaps: list[Gap], start: int, end: int, now: datetime) -> Values:
    """What share of each hour a stream collected, then or later; the running hour counts as whole.

    What was imported or searched for before it began tells of no hour how many posts it had.
    """
    around = [Gap(one.stream, at(start), one.begun_at or at(end), "")]
    if (come_to := _come_to(one, now)) < min(at(end), now):
        around.append(Gap(one.stream, come_to, at(end), ""))
    own = [gap for gap in gaps if gap.stream == one.stream]
    return collected(at(start), 3600, end - start, [*own, *around])


def _come_to(one: LiveStream, now: datetime) -> datetime:
    """Up to when a stream has come; one that replays what it missed has come no further than that."""
    # A clock that was ahead when the collector last moved must not read as a stop.
    moved = now if one.moved_at is None or one.moved_at > now else reached(now, one.moved_at) or now
    return one.event_at if one.event_at is not None and moved - one.event_at > STILL else moved


def _settled(watched: dict[str, Values]) -> dict[str, Values]:
    """Without platforms that were not collected long enough to tell what they bring, unless there are no others."""
    known = {name: share for name, share in watched.items() if share.sum() >= TRUST_DAYS * 24}
    return known or watched


def _mix(posts: Mapping[str, Values], watched: Mapping[str, Values]) -> dict[str, float]:
    """What share of a topic's posts each platform brings where all of them are collected."""
    rates = {}
    for name, share in watched.items():
        is_known = share >= LEAST_COLLECTED
        rates[name] = float(posts[name][is_known].sum() / max(share[is_known].sum(), 1.0))
    total = sum(rates.values())
    return {name: rate / total if total else 1 / len(rates) for name, rate in rates.items()}


def _exposure(mix: Mapping[str, float], watched: Mapping[str, Values], n: int) -> Values:
    nothing = np.zeros(n)
    return np.asarray(sum((part * watched.get(name, nothing) for name, part in mix.items()), nothing))


def _rows(table: pa.Table, by: tuple[str, ...], name: str, start: int, end: int) -> dict[tuple[str, ...], Values]:
    found: dict[tuple[str, ...], Values] = defaultdict(lambda: np.zeros(end - start))
    columns = (table[column].to_pylist() for column in (*by, "hour", name))
    for *key, hour, n in zip(*columns, strict=True):
        found[tuple(key)][hour - start] += n
    return found
