"""What did events change in the share of posts that say something? The same segments as ``event_study``, on shares.

A quasi-binomial regression (McCullagh and Nelder 1989) of the posts of a kind among all posts of each hour; the effect
of an event is the share in its window less the share that is expected without it, errors as in ``event_study``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.segments import (
    FEWEST_FREE,
    LEAST_WINDOWS,
    LEVEL,
    PER_EVENT,
    Placed,
    binomial,
    event_terms,
    fit,
    penalty,
    quiet_windows,
    sandwich,
)
from monitor.records import Estimate

Values = NDArray[np.float64]

METHOD = "segmented quasi-binomial regression"
LEAST_POSTS = 30  # in the window, and before it


def share_effect(part: Values, posts: Values, events: Sequence[Placed], number: int) -> Estimate | None:
    """The change of a share in an event's window, 0.1 for ten points; None where there are too few posts to tell.

    Args:
        part: posts of the kind in each hour, shape (hours,).
        posts: all posts in each hour, shape (hours,).
        events: all events of the series.
        number: of the event that is asked for.
    """
    from scipy.stats import t

    event = events[number]
    within, before = posts[event.window].sum(), posts[: event.at].sum()
    if min(within, before) < LEAST_POSTS or part.sum() in (0, posts.sum()):
        return None
    kept = np.flatnonzero(posts > 0)
    design = np.concatenate([np.ones((len(posts), 1)), *(event_terms(len(posts), one) for one in events)], axis=1)
    prior = penalty(1, len(events))
    fitted = fit(design[kept], part[kept], np.zeros(len(kept)), binomial(posts[kept]), prior)
    covariance = sandwich(design[kept], fitted, prior, event.hours)
    bare = design.copy()
    bare[:, 1 + PER_EVENT * number : 1 + PER_EVENT * (number + 1)] = 0
    weight = posts[event.window] / within
    (_, upper), (without, lower) = (_share(rows[event.window], fitted.parameters, weight) for rows in (design, bare))
    came = float(part[event.window].sum() / within)
    slope = upper - lower
    error = math.sqrt(max(0.0, float(slope @ covariance @ slope)))
    free = max(FEWEST_FREE, len(kept) // event.hours - len(events))
    swings = _swings(part, posts, _logistic(design @ fitted.parameters), events)
    if len(swings) >= LEAST_WINDOWS:
        error, free = max(error, float(swings.std(ddof=1)) * math.sqrt(1 + 1 / len(swings))), len(swings) - 1
    half = float(t.ppf((1 + LEVEL) / 2, free)) * error
    change = came - without
    low, high = max(-without, change - half), min(1 - without, change + half)
    text = f"{came:.0%}, and {without:.0%} would be expected without it"
    return Estimate(change, min(low, change), max(high, change), LEVEL, METHOD, round(within), text)


def _share(design: Values, parameters: Values, weight: Values) -> tuple[float, Values]:
    """The mean share of a window, and how it moves with the parameters."""
    chance = _logistic(design @ parameters)
    return float(weight @ chance), np.asarray((weight * chance * (1 - chance)) @ design)


def _swings(part: Values, posts: Values, expected: Values, events: Sequence[Placed]) -> Values:
    """Share less expected share of windows without any event that hold enough posts."""
    windows = [here for here in quiet_windows(len(posts), events) if posts[here].sum() >= LEAST_POSTS]
    return np.array([(part[here].sum() - posts[here] @ expected[here]) / posts[here].sum() for here in windows])


def _logistic(values: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-values)))
