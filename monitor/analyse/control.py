"""What moves everything: posts on another topic, which the event does not touch, as a term of the regression.

A holiday, an outage of the platform, a day full of other news: what moved both topics is not put down to the event
(Brodersen et al. 2015 on control series; their method is another one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.analyse.coverage import ENOUGH
from monitor.analyse.placebos import HALF, Placed
from monitor.analyse.regression import Values
from monitor.records import Diagnostic

LEAST_POSTS = 30  # on average in a window; fewer say nothing of what moves it
_AROUND_HOURS, _BEFORE = 24, 11  # averaged, from so many hours before: an hour of a control is mostly chance


@dataclass(frozen=True, slots=True)
class Control:
    """Hourly ``posts`` on the topic of that name, and on no topic of the event, shape (hours,).

    ``collected`` is the share of each hour that was collected and scored, 0 to 1; 0 before the topic was watched.
    """

    name: str
    posts: Values
    collected: Values

    def usual(self, hours: int) -> float:
        """Posts in so many hours."""
        return float(self.posts[self.collected > 0].sum() / max(self.collected.sum(), 1.0)) * hours


def term(control: Control) -> Values:
    """The logarithm of the control's rate over the day around each hour, centred, shape (hours,)."""
    posts, collected = control.posts * (control.collected > 0), control.collected
    held, watched = (
        np.convolve(one, np.ones(_AROUND_HOURS))[_BEFORE : _BEFORE + len(one)] for one in (posts, collected)
    )
    rate = np.log((held + HALF) / np.maximum(watched * control.usual(1) + HALF, 1e-9))
    return np.asarray(np.where(watched > 0, rate, 0.0))


def usable(control: Control, collected: Values, event: Placed, others: Sequence[tuple[str, Placed]]) -> Diagnostic:
    """Whether the control can tell what would have come without the event; where it cannot, why.

    Args:
        collected: share of each hour that was collected of the event's own topic, 0 to 1.
        others: titles and places of the control's own events.
    """
    name, usual = f"the control “{control.name}”", control.usual(event.hours)
    if usual < LEAST_POSTS:
        text = f"{name} has {usual:,.1f} posts in a usual window, and {LEAST_POSTS} are needed"
        return Diagnostic("control", False, text)
    share = float(control.collected.sum() / max(collected.sum(), 1e-9))
    if share < ENOUGH:
        return Diagnostic("control", False, f"{name} was watched in only {share:.0%} of the time that is compared")
    seen = control.collected[event.window]
    within = float(seen.sum() / max(collected[event.window].sum(), 1e-9))
    if within < ENOUGH:
        return Diagnostic("control", False, f"{name} was collected and scored in only {within:.0%} of the window")
    struck = [title for title, other in others if -other.hours < other.at - event.at < event.hours]
    if struck:
        return Diagnostic("control", False, f"{name} was struck itself, by {' and '.join(struck)}")
    found = float(control.posts[event.window][seen > 0].sum() / max(seen.sum(), 1e-9)) * event.hours
    text = f"what moved “{control.name}” too is not put down to it"
    return Diagnostic("control", True, f"{text}: {found / usual:.2f} times its usual posts in the window")
