"""The removal funnel: authors counted once at the most advanced stage they told of, and how they came there.

considering < committed < blocked < done: who was blocked has tried, and who is done after that counts as done. An
author's stage only ever rises; a later post that says less, or nothing, takes nothing back, as the codebook has no
label for people who return.

Every number is the mean over stages drawn from the classifier's calibrated scores (``authors``), with the middle 95 %
of the draws as its interval. That interval holds the classifier's doubt, as far as its scores are calibrated, and not
what nobody collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.authors import draws
from monitor.records import Estimate

STAGES = ("considering", "committed", "blocked", "done")  # in the order of advance
METHOD = "mean and middle 95 % of drawn stages, kinds of authors by EM"
_LEVELS = len(STAGES) + 1  # 0: has not spoken of leaving
_DAY = 86_400.0

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Talk:
    """Relevant posts, sorted by author and time.

    ``author`` counts from 0 (posts,); ``at`` and ``gone`` are in seconds since 1970, (posts,) and (authors,): when the
    author last deleted a post, minus infinity where none is known. ``chances`` are calibrated, (posts, 5), and
    ``labels`` levels, (posts,): none first, then ``STAGES``.
    """

    author: Numbers
    at: Values
    chances: Values
    labels: Numbers
    gone: Values


@dataclass(frozen=True, slots=True)
class Step:
    """Authors who came to ``stage`` from ``origin`` ("" where it is the first they told), and the median days between.

    ``days`` is None for first steps and where under half of the draws hold such a step.
    """

    origin: str
    stage: str
    authors: Estimate
    days: Estimate | None


@dataclass(frozen=True, slots=True)
class Counts:
    """One stretch of time; ``n`` of an estimate is the number of authors with a relevant post in it.

    In ``stages``, ``labelled`` and ``deleted`` every author of ``authors`` stands once.

    ``stages`` are authors by the most advanced stage that they newly reached in this time, ``labelled`` the same by
    the labels alone. ``deleted`` are those of ``stages`` who deleted a post after they had reached it. ``others`` are
    authors of that time who never spoke of leaving, ``others_deleted`` those of them who deleted a post since.
    """

    authors: Estimate
    stages: tuple[Estimate, ...]
    labelled: tuple[int, ...]
    steps: tuple[Step, ...]
    deleted: tuple[Estimate, ...]
    others: Estimate
    others_deleted: Estimate


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of time, the end exclusive: its authors, and whether they deleted a post after their first in it."""

    start: float
    end: float
    author: Numbers
    has_deleted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Tally:
    """Of one draw and one time: ``steps`` and ``days`` are by 5 times the level before plus that reached."""

    stages: Numbers
    deleted: Numbers
    steps: Numbers
    days: Values
    others: tuple[int, int]


def counts(talk: Talk, spans: Sequence[tuple[float, float]], number: int = 400, seed: int = 0) -> list[Counts]:
    """The funnel in each of ``spans`` (seconds since 1970, end exclusive); posts before one tell what is new in it."""
    asked = np.zeros(len(talk.gone), np.bool_)
    for start, end in spans:
        asked[talk.author[(talk.at >= start) & (talk.at < end)]] = True
    ranks = draws(talk.author, talk.chances, number, seed, asked)
    talk = _only(talk, asked)
    times = [_span(talk, *span) for span in spans]
    drawn = [_tallies(talk, rank, times) for rank in ranks]
    labelled = _tallies(talk, talk.labels, times)
    return [
        _counted([one[place] for one in drawn], labelled[place], len(span.author)) for place, span in enumerate(times)
    ]


def steps(author: Numbers, rank: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Where an author's most advanced stage so far rises: the posts' places, the level before and the level reached."""
    floor = author * _LEVELS
    level = np.maximum.accumulate(floor + rank)
    before = np.maximum(np.concatenate([[0], level[:-1]]), floor)
    place = np.flatnonzero(level > before)
    return place, before[place] - floor[place], level[place] - floor[place]


def _only(talk: Talk, kept: NDArray[np.bool_]) -> Talk:
    """Whoever posted in none of the times is in none of the numbers."""
    rows = kept[talk.author]
    author = (np.cumsum(kept) - 1)[talk.author[rows]]
    return Talk(author, talk.at[rows], talk.chances[rows], talk.labels[rows], talk.gone[kept])


def _span(talk: Talk, start: float, end: float) -> _Span:
    here = np.flatnonzero((talk.at >= start) & (talk.at < end))
    author, first = np.unique(talk.author[here], return_index=True)
    return _Span(start, end, author, talk.gone[author] >= talk.at[here[first]])


def _tallies(talk: Talk, rank: Numbers, spans: Sequence[_Span]) -> list[_Tally]:
    place, origin, stage = steps(talk.author, rank)
    author, at = talk.author[place], talk.at[place]
    waited = np.diff(at, prepend=np.nan) / _DAY  # a step from another stage follows the author's step to that
    return [_tally(talk, span, author, at, origin * _LEVELS + stage, waited) for span in spans]


def _tally(talk: Talk, span: _Span, author: Numbers, at: Values, pairs: Numbers, waited: Values) -> _Tally:
    is_now = (at >= span.start) & (at < span.end)
    now = np.flatnonzero(is_now)
    last = now[np.diff(author[now], append=-1) != 0]
    left = talk.gone[author[last]] >= at[last]
    stage = pairs[last] % _LEVELS
    days = np.full(_LEVELS**2, np.nan)
    for pair in np.unique(pairs[is_now & (pairs >= _LEVELS)]):
        days[pair] = np.median(waited[is_now & (pairs == pair)])
    spoke = np.zeros(len(talk.gone), np.bool_)
    spoke[author[at < span.end]] = True
    silent = ~spoke[span.author]
    return _Tally(
        np.bincount(stage, minlength=_LEVELS)[1:],
        np.bincount(stage[left], minlength=_LEVELS)[1:],
        np.bincount(pairs[now], minlength=_LEVELS**2),
        days,
        (int(silent.sum()), int((silent & span.has_deleted).sum())),
    )


def _counted(drawn: Sequence[_Tally], labelled: _Tally, n: int) -> Counts:
    stages = np.array([one.stages for one in drawn]).reshape(-1, len(STAGES))
    deleted = np.array([one.deleted for one in drawn]).reshape(-1, len(STAGES))
    others = np.array([one.others for one in drawn]).reshape(-1, 2)
    return Counts(
        authors=_estimate(stages.sum(axis=1), n),
        stages=tuple(_estimate(column, n) for column in stages.T),
        labelled=tuple(labelled.stages.tolist()),
        steps=tuple(_steps(drawn, n)),
        deleted=tuple(_estimate(column, n) for column in deleted.T),
        others=_estimate(others[:, 0], n),
        others_deleted=_estimate(others[:, 1], n),
    )


def _steps(drawn: Sequence[_Tally], n: int) -> list[Step]:
    found = []
    for origin in range(_LEVELS):
        for stage in range(origin + 1, _LEVELS):
            pair = origin * _LEVELS + stage
            authors = np.array([one.steps[pair] for one in drawn], np.int64)
            days = np.array([one.days[pair] for one in drawn], np.float64)
            known = days[~np.isnan(days)]
            told = _estimate(known, n) if 2 * len(known) >= max(1, len(days)) else None
            name = STAGES[origin - 1] if origin else ""
            found.append(Step(name, STAGES[stage - 1], _estimate(authors, n), told))
    return found


def _estimate(values: NDArray[np.int64] | Values, n: int) -> Estimate:
    """The mean of the draws, of ``n`` authors; without any draw nothing was there to be counted."""
    if len(values) == 0:
        return Estimate(0.0, 0.0, 0.0, 0.95, METHOD, n)
    mean, (low, high) = float(values.mean()), np.quantile(values, [0.025, 0.975])
    return Estimate(mean, min(mean, float(low)), max(mean, float(high)), 0.95, METHOD, n)
