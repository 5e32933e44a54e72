"""The impact of events: the join of the store's hourly counts with the event study, its checks and the response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from monitor.analyse import checks, findings
from monitor.analyse.control import usable
from monitor.analyse.counterfactual import Points, counterfactual
from monitor.analyse.coverage import Coverage
from monitor.analyse.event_study import Effect, Study, effect, study
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import SEEN, Measure
from monitor.analyse.response import HORIZON_HOURS, LOOK_BACK_HOURS, History, response, unknown
from monitor.analyse.survivors import Alike, alike, collected_alike, survivors_only
from monitor.completeness import of_windows
from monitor.config import Event, Topic
from monitor.hourly import HIGH, LEAVING, Hourly, Wrong, hour_of, hourly
from monitor.records import Confusion, Diagnostic, Outcome, Window
from monitor.store import Store
from monitor.store.views import Scope
from monitor.study import own_scope

Sides = tuple[tuple[Coverage, ...], tuple[Coverage, ...]]

POINT_HOURS = 6
_RESPONSES = ("statement", "executive_statement", "terms_revised")


@dataclass(frozen=True, slots=True)
class Impact:
    """What an event changed, outcome by outcome; of a response also the ``verdict`` whether it quelled the outcry.

    ``points`` are posts by ``POINT_HOURS`` from the event on, None where nothing can be said. ``coverage`` is
    that of each live stream in the ``days`` before and after.
    """

    event: Event
    days: float
    outcomes: tuple[Outcome, ...]
    verdict: tuple[Outcome, ...]
    coverage: Sides
    points: Points | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """One event and what it is compared with; ``told`` has a study for each measure."""

    event: Event
    number: int
    alike: Alike
    told: Sequence[Study]
    control: Diagnostic | None = None


def impacts(
    store: Store,
    events: Sequence[Event],
    asked: Sequence[Event],
    days: float = 3,
    scope: Scope | None = None,
    wrong: Wrong | None = None,
    control: str = "",
) -> list[Impact]:
    """What each event of one topic changed in the days after it, all known events in one model.

    Args:
        events: all that are known; those of other topics are left out.
        asked: which of them to answer for, of one topic.
        scope: None takes that topic, or all where they name none.
        wrong: of a share's name, how many of how many held-out posts without it the classifier said to have it.
        control: a topic that the events do not touch: what moved its posts too is not put down to them; "" for none.
    """
    if not asked:
        return []
    topic, width = asked[0].topic, timedelta(days=days)
    known = sorted((e for e in {*events, *asked} if topic is None or e.topic in (None, topic)), key=lambda e: e.at)
    sides = [Window(at, at + width) for event in asked for at in (event.at - width, event.at)]
    with store.reading() as moment:
        data = hourly(moment, scope or own_scope(asked[0]), known, asked, max(1, round(days * 24)), control)
        found = of_windows(moment, sides)
    covered = list(zip(found[::2], found[1::2], strict=True))
    if data is None:
        return [_nothing(event, days, both) for event, both in zip(asked, covered, strict=True)]
    judged = _judged(data, [known.index(event) for event in asked], data.measures(wrong or {}))
    if control:
        struck = [event for event in events if event.topic in (None, control)]
        judged = [replace(one, control=_control(data, one.number, struck)) for one in judged]
    return [_impact(data, one, days, both) for one, both in zip(judged, covered, strict=True)]


def controls(topics: Sequence[Topic], event: Event) -> tuple[str, ...]:
    """The topics that may be a control: an event that names none may touch the posts of every one."""
    return () if event.topic is None else tuple(topic.name for topic in topics if topic.name != event.topic)


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


def _judged(data: Hourly, numbers: Sequence[int], measures: Sequence[Measure]) -> list[_Judged]:
    """Events with the same hours to compare with, which are all of them in most files, stand in one model."""
    models: dict[bytes, list[Study]] = {}
    found = []
    for number in numbers:
        hours = alike(data.collected, data.live, data.placed[number])
        key = hours.collected.tobytes()
        if key not in models:
            models[key] = [study(one, data.told(one.name, hours.collected), data.placed) for one in measures]
        found.append(_Judged(data.known[number], number, hours, models[key]))
    return found


def _control(data: Hourly, number: int, others: Sequence[Event]) -> Diagnostic:
    assert data.control is not None
    places = [(each.title, Placed(hour_of(data.window, each.at), data.placed[number].hours)) for each in others]
    return usable(data.control, data.collected, data.placed[number], places)


def _impact(data: Hourly, one: _Judged, days: float, coverage: Sides) -> Impact:
    event, volume = one.event, one.told[0]
    effects = [None if _refusal(one, told) else effect(told, one.number) for told in one.told]
    outcomes = tuple(_outcome(data, one, told, found, effects) for told, found in zip(one.told, effects, strict=True))
    verdict = _response(data, one) if event.kind in _RESPONSES else ()
    if outcomes[0].estimate is None or effects[0] is None:
        return Impact(event, days, outcomes, verdict, coverage)
    points = counterfactual(volume, one.number, effects[0], POINT_HOURS)
    return Impact(event, days, outcomes, verdict, coverage, points)


def _outcome(
    data: Hourly, one: _Judged, told: Study, found: Effect | None, effects: Sequence[Effect | None]
) -> Outcome:  # fmt: skip
    title = one.event.title
    why = _refusal(one, told, found)
    if why or found is None:
        assert why is not None
        return findings.refused(told.fitted.measure.name, title, why)
    made = [*_checks(data, one, told, found), *(_more_checks(data, one, found, effects) if told is one.told[0] else ())]
    return findings.outcome(told, found, title, _span(told.events[one.number].hours), made)


def _refusal(one: _Judged, told: Study, found: Effect | None = None) -> Diagnostic | None:
    if (why := findings.refusal(told, one.number, found)) is not None:
        return why
    is_in_doubt = told.fitted.measure.out_of is None and one.control is not None and not one.control.passed
    return one.control if is_in_doubt else None


def _checks(data: Hourly, one: _Judged, told: Study, found: Effect) -> tuple[Diagnostic, ...]:
    event = told.events[one.number]
    searched, posts = data.counts["searched"], data.counts["posts"]
    seen = one.alike.collected[event.window] >= SEEN
    found_alike = collected_alike(one.alike, searched, posts, event)
    both = (float(each[event.window][seen].sum()) for each in (searched, posts))
    return (
        checks.placebo_dates(told, one.number, found),
        checks.pre_trend(told, one.number, found),
        checks.overlapping(told.events, [each.title for each in data.known], one.number),
        checks.covered(data.collected, event),
        found_alike,
        survivors_only(*both, is_alike=bool(found_alike.passed)),
        checks.enough_posts(found),
        *((one.control,) if one.control and told.fitted.measure.control is not None else ()),
    )


def _more_checks(
    data: Hourly, one: _Judged, found: Effect, effects: Sequence[Effect | None]
) -> tuple[Diagnostic, ...]:  # fmt: skip
    """Of the number of posts: whether one account or one copied text makes it."""
    texts = next(each for told, each in zip(one.told, effects, strict=True) if told.fitted.measure.name == "texts")
    return (_one_author(data, one, found), *((checks.copypasta(found, texts),) if texts is not None else ()))


def _one_author(data: Hourly, one: _Judged, found: Effect) -> Diagnostic:
    """Leave one out: the author who posted most after the event."""
    measure, events = one.told[0].fitted.measure, one.told[0].events
    own = data.loudest[one.event.id]
    rest, event = measure.counts - own, events[one.number]
    seen = one.told[0].fitted.seen[event.window]
    share = float(own[event.window][seen].sum() / max(found.found, 1))
    if rest[: event.at].sum() == 0 or rest.sum() < findings.LEAST_POSTS:
        return Diagnostic("one author", False, f"one account wrote {share:.0%} of it, and nearly nobody else wrote")
    others = study(replace(measure, counts=rest), one.alike.collected, events)
    return checks.one_author(found, effect(others, one.number), share)


def _response(data: Hourly, one: _Judged) -> tuple[Outcome, ...]:
    event, place = one.event, data.placed[one.number]
    around = slice(max(0, place.at - LOOK_BACK_HOURS), max(0, place.at + HORIZON_HOURS))
    if data.sample is not None and data.sample.hours[around].any():
        text = "a sample was read around it, and a forecast does not hold what that may be off by"
        return (unknown(Diagnostic("sample", False, text)),)
    others = (data.collected >= SEEN) & ((data.live >= SEEN) != one.alike.is_live)
    if not one.alike.is_enough and others[around].any():
        return (unknown(collected_alike(one.alike, data.counts["searched"], data.counts["posts"], place)),)
    # What stands in hours of the other kind is in no forecast either.
    posts, high, leaving = (
        np.where(one.alike.collected > 0, data.counts[name], 0.0) for name in ("posts", "concern2", "leaving")
    )
    shares = {"concern 2 or more": high, "removal talk": leaving}
    history = History(data.window.start, posts, one.alike.collected, shares)
    return response(history, event.at, [other.at for other in data.known if other.id != event.id]).outcomes


def _nothing(event: Event, days: float, coverage: Sides) -> Impact:
    why = Diagnostic("posts", False, "nothing has been collected before or after it")
    return Impact(event, days, (findings.refused("posts", event.title, why),), (), coverage)


def _span(hours: int) -> str:
    days = hours / 24
    return "day" if days == 1 else f"{days:g} days" if days.is_integer() else f"{hours} hours"
