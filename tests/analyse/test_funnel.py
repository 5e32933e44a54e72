"""Authors once, at their most advanced stage; steps in order; and no leavers found among those who only post a lot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analyse.authors import draws
from monitor.analyse.funnel import STAGES, Counts, Talk, counts, steps
from tests.validation.funnel import AUTHORS, few_authors, furthest, posts_alone, scored

DAY = 86_400.0
NONE, CONSIDERING, COMMITTED, BLOCKED, DONE = range(5)


def talk(*posts: tuple[int, float, int], gone: dict[int, float] | None = None) -> Talk:
    """Posts of (author, day, level), each told beyond doubt."""
    posts = tuple(sorted(posts))
    author = np.unique([one[0] for one in posts], return_inverse=True)[1].astype(np.int64)
    level = np.array([one[2] for one in posts], np.int64)
    authors = sorted({one[0] for one in posts})
    left = np.array([(gone or {}).get(one, -np.inf) for one in authors]) * DAY
    return Talk(author, np.array([one[1] for one in posts]) * DAY, np.eye(5)[level], level, left)


def over(told: Talk, start: float = 0, end: float = 100) -> Counts:
    return counts(told, [(start * DAY, end * DAY)], number=40)[0]


def stages(found: Counts) -> dict[str, float]:
    return {stage: one.effect for stage, one in zip(STAGES, found.stages, strict=True) if one.effect}


def taken(found: Counts) -> dict[tuple[str, str], tuple[float, float | None]]:
    return {
        (one.origin, one.stage): (one.authors.effect, one.days.effect if one.days else None)
        for one in found.steps
        if one.authors.effect
    }


def test_an_author_counts_once_at_the_most_advanced_stage():
    found = over(talk((1, 1, CONSIDERING), (1, 2, COMMITTED), (1, 5, DONE), (2, 1, CONSIDERING), (3, 1, NONE)))
    assert stages(found) == {"considering": 1, "done": 1}
    assert (found.authors.effect, found.others.effect, found.authors.n) == (2, 1, 3)
    assert taken(found) == {
        ("", "considering"): (2, None),
        ("considering", "committed"): (1, 1),
        ("committed", "done"): (1, 3),
    }


def test_blocked_is_past_committed_and_done_past_blocked():
    found = over(
        talk((1, 1, COMMITTED), (1, 3, BLOCKED), (2, 1, BLOCKED), (2, 2, COMMITTED), (3, 1, BLOCKED), (3, 9, DONE))
    )
    assert stages(found) == {"blocked": 2, "done": 1}
    assert taken(found)["committed", "blocked"] == (1, 2)
    assert taken(found)["blocked", "done"] == (1, 8)


def test_a_later_post_that_says_less_takes_nothing_back():
    assert stages(over(talk((1, 1, DONE), (1, 2, CONSIDERING), (1, 3, NONE), (2, 1, NONE)))) == {"done": 1}


def test_who_had_reached_a_stage_before_the_time_is_not_new_in_it():
    told = talk((1, 1, DONE), (1, 12, DONE), (2, 1, CONSIDERING), (2, 12, DONE), (3, 12, NONE))
    assert stages(over(told, 10, 20)) == {"done": 1}
    assert taken(over(told, 10, 20)) == {("considering", "done"): (1, 11)}
    assert over(told, 10, 20).others.effect == 1


def test_the_end_is_exclusive_and_the_start_is_not():
    told = talk((1, 10, DONE), (2, 20, DONE))
    assert over(told, 10, 20).authors.effect == 1


def test_a_deletion_counts_only_after_the_stage_was_reached():
    told = talk((1, 5, DONE), (2, 5, DONE), (3, 5, NONE), (4, 5, NONE), gone={1: 6, 2: 4, 3: 7})
    found = over(told)
    assert [one.effect for one in found.deleted] == [0, 0, 0, 1]
    assert (found.others.effect, found.others_deleted.effect) == (2, 1)


def test_nothing_at_all_counts_nothing():
    empty = Talk(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 5)), np.zeros(0, np.int64), np.zeros(0))
    found = over(empty)
    assert (found.authors.effect, found.authors.low, found.authors.high) == (0, 0, 0)
    assert not taken(found)


def test_one_post_of_doubt_reads_as_its_score():
    chances = np.tile([0.6, 0, 0, 0, 0.4], (2, 1))
    told = Talk(np.arange(2), np.zeros(2), chances, np.zeros(2, np.int64), np.full(2, -np.inf))
    found = counts(told, [(0, 1)], number=2000)[0]
    assert found.stages[3].effect == pytest.approx(0.8, abs=0.15)
    assert found.labelled == (0, 0, 0, 0)
    assert (found.authors.low, found.authors.high) == (0, 2)


def test_the_same_posts_give_the_same_numbers():
    chance = np.random.default_rng(1)
    author = np.repeat(np.arange(30), 3)
    told = Talk(author, np.arange(90.0), chance.dirichlet([5, 1, 1, 1, 1], 90), np.zeros(90, np.int64), np.zeros(30))
    assert counts(told, [(0, 90)]) == counts(told, [(0, 90)])


@pytest.mark.parametrize("world", [posts_alone, few_authors])
def test_who_posts_often_and_never_leaves_is_not_found_to_leave(world):
    chance = np.random.default_rng(5)
    many = np.concatenate([world(np.random.default_rng(seed), np.arange(AUTHORS)) for seed in range(300)])
    prior = np.bincount(many, minlength=5) / len(many)
    found, plain, true = [], [], []
    for number in range(3):
        author = np.repeat(np.arange(AUTHORS), 30)
        truth = world(chance, author)
        chances = scored(chance, truth, prior)
        true.append(furthest(author, truth)[-1])
        found.append(np.mean([furthest(author, rank)[-1] for rank in draws(author, chances, 60, number)]))
        plain.append(furthest(author, chances.argmax(axis=1))[-1])
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.1)
    if world is few_authors:
        assert np.mean(plain) > 1.3 * np.mean(true)


def test_posts_of_each_stage_stay_as_many_as_their_scores_say_and_an_authors_other_posts_decide():
    chance, author = np.random.default_rng(7), np.repeat(np.arange(AUTHORS), 10)
    truth = few_authors(chance, author)
    chances = scored(chance, truth, np.bincount(truth, minlength=5) / len(truth))
    chances[[0, 15]] = [0.6, 0, 0, 0, 0.4]  # in doubt alike: one author speaks of nothing else, the other never
    chances[1:10], chances[10:15], chances[16:20] = [0.02, 0, 0, 0, 0.98], [0.99, 0, 0, 0, 0.01], [0.99, 0, 0, 0, 0.01]
    drawn = np.array(list(draws(author, chances, 200)))
    by_stage = [(drawn == level).mean(axis=0).sum() for level in range(5)]
    assert by_stage == pytest.approx(chances.sum(axis=0), rel=0.1)
    assert (drawn[:, 0] == DONE).mean() > 0.7
    assert (drawn[:, 15] == DONE).mean() < 0.2


def test_of_very_many_posts_fewer_draws_are_made_from_a_part_of_the_authors():
    chance = np.random.default_rng(2)
    author = np.repeat(np.arange(50_000), 2)
    chances = np.eye(5)[np.where(chance.random(100_000) < 0.02, 4, 0)] * 0.96 + 0.008
    some = [rank.mean() for rank in draws(author, chances, 400)]
    assert len(some) == 100


posts = st.lists(
    st.tuples(st.integers(0, 5), st.floats(0, 30), st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=25
)


@settings(deadline=None, max_examples=60)
@given(posts, st.floats(0, 30), st.floats(0, 30))
def test_every_author_stands_in_one_place_and_the_sums_agree(posts, one, other):
    posts = sorted(posts)
    author = np.unique([post[0] for post in posts], return_inverse=True)[1].astype(np.int64)
    level = np.array([post[2] for post in posts], np.int64)
    sure = np.array([post[3] for post in posts])[:, None]
    chances = sure * np.eye(5)[level] + (1 - sure) / 5
    gone = np.full(author.max() + 1, 15 * DAY)
    told = Talk(author, np.array([post[1] for post in posts]) * DAY, chances, level, gone)
    start, end = sorted((one, other))
    for found in counts(told, [(start * DAY, end * DAY), (0, 31 * DAY)], number=40):
        everyone = [*found.stages, *found.deleted, found.authors, found.others, *(step.authors for step in found.steps)]
        assert all(0 <= each.low <= each.effect <= each.high <= found.authors.n for each in everyone)
        assert sum(each.effect for each in found.stages) == pytest.approx(found.authors.effect)
        assert found.authors.effect + found.others.effect <= found.authors.n + 1e-9
        assert sum(step.authors.effect for step in found.steps) >= found.authors.effect - 1e-9
        assert all(part.effect <= whole.effect for part, whole in zip(found.deleted, found.stages, strict=True))
    assert found.authors.effect + found.others.effect == pytest.approx(found.authors.n)


@settings(deadline=None)
@given(posts)
def test_steps_only_rise(posts):
    posts = sorted(posts)
    author = np.unique([post[0] for post in posts], return_inverse=True)[1].astype(np.int64)
    place, before, after = steps(author, np.array([post[2] for post in posts], np.int64))
    assert (after > before).all()
    for number in set(author.tolist()):
        own = author[place] == number
        assert before[own][1:].tolist() == after[own][:-1].tolist()
        assert max([0, *after[own]]) == max(post[2] for post, who in zip(posts, author, strict=True) if who == number)
