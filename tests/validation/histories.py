"""Months of hourly posts in which outcries come by themselves, and how a file comes to know them: in part, or late."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.regression import Measure
from monitor.analyse.sampling import design, draw
from monitor.analyse.unread import Units, noise
from tests.validation.cascades import hawkes

Values = NDArray[np.float64]
SHAPES = ("decay", "step", "rise")
_START = datetime(2025, 1, 1, tzinfo=UTC)


def history(rng: np.random.Generator, hours: int, drift: float = 0.15, besides: Values | float = 1.0) -> Values:
    """Hourly counts, self-exciting, whose level wanders by ``drift`` a week on the logarithm; ``besides`` times it."""
    kernel = np.zeros(hours)
    memory = (1 + np.arange(1, 24 * 21) / rng.uniform(0.5, 3)) ** -(1 + rng.uniform(0.3, 0.9))
    kernel[: min(hours, len(memory))] = memory[:hours]
    shocks = np.full(hours, rng.uniform(0.1, 3.0))
    for _ in range(rng.poisson(hours / 1440)):
        since = np.arange(hours) - int(rng.integers(0, hours))
        shocks += np.where(since >= 0, rng.uniform(0.5, 10) * np.exp(-np.maximum(since, 0) / rng.uniform(3, 20)), 0)
    level = np.cumsum(drift * rng.standard_normal(hours // 168 + 3))
    shocks *= np.exp(np.interp(np.arange(hours) / 168, np.arange(len(level)), level - level.mean())) * besides
    return hawkes(rng, hours, kernel, rng.uniform(0.2, 0.7), shocks, rng.uniform(0, 2), lambda _: 1.0).astype(float)


def news(rng: np.random.Generator, hours: int) -> Values:
    """What multiplies the posts on every topic: about every week something for a day or some days, up or down."""
    found = np.zeros(hours)
    for _ in range(rng.poisson(hours / 168)):
        since = np.arange(hours) - int(rng.integers(0, hours))
        found += np.where(since >= 0, rng.normal(0, 0.8) * np.exp(-np.maximum(since, 0) / rng.uniform(12, 72)), 0)
    return np.exp(found)


def planted(shape: str, factor: float, hours: int, at: int, window: int) -> Values:
    """By what each hour is multiplied; about ``factor`` over the window, gone four windows later."""
    since = (np.arange(hours) - at) / window
    forms = {
        "decay": np.exp(-since) * 1.582,
        "step": np.where(since < 1, 1.0, np.clip((4 - since) / 3, 0, 1)),
        "rise": np.where(since < 1, 2 * since, np.clip((4 - since) / 1.5, 0, 2)),
    }
    return 1 + (factor - 1) * np.where(since >= 0, forms[shape], 0.0)


def outages(rng: np.random.Generator, hours: int) -> Values:
    """What was collected of each hour: nothing for some hours about every twelve days."""
    collected = np.ones(hours)
    for _ in range(rng.poisson(hours / 300)):
        first = int(rng.integers(0, hours))
        collected[first : first + int(rng.integers(1, 12))] = 0
    return collected


def read(
    rng: np.random.Generator, posts: Values, labelled: Values, some: slice, wrong: tuple[float, float]
) -> tuple[Measure, Measure]:
    """Posts and the share of them that is labelled, of ``some`` hours from a sample of one post in two to ten.

    Drawn as the product draws: slices of an hour by its design for that budget. Posts cluster within the hour.
    """
    counts = posts[some].astype(np.int64)
    plan = design(counts, max(2, int(counts.sum() * rng.uniform(0.1, 0.5))))
    hour = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(plan.slices) - plan.slices
    ends = np.cumsum(rng.gamma(3.0, size=int(plan.slices.sum())))
    begin = np.concatenate([[0.0], ends])[first[hour]]
    width = ends[(first + np.maximum(plan.slices, 1) - 1)[hour]] - begin
    place = np.searchsorted(ends, begin + rng.random(len(hour)) * width)
    order = np.lexsort((rng.random(len(hour)), hour))
    is_labelled = np.zeros(len(hour), bool)
    is_labelled[order] = np.arange(len(hour)) - (np.cumsum(counts) - counts)[hour] < labelled[some].astype(int)[hour]
    drawn = draw(plan, _START, int(rng.integers(1 << 30)))
    seconds = np.array([(one.window.start - _START).total_seconds() for one in drawn])
    hours = (seconds // 3600).astype(int)
    mine = first[hours] + np.ceil((seconds % 3600) * plan.slices[hours] / 3600 - 1e-9).astype(int)
    found, those = (np.bincount(place[which], minlength=len(ends))[mine] for which in (slice(None), is_labelled))
    stratum = plan.stratum[hours]
    weights = np.array([one.weight for one in drawn])
    units = Units(hours + some.start, np.arange(len(drawn)), stratum, plan.drawn[stratum], weights)
    return _measures(units, found.astype(float), those.astype(float), posts, labelled, some, wrong)


def _measures(
    units: Units,
    found: Values,
    those: Values,
    posts: Values,
    labelled: Values,
    some: slice,
    wrong: tuple[float, float],
) -> tuple[Measure, Measure]:
    def filled(values: Values, whole: Values) -> Values:
        known = whole.copy()
        known[some] = np.bincount(units.hour, values, len(whole))[some]
        return known

    cases, read_cases = (filled(weight * found, posts) for weight in (units.weight, 1.0))
    counts = filled(units.weight * those, labelled)
    of_posts, of_share = (noise(units, one, found, len(posts)) for one in (found, those))
    return (
        Measure("posts", cases, read=read_cases, sampled=of_posts),
        Measure("share", counts, cases, wrong=wrong, read=read_cases, sampled=of_share),
    )
