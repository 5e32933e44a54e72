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
class _Tally:
    """Of one draw and one time: ``steps`` and ``days`` are (levels, levels), from and to; the others by level."""

    stages: Numbers
    deleted: Numbers
    steps: Numbers
    days: Values
    others: tuple[int, int]


def counts(talk: Talk, spans: Sequence[tuple[float, float]], number: int = 400, seed: int = 0) -> list[Counts]:
    """The funnel in each of ``spans`` (seconds since 1970, end exclusive); posts before one tell what is new in it."""
    drawn = [[_tally(talk, rank, span) for span in spans] for rank in draws(talk.author, talk.chances, number, seed)]
    return [
        _counted([one[place] for one in drawn], _tally(talk, talk.labels, span), _present(talk, span))
        for place, span in enumerate(spans)
    ]


def steps(author: Numbers, rank: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Where an author's most advanced stage so far rises: the posts' places, the level before and the level reached."""
    floor = author * _LEVELS
    level = np.maximum.accumulate(floor + rank)
    before = np.maximum(np.concatenate([[0], level[:-1]]), floor)
    place = np.flatnonzero(level > before)
    return place, before[place] - floor[place], level[place] - floor[place]


def _tally(talk: Talk, rank: Numbers, span: tuple[float, float]) -> _Tally:
    place, origin, stage = steps(talk.author, rank)
    at, author = talk.at[place], talk.author[place]
    waited = np.diff(at, prepend=np.nan) / _DAY
    now = (at >= span[0]) & (at < span[1])
    last = np.flatnonzero(now)
    last = last[np.append(author[last][1:] != author[last][:-1], True)] if len(last) else last
    left = talk.gone[author[last]] >= at[last]
    pairs = origin * _LEVELS + stage
    days = np.full(_LEVELS**2, np.nan)
    for pair in np.unique(pairs[now & (origin > 0)]):
        days[pair] = np.median(waited[now & (pairs == pair)])
    return _Tally(
        np.bincount(stage[last], minlength=_LEVELS)[1:],
        np.bincount(stage[last][left], minlength=_LEVELS)[1:],
        np.bincount(pairs[now], minlength=_LEVELS**2).reshape(_LEVELS, _LEVELS),
        days.reshape(_LEVELS, _LEVELS),
        _others(talk, author[at < span[1]], span),
    )


def _others(talk: Talk, spoke: Numbers, span: tuple[float, float]) -> tuple[int, int]:
    """Authors with a post in the time who had not spoken of leaving by its end, and those who deleted a post since."""
    here = np.flatnonzero((talk.at >= span[0]) & (talk.at < span[1]))
    author, first = np.unique(talk.author[here], return_index=True)
    silent = ~np.isin(author, spoke)
    left = talk.gone[author] >= talk.at[here[first]]
    return int(silent.sum()), int((silent & left).sum())


def _present(talk: Talk, span: tuple[float, float]) -> int:
    """Authors of relevant posts in the time."""
    return len(np.unique(talk.author[(talk.at >= span[0]) & (talk.at < span[1])]))


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
            authors = np.array([one.steps[origin, stage] for one in drawn], np.int64)
            days = np.array([one.days[origin, stage] for one in drawn], np.float64)
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
