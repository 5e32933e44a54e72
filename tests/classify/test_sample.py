import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.classify.sample import draw, inclusion

WEIGHTS = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 3.5))


@given(WEIGHTS, st.integers(1, 70), st.integers(0, 99))
def test_a_sample_has_the_size_asked_for_no_post_twice_and_every_post_a_chance(weights, n, seed):
    chosen, probabilities = draw(weights, n, seed)
    assert len(chosen) == len(set(chosen.tolist())) == min(n, len(weights))
    assert ((probabilities > 0) & (probabilities <= 1)).all()


@given(WEIGHTS, st.integers(1, 70))
def test_chances_add_up_to_the_size(weights, n):
    found = inclusion(weights, min(n, len(weights)))
    assert found.sum() == pytest.approx(min(n, len(weights)), rel=1e-6)
    assert found.min() > 0


def test_posts_are_drawn_as_often_as_their_chance_says():
    weights = np.array([0.0, 0.1, 0.5, 1.0, 1.0, 2.0, 3.5, 3.5])
    drawn = np.zeros(len(weights))
    for seed in range(4000):
        drawn[draw(weights, 3, seed)[0]] += 1
    assert drawn / 4000 == pytest.approx(inclusion(weights, 3), abs=0.03)


def test_weighing_back_by_the_chances_gives_the_true_share():
    """What a sample by uncertainty is for, and a plain mean over it would miss."""
    chance = np.random.default_rng(3)
    doubt = chance.uniform(0, 3, 2000)
    is_done = chance.random(2000) < doubt / 10  # what is doubted is more often so
    estimates, plain = [], []
    for seed in range(300):
        chosen, probabilities = draw(doubt, 200, seed)
        estimates.append((is_done[chosen] / probabilities).sum() / 2000)
        plain.append(is_done[chosen].mean())
    assert np.mean(estimates) == pytest.approx(is_done.mean(), abs=0.005)
    assert np.mean(plain) > is_done.mean() + 0.03


def test_the_same_seed_draws_the_same_posts():
    assert draw(np.ones(50), 5, 7)[0].tolist() == draw(np.ones(50), 5, 7)[0].tolist()
    assert draw(np.ones(50), 5, 7)[0].tolist() != draw(np.ones(50), 5, 8)[0].tolist()


def test_a_model_without_any_doubt_still_gives_a_sample():
    assert len(draw(np.zeros(9), 4, 1)[0]) == 4
