"""What is said to have been collected, against ledgers and sources whose truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.completeness import of_windows, recent
from monitor.records import Batch, Cursor, Gap, Seen, Window
from tests.conftest import a_post

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = Window(NOW - 7 * DAY, NOW)


def collected(store, stream="bluesky:live", *, begun=NOW - 40 * DAY, at=NOW, gaps=(), posts=()):
    """A stream that began, went on, and has just moved; gaps are (hours before now from, to, filled by)."""
    store.commit(Batch(stream, seen=(Seen(stream, begun, 1),), cursor=Cursor(stream, "1", begun)), now=begun)
    told = tuple(Gap(stream, NOW - a * HOUR, NOW - b * HOUR, "closed", filled) for a, b, filled in gaps)
    store.commit(Batch(stream, tuple(posts), gaps=told, cursor=Cursor(stream, "2", at)), now=at)


def week(store, *platforms):
    [found] = of_windows(store, [WEEK], platforms)
    return found


def shares(found):
    return [(round(one.live, 4), round(one.filled, 4), round(one.missing, 4)) for one in found]


def test_status_tells_the_exact_shares_of_each_stream_that_collected(store):
    collected(store, gaps=[(6, 3, "replay"), (30, 18, None)])
    collected(store, "x:live", begun=NOW - 12 * HOUR, gaps=[(3, 0, None)])
    store.commit(Batch("x:counts:a", cursor=Cursor("x:counts:a", "{}", NOW)))
    found = recent(store, NOW)
    assert [(one.coverage.stream, one.name) for one in found] == [
        (stream, name) for stream in ("bluesky:live", "x:live") for name in ("24 hours", "7 days", "since it began")
    ]
    assert shares(one.coverage for one in found) == [
        (15 / 24, 3 / 24, 6 / 24),
        (round(153 / 168, 4), round(3 / 168, 4), round(12 / 168, 4)),
        (round(945 / 960, 4), round(3 / 960, 4), round(12 / 960, 4)),
        (9 / 24, 0, 15 / 24),
        (round(9 / 168, 4), 0, round(159 / 168, 4)),
        (0.75, 0, 0.25),
    ]


def test_a_file_that_nobody_watched_has_no_stream_to_miss_anything(store):
    store.commit(Batch("import", (a_post(1, source="import", observed_at=NOW - DAY),)))
    assert recent(store, NOW) == []
    assert week(store) == ()


def test_a_stream_that_was_asked_for_and_never_came_is_no_source(store):
    cursor = Cursor("x:live", "{}", NOW)
    store.commit(Batch("x:live", gaps=(Gap("x:live", NOW, None, "budget"),), cursor=cursor), now=NOW)
    assert recent(store, NOW + DAY) == []


def test_a_stream_that_replays_has_not_come_to_now(store):
    collected(store, at=NOW - 6 * HOUR)
    store.commit(Batch("bluesky:live", cursor=Cursor("bluesky:live", "3", NOW - 6 * HOUR)), now=NOW)
    assert shares([recent(store, NOW)[0].coverage]) == [(0.75, 0, 0.25)]


def test_a_stream_began_at_its_first_commit_and_not_at_the_full_hour(store):
    begun = NOW - DAY + timedelta(minutes=45)
    seen = Seen("bluesky:live", begun.replace(minute=0), 9)
    store.commit(Batch("bluesky:live", seen=(seen,), cursor=Cursor("bluesky:live", "1", begun)), now=begun)
    store.commit(Batch("bluesky:live", cursor=Cursor("bluesky:live", "2", NOW)), now=NOW)
    assert recent(store, NOW)[0].coverage.missing == pytest.approx(0.75 / 24)


def test_invented_posts_end_where_their_case_does(store):
    collected(store)
    store.mark("synthetic", "true")
    assert shares(one.coverage for one in recent(store, NOW + 300 * DAY))[0] == (1, 0, 0)


def test_what_was_searched_for_counts_as_filled_from_its_first_post_to_its_last(store):
    posts = [a_post(n, source="search", observed_at=NOW - days * DAY) for n, days in ((1, 6), (2, 4))]
    store.commit(Batch("bluesky:search", tuple(posts)))
    collected(store, begun=NOW - 2 * DAY)
    assert shares(week(store)) == [(round(2 / 7, 4), round(2 / 7, 4), round(3 / 7, 4))]


def test_a_search_that_ends_in_live_time_fills_everything_before(store):
    posts = [a_post(n, source="search", observed_at=NOW - days * DAY) for n, days in ((1, 6), (2, 1))]
    store.commit(Batch("bluesky:search", tuple(posts)))
    collected(store, begun=NOW - 2 * DAY)
    assert shares(week(store)) == [(round(2 / 7, 4), round(4 / 7, 4), round(1 / 7, 4))]


def test_a_stream_is_a_source_of_its_own_platform_alone(store):
    collected(store)
    collected(store, "x:live", begun=NOW - DAY)
    assert [one.stream for one in week(store)] == ["bluesky:live", "x:live"]
    assert [one.stream for one in week(store, "x")] == ["x:live"]
