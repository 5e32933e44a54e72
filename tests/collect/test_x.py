"""The filtered stream beyond the contract: what it costs, what it leaves in the ledger, what it survives."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from monitor.collect.x import STREAM, Position
from monitor.collect.x_api import Api, QueryRefused
from monitor.collect.x_stream import Pace
from monitor.config import Secrets, X
from monitor.errors import AuthError, CollectError, RateLimited, StreamEnded, Unpaid
from monitor.records import Batch, Cursor
from monitor.store.queries import gaps, spent_since
from tests.collect import rig_x
from tests.collect.rig import rows, run
from tests.collect.rig_x import AHEAD, Author, chatter, publishing, stream
from tests.servers.x import Clock, StreamFault, XServer, make_post, usage_capped

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC).date()


@pytest.fixture
def server():
    server = XServer(clock=Clock(datetime.now(UTC) + AHEAD))
    server.stream.heartbeat_seconds = 0.02
    return server


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
    server.stream.script(StreamFault("close", 2))
    with publishing(server, Author(server, chatter(12))) as author:
        author.server.refuse("search/recent", usage_capped())
        run(stream(server), store, until=author.is_read)
    found = gaps(store)
    assert len(found) >= 1
    assert [gap.filled_by for gap in found].count(None) == 1
    unfilled = next(gap for gap in found if gap.filled_by is None)
    assert "not filled" in unfilled.why
    assert unfilled.end is not None


def test_what_x_says_when_it_ends_the_stream_stands_in_the_ledger(server, store):
    server.stream.script(StreamFault("operational_disconnect", 2, disconnect_type="ReceiveBufferFull"))
    with publishing(server, Author(server, chatter(8))) as author:
        run(stream(server), store, until=author.is_read)
    (gap,) = gaps(store)
    assert (gap.why, gap.filled_by) == ("X ended the stream: ReceiveBufferFull", "search")


def test_a_gap_of_more_than_seven_days_cannot_be_filled_and_is_told(server, store):
    long_ago = datetime.now(UTC) - timedelta(days=9)
    store.commit(Batch(STREAM, cursor=Position(long_ago).cursor()))
    with publishing(server, Author(server, chatter(4))) as author:
        run(stream(server), store, until=author.is_read)
    (gap,) = gaps(store)
    assert (gap.start, gap.filled_by) == (long_ago, None)
    assert gap.why == "the program was not running; recent search reaches back 7 days only"


def test_the_budget_stops_the_stream_and_opens_a_gap(server, store):
    with publishing(server, Author(server, chatter(12))):
        collector = stream(server, partial(spent_since, store), budget_per_day=0.02)
        with pytest.raises(Unpaid, match="budget for X is used up"):
            for batch in collector.pull(None):
                store.commit(batch)
    (gap,) = gaps(store)
    assert gap.end is None
    assert "budget" in gap.why
    assert dollars(store) <= 0.03  # a line that was on its way


@pytest.mark.parametrize(
    ("refuse", "error"),
    [
        (lambda server: server.fail("rules", 401), AuthError),
        (lambda server: server.fail("rules", 503), StreamEnded),
        (lambda server: server.fail("rules", 400), QueryRefused),
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


def test_a_post_that_is_known_from_the_stream_keeps_its_place_when_it_is_found_again(server, store):
    with server:
        collector = stream(server)
        batches: list[Batch] = []
        reader = threading.Thread(target=lambda: batches.extend(collector.pull(None)), daemon=True)
        reader.start()
        assert server.stream.wait_connected()
        server.publish(make_post("SoundCloud & AI <3", datetime.now(UTC)))
        server.stream.wait_sent(1)
        time.sleep(0.2)
        collector.close()
        reader.join(5)
    (post,) = (post for batch in batches for post in batch.posts)
    assert (post.text, post.source, post.platform) == ("SoundCloud & AI <3", "live", "x")
