"""An effect in one plain sentence, and refusals with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.analyse.checks import FATAL, figure, side
from monitor.analyse.event_study import Effect, Study
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import SEEN
from monitor.records import Diagnostic, Outcome

STAGE = "removal: "  # begins the names of volumes of one stage
LEAST_POSTS = 10  # read, found and foreseen together
LEAST_BEFORE_HOURS, LEAST_AFTER_HOURS = 7 * 24, 24


def refusal(told: Study, number: int, effect: Effect | None = None) -> Diagnostic | None:
    """Why nothing can be said of an event, or None; with its effect also whether it rests on too few."""
    event, seen, measure = told.events[number], told.fitted.seen, told.fitted.measure
    if event.at + LEAST_AFTER_HOURS > len(seen):
        hours = max(0, len(seen) - event.at)
        text = f"{hours} hours after it are collected, and {LEAST_AFTER_HOURS} are needed"
        return Diagnostic("time since", False, text)
    before = slice(0, max(0, event.at))
    looked, posts = int(seen[before].sum()), float(measure.read_cases[before][seen[before]].sum())
    if posts == 0 or (measure.out_of is None and looked < LEAST_BEFORE_HOURS):
        text = f"{looked} hours before it were collected, with {posts:,.0f} posts, and a week with posts is needed"
        return Diagnostic("posts before", False, text)
    if (share := float(seen[event.window].mean())) < SEEN and measure.out_of is None:
        return Diagnostic("coverage", False, f"only {share:.0%} of the hours after it were collected whole")
    if effect is not None and (err := _errs(told, effect)) is not None:
        text = (
            f"the classifier says so of up to {err:.1%} of posts without it, and not clearly more are found or expected"
        )
        return Diagnostic("labels", False, text)
    if effect is not None and _cases(told, effect) < LEAST_POSTS:
        text = f"{effect.found:,.0f} came after it and {effect.foreseen:,.1f} were expected; too few to compare"
        return Diagnostic("posts", False, text)
    return None


def _cases(told: Study, effect: Effect) -> float:
    """As many posts as were read; of a share the smaller of those with and without it."""
    both = effect.found + effect.foreseen
    return (both if told.fitted.measure.out_of is None else min(both, 2 * effect.cases - both)) / effect.weight


def _errs(told: Study, effect: Effect) -> float | None:
    """Up to how many of the posts without it are labelled with it, where a share does not stand clear of that."""
    from scipy.special import betaincinv

    wrong = told.fitted.measure.wrong
    if wrong is None or not effect.cases:
        return None
    many = float(betaincinv(wrong[0] + 0.5, wrong[1] - wrong[0] + 0.5, 0.975))
    return many if min(effect.found, effect.foreseen) / effect.cases <= many else None


def refused(name: str, title: str, why: Diagnostic) -> Outcome:
    """An outcome of which nothing can be said."""
    return Outcome(name, None, f"Cannot tell whether “{title}” changed {noun(name)}: {why.text}.", (why,))


def outcome(told: Study, effect: Effect, title: str, span: str, made: Sequence[Diagnostic]) -> Outcome:
    """The effect with its sentence; a check that failed changes it."""
    estimate = replace(effect.estimate, text=_added(told, effect))
    sentence = _sentence(told, effect, title, span)
    failed = [one for one in made if one.passed is False]
    rest = "; ".join(one.text for one in failed if one.name not in FATAL)
    if rest:
        sentence = f"{sentence[:-1]}; but {rest}."
    if fatal := [one.text for one in failed if one.name in FATAL]:
        sentence += f" This cannot be put down to the event: {'; '.join(fatal)}."
    if not failed and side(estimate) and any(one.name == "placebo dates" and one.passed is None for one in made):
        sentence += " There is too little time without events to test this on placebo dates."
    return Outcome(told.fitted.measure.name, estimate, sentence, tuple(made))


def _sentence(told: Study, effect: Effect, title: str, span: str) -> str:
    measure, ratio = told.fitted.measure, effect.estimate
    if measure.out_of is None:
        figures = f"{effect.found:,.0f} {noun(measure.name)}, {effect.foreseen:,.0f} expected without it"
    else:
        cases = max(effect.cases, 1e-9)
        found, foreseen = (measure.top * value / cases for value in (effect.found, effect.foreseen))
        form = "{:.2f}" if measure.top > 1 else "{:.1%}"
        labelled = " as labelled" if measure.wrong else ""
        figures = f"{measure.name} {form.format(found)}{labelled}, {form.format(foreseen)} expected without it"
    times = f"{figure(ratio.effect)} times, {figure(ratio.low)} to {figure(ratio.high)} at {ratio.level:.0%}"
    verdict = {1: "more than without it", -1: "less than without it", 0: "no clear change"}[side(ratio)]
    mended = ", corrected for labels that err" if measure.wrong and measure.out_of is not None else ""
    added = _added(told, effect)
    return f"In the {span} after “{title}”: {figures}: {added} ({times}{mended}): {verdict}."


def _added(told: Study, effect: Effect) -> str:
    """The effect as counts over the window, or as points of a share."""
    measure = told.fitted.measure
    if measure.out_of is None:
        middle, low, high = (f"{value:+,.0f}" for value in effect.added)
        return f"{middle} ({low} to {high})"
    form = "{:+.2f}" if measure.top > 1 else "{:+.1f}"
    unit = measure.top if measure.top > 1 else 100
    middle, low, high = (form.format(unit * value) for value in effect.added)
    return f"{middle} ({low} to {high})" + ("" if measure.top > 1 else " points")


def noun(name: str) -> str:
    """What is counted, as it stands in a sentence."""
    if name in ("authors", "texts"):
        return f"{name}, each once an hour"
    return f"posts at the stage “{name.removeprefix(STAGE)}”" if name.startswith(STAGE) else name


def shortened(event: Placed, hours: int) -> Placed:
    """The event with a window that ends where the series does; whole where nothing of it is there."""
    left = hours - event.at
    return Placed(event.at, min(event.hours, left)) if left >= LEAST_AFTER_HOURS else event
