"""Hourly counts of everything an event study is made of, out of the store, and when they can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.analyse import findings
from monitor.analyse.control import Control, term
from monitor.analyse.coverage import collected as share_collected
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure
from monitor.analyse.unread import Units, noise
from monitor.config import Event
from monitor.records import Gap, Window
from monitor.store import Moment, views
from monitor.store.hours import counted, loudest, sampled
from monitor.store.queries import overlapping
from monitor.store.views import Scope
from monitor.study import event_gaps, known_to

Values = NDArray[np.float64]
Counts = Mapping[str, Values]
Wrong = Mapping[str, tuple[float, float]]

UNWEIGHTED = ("authors", "texts")  # a sample tells how many posts there were, and not by how many
MEAN, HIGH, LEAVING = "mean concern", "share of concern 2 or more", "share of removal talk"
_STAGES = ("considering", "committed", "done", "blocked")
_HOUR, _LONGEST = timedelta(hours=1), timedelta(days=548)
_TOP_CONCERN = 3.0
_MOST_WAITING = 0.05  # of an hour's posts for their scores: with more it is not known what it held
_AS_LIVE = "replay"  # fills a gap with all that a live stream would have brought


@dataclass(frozen=True, slots=True)
class Sample:
    """``read`` is what was read in each unit, as columns of ``Hourly.counts``; ``hours`` are those it was drawn of."""

    units: Units
    read: Counts
    hours: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hourly:
    """Of the whole ``window``, whose edges are hours after the first event; ``placed`` are the ``known`` events.

    ``counts`` weigh posts of samples. ``loudest`` are, by event, the posts of whoever posted most after it.
    ``collected`` is the share of each hour that was collected, 0 to 1, and ``live`` the share that was watched live.
    ``sample`` is None where every post was read, ``control`` where none was asked for; its posts are on none of the
    scope's topics.
    """

    window: Window
    counts: Counts
    loudest: Counts
    collected: Values
    live: Values
    sample: Sample | None
    known: Sequence[Event]
    placed: Sequence[Placed]
    control: Control | None = None

    def measures(self, wrong: Wrong) -> list[Measure]:
        """All that is judged; ``wrong`` by the name of a share, see ``Measure``."""
        moved = None if self.control is None else term(self.control)
        return [
            *(self._measure(name, name, control=moved) for name in ("posts", *UNWEIGHTED)),
            self._measure(MEAN, "concern", _TOP_CONCERN, is_share=True),
            replace(self._measure(HIGH, "concern2", is_share=True), wrong=wrong.get(HIGH)),
            replace(self._measure(LEAVING, "leaving", is_share=True), wrong=wrong.get(LEAVING)),
            *(self._measure(findings.STAGE + stage, stage, control=moved) for stage in _STAGES),
        ]

    def told(self, name: str, collected: Values) -> Values:
        """As much of ``collected`` as tells of the measure of that name."""
        return np.where(self.sample.hours, 0.0, collected) if self.sample and name in UNWEIGHTED else collected

    def _measure(
        self, name: str, column: str, top: float = 1.0, *, is_share: bool = False, control: Values | None = None
    ) -> Measure:
        posts = self.counts["posts"]
        measure = Measure(name, self.counts[column] / top, posts if is_share else None, top, control=control)
        if self.sample is None or column in UNWEIGHTED:
            return measure
        units, read = self.sample.units, self.sample.read
        cases = read["posts"] if is_share else read[column]
        unread = np.bincount(units.hour, (units.weight - 1) * cases, len(posts))
        return replace(
            measure, read=measure.cases - unread, sampled=noise(units, read[column] / top, cases, len(posts))
        )


def hour_of(window: Window, at: datetime) -> int:
    """The edge of the window's hours that is next to a time, outside of them too."""
    return round((at - window.start) / _HOUR)


def hourly(
    moment: Moment, scope: Scope, known: Sequence[Event], asked: Sequence[Event], hours: int, control: str = ""
) -> Hourly | None:
    """All that the store tells of the hours around the events that are ``asked``, None where it tells nothing.

    Args:
        hours: of the windows after them.
        control: a topic that they do not touch, "" for none.
    """
    head = views.head(moment)
    begun = [at for at in (head.oldest_at, head.begun_at) if at is not None]
    reached, anchor = known_to(head), asked[0].at
    reached = min(reached, datetime.now(UTC)) if reached else None  # a post may be dated ahead
    if reached is None or not begun:
        return None
    first = max(min(begun), min(event.at for event in asked) - _LONGEST)
    start = anchor - _HOUR * int((anchor - first) / _HOUR) if first < anchor else anchor - _HOUR
    n = int((reached - start) / _HOUR) + 1
    if n < 1:
        return None
    window = Window(start, start + n * _HOUR)
    loud = loudest(moment, scope, window, [Window(event.at, event.at + hours * _HOUR) for event in asked])
    counts, gaps = _leaving(counted(moment, scope, window)), event_gaps(moment, window, scope.topics)
    collected, live = (share_collected(start, 3600, n, part) for part in (gaps, map(_unless_live, gaps)))
    return Hourly(
        window,
        counts,
        {event.id: own for event, own in zip(asked, loud, strict=True)},
        np.where(_is_scored(counts), collected, 0.0),
        live,
        _sample(moment, scope, window, n),
        known,
        [findings.shortened(Placed(hour_of(window, event.at), hours), n) for event in known],
        _control(moment, scope, window, control, collected) if control else None,
    )


def _control(moment: Moment, scope: Scope, window: Window, topic: str, collected: Values) -> Control:
    """Before its first post nothing is known of a topic: its rules may be younger than the collection."""
    counts = counted(moment, replace(scope, topics=(topic,)), window, without=scope.topics)
    known = (np.cumsum(counts["posts"]) > 0) & _is_scored(counts)
    return Control(topic, counts["posts"], np.where(known, collected, 0.0))


def _is_scored(counts: Counts) -> NDArray[np.bool_]:
    return np.asarray(counts["waiting"] <= _MOST_WAITING * (counts["waiting"] + counts["posts"]))


def _leaving(counts: Counts) -> Counts:
    return {**counts, "leaving": np.asarray(np.sum([counts[stage] for stage in _STAGES], axis=0))}


def _unless_live(gap: Gap) -> Gap:
    return gap if gap.filled_by == _AS_LIVE else replace(gap, filled_by=None)


def _sample(moment: Moment, scope: Scope, window: Window, n: int) -> Sample | None:
    table = sampled(moment, scope, window)
    if table.num_rows == 0:
        return None
    column = {name: table[name].to_numpy() for name in table.column_names if name != "stratum"}
    strata = table["stratum"].dictionary_encode().combine_chunks()
    stratum = strata.indices.fill_null(len(strata.dictionary)).to_numpy()  # what was drawn for itself is of none
    units = Units(column["bucket"], column["unit"], stratum, column["drawn"], column["weight"])
    hours = np.bincount(units.hour, minlength=n) > 0
    for sample in overlapping(moment, "x:sample:", window):
        if not scope.topics or sample.sample.split(":")[2] in scope.topics:
            edges = [int((edge - window.start) / _HOUR) for edge in (sample.window.start, sample.window.end)]
            hours[max(0, edges[0]) : max(0, edges[1] + 1)] = True
    read = {name: column[name].astype(np.float64) for name in ("posts", "concern", "concern2", *_STAGES)}
    return Sample(units, _leaving(read), hours)
