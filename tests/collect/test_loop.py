"""The one loop, the watch, the backoff: with a collector of this file, and the real store."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from monitor.collect import collect
from monitor.collect.backoff import Backoff
from monitor.collect.match import Matcher
from monitor.collect.watch import Watch
from monitor.errors import ArchiveError, AuthError, CollectError, RateLimited, StoreError, StreamEnded
from monitor.records import Batch, Cursor, Deletion, Gap, Rejected, Seen
from monitor.store.queries import gaps, status
from tests.collect.rig import TOPIC, ids, rows
from tests.conftest import T0, a_post, did, uri

STREAM = "test:stream"


class Scripted:
    """Plays steps: a batch is yielded, an error raised. The cursor is the number of the next step."""

    stream = STREAM

    def __init__(self, *steps):
        self._steps = steps
        self._faults = set()
        self._is_closed = False
        self.pulls = []

    def pull(self, cursor):
        self.pulls.append(cursor)
        for number in range(int(cursor.value) if cursor else 0, len(self._steps)):
            step = self._steps[number]
            if self._is_closed:
                return
            if isinstance(step, Exception):
                if number in self._faults:
                    continue
                self._faults.add(number)
                raise step
            yield batch(cursor=Cursor(STREAM, str(number + 1)), **step)

    def close(self):
        self._is_closed = True


class Failing(Scripted):
    """Raises for ever."""

    def pull(self, cursor):
        self.pulls.append(cursor)
        yield batch()
        raise self._steps[0]


def batch(**parts):
    return Batch(STREAM, **parts)


def posts(*found):
    return {"posts": tuple(found)}


def raw(number, text="SoundCloud", **fields):
    return a_post(number, text=text, matched=(), **fields)


def play(collector, store, *, stop=None, on_commit=None, watch=None, backoff=None, commit_seconds=0.0):
    backoff = backoff or Backoff(0.01, 0.02, attempts=3)
    watch = watch or Watch(30)
    collect(collector, store, Matcher([TOPIC]), watch, stop or threading.Event(), on_commit, backoff, commit_seconds)


def test_only_posts_that_match_are_kept_and_they_say_by_which_rule(store):
    play(Scripted(posts(raw(1), raw(2, "lunch"), raw(3, "", links=("https://example.org",)))), store)
    assert {i: row["matched"] for i, row in rows(store).items()} == {uri(1): ["soundcloud-ai/any"]}


def test_the_rest_of_a_batch_is_committed_whether_a_post_matches_or_not(store):
    rest = {
        "seen": (Seen(STREAM, T0, 7),),
        "rejected": (Rejected(STREAM, "no text", T0),),
        "gaps": (Gap(STREAM, T0, T0, "a reason", "replay"),),
        "deletions": (Deletion("bluesky", uri(1), did(1), T0),),
    }
    play(Scripted(rest, posts(raw(1))), store)
    assert ids(store) == set()
    assert status(store).seen == {STREAM: 7}
    assert status(store).rejected == ((STREAM, "no text", 1),)
    assert len(gaps(store)) == 1


def test_a_fault_resumes_from_the_committed_cursor(store):
    collector = Scripted(
        posts(raw(1)), StreamEnded("gone"), posts(raw(2)), RateLimited("slow down", 0.01), posts(raw(3))
    )
    play(collector, store)
    assert ids(store) == {uri(1), uri(2), uri(3)}
    assert [cursor and cursor.value for cursor in collector.pulls] == [None, "1", "3"]


def test_what_was_held_is_committed_before_a_fault_is_waited_out(store):
    collector = Scripted({"seen": (Seen(STREAM, T0, 1),)}, StreamEnded("gone"), {"seen": (Seen(STREAM, T0, 1),)})
    play(collector, store)
    assert status(store).seen == {STREAM: 2}


@pytest.mark.parametrize(("error", "pulls"), [(AuthError("no"), 1), (ArchiveError("no"), 1), (CollectError("no"), 4)])
def test_hopeless_faults_are_raised_and_doubtful_ones_after_some_attempts(error, pulls, store):
    collector = Failing(error)
    with pytest.raises(CollectError, match="no"):
        play(collector, store)
    assert len(collector.pulls) == pulls


def test_a_live_stream_is_never_given_up(store):
    stop = threading.Event()

    class Dead(Failing):
        def pull(self, cursor):
            if len(self.pulls) == 9:
                stop.set()
            yield from super().pull(cursor)

    collector = Dead(StreamEnded("gone"))
    play(collector, store, stop=stop)
    assert len(collector.pulls) == 10


def test_a_rate_limit_is_waited_out_and_a_stop_ends_the_wait(store):
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    play(Failing(RateLimited("slow down", 600)), store, stop=stop)
    assert 0.199 <= time.monotonic() - started < 3


def test_waits_double_up_to_the_longest_and_start_over_after_progress(monkeypatch):
    backoff, stop = Backoff(1, 8, attempts=99), threading.Event()
    waits = []
    monkeypatch.setattr(stop, "wait", waits.append)
    for _ in range(6):
        backoff.wait(STREAM, CollectError("x"), stop)
    backoff.progress()
    backoff.wait(STREAM, CollectError("x"), stop)
    longest = [1, 2, 4, 8, 8, 8, 1]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))


def test_a_live_server_that_throws_us_out_at_once_is_asked_less_and_less_often(monkeypatch):
    backoff, stop = Backoff(1, 60), threading.Event()
    waits = []
    monkeypatch.setattr(stop, "wait", waits.append)
    for _ in range(5):
        backoff.progress()
        backoff.wait(STREAM, StreamEnded("x"), stop)
    assert waits[-1] >= 8


def test_a_fault_of_the_store_stops_at_once_and_keeps_nothing_of_the_batch(store):
    class Torn(Scripted):
        def pull(self, cursor):
            yield batch(posts=(raw(1),), cursor=Cursor(STREAM, "1"))
            store.path.write_bytes(b"this is no database any more" * 1000)
            yield batch(posts=(raw(2),), cursor=Cursor(STREAM, "2"))

    with pytest.raises(StoreError):
        play(Torn(), store)


def test_batches_without_posts_are_held_so_that_commits_are_few(store):
    commits = []
    steps = [{"seen": (Seen(STREAM, T0, 1),)} for _ in range(200)]
    play(Scripted(*steps), store, on_commit=lambda batch, committed: commits.append(batch))
    assert len(commits) <= 3
    assert status(store).seen == {STREAM: 200}
    assert store.cursor(STREAM) == Cursor(STREAM, "200")


def test_commits_of_a_replay_keep_their_distance(store):
    commits = []
    steps = [posts(raw(number)) for number in range(1, 101)]
    play(Scripted(*steps), store, on_commit=lambda batch, committed: commits.append(batch), commit_seconds=0.2)
    assert len(commits) < 20
    assert len(ids(store)) == 100


def test_an_empty_stream_commits_nothing(store):
    commits = []

    class Empty(Scripted):
        def pull(self, cursor):
            yield batch()

    play(Empty(), store, on_commit=lambda batch, committed: commits.append(batch))
    assert commits == []


def test_a_stop_between_batches_keeps_what_was_committed(store):
    stop = threading.Event()
    play(Scripted(posts(raw(1)), posts(raw(2))), store, stop=stop, on_commit=lambda *_: stop.set())
    assert ids(store) == {uri(1)}
    play(Scripted(posts(raw(1)), posts(raw(2))), store)
    assert ids(store) == {uri(1), uri(2)}


def test_what_comes_of_each_commit_is_told(store):
    told = []
    play(Scripted(posts(raw(1), raw(2))), store, on_commit=lambda batch, committed: told.append(committed.inserted))
    assert told == [2]


def test_a_reply_may_come_in_the_same_batch_as_its_parent(store):
    play(Scripted(posts(raw(1), raw(2, "same", kind="reply", reply_to=uri(1)))), store)
    assert rows(store)[uri(2)]["matched"] == ["soundcloud-ai/thread"]


def test_a_thread_ends_when_its_post_is_deleted(store):
    gone = {"deletions": (Deletion("bluesky", uri(1), did(1), T0),)}
    late = posts(raw(2, "same", kind="reply", reply_to=uri(1)))
    play(Scripted(posts(raw(1)), gone, late), store)
    assert ids(store) == set()


def test_an_edit_passes_unmatched_and_changes_stored_posts_only(store):
    edits = posts(raw(1, "never mind", is_edit=True), raw(2, "lunch", is_edit=True))
    play(Scripted(posts(raw(1)), edits), store, watch=Watch(0))
    assert {row["text"] for row in rows(store).values()} == {"never mind"}


def test_a_post_is_watched_for_the_days_of_the_stream_not_of_the_clock():
    watch = Watch(2)
    old, new = a_post(1), a_post(2, observed_at=T0 + timedelta(days=2))
    reply = a_post(3, kind="reply", reply_to=uri(1))
    watch.add(old)
    assert watch.rules_of(reply) == ("soundcloud-ai/thread",)
    watch.add(new)
    assert watch.rules_of(reply) == ()
    assert len(watch) == 1


def test_a_watch_of_no_days_watches_nothing():
    watch = Watch(0, {uri(1): ("soundcloud-ai",)})
    watch.add(a_post(2))
    assert len(watch) == 0


def test_a_thread_carries_every_topic_of_its_parents_that_no_rule_of_its_own_names():
    watch = Watch(30, {uri(1): ("one", "two"), uri(2): ("two", "three")})
    both = a_post(3, kind="reply", reply_to=uri(1), quote_of=uri(2))
    assert watch.rules_of(both) == ("one/thread", "three/thread", "two/thread")


def test_the_watch_begins_with_what_the_store_holds(store):
    store.commit(batch(posts=(a_post(1, observed_at=datetime.now(UTC)), a_post(2))))
    watch = Watch.of(store, "bluesky", 30)
    assert watch.rules_of(a_post(3, kind="quote", quote_of=uri(1))) == ("soundcloud-ai/thread",)
    assert len(watch) == 1
