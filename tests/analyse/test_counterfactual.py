"""The chart of an event: each point with a band of its own."""

import numpy as np

from monitor.analyse.counterfactual import counterfactual
from monitor.analyse.event_study import effect
from tests.analyse.test_event_study import AT, WIDTH, counts, told_of


def points_of(posts, **fields):
    told = told_of(posts, **fields)
    found = effect(told, 0)
    return found, counterfactual(told, 0, found, 6)


def test_points_add_up_to_the_window_and_their_bands_are_wider_than_its_own():
    found, points = points_of(counts(rate=5, factor=3))
    assert points.found.shape == points.low.shape == (WIDTH // 6,)
    assert np.isclose(points.found.sum(), found.found)
    assert np.isclose(points.expected.sum(), found.foreseen)
    whole = (found.added[2] - found.added[1]) / found.foreseen
    assert ((points.high - points.low) / points.expected).mean() > 1.5 * whole
    assert (points.low >= 0).all()


def test_the_band_holds_nearly_all_points_where_nothing_happened():
    held = []
    for seed in range(20):
        _, points = points_of(counts(rate=3, seed=seed))
        held.extend((points.low <= points.found) & (points.found <= points.high))
    assert 0.9 <= np.mean(held) <= 0.99


def test_a_point_that_was_not_seen_whole_is_none():
    collected = np.ones(24 * 200)
    collected[AT + 7] = 0
    _, points = points_of(counts(), collected=collected)
    assert np.isnan([points.found[1], points.expected[1], points.low[1], points.high[1]]).all()
    assert not np.isnan(points.found[[0, 2]]).any()


def test_without_time_to_learn_from_there_is_no_band():
    _, points = points_of(counts(hours=24 * 20, at=24 * 12), events=((24 * 12, WIDTH),))
    assert np.isnan(points.low).all()
    assert not np.isnan(points.expected).any()
