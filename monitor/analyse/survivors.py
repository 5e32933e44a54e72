"""Time that was watched live and time that was searched for or imported: an event is judged by its own kind.

A search finds what is left of what was posted. Survivors on one side of an event and live collection on the other make
an effect of nothing, so hours of the other kind than most of an event's window are left out like hours of an outage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.analyse.coverage import ENOUGH
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import SEEN, TAIL, Values
from monitor.records import Diagnostic

LEAST_HOURS = 7 * 24  # of a kind before an event, to compare it with no other
_DIFFERENT = 0.1  # share of the posts that were searched for, more or less than in what they are compared with
_WORDS = {True: "watched live", False: "searched for or imported later, without what was deleted until then"}


@dataclass(frozen=True, slots=True)
class Alike:
    """``collected`` has zeros in hours of the other kind, unless there is too little of the window's own before it."""

    collected: Values
    is_live: bool
    is_enough: bool
    share: float  # of the hours just before and after the event that are of the window's kind


def alike(collected: Values, live: Values, event: Placed) -> Alike:
    """What an event is to be compared with.

    Args:
        collected: share of each hour that was collected in any way, 0 to 1, shape (hours,).
        live: share of each hour that was watched live.
        event: inside of the series or not.
    """
    watched, seen = live >= SEEN, collected >= SEEN
    within = watched[event.window][seen[event.window]]
    is_live = bool(within.mean() >= 0.5) if len(within) else True
    own = seen & (watched == is_live)
    is_enough = bool(own[: max(0, event.at)].sum() >= LEAST_HOURS)
    around = slice(max(0, event.at - event.hours), max(0, event.at + event.hours))
    share = float(own[around].sum() / max(1, seen[around].sum()))
    return Alike(np.where(own | (not is_enough), collected, 0.0), is_live, is_enough, share)


def collected_alike(found: Alike, searched: Values, posts: Values, event: Placed) -> Diagnostic:
    """Whether the window and what it is compared with were collected in the same way.

    Args:
        searched: posts of each hour that only a search or import found, of ``posts``, shape (hours,).
    """
    name, seen = "collected alike", found.collected >= SEEN
    words, others = _WORDS[found.is_live], _WORDS[not found.is_live]
    if not found.is_enough:
        text = f"less than a week before it was {words}, so that it is compared with time that was {others}"
        return Diagnostic(name, False, text)
    if found.share < ENOUGH:
        return Diagnostic(name, False, f"only {found.share:.0%} of the time just before and after it was {words}")
    inside = np.zeros(len(seen), bool)
    inside[event.window] = True
    outside = np.ones(len(seen), bool)
    outside[max(0, event.at) : event.at + TAIL * event.hours] = False
    inside, outside = inside & seen, outside & seen
    here, there = (float(searched[part].sum() / max(posts[part].sum(), 1e-9)) for part in (inside, outside))
    chance = 2 * np.sqrt(there * (1 - there) / max(posts[inside].sum(), 1))
    if abs(here - there) > _DIFFERENT + chance:
        text = f"{here:.0%} of its posts and {there:.0%} of those it is compared with were {_WORDS[False]}"
        return Diagnostic(name, False, text)
    return Diagnostic(name, True, f"it and what it is compared with were {words}")


def survivors_only(searched: float, posts: float, *, is_alike: bool) -> Diagnostic:
    """Whether what deletions took away is missing; on both sides, where these were collected alike."""
    share = searched / posts if posts else 0.0
    if share <= _DIFFERENT:
        return Diagnostic("survivors only", True, f"{1 - share:.0%} of its posts were {_WORDS[True]}")
    told = f"{share:.0%} of its posts were {_WORDS[False]}"
    return Diagnostic("survivors only", False, f"{told}, and so were those before it" if is_alike else told)
