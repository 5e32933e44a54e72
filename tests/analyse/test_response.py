"""A response is judged against the decay under way, or not at all."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analyse import cascades, decays
from monitor.analyse.response import History, Response, response
from tests.validation.cascades import Effect, cascade, no_effect

START = datetime(2026, 1, 1, tzinfo=UTC)
AT = 60  # hours after the outcry began


def outcry(effect: Effect = no_effect, shape: str = "Omori", seed: int = 3, after: int = 100) -> tuple[History, int]:
    """An outcry and the place of the response in it."""
    made = cascade(shape, np.random.default_rng(seed), AT + after, effect)
    angry = np.random.default_rng(seed).binomial(made.posts, 0.5)
    history = History(START, made.posts.astype(np.float64), made.collected, {"concern": angry.astype(np.float64)})
    return history, made.begun + AT


def judged(history: History, place: float, others: tuple[float, ...] = ()) -> Response:
    at = [START + timedelta(hours=hour) for hour in (place, *others)]
    return response(history, at[0], at[1:])


def told(answer: Response) -> str:
    assert answer.outcomes[0].estimate is None
    assert answer.outcomes[0].diagnostics[0].passed is False
    return answer.outcomes[0].sentence


def test_a_statement_that_does_nothing_is_not_credited_with_the_decay() -> None:
    history, place = outcry()
    volume = judged(history, place).outcomes[0]
    assert volume.estimate is not None
    assert volume.estimate.low <= 1 <= volume.estimate.high
    assert "no sign" in volume.sentence
    before = history.posts[place - 72 : place].sum()
    assert history.posts[place : place + 72].sum() < before / 2  # what a comparison of before and after would credit


def test_a_response_that_ends_the_outcry_is_seen() -> None:
    history, place = outcry(lambda hour: 0.1 if hour >= AT else 1.0)
    volume = judged(history, place).outcomes[0]
    assert volume.estimate is not None
    assert volume.estimate.high < 1
    assert "faster" in volume.sentence


def test_a_response_that_feeds_the_outcry_is_seen() -> None:
    history, place = outcry(lambda hour: 6.0 if hour >= AT else 1.0)
    volume = judged(history, place).outcomes[0]
    assert volume.estimate is not None
    assert volume.estimate.low > 1
    assert "went on more" in volume.sentence


def test_the_same_history_gives_the_same_answer() -> None:
    history, place = outcry()
    first, again = judged(history, place), judged(history, place)
    assert first.outcomes == again.outcomes
    assert np.array_equal(first.middle, again.middle)


def test_the_band_covers_the_hours_that_are_judged() -> None:
    history, place = outcry()
    answer = judged(history, place)
    assert answer.start == START + timedelta(hours=place)
    assert len(answer.low) == len(answer.middle) == len(answer.high) == 72
    assert (answer.low <= answer.middle).all()
    assert (answer.middle <= answer.high).all()


def test_the_next_event_ends_what_is_judged() -> None:
    history, place = outcry()
    answer = judged(history, place, (place + 30.5,))
    assert len(answer.middle) == 30
    assert "up to the next event" in answer.outcomes[0].sentence


def test_an_hour_that_was_not_collected_is_no_calm() -> None:
    history, place = outcry()
    holes = history.collected.copy()
    holes[place + 10 : place + 20] = 0
    posts = np.where(holes > 0, history.posts, 0)
    volume = judged(History(START, posts, holes), place).outcomes[0]
    assert volume.estimate is not None
    assert volume.estimate.low <= 1 <= volume.estimate.high


@pytest.mark.parametrize(
    ("place", "others", "reason"),
    [
        (-4, (), "no posts stand before it"),
        (14 * 24 + 8, (), "after the peak"),
        (9_000, (), "nothing of the time after it"),
        (14 * 24 + AT + 90, (), "have passed since"),
        (14 * 24 + AT, (14 * 24 + AT + 10,), "another event came 10 h after it"),
        (14 * 24 + AT, (14 * 24 + AT - 10,), "another event came only 10 h before it"),
    ],
)
def test_it_refuses_with_the_reason(place: int, others: tuple[float, ...], reason: str) -> None:
    history, _ = outcry()
    assert reason in told(judged(history, place, others))


def test_it_refuses_too_few_posts_with_their_number() -> None:
    posts = np.zeros(14 * 24 + 160)
    posts[300] = 1
    assert "1 post between" in told(judged(History(START, posts, np.ones(len(posts))), 14 * 24 + AT))


def test_it_refuses_all_zeros() -> None:
    assert "no posts" in told(judged(History(START, np.zeros(500), np.ones(500)), 300))


def test_it_refuses_what_was_hardly_collected() -> None:
    history, place = outcry()
    holes = history.collected.copy()
    holes[place : place + 40] = 0
    posts = np.where(holes > 0, history.posts, 0)
    assert "of the hours after it were collected" in told(judged(History(START, posts, holes), place))


def test_it_refuses_where_no_outcry_stood_before() -> None:
    posts = np.random.default_rng(0).poisson(20, 500).astype(np.float64)
    assert "no outcry" in told(judged(History(START, posts, np.ones(500)), 400))


@settings(max_examples=25, deadline=None)
@given(
    posts=st.lists(st.integers(0, 400), min_size=1, max_size=200),
    place=st.integers(-10, 210),
    others=st.lists(st.floats(-50, 300), max_size=3),
    missing=st.sets(st.integers(0, 199)),
)
def test_whatever_the_history_it_answers(posts: list[int], place: int, others: list[float], missing: set[int]) -> None:
    collected = np.ones(len(posts))
    collected[[hour for hour in missing if hour < len(posts)]] = 0
    counts = np.where(collected > 0, np.array(posts, np.float64), 0)
    answer = judged(History(START, counts, collected, {"concern": np.floor(counts / 2)}), place, tuple(others))
    for outcome in answer.outcomes:
        assert outcome.sentence.endswith(".")
        if (estimate := outcome.estimate) is not None:
            assert all(map(math.isfinite, (estimate.effect, estimate.low, estimate.high)))
            assert estimate.low <= estimate.effect <= estimate.high


def test_a_known_half_life_is_found() -> None:
    mean = 200 * 0.5 ** (np.arange(96) / 16)
    posts = np.random.default_rng(1).poisson(mean).astype(np.float64)
    before, _ = decays.half_lives(posts, np.ones(96), 0, 72, 96)
    assert before.estimate is not None
    assert before.estimate.low < 16 < before.estimate.high
    assert before.estimate.high / before.estimate.low < 1.3


def test_a_share_that_goes_its_way_is_no_effect_and_a_fall_is_one() -> None:
    posts, rng = np.full(140, 40.0), np.random.default_rng(2)
    rate = 0.3 + 0.3 / (1 + np.arange(140) / 24)
    steady = rng.binomial(40, rate).astype(np.float64)
    fallen = np.where(np.arange(140) >= 70, rng.binomial(40, rate * 0.4), steady)
    same, less = (decays.share("concern", part, posts, 0, 70, 140).estimate for part in (steady, fallen))
    assert same is not None
    assert less is not None
    assert same.low <= 0 <= same.high
    assert less.high < 0


def test_what_excites_is_counted_from_the_next_hour_on() -> None:
    posts = np.zeros(2_000)
    posts[0] = 1
    excited = cascades.excitement(posts)
    assert (excited[0] == 0).all()
    assert excited.sum(axis=0) == pytest.approx(np.ones(len(cascades.TIMES)), abs=1e-6)
