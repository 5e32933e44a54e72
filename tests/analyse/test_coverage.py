import random
from datetime import UTC, datetime, timedelta
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analyse.coverage import Coverage, coverage, coverage_by_bucket, ledger, shortfall
from monitor.records import Gap, Window

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIVE = "bluesky:live"
TEN_HOURS = Window(NOW - 10 * HOUR, NOW)


def gap(start, end, filled_by=None, stream=LIVE):
    """A gap in hours before now; ``end`` None leaves it open."""
    return Gap(stream, NOW - start * HOUR, None if end is None else NOW - end * HOUR, "closed", filled_by)


def shares(gaps=(), first_at=NOW - 90 * DAY, window=TEN_HOURS, now=NOW):
    found = coverage(ledger(LIVE, gaps, first_at, now), window)
    return found.live, found.filled, found.missing


def test_a_stream_without_gaps_collected_everything():
    assert shares() == (1, 0, 0)


def test_filled_and_missing_time_are_told_apart():
    assert shares([gap(10, 8, "replay"), gap(3, 2)]) == (0.7, 0.2, 0.1)


def test_gaps_that_overlap_or_touch_count_once():
    assert shares([gap(9, 7), gap(8, 6), gap(6, 5), gap(8.5, 7.5)]) == (0.6, 0, 0.4)


def test_time_that_one_gap_fills_and_another_does_not_is_missing():
    assert shares([gap(8, 4, "replay"), gap(6, 3)]) == (0.5, 0.2, 0.3)


def test_an_open_gap_lasts_until_now():
    assert shares([gap(4, None)]) == (0.6, 0, 0.4)


def test_time_before_the_first_collection_is_missing_unless_a_search_filled_it():
    assert shares(first_at=NOW - 4 * HOUR) == (0.4, 0, 0.6)
    assert shares([gap(7, 4, "search or import")], NOW - 4 * HOUR) == (0.4, 0.3, 0.3)


def test_a_stream_that_never_collected_has_nothing():
    assert shares(first_at=None) == (0, 0, 1)


def test_the_future_is_missing_and_no_error():
    assert shares(window=Window(NOW + HOUR, NOW + 2 * HOUR)) == (0, 0, 1)
    assert shares(window=Window(NOW - HOUR, NOW + 3 * HOUR)) == (0.25, 0, 0.75)
    assert shares([gap(-1, -2, "replay"), gap(-1, None)], window=Window(NOW, NOW + 3 * HOUR)) == (0, 0, 1)


def test_a_window_long_before_the_first_collection_is_missing():
    assert shares(window=Window(NOW - 900 * DAY, NOW - 899 * DAY)) == (0, 0, 1)


def test_a_stream_that_stands_still_misses_what_follows_its_last_commit():
    assert shares(now=NOW - 5 * HOUR) == (0.5, 0, 0.5)


def test_gaps_of_other_streams_do_not_count():
    assert shares([gap(5, 1, stream="x:live")]) == (1, 0, 0)


def test_a_gap_that_ends_where_the_window_begins_takes_nothing_and_a_microsecond_is_not_lost():
    tick = timedelta(microseconds=1)
    at = [Gap(LIVE, NOW - 20 * HOUR, TEN_HOURS.start, "x"), Gap(LIVE, NOW, NOW + HOUR, "x")]
    assert shares(at) == (1, 0, 0)
    one = Gap(LIVE, TEN_HOURS.start, TEN_HOURS.start + tick, "x")
    assert shares([one])[2] == 1 / 36e9
    assert shares([one], window=Window(TEN_HOURS.start, TEN_HOURS.start + tick)) == (0, 0, 1)
    assert shares([one], window=Window(TEN_HOURS.start + tick, NOW)) == (1, 0, 0)


def test_buckets_share_a_gap_at_their_edge():
    edges = [NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR, NOW, NOW + HOUR]
    found = coverage_by_bucket(ledger(LIVE, [gap(2.5, 1.25)], NOW - 9 * DAY, NOW), edges)
    assert found.missing.tolist() == [0.5, 0.75, 0, 1]
    assert found.collected.tolist() == [0.5, 0.25, 1, 0]


@pytest.mark.parametrize("edges", [[NOW], [NOW, NOW], [NOW, NOW - HOUR], []])
def test_edges_that_do_not_ascend_are_refused(edges):
    with pytest.raises(ValueError, match="ascend"):
        coverage_by_bucket(ledger(LIVE, [], None, NOW), edges)


spans = st.tuples(st.integers(-30, 60), st.one_of(st.none(), st.integers(0, 40)), st.booleans())


@given(
    st.lists(spans, max_size=8), st.one_of(st.none(), st.integers(-20, 70)), st.integers(-40, 50), st.integers(1, 40)
)
def test_every_minute_is_in_the_state_that_a_count_of_minutes_says(spans, first, start, width):
    def at(minute):
        return NOW + timedelta(minutes=minute)

    gaps = [Gap(LIVE, at(a), None if n is None else at(a + n), "x", "replay" if f else None) for a, n, f in spans]

    def state(minute):
        inside = [f for a, n, f in spans if a <= minute and (n is None or minute < a + n)]
        if minute >= 0 or False in inside:
            return "missing"
        return "filled" if inside else "live" if first is not None and minute >= first else "missing"

    history = ledger(LIVE, gaps, None if first is None else at(first), NOW)
    found = coverage(history, Window(at(start), at(start + width)))
    states = [state(minute) for minute in range(start, start + width)]
    assert (found.live, found.filled, found.missing) == tuple(
        states.count(name) / width for name in ("live", "filled", "missing")
    )


def test_a_hundred_thousand_gaps_over_eighteen_months_of_hours_take_no_time():
    # 80-110 ms on one core of two that were busy training: all but 5-8 ms of it to read the gaps' 200,000 times.
    chance = random.Random(0)
    begun, hours = NOW - 540 * DAY, 540 * 24
    gaps = [
        Gap(LIVE, start, start + chance.random() * 0.2 * HOUR, "x", chance.choice(["replay", None]))
        for start in sorted(begun + chance.random() * 539 * DAY for _ in range(100_000))
    ]
    edges = [begun + i * HOUR for i in range(hours + 1)]
    before = process_time()
    history = ledger(LIVE, gaps, begun, NOW)
    read = process_time()
    found = coverage_by_bucket(history, edges)
    took = process_time()
    print(f"{read - before:.3f} s to read, {took - read:.3f} s to ask")
    assert took - before < 0.5
    assert np.allclose(found.live + found.filled + found.missing, 1)
    assert found.missing.mean() == pytest.approx(coverage(history, Window(begun, NOW)).missing, abs=1e-9)


def a_coverage(live, filled=0.0, stream=LIVE, width=7 * DAY):
    return Coverage(stream, Window(NOW - width, NOW), live, filled, 1 - live - filled)


def test_a_window_with_too_little_says_so_by_source():
    assert shortfall([a_coverage(0.6, 0.12), a_coverage(0.95, stream="x:live")]) == (
        "Only 72% of these 7 days were collected (Bluesky: 60% live, 12% filled later; X: 95% live); "
        "what is missing is not zero."
    )


def test_a_share_is_never_rounded_up_to_enough():
    assert "Only 89% of this hour was collected" in shortfall([a_coverage(0.8999, width=HOUR)])


def test_nothing_collected_is_said_without_a_percentage():
    found = shortfall([a_coverage(0, stream="bluesky:search:soundcloud", width=36 * HOUR)])
    assert found.startswith("Nothing of these 36 hours was collected (Bluesky search soundcloud: nothing)")


def test_enough_of_every_source_needs_no_sentence():
    assert shortfall([a_coverage(0.5, 0.4), a_coverage(1)]) == ""
    assert shortfall([]) == ""
