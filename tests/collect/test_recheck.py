"""The recheck: what is gone, what is only hidden, and when a server's silence is not believed."""

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest

from monitor.collect import collect
from monitor.collect.bluesky_session import Session
from monitor.collect.match import Matcher
from monitor.collect.recheck import RecheckCollector, recheck
from monitor.collect.watch import Watch
from monitor.config import Bluesky, Rule, Secrets, Topic
from monitor.errors import CollectError, RateLimited
from monitor.records import AccountStatus, Batch
from monitor.store.queries import status, stored_ids
from tests.conftest import T0, a_post
from tests.servers.xrpc import Xrpc, post_view

TOPIC = Topic(name="other", platform="Other", rules=(Rule(id="none", phrases=("never said",)),))


@pytest.fixture
def server():
    with Xrpc() as server:
        yield server


def many(n, author="did:plc:someone"):
    return [post_view(f"thought {i}", T0, author=author, rkey=f"{i:04d}") for i in range(n)]


def ids_of(views):
    return sorted(view["uri"] for view in views)


def stored(ids):
    """One page after another, as the store gives them."""
    return lambda after: [i for i in sorted(ids) if i > after][:110]


def a_recheck(server, ids, **options):
    return RecheckCollector(stored(ids), Session(server.url), pause_seconds=0, **options)


def gone(batches):
    return sorted(deletion.post_id for batch in batches for deletion in batch.deletions)


def test_what_is_missing_becomes_a_deletion_and_the_rest_gets_its_engagement(server):
    views = many(60)
    views[7]["likeCount"] = 12
    server.posts = [view for i, view in enumerate(views) if i not in (3, 59)]
    batches = list(a_recheck(server, ids_of(views)).pull(None))
    assert gone(batches) == [views[3]["uri"], views[59]["uri"]]
    assert {d.why for batch in batches for d in batch.deletions} == {"missing"}
    posts = {post.post_id: post for batch in batches for post in batch.posts}
    assert posts[views[7]["uri"]].engagement.likes == 12
    assert len(posts) == 58


def test_25_posts_are_asked_for_at_a_time(server):
    server.posts = many(100)
    list(a_recheck(server, ids_of(server.posts)).pull(None))
    assert max(len(request.params["uris"]) for request in server.requests) == 25


def test_it_goes_on_where_any_batch_stopped_and_begins_anew_after_the_last(server):
    views = many(130)
    server.posts = views[::2]
    whole = list(a_recheck(server, ids_of(views)).pull(None))
    assert whole[-1].cursor.value == ""
    for cut in range(1, len(whole)):
        first = list(itertools.islice(a_recheck(server, ids_of(views)).pull(None), cut))
        rest = list(a_recheck(server, ids_of(views)).pull(first[-1].cursor))
        assert gone(first) + gone(rest) == gone(whole)


def test_a_post_that_only_a_second_request_shows_is_not_deleted(server):
    server.posts = many(30)
    server.fail("getPosts", body=b'{"posts": []}')
    assert gone(a_recheck(server, ids_of(server.posts)).pull(None)) == []


def test_a_server_that_forgot_everything_empties_no_store(server):
    with pytest.raises(CollectError, match="nothing was deleted"):
        list(a_recheck(server, ids_of(many(100_0))).pull(None))


def test_a_server_that_forgets_in_the_middle_is_found_out_by_a_witness(server):
    views = many(120)
    server.posts = list(views)
    collector = a_recheck(server, ids_of(views))
    pull = collector.pull(None)
    first = next(pull)
    server.posts = []
    with pytest.raises(CollectError, match="a moment ago"):
        list(pull)
    assert gone([first]) == []


def test_a_whole_page_of_one_deleted_account_is_believed_where_others_are_still_there(server):
    left, others = many(150, author="did:plc:aaa"), many(3, author="did:plc:zzz")
    server.posts = others
    assert gone(a_recheck(server, ids_of(left + others)).pull(None)) == ids_of(left)


def test_a_few_posts_that_are_all_gone_are_believed(server):
    views = many(3)
    assert gone(a_recheck(server, ids_of(views)).pull(None)) == ids_of(views)


@pytest.mark.parametrize(("error", "status"), [("AccountDeactivated", "deactivated"), ("AccountTakedown", "takendown")])
def test_posts_of_an_account_that_may_come_back_are_hidden_and_not_deleted(server, error, status):
    away, others = many(5, author="did:plc:away"), many(2, author="did:plc:here")
    server.posts = others
    server.accounts["did:plc:away"] = error
    (batch,) = a_recheck(server, ids_of(away + others)).pull(None)
    assert batch.deletions == ()
    assert {a.author_id: a.status for a in batch.accounts} == {"did:plc:away": status, "did:plc:here": "active"}
    assert server.count("getProfile") == 1


def test_what_a_login_does_not_see_is_asked_for_without_it(server):
    """Who is logged in is not shown the posts of people who block them."""
    views = many(10)
    with Xrpc() as public:
        public.posts, server.posts = views, views[:9]
        batches = list(a_recheck(server, ids_of(views), confirm=Session(public.url)).pull(None))
    assert gone(batches) == []
    assert len(batches[0].posts) == 10


@pytest.mark.parametrize("fault", [{"status": 502}, {"resets": True}, {"body": b"{}"}, {"status": 400}], ids=str)
def test_a_failing_server_deletes_nothing_and_the_next_pull_goes_on(server, fault):
    views = many(50)
    server.posts = views[:49]
    collector = a_recheck(server, ids_of(views))
    server.fail("getPosts", **fault)
    with pytest.raises(CollectError):
        list(collector.pull(None))
    assert gone(collector.pull(None)) == [views[49]["uri"]]


def test_a_429_in_the_second_request_deletes_nothing(server):
    views = many(20)
    server.posts = views[:10]
    server.fail("getPosts")
    server.rate_limit("getPosts", retry_after="9")
    with pytest.raises(RateLimited) as caught:
        list(a_recheck(server, ids_of(views)).pull(None))
    assert caught.value.wait_seconds == 9


def test_an_unreadable_view_is_rejected_and_its_post_stays(server):
    views = many(3)
    server.posts = [dict(views[0], record={"text": None}), *views[1:]]
    (batch,) = a_recheck(server, ids_of(views)).pull(None)
    assert (len(batch.posts), len(batch.rejected), batch.deletions) == (2, 1, ())


def test_ids_that_getposts_does_not_know_are_left_alone(server):
    ids = ["at://did:plc:a/app.bsky.feed.repost/1", "17"]
    (batch,) = a_recheck(server, ids).pull(None)
    assert (batch.deletions, server.requests) == ((), [])


def test_close_ends_it_after_the_group(server):
    server.posts = many(120)
    collector = a_recheck(server, ids_of(server.posts))
    pull = collector.pull(None)
    next(pull)
    collector.close()
    assert list(pull) == []


def test_the_store_loses_what_is_gone_and_learns_what_is_measured(server, store, tmp_path):
    kept, lost = a_post(1), a_post(2)
    store.commit(Batch("bluesky:live", posts=(kept, lost)))
    server.posts = [post_view(kept.text, T0, author=kept.author_id, rkey="1", likes=5)]
    assert server.posts[0]["uri"] == kept.post_id
    settings = Bluesky(service_url=server.url)
    collector = recheck(
        settings,
        Secrets(),
        tmp_path / "session",
        lambda after: [i for i, _ in stored_ids(store, "bluesky", after, 100)],
    )
    done = []
    collect(
        collector, store, Matcher([TOPIC]), Watch(0), threading.Event(), lambda batch, committed: done.append(committed)
    )
    assert [post_id for post_id, _ in stored_ids(store, "bluesky")] == [kept.post_id]
    assert sum(committed.deleted for committed in done) == 1
    (row,) = store.read("post", platform="bluesky", post_id=kept.post_id).to_pylist()
    assert (row["likes"], row["text"]) == (5, kept.text)
    assert not any(request.authorized for request in server.requests)


def test_a_lagging_view_does_not_bring_back_an_account_that_just_went_away(server, store):
    post = a_post(1)
    away = AccountStatus("bluesky", post.author_id, "deactivated", datetime.now(UTC))
    store.commit(Batch("bluesky:live", posts=(post,), accounts=(away,)))
    server.posts = [post_view(post.text, T0, author=post.author_id, rkey="1")]
    collect(a_recheck(server, [post.post_id]), store, Matcher([TOPIC]), Watch(0), threading.Event())
    assert sum(source.hidden for source in status(store).sources) == 1


def test_an_edit_that_was_missed_is_stored(server, store, tmp_path):
    old = a_post(1, observed_at=T0 + timedelta(days=1))
    store.commit(Batch("bluesky:live", posts=(old,)))
    server.posts = [post_view("never mind", T0, author=old.author_id, rkey="1")]
    collector = a_recheck(server, [old.post_id])
    collect(collector, store, Matcher([TOPIC]), Watch(0), threading.Event())
    from monitor.store.queries import unscored

    assert [post.text for post in unscored(store, "m", 10)] == ["never mind"]
