"""Checks that an event study makes of itself. One that failed changes the sentence; one that cannot be made says so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.analyse.coverage import ENOUGH
from monitor.analyse.event_study import Effect, Study
from monitor.analyse.placebos import LEAST_WINDOWS, LEVEL, Placed, strayed
from monitor.analyse.regression import TAIL, Values
from monitor.records import Diagnostic, Estimate

# Without these the effect itself is in doubt, not only what is behind it.
FATAL = ("pre-trend", "overlapping windows", "coverage", "collected alike")
FEW_POSTS = 30
_STRAYED = (0.01, 0.99)  # quantiles of what windows hold before placebo dates
_BY_CHANCE = 0.05  # how seldom so many dates stray that are no more inclined to than they should be


def side(estimate: Estimate) -> int:
    """1 where the interval lies above no effect, -1 where below, else 0."""
    return int(estimate.low > 1) - int(estimate.high < 1)


def placebo_dates(told: Study, number: int, found: Effect) -> Diagnostic:
    """Whether no more dates without an event have an effect than should, by an interval made without them."""
    from scipy.special import bdtrc

    swings = told.swings[number]
    share = strayed(swings)
    if share is None or found.rank is None:
        text = f"only {max(0.0, swings.windows):.0f} windows without an event lie side by side, and {2 * LEAST_WINDOWS}"
        return Diagnostic("placebo dates", None, f"{text} are needed to judge some by the others")
    windows = int(swings.windows)  # neighbouring dates share most of their window, and are no further evidence
    passed = bool(bdtrc(round(share * windows) - 1, windows, 1 - LEVEL) > _BY_CHANCE)
    text = f"of {len(swings.rest)} dates without an event, {share:.0%} seem to have an effect"
    strong = f"and {found.rank:.0%} as strong a one as this"
    return Diagnostic("placebo dates", passed, f"{text} where {1 - LEVEL:.0%} should, {strong}")


def pre_trend(told: Study, number: int, found: Effect) -> Diagnostic:
    """Whether the window before the event already held what windows rarely hold."""
    swings = told.swings[number]
    if found.rank is None:
        return Diagnostic("pre-trend", None, "too few windows without an event to know how they differ by themselves")
    low, high = np.quantile(swings.before, _STRAYED)
    text = f"the window before it held {np.exp(found.before):.2f} times what was expected"
    passed = bool(low - 1e-9 <= found.before <= high + 1e-9)
    return Diagnostic("pre-trend", passed, text if passed else f"{text}: something was under way already")


def overlapping(events: Sequence[Placed], titles: Sequence[str], number: int) -> Diagnostic:
    """Whether another event stands in the window, or so shortly before it that its own is not over."""
    own = events[number]
    near = [
        title
        for title, other in zip(titles, events, strict=True)
        if other is not own and -other.hours < other.at - own.at < own.hours
    ]
    if near:
        return Diagnostic("overlapping windows", False, "its window overlaps that of " + " and ".join(near))
    late = any(0 < own.at - other.at < TAIL * other.hours for other in events)
    text = "what is left of an earlier event is in the model" if late else "no other event stands near it"
    return Diagnostic("overlapping windows", True, text)


def covered(collected: Values, event: Placed) -> Diagnostic:
    """Whether the windows before and after were collected."""
    before = collected[max(0, event.at - event.hours) : max(0, event.at)]
    shares = {"after": collected[event.window].mean(), "before": before.mean() if len(before) else 0.0}
    text = " and ".join(f"{share:.0%} of the window {when} it" for when, share in shares.items())
    text += " was collected and scored"
    return Diagnostic("coverage", bool(min(shares.values()) >= ENOUGH), text)


def enough_posts(found: Effect) -> Diagnostic:
    """Whether enough posts of the window were read for its share or ratio to be more than a handful of posts."""
    n, passed = found.estimate.n, found.estimate.n >= FEW_POSTS
    text = f"{n:,} {'post stands' if n == 1 else 'posts stand'} in the window"
    if found.weight > 1:
        text = f"{n:,} {'post was' if n == 1 else 'posts were'} read in the window and stand for {found.cases:,.0f}"
    return Diagnostic("posts", passed, text if passed else f"only {text}")


def one_author(found: Effect, without: Effect, share: float) -> Diagnostic:
    """Whether the finding is the same without the author who posted most after the event."""
    ratio = without.estimate
    text = f"one account wrote {share:.0%} of it; without it {_times(ratio)}"
    return Diagnostic("one author", side(found.estimate) == side(ratio), text)


def copypasta(found: Effect, texts: Effect) -> Diagnostic:
    """Whether the finding is the same where every text counts once an hour."""
    ratio = texts.estimate
    return Diagnostic("copypasta", side(found.estimate) == side(ratio), f"distinct texts: {_times(ratio)}")


def figure(ratio: float) -> str:
    """A ratio with as many digits as tell something."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def _times(ratio: Estimate) -> str:
    return f"{figure(ratio.effect)} times ({figure(ratio.low)} to {figure(ratio.high)})"
