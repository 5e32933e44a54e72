"""What moves two topics at once is not put down to an event of one; a control that cannot tell is refused."""

import numpy as np
import pytest

from monitor.analyse.checks import side
from monitor.analyse.control import Control, term, usable
from monitor.analyse.event_study import effect, study
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure

HOURS, AT, WIDTH = 24 * 150, 24 * 110, 72
EVENT, ALL = Placed(AT, WIDTH), np.ones(HOURS)


def moved(seed, *, now=1.0):
    """What news makes of two topics: now and then much more of both; ``now`` in the window after the event."""
    rng = np.random.default_rng(seed)
    both = np.exp(0.4 * np.repeat(rng.standard_normal(HOURS // 72 + 1), 72)[:HOURS])
    both[EVENT.window] = now
    return rng.poisson(4 * both).astype(float), rng.poisson(6 * both).astype(float)


def told(posts, control=None):
    column = None if control is None else term(Control("music", control, ALL))
    return effect(study(Measure("posts", posts, control=column), ALL, [EVENT]), 0)


def test_the_interval_is_narrower_and_says_by_what():
    plain, controlled = ([told(*pair[:n]).estimate for pair in map(moved, range(6))] for n in (1, 2))
    widths = [np.median([np.log(one.high / one.low) for one in each]) for each in (plain, controlled)]
    assert widths[1] < 0.7 * widths[0]
    assert controlled[0].method.endswith(" and a control")


def test_news_in_the_window_is_no_effect_and_an_effect_of_its_own_is():
    posts, control = moved(1, now=3.5)
    assert side(told(posts).estimate) == 1
    assert side(told(posts, control).estimate) == 0
    posts[EVENT.window] *= 3
    assert side(told(posts, control).estimate) == 1


def test_hours_that_nobody_collected_are_no_fall_of_the_control():
    posts, collected = np.full(HOURS, 6.0), ALL.copy()
    collected[100:180] = 0
    assert np.abs(term(Control("music", np.where(collected > 0, posts, 0), collected))).max() < 0.2


@pytest.mark.parametrize(
    ("rate", "others", "text"),
    [
        (0.1, [], "has 7.2 posts in a usual window, and 30 are needed"),
        (6.0, [("Outage", Placed(AT + 20, WIDTH))], "was struck itself, by Outage"),
        (6.0, [("Long ago", Placed(AT - 500, WIDTH))], ""),
    ],
)
def test_a_control_that_cannot_tell_says_why(rate, others, text):
    check = usable(Control("music", np.full(HOURS, rate), ALL), ALL, EVENT, others)
    assert check.passed is not bool(text)
    assert text in check.text


def test_a_control_that_was_not_watched_as_long_is_refused():
    """A topic added ten days before the event seems to have had no posts before, and then many times its usual."""
    known = np.where(np.arange(HOURS) >= AT - 240, 1.0, 0.0)
    check = usable(Control("music", 6.0 * known, known), ALL, EVENT, [])
    assert check.passed is False
    assert "was watched in only 33% of the time" in check.text


@pytest.mark.parametrize("hours", [1, 9, 23, 24, 25])
def test_a_term_has_an_entry_for_each_hour_of_a_young_store(hours):
    assert term(Control("music", np.ones(hours), np.ones(hours))).shape == (hours,)


def test_a_control_whose_posts_in_the_window_wait_for_their_scores_is_refused():
    known = ALL.copy()
    known[EVENT.window] = 0
    check = usable(Control("music", np.full(HOURS, 6.0), known), ALL, EVENT, [])
    assert check.passed is False
    assert "collected and scored in only 0% of the window" in check.text
