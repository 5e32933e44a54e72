"""The filtered stream beyond the contract: what it costs, what it leaves in the ledger, what it survives."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from pydantic import SecretStr

from monitor.collect import x_fill, x_stream
from monitor.collect.x import STREAM, Position
from monitor.collect.x_api import Api
from monitor.collect.x_fill import Filler, Hole
from monitor.collect.x_read import Pending
from monitor.collect.x_spend import Till
from monitor.collect.x_stream import Pace
from monitor.config import Secrets, X
from monitor.errors import AuthError, CollectError, OverBudget, RateLimited, StreamEnded, Unpaid
from monitor.records import Batch, Cursor, Gap
from monitor.store.queries import gaps, spent_since
from tests.collect import rig_x
from tests.collect.rig import rows, run
from tests.collect.rig_x import Author, chatter, publishing, stream, x_server
from tests.collect.rig_x_search import WORDY
from tests.servers.x import Clock, StreamFault, make_post
from tests.servers.x.problem import invalid

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC).date()


@pytest.fixture
def server():
    return x_server()


def dollars(store) -> float:
    return spent_since(store, LONG_AGO) / 1e6


@pytest.mark.parametrize("scenario", rig_x.RIGS)
def test_the_ledger_says_what_x_bills(scenario, tmp_path, store):
    with rig_x.RIGS[scenario](tmp_path) as rig:
        run(rig.open(), store, until=rig.is_done)
        assert dollars(store) == pytest.approx(float(rig.server.dollars()))
        assert dollars(store) > 0


def test_authors_are_read_and_paid_for_where_the_operator_wants_them(server, store):
    with publishing(server, Author(server, chatter(4))) as author:
        run(stream(server, authors=True), store, until=author.is_read)
    assert {row["author_handle"] for row in rows(store).values()} == {"author1", "author2", "author4"}
    assert dollars(store) == pytest.approx(float(server.dollars()))
    assert sum(day.users for day in server.bill().values()) == 3


def test_a_killed_program_is_billed_once_for_what_it_reads_twice(tmp_path, store):
    with rig_x.RIGS["quotes"](tmp_path) as rig:
        for _ in range(4):
            with suppress(KeyboardInterrupt):
                run(rig.open(), store, until=rig.is_done, on_commit=_kill)
        run(rig.open(), store, until=rig.is_done)
        assert dollars(store) == pytest.approx(float(rig.server.dollars()))


def _kill(batch, committed):
    raise KeyboardInterrupt


def test_a_gap_that_the_search_filled_says_so_and_another_says_why_not(server, store):
    server.stream.script(StreamFault("close", 2))
    server.stream.script(StreamFault("close", 0))
    with publishing(server, Author(server, chatter(40))) as author:
        author.server.refuse("search/recent", invalid("no"))
        run(stream(server), store, until=author.is_read)
    found = gaps(store)
    assert [gap.filled_by for gap in found] == [None, "search"]
    unfilled = next(gap for gap in found if gap.filled_by is None)
    assert "not filled" in unfilled.why
    assert unfilled.end is not None


def test_what_x_says_when_it_ends_the_stream_stands_in_the_ledger(server, store):
    server.stream.script(StreamFault("operational_disconnect", 2, disconnect_type="ReceiveBufferFull"))
    with publishing(server, Author(server, chatter(8))) as author:
        run(stream(server), store, until=author.is_read)
    (gap,) = gaps(store)
    assert (gap.why, gap.filled_by) == ("X ended the stream: ReceiveBufferFull", "search")


def lost_since(server, store, days: float) -> None:
    """The program stopped so long ago; since then nothing was collected."""
    start = server.clock.now() - timedelta(days=days)
    store.commit(Batch(STREAM, cursor=Position(start).cursor()))


def test_of_a_gap_of_more_than_seven_days_the_end_is_filled_and_the_rest_told(server, store):
    found, lost = (
        make_post(f"SoundCloud, {days} days ago", datetime.now(UTC) - timedelta(days=days)) for days in (6.9, 8)
    )
    server.hold(found, lost)
    lost_since(server, store, 9)
    with publishing(server, Author(server, chatter(4))) as author:
        run(stream(server), store, until=author.is_read)
    old, young = gaps(store)
    assert (old.why, old.filled_by) == ("the program was not running; recent search reaches back 7 days only", None)
    assert (young.why, young.filled_by) == ("the program was not running", "search")
    assert old.end == young.start
    assert timedelta(days=6.9) < datetime.now(UTC) - young.start < timedelta(days=7)
    assert found.id in rows(store)
    assert lost.id not in rows(store)


def test_the_budget_stops_the_stream_whatever_the_search_is_at(server, store):
    lost_since(server, store, 0.01)
    server.stall("search/recent", 3)
    with publishing(server, Author(server, chatter(900))) as author:
        collector = stream(server, partial(spent_since, store), budget_per_day=0.1)
        with pytest.raises(OverBudget, match="budget for X is used up"):
            for batch in collector.pull(store.cursor(STREAM)):
                store.commit(batch)
        assert author.ended_at is None
    assert 0.1 <= dollars(store) <= 0.105  # one post is what it takes to know
    assert float(server.dollars()) - dollars(store) <= 0.01  # and one or two were on their way
    gap = gaps(store)[-1]
    assert gap.end is None
    assert "budget" in gap.why


@pytest.mark.parametrize("faults", [0, 1], ids=["at_once", "after_a_fault"])
def test_what_the_budget_left_out_is_not_paid_for_when_there_is_a_new_one(server, store, faults):
    server.fail("rules", 503, faults)
    server.hold(make_post("SoundCloud, unpaid", datetime.now(UTC) - timedelta(hours=1)))
    why = "the budget for X is used up"
    with publishing(server, Author(server, chatter(30))) as author:
        start = server.clock.now() - timedelta(hours=2)
        store.commit(Batch(STREAM, cursor=Position(start, over_budget=why).cursor()))
        run(stream(server), store, until=author.is_read)
    (gap,) = gaps(store)
    assert (gap.why, gap.filled_by, gap.end is None) == (why, None, False)
    assert server.count("search/recent") == 0


def test_a_post_that_comes_days_late_does_not_set_the_stream_back_by_days(server, store):
    with publishing(server, Author(server, chatter(3), late=timedelta(days=5))):
        run(stream(server), store, until=lambda batch: len(batch.posts) > 0)
    assert datetime.now(UTC) - Position.of(store.cursor(STREAM)).at < timedelta(minutes=11)


def test_lines_for_which_there_is_no_room_are_kept_and_paid_for(server, store, monkeypatch):
    monkeypatch.setattr(x_stream, "_LINES_WAITING", 3)
    with publishing(server, Author(server, chatter(12))) as author:
        pulled = stream(server).pull(None)
        store.commit(next(pulled))
        while author.ended_at is None:
            time.sleep(0.05)
        with pytest.raises(StreamEnded, match="too slow"):
            for batch in pulled:
                store.commit(batch)
    assert dollars(store) == pytest.approx(float(server.dollars()), abs=0.0051)  # one may be on its way


def test_a_loss_within_a_hole_of_which_nothing_was_asked_leaves_no_gap_open(server, store):
    with server:
        api = Api(rig_x.settings(server), Secrets(x_bearer_token=SecretStr(server.token)))
        filler, now = Filler(api, STREAM, ["soundcloud"], Till(api.settings, lambda day: 0), 45.0), datetime.now(UTC)
        times = [now - timedelta(minutes=minutes) for minutes in (30, 20, 19, 10)]
        pending = Pending(STREAM, api.settings)
        filler.add(times[0], times[1], "it was off", pending, is_start=True)
        pending.gaps.append(Gap(STREAM, times[2], None, "X closed the stream"))
        filler.holes = [Hole.of(times[0], times[2], "it was off", filler.rules)]
        filler.add(times[2], times[3], "it was off", pending, is_start=True)
        store.commit(pending.batch(None))
    assert [hole.start for hole in filler.holes] == [times[0]]
    assert all(gap.end is not None for gap in gaps(store))


def test_a_hole_that_begins_before_an_untouched_one_takes_its_gap_along(server, store):
    with server:
        api = Api(rig_x.settings(server), Secrets(x_bearer_token=SecretStr(server.token)))
        filler, now = Filler(api, STREAM, ["soundcloud"], Till(api.settings, lambda day: 0), 45.0), datetime.now(UTC)
        times = [now - timedelta(minutes=minutes) for minutes in (40, 30, 20, 10)]
        pending = Pending(STREAM, api.settings)
        filler.add(times[1], times[2], "it was off", pending, is_start=True)
        store.commit(pending.batch(None))
        filler.add(times[0], times[3], "it was off", pending, is_start=True)
        filler.give_up("nobody asked", pending)
        store.commit(pending.batch(None))
    found = [(gap.start, gap.end) for gap in gaps(store) if gap.end != gap.start]
    assert found == [(times[0], times[3])]


def test_an_answer_that_comes_when_nobody_waits_for_it_any_more_is_kept_and_paid_for(server, store, monkeypatch):
    monkeypatch.setattr(x_fill, "PATIENCE_SECONDS", 0.3)
    at = datetime.now(UTC) - timedelta(hours=1)
    server.hold(*(make_post(f"soundcloud {n}", at + timedelta(seconds=n)) for n in range(3)))
    server.stall("search/recent", 1.0)
    server.fail("search/recent", 400)
    with server:
        api = Api(rig_x.settings(server), Secrets(x_bearer_token=SecretStr(server.token)))
        filler = Filler(api, STREAM, ["soundcloud"], Till(api.settings, lambda day: 0), 0.0)
        pending = Pending(STREAM, api.settings)
        filler.add(datetime.now(UTC) - timedelta(hours=2), datetime.now(UTC), "it was off", pending, is_start=True)
        until = time.monotonic() + 5
        while filler.is_busy and time.monotonic() < until:
            filler.step(pending)
            time.sleep(0.01)
        assert not filler.is_busy
        assert len(pending.posts) == 3
        store.commit(pending.batch(None))
        assert dollars(store) == float(server.dollars()) == 0.015


def test_an_answer_on_its_way_when_the_stream_is_lost_is_paid_for_though_nobody_goes_on(server, store):
    server.hold(
        *(make_post(f"SoundCloud, earlier {n}", server.clock.now() - timedelta(minutes=n)) for n in range(1, 9))
    )
    lost_since(server, store, 0.01)
    server.stall("search/recent", 0.6)
    server.stream.script(StreamFault("close", 4))
    with publishing(server, Author(server, chatter())):
        with pytest.raises(StreamEnded):
            for batch in stream(server).pull(store.cursor(STREAM)):
                store.commit(batch)
        while (asked := [one for one in server.requests if one.endpoint == "search/recent"])[0].status is None:
            time.sleep(0.01)
    assert len(asked) == 1
    assert dollars(store) == float(server.dollars())


def test_what_was_read_of_an_old_hole_is_not_read_again_as_its_start_falls_out_of_reach(server):
    with server:
        api = Api(rig_x.settings(server), Secrets(x_bearer_token=SecretStr(server.token)))
        filler = Filler(api, STREAM, ["soundcloud"], Till(api.settings, lambda day: 0), 0.0)
        now = datetime.now(UTC)
        hole = Hole.of(now - timedelta(days=8), now - timedelta(days=1), "it was off", filler.rules)
        until = int((now - timedelta(days=5)).timestamp())
        filler.holes = [replace(hole, place=replace(hole.place, until=until, asked_until=until))]
        pending = Pending(STREAM, api.settings)
        while filler.holes:
            filler.step(pending)
            time.sleep(0.01)
    asked = [request.params for request in server.requests if request.endpoint == "search/recent"]
    assert [params["end_time"] for params in asked] == [f"{datetime.fromtimestamp(until, UTC):%Y-%m-%dT%H:%M:%SZ}"]


def test_what_is_read_until_it_is_stopped_is_paid_for(server, store):
    with publishing(server, Author(server, chatter(60))):
        run(stream(server), store, until=lambda batch: len(batch.posts) > 0)
        time.sleep(0.1)
    assert dollars(store) == pytest.approx(float(server.dollars()), abs=0.0051)  # one may be on its way


@pytest.mark.parametrize("seconds", [60, -25, 86_400, -86_400], ids="{:+}s".format)
def test_a_clock_that_is_wrong_loses_nothing(store, seconds):
    server = x_server(clock=Clock(datetime.now(UTC) + timedelta(seconds=seconds)))
    server.search.least_lag = timedelta(seconds=0)
    server.stream.script(StreamFault("cut", 4))
    with publishing(server, Author(server, chatter(24))) as author:
        run(stream(server, late_seconds=1.5, lag_seconds=3.0), store, until=author.is_read, seconds=30)
    assert set(rows(store)) == {post.id for post in author.posts if "SoundCloud" in post.text}
    assert [gap.filled_by for gap in gaps(store)] == ["search"]


def test_a_clock_that_is_ahead_leaves_no_gap_open_where_the_first_connection_is_refused(store):
    server = x_server(clock=Clock(datetime.now(UTC) - timedelta(hours=2)))
    server.fail("rules", 503)
    with publishing(server, Author(server, chatter(12))) as author:
        run(stream(server, late_seconds=1.5), store, until=author.is_read, seconds=30)
    assert all(gap.end is not None for gap in gaps(store))
    assert set(rows(store)) == {post.id for post in author.posts if "SoundCloud" in post.text}


def test_posts_that_come_late_are_searched_for_where_the_stream_was_lost(server, store):
    server.stream.script(StreamFault("cut", 4))
    with publishing(server, Author(server, chatter(24), late=timedelta(seconds=90))) as author:
        run(stream(server), store, until=author.is_read)
    assert set(rows(store)) == {post.id for post in author.posts if "SoundCloud" in post.text}


@pytest.mark.parametrize("endpoint", ["rules", "stream", "search/recent"])
def test_it_stops_in_time_while_x_does_not_answer(server, store, endpoint):
    lost_since(server, store, 0.01)
    server.stall(endpoint, 30)
    with server:
        collector = stream(server)
        reader = threading.Thread(target=lambda: list(collector.pull(store.cursor(STREAM))), daemon=True)
        reader.start()
        while not server.count(endpoint):
            time.sleep(0.02)
        begun = time.monotonic()
        collector.close()
        reader.join(5)
        assert not reader.is_alive()
        assert time.monotonic() - begun < 2
    assert not any(thread.name == "Tweepy Stream" and not thread.daemon for thread in threading.enumerate())


def test_search_that_is_refused_leaves_the_stream_alone(server, store):
    lost_since(server, store, 0.01)
    server.fail("search/recent", 401, times=10)
    with publishing(server, Author(server, chatter(12))) as author:
        run(stream(server, lag_seconds=0.01), store, until=author.is_read)
    (gap,) = gaps(store)
    assert gap.filled_by is None
    assert gap.why.startswith("the program was not running; not filled: X refused the credentials")
    assert server.stream.connects == 1


def test_a_query_that_is_refused_does_not_take_the_others_with_it(server, store):
    server.hold(make_post("A SoundCloud thought", server.clock.now() - timedelta(minutes=5)))
    lost_since(server, store, 0.01)
    server.refuse("search/recent", invalid("no"))
    with publishing(server, Author(server, chatter(3))) as author:
        run(stream(server, topic=WORDY), store, until=author.is_read)
    (gap,) = gaps(store)
    assert gap.filled_by is None
    assert "not filled: X refused the request" in gap.why
    assert "A SoundCloud thought" in {row["text"] for row in rows(store).values()}


def test_search_goes_on_where_it_was_when_the_stream_is_lost_again_and_after_a_restart(server, store):
    many = [make_post(f"SoundCloud {n}", server.clock.now() - timedelta(seconds=60 + n / 2)) for n in range(950)]
    server.hold(*many)
    lost_since(server, store, 0.01)
    server.stream.script(StreamFault("close", 1))
    with publishing(server, Author(server, chatter(9))) as author:
        run(stream(server, budget_per_day=50), store, until=lambda batch: len(rows(store)) > 300)
        held = Position.of(store.cursor(STREAM)).holes
        run(stream(server, budget_per_day=50), store, until=author.is_read)
    assert held, "it was filled before it was stopped"
    assert len(rows(store)) == len(many) + 6
    long_ago = [request for request in server.requests if request.endpoint == "search/recent"]
    first = min(request.params["start_time"] for request in long_ago)
    assert sum(request.params["start_time"] == first for request in long_ago) <= 11  # ten pages, one asked for again
    assert all(gap.filled_by == "search" for gap in gaps(store))


def test_an_edited_post_has_its_new_text(server, store):
    with publishing(server, Author(server, chatter(3), edits=True)) as author:
        run(stream(server), store, until=author.is_read)
    assert rows(store)[author.posts[0].id]["text"] == "SoundCloud, edited"


def test_what_comes_twice_is_counted_once(server, store):
    server.stream.script(StreamFault("duplicate", 1), StreamFault("cut", 5))
    with publishing(server, Author(server, chatter(12))) as author:
        run(stream(server), store, until=author.is_read)
    assert sum(store.read("status_seen")["n"].to_pylist()) == 8


@pytest.mark.parametrize(
    ("refuse", "error"),
    [
        (lambda server: server.fail("rules", 401), AuthError),
        (lambda server: server.fail("rules", 503), StreamEnded),
        (lambda server: server.fail("rules", 400), StreamEnded),
        (lambda server: server.rate_limit("rules", reset_in=30), RateLimited),
        (lambda server: server.rate_limit("rules"), RateLimited),
        (lambda server: server.block(), Unpaid),
        (lambda server: server.stream.script(StreamFault("refuse_429", reset_in=20)), RateLimited),
        (lambda server: server.stream.script(StreamFault("refuse_429_without_reset")), RateLimited),
    ],
    ids=["401", "503", "400", "429", "429-without-reset", "402", "stream-429", "stream-429-without-reset"],
)
def test_a_refusal_is_an_error_of_its_kind(server, refuse, error):
    with server:
        refuse(server)
        with pytest.raises(error) as caught:
            list(stream(server).pull(None))
        assert type(caught.value) is error
        if isinstance(caught.value, RateLimited):
            assert 10 <= caught.value.wait_seconds <= 901


def test_a_token_that_is_revoked_later_does_not_end_the_program(server):
    server.stream.script(StreamFault("close"))
    with server:
        collector = stream(server)
        with pytest.raises(StreamEnded):
            list(collector.pull(None))
        server.fail("rules", 401)
        with pytest.raises(StreamEnded, match="refused the credentials"):
            list(collector.pull(None))


def test_a_cursor_of_something_else_is_an_explained_error(server):
    with server, pytest.raises(CollectError, match="cannot be read"):
        list(stream(server).pull(Cursor(STREAM, "garbage")))


def test_our_rules_are_reconciled_and_those_of_others_stay(server, store):
    with publishing(server, Author(server, chatter(3))) as author:
        server.rules.put("cats", "somebody-else")
        server.rules.put("soundcloud old", "backlash-monitor/gone")
        run(stream(server), store, until=author.is_read)
        tags = sorted(rule.tag or "" for rule in server.rules.all())
        changes = server.count("rules/change")
        run(stream(server), store, until=author.is_read)
    assert tags == ["backlash-monitor/soundcloud-ai", "somebody-else"]
    assert server.count("rules/change") == changes == 2


def test_connections_are_kept_apart_and_counted():
    pace = Pace(5.0)
    pace.take()
    with pytest.raises(RateLimited) as caught:
        pace.take()
    assert 4.5 < caught.value.wait_seconds <= 5
    pace = Pace(0.0)
    for _ in range(45):
        pace.take()
    with pytest.raises(RateLimited) as caught:
        pace.take()
    assert 800 < caught.value.wait_seconds <= 900


def test_without_a_token_it_is_refused_before_anything_is_asked():
    with pytest.raises(AuthError, match="X_BEARER_TOKEN"):
        Api(X(), Secrets())


def test_a_post_that_search_finds_again_keeps_its_place(server, store):
    server.stream.script(StreamFault("close", 1))
    with publishing(server, Author(server, ["SoundCloud & AI <3", *chatter(5)])) as author:
        run(stream(server, late_seconds=5.0), store, until=lambda batch: len(rows(store)) >= 5 and bool(batch.cursor))
    row = rows(store)[author.posts[0].id]
    assert server.count("search/recent") == 1
    assert (row["text"], row["source"], row["platform"]) == ("SoundCloud & AI <3", "live", "x")
