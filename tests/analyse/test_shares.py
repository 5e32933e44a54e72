import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analyse.shares import effective_size, estimate_share, share_interval, t_quantile
from monitor.errors import TooFewPosts


def test_strata_count_by_their_size_and_not_by_what_was_read_of_them():
    found = estimate_share([1, 1, 0, 0, 0, 0, 0, 1], [10] * 4 + [100] * 4, [0] * 4 + [1] * 4, [40, 400])
    assert found.effect == pytest.approx((40 * 0.5 + 400 * 0.25) / 440)
    assert found.n == 8


def test_posts_drawn_one_by_one_are_weighted_to_what_their_stratum_holds():
    # Two of the four posts drawn from the second stratum were gone when they were read.
    found = estimate_share([1, 0, 1, 1], [10, 10, 100, 100], [0, 0, 1, 1], [20, 400])
    assert found.effect == pytest.approx((20 * 0.5 + 400) / 420)


def test_what_was_read_whole_has_no_interval():
    found = estimate_share([1, 0, 0, 0], [1] * 4, [0, 0, 1, 1], [2, 2])
    assert (found.effect, found.low, found.high) == (0.25, 0.25, 0.25)


def test_reading_more_of_the_same_stratum_narrows_the_interval_as_the_finite_population_says():
    def half(size):
        found = estimate_share([1, 0] * 200, [size / 400] * 400, [0] * 400, [size])
        return (found.high - found.low) / 2

    assert half(500) / half(10**9) == pytest.approx(math.sqrt(1 - 400 / 500), rel=0.02)


def test_where_nobody_left_the_interval_still_reaches_up():
    found = estimate_share([0] * 100, [50] * 100, [0] * 100, [5000])
    assert (found.effect, found.low) == (0, 0)
    assert found.high == pytest.approx(share_interval(0, 100 / (1 - 1 / 50))[1])
    assert 0.03 < found.high < 0.04
    assert estimate_share([1] * 100, [50] * 100, [0] * 100, [5000]).low == pytest.approx(1 - found.high)


def test_posts_of_one_slice_that_say_the_same_count_as_one():
    said = np.repeat([1, 0] * 10, 10)
    unit = np.repeat(np.arange(20), 10)
    together = estimate_share(said, [50] * 200, [0] * 200, [10_000], units=unit, drawn=[20])
    apart = estimate_share(said, [50] * 200, [0] * 200, [10_000])
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(10**0.5, rel=0.15)


def test_empty_slices_count_among_those_drawn():
    given = ([1, 0, 1, 0, 1, 1], [9] * 6, [0] * 6, [60])
    few, many = (estimate_share(*given, units=[0, 0, 1, 1, 2, 2], drawn=[n]) for n in (3, 30))
    assert few.effect == many.effect
    assert few.high - few.low != many.high - many.low


def test_too_little_is_refused_with_its_numbers():
    with pytest.raises(TooFewPosts, match="0 posts, and 1 are needed"):
        estimate_share([], [], [], [])
    with pytest.raises(TooFewPosts, match="1 posts, and 2 are needed"):
        estimate_share([1, 0, 1], [2, 2, 9], [0, 0, 1], [4, 9])
    with pytest.raises(TooFewPosts, match="0 posts, and 2 are needed"):
        estimate_share([1, 0], [2, 2], [0, 0], [4, 9])
    with pytest.raises(TooFewPosts, match="1 posts, and 2 are needed"):
        estimate_share([1, 0], [2, 2], [0, 0], [4], units=[0, 0], drawn=[1])


def test_slices_need_their_number_and_no_more_of_them_than_were_drawn():
    with pytest.raises(ValueError, match="number of slices"):
        estimate_share([1, 0], [2, 2], [0, 0], [4], units=[0, 1])
    with pytest.raises(ValueError, match="than were drawn"):
        estimate_share([1, 0, 1], [2, 2, 2], [0, 0, 0], [6], units=[0, 1, 2], drawn=[2])


shares_of_posts = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=60)


@given(shares_of_posts, st.integers(1, 50))
def test_the_interval_holds_the_estimate_and_stays_between_none_and_all(posts, weight):
    doubled = [post for post in posts for _ in range(2)]
    strata = np.array([stratum for _, stratum in doubled])
    strata = np.unique(strata, return_inverse=True)[1]
    found = estimate_share([v for v, _ in doubled], [weight] * len(doubled), strata, np.bincount(strata) * weight)
    assert 0 <= found.low <= found.effect + 1e-12
    assert found.effect - 1e-12 <= found.high <= 1


@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.5])
def test_the_interval_covers_rare_and_common_outcomes_of_strata_read_unequally(share):
    chance = np.random.default_rng(7)
    sizes, read = np.array([300, 4000, 900, 20_000]), np.array([60, 100, 60, 180])
    where = np.repeat(np.arange(4), read)
    weight = (sizes / read)[where]
    odds = share * np.array([0.5, 1.5, 1, 1])
    covered = []
    for _ in range(1500):
        leaving = chance.binomial(sizes, odds)
        told = chance.hypergeometric(leaving, sizes - leaving, read)
        values = np.concatenate([np.arange(n) < k for n, k in zip(read, told, strict=True)])
        found = estimate_share(values, weight, where, sizes)
        covered.append(found.low <= leaving.sum() / sizes.sum() <= found.high)
    assert 0.93 < np.mean(covered) < 0.97


def test_a_design_of_equal_chances_counts_as_many_posts_as_it_reads():
    assert effective_size([1000, 3000], [1e9, 1e9]) == pytest.approx(4000 / 1e9)
    assert effective_size([10, 10], [1, 1]) == math.inf
    assert effective_size([100, 100], [10, 2]) < 2 * effective_size([200], [6])


def test_students_quantile_is_that_of_the_tables():
    for free, told in ((3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (math.inf, 1.960)):
        assert t_quantile(free) == pytest.approx(told, rel=0.01)
