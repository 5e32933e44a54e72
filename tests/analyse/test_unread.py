"""What a sample leaves unknown: as large as such samples really differ, in slices and posts."""

import numpy as np
import pytest

from monitor.analyse.checks import enough_posts
from monitor.analyse.event_study import effect, study
from monitor.analyse.findings import refusal
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure
from monitor.analyse.unread import Units, noise
from tests.validation.histories import read

HOURS, AT, WIDTH = 24 * 60, 24 * 40, 72


def test_the_variance_is_that_of_samples_drawn_again_and_again():
    rng = np.random.default_rng(1)
    posts = rng.poisson(rng.gamma(2, 10, 48)).astype(float)
    labelled = rng.binomial(posts.astype(int), 0.3).astype(float)
    totals, said = [], []
    for seed in range(300):
        found, share = read(np.random.default_rng([2, seed]), posts, labelled, slice(0, 48), (1, 100))
        part, seen = slice(0, 48), np.ones(48, bool)
        totals.append((found.counts.sum(), share.counts.sum() - 0.3 * share.cases.sum()))
        said.append((found.unread(part, seen), share.unread(part, seen)))
    assert np.mean(said, axis=0) == pytest.approx(np.var(totals, axis=0), rel=0.25)
    assert np.mean([total for total, _ in totals]) == pytest.approx(posts.sum(), rel=0.03)


def test_posts_that_were_drawn_for_themselves_need_no_slices():
    units = Units(np.array([0, 0, 1]), np.arange(3), np.zeros(3, int), np.zeros(3, int), np.array([4.0, 4.0, 1.0]))
    found = noise(units, np.ones(3), np.ones(3), 2)
    assert found[0].tolist() == [24, 0]  # w (w - 1) for each; who was read for sure leaves no doubt


def test_a_slice_over_the_edge_of_two_hours_is_one_unit():
    """Ten strata of ten hours, two slices of an hour drawn of each; the series' hours begin in their middle."""
    rng = np.random.default_rng(4)
    of = np.repeat(np.arange(10), 2)
    at = 10 * of + np.concatenate([rng.choice(9, 2, replace=False) for _ in range(10)])
    early, late = rng.poisson(2, 20).astype(float), rng.poisson(2, 20).astype(float)
    number, drawn, weight = np.arange(20), np.full(20, 2), np.full(20, 5.0)
    whole = noise(Units(at, number, of, drawn, weight), early + late, early + late, 101)
    both = [
        np.concatenate(pair) for pair in ((at, at + 1), (number, number), (of, of), (drawn, drawn), (weight, weight))
    ]
    cut = noise(Units(*both), np.concatenate([early, late]), np.concatenate([early, late]), 101)
    assert cut.sum(axis=1) == pytest.approx(whole.sum(axis=1))
    assert whole[0].sum() > 0


def sampled(weight, n=3.0):
    """A quiet post every other hour, of which ``n`` of a weight stand for the window after the event."""
    rng = np.random.default_rng(3)
    posts = rng.poisson(0.5, HOURS).astype(float)
    posts[AT : AT + WIDTH] = 0
    hours = AT + np.arange(int(n)) * 5
    posts[hours] = weight
    read_cases = np.where(posts == weight, 1.0, posts)
    units = Units(
        hours,
        np.arange(len(hours)),
        np.zeros(len(hours), int),
        np.zeros(len(hours), int),
        np.full(len(hours), float(weight)),
    )
    ones = np.ones(len(hours))
    measure = Measure("posts", posts, read=read_cases, sampled=noise(units, ones, ones, HOURS))
    return study(measure, np.ones(HOURS), [Placed(AT, WIDTH)])


def test_three_posts_that_count_as_sixty_are_three():
    told = sampled(20)
    found = effect(told, 0)
    assert (found.estimate.n, found.cases) == (3, 60)
    check = enough_posts(found)
    assert check.passed is False
    assert check.text == "only 3 posts were read in the window and stand for 60"
    why = refusal(told, 0, found)
    assert why is not None
    assert why.name == "posts"


def test_what_the_sample_may_be_off_by_is_in_the_interval():
    told = sampled(10, n=12)
    found = effect(told, 0)
    alone = effect(study(Measure("posts", told.fitted.measure.counts), np.ones(HOURS), [Placed(AT, WIDTH)]), 0)
    assert found.estimate.low < alone.estimate.low / 1.1
    assert found.estimate.high > alone.estimate.high * 1.1
