from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analyse.coverage import collected
from monitor.analyse.series import (
    WIDTHS,
    Side,
    bucket_seconds,
    by_unit,
    change,
    differ,
    filled,
    floored,
    mean_interval,
    merged,
    readable,
    sides,
)
from monitor.codebook import codebook
from monitor.records import Gap, Window

T0 = datetime(2025, 5, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMNS = (
    "posts",
    "unscored",
    "searched",
    "reposts",
    "concern_sum",
    "concern_squares",
    "concern_cross",
    "weight_squares",
    *codebook().removal,
)


def table(rows: dict[int, dict[str, float]]) -> pa.Table:
    columns = {name: [row.get(name) for row in rows.values()] for name in COLUMNS}
    return pa.table(
        {"bucket": pa.array(rows, pa.int32()), **{n: pa.array(v, pa.float64()) for n, v in columns.items()}}
    )


def a_series(posts, gaps=(), seconds=3600):
    rows = {
        i: {
            "posts": n,
            "concern_sum": 2.0 * n,
            "concern_squares": 4.0 * n,
            "concern_cross": 2.0 * n,
            "weight_squares": n,
        }
        for i, n in enumerate(posts)
        if n
    }
    return filled(table(rows), Window(T0, T0 + len(posts) * timedelta(seconds=seconds)), seconds, gaps)


def test_buckets_without_rows_are_zero():
    series = a_series([3, 0, 0, 5])
    assert series.posts.tolist() == [3, 0, 0, 5]
    assert series.removal["done"].tolist() == [0, 0, 0, 0]
    assert (series.collected == 1).all()


def test_an_empty_table_makes_an_empty_series_of_full_length():
    series = filled(table({}), Window(T0, T0 + 24 * HOUR), 900)
    assert series.posts.tolist() == [0] * 96
    assert np.isnan(series.concern[0]).all()


def test_a_last_bucket_that_is_not_over_counts_as_one():
    assert len(filled(table({}), Window(T0, T0 + timedelta(minutes=61)), 3600).posts) == 2


def test_buckets_inside_a_gap_were_not_collected_but_keep_what_came():
    gap = Gap("bluesky:live", T0 + HOUR, T0 + 3 * HOUR, "closed")
    series = a_series([1, 0, 2, 0], [gap])
    assert series.collected.tolist() == [1, 0, 0, 1]
    assert series.posts.tolist() == [1, 0, 2, 0]


def test_an_open_gap_lasts_to_the_end():
    assert collected(T0, 3600, 3, [Gap("s", T0 + 1.5 * HOUR, None, "down")]).tolist() == [1, 0.5, 0]


def test_gaps_that_overlap_count_once_and_filled_ones_not_at_all():
    gaps = [
        Gap("a", T0, T0 + 0.5 * HOUR, "x"),
        Gap("b", T0 + 0.25 * HOUR, T0 + 0.75 * HOUR, "y"),
        Gap("a", T0 + HOUR, T0 + 2 * HOUR, "z", filled_by="search"),
    ]
    assert collected(T0, 3600, 2, gaps).tolist() == [0.25, 1]
    assert collected(T0, 3600, 0, gaps).tolist() == []


@given(st.lists(st.tuples(st.floats(-5, 10), st.floats(0, 5)), max_size=6), st.integers(1, 12))
def test_the_collected_share_stays_between_none_and_all(spans, n):
    gaps = [Gap("s", T0 + low * HOUR, T0 + (low + width) * HOUR, "x") for low, width in spans]
    share = collected(T0, 3600, n, gaps)
    assert ((share >= 0) & (share <= 1)).all()


def test_the_mean_of_nothing_is_missing_and_few_posts_have_no_interval():
    n = np.array([0, 4, 100])
    mean, low, high = mean_interval(n, np.array([0.0, 8, 150]), np.array([0.0, 20, 300]), np.array([0.0, 8, 150]), n)
    assert np.isnan(mean[0])
    assert mean[1] == 2
    assert np.isnan(low[1])
    deviation = np.sqrt((300 - 100 * 1.5**2) / 99)
    assert high[2] - mean[2] == pytest.approx(1.959964 * deviation / 10)


def test_the_interval_covers_the_true_mean_about_95_times_in_100():
    drawn = np.random.default_rng(0).uniform(0, 3, (2000, 40))
    n = np.full(2000, 40)
    _, low, high = mean_interval(n, drawn.sum(1), (drawn**2).sum(1), drawn.sum(1), n)
    assert ((low <= 1.5) & (high >= 1.5)).mean() == pytest.approx(0.945, abs=0.015)


def test_the_mean_of_a_sample_with_unequal_chances_is_unbiased_and_its_interval_covers():
    chance = np.random.default_rng(0)
    concern = np.concatenate([chance.uniform(0, 1, 3000), chance.uniform(1, 3, 1000)])  # who is angry is read less
    probability = np.where(concern < 1, 0.2, 0.05)
    found = []
    for _ in range(500):
        read = chance.random(4000) < probability
        weight, value = 1 / probability[read], concern[read]
        sums = (weight, weight * value, (weight * value) ** 2, weight**2 * value, weight**2)
        found.append([bound[0] for bound in mean_interval(*(np.array([each.sum()]) for each in sums))])
    mean, low, high = np.array(found).T
    assert mean.mean() == pytest.approx(concern.mean(), abs=0.01)
    assert ((low <= concern.mean()) & (high >= concern.mean())).mean() > 0.94


def test_equal_values_have_an_interval_of_no_width_despite_rounding():
    n = np.array([30])
    _, low, high = mean_interval(n, n * 2.7, n * 2.7**2 - 1e-9, n * 2.7, n)
    assert high[0] - low[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("hours", "seconds"), [(1, 60), (6, 300), (24, 900), (168, 7200), (48, 1800), (144, 7200)])
def test_buckets_are_as_narrow_as_a_hundred_of_them_allow(hours, seconds):
    assert bucket_seconds(timedelta(hours=hours)) == seconds


def test_every_width_divides_a_day():
    assert [86_400 % width for width in WIDTHS] == [0] * len(WIDTHS)


def test_flooring_goes_back_to_the_last_edge():
    assert floored(T0 + timedelta(minutes=44, seconds=59), 900) == T0 + timedelta(minutes=30)
    assert floored(T0, 900) == T0


def test_merging_adds_counts_and_keeps_the_mean():
    series = merged(a_series([1, 2, 3, 4, 5]), 2)
    assert series.posts.tolist() == [3, 7, 5]
    assert series.seconds == 7200
    assert series.concern[0].tolist() == [2, 2, 2]


def test_merging_averages_the_collected_share():
    gap = Gap("s", T0, T0 + HOUR, "x")
    assert merged(a_series([0, 1, 1], [gap]), 2).collected.tolist() == [0.5, 1]


def test_a_readable_series_is_only_as_coarse_as_its_counts_ask():
    assert readable(a_series([9] * 96, seconds=900), 2).seconds == 900
    assert readable(a_series([1] * 96, seconds=900), 2).seconds == 1800
    assert readable(a_series([1] * 96, seconds=900), 4).seconds == 3600
    assert len(readable(a_series([0] * 96, seconds=900), 4).posts) >= 8


@given(st.lists(st.integers(0, 4), min_size=2, max_size=96).filter(lambda posts: len(posts) % 2 == 0))
def test_halves_keep_the_event_on_an_edge_and_lose_no_post(posts):
    series = a_series(posts, seconds=7200)
    coarse = readable(series, 3, halves=True)
    half = len(posts) * 7200 // 2
    assert half % coarse.seconds == 0
    assert coarse.posts.sum() == sum(posts)


def distinct(counts):
    stages = dict.fromkeys(codebook().removal, 0)
    rows = [
        {"bucket": bucket, "unit": unit, "n": n, "leaving": n, **stages, "done": n}
        for bucket, both in counts.items()
        for unit, n in zip(("authors", "texts"), both, strict=True)
    ]
    names = ["bucket", "unit", "n", *stages, "leaving"]
    return pa.table({name: [row[name] for row in rows] for name in names})


def test_authors_and_texts_stand_beside_posts_in_the_same_buckets():
    series = a_series([5, 0, 7])
    found = by_unit(series, distinct({0: (4, 2), 2: (7, 1)}))
    assert {unit: one.posts.tolist() for unit, one in found.items()} == {
        "posts": [5, 0, 7],
        "authors": [4, 0, 7],
        "texts": [2, 0, 1],
    }
    assert found["texts"].removal["done"].tolist() == [2, 0, 1]


BEFORE, AFTER = Window(T0 - HOUR, T0), Window(T0, T0 + HOUR)


def test_a_side_of_nothing_has_no_mean():
    nothing = Side(0, None, dict.fromkeys(codebook().removal, 0))
    assert sides(table({}), distinct({}), BEFORE, AFTER) == (nothing, nothing)


def test_sides_part_where_bucket_zero_begins_and_know_what_was_collected():
    found = {
        -2: {
            "posts": 3,
            "none": 3,
            "concern_sum": 3.0,
            "concern_squares": 3.0,
            "concern_cross": 3.0,
            "weight_squares": 3,
        },
        -1: {
            "posts": 1,
            "done": 1,
            "concern_sum": 3.0,
            "concern_squares": 9.0,
            "concern_cross": 3.0,
            "weight_squares": 1,
        },
        0: {
            "posts": 20,
            "concern_sum": 30.0,
            "concern_squares": 60.0,
            "concern_cross": 30.0,
            "weight_squares": 20,
            "none": 12,
            "done": 5,
            "blocked": 3,
        },
        1: {"reposts": 4},
    }
    gap = Gap("s", T0, T0 + timedelta(minutes=15), "x")
    before, after = sides(table(found), distinct({-1: (2, 1), 0: (9, 3)}), BEFORE, AFTER, [gap])
    assert (before.posts, before.concern, before.leaving, before.authors, before.texts) == (4, 1.5, 1, 2, 1)
    assert (after.posts, after.concern, after.leaving, after.reposts, after.authors) == (20, 1.5, 8, 4, 9)
    assert after.concern_low is not None
    assert after.concern_low < 1.5
    assert (before.collected, after.collected) == (1, 0.75)


def test_rows_of_other_buckets_are_no_part_of_a_series():
    series = filled(table({-1: {"posts": 9}, 0: {"posts": 1}, 1: {"posts": 9}}), AFTER, 3600)
    assert series.posts.tolist() == [1]


def test_change_needs_a_base():
    assert change(10, 15) == 0.5
    assert change(0, 15) is None
    assert change(None, 1) is None


def side_of(concern, half):
    return Side(50, concern, {}, concern_low=concern - half, concern_high=concern + half)


def test_means_differ_when_the_interval_of_their_difference_leaves_out_zero():
    assert differ(side_of(1.0, 0.1), side_of(1.2, 0.1))
    assert not differ(side_of(1.0, 0.2), side_of(1.2, 0.2))
    assert not differ(Side(0, None, {}), side_of(1.2, 0.1))
