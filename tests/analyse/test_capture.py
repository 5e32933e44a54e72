import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analyse.capture import Refused, chapman, collected_share, existing, interval
from monitor.records import Estimate

TIMES = 4000
NUMBERS = (50, 200, 1000, 5000)
CHANCES = (0.5, 0.7, 0.9, 0.98)


def caught(number, first, second, seed=0, times=TIMES):
    """Counts in the stream, in search and in both of ``number`` posts, drawn ``times`` over."""
    cells = [first * second, first * (1 - second), (1 - first) * second, (1 - first) * (1 - second)]
    both, stream, search, _ = np.random.default_rng(seed).multinomial(number, cells, times).T
    return both + stream, both + search, both


def covers(number, *counts):
    low, high = interval(*counts)
    return ((low <= number) & (number <= high)).mean()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("first", CHANCES)
@pytest.mark.parametrize("second", CHANCES)
def test_a_planted_number_is_found_without_bias_and_its_interval_covers(number, first, second):
    counts = caught(number, first, second)
    found = chapman(*counts)
    assert abs(found.mean() - number) < 3 * found.std() / TIMES**0.5 + 1e-9
    error = 3 * (0.95 * 0.05 / TIMES) ** 0.5
    # Where fewer than two posts are in neither set the interval holds a few whole numbers and cannot hit 95 %.
    least, most = (0.93, 0.97) if number * (1 - first) * (1 - second) >= 2 else (0.92, 1)
    assert least - error < covers(number, *counts) < most + error


@pytest.mark.parametrize(("number", "chance"), [(200, 0.1), (500, 0.1), (200, 0.2), (1000, 0.1)])
def test_the_interval_still_covers_where_few_posts_are_shared(number, chance):
    counts = caught(number, chance, chance)
    is_told = (counts[2] > 0) & (np.minimum(counts[0], counts[1]) >= 10)
    assert counts[2].mean() < 11
    assert covers(number, *(n[is_told] for n in counts)) > 0.93


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))
def test_no_interval_leaves_out_its_number_or_goes_below_what_was_seen(stream_only, search_only, both):
    [found] = existing([stream_only + both], [search_only + both], [both])
    seen = stream_only + search_only + both
    if isinstance(found, Estimate):
        assert seen <= found.low <= found.effect <= found.high
        assert found.n == seen
    else:
        assert found.at_least == seen


def test_a_textbook_case_has_its_textbook_numbers():
    [found] = existing([200], [150], [50])
    assert found.effect == pytest.approx(201 * 151 / 51 - 1)
    for edge in (found.low, found.high):
        expected = 200 * 150 / edge
        variance = expected * (1 - 200 / edge) * (1 - 150 / edge) * edge / (edge - 1)
        assert abs(50 - expected) == pytest.approx(1.959964 * variance**0.5)
    assert found.text == "About 594 matching posts exist (501 to 741); 300 were seen."


def test_sets_that_say_the_same_leave_nothing_unseen():
    [found] = existing([80], [80], [80])
    assert found.effect == found.low == 80
    assert found.high < 82


def test_rows_that_say_too_little_are_refused_with_their_numbers():
    nothing_shared, small, told = existing([40, 9, 40], [30, 500, 30], [0, 4, 12])
    assert nothing_shared == Refused(
        1, 0, 70, "At least 70; how many more cannot be said: no post is in both stream and search."
    )
    assert (small.needed, small.found, small.at_least) == (10, 9, 505)
    assert "the stream holds 9 posts, and 10 are needed" in small.text
    assert isinstance(told, Estimate)


@pytest.mark.parametrize("counts", [([10], [20], [11]), ([10], [20], [-1])])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="both"):
        existing(*counts)


def deleted(number, gone, forgets):
    """The mean estimate where ``gone`` of the posts were deleted before search saw them."""
    chance = np.random.default_rng(1)
    in_stream = chance.random((400, number)) < 0.8
    in_search = (chance.random((400, number)) < 0.6) & (np.arange(number) >= gone)
    if forgets:
        in_stream &= np.arange(number) >= gone
    return chapman(in_stream.sum(1), in_search.sum(1), (in_stream & in_search).sum(1)).mean()


def test_deleted_posts_lower_the_estimate_once_the_store_has_forgotten_them():
    assert deleted(1000, 200, forgets=False) == pytest.approx(1000, rel=0.01)
    assert deleted(1000, 200, forgets=True) == pytest.approx(800, rel=0.01)


def test_posts_that_both_find_easily_make_the_estimate_too_low():
    chance = np.random.default_rng(2)
    ease = np.where(np.arange(1000) < 500, 0.9, 0.3)
    stream, search = (chance.random((400, 1000)) < ease for _ in range(2))
    assert chapman(stream.sum(1), search.sum(1), (stream & search).sum(1)).mean() == pytest.approx(800, rel=0.01)


def test_what_was_collected_is_held_against_the_census():
    some, more, none = collected_share([80, 12, 0], [100, 10, 0])
    assert (some.share, some.text) == (0.8, "80 of 100 posts were collected (80%).")
    assert more.share == 1.2
    assert "deleted" in more.text
    assert (none.share, none.text) == (None, "The census counts no post.")
