"""What the detectors say of the last hours: one finding for each, in words, with its interval and what drives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from monitor.alerts.watching import LEAST_COLLECTED, STATISTICS, Hours, Learned, hours_of, least, number
from monitor.analyse import phrases
from monitor.analyse.baseline import Baseline, cell
from monitor.analyse.detectors import Detector, Untrusted, count_estimate, share_estimate
from monitor.analyse.share_baseline import ShareBaseline
from monitor.config import Config
from monitor.records import Window
from monitor.records.alerts import Detector as Kind
from monitor.records.alerts import Finding
from monitor.store import Store, alerting

_RECENT_HOURS = 49
_FEWEST_ANSWERS = 3  # for a thread to be named as what drives an alarm
_SCORED = 0.95  # of a bucket's posts must be, before its shares are judged
_COUNTABLE = 0.5  # posts of an hour; of fewer, nobody says how many times as many came
_WORDS = {"volume": "posts", "thread": "answers to one post", "phrase": "authors of one new phrase"}
_SHARES = {"concern": "of concern level 2 or 3", "removal": "that speak of leaving"}


@dataclass(frozen=True, slots=True)
class _Said:
    """The current and the last hour of one topic: its new phrases in each."""

    by_hour: Mapping[int, list[phrases.NewPhrase]]
    first: Mapping[str, int]


def judge(store: Store, learned: Learned, config: Config, now: datetime) -> list[Finding]:
    """A finding for each topic and statistical detector, of the running hour and the one before."""
    end = number(now) + 1
    topics = [topic.name for topic in config.topics]
    recent = hours_of(store, topics, end - _RECENT_HOURS, end, now)
    said = _said(store, learned, topics, end)
    return [_driven(store, one, recent, said) for one in _findings(recent, learned, said, topics, end)]


def _findings(
    recent: Hours, learned: Learned, said: Mapping[str, _Said], topics: list[str], end: int
) -> Iterator[Finding]:
    for topic in topics:
        for name in STATISTICS:
            detector = learned.detectors[topic, name]
            if isinstance(detector, Untrusted):
                yield Finding(topic, name, "", _at(end - 1), None, f"{name} of {topic}: {detector.why}.")
            elif name in _SHARES:
                yield _share(recent, learned, detector, topic, name, end)
            else:
                both = [_count(recent, learned, detector, said, topic, name, hour) for hour in (end - 2, end - 1)]
                yield max(both, key=_weight)


def _weight(one: Finding) -> tuple[int, float]:
    """What is said of two hours: an alarm before what cannot be told, and that before the higher of two calm ones."""
    return {True: 2, None: 1, False: 0}[one.is_alarm], one.estimate.effect if one.estimate else 0.0


def _count(
    recent: Hours, learned: Learned, detector: Detector, said: Mapping[str, _Said], topic: str, name: Kind, hour: int
) -> Finding:
    """One hour against the threshold of a whole one: looking early costs no false alarm."""
    assert isinstance(detector.baseline, Baseline)
    if recent.collected[topic][hour - recent.first] < LEAST_COLLECTED:
        text = f"{name} of {topic}: too little of the hour from {_at(hour):%d %b %H:%M} UTC was collected."
        return Finding(topic, name, "", _at(hour), None, text, learned.rate(topic, name))
    count = _counted(recent, learned, said, topic, name, hour)
    share = recent.collected[topic][[hour - recent.first]]
    expected = float(detector.baseline.expected(np.array([cell(_at(hour))]), share)[0])
    chance = float(detector.tail.chance(detector.baseline.chance(np.array([count]), np.array([expected])))[0])
    estimate = count_estimate(count, expected)
    low, high = detector.baseline.usual(expected)
    enough = least(learned.least) if name == "phrase" else learned.least
    told = f"{topic}: {count:,} {_WORDS[name]} in the hour from {_at(hour):%d %b %H:%M} UTC"
    usual = f"95 of 100 such hours have {low:,} to {high:,}"
    if expected >= _COUNTABLE:
        interval = f"95 % interval {estimate.low:.1f} to {estimate.high:.1f}"
        sentence = f"{told}, {estimate.effect:.1f} times the usual {expected:.1f} ({interval}; {usual})."
    else:
        sentence = f"{told}, where there are hardly any ({usual})."
    is_alarm = bool(chance <= learned.cut and count >= enough)
    return Finding(topic, name, "", _at(hour), is_alarm, sentence, learned.rate(topic, name), estimate)


def _counted(recent: Hours, learned: Learned, said: Mapping[str, _Said], topic: str, name: Kind, hour: int) -> int:
    if name == "phrase":
        found = said[topic].by_hour.get(hour, []) if topic in said else []
        return found[0].authors if found else 0
    place = hour - recent.first
    if name == "thread":
        return int(recent.of(topic, "answers")[place])
    return int(recent.of(topic, "posts")[place] + learned.relevance[topic] * recent.of(topic, "unscored")[place])


def _share(recent: Hours, learned: Learned, detector: Detector, topic: str, name: Kind, end: int) -> Finding:
    """The last whole bucket, or the one before it while its posts wait for their scores."""
    assert isinstance(detector.baseline, ShareBaseline)
    width = detector.hours
    last = (end - 1) // width * width - width  # the last whole bucket on the clock's grid
    for first in (last, last - width) if last - width >= recent.first else (last,):
        part = slice(first - recent.first, first - recent.first + width)
        told = {one: int(recent.of(topic, one)[part].sum()) for one in ("posts", "unscored", name)}
        n, count, at = told["posts"], told[name], _at(first)
        if told["unscored"] <= (1 - _SCORED) * (n + told["unscored"]):
            break
    else:
        return Finding(topic, name, "", at, None, f"{name} of {topic}: {told['unscored']:,} posts wait for a score.")
    if recent.collected[topic][part].mean() < LEAST_COLLECTED:
        text = f"{name} of {topic}: too little of the {width} h from {at:%d %b %H:%M} UTC was collected."
        return Finding(topic, name, "", at, None, text, learned.rate(topic, name))
    if n < learned.least:
        told_why = f"{topic}: {n:,} posts in the {width} h from {at:%d %b %H:%M} UTC, and {learned.least} are needed."
        return Finding(topic, name, "", at, False, told_why, learned.rate(topic, name))
    chance = float(detector.tail.chance(detector.baseline.chance(np.array([count]), np.array([n])))[0])
    estimate, (low, high) = share_estimate(count, n), detector.baseline.usual(n)
    sentence = (
        f"{topic}: {count:,} of {n:,} posts {_SHARES[name]} in the {width} h from {at:%d %b %H:%M} UTC, "
        f"{estimate.effect:.0%} (95 % interval {estimate.low:.0%} to {estimate.high:.0%}); usual are "
        f"{detector.baseline.share:.0%}, {low:,} to {high:,} in 95 of 100 such buckets. "
        "Labels as the classifier gives them."
    )
    return Finding(
        topic,
        name,
        "",
        at,
        chance <= learned.cut,
        sentence,
        learned.rate(topic, name),
        estimate,
    )


def _said(store: Store, learned: Learned, topics: list[str], end: int) -> dict[str, _Said]:
    asked = [topic for topic in topics if isinstance(learned.detectors[topic, "phrase"], Detector)]
    rows: dict[str, list[dict[str, Any]]] = {topic: [] for topic in asked}
    for row in alerting.texts(store, asked, [end - 2, end - 1]) if asked else []:
        rows[row["topic"]].append(row)
    return {topic: _new(found, learned.known[topic]) for topic, found in rows.items()}


def _new(rows: list[dict[str, Any]], known: frozenset[int]) -> _Said:
    by_hour: dict[int, list[phrases.Said]] = {}
    for row in rows:
        by_hour.setdefault(row["hour"], []).append((row["author"], row["text"]))
    found = {hour: phrases.new_phrases(said, known) for hour, said in by_hour.items()}
    top = {one.text for several in found.values() for one in several}
    first: dict[str, int] = {}
    for row in rows if top else []:
        for phrase in top & phrases.phrases(row["text"]):
            first.setdefault(phrase, row["key"])
    return _Said(found, first)


def _driven(store: Store, finding: Finding, recent: Hours, said: Mapping[str, _Said]) -> Finding:
    """An alarm with what drives it: the thread with most answers, new phrases, and the post that came first."""
    if not finding.is_alarm:
        return finding
    hour = number(finding.began_at)
    new = said[finding.topic].by_hour.get(hour, []) if finding.topic in said else []
    told = tuple(one.text for one in new if one.authors >= 3)
    answers = recent.of(finding.topic, "answers")[hour - recent.first] if hour >= recent.first else 0
    thread = recent.threads.get((finding.topic, hour)) if answers >= _FEWEST_ANSWERS else None
    first = said[finding.topic].first.get(told[0]) if finding.detector == "phrase" and told else thread
    if first is None:
        window = Window(finding.began_at, finding.began_at + timedelta(hours=1))
        first = alerting.first_post(store, finding.topic, window)
    return replace(finding, thread=thread, first=first, phrases=told)


def _at(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
