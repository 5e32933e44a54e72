"""What is said to have been collected, against ledgers and sources whose truth is known."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, compile_queries
from monitor.completeness import of_windows, recent
from monitor.daily import days, shown_window
from monitor.records import Batch, Counted, Cursor, Gap, Seen, Window
from monitor.store import views
from monitor.store.views import Filter, Scope
from tests.collect.rig import TOPIC
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


DAY_OF = datetime(2026, 11, 20, tzinfo=UTC)


def caught(chance, day, number, p=0.7, q=0.5):
    """Of ``number`` posts those that the stream found, each with chance p, those that search did with q."""
    at = DAY_OF + day * DAY
    posts = [a_post(1000 * day + n, observed_at=at + n * timedelta(seconds=60)) for n in range(number)]
    live = [post for post in posts if chance.random() < p]
    return live, [replace(post, source="search") for post in posts if chance.random() < q]


def test_a_planted_number_of_posts_is_found_again_through_the_store(store):
    chance, planted, n = random.Random(7), 300, 60
    drawn = [caught(chance, day, planted) for day in range(n)]
    early, late = drawn[: n // 2], drawn[n // 2 :]
    for live, search in (early, late), (late, early):  # either source comes first
        posts = [post for day in live for post in day[0]] + [post for day in search for post in day[1]]
        store.commit(Batch("s", tuple(posts)))
    found = days(store, Window(DAY_OF, DAY_OF + n * DAY))
    assert [day.window.start for day in found] == [DAY_OF + d * DAY for d in reversed(range(n))]
    covered = sum(day.estimate.low <= planted <= day.estimate.high for day in found)
    assert covered >= 50  # of 60; 95 % of many, and 50 or fewer of 60 once in a thousand times
    assert sum(day.estimate.effect for day in found) / n == pytest.approx(planted, rel=0.02)


def test_a_post_tells_every_kind_of_source_that_found_it(store):
    post = a_post(1)
    for source in ("live", "search", "live", "recheck", "import"):
        store.commit(Batch("s", (replace(post, source=source),)))
    [part] = views.parts(store, Scope(), Filter(relevance=None))
    assert part["sources"].to_pylist() == [["import", "live", "search"]]
    assert part["source"].to_pylist() == ["live"]


def test_an_edit_that_no_rule_matches_was_not_found_by_its_source(store):
    store.commit(Batch("s", (a_post(1, source="search"),)))
    store.commit(Batch("s", (a_post(1, text="other", matched=(), is_edit=True, observed_at=NOW),)))
    [part] = views.parts(store, Scope(), Filter(relevance=None))
    assert part["sources"].to_pylist() == [["search"]]


def test_days_tell_exact_shares_and_why(store):
    collected(store, begun=NOW - 2 * DAY, gaps=[(20, 14, None), (30, 24, "replay")])
    today, yesterday, before = days(store, Window(NOW - 58 * HOUR, NOW), now=NOW)
    assert shares([today.shares, yesterday.shares, before.shares]) == [
        (1, 0, 0),
        (round(12 / 24, 4), round(6 / 24, 4), round(6 / 24, 4)),
        (round(14 / 24, 4), 0, round(10 / 24, 4)),
    ]
    assert (today.why, before.why) == ("", "live collection had not begun")
    assert yesterday.why in ("closed; closed (filled by replay)", "closed (filled by replay); closed")


def test_posts_that_only_their_thread_or_a_file_brought_are_in_no_estimate(store):
    thread = a_post(1, matched=("soundcloud-ai/thread",), observed_at=NOW - HOUR)
    store.commit(Batch("s", (thread, a_post(2, observed_at=NOW - HOUR))))
    [day] = days(store, Window(NOW - 2 * HOUR, NOW))
    assert (day.posts, day.stream, day.shares, day.estimate) == (1, 1, None, None)
    assert "under 10 posts" in day.refusal


def test_what_x_counts_is_held_against_what_was_collected_in_the_same_hours(store):
    hour = DAY_OF + 3 * HOUR
    posts = [
        a_post(n, platform="x", post_id=str(n), author_id="9", observed_at=hour + n * timedelta(minutes=40))
        for n in range(3)
    ]
    [query] = compile_queries(TOPIC, ARCHIVE_LIMIT).strings
    others = (fingerprint((query,)), "of rules that are no longer in force")
    counted = tuple(Counted("x", TOPIC.name, name, hour, (5,)) for name in others)
    store.commit(Batch("x:live", tuple(posts), counted=counted))
    [day] = days(store, Window(DAY_OF, DAY_OF + DAY), ["soundcloud-ai"], configured=[TOPIC])
    assert day.counted_text == "2 of 5 (40%), 1 h"


def test_a_window_that_holds_nothing_has_no_days(store):
    assert shown_window(store, 30 * DAY, NOW) is None
    assert days(store, WEEK) == []


def test_of_two_live_streams_of_a_platform_a_day_is_as_complete_as_the_poorer(store):
    collected(store, "bluesky:live", gaps=[(34, 28, None)])
    collected(store, "bluesky:west:live", gaps=[(58, 55, None)])
    found = days(store, Window(NOW.replace(hour=0) - 2 * DAY, NOW.replace(hour=0)), now=NOW)
    assert [(day.shares.stream, day.shares.missing) for day in found] == [
        ("bluesky:live", 0.25),
        ("bluesky:west:live", 0.125),
    ]
