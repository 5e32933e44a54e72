"""Did a response quell the outcry? Judged against how the outcry would have decayed by itself.

A backlash decays whatever anybody says, so what follows a response is never compared with the time before it or with a
quiet baseline. The decay is fitted to what was seen before the response and played on (``cascades``); the response has
an effect where what came lies outside the 95 % of what would have come. Where that cannot be told, the answer says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.analyse import cascades, decays
from monitor.records import Diagnostic, Estimate, Outcome

Values = NDArray[np.float64]

METHOD = "self-exciting decay, forecast"
LEVEL = 0.95
HORIZON_HOURS, LEAST_HORIZON_HOURS = 72, 24
LEAST_SINCE_PEAK_HOURS, LEAST_POSTS, LEAST_RISE = 18, 50, 3.0
LOOK_BACK_HOURS, _QUIET_HOURS, _SETTLING_HOURS, _SMOOTH_HOURS = 21 * 24, 7 * 24, 12, 3
_LEAST_COLLECTED, _SEEN = 0.8, 0.5  # share of the hours, share of an hour


@dataclass(frozen=True, slots=True)
class History:
    """Hourly counts from ``start``; arrays have one entry for each hour, the last of them over.

    ``collected`` is the share of the hour collected, 0 to 1. ``shares`` are counts of posts of a kind ("concern 2 or
    more", "removal intent"), each of which is a part of ``posts``.
    """

    start: datetime
    posts: Values
    collected: Values
    shares: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """Outcomes "posts after it", "half-life before" and "after", and one for each share; and the band of the forecast.

    ``middle``, ``low`` and ``high`` are posts in each hour from ``start`` on, empty where nothing could be forecast.
    """

    outcomes: tuple[Outcome, ...]
    start: datetime | None = None
    middle: Values = field(default_factory=lambda: np.zeros(0))
    low: Values = field(default_factory=lambda: np.zeros(0))
    high: Values = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where in the history things stand, as hours from its start."""

    at: int
    begun: int
    peak: int
    end: int
    others: tuple[int, ...]
    cut_by_event: bool


class _CannotTell(Exception):
    """Why no verdict is given; turned into an outcome's sentence."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.diagnostic = Diagnostic(check, False, reason)


def response(history: History, at: datetime, others: Sequence[datetime] = (), seed: int = 0) -> Response:
    """Whether what followed ``at`` differs from the decay that was under way; see the module.

    Args:
        history: hours laid so that ``at`` is an edge; earlier and later hours than are used do no harm.
        others: times of all other events.
        seed: of the draws; the same input gives the same answer.
    """
    try:
        setting = _setting(history, at, others)
    except _CannotTell as refused:
        return Response((unknown(refused.diagnostic),))
    paths = _forecast(history, setting, setting.at, setting.end, seed)
    diagnostics = _diagnostics(history, setting, seed)
    low, middle, high = np.quantile(paths, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
    outcomes = (
        _volume(history, setting, paths, diagnostics),
        *decays.half_lives(history.posts, history.collected, setting.peak, setting.at, setting.end),
        *(
            decays.share(name, part, history.posts, setting.peak, setting.at, setting.end)
            for name, part in history.shares.items()
        ),
    )
    return Response(outcomes, history.start + timedelta(hours=setting.at), middle, low, high)


def unknown(why: Diagnostic) -> Outcome:
    """The verdict where none can be given."""
    return Outcome("posts", None, f"Cannot tell whether it quelled the outcry: {why.text}.", (why,))


def _setting(history: History, at: datetime, others: Sequence[datetime]) -> _Setting:
    hours = len(history.posts)
    place = round((at - history.start).total_seconds() / 3600)
    if place >= hours:
        raise _CannotTell("time since", "nothing of the time after it has been collected yet")
    if place <= 0 or history.posts[:place].sum() == 0:
        raise _CannotTell("posts before", "no posts stand before it, so no decay was under way that it could change")
    elsewhere = sorted((other - history.start).total_seconds() / 3600 for other in others if other != at)
    end, cut = _end(place, hours, elsewhere)
    begun, peak = _outcry(history, place)
    setting = _Setting(place, begun, peak, end, tuple(int(other) for other in elsewhere if other < place), cut)
    _refuse(history, setting)
    return setting


def _end(at: int, hours: int, others: Sequence[float]) -> tuple[int, bool]:
    """Up to which hour the response is judged: the next event ends it."""
    following = next((math.floor(other) for other in others if other >= at), None)
    end = min(at + HORIZON_HOURS, hours)
    if following is not None and following < end:
        if following - at < LEAST_HORIZON_HOURS:
            raise _CannotTell(
                "other events",
                f"another event came {_hours(following - at)} after it; what followed cannot be told apart "
                f"(at least {LEAST_HORIZON_HOURS} h are needed)",
            )
        return following, True
    if end - at < LEAST_HORIZON_HOURS:
        raise _CannotTell(
            "time since", f"only {_hours(end - at)} have passed since; at least {LEAST_HORIZON_HOURS} h are needed"
        )
    return end, False


def _outcry(history: History, at: int) -> tuple[int, int]:
    """When the outcry before ``at`` began to rise and when it was at its height."""
    smooth = np.convolve(_filled(history), np.ones(_SMOOTH_HOURS) / _SMOOTH_HOURS, "same")
    first = max(0, at - LOOK_BACK_HOURS)
    peak = first + int(np.argmax(smooth[first:at]))
    quiet = np.flatnonzero(smooth[first:peak] <= smooth[peak] / 10)
    return (first + int(quiet[-1]) + 1 if len(quiet) else first), peak


def _refuse(history: History, setting: _Setting) -> None:
    since = setting.at - setting.peak
    usual = float(np.median(_filled(history)[max(0, setting.at - LOOK_BACK_HOURS) : setting.peak + 1]))
    height = float(history.posts[setting.peak : setting.peak + _SMOOTH_HOURS].mean())
    after = history.posts[setting.peak : setting.at]
    if since < LEAST_SINCE_PEAK_HOURS:
        raise _CannotTell(
            "distance from the peak",
            f"it came {_hours(since)} after the peak of the outcry; at least {LEAST_SINCE_PEAK_HOURS} h are needed to "
            "see how the outcry decayed by itself",
        )
    if (found := int(after.sum())) < LEAST_POSTS:
        raise _CannotTell(
            "posts",
            f"{found} {'post' if found == 1 else 'posts'} between the peak and it; at least {LEAST_POSTS} are needed",
        )
    if height < LEAST_RISE * max(usual, 1 / _SMOOTH_HOURS):
        raise _CannotTell(
            "outcry",
            f"no outcry was under way: at most {height:.0f} posts an hour, and {usual:.0f} are usual",
        )
    for name, start, end in (("before", setting.peak, setting.at), ("after", setting.at, setting.end)):
        seen = float((history.collected[start:end] >= _SEEN).mean())
        if seen < _LEAST_COLLECTED:
            raise _CannotTell("coverage", f"only {seen:.0%} of the hours {name} it were collected")
    late = [setting.at - other for other in setting.others if setting.at - other < LEAST_SINCE_PEAK_HOURS]
    if late:
        raise _CannotTell(
            "other events",
            f"another event came only {_hours(min(late))} before it; at least {LEAST_SINCE_PEAK_HOURS} h are needed to "
            "see the decay between them",
        )


def _filled(history: History) -> Values:
    """Counts of whole hours; what was not collected lies between its neighbours, on the logarithm."""
    seen = history.collected >= _SEEN
    if not seen.any():
        return np.zeros(len(history.posts))
    whole = history.posts[seen] / history.collected[seen]
    hour = np.arange(len(history.posts))
    return np.where(seen, 0, np.expm1(np.interp(hour, hour[seen], np.log1p(whole)))) + _scattered(seen, whole)


def _scattered(seen: NDArray[np.bool_], whole: Values) -> Values:
    values = np.zeros(len(seen))
    values[seen] = whole
    return values


def _forecast(history: History, setting: _Setting, at: int, end: int, seed: int) -> Values:
    first = max(0, setting.begun - _QUIET_HOURS)
    told = np.ones(at - first, bool)
    told[max(0, setting.begun - first - 1) : setting.peak + 1 - first] = False
    for other in setting.others:
        told[max(0, other - first) : max(0, other + _SETTLING_HOURS - first)] = False
    told[-1] |= not told.any()
    seen = history.collected[first:at] >= _SEEN
    fitted = cascades.fit(_filled(history)[first:at], seen, told, seed)
    return cascades.forecast(fitted, end - at, seed) * history.collected[at:end]


def _volume(history: History, setting: _Setting, paths: Values, diagnostics: tuple[Diagnostic, ...]) -> Outcome:
    found = float(history.posts[setting.at : setting.end].sum())
    totals = paths.sum(axis=1)
    low, middle, high = map(float, np.maximum(np.quantile(totals, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2]), 0.5))
    before = int(history.posts[setting.peak : setting.at].sum())
    text = f"{found:,.0f} posts, {middle:,.0f} ({low:,.0f} to {high:,.0f}) foreseen"
    estimate = Estimate(found / middle, found / high, found / low, LEVEL, METHOD, before + int(found), text)
    return Outcome("posts", estimate, _verdict(estimate, setting, text, diagnostics), diagnostics)


def _verdict(estimate: Estimate, setting: _Setting, text: str, diagnostics: tuple[Diagnostic, ...]) -> str:
    span = _hours(setting.end - setting.at) + (", up to the next event" if setting.cut_by_event else "")
    told = f"In the {span}, {text} from the decay before it"
    failed = [one for one in diagnostics if one.passed is False]
    if failed:
        return f"Cannot tell whether it quelled the outcry: {failed[0].text}. {told}."
    if estimate.high < 1:
        return f"{told}: the outcry fell faster than it would have by itself."
    if estimate.low > 1:
        return f"{told}: the outcry went on more than it would have by itself."
    return f"{told}: no sign that it quelled the outcry or fed it."


def _diagnostics(history: History, setting: _Setting, seed: int) -> tuple[Diagnostic, ...]:
    return (_rehearsal(history, setting, seed),)


def _rehearsal(history: History, setting: _Setting, seed: int) -> Diagnostic:
    """The same forecast made half-way between peak and response, where what came is known to be without it."""
    name, middle = "rehearsal", (setting.peak + setting.at) // 2
    if middle - setting.peak < LEAST_SINCE_PEAK_HOURS or history.posts[setting.peak : middle].sum() < LEAST_POSTS:
        return Diagnostic(name, None, "too little lies between peak and response to rehearse the forecast before it")
    totals = _forecast(history, setting, middle, setting.at, seed).sum(axis=1)
    low, high = np.quantile(totals, [0.01, 0.99])
    found = float(history.posts[middle : setting.at].sum())
    told = f"a forecast made {_hours(setting.at - middle)} before it foresaw {low:,.0f} to {high:,.0f} posts"
    passed = bool(low <= found <= high)
    return Diagnostic(name, passed, f"{told}, and {found:,.0f} came")


def _hours(n: float) -> str:
    return f"{n:.0f} h"
