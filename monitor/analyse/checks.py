"""Checks that an event's effect has to pass, made by themselves; a failed one changes what is said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.analyse.event_study import Effect, Study, Values, effect, study, swing
from monitor.analyse.segments import LEAST_WINDOWS, Placed
from monitor.records import Diagnostic

ENOUGH = 0.9  # of a window must have been collected
_OUTLYING = 2.0  # errors from what was expected
_SILENT = 0.1  # share of windows without an event in which the method may see one


def own_swings(fitted: Study) -> Diagnostic:
    """Placebo dates: is the method silent where there was no event?"""
    name, n = "placebo dates", len(fitted.swings)
    if n < LEAST_WINDOWS:
        return Diagnostic(
            name, None, f"only {n} windows of equal width without any event were collected, {LEAST_WINDOWS} are needed"
        )
    loud = int((np.abs(fitted.swings - fitted.swings.mean()) > _OUTLYING * fitted.spread).sum())
    text = f"in {loud} of {n} windows without any event the volume was as far off as in one of twenty"
    return Diagnostic(name, loud <= max(1, _SILENT * n), text)


def before(fitted: Study, number: int) -> Diagnostic:
    """Pre-trend: was the volume as expected just before the event?"""
    event = fitted.events[number]
    name = "before the event"
    if event.at < event.hours or not len(fitted.swings) >= LEAST_WINDOWS:
        return Diagnostic(name, None, "too little was collected before it to tell whether the volume moved already")
    off = swing(fitted, event.at - event.hours, event.hours)
    passed = abs(off) <= _OUTLYING * fitted.spread
    how = "as expected" if passed else f"{np.exp(off):.1f} times what was expected already"
    return Diagnostic(name, bool(passed), f"in the window before it the volume was {how}")


def overlapping(events: Sequence[Placed], number: int, titles: Sequence[str]) -> Diagnostic:
    """Does another event lie in the window, or so shortly before that its own window reaches in?"""
    event = events[number]
    near = [
        titles[other]
        for other, one in enumerate(events)
        if other != number and event.at - event.hours < one.at < event.at + event.hours
    ]
    told = " and ".join(f"“{title}”" for title in near)
    text = f"{told} lies within the same time, so they cannot be told apart" if near else "no other event is near"
    return Diagnostic("overlapping events", not near, text)


def covered(fitted: Study, number: int) -> Diagnostic:
    """Was enough of the window, and of the one before, collected?"""
    event = fitted.events[number]
    shares = {
        "before": fitted.collected[max(0, event.at - event.hours) : event.at],
        "after": fitted.collected[event.window],
    }
    told = {when: float(share.mean()) if len(share) else 0.0 for when, share in shares.items()}
    text = f"{told['before']:.0%} of the time before it and {told['after']:.0%} after it were collected"
    return Diagnostic("coverage", min(told.values()) >= ENOUGH, text)


def one_account(fitted: Study, number: int, found: Effect, loudest: Values) -> Diagnostic:
    """Leave-one-author-out: does the effect stand without the account that posted most?"""
    event = fitted.events[number]
    part = fitted.posts[event.window].sum()
    share = float(loudest[event.window].sum() / part) if part else 0.0
    rest = np.maximum(fitted.posts - loudest, 0)
    text = f"the account that posted most wrote {share:.0%} of the posts"
    if rest[event.window].sum() == 0:
        return Diagnostic("one account", False, "all posts of the window are by one account")
    without = effect(study(rest, fitted.collected, fitted.events), number)
    return Diagnostic("one account", _same(found, without), f"{text}; {_told(found, without, 'without it')}")


def copies(found: Effect, of_texts: Effect) -> Diagnostic:
    """Copypasta collapsed: does the effect stand where nearly the same text counts once?"""
    return Diagnostic(
        "copied texts", _same(found, of_texts), _told(found, of_texts, "counting every text once an hour")
    )


def _same(found: Effect, other: Effect) -> bool:
    return _sign(found) in (0, _sign(other))


def _sign(found: Effect) -> int:
    return int(found.estimate.low > 1) - int(found.estimate.high < 1)


def _told(found: Effect, other: Effect, how: str) -> str:
    one = other.estimate
    verb = "the effect stands" if _same(found, other) else "nothing of the effect is left"
    verb = verb if _sign(found) else "no clear change either"
    return f"{verb} {how}: {one.effect:.1f} times ({one.low:.1f} to {one.high:.1f})"
