from dataclasses import replace
from datetime import timedelta

from monitor.analyse.coverage import Coverage
from monitor.analyse.series import Side
from monitor.analyse.words import before_after
from monitor.records import Window
from tests.conftest import T0

STAGES = ("none", "considering", "committed", "done", "blocked")


def a_side(posts=100, concern=1.5, half=0.1, collected=1.0, **removal):
    stages = {stage: removal.get(stage, 0) for stage in STAGES}
    return Side(posts, concern, stages, concern - half, concern + half, collected=collected)


def said(before, after, days=3):
    return before_after("CEO letter", before, after, days)


def test_more_than_double_is_said_as_times():
    assert "340 relevant posts were collected, 3.4 times the 100 in the 3 days before" in said(a_side(), a_side(340))


def test_less_than_double_is_said_as_percent():
    assert "50% more than the 100" in said(a_side(), a_side(150))
    assert "40% fewer than the 100" in said(a_side(), a_side(60))


def test_a_small_change_is_no_change():
    assert "about as many as the 100" in said(a_side(), a_side(103))


def test_nothing_before_is_not_infinity():
    text = said(Side(0, None, dict.fromkeys(STAGES, 0)), a_side(12))
    assert "12 relevant posts were collected, and none in the 3 days before." in text


def test_nothing_at_all_says_so():
    nothing = Side(0, None, dict.fromkeys(STAGES, 0))
    assert said(nothing, nothing) == "No relevant posts were collected in the 3 days before or after “CEO letter”."


def test_concern_rises_only_beyond_its_interval():
    assert "Mean concern rose: 1.50 before and 1.90 after" in said(a_side(), a_side(concern=1.9))
    assert "Mean concern fell" in said(a_side(), a_side(concern=1.1))
    assert "no clear difference" in said(a_side(), a_side(concern=1.6))


def test_few_posts_are_not_compared():
    assert "too few to compare mean concern" in said(a_side(), a_side(posts=4))


def test_removal_tells_done_from_wished_for():
    text = said(a_side(done=1, blocked=2), a_side(done=7, considering=3, committed=2))
    assert "7 said they had removed content or left (1 before), 5 meant to or could not (2 before)" in text


def test_a_window_that_was_not_collected_is_said():
    assert "Collection covered only 60% of the time after" in said(a_side(), a_side(collected=0.6))
    assert "Collection" not in said(a_side(), a_side(collected=0.97))


def test_one_day_and_one_post_are_singular():
    text = said(a_side(), a_side(posts=1), days=1)
    assert "In the day after “CEO letter” 1 relevant post was collected" in text


def test_posts_that_wait_for_a_score_are_not_called_none():
    waiting = Side(0, None, dict.fromkeys(STAGES, 0), unscored=40)
    nothing = Side(0, None, dict.fromkeys(STAGES, 0))
    assert said(nothing, waiting) == (
        "40 posts were collected in the 3 days before and after “CEO letter”, and not scored yet."
    )
    assert "40 more wait for their scores." in said(a_side(), replace(a_side(), unscored=40))


def test_time_that_nobody_watched_live_is_said():
    text = said(replace(a_side(), watched=0.0), a_side())
    assert "Only 0% of the time before and 100% after was watched live" in text
    assert "watched live" not in said(a_side(), a_side())


def of_source(live, stream="bluesky:live"):
    return Coverage(stream, Window(T0 - timedelta(days=3), T0), live, 0.0, 1 - live)


def test_a_source_that_collected_under_90_percent_ends_the_comparison_and_is_named():
    after = replace(a_side(340), sources=(of_source(0.899), of_source(1.0, "x:live")))
    text = said(replace(a_side(), sources=(of_source(1.0), of_source(1.0, "x:live"))), after)
    assert "340 relevant posts were collected, and 100 in the 3 days before: too little was collected" in text
    assert "3.4 times" not in text
    assert (
        "After: only 89% of these 3 days were collected (Bluesky: 89% live; X: 100% live); what is missing is not zero."
    ) in text
    assert "Before: " not in text


def test_at_90_percent_of_every_source_counts_are_compared():
    text = said(replace(a_side(), sources=(of_source(0.9),)), replace(a_side(340), sources=(of_source(0.9),)))
    assert "3.4 times the 100" in text
    assert "Only" not in text


def test_no_posts_in_a_time_that_was_hardly_collected_says_so():
    nothing = Side(0, None, dict.fromkeys(STAGES, 0), sources=(of_source(0.0),))
    assert "Before: nothing of these 3 days was collected (Bluesky: nothing)" in said(nothing, nothing)
