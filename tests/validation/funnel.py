"""Authors at their most advanced stage against planted ones: bias and coverage of labels, plain draws, the funnel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, product, repeat

import numpy as np
from numpy.typing import NDArray

from monitor.analyse.authors import draws

AUTHORS = 300
POSTS = ((1, 1), (5, 5), (30, 30), (1, 30))  # of an author, least and most
SPLIT = np.array([0.25, 0.25, 0.2, 0.3])  # of the stages
SEPARATION = 3.0  # of the scores: their labels are right in 97 % of posts
DRAWS = 200
WANTED = "any stage within 10 %, covers 93 % or more"
Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def posts_alone(chance: np.random.Generator, author: Ints) -> Ints:
    """Who speaks of leaving has nothing to do with the author."""
    return chance.choice(5, len(author), p=np.r_[0.925, 0.075 * SPLIT])


def few_authors(chance: np.random.Generator, author: Ints) -> Ints:
    """15 % of the authors speak of leaving, in half of their posts and mostly of one stage; the others never."""
    speaks, main = chance.random(AUTHORS) < 0.15, chance.choice(4, AUTHORS, p=SPLIT)
    stage = np.where(chance.random(len(author)) < 0.75, main[author], chance.choice(4, len(author), p=SPLIT)) + 1
    return np.where(speaks[author] & (chance.random(len(author)) < 0.5), stage, 0)


def by_degrees(chance: np.random.Generator, author: Ints) -> Ints:
    """Every author has a share of such posts of their own, mostly near none: no kinds at all."""
    often, main = chance.beta(0.2, 2, AUTHORS), chance.choice(4, AUTHORS, p=SPLIT)
    stage = np.where(chance.random(len(author)) < 0.75, main[author], chance.choice(4, len(author), p=SPLIT)) + 1
    return np.where(chance.random(len(author)) < often[author], stage, 0)


WORLDS: tuple[Callable[[np.random.Generator, Ints], Ints], ...] = (posts_alone, few_authors, by_degrees)


def scored(chance: np.random.Generator, truth: Ints, prior: Array) -> Array:
    """Scores that are calibrated over all posts of a world with ``prior`` shares of the stages, shape (posts, 5)."""
    seen = chance.normal(0, 1, (len(truth), 5)) + SEPARATION * np.eye(5)[truth]
    odds = prior * np.exp(SEPARATION * (seen - seen.max(axis=1, keepdims=True)))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def furthest(author: Ints, rank: Ints) -> Ints:
    """Authors by stage, and in all."""
    level = np.zeros(AUTHORS, np.int64)
    np.maximum.at(level, author, rank)
    by_stage = np.bincount(level, minlength=5)[1:]
    return np.append(by_stage, by_stage.sum())


def plainly(chance: np.random.Generator, chances: Array) -> Iterator[Ints]:
    """Each post by its own score alone."""
    up_to = np.cumsum(chances, axis=1)
    for _ in range(DRAWS):
        yield (chance.random((len(up_to), 1)) * up_to[:, -1:] > up_to).sum(axis=1)


def run(replicates: int = 200) -> list[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    cases = list(product(range(len(WORLDS)), POSTS))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(chain.from_iterable(pool.map(_rows, cases, repeat(replicates))))


def _rows(case: tuple[int, tuple[int, int]], replicates: int) -> list[tuple[str, str, str]]:
    world, (least, most) = WORLDS[case[0]], case[1]
    many = np.concatenate([world(np.random.default_rng(seed), np.arange(AUTHORS)) for seed in range(2000)])
    prior = np.bincount(many, minlength=5) / len(many)
    found: dict[str, list[Array]] = {"labels": [], "plain draws": [], "funnel": []}
    for number in range(replicates):
        chance = np.random.default_rng((12, *case[1], case[0], number))
        author = np.repeat(np.arange(AUTHORS), chance.integers(least, most + 1, AUTHORS))
        truth = world(chance, author)
        chances = scored(chance, truth, prior)
        true = furthest(author, truth)
        told = {
            "labels": [chances.argmax(axis=1)],
            "plain draws": plainly(chance, chances),
            "funnel": draws(author, chances, DRAWS, number),
        }
        for name, ranks in told.items():
            found[name].append(_held(np.array([furthest(author, rank) for rank in ranks]), true))
    where = f"{world.__name__.replace('_', ' ')}, {least if least == most else f'{least} to {most}'} posts each"
    return [
        (f"{where}: {name}", _told(np.array(rows)), WANTED if name == "funnel" else "") for name, rows in found.items()
    ]


def _held(drawn: Ints, true: Ints) -> Array:
    """Rows of mean, truth, and whether the interval holds it; columns are the stages and all authors."""
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return np.array([drawn.mean(axis=0), true, (low <= true) & (true <= high)])


def _told(rows: Array) -> str:
    mean, true, held = rows.mean(axis=0)
    bias = mean / true - 1
    stages = f"done {bias[3]:+.0%}, covers {held[3]:.0%}; each stage covers {held[:4].mean():.0%}"
    return f"any stage {bias[-1]:+.0%}, covers {held[-1]:.0%}; {stages}"
