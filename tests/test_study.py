from datetime import UTC, datetime, timedelta

import pytest

from monitor.config import Event
from monitor.records import Batch, Cursor, Gap, Seen
from monitor.store.views import Scope
from monitor.study import event_picture, event_summary, live_picture
from tests.conftest import T0, a_post, uri
from tests.scored import score

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def letter():
    return Event(id="letter", kind="executive_statement", title="CEO letter", announced=T0)


def fill(store, *hours, first=1, live=True, **fields):
    """One scored post for each hour after T0."""
    kept = {name: fields.pop(name) for name in ("matched", "source") if name in fields}
    posts = [a_post(first + n, observed_at=T0 + hour * HOUR, **kept) for n, hour in enumerate(hours)]
    seen = (Seen("bluesky:live", T0 - 30 * DAY, 1),) if live else ()
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen))
    score(store, posts, **fields)


def test_an_event_divides_posts_at_its_own_second(store, letter):
    fill(store, -73, -72, -1, 0, 71.99, 72)
    [summary] = event_summary(store, [letter], window_days=3)
    assert (summary.before.posts, summary.after.posts) == (2, 2)


def test_an_event_counts_stages_and_means_on_each_side(store, letter):
    fill(store, -2, -1, concern=1)
    fill(store, 1, 2, 3, first=10, concern=3, removal="done")
    fill(store, 4, first=20, relevant=0.2)
    [summary] = event_summary(store, [letter])
    assert summary.before.concern == pytest.approx(1)
    assert summary.after.concern == pytest.approx(3)
    assert summary.after.removal["done"] == 3
    assert summary.before.removal == {"none": 2, "considering": 0, "committed": 0, "done": 0, "blocked": 0}


def test_an_event_without_posts_is_a_summary_of_zeros(store, letter):
    [summary] = event_summary(store, [letter])
    assert (summary.before.posts, summary.after.posts, summary.after.concern) == (0, 0, None)


def test_an_event_of_a_topic_leaves_other_topics_out_unless_asked(store, letter):
    own = letter.model_copy(update={"topic": "soundcloud-ai"})
    fill(store, 1)
    fill(store, 2, first=10, matched=("other/rule",))
    assert event_summary(store, [own])[0].after.posts == 1
    assert event_summary(store, [own], scope=Scope())[0].after.posts == 2


def test_the_series_of_an_event_has_the_event_on_an_edge_and_every_post(store, letter):
    fill(store, *range(-70, 70, 3))
    picture = event_picture(store, letter, 3)
    half = len(picture.series.posts) // 2
    assert picture.series.starts[half] == T0
    assert picture.series.posts[:half].sum() == picture.summary.before.posts
    assert picture.series.posts[half:].sum() == picture.summary.after.posts


def test_time_after_the_newest_post_was_not_collected(store, letter):
    fill(store, -30, 24)
    picture = event_picture(store, letter, 2)
    assert picture.summary.after.collected == pytest.approx(0.5)
    assert picture.summary.before.collected == 1


def test_gaps_of_the_ledger_lower_the_collected_share(store, letter):
    fill(store, -70, 71.9)
    store.commit(Batch("bluesky:live", gaps=(Gap("bluesky:live", T0, T0 + 36 * HOUR, "closed"),)))
    assert event_summary(store, [letter])[0].after.collected == pytest.approx(0.5, abs=0.01)


def test_a_live_picture_ends_now_and_compares_with_the_window_before(store):
    posts = [a_post(n, observed_at=NOW - n * HOUR) for n in (1, 2, 30)]
    store.commit(
        Batch(
            "bluesky:live",
            tuple(posts),
            seen=(Seen("bluesky:live", NOW - 9 * DAY, 1),),
            cursor=Cursor("bluesky:live", "1"),
        ),
        now=NOW,
    )
    score(store, posts)
    picture = live_picture(store, Scope(), DAY, NOW)
    assert picture.view.is_live
    assert (picture.now.posts, picture.before.posts) == (2, 1)
    assert picture.series.posts.sum() == 2
    assert (picture.now.collected, picture.before.collected) == (1, 1)
    assert [post.post_id for post in picture.newest] == [uri(1), uri(2)]


def test_a_live_picture_of_an_old_file_ends_at_its_newest_post(store):
    fill(store, 0, 5)
    picture = live_picture(store, Scope(), DAY, NOW)
    assert not picture.view.is_live
    assert picture.now.posts == 2


def test_a_live_picture_of_an_empty_store_is_empty(store):
    picture = live_picture(store, Scope(), DAY, NOW)
    assert picture.head.newest_at is None
    assert picture.now.posts == 0
    assert picture.series.posts.sum() == 0
