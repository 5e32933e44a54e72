"""The impact of events: the join of the store's hourly counts with the event study, its checks and the response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.analyse import checks, findings
from monitor.analyse.coverage import Coverage
from monitor.analyse.coverage import collected as share_collected
from monitor.analyse.event_study import Effect, Placed, Study, effect, study
from monitor.analyse.regression import SEEN, Measure
from monitor.analyse.response import History, response
from monitor.completeness import of_windows
from monitor.config import Event
from monitor.records import Confusion, Diagnostic, Outcome, Window
from monitor.store import Moment, Store, views
from monitor.store.hours import counted, loudest
from monitor.store.views import Scope
from monitor.study import event_gaps, known_to, own_scope

Values = NDArray[np.float64]
Counts = Mapping[str, Values]
Wrong = Mapping[str, tuple[float, float]]
Sides = tuple[tuple[Coverage, ...], tuple[Coverage, ...]]

_HOUR, _LONGEST = timedelta(hours=1), timedelta(days=548)
_VOLUMES = ("posts", "authors", "texts")
_STAGES = ("considering", "committed", "done", "blocked")
_RESPONSES = ("statement", "executive_statement", "terms_revised")
_TOP_CONCERN = 3.0
_MOST_WAITING = 0.05  # of an hour's posts for their scores: with more it is not known what it held
MEAN, HIGH, LEAVING = "mean concern", "share of concern 2 or more", "share of removal talk"


@dataclass(frozen=True, slots=True)
class Impact:
    """What an event changed, outcome by outcome; of a response also the ``verdict`` whether it quelled the outcry.

    ``found``, ``expected``, ``low`` and ``high`` are posts in each hour from the event on: as they came, and as they
    would have come without it, with the band of 95 % of windows. NaN in hours that were not collected, empty where
    nothing can be said. ``coverage`` is that of each live stream in the ``days`` before and after.
    """

    event: Event
    days: float
    outcomes: tuple[Outcome, ...]
    verdict: tuple[Outcome, ...]
    coverage: Sides
    found: Values = field(default_factory=lambda: np.zeros(0))
    expected: Values = field(default_factory=lambda: np.zeros(0))
    low: Values = field(default_factory=lambda: np.zeros(0))
    high: Values = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class _Data:
    """Hourly, of the whole window, whose edges are hours after the first event; ``placed`` are the ``known`` events."""

    window: Window
    counts: Counts
    loudest: Mapping[str, Values]
    collected: Values
    known: Sequence[Event]
    placed: Sequence[Placed]

    @property
    def leaving(self) -> Values:
        return np.asarray(np.sum([self.counts[stage] for stage in _STAGES], axis=0))


def impacts(
    store: Store,
    events: Sequence[Event],
    asked: Sequence[Event],
    days: float = 3,
    scope: Scope | None = None,
    wrong: Wrong | None = None,
) -> list[Impact]:
    """What each event of one topic changed in the days after it, all known events in one model.

    Args:
        events: all that are known; those of other topics are left out.
        asked: which of them to answer for, of one topic.
        scope: None takes that topic, or all where they name none.
        wrong: of a share's name, how many of how many held-out posts without it the classifier said to have it.
    """
    if not asked:
        return []
    topic, width = asked[0].topic, timedelta(days=days)
    known = sorted((e for e in {*events, *asked} if topic is None or e.topic in (None, topic)), key=lambda e: e.at)
    sides = [Window(at, at + width) for event in asked for at in (event.at - width, event.at)]
    with store.reading() as moment:
        data = _data(moment, scope or own_scope(asked[0]), known, asked, max(1, round(days * 24)))
        found = of_windows(moment, sides)
    covered = list(zip(found[::2], found[1::2], strict=True))
    if data is None:
        return [_nothing(event, days, both) for event, both in zip(asked, covered, strict=True)]
    told = [study(measure, data.collected, data.placed) for measure in _measures(data, wrong or {})]
    return [
        _impact(data, told, known.index(event), days, both) for event, both in zip(asked, covered, strict=True)
    ]  # fmt: skip


def wrong_of(confusions: Sequence[Confusion]) -> dict[str, tuple[float, float]]:
    """False positives of how many held-out posts, by the share they inflate; fewer count where authors repeat.

    Shares are of posts that were found relevant, and only such can have a trait: of the held-out posts without it,
    those count that were found relevant (at least so many, were every post that has it).
    """
    by = {one.outcome: one for one in confusions}
    if "relevant" not in by:
        return {}
    relevant = sum(row[1] for row in by["relevant"].matrix)
    found = {}
    for outcome, name in (("concern2", HIGH), ("removal", LEAVING)):
        if one := by.get(outcome):
            false = sum(one.matrix[0][1:])
            without = max(false, relevant - sum(map(sum, one.matrix[1:])))
            found[name] = (false / one.effects[0], without / one.effects[0])
    return found


def of_release(store: Store, model: str = "") -> tuple[Confusion, ...]:
    """How the classifier that scored the stored posts errs; nothing where several did, or it is not known here.

    Args:
        model: as the configuration names it, the shipped one where empty; nothing is fetched.
    """
    from monitor.classify.confusion import read_confusions
    from monitor.classify.release import RELEASE

    models = [row["model_id"] for row in store.read("status_models").to_pylist()]
    return read_confusions(models[0], Path(model) if model else RELEASE) if len(models) == 1 else ()


def _data(
    moment: Moment, scope: Scope, known: Sequence[Event], asked: Sequence[Event], hours: int
) -> _Data | None:  # fmt: skip
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
    counts, gaps = counted(moment, scope, window), event_gaps(moment, window, scope.topics)
    is_scored = counts["waiting"] <= _MOST_WAITING * (counts["waiting"] + counts["posts"])
    return _Data(
        window,
        counts,
        {event.id: own for event, own in zip(asked, loud, strict=True)},
        np.where(is_scored, share_collected(start, 3600, n, gaps), 0.0),
        known,
        [findings.shortened(Placed(round((event.at - start) / _HOUR), hours), n) for event in known],
    )


def _measures(data: _Data, wrong: Wrong) -> list[Measure]:
    counts, posts = data.counts, data.counts["posts"]
    return [
        *(Measure(name, counts[name]) for name in _VOLUMES),
        Measure(MEAN, counts["concern"] / _TOP_CONCERN, posts, _TOP_CONCERN),
        Measure(HIGH, counts["concern2"], posts, wrong=wrong.get(HIGH)),
        Measure(LEAVING, data.leaving, posts, wrong=wrong.get(LEAVING)),
        *(Measure(findings.STAGE + stage, counts[stage]) for stage in _STAGES),
    ]


def _impact(data: _Data, told: Sequence[Study], number: int, days: float, coverage: Sides) -> Impact:
    event = data.known[number]
    outcomes = _outcomes(data, told, number)
    verdict = _response(data, event) if event.kind in _RESPONSES else ()
    if outcomes[0].estimate is None:
        return Impact(event, days, outcomes, verdict, coverage)
    volume, window = effect(told[0], number), data.placed[number].window
    parts = (data.counts["posts"][window], volume.expected, volume.low, volume.high)
    shown = [np.where(data.collected[window] >= SEEN, part, np.nan) for part in parts]
    return Impact(event, days, outcomes, verdict, coverage, *shown)


def _outcomes(data: _Data, told: Sequence[Study], number: int) -> tuple[Outcome, ...]:
    event, made = data.known[number], []
    effects = [None if findings.refusal(one, number) else effect(one, number) for one in told]
    texts = effects[_VOLUMES.index("texts")]
    for one, found in zip(told, effects, strict=True):
        why = findings.refusal(one, number, found)
        if why or found is None:
            assert why is not None
            made.append(findings.refused(one.fitted.measure.name, event.title, why))
            continue
        diagnostics = _checks(data, one, number, found, texts)
        made.append(findings.outcome(one, found, event.title, _span(one.events[number].hours), diagnostics))
    return tuple(made)


def _checks(data: _Data, told: Study, number: int, found: Effect, texts: Effect | None) -> tuple[Diagnostic, ...]:
    made = [
        checks.placebo_dates(told, number, found),
        checks.pre_trend(told, number, found),
        checks.overlapping(told.events, [event.title for event in data.known], number),
        checks.covered(data.collected, told.events[number]),
        checks.enough_posts(found),
    ]
    if told.fitted.measure.name == "posts":
        made.append(_one_author(data, told, number, found))
        if texts is not None:
            made.append(checks.copypasta(found, texts))
    return tuple(made)


def _one_author(data: _Data, told: Study, number: int, found: Effect) -> Diagnostic:
    """Leave one out: the author who posted most after the event."""
    own = data.loudest[data.known[number].id]
    rest = data.counts["posts"] - own
    window = told.events[number].window
    share = float(own[window].sum() / max(found.found, 1))
    if rest[: told.events[number].at].sum() == 0 or rest.sum() < findings.LEAST_POSTS:
        return Diagnostic("one author", False, f"one account wrote {share:.0%} of it, and nearly nobody else wrote")
    others = study(Measure("posts", rest), data.collected, told.events)
    return checks.one_author(found, effect(others, number), share)


def _response(data: _Data, event: Event) -> tuple[Outcome, ...]:
    shares = {"concern 2 or more": data.counts["concern2"], "removal talk": data.leaving}
    history = History(data.window.start, data.counts["posts"], data.collected, shares)
    return response(history, event.at, [other.at for other in data.known if other.id != event.id]).outcomes


def _nothing(event: Event, days: float, coverage: Sides) -> Impact:
    why = Diagnostic("posts", False, "nothing has been collected before or after it")
    return Impact(event, days, (findings.refused("posts", event.title, why),), (), coverage)


def _span(hours: int) -> str:
    days = hours / 24
    return "day" if days == 1 else f"{days:g} days" if days.is_integer() else f"{hours} hours"
