"""The backfill from X: pages, limits, money, and going on where it stopped."""

import itertools
from datetime import UTC, date, datetime, timedelta
from threading import Event

import pytest

from monitor.collect import collect
from monitor.collect.backoff import HOPELESS, Backoff
from monitor.collect.match import Matcher
from monitor.collect.watch import Watch
from monitor.collect.x_read import next_page
from monitor.collect.x_search import SearchCollector
from monitor.collect.x_spend import MICRO, Till
from monitor.config import Rule, Topic
from monitor.errors import AuthError, CollectError, RateLimited, Unpaid
from monitor.records import Cursor, Window
from monitor.store.queries import gaps, spent_since
from tests.collect.rig import TOPIC, ids, run
from tests.collect.rig_x_search import HOUR, LAST_DAYS, LONG_AGO, NOW, WORDY, chatter, microdollars, search
from tests.servers.x import Fault, XServer, make_post, out_of_credits, spend_cap_reached, usage_capped


@pytest.fixture
def server():
    with XServer() as server:
        server.limits.archive_pause_seconds = 0.0
        yield server


def found(batches):
    return [post.post_id for batch in batches for post in batch.posts]


def with_budget(server, store, dollars, window=LAST_DAYS, **settings):
    """A collector that asks the ledger of the store."""
    collector = search(server, window, budget_per_day=dollars, **settings)
    collector._till = Till(collector._api.settings, lambda day: spent_since(store, day))
    return collector


@pytest.mark.parametrize(("window", "page"), [(LAST_DAYS, 100), (LONG_AGO, 500)], ids=["recent", "archive"])
def test_a_pull_goes_on_where_any_batch_stopped_and_loses_repeats_and_pays_nothing_twice(server, window, page):
    posts = chatter(window, 560)
    server.hold(*posts)
    whole = list(search(server, window).pull(None))
    assert len(whole) == -(-560 // page)
    assert found(whole) == [post.id for post in reversed(posts)]
    paid = microdollars(server)
    for cut in range(len(whole) + 1):
        first = list(itertools.islice(search(server, window).pull(None), cut))
        rest = list(search(server, window).pull(first[-1].cursor if first else None))
        assert found(first) + found(rest) == found(whole)
    assert microdollars(server) == paid == 560 * 5_000


def test_a_finished_window_is_not_searched_again_and_a_longer_one_only_beyond_it(server):
    server.hold(*chatter(LAST_DAYS, 10), make_post("SoundCloud later", LAST_DAYS.end + HOUR / 2))
    done = list(search(server, LAST_DAYS).pull(None))[-1].cursor
    assert list(search(server, LAST_DAYS).pull(done)) == []
    asked = server.count("search/recent")
    longer = list(search(server, Window(LAST_DAYS.start, LAST_DAYS.end + 0.9 * HOUR)).pull(done))
    assert (len(found(longer)), server.count("search/recent")) == (1, asked + 1)
    assert server.requests[-1].params["start_time"] == f"{LAST_DAYS.end:%Y-%m-%dT%H:%M:%SZ}"


def test_other_rules_or_another_start_begin_anew(server):
    server.hold(*chatter(LAST_DAYS, 3))
    done = list(search(server, LAST_DAYS).pull(None))[-1].cursor
    assert len(found(search(server, Window(LAST_DAYS.start + HOUR / 6, LAST_DAYS.end)).pull(done))) == 2
    assert len(set(found(search(server, LAST_DAYS, WORDY).pull(done)))) == 3
    assert len(found(search(server, LAST_DAYS).pull(Cursor("x:search:soundcloud-ai", "of another version")))) == 3


def test_a_recent_search_that_has_become_old_goes_on_in_the_archive(server):
    window = Window(NOW - timedelta(days=7) + HOUR, NOW - timedelta(days=5))
    posts = chatter(window, 250)
    server.hold(*posts)
    first = next(search(server, window).pull(None))
    earlier = Window(NOW - timedelta(days=8), window.end)  # the same window, seen from a day later
    cursor = first.cursor.value.replace(str(int(window.start.timestamp())), str(int(earlier.start.timestamp())))
    rest = list(search(server, earlier).pull(Cursor(first.stream, cursor)))
    assert set(found([first, *rest])) == {post.id for post in posts}
    assert (server.count("search/recent"), server.count("search/all")) == (1, 1)
    assert microdollars(server) == 250 * 5_000


def test_the_end_is_never_nearer_than_x_takes_it_and_the_start_never_before_it_began(server):
    server.hold(make_post("SoundCloud now", datetime.now(UTC) - timedelta(minutes=2)))
    assert len(found(search(server, Window(LAST_DAYS.start, NOW + 1000 * HOUR)).pull(None))) == 1
    assert list(search(server, Window(datetime.now(UTC), NOW + 1000 * HOUR)).pull(None)) == []
    ancient = Window(datetime(1999, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC))
    assert [batch.rejected for batch in search(server, ancient).pull(None)] == [()]
    assert list(search(server, Window(ancient.start, datetime(2001, 1, 1, tzinfo=UTC))).pull(None)) == []


def test_what_is_answered_to_or_quoted_is_the_context_and_long_texts_are_whole(server):
    parent = make_post("They changed the clause", LAST_DAYS.start + HOUR, author=7)
    long = make_post("Long thoughts. " * 40 + "SoundCloud & co", LAST_DAYS.start + 2 * HOUR)
    answer = make_post("SoundCloud? Same", LAST_DAYS.start + 3 * HOUR, replied_to=parent, author=8)
    quoting = make_post("SoundCloud!", LAST_DAYS.start + 4 * HOUR, quoted=long)
    server.hold(parent, long, answer, quoting)
    posts = {post.post_id: post for batch in search(server, LAST_DAYS, authors=True).pull(None) for post in batch.posts}
    assert posts[answer.id].context == "They changed the clause"
    assert posts[answer.id].author_handle == "author8"
    assert posts[quoting.id].context == posts[long.id].text == long.text
    assert posts[long.id].source == "search"


@pytest.mark.parametrize(("reset", "least", "most"), [(42, 35, 42), (None, 60, 60), (-5, 10, 10)])
def test_a_429_is_raised_with_its_wait_and_the_cursor_goes_on(server, reset, least, most):
    server.hold(*chatter(LAST_DAYS, 150))
    pull = search(server, LAST_DAYS).pull(None)
    first = next(pull)
    server.rate_limit("search/recent", reset_in=reset)
    with pytest.raises(RateLimited) as caught:
        next(pull)
    assert least <= caught.value.wait_seconds <= most
    assert len(found([first, *search(server, LAST_DAYS).pull(first.cursor)])) == 150


@pytest.mark.parametrize(
    "refusal", [out_of_credits(), spend_cap_reached(), spend_cap_reached(403), usage_capped()], ids=lambda p: p.status
)
def test_money_that_is_gone_is_a_gap_until_the_search_goes_on_to_its_end(server, store, refusal):
    server.hold(*chatter(LAST_DAYS, 150))
    server.fault("search/recent", Fault())  # the first page comes
    server.refuse("search/recent", refusal)
    with pytest.raises(Unpaid, match="X wants to be paid"):
        _run_out(search(server, LAST_DAYS), store)
    (gap,) = gaps(store)
    assert (gap.start, gap.end) == tuple(at.replace(microsecond=0) for at in (LAST_DAYS.start, LAST_DAYS.end))
    assert gap.filled_by is None
    assert "X wants to be paid" in gap.why
    run(search(server, LAST_DAYS), store)
    assert [gap.filled_by for gap in gaps(store)] == ["search"]
    assert len(ids(store)) == 150
    assert spent_since(store, date.min) == microdollars(server) == 150 * 5_000


def test_the_budget_is_kept_to_the_cent_and_the_next_day_goes_on(server, store):
    server.hold(*chatter(LAST_DAYS, 400))
    with pytest.raises(Unpaid, match=r"budget for X is used up: \$1.00 a day"):
        _run_out(with_budget(server, store, 1.0), store)
    assert 0.85 * MICRO <= spent_since(store, date.min) == microdollars(server) <= 1.0 * MICRO
    run(with_budget(server, store, 100.0), store)  # as another day would
    assert len(ids(store)) == 400
    assert spent_since(store, date.min) == microdollars(server) == 400 * 5_000
    assert [gap.filled_by for gap in gaps(store)] == ["search"]


def test_without_a_budget_nothing_is_asked(server, store):
    with pytest.raises(Unpaid):
        _run_out(with_budget(server, store, 0.0), store)
    assert server.requests == []


def test_a_refused_query_is_counted_and_a_gap_and_the_others_go_on(server, store):
    server.hold(*chatter(LAST_DAYS, 5))
    server.fail("search/recent", 400)
    run(search(server, LAST_DAYS, WORDY), store)
    assert len(ids(store)) == 5
    assert [(gap.why, gap.filled_by) for gap in gaps(store)] == [("search refused the query", None)]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_end_it(server, store, status):
    server.fail("search/recent", status)
    with pytest.raises(AuthError, match="X refused the credentials"):
        run(search(server, LAST_DAYS), store)


def test_an_app_without_the_full_archive_is_told_so(server, store):
    server.forbidden.add("search/all")
    with pytest.raises(AuthError, match="Client Forbidden"):
        run(search(server, LONG_AGO), store)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"meta": 3}', b'{"errors": [{"title": "odd"}]}'])
def test_an_answer_that_is_no_page_is_a_fault_and_not_the_end(server, body):
    server.hold(*chatter(LAST_DAYS, 3))
    server.fault("search/recent", Fault(body=body))
    with pytest.raises(CollectError):
        list(search(server, LAST_DAYS).pull(None))


def test_a_page_that_says_nothing_of_itself_is_paid_for_and_asked_for_a_few_times_only(server, store):
    server.hold(*chatter(LAST_DAYS, 3))
    for _ in range(20):
        server.fault("search/recent", Fault(lacks="meta"))
    backoff = Backoff(0.001, 0.001, attempts=3)
    with pytest.raises(CollectError, match="no page"):
        collect(search(server, LAST_DAYS), store, Matcher((TOPIC,)), Watch(0), Event(), None, backoff, hold_seconds=0.0)
    assert server.count("search/recent") == 4
    assert spent_since(store, date.min) == microdollars(server) == 3 * 5_000


def test_a_token_that_comes_twice_and_a_page_that_says_nothing_are_faults_and_not_the_end():
    for answer in ({"meta": {"next_token": "page", "result_count": 100}, "data": []}, {"meta": {}}):
        with pytest.raises(CollectError):
            next_page(answer, "page")
    assert next_page({"meta": {"next_token": "page", "result_count": 1}}) == "page"


def test_the_archive_is_asked_once_a_second(server):
    server.limits.archive_pause_seconds = 1.0
    server.hold(*chatter(LONG_AGO, 560))
    collector = search(server, LONG_AGO)
    collector._archive_seconds = 1.05
    assert len(found(collector.pull(None))) == 560


def test_rules_that_x_cannot_be_asked_for_are_told_and_nothing_is_read(server):
    topic = Topic(name="t", platform="P", rules=(Rule(id="r", regex=(r"\bSC\b",)),))
    collector = search(server, LAST_DAYS, topic)
    assert list(collector.pull(None)) == []
    assert collector.progress == 0.0
    assert "the regular expression" in collector.unsayable[0]
    assert server.requests == []


def test_progress_goes_from_nothing_to_all(server):
    server.hold(*chatter(LAST_DAYS, 250))
    collector = search(server, LAST_DAYS)
    shown = [collector.progress, *(collector.progress for _ in collector.pull(None))]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0.0, 1.0)
    assert 0.5 < shown[1] < 0.9  # the newest hundred of the first 21 hours


def _run_out(collector: SearchCollector, store) -> None:
    """As the command line collects: want of money ends it."""
    backoff = Backoff(hopeless=(*HOPELESS, Unpaid))
    collect(collector, store, Matcher([TOPIC]), Watch(0), Event(), None, backoff)
