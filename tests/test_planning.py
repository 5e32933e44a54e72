"""Counts of X: asked once, paid once, booked to the cent whatever goes wrong; and the plan that is made of them."""

import threading
import time
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from pydantic import SecretStr

from monitor.collect.x_counts import count, endpoint, whole_hours
from monitor.collect.x_query import ARCHIVE_LIMIT, compile_queries
from monitor.config import Config, Rule, Secrets, Topic, X
from monitor.errors import AuthError, CollectError, ConfigError, RateLimited, Unpaid
from monitor.planning import Budget, ask, countable, plan
from monitor.records import Batch, Charge, Counted, Window
from monitor.store.journal import journal, recover
from monitor.store.queries import spent_since
from tests.collect.rig import TOPIC
from tests.conftest import T0
from tests.servers.x import Fault, XServer, make_post, out_of_credits, spend_cap_reached

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
YEAR = Window(T0.replace(hour=0), T0.replace(hour=0) + timedelta(days=365))  # 13 requests
RICH = Topic(  # two queries, and a post that both find
    name="rich",
    platform="SoundCloud",
    rules=(
        Rule(
            id="any",
            phrases=("soundcloud", *(f"some quite long phrase about {n:02} terms" for n in range(25)), "overcast"),
        ),
    ),
)
UNASKABLE = Topic(name="odd", platform="P", rules=(Rule(id="r", regex=(r"\bSC\b",)),))


@pytest.fixture
def server():
    with XServer() as server:
        yield server


def settings(server, *topics, **more):
    return Config(topics=topics or (TOPIC,), x=X(api_url=server.url, **more))


def asked(server, store, window=YEAR, *topics, stop=None, said=None, **more):
    config = settings(server, *topics, **more)
    secrets = Secrets(x_bearer_token=SecretStr(server.token))
    hours = countable(window, datetime.now(UTC))
    return ask(
        config,
        secrets,
        store,
        config.topics,
        hours,
        stop or threading.Event(),
        (said if said is not None else []).append,
    )


def planned(server, store, window=YEAR, *topics, **more):
    config = settings(server, *topics, **more)
    return plan(config, store, config.topics, countable(window, datetime.now(UTC)), 0.0)


def booked(store):
    return spent_since(store, date.min)


def billed(server):
    return int(server.dollars() * 1_000_000)


def posts(window, n):
    return [make_post(f"SoundCloud, thought {i}", window.start + i * HOUR * 7, author=i) for i in range(n)]


def test_everything_is_counted_once_and_the_ledger_says_what_x_bills(server, store):
    server.hold(*posts(YEAR, 300))
    said = []
    assert asked(server, store, said=said) == pytest.approx(0.13)
    assert said == ["Asking X for counts: 13 requests, $0.130. No post is read."]
    (one,) = planned(server, store).topics
    assert (one.posts, one.hours, one.queries) == (300, 365 * 24, 1)
    assert booked(store) == billed(server) == 130_000


def test_what_is_kept_is_not_asked_again_and_a_longer_time_only_for_what_is_new(server, store):
    asked(server, store)
    assert asked(server, store) == 0.0
    around = Window(YEAR.start - timedelta(days=20), YEAR.end + timedelta(days=20))
    assert asked(server, store, around) == pytest.approx(0.02)
    assert asked(server, store, around) == 0.0
    assert booked(store) == billed(server) == 150_000


def test_a_topic_of_several_queries_is_counted_high_and_other_rules_are_asked_for_anew(server, store):
    month = Window(YEAR.start, YEAR.start + timedelta(days=10))
    server.hold(make_post("SoundCloud is overcast", month.start + HOUR))
    queries = compile_queries(RICH, ARCHIVE_LIMIT).strings
    assert len(queries) == 2
    assert asked(server, store, month, RICH) == pytest.approx(0.02)
    assert [(one.posts, one.queries) for one in planned(server, store, month, RICH).topics] == [(2, 2)]
    more = RICH.model_copy(update={"rules": (*RICH.rules, Rule(id="new", phrases=("x" * 480,)))})
    assert set(compile_queries(more, ARCHIVE_LIMIT).strings) & set(queries) == {queries[0]}
    assert asked(server, store, month, more) == pytest.approx(0.01)
    assert booked(store) == billed(server)


def test_the_last_days_are_counted_by_the_cheaper_endpoint_and_no_hour_that_still_runs_is_kept(server, store):
    window = Window(NOW - timedelta(days=2), NOW + timedelta(days=2))
    hours = countable(window, NOW)
    assert (hours.end - NOW, hours.end.minute) <= (timedelta(), 0)
    assert asked(server, store, window) == pytest.approx(0.005)
    assert (server.count("counts/recent"), server.count("counts/all")) == (1, 0)
    assert planned(server, store, window).topics[0].hours in (47, 48, 49)
    assert endpoint(NOW - timedelta(days=7), NOW)[0] == "counts_all"


@pytest.mark.parametrize(
    "window",
    [Window(NOW + HOUR, NOW + 9 * HOUR), Window(datetime(1999, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC))],
)
def test_a_time_without_an_hour_that_is_over_is_refused(window):
    with pytest.raises(ConfigError, match="X can count nothing in this time"):
        countable(window, NOW)


def test_hours_are_whole(store):
    window = Window(T0 + timedelta(minutes=20), T0 + timedelta(minutes=61))
    assert whole_hours(window, NOW) == Window(T0, T0 + 2 * HOUR)


def test_a_topic_that_x_cannot_be_asked_for_costs_nothing_and_needs_no_token(server, store):
    config = settings(server, UNASKABLE)
    hours = countable(YEAR, NOW)
    assert ask(config, Secrets(), store, config.topics, hours, threading.Event(), print) == 0.0
    (one,) = plan(config, store, config.topics, hours, 0.0).topics
    assert (one.queries, one.posts, one.options) == (0, 0, ())
    assert server.requests == []


def test_without_a_token_nothing_is_asked_but_what_is_kept_needs_none(server, store):
    config, hours = settings(server), countable(YEAR, NOW)
    with pytest.raises(AuthError, match="X_BEARER_TOKEN is not set"):
        ask(config, Secrets(), store, config.topics, hours, threading.Event(), print)
    asked(server, store)
    assert ask(config, Secrets(), store, config.topics, hours, threading.Event(), print) == 0.0


@pytest.mark.parametrize(
    ("refuse", "error", "unheard"),
    [
        (lambda s: s.fail("counts/all", 401), AuthError, 0),
        (lambda s: s.refuse("counts/all", out_of_credits()), Unpaid, 0),
        (lambda s: s.refuse("counts/all", spend_cap_reached(403)), Unpaid, 0),
        (lambda s: s.rate_limit("counts/all", reset_in=700), RateLimited, 0),
        (lambda s: s.fail("counts/all", 400), CollectError, 0),
        (lambda s: s.forbidden.add("counts/all"), AuthError, 0),
        (lambda s: s.fault("counts/all", Fault(status=503, body=b"<html>")), None, 0),
        (lambda s: s.fault("counts/all", Fault(resets=True)), None, 0),
        (lambda s: s.fault("counts/all", Fault(cuts=True)), None, 10_000),  # billed, and nobody has heard of it
        *(
            (lambda s, b=b: s.fault("counts/all", Fault(body=b)), None, 0)
            for b in (b"{}", b"[]", b'{"meta": 3}', b"no JSON")
        ),
    ],
    ids=["401", "402", "cap", "429", "400", "forbidden", "503", "reset", "cut", "empty", "list", "meta", "text"],
)
def test_a_refusal_is_told_what_was_answered_is_kept_and_nothing_is_paid_twice(server, store, refuse, error, unheard):
    server.hold(*posts(YEAR, 300))
    refuse(server)
    if error is None:  # asked again by itself
        asked(server, store)
    else:
        with pytest.raises(error) as caught:
            asked(server, store)
        assert ("What was counted is kept" in caught.value.hint) is (booked(store) > 0)
        assert ("X answers again in 12 min." in caught.value.hint) is (error is RateLimited)
        assert booked(store) == billed(server)
        server.forbidden.clear()
        asked(server, store)
    assert planned(server, store).topics[0].posts == 300
    assert billed(server) - booked(store) == unheard
    assert booked(store) == 130_000


@pytest.mark.parametrize(
    "buckets", [[3], [{}], [{"start": "now", "tweet_count": 1}], [{"start": "2001-01-01T00:00:00Z", "tweet_count": 1}]]
)
def test_counts_that_are_none_are_booked_and_not_kept(server, store, buckets):
    body = orjson.dumps({"data": buckets, "meta": {}})
    for _ in range(4):  # the first, and three more tries
        server.fault("counts/all", Fault(body=body))
    with pytest.raises(CollectError, match="what is none"):
        asked(server, store, Window(YEAR.start, YEAR.start + HOUR))
    assert booked(store) == 40_000


def test_pages_without_end_are_not_paid_for_without_end(server, store):
    body = orjson.dumps({"data": [], "meta": {"next_token": "again"}})
    for _ in range(5):
        server.fault("counts/all", Fault(body=body))
    with pytest.raises(CollectError, match="more than 5 pages"):
        list(_counts(server, YEAR.start))
    assert server.count("counts/all") == 5


def test_a_page_that_nobody_expected_is_only_paid_for_within_the_budget(server, store):
    body = orjson.dumps({"data": [], "meta": {"next_token": "again"}})
    for _ in range(4):
        server.fault("counts/all", Fault(body=body))
    with pytest.raises(Unpaid, match="budget for X is used up"):
        asked(server, store, Window(YEAR.start, YEAR.start + HOUR), budget_per_day=0.02)
    assert booked(store) == 20_000
    assert server.count("counts/all") == 2


def _counts(server, start):
    from monitor.collect.x_api import Api
    from monitor.collect.x_counts import Question
    from monitor.collect.x_spend import Till

    chosen = X(api_url=server.url)
    api = Api(chosen, Secrets(x_bearer_token=SecretStr(server.token)))
    asked = [Question(TOPIC.name, "soundcloud", Window(start, start + HOUR), "counts_all")]
    return count(api, asked, Till(chosen, lambda day: 0), threading.Event())


def test_the_budget_refuses_before_anything_is_asked(server, store):
    with pytest.raises(Unpaid, match="budget for X is used up"):
        asked(server, store, budget_per_day=0.10)
    assert server.requests == []
    assert asked(server, store, budget_per_day=0.13) == pytest.approx(0.13)


def test_an_interrupted_plan_pays_nothing_twice(server, store):
    stop, ends_at = threading.Event(), 4
    for _ in range(ends_at):
        server.stall("counts/all", 0.02)
    timer = threading.Thread(target=lambda: (_until(lambda: billed(server) >= 40_000), stop.set()))
    timer.start()
    paid = asked(server, store, Window(YEAR.start - timedelta(days=3_000), YEAR.end), stop=stop)
    timer.join()
    assert paid * 1_000_000 == pytest.approx(booked(store))
    assert 40_000 <= booked(store) == billed(server) < 1_130_000
    asked(server, store, Window(YEAR.start - timedelta(days=3_000), YEAR.end))
    assert booked(store) == billed(server) <= 1_140_000  # 113 answers hold it, and one more where they begin elsewhere


def _until(claim):
    while not claim():
        time.sleep(0.01)


def test_a_killed_plan_finds_its_answers_again(server, store):
    counted = Counted("x", TOPIC.name, "q", T0, (1, 2))
    batch = Batch("x:counts", charges=(Charge(date(2026, 11, 26), "counts_all", "k", 10_000),), counted=(counted,))
    path = store.path.with_name(store.path.name + ".counts")
    path.write_bytes(orjson.dumps(batch) + b"\n" + orjson.dumps(batch)[:40])  # killed while it wrote
    recover(store, "counts")
    path.write_bytes(orjson.dumps(batch) + b"\n")  # killed after its commit
    recover(store, "counts")
    assert booked(store) == 10_000
    read = {"platform": "x", "topic": TOPIC.name, "queries": ["p", "q"], "start": T0, "end": T0 + 2 * HOUR}
    assert store.read("counted", **read).to_pylist() == [
        {"query": 1, "hour": 0, "n": 1},
        {"query": 1, "hour": 1, "n": 2},
    ]
    assert not path.exists()


def test_a_journal_is_committed_whatever_ends_it(store):
    charge = Charge(date(2026, 11, 26), "counts_all", "k", 10_000)
    with pytest.raises(KeyboardInterrupt), journal(store, "counts") as note:
        note(Batch("x:counts", charges=(charge,)))
        raise KeyboardInterrupt
    assert booked(store) == 10_000
    assert not store.path.with_name(store.path.name + ".counts").exists()
    recover(store, "counts")
    assert booked(store) == 10_000


def test_the_plan_offers_samples_that_the_budget_buys_and_all_posts(server, store):
    server.hold(*posts(YEAR, 1_200))
    asked(server, store)
    plans = planned(server, store, budget_per_day=5.0, budget_per_month=10.0)
    (one,) = plans.topics
    assert [option.posts for option in one.options] == [200, 487, 500, 987, 1_000, 1_200]
    assert [option.days for option in one.options] == [1, 1, 2, 2, None, None]
    assert one.options[-1].is_census
    assert one.options[-1].dollars == pytest.approx(1_200 * 0.010)  # a post, and one that it refers to
    assert one.options[-1].intervals == {0.5: (0.5, 0.5), 0.1: (0.1, 0.1)}
    assert plans.budget == Budget(pytest.approx(4.87), pytest.approx(9.87), 5.0)
    (bare,) = planned(server, store, context=False, authors=True).topics
    assert bare.options[-1].dollars == pytest.approx(1_200 * 0.015)
