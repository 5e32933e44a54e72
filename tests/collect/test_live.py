"""The live stream beyond the contract: its ledger of gaps, its cursor, what events mean."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.collect import collect
from monitor.collect.base import Malformed
from monitor.collect.bluesky import EVENTS
from monitor.collect.bluesky_batch import Pending, Position
from monitor.collect.bluesky_event import read_event
from monitor.collect.match import Matcher
from monitor.collect.watch import Watch
from monitor.errors import CollectError, StreamEnded
from monitor.records import Batch, Cursor, Deletion, Post
from monitor.store.queries import gaps, status
from tests import strategies
from tests.collect.rig import TOPIC, ids, rows, run
from tests.collect.rig_bluesky import live, matching, reaches
from tests.servers.events import (
    POST,
    REPOST,
    T0,
    account,
    chatter,
    clock,
    commit,
    create,
    delete,
    did,
    identity,
    quote_of,
    reply_to,
    repost,
    update,
    uri,
)
from tests.servers.jetstream import Fault, FaultyJetstream, dictionary


def serve(events, *faults, **settings):
    return FaultyJetstream(events, faults=faults, from_start=True, **settings)


def once_asked(server, events, times=1):
    """Let something happen after a client has asked so many times and follows the stream from its tip."""

    def happen():
        while len(server.requests) < times:
            time.sleep(0.02)
        time.sleep(0.5)  # the tip is read after the handshake
        server.append(*events)

    threading.Thread(target=happen, daemon=True).start()


def played(store, *events):
    """The rows that the store holds after these events."""
    with serve(events) as server:
        run(live(server.url), store, until=reaches(events[-1]["seq"]))
    return rows(store)


def position(server, seq, at=None):
    return Position(server.url, seq, at or datetime.fromisoformat(clock(seq)), datetime.now(UTC)).cursor()


def at(seq):
    return T0 + timedelta(seconds=seq)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("close_1000", "the server closed the connection: 1000 (OK)"),
        ("close_1001", "the server closed the connection: 1001 (going away)"),
        ("internal_error", "the server reported InternalError"),
        ("consumer_too_slow", "the server reported ConsumerTooSlow"),
        ("tcp_abort", "the connection was lost"),
    ],
)
def test_every_loss_is_a_gap_that_the_replay_fills(how, why, store):
    with serve(chatter(9), Fault(how, 5)) as server:
        run(live(server.url), store, until=reaches(9))
    (gap,) = gaps(store)
    assert (gap.start, gap.why, gap.filled_by) == (at(5), why, "replay")
    assert at(5) < gap.end < at(5) + timedelta(seconds=20)


def test_a_dead_server_is_a_gap_from_the_first_start_on(store):
    server = serve(chatter(6))
    server.start()
    url, port = server.url, int(server.url.rpartition(":")[2])
    server.close()
    begun = datetime.now(UTC)
    run(live(url), store, until=lambda batch: bool(batch.gaps))
    (gap,) = gaps(store)
    assert gap.end is None
    assert gap.start >= begun
    assert gap.why.startswith(f"cannot connect to {url}: ")
    server.append(*({**event, "time": datetime.now(UTC).isoformat()} for event in chatter(3, first=7)))
    server.start(port)
    with server:
        run(live(url), store, until=reaches(9))
    (gap,) = gaps(store)
    assert (gap.end is not None, gap.filled_by) == (True, "replay")
    assert ids(store) == {uri(8, "r8")}


def test_the_first_start_begins_at_the_live_tip(store):
    with FaultyJetstream(chatter(6)) as server:
        once_asked(server, chatter(3, first=7))
        run(live(server.url), store, until=reaches(8))
        assert "cursor" not in server.requests[0]
    assert ids(store) == {uri(8, "r8")}
    assert gaps(store) == ()


def test_a_restart_goes_on_from_the_committed_cursor_and_says_how_long_it_was_away(store):
    with serve(chatter(5)) as server:
        run(live(server.url), store, until=reaches(5))
        first = store.cursor("bluesky:live")
        run(live(server.url), store, until=lambda batch: bool(batch.gaps))
        assert store.cursor("bluesky:live") == first
        server.append(*chatter(3, first=6))
        run(live(server.url), store, until=reaches(8))
    assert ids(store) == matching(chatter(8))
    assert status(store).seen == {"bluesky:live": 8}
    assert {gap.why for gap in gaps(store)} == {"the program was not running"}
    assert {gap.filled_by for gap in gaps(store)} == {"replay"}


def test_a_cursor_that_is_too_old_leaves_an_unfilled_gap_up_to_the_oldest_event_that_is_left(store):
    with serve(chatter(20), floor=10) as server:
        store.commit(Batch("bluesky:live", cursor=position(server, 2)))
        run(live(server.url), store, until=reaches(20))
        asked = [int(request["cursor"][0]) for request in server.requests]
    assert asked == [2, int((at(2).timestamp() - 5) * 1_000_000)]
    (gap,) = gaps(store)
    assert (gap.start, gap.end, gap.filled_by) == (at(2), at(10), None)
    assert "no longer holds" in gap.why
    assert ids(store) == matching(chatter(11, first=10))


def test_a_server_that_takes_no_cursor_at_all_is_followed_from_its_tip(store):
    too_old = Fault("cursor_too_old")
    with FaultyJetstream(chatter(20), faults=(too_old, too_old)) as server:
        store.commit(Batch("bluesky:live", cursor=position(server, 2)))
        once_asked(server, chatter(3, first=31), times=3)
        run(live(server.url), store, until=reaches(32))
        assert "cursor" not in server.requests[2]
    (gap,) = gaps(store)
    assert (gap.start, gap.end, gap.filled_by) == (at(2), at(31), None)
    assert ids(store) == {uri(32, "r32")}


def test_another_server_is_asked_by_time_some_seconds_back(store):
    with serve(chatter(30)) as server:
        elsewhere = Position("ws://elsewhere", 10**6, at(12), datetime.now(UTC)).cursor()
        store.commit(Batch("bluesky:live", cursor=elsewhere))
        run(live(server.url), store, until=reaches(30))
        assert server.requests[0]["cursor"] == [str(int((at(12).timestamp() - 5) * 1_000_000))]
    assert ids(store) == matching(chatter(24, first=7))
    assert gaps(store)[0].filled_by == "replay"


def test_a_server_that_counts_anew_is_noticed(store):
    with FaultyJetstream(chatter(6)) as server:
        store.commit(Batch("bluesky:live", cursor=position(server, 5_000, at=at(1))))
        once_asked(server, chatter(3, first=7))
        run(live(server.url), store, until=lambda batch: batch.cursor is not None and bool(batch.posts))
    assert ids(store) == {uri(8, "r8")}
    assert gaps(store)[0].filled_by is None


def test_a_server_that_counts_anew_without_a_word_is_noticed_by_its_time():
    lost_at = Position("ws://host", 5_000, at(10), datetime.now(UTC))
    pending = Pending("ws://host", lost_at)
    pending.resumed("lost", is_gapless=True)
    for seq in (9, 10, 11, 11, 12):
        pending.add(create(seq, f"number {seq}"))
    batch = pending.take()
    assert [post.text for post in batch.posts] == ["number 11", "number 12"]
    assert [(gap.start, gap.end, gap.filled_by) for gap in batch.gaps] == [(at(10), at(11), None)]


def test_a_cursor_of_something_else_is_a_clear_error(store):
    store.commit(Batch("bluesky:live", cursor=Cursor("bluesky:live", "12345")))
    with serve(chatter(3)) as server, pytest.raises(CollectError, match="cannot be read: 12345"):
        next(live(server.url).pull(store.cursor("bluesky:live")))


def test_silence_is_a_loss(store):
    with serve(chatter(5)) as server:
        run(live(server.url, silence_seconds=0.4), store, until=lambda batch: bool(batch.gaps))
    assert [(gap.start, gap.end, gap.why) for gap in gaps(store)] == [(at(5), None, "no event for 0.4 s")]


def test_a_loss_without_any_event_since_the_last_one_opens_the_gap_again(store):
    with serve(chatter(5)) as server:
        run(live(server.url, silence_seconds=0.4), store, until=lambda batch: any(gap.end for gap in batch.gaps))
        run(live(server.url, silence_seconds=0.4), store, until=lambda batch: any(not gap.end for gap in batch.gaps))
    assert [gap.end for gap in gaps(store)] == [None]


def test_frames_are_compressed_where_the_server_can_and_a_new_dictionary_is_fetched(store):
    with serve(chatter(9), Fault("rotate_dictionary", 5), dictionary=dictionary(7)) as server:
        run(live(server.url), store, until=reaches(9))
        assert [request["zstdDictionary"] for request in server.requests] == [["7"], ["8"]]
    assert ids(store) == matching(chatter(9))


def test_a_surge_comes_in_batches_of_a_thousand():
    with serve(chatter(5_000)) as server:
        sizes = []
        for batch in live(server.url).pull(None):
            sizes.append(len(batch.posts))
            if sum(sizes) == 5_000:
                break
    assert max(sizes) <= EVENTS


def test_only_what_is_needed_is_asked_for(store):
    with serve(chatter(3)) as server:
        run(live(server.url), store, until=reaches(2))
    assert server.requests[0]["kinds"] == ["commit", "account", "identity"]
    assert server.requests[0]["collections"] == [POST, REPOST]


def test_replies_quotes_and_reposts_of_a_matched_post_are_kept_to_the_end_of_the_thread(store):
    parent = uri(1, "r1")
    found = played(
        store,
        create(1, "SoundCloud wants our music for AI", author=1),
        create(2, "same, gone", author=2, reply=reply_to(parent)),
        create(3, "read this", author=3, embed=quote_of(parent)),
        repost(4, parent, author=4),
        create(5, "me too", author=5, reply=reply_to(uri(2, "r2"), root=parent)),
        create(6, "unrelated", author=6, reply=reply_to(uri(9, "r9"))),
        repost(7, uri(9, "r9"), author=7),
        create(8, "SoundCloud again", author=8, reply=reply_to(parent)),
    )
    thread = ["soundcloud-ai/thread"]
    assert {row["post_id"]: (row["kind"], row["matched"], row["context"]) for row in found.values()} == {
        parent: ("original", ["soundcloud-ai/any"], None),
        uri(2, "r2"): ("reply", thread, "SoundCloud wants our music for AI"),
        uri(3, "r3"): ("quote", thread, "SoundCloud wants our music for AI"),
        uri(4, "r4", REPOST): ("repost", thread, None),
        uri(5, "r5"): ("reply", thread, "same, gone"),
        uri(8, "r8"): ("reply", ["soundcloud-ai/any"], "SoundCloud wants our music for AI"),
    }


def test_a_thread_is_followed_after_a_restart(store):
    now = {"time": datetime.now(UTC).isoformat()}
    with serve([create(1, "SoundCloud", author=1) | now]) as server:
        run(live(server.url), store, until=reaches(1))
        server.append(create(2, "same", author=2, reply=reply_to(uri(1, "r1"))) | now)
        run(live(server.url), store, until=reaches(2))
    assert len(ids(store)) == 2


def test_an_edit_replaces_the_text_even_where_it_no_longer_matches(store):
    found = played(
        store,
        create(1, "SoundCloud wants our music", author=1),
        create(2, "lunch", author=2),
        update(3, "never mind", author=1, rkey="r1"),
        update(4, "dinner", author=2, rkey="r2"),
        update(5, "SoundCloud, now that I think of it", author=3, rkey="r0"),
    )
    assert {row["post_id"]: row["text"] for row in found.values()} == {
        uri(1, "r1"): "never mind",
        uri(3, "r0"): "SoundCloud, now that I think of it",
    }


def test_deletes_of_posts_and_reposts_remove_their_rows(store):
    found = played(
        store,
        create(1, "SoundCloud stays", author=1),
        create(2, "SoundCloud goes", author=2),
        repost(3, uri(1, "r1"), author=3),
        delete(4, author=2, rkey="r2"),
        delete(5, author=3, rkey="r3", collection=REPOST),
        create(6, "SoundCloud end", author=6),
    )
    assert set(found) == {uri(1, "r1"), uri(6, "r6")}


def test_accounts_are_hidden_shown_and_deleted(store):
    found = played(
        store,
        *(create(seq, "SoundCloud", author=seq) for seq in range(1, 7)),
        account(11, 1, "deactivated"),
        account(12, 2, "suspended"),
        account(13, 3, "takendown"),
        account(14, 4, "deleted"),
        account(15, 5, "desynchronized"),
        account(16, 6, "a state of the future"),
        account(17, 2),
        identity(18, 1),
        create(19, "SoundCloud end", author=19),
    )
    hidden = {row["author_id"]: row["hidden"] for row in found.values()}
    assert hidden == {did(n): n in (1, 3, 6) for n in (1, 2, 3, 5, 6, 19)}


def test_what_cannot_be_read_is_counted_and_takes_no_neighbour_with_it(store):
    spoilt = [
        create(1, "SoundCloud", author=1),
        create(2, None, author=2),
        create(3, "x" * 5_000_000, author=3),
        commit(4, 4, "create", "r4", None),
        commit(5, 5, "create", "r5", [1]),
        commit(6, 6, "create", "", {"text": "SoundCloud"}),
        commit(7, 7, "become", "r7", {"text": "SoundCloud"}),
        {**create(8, "SoundCloud"), "did": None},
        create(9, "SoundCloud", author=9, tags=["x" * 2_000_000]),
        {**account(10, 1), "account": None},
        commit(11, 11, "create", "r11", {"subject": {"uri": "at://x"}}, REPOST),
        {**create(12, "SoundCloud"), "$type": "network.bsky.jetstream.subscribeEvents#commit2"},
        create(13, "SoundCloud end", author=13),
    ]
    assert set(played(store, *spoilt)) == {uri(1, "r1"), uri(13, "r13")}
    assert sum(n for _, _, n in status(store).rejected) == 10  # the kind of event 12 was not asked for


def test_nonsense_beside_the_text_is_passed_over(store):
    found = played(
        store,
        create(1, "SoundCloud \ud83d \x00 \u202e\u200b", author=1, createdAt="2099-01-01T00:00:00Z"),
        create(2, "SoundCloud", author=2, createdAt="1970-01-01", langs="en", reply=[], embed=3, facets=[None]),
        create(3, "SoundCloud", author=3, createdAt=None, langs=["en", "de"], tags=[{}, 1]),
        {**create(4, "SoundCloud", author=4), "time": "yesterday"},
        create(5, "SoundCloud", author=5, createdAt="0001-01-01T00:00:00+14:00", langs=["pt-BR", "PT"]),
        create(6, "SoundCloud", author=6, reply={"parent": {"uri": "at://me.example/app.bsky.feed.post/1"}}),
    )
    first, second, third, fourth, fifth, sixth = (found[uri(n, f"r{n}")] for n in range(1, 7))
    assert first["text"] == "SoundCloud \ufffd  \u202e\u200b"
    assert (first["created_at"].year, second["created_at"].year, third["created_at"]) == (2099, 1970, None)
    assert (second["lang"], second["kind"], third["lang"], fifth["lang"]) == (None, "original", None, "pt")
    assert abs(fourth["observed_at"].replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    assert fifth["created_at"] is None
    assert (sixth["reply_to"], sixth["kind"]) == (None, "original")


def test_links_and_hashtags_beside_the_text_are_read():
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://soundcloud.com/terms-of-use"}
    tag = {"$type": "app.bsky.richtext.facet#tag", "tag": "NoAI"}
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://example.org/a", "title": "t"}}
    both = {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": {"uri": uri(9, "r9")}}, "media": card}
    facets = [{"features": [link, tag], "index": {}}, {"features": [link]}]
    post = read_event(create(1, "see", facets=facets, embed=both, tags=["music", "NoAI"]))
    assert isinstance(post, Post)
    assert post.links == ("https://soundcloud.com/terms-of-use", "https://example.org/a")
    assert post.hashtags == ("NoAI", "music")
    assert (post.kind, post.quote_of) == ("quote", uri(9, "r9"))


few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(strategies.spoilt_events())
def test_no_event_makes_the_reader_fail(event):
    pending = Pending("ws://host", None)
    try:
        pending.add(event)
    except Malformed as fault:
        pending.reject(fault.why, b"")
    batch = pending.take()
    assert len(batch.posts) + len(batch.deletions) + len(batch.rejected) <= 1


@few
@given(strategies.junk)
def test_no_payload_makes_the_reader_fail(value):
    for payload in (
        {"$type": value},
        {"$type": create(1, "")["$type"], "collection": POST, "operation": "create", "record": value},
    ):
        with suppress(Malformed):
            assert isinstance(read_event(payload), Post | Deletion | None)


def test_a_record_that_is_nested_too_deeply_is_refused():
    deep: dict = {}
    for _ in range(5_000):
        deep = {"a": deep}
    with pytest.raises(Malformed, match="nested too deeply"):
        read_event(create(1, "SoundCloud", labels=deep))


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9", "wss://127.0.0.1:9", "ws://no-such-host.invalid"])
def test_a_url_that_leads_nowhere_is_a_gap_with_a_reason(url):
    pulled = live(url).pull(None)
    (gap,) = next(pulled).gaps
    assert gap.why.startswith("cannot connect to ws")
    with pytest.raises(StreamEnded, match="cannot connect"):
        next(pulled)


def test_a_server_of_another_kind_is_a_gap_with_a_reason():
    with FaultyJetstream() as server:
        (gap,) = next(live(server.url + "/elsewhere").pull(None)).gaps
    assert gap.why == "the server refused the connection: HTTP 404 MethodNotImplemented"


def test_stopping_is_prompt_while_the_server_is_dead(store):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()
    collect(live("ws://127.0.0.1:9"), store, Matcher([TOPIC]), Watch(30), stop)
    assert time.monotonic() - started < 2.5
