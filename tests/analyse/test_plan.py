"""How wide intervals would be, held against samples that are really drawn."""

import math
from itertools import pairwise

import numpy as np
import pytest

from monitor.analyse.plan import Planned, planned

HOURS = np.random.default_rng(1).poisson(3, 2_000)


def test_a_census_has_no_interval():
    everything = planned(HOURS, int(HOURS.sum()))
    assert everything.posts == HOURS.sum()
    assert everything.interval(0.1) == (0.1, 0.1)


def test_intervals_are_wilsons_narrow_with_the_sample_and_stay_between_nothing_and_all():
    low, high = Planned(100, 100.0).interval(0.1)
    assert (low, high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))  # Wilson, 10 of 100
    widths = [high - low for low, high in (planned(HOURS, n).interval(0.5) for n in (200, 1_000, 5_000))]
    assert widths == sorted(widths, reverse=True)
    assert Planned(2, 1.0).interval(0.0)[0] == 0.0


@pytest.mark.parametrize("counts", [[], [0, 0], [1], [5, 0, 0]])
def test_few_posts_or_none_are_no_fault(counts):
    found = planned(counts, 2)
    assert found.posts <= max(sum(counts), 2)
    assert all(0 <= end <= 1 for end in found.interval(0.5))


@pytest.mark.parametrize("posts", [200, 1_500])
def test_the_interval_holds_the_truth_as_often_as_it_says(posts):
    """Samples stratified by hours, of posts whose neighbours are alike; 95 % and not much more."""
    chance = np.random.default_rng(2)
    hour = np.repeat(np.arange(len(HOURS)), HOURS)
    says_so = chance.random(len(hour)) < 0.3 + 0.2 * np.sin(hour / 300)
    truth, held, tries = says_so.mean(), 0, 400
    plan = planned(HOURS, posts)
    for _ in range(tries):
        edges = np.linspace(0, len(hour), posts // 2 + 1).astype(int)
        drawn = np.concatenate([chance.choice(np.arange(a, b), 2, replace=False) for a, b in pairwise(edges)])
        low, high = plan.interval(float(says_so[drawn].mean()))
        held += low <= truth <= high
    assert 0.94 <= held / tries <= 1.0
    assert math.isfinite(plan.size)
