"""The join of store and detectors: learn what is usual from stored history, then say what the last hours hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.analyse import phrases
from monitor.analyse.baseline import WEEK, Values, cell
from monitor.analyse.coverage import collected
from monitor.analyse.detectors import Detector, Untrusted, count_detector, sampled_detector, share_detector
from monitor.analyse.share_baseline import ShareBaseline
from monitor.analyse.thresholds import CUTS, cut, rate_at
from monitor.analyse.windows import STILL, reached, unwatched
from monitor.config import Config
from monitor.records import Window
from monitor.records.alerts import Detector as Kind
from monitor.store import Store, alerting, views

if TYPE_CHECKING:
    import pyarrow as pa

STATISTICS: tuple[Kind, ...] = ("volume", "concern", "removal", "thread", "phrase")
HOUR = timedelta(hours=1)
_GUARD_HOURS = 24  # before now are not learned from: what goes on must not become what is usual
_EVENT_HOURS = 72  # after a known event are not learned from
LEAST_COLLECTED = 0.5  # of an hour, for it to be learned from and judged
_MOST_WAITING = 0.05  # of an hour's posts for their scores, for it to be learned from
_TEXTS = 10_000  # posts of a topic that phrases are learned from
_FEWEST_AUTHORS = 3


@dataclass(frozen=True, slots=True)
class Learned:
    """What is usual, and where the line stands between it and an alarm.

    ``relevance`` is the share of scored posts of a topic that are relevant: what posts that wait for their score count.
    ``known`` are hashes of a topic's phrases; they hold in this process only.
    """

    at: datetime
    detectors: Mapping[tuple[str, str], Detector | Untrusted]
    cut: float
    relevance: Mapping[str, float]
    known: Mapping[str, frozenset[int]]
    weeks: float  # between two false alarms of all of them
    least: int  # posts of an alarm

    def rate(self, topic: str, name: str) -> str:
        """The stated rate of false alarms, of one detector and of all together."""
        ready = [one for one in self.detectors.values() if isinstance(one, Detector)]
        own = self.detectors[topic, name]
        alone = own.weeks_between(self.cut) if isinstance(own, Detector) else float("inf")
        share = f"; this one alone one in {alone:,.0f} weeks" if alone < 1e5 else ""
        return (
            f"False alarms: all {len(ready)} detectors that have a baseline together give one in {self.weeks:g} weeks "
            f"(by simulation of quiet weeks){share}."
        )

    def report(self) -> dict[str, Any]:
        """Each detector's stated rate and the alarms that it makes of the history it comes from."""
        rows = [self._row(topic, name, one) for (topic, name), one in self.detectors.items()]
        ready = [row for row in rows if row["weeks"] is not None]
        fired, stated = sum(row["fired"] for row in ready), sum(row["stated"] for row in ready)
        weeks = max((row["weeks"] for row in ready), default=0.0)
        text = (
            f"Together {fired} alarms in the {weeks:.1f} weeks that were learned from, where {stated:.1f} are stated: "
            f"one in {self.weeks:g} weeks. What came besides was out of the ordinary then."
            if ready
            else "No detector has a baseline yet."
        )
        return {
            "weeks_between_false_alarms": self.weeks,
            "fired": fired,
            "stated": stated,
            "detectors": rows,
            "text": text,
        }

    def _row(self, topic: str, name: str, one: Detector | Untrusted) -> dict[str, Any]:
        row: dict[str, Any] = {"topic": topic, "detector": name, "weeks": None, "fired": None, "stated": None}
        if isinstance(one, Untrusted):
            return row | {"text": one.why}
        # The rate of a share is that of any bucket, those of too few posts among them.
        tests = len(one.chances) if isinstance(one.baseline, ShareBaseline) else int((~np.isnan(one.chances)).sum())
        weeks, fired = tests * one.hours / WEEK, one.fired(self.cut)
        stated = rate_at(one.rates, self.cut) * tests
        text = f"{fired} alarms in {weeks:.1f} weeks of history, {stated:.2f} stated"
        return row | {"weeks": weeks, "fired": fired, "stated": stated, "text": text}


@dataclass(frozen=True, slots=True)
class Hours:
    """Per topic and hour from ``first`` (since 1970), shape (hours,); ``collected`` is 0 where masked."""

    first: int
    collected: Mapping[str, Values]
    values: Mapping[tuple[str, str], Values]
    threads: Mapping[tuple[str, int], int]

    def of(self, topic: str, name: str) -> Values:
        found = self.values.get((topic, name))
        return np.zeros(len(self.collected[topic])) if found is None else found


def number(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp()) // 3600


def learn(store: Store, config: Config, now: datetime) -> Learned:
    """Fit every detector of every topic to the history of the last weeks."""
    settings, topics = config.alerts, [topic.name for topic in config.topics]
    end = number(now) - _GUARD_HOURS
    start = end - settings.history_weeks * WEEK
    history = hours_of(store, topics, start, end, now)
    history = _without_events(history, config, store)
    cells = (np.arange(start, end) + cell(_at(0))) % WEEK
    detectors: dict[tuple[str, str], Detector | Untrusted] = {}
    known, relevance = {}, {}
    for topic in topics:
        is_known, of = history.collected[topic], partial(history.of, topic)
        scored = of("scored")[is_known > 0].sum()
        relevance[topic] = float(of("posts")[is_known > 0].sum() / scored) if scored else 1.0
        detectors[topic, "volume"] = count_detector(of("posts"), cells, is_known, settings.min_mentions)
        detectors[topic, "thread"] = count_detector(of("answers"), cells, is_known, settings.min_mentions)
        for name in ("concern", "removal"):
            detectors[topic, name] = share_detector(of(name), of("posts"), start, is_known, settings.min_mentions)
        detectors[topic, "phrase"], known[topic] = _phrases(
            store, topic, history, cells, detectors, least(settings.min_mentions)
        )
    ready = [(one.rates, one.tests_per_week) for one in detectors.values() if isinstance(one, Detector)]
    where = cut(ready, 1 / settings.false_alarm_weeks) if ready else float(CUTS[-1])
    return Learned(now, detectors, where, relevance, known, settings.false_alarm_weeks, settings.min_mentions)


def least(mentions: int) -> int:
    """Authors that a new phrase must have where an alarm takes so many posts."""
    return max(_FEWEST_AUTHORS, mentions // 2)


def hours_of(store: Store, topics: Sequence[str], start: int, end: int, now: datetime) -> Hours:
    """What each hour from ``start`` to ``end`` held, those that were not collected masked in proportion."""
    window = Window(_at(start), min(_at(end), now))
    with store.reading() as moment:
        head = views.head(moment)
        recorded = views.gaps(moment, window)
        counts = alerting.hours(moment, window)
    threads = alerting.threads(store, window)  # apart, so that nobody waits for both
    # A clock that was ahead when the collector last moved must not read as a stop.
    moved = reached(now, head.moved_at) if head.moved_at is None or head.moved_at <= now else now
    if moved is not None and head.event_at is not None and moved - head.event_at > STILL:
        moved = head.event_at  # a stream that replays what it missed has not come further
    gaps = unwatched(window, recorded, head.oldest_at, head.begun_at, moved)
    share = collected(_at(start), 3600, end - start, gaps)
    # What was imported or searched for tells of no hour how many posts it had.
    begun = end if head.begun_at is None else number(head.begun_at)
    share[: max(0, begun - start)] = 0.0
    names = ("posts", "unscored", "scored", "concern", "removal")
    values = {(topic, name): row for name in names for topic, row in _rows(counts, name, start, end).items()}
    values |= {(topic, "answers"): row for topic, row in _rows(threads, "answers", start, end).items()}
    keys = {(row["topic"], row["hour"]): row["thread"] for row in threads.to_pylist()}
    return Hours(start, dict.fromkeys(topics, share), values, keys)


def _rows(table: pa.Table, name: str, start: int, end: int) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for topic, hour, n in zip(*(table[c].to_pylist() for c in ("topic", "hour", name)), strict=True):
        found.setdefault(topic, np.zeros(end - start))[hour - start] = n
    return found


def _without_events(history: Hours, config: Config, store: Store) -> Hours:
    """Masked: half-collected or half-scored hours, what followed known events, and what other rules found."""
    since = {v.topic: number(v.since) + 1 for v in views.rule_versions(store) if v.number > 1}
    masked = {}
    for topic, share in history.collected.items():
        waiting, scored = history.of(topic, "unscored"), history.of(topic, "scored")
        is_known = (share >= LEAST_COLLECTED) & (waiting <= _MOST_WAITING * (waiting + scored))
        share = np.where(is_known, share, 0.0)
        for event in config.events:
            if event.topic in (None, topic):
                place = number(event.at) - history.first
                share[max(place, 0) : max(place + _EVENT_HOURS, 0)] = 0.0
        share[: max(since.get(topic, 0) - history.first, 0)] = 0.0
        masked[topic] = share
    return Hours(history.first, masked, history.values, history.threads)


def _phrases(
    store: Store,
    topic: str,
    history: Hours,
    cells: np.ndarray[tuple[int], np.dtype[np.int64]],
    detectors: Mapping[tuple[str, str], Detector | Untrusted],
    fewest: int,
) -> tuple[Detector | Untrusted, frozenset[int]]:
    """The detector and what is known already, from so many hours as hold ``_TEXTS`` posts, spread over the history."""
    volume = detectors[topic, "volume"]
    if isinstance(volume, Untrusted):
        return volume, frozenset()
    share = history.collected[topic]
    places = np.flatnonzero(share > 0)
    stride = max(1, round(history.of(topic, "posts")[places].sum() / _TEXTS))
    while gcd(stride, WEEK) > 1:  # never in step with day or week
        stride += 1
    chosen = places[::stride]
    judged = chosen[len(chosen) // 2 :]  # the first half only makes phrases known
    said: dict[int, list[phrases.Said]] = {int(place) + history.first: [] for place in chosen}
    for row in alerting.texts(store, [topic], list(said)):
        said[row["hour"]].append((row["author"], row["text"]))
    largest, known = phrases.history(said)
    counts, sampled = np.zeros(len(share)), np.zeros(len(share))
    sampled[judged] = share[judged]
    counts[judged] = [largest[int(place) + history.first] for place in judged]
    return sampled_detector(counts, cells, sampled, fewest), known


def _at(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
