"""What the detectors say of the last hours: one finding for each, in words, with its interval and what drives it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from monitor.alerts.hours import LEAST_COLLECTED, Due, Hours, at, collected_of, hours_of, number
from monitor.alerts.watching import BEYOND, FEWEST_AUTHORS, STATISTICS, Learned, least
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
_LATE = " It was judged afterwards, once its posts and scores were there."


@dataclass(frozen=True, slots=True)
class _Said:
    """What was new in each hour of one topic."""

    by_hour: Mapping[int, list[phrases.NewPhrase]]
    first: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """``findings`` of each topic and detector, and what is ``done``: it need not be judged again."""

    findings: list[Finding]
    done: frozenset[Due]


def judge(store: Store, learned: Learned, config: Config, now: datetime, missed: Collection[Due] = ()) -> Judged:
    """A finding for each topic and statistical detector: of the running hour and the one before, whichever says more.

    Args:
        missed: what was not judged while it ran; so much of it as was collected and scored meanwhile is judged now.
    """
    every, done = judge_each(store, learned, config, now, missed)
    loudest: dict[tuple[str, str, str], Finding] = {}
    for one in every:
        if one.key not in loudest or _weight(one) >= _weight(loudest[one.key]):
            loudest[one.key] = one
    return Judged(list(loudest.values()), done)


def judge_each(
    store: Store, learned: Learned, config: Config, now: datetime, missed: Collection[Due] = ()
) -> tuple[list[Finding], frozenset[Due]]:
    """As ``judge``, but every finding of every hour or bucket; and what need not be judged again."""
    end = number(now) + 1
    due = _collected(store, learned, config, now, missed)
    # From the start of a day, so that no bucket is cut in two.
    start = min([end - _RECENT_HOURS, *(hour // 24 * 24 for *_, hour in due)])
    recent = hours_of(store, config, start, end, now, learned.mix)
    done = frozenset(one for one in due if _is_done(recent, learned, one, end))
    hours: dict[tuple[str, str], set[int]] = defaultdict(set)
    for topic, name, hour in done:
        hours[topic, name].add(hour)
    said = _said(store, learned, recent, hours, end)
    found = [_driven(store, one, learned, recent, said) for one in _findings(recent, learned, said, hours, end)]
    judged = {(topic, name, hour // _width(learned, topic, name)) for topic, name, hour in done}
    return found, frozenset(one for one in missed if (*one[:2], one[2] // _width(learned, *one[:2])) in judged)


def _width(learned: Learned, topic: str, name: str) -> int:
    """Hours that are judged together, and so are done together, even those of them that were not collected."""
    detector = learned.detectors[topic, name]
    return detector.hours if name in _SHARES and isinstance(detector, Detector) else 1


def _collected(
    store: Store, learned: Learned, config: Config, now: datetime, missed: Collection[Due]
) -> Collection[Due]:
    """What was collected of what was missed; without it every look would read a week while one topic's money is out."""
    if not missed:
        return missed
    end, start = number(now) + 1, min(hour for *_, hour in missed) // 24 * 24
    share = collected_of(store, config, start, end, now, learned.mix)
    found = []
    for topic, name, hour in missed:
        width = _width(learned, topic, name)
        first = hour // width * width - start
        part = share[topic][first : first + width]
        if len(part) == width and part.mean() >= LEAST_COLLECTED:
            found.append((topic, name, hour))
    return found


def _is_done(recent: Hours, learned: Learned, due: Due, end: int) -> bool:
    """Whether this look judges what was collected with all that is to be known: each hour is judged for good but once.

    Counts hold while their hour is the last, whatever waits for a score; once late, they wait for it as shares do.
    """
    topic, name, hour = due
    if isinstance(learned.detectors[topic, name], Untrusted) or (name not in _SHARES and hour == end - 2):
        return True
    width = _width(learned, topic, name)
    first = hour // width * width
    return first + width < end and _is_scored(recent, topic, first, width)


def _findings(
    recent: Hours, learned: Learned, said: Mapping[str, _Said], late: Mapping[tuple[str, str], set[int]], end: int
) -> Iterator[Finding]:
    for topic in recent.collected:
        for name in STATISTICS:
            detector, hours = learned.detectors[topic, name], late.get((topic, name), set())
            if isinstance(detector, Untrusted):
                yield Finding(topic, name, "", at(end - 1), None, f"{name} of {topic}: {detector.why}.")
            elif name in _SHARES:
                yield from _shares(recent, learned, detector, topic, name, hours, end)
            else:
                for hour in sorted({*hours, end - 2, end - 1}):
                    yield _told_late(_count(recent, learned, detector, said, topic, name, hour), hour < end - 2)


def _weight(one: Finding) -> tuple[int, float]:
    """What is said of two hours: an alarm before what cannot be told, and that before the higher of two calm ones."""
    return {True: 2, None: 1, False: 0}[one.is_alarm], one.estimate.effect if one.estimate else 0.0


def _count(
    recent: Hours, learned: Learned, detector: Detector, said: Mapping[str, _Said], topic: str, name: Kind, hour: int
) -> Finding:
    """One hour against the threshold of a whole one: looking early costs no false alarm."""
    assert isinstance(detector.baseline, Baseline)
    if recent.collected[topic][hour - recent.first] < LEAST_COLLECTED:
        text = f"{name} of {topic}: too little of the hour from {at(hour):%d %b %H:%M} UTC was collected."
        return Finding(topic, name, "", at(hour), None, text, learned.rate(topic, name))
    count = _counted(recent, learned, said, topic, name, hour)
    share = recent.collected[topic][[hour - recent.first]]
    expected = float(detector.baseline.expected(np.array([cell(at(hour))]), share)[0])
    beyond = BEYOND.get(name, 0)
    counted = np.array([max(count - beyond, 0)])
    chance = float(detector.tail.chance(detector.baseline.chance(counted, np.array([expected])))[0])
    low, high = detector.baseline.usual(expected)
    low, high, expected = low + beyond * (low > 0), high + beyond, expected + beyond
    estimate = count_estimate(count, expected)
    enough = least(learned.least) if name == "phrase" else learned.least
    waiting = int(recent.of(topic, "unscored")[hour - recent.first]) if name == "volume" else 0
    aside = f" ({waiting:,} wait for their scores, counted at the usual relevance)" if waiting else ""
    told = f"{topic}: {count:,} {_WORDS[name]}{aside} in the hour from {at(hour):%d %b %H:%M} UTC"
    usual = f"95 of 100 such hours have {low:,} to {high:,}"
    if expected >= _COUNTABLE:
        interval = f"95 % interval {estimate.low:.1f} to {estimate.high:.1f}"
        sentence = f"{told}, {estimate.effect:.1f} times the usual {expected:.1f} ({interval}; {usual})."
    else:
        sentence = f"{told}, where there are hardly any ({usual})."
    is_alarm = bool(chance <= learned.cut and count >= enough)
    return Finding(topic, name, "", at(hour), is_alarm, sentence, learned.rate(topic, name), estimate)


def _counted(recent: Hours, learned: Learned, said: Mapping[str, _Said], topic: str, name: Kind, hour: int) -> int:
    if name == "phrase":
        found = said[topic].by_hour.get(hour, []) if topic in said else []
        return found[0].authors if found else 0
    place = hour - recent.first
    if name == "thread":
        return int(recent.of(topic, "answers")[place])
    return int(recent.of(topic, "posts")[place] + learned.relevance[topic] * recent.of(topic, "unscored")[place])


def _shares(
    recent: Hours, learned: Learned, detector: Detector, topic: str, name: Kind, late: Collection[int], end: int
) -> Iterator[Finding]:
    """The last whole bucket, or the one before it while its posts wait for their scores; and those of missed hours."""
    width = detector.hours
    last = (end - 1) // width * width - width  # the last whole bucket on the clock's grid
    newest = [first for first in (last, last - width) if first >= recent.first]
    latest = next((first for first in newest if _is_scored(recent, topic, first, width)), None)
    for first in sorted({hour // width * width for hour in late} - {latest}):
        yield _told_late(_share(recent, learned, detector, topic, name, first), True)
    if latest is not None:
        yield _share(recent, learned, detector, topic, name, latest)
    else:
        n = int(recent.of(topic, "unscored")[last - recent.first : last - recent.first + width].sum())
        yield Finding(topic, name, "", at(last), None, f"{name} of {topic}: {n:,} posts wait for a score.")


def _is_scored(recent: Hours, topic: str, first: int, width: int) -> bool:
    """Whether hardly any of these hours' posts wait for their score."""
    part = slice(first - recent.first, first - recent.first + width)
    waiting, scored = (recent.of(topic, name)[part].sum() for name in ("unscored", "scored"))
    return bool(waiting <= (1 - _SCORED) * (waiting + scored))


def _share(recent: Hours, learned: Learned, detector: Detector, topic: str, name: Kind, first: int) -> Finding:
    assert isinstance(detector.baseline, ShareBaseline)
    width, began_at, rate = detector.hours, at(first), learned.rate(topic, name)
    part = slice(first - recent.first, first - recent.first + width)
    n, count = (int(recent.of(topic, one)[part].sum()) for one in ("posts", name))
    when = f"the {width} h from {began_at:%d %b %H:%M} UTC"
    if recent.collected[topic][part].mean() < LEAST_COLLECTED:
        text = f"{name} of {topic}: too little of {when} was collected."
        return Finding(topic, name, "", began_at, None, text, rate)
    if n < learned.least:
        text = f"{topic}: {n:,} posts in {when}, and {learned.least} are needed."
        return Finding(topic, name, "", began_at, False, text, rate)
    chance = float(detector.tail.chance(detector.baseline.chance(np.array([count]), np.array([n])))[0])
    estimate, (low, high) = share_estimate(count, n), detector.baseline.usual(n)
    sentence = (
        f"{topic}: {count:,} of {n:,} posts {_SHARES[name]} in {when}, "
        f"{estimate.effect:.0%} (95 % interval {estimate.low:.0%} to {estimate.high:.0%}); usual are "
        f"{detector.baseline.share:.0%}, {low:,} to {high:,} in 95 of 100 such buckets. "
        "Labels as the classifier gives them."
    )
    return Finding(topic, name, "", began_at, chance <= learned.cut, sentence, rate, estimate)


def _told_late(one: Finding, is_late: bool) -> Finding:
    return replace(one, sentence=one.sentence + _LATE) if is_late else one


def _said(
    store: Store, learned: Learned, recent: Hours, late: Mapping[tuple[str, str], set[int]], end: int
) -> dict[str, _Said]:
    asked = [
        (topic, hour)
        for topic in recent.collected
        if isinstance(learned.detectors[topic, "phrase"], Detector)
        for hour in sorted({*late.get((topic, "phrase"), ()), end - 2, end - 1})
    ]
    found = alerting.texts(store, asked, recent.platforms)
    return {topic: _new(rows, learned.known[topic]) for topic, rows in found.items()}


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


def _driven(store: Store, finding: Finding, learned: Learned, recent: Hours, said: Mapping[str, _Said]) -> Finding:
    """An alarm with what drives it: the thread with most answers, new phrases, and the first post of its kind."""
    if not finding.is_alarm:
        return finding
    topic, detector = finding.topic, learned.detectors[finding.topic, finding.detector]
    assert isinstance(detector, Detector)
    first_hour = number(finding.began_at)
    hours = range(first_hour, first_hour + detector.hours)
    most = max(hours, key=lambda hour: recent.of(topic, "answers")[hour - recent.first])
    answers = recent.of(topic, "answers")[most - recent.first]
    thread = recent.threads.get((topic, most)) if answers >= _FEWEST_ANSWERS else None
    new = said[topic].by_hour.get(first_hour, []) if topic in said else []
    told = tuple(one.text for one in new if one.authors >= FEWEST_AUTHORS)
    if finding.detector == "thread":
        first = thread
    elif finding.detector == "phrase" and told:
        first = said[topic].first.get(told[0])
    else:
        window = Window(finding.began_at, finding.began_at + timedelta(hours=detector.hours))
        first = alerting.first_post(store, topic, window, finding.detector, recent.platforms)
    return replace(finding, thread=thread, first=first, phrases=told)
