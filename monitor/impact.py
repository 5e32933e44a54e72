"""The impact of an event: the join of the store's hourly counts with the event study, its checks and the response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.analyse import checks
from monitor.analyse.coverage import Coverage
from monitor.analyse.coverage import collected as collected_of
from monitor.analyse.event_study import LEAST_POSTS, SEEN, Effect, Study, effect, foreseen, study
from monitor.analyse.response import History, Response, response
from monitor.analyse.segments import Placed
from monitor.analyse.share_study import LEAST_POSTS as LEAST_FOR_SHARE
from monitor.analyse.share_study import share_effect
from monitor.analyse.verdicts import share_sentence, volume_sentence
from monitor.completeness import of_windows
from monitor.config import Event
from monitor.records import Diagnostic, Outcome, Window
from monitor.store import Store, views
from monitor.store.hourly import hourly, loudest
from monitor.store.views import Scope
from monitor.study import event_gaps, known_to, own_scope

Values = NDArray[np.float64]

_HOUR = timedelta(hours=1)
_LOOK_BACK = timedelta(days=548)
_AFTERMATH = 4  # windows: so long the model follows what an event left
_JUDGED = ("concern 2 or more", "removal talk")  # shares of which a response is judged
_SHARES = {
    "concern 2 or more": ("clear",),
    "removal talk": ("considering", "committed", "done", "blocked"),
    "removal: considering": ("considering",),
    "removal: committed": ("committed",),
    "removal: done": ("done",),
    "removal: blocked": ("blocked",),
}


@dataclass(frozen=True, slots=True)
class Impact:
    """What an event changed. ``outcomes`` are those of the event study, ``verdict`` those of the response.

    ``found`` are posts of each hour of the window, ``expected``, ``low`` and ``high`` as they would be without it;
    empty where nothing could be said. ``coverage`` is that of each live stream before and after.
    """

    event: Event
    days: float
    outcomes: tuple[Outcome, ...]
    verdict: tuple[Outcome, ...]
    coverage: tuple[tuple[Coverage, ...], tuple[Coverage, ...]]
    found: Values
    expected: Values
    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class _Data:
    window: Window
    columns: dict[str, Values]
    loudest: Values
    collected: Values
    events: tuple[Placed, ...]
    titles: tuple[str, ...]
    number: int


def impact(store: Store, event: Event, events: Sequence[Event], days: float = 3, scope: Scope | None = None) -> Impact:
    """Everything that is said of one event.

    Args:
        events: all events; those of other topics are left out.
        days: the width of the windows before and after.
        scope: which posts; by default those of the event's topic.
    """
    scope = scope or own_scope(event)
    width = timedelta(days=days)
    with store.reading() as moment:
        coverage = of_windows(moment, [Window(event.at - width, event.at), Window(event.at, event.at + width)])
        data = _data(moment, scope, event, events, days)
    both = (coverage[0], coverage[1])
    if isinstance(data, str):
        nothing = np.zeros(0)
        refusal = Outcome("posts", None, data)
        return Impact(event, days, (refusal,), (), both, nothing, nothing, nothing, nothing)
    outcomes, found = _study(data, event, days)
    verdict = _response(data, event, events)
    band = (np.zeros(0),) * 4
    if found is not None:
        band = (data.columns["posts"][data.events[data.number].window], found.expected, found.low, found.high)
    return Impact(event, days, outcomes, verdict.outcomes, both, *band)


def _data(moment: views.Reader, scope: Scope, event: Event, events: Sequence[Event], days: float) -> _Data | str:
    """Hourly counts laid so that the event is an edge; a sentence where there are none."""
    head = views.head(moment)
    reached = known_to(head)
    if head.oldest_at is None or reached is None:
        return "Nothing has been collected yet."
    first = min(at for at in (head.oldest_at, head.begun_at) if at is not None)
    if event.at >= reached:
        return f"“{event.title}” lies after all that was collected so far."
    if event.at <= first:
        return f"“{event.title}” lies before anything was collected, so there is nothing to compare with."
    back = int((event.at - max(first, event.at - _LOOK_BACK)) / _HOUR)
    ahead = int((min(reached, event.at + _AFTERMATH * timedelta(days=days)) - event.at) / _HOUR)
    if back < 24 or ahead < 24:
        which = "before" if back < 24 else "after"
        return f"Only {min(back, ahead)} hours {which} “{event.title}” were collected; at least 24 are needed."
    window = Window(event.at - back * _HOUR, event.at + ahead * _HOUR)
    wide = min(int(days * 24), ahead)
    near = [one for one in _of_topic(event, events) if window.start < one.at < window.end]
    placed = [Placed(int((one.at - window.start) / _HOUR), wide) for one in near]
    number = next(place for place, one in enumerate(near) if one.id == event.id)
    loud = Window(event.at, event.at + wide * _HOUR)
    return _Data(
        window,
        dict(hourly(moment, scope, window)),
        loudest(moment, scope, window, loud),
        collected_of(window.start, 3600, back + ahead, event_gaps(moment, window, scope.topics)),
        tuple(placed),
        tuple(one.title for one in near),
        number,
    )


def _of_topic(event: Event, events: Sequence[Event]) -> list[Event]:
    """Those that may have moved the same posts; one without a topic concerns them all."""
    return [one for one in events if event.topic is None or one.topic in (None, event.topic)]


def _study(data: _Data, event: Event, days: float) -> tuple[tuple[Outcome, ...], Effect | None]:
    posts, number = data.columns["posts"], data.number
    if (posts[data.collected >= SEEN] == 0).all():
        return (Outcome("posts", None, "No relevant posts were collected in all that time."),), None
    fitted = study(posts, data.collected, data.events)
    of = {unit: study(data.columns[unit], data.collected, data.events) for unit in ("authors", "texts")}
    shares = [_share(name, data, event) for name in _SHARES]
    window = data.events[number].window
    came, without = posts[window].sum(), foreseen(fitted, number)
    if came + without < LEAST_POSTS or (data.collected[window] < SEEN).all():
        told = f"{came:,.0f} posts came after “{event.title}” and {without:,.0f} would have without it"
        refusal = Outcome("posts", None, f"Too few posts to tell: {told}; {LEAST_POSTS} are needed.")
        return (refusal, *shares), None
    found = effect(fitted, number)
    made = _checks(data, fitted, found, of["texts"])
    outcomes = [Outcome("posts", found.estimate, volume_sentence("posts", found, event.title, days, made), made)]
    for unit, one in of.items():
        counted = effect(one, number)
        outcomes.append(
            Outcome(unit, counted.estimate, volume_sentence(unit, counted, event.title, days, made[:3]), made[:3])
        )
    return (*outcomes, *shares), found


def _checks(data: _Data, fitted: Study, found: Effect, of_texts: Study) -> tuple[Diagnostic, ...]:
    number = data.number
    return (
        checks.overlapping(data.events, number, data.titles),
        checks.covered(fitted, number),
        checks.before(fitted, number),
        checks.own_swings(fitted),
        checks.one_account(fitted, number, found, data.loudest),
        checks.copies(found, effect(of_texts, number)),
    )


def _share(name: str, data: _Data, event: Event) -> Outcome:
    part = np.sum([data.columns[column] for column in _SHARES[name]], axis=0)
    seen = data.collected >= SEEN
    posts = data.columns["posts"] * seen
    estimate = share_effect(part * seen, posts, data.events, data.number)
    made = (checks.overlapping(data.events, data.number, data.titles),)
    if estimate is None:
        within = posts[data.events[data.number].window].sum()
        before = posts[: data.events[data.number].at].sum()
        told = f"{before:,.0f} posts before and {within:,.0f} after, {part.sum():,.0f} of the kind"
        needed = f"{LEAST_FOR_SHARE} of each side and some of both kinds are needed"
        return Outcome(name, None, f"Too few posts to tell: {told}; {needed}.")
    return Outcome(name, estimate, share_sentence(name, estimate, event.title, made), made)


def _response(data: _Data, event: Event, events: Sequence[Event]) -> Response:
    shares = {name: np.sum([data.columns[c] for c in _SHARES[name]], axis=0) for name in _JUDGED}
    history = History(data.window.start, data.columns["posts"], data.collected, shares)
    others = [one.at for one in _of_topic(event, events) if one.id != event.id]
    return response(history, event.at, others)


def as_dict(found: Impact) -> dict[str, object]:
    """The JSON of ``monitor impact``."""
    return {
        "event": found.event.id,
        "title": found.event.title,
        "at": _iso(found.event.at),
        "days": found.days,
        "outcomes": [*map(_outcome, found.outcomes), *(_outcome(one, "response: ") for one in found.verdict)],
        "coverage": {
            when: [_shares(one) for one in part] for when, part in zip(("before", "after"), found.coverage, strict=True)
        },
    }


def _shares(one: Coverage) -> dict[str, object]:
    return {"stream": one.stream, "live": one.live, "filled": one.filled, "missing": one.missing}


def _outcome(one: Outcome, prefix: str = "") -> dict[str, object]:
    names = ("effect", "low", "high", "level", "method", "n")
    numbers = {name: getattr(one.estimate, name) if one.estimate else None for name in names}
    made = [{"name": check.name, "passed": check.passed, "text": check.text} for check in one.diagnostics]
    return {"name": prefix + one.name, **numbers, "sentence": one.sentence, "checks": made}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
