"""The join of store and detectors: learn what is usual from stored history, then say what the last hours hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from monitor.alerts.hours import LEAST_COLLECTED, Hours, Mix, at, hours_of, number
from monitor.analyse import phrases
from monitor.analyse.baseline import WEEK, Cells, cell
from monitor.analyse.detectors import Detector, Untrusted, count_detector, sampled_detector, share_detector
from monitor.analyse.share_baseline import ShareBaseline
from monitor.analyse.thresholds import CUTS, cut, rate_at
from monitor.config import Config
from monitor.records.alerts import Detector as Kind
from monitor.store import Store, alerting, views

STATISTICS: tuple[Kind, ...] = ("volume", "concern", "removal", "thread", "phrase")
_GUARD_HOURS = 24  # before now are not learned from: what goes on must not become what is usual
_EVENT_HOURS = 72  # after a known event are not learned from
_MOST_WAITING = 0.05  # of an hour's posts for their scores, for it to be learned from
_TEXTS = 10_000  # posts of a topic that phrases are learned from
_TOPICS_READ = 10  # at once: their texts are in memory
FEWEST_AUTHORS = 3
# The largest of several counts is seldom none and seldom two: what is beyond one varies as the baseline has it.
BEYOND: Mapping[str, int] = {"thread": 1, "phrase": 1}


@dataclass(frozen=True, slots=True)
class Learned:
    """What is usual, and where the line stands between it and an alarm.

    ``relevance`` is the share of scored posts of a topic that are relevant: what posts that wait for their score count.
    ``known`` are hashes of a topic's phrases; they hold in this process only. ``mix`` is what each platform brings.
    """

    at: datetime
    detectors: Mapping[tuple[str, str], Detector | Untrusted]
    cut: float
    relevance: Mapping[str, float]
    known: Mapping[str, frozenset[int]]
    mix: Mix
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


def learn(store: Store, config: Config, now: datetime) -> Learned:
    """Fit every detector of every topic to the history of the last weeks."""
    settings, topics = config.alerts, [topic.name for topic in config.topics]
    end = number(now) - _GUARD_HOURS
    start = end - settings.history_weeks * WEEK
    history = _without_events(hours_of(store, config, start, end, now), config, store)
    cells = (np.arange(start, end) + cell(at(0))) % WEEK
    detectors: dict[tuple[str, str], Detector | Untrusted] = {}
    relevance = {}
    for topic in topics:
        is_known, of = history.collected[topic], partial(history.of, topic)
        scored = of("scored")[is_known > 0].sum()
        relevance[topic] = float(of("posts")[is_known > 0].sum() / scored) if scored else 1.0
        detectors[topic, "volume"] = count_detector(of("posts"), cells, is_known, settings.min_mentions)
        answers = np.maximum(of("answers") - BEYOND["thread"], 0)
        fewest = settings.min_mentions - BEYOND["thread"]
        detectors[topic, "thread"] = count_detector(answers, cells, is_known, fewest)
        for name in ("concern", "removal"):
            detectors[topic, name] = share_detector(of(name), of("posts"), start, is_known, settings.min_mentions)
    known = _learn_phrases(store, history, cells, detectors, least(settings.min_mentions))
    detectors = {(topic, name): detectors[topic, name] for topic in topics for name in STATISTICS}
    ready = [(one.rates, one.tests_per_week) for one in detectors.values() if isinstance(one, Detector)]
    where = cut(ready, 1 / settings.false_alarm_weeks) if ready else float(CUTS[-1])
    return Learned(
        now, detectors, where, relevance, known, history.mix, settings.false_alarm_weeks, settings.min_mentions
    )


def least(mentions: int) -> int:
    """Authors that a new phrase must have where an alarm takes so many posts."""
    return max(FEWEST_AUTHORS, mentions // 2)


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
    return replace(history, collected=masked)


def _learn_phrases(
    store: Store, history: Hours, cells: Cells, detectors: dict[tuple[str, str], Detector | Untrusted], fewest: int
) -> dict[str, frozenset[int]]:
    """Add the detector of each topic's new phrases; hashes of those that are known, where the topic has a baseline."""
    known: dict[str, frozenset[int]] = {}
    untold = {(topic, "phrase"): one for (topic, name), one in detectors.items() if name == "volume"}
    detectors.update({key: one for key, one in untold.items() if isinstance(one, Untrusted)})
    topics = [topic for (topic, _), one in untold.items() if isinstance(one, Detector)]
    for part in range(0, len(topics), _TOPICS_READ):
        for topic, said in _said(store, history, topics[part : part + _TOPICS_READ]).items():
            detectors[topic, "phrase"], known[topic] = _phrases(said, history, topic, cells, fewest)
    return known


def _said(store: Store, history: Hours, topics: list[str]) -> dict[str, dict[int, list[phrases.Said]]]:
    """What was said by topic and hour since 1970, in a sample of hours; those in which nothing was are there, too."""
    said: dict[str, dict[int, list[phrases.Said]]] = {
        topic: {hour: [] for hour in _sampled(history, topic)} for topic in topics
    }
    asked = [(topic, hour) for topic, hours in said.items() for hour in hours]
    for topic, rows in alerting.texts(store, asked, history.platforms).items():
        for row in rows:
            said[topic][row["hour"]].append((row["author"], row["text"]))
    return said


def _sampled(history: Hours, topic: str) -> list[int]:
    """So many hours since 1970 as hold ``_TEXTS`` posts, spread over the history."""
    places = np.flatnonzero(history.collected[topic] > 0)
    stride = max(1, round(history.of(topic, "posts")[places].sum() / _TEXTS))
    while gcd(stride, WEEK) > 1:  # never in step with day or week
        stride += 1
    return [int(place) + history.first for place in places[::stride]]


def _phrases(
    said: Mapping[int, list[phrases.Said]], history: Hours, topic: str, cells: Cells, fewest: int
) -> tuple[Detector | Untrusted, frozenset[int]]:
    share = history.collected[topic]
    largest, known = phrases.history(said)
    judged = sorted(said)[len(said) // 2 :]  # the first half only makes phrases known
    places = np.array(judged, np.int64) - history.first
    counts, sampled = np.zeros(len(share)), np.zeros(len(share))
    sampled[places] = share[places]
    counts[places] = [max(largest[hour] - BEYOND["phrase"], 0) for hour in judged]
    return sampled_detector(counts, cells, sampled, fewest - BEYOND["phrase"]), known
