"""What was searched for later is not compared with what was watched live, and where it must be the sentence says so."""

import numpy as np
import pytest

from monitor.analyse.checks import side
from monitor.analyse.event_study import effect, study
from monitor.analyse.findings import outcome
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure
from monitor.analyse.survivors import alike, collected_alike, survivors_only

HOURS, AT, WIDTH = 24 * 100, 24 * 70, 72
EVENT = Placed(AT, WIDTH)


def live_since(hour):
    return (np.arange(HOURS) >= hour).astype(float)


def judged(live, left=0.5):
    """Posts of which a part survived where nobody watched, and nothing that happened."""
    posts = np.random.default_rng(1).poisson(np.where(live > 0, 8.0, 8.0 * left)).astype(float)
    found = alike(np.ones(HOURS), live, EVENT)
    told = study(Measure("posts", posts), found.collected, [EVENT])
    return told, effect(told, 0), collected_alike(found, np.where(live > 0, 0, posts), posts, EVENT)


def test_hours_that_were_searched_for_are_no_measure_of_live_ones():
    told, found, check = judged(live_since(AT - 24 * 20))
    assert side(found.estimate) == 0
    assert check.passed
    assert "watched live" in check.text
    assert not told.fitted.seen[: AT - 24 * 20].any()


@pytest.mark.parametrize("since", [AT, AT - 24 * 3])
def test_an_event_where_live_collection_begins_is_said_not_to_compare(since):
    told, found, check = judged(live_since(since))
    assert check.passed is False
    sentence = outcome(told, found, "Letter", "3 days", [check]).sentence
    assert "This cannot be put down to the event: less than a week before it was watched live" in sentence
    assert "without what was deleted until then" in sentence


def test_survivors_are_compared_with_survivors():
    _, found, check = judged(live_since(AT + WIDTH))
    assert side(found.estimate) == 0
    assert check.passed
    here, elsewhere = (survivors_only(60, 60, is_alike=is_alike) for is_alike in (True, False))
    assert here.passed is elsewhere.passed is False
    assert "100% of its posts were searched for or imported later" in here.text
    assert here.text.endswith("and so were those before it")
    assert "before it" not in elsewhere.text
    assert survivors_only(0, 60, is_alike=True).passed


def test_a_window_half_watched_is_said_not_to_compare():
    _, _, check = judged(np.where(np.arange(HOURS) < AT + 30, live_since(0), 0.0))
    assert check.passed is False


def test_posts_that_were_only_searched_for_beside_a_live_stream_are_noticed():
    posts, searched = np.full(HOURS, 5.0), np.zeros(HOURS)
    searched[EVENT.window] = 4.0
    check = collected_alike(alike(np.ones(HOURS), np.ones(HOURS), EVENT), searched, posts, EVENT)
    assert check.passed is False
    assert check.text.startswith("80% of its posts and 0% of those it is compared with were searched for")
