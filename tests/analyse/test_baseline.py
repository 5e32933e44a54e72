"""What is usual of an hour, learned from counts that are made here."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.analyse.baseline import WEEK, fitted

HOURS = 8 * WEEK
CELLS = np.arange(HOURS) % WEEK
WHOLE = np.ones(HOURS)


def counts(level, seed=1):
    daily = 1 + 0.5 * np.sin(2 * np.pi * np.arange(HOURS) / 24)
    return np.random.default_rng(seed).poisson(10 * daily * level).astype(float)


def test_a_level_that_moved_is_followed_and_a_rhythm_is_kept():
    level = np.where(np.arange(HOURS) < 6 * WEEK, 1.0, 1.5)
    found, _ = fitted(counts(level), CELLS, WHOLE)
    assert found.rate.mean() == pytest.approx(15, rel=0.1)
    assert found.rate[6] / found.rate[18] == pytest.approx(3, rel=0.2)


def test_no_hour_is_expected_from_what_came_after_it():
    level = np.where(np.arange(HOURS) < 6 * WEEK, 1.0, 1.5)
    _, expected = fitted(counts(level), CELLS, WHOLE)
    before, at = expected[5 * WEEK : 6 * WEEK].mean(), expected[6 * WEEK : 6 * WEEK + 24].mean()
    assert at == pytest.approx(before, rel=0.1)


def test_a_level_that_wanders_makes_what_is_usual_wider_and_one_that_stands_does_not():
    wander = np.exp(np.cumsum(0.2 / np.sqrt(WEEK) * np.random.default_rng(2).standard_normal(HOURS)))
    standing, wandering = (fitted(counts(level), CELLS, WHOLE)[0].dispersion for level in (1.0, wander))
    assert standing < 0.02 < 0.03 < wandering


def test_an_outbreak_in_the_past_moves_what_is_usual_little():
    level = np.ones(HOURS)
    level[-2 * WEEK : -2 * WEEK + 48] = 6.0
    found, _ = fitted(counts(level), CELLS, WHOLE)
    assert found.rate.mean() == pytest.approx(10, rel=0.15)


def test_where_hardly_anything_is_said_a_few_posts_move_no_level():
    sparse = np.random.default_rng(4).poisson(0.05, HOURS).astype(float)
    calm, _ = fitted(sparse, CELLS, WHOLE)
    sparse[-50:-47] = 1.0
    found, _ = fitted(sparse, CELLS, WHOLE)
    assert found.rate.mean() < 1.3 * calm.rate.mean()


def test_where_one_begets_more_a_few_at_once_are_nothing_special():
    """An hour has mostly none; but where there is one, there are often several."""
    rng = np.random.default_rng(6)
    sparse = np.where(rng.random(HOURS) < 0.1, rng.geometric(0.6, HOURS), 0).astype(float)
    found, expected = fitted(sparse, CELLS, WHOLE)
    assert found.rate.mean() == pytest.approx(sparse.mean(), rel=0.2)
    assert found.chance(np.array([4.0]), np.array([expected.mean()]))[0] > 0.5 * (sparse >= 4).mean()
