from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.analyse.coverage import collected
from monitor.analyse.series import BY_FILES, _live
from monitor.analyse.windows import reached, unwatched, view
from monitor.records import Gap, Window

NOW = datetime(2026, 11, 22, 10, 7, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def seen(newest_at, moved_at, *, is_synthetic=False, width=DAY):
    return view(width, 900, NOW, newest_at, moved_at, is_synthetic=is_synthetic)


def test_a_window_ends_now_while_somebody_collects_even_if_nobody_posts():
    found = seen(NOW - 30 * DAY, NOW - timedelta(seconds=1))
    assert found.is_live
    assert found.window.end == NOW


def test_a_file_that_nobody_adds_to_ends_at_its_newest_post():
    newest = datetime(2025, 6, 14, 22, 38, tzinfo=UTC)
    found = seen(newest, newest + timedelta(hours=1))
    assert not found.is_live
    assert found.window.start < newest < found.window.end
    assert found.window.end - newest < timedelta(seconds=1)


def test_invented_posts_end_at_the_newest_even_just_after_they_were_played():
    assert not seen(NOW - timedelta(hours=1), NOW, is_synthetic=True).is_live


def test_a_recent_post_keeps_the_window_at_now_after_the_collector_stopped():
    assert seen(NOW - timedelta(hours=3), NOW - timedelta(hours=2)).is_live


def test_an_empty_store_is_live():
    assert seen(None, None).is_live


def test_windows_start_on_the_grid_and_the_one_before_is_as_wide_and_touches():
    found = seen(None, None)
    assert found.window.start.minute % 15 == 0
    assert found.window.start.second == 0
    assert DAY - timedelta(minutes=15) < found.window.end - found.window.start <= DAY
    assert found.before.end == found.window.start
    assert found.before.end - found.before.start == found.window.end - found.window.start


def test_collection_has_reached_now_while_it_runs():
    assert reached(NOW, NOW - timedelta(seconds=30)) == NOW
    assert reached(NOW, NOW - timedelta(minutes=5)) == NOW - timedelta(minutes=5)
    assert reached(NOW, None) is None


WINDOW = Window(NOW - DAY, NOW)


def test_the_time_before_collection_began_is_a_gap():
    [gap] = unwatched(WINDOW, [], None, NOW - timedelta(hours=2), NOW)
    assert (gap.start, gap.end, gap.filled_by) == (WINDOW.start, NOW - timedelta(hours=2), None)


def test_what_was_searched_for_before_live_collection_is_filled_by_the_search():
    gaps = unwatched(WINDOW, [], NOW - 9 * timedelta(hours=1), NOW - timedelta(hours=2), NOW)
    assert [(gap.start, gap.filled_by) for gap in gaps] == [
        (WINDOW.start, None),
        (NOW - 9 * timedelta(hours=1), "search or import"),
    ]


def test_the_time_since_collection_stopped_is_a_gap_and_recorded_gaps_stay():
    known = Gap("bluesky:live", NOW - timedelta(hours=5), NOW - timedelta(hours=4), "closed")
    gaps = unwatched(WINDOW, [known], NOW - 9 * DAY, NOW - 9 * DAY, NOW - timedelta(hours=1))
    assert gaps[0] is known
    assert (gaps[1].start, gaps[1].end) == (NOW - timedelta(hours=1), NOW)


def test_nothing_is_added_where_collection_covers_the_window():
    assert unwatched(WINDOW, [], NOW - 9 * DAY, NOW - 9 * DAY, NOW) == []
    assert unwatched(WINDOW, [], None, None, None) == []


def test_a_file_without_live_collection_was_filled_by_search_or_import_alone():
    [gap] = unwatched(WINDOW, [], NOW - 30 * DAY, None, None)
    assert (gap.start, gap.end, gap.filled_by) == (WINDOW.start, WINDOW.end, BY_FILES)
    by = (gap.filled_by, "replay")
    assert [collected(WINDOW.start, 86_400, 1, [replace(gap, filled_by=_live(who))])[0] for who in by] == [0.0, 1.0]
