"""What an author's posts say together: stages drawn post by post, so that the authors' most advanced ones are right.

A score is calibrated over all posts, not over one author's. Who posts thirty times and never speaks of leaving collects
thirty small chances, and the largest of thirty is large: taken by themselves, draws and labels alike find people who
left where nobody did. So authors are sorted into kinds (one that keeps to the subject, and for each stage one that says
it often and one that says it now and then), each with its own shares of the stages; shares and kinds are found by
expectation maximisation from the scores (as Saerens et al. 2002 do for one share of all), and a post's stage is drawn
given what its author's other posts show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_TINY = 1e-9
_ROUNDS, _AGAIN = 60, 15  # of the first fit, and of one that begins where that ended
_OFTEN = (0.5, 0.1)  # how often kinds say their stage, before it is learnt
_REFITS = 20  # fits to reweighted authors among the draws: they carry the doubt about the shares themselves
_FITTED = 20_000  # posts of which the shares are learnt; of more, a part of the authors is taken
_WORK = 8_000_000  # posts times draws, a second or two
_LEAST_DRAWS = 100


@dataclass(frozen=True, slots=True)
class Habits:
    """Kinds of authors: the share of each, shape (kinds,), and how often their posts say what, (kinds, stages)."""

    mix: Values
    shares: Values


@dataclass(frozen=True, slots=True)
class _Told:
    """``odds`` are the scores over their mean, (posts, stages); ``author`` counts from 0 and ascends, (posts,)."""

    author: Numbers
    odds: Values
    prior: Values
    authors: int


def draws(
    author: Numbers, chances: Values, number: int = 400, seed: int = 0, of: Flags | None = None
) -> Iterator[Numbers]:
    """Stages of some authors' posts as they may truly be, ``number`` times (fewer of very many), shape (their posts,).

    Args:
        author: of each post, ascending from 0 without holes, shape (posts,).
        chances: calibrated, by stage, the first one "none", shape (posts, stages).
        of: which authors are asked about, shape (authors,), None for all; who says what how often is learnt from all.
    """
    if len(author) == 0 or (of is not None and not of.any()):
        return
    chance = np.random.default_rng(seed)
    told = _told(author, chances)
    part = _part(chance, told)
    first = _fitted(part, _started(told), np.ones(part.authors), _ROUNDS)
    told = told if of is None else _only(told, of)
    number = min(number, max(_LEAST_DRAWS, _WORK // len(told.author)))
    for turn in range(_REFITS):
        habits = _fitted(part, first, chance.exponential(size=part.authors), _AGAIN)
        kinds = _kinds(told, habits)
        for _ in range(turn, number, _REFITS):
            kind = _picked(chance, kinds)
            yield _picked(chance, told.odds * habits.shares[kind[told.author]])


def _told(author: Numbers, chances: Values) -> _Told:
    prior = np.maximum(chances.mean(axis=0), _TINY)
    return _Told(author, np.maximum(chances, _TINY) / prior, prior, int(author[-1]) + 1)


def _part(chance: np.random.Generator, told: _Told) -> _Told:
    """Whole authors with ``_FITTED`` posts or so."""
    if len(told.author) <= _FITTED:
        return told
    kept = chance.random(told.authors) < _FITTED / len(told.author)
    kept[told.author[0]] = True
    return _only(told, kept)


def _only(told: _Told, kept: Flags) -> _Told:
    rows = kept[told.author]
    return _Told((np.cumsum(kept) - 1)[told.author[rows]], told.odds[rows], told.prior, int(kept.sum()))


def _started(told: _Told) -> Habits:
    """One kind that says little, and for each stage one that says it often and one that says it now and then."""
    quiet = told.prior * np.r_[1, np.full(len(told.prior) - 1, 0.1)]
    stages = np.eye(len(told.prior))[1:]
    loud = [(1 - often) * told.prior + often * stages for often in _OFTEN]
    shares = np.vstack([quiet, *loud])
    mix = np.r_[told.prior[0], np.tile(told.prior[1:] / len(_OFTEN), len(_OFTEN))]
    return Habits(mix / mix.sum(), shares / shares.sum(axis=1)[:, None])


def _fitted(told: _Told, habits: Habits, weights: Values, rounds: int) -> Habits:
    """The likeliest habits, each held by one post's worth of the shares of all posts."""
    of_post, first = weights[told.author][:, None], habits.mix
    for _ in range(rounds):
        kinds = _kinds(told, habits)
        likely = kinds[told.author] * of_post / (told.odds @ habits.shares.T)
        shares = habits.shares * (likely.T @ told.odds) + told.prior
        mix = weights @ kinds + first
        habits = Habits(np.maximum(mix / mix.sum(), _TINY), shares / shares.sum(axis=1)[:, None])
    return habits


def _kinds(told: _Told, habits: Habits) -> Values:
    """The chance of each author to be of each kind, shape (authors, kinds)."""
    said = np.log(told.odds @ habits.shares.T)
    evidence = np.stack([np.bincount(told.author, column, told.authors) for column in said.T], axis=1)
    evidence += np.log(habits.mix)
    kinds = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    return np.asarray(kinds / kinds.sum(axis=1, keepdims=True))


def _picked(chance: np.random.Generator, weights: Values) -> Numbers:
    """One column of each row by its weight."""
    up_to = np.cumsum(weights, axis=1)
    return np.asarray((chance.random((len(weights), 1)) * up_to[:, -1:] > up_to).sum(axis=1), np.int64)
