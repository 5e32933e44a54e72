"""What moves everything: posts on another topic, which the event does not touch, as a term of the regression.

A holiday, an outage of the platform, a day full of other news: what moved both topics is not put down to the event
(Brodersen et al. 2015 on control series; their method is another one).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.analyse.placebos import HALF, Placed
from monitor.analyse.regression import Values
from monitor.records import Diagnostic

LEAST_POSTS = 30  # on average in a window; fewer say nothing of what moves it
_AROUND_HOURS = 24  # averaged: an hour of a control is mostly chance


def term(posts: Values, collected: Values) -> Values:
    """The logarithm of the control's rate over the day around each hour, centred, shape (hours,).

    Args:
        posts: on the control, of each hour, and on no topic of the event.
        collected: share of each hour that was collected, 0 to 1.
    """
    held, watched = (np.convolve(one, np.ones(_AROUND_HOURS), "same") for one in (posts * (collected > 0), collected))
    mean = posts[collected > 0].sum() / max(collected.sum(), 1.0)
    rate = np.log((held + HALF) / np.maximum(watched * mean + HALF, 1e-9))
    return np.asarray(np.where(watched > 0, rate, 0.0))


def usable(
    name: str, posts: Values, collected: Values, event: Placed, others: Sequence[tuple[str, Placed]]
) -> Diagnostic:  # fmt: skip
    """Whether the control can tell what would have come without the event; where it cannot, why.

    Args:
        others: titles and places of the control's own events.
    """
    usual = float(posts.sum() / max(collected.sum(), 1.0)) * event.hours
    if usual < LEAST_POSTS:
        text = f"the control “{name}” has {usual:,.1f} posts in a usual window, and {LEAST_POSTS} are needed"
        return Diagnostic("control", False, text)
    struck = [title for title, other in others if -other.hours < other.at - event.at < event.hours]
    if struck:
        text = f"the control “{name}” was struck itself, by {' and '.join(struck)}"
        return Diagnostic("control", False, text)
    found = float(posts[event.window].sum() / max(collected[event.window].sum(), 1e-9)) * event.hours
    times = found / usual
    text = f"what moved “{name}” too is not put down to it: {times:.2f} times its usual posts in the window"
    return Diagnostic("control", True, text)
