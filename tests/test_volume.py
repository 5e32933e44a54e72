"""X's own counts as a series: whole hours, missing where X was not asked, of one topic at a time."""

from datetime import timedelta

import pytest

from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, compile_queries
from monitor.config import Rule, Topic
from monitor.records import Batch, Counted, Window
from monitor.volume import counted_volume
from tests.collect.rig import TOPIC
from tests.conftest import T0

HOUR = timedelta(hours=1)
OTHER = Topic(name="other", platform="Other", rules=(Rule(id="any", phrases=("other",)),))


def count(store, first, *hours, topic=TOPIC):
    [query] = compile_queries(topic, ARCHIVE_LIMIT).strings
    counted = Counted("x", topic.name, fingerprint((query,)), T0 + first * HOUR, hours)
    store.commit(Batch("x:counts", counted=(counted,)))


def test_an_hour_that_was_not_counted_is_no_zero(store):
    count(store, 0, 3, 0)
    count(store, 3, 7)
    found = counted_volume(store, Window(T0, T0 + 5 * HOUR), [TOPIC])
    assert (found.start, found.seconds, found.topic) == (T0, 3600, TOPIC.name)
    assert found.posts.tolist() == [3, 0, 0, 7, 0]
    assert found.is_counted.tolist() == [True, True, False, True, False]
    gaps = [((gap.start - T0) / HOUR, (gap.end - T0) / HOUR) for gap in found.gaps]
    assert gaps == [(2, 3), (4, 5)]
    assert found.starts[3] == T0 + 3 * HOUR


def test_a_window_that_cuts_hours_shows_them_whole(store):
    count(store, 0, 3, 4)
    found = counted_volume(store, Window(T0 + HOUR / 2, T0 + 1.5 * HOUR), [TOPIC])
    assert (found.start, found.posts.tolist()) == (T0, [3, 4])


def test_a_long_window_has_no_more_buckets_than_can_be_read_and_none_that_was_counted_in_part(store):
    count(store, 0, *range(100))
    found = counted_volume(store, Window(T0, T0 + 101 * HOUR), [TOPIC])
    assert found.seconds == 7200
    assert len(found.posts) == 51
    assert found.posts[:2].tolist() == [0 + 1, 2 + 3]
    assert found.is_counted[-1:].tolist() == [False]


@pytest.mark.parametrize("topics", [(), ("soundcloud-ai", "other")])
def test_of_several_topics_there_is_no_sum_since_a_post_may_match_both(store, topics):
    count(store, 0, 3)
    window = Window(T0, T0 + HOUR)
    assert counted_volume(store, window, [TOPIC, OTHER], topics) is None
    assert counted_volume(store, window, [TOPIC, OTHER], ("soundcloud-ai",)).posts.tolist() == [3]


def test_a_last_bar_of_fewer_hours_does_not_pass_for_a_fall(store):
    count(store, 0, *[10] * 101)
    found = counted_volume(store, Window(T0, T0 + 101 * HOUR), [TOPIC])
    assert (found.posts[-1], found.is_counted[-1]) == (0, False)
    count(store, 101, 10)
    found = counted_volume(store, Window(T0, T0 + 101 * HOUR), [TOPIC])
    assert (found.posts[-1], found.is_counted[-1]) == (20, True)


def test_of_rules_that_x_cannot_be_asked_for_there_is_no_count(store):
    silent = Topic(name="silent", platform="S", rules=(Rule(id="any", regex=(r"soundcl\w+ ai",)),))
    assert counted_volume(store, Window(T0, T0 + HOUR), [silent]) is None


def test_counts_under_rules_that_are_no_longer_in_force_are_not_shown(store):
    count(store, 0, 3)
    changed = TOPIC.model_copy(update={"rules": (Rule(id="any", phrases=("soundcloud", "new phrase")),)})
    assert counted_volume(store, Window(T0, T0 + HOUR), [changed]) is None
