"""Compliance jobs of X: what was taken back goes, what is away is hidden, and a kill anywhere costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain

import duckdb
import pytest

from monitor.collect.backoff import Backoff
from monitor.collect.x_compliance import STREAM, ComplianceRun
from monitor.collect.x_jobs import JobsApi
from monitor.config import Secrets, X
from monitor.errors import AuthError, CollectError, RateLimited
from monitor.records import Batch, Check, Score
from monitor.store import Store
from monitor.store.checks import Checked, checks, open_check
from monitor.store.proofs import complied
from tests.collect.rig import ids, rows
from tests.conftest import a_post
from tests.servers.x import Fault, XPost, XServer, make_post

NOW = datetime.now(UTC)
OTHERS = "somebody else's words"


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer() as server:
        yield server


def run(x: XServer, store: Store, *, attempts: int = 0, **options) -> None:
    api = JobsApi(X(api_url=x.url), Secrets(x_bearer_token=x.token))
    backoff = Backoff(0.01, 0.02, attempts)
    ComplianceRun(api, store, threading.Event(), poll_seconds=0.01, backoff=backoff, **options).run()


def held(x: XServer, store: Store, n: int = 6) -> list[XPost]:
    """Posts by as many authors, at X and stored."""
    posts = [make_post(f"soundcloud secret{i}", NOW - timedelta(hours=n - i), author=i) for i in range(n)]
    x.hold(*posts)
    store.commit(Batch("x:live", posts=tuple(stored(post) for post in posts)))
    return posts


def stored(post: XPost, **fields):
    values = {"platform": "x", "post_id": post.id, "author_id": post.author.id, "text": post.text, "raw": post.text}
    return a_post(1, **(values | {"observed_at": post.created_at} | fields))


def applied(store: Store) -> list[Checked]:
    return [check for check in checks(store) if check.state == "applied"]


def texts_of(store: Store) -> str:
    """Everything that stands in any row of the file."""
    with duckdb.connect(str(store.path), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        return "\n".join(str(connection.execute(f'FROM "{name}"').fetchall()) for name in tables)


def hidden(store: Store) -> set[str]:
    return {post_id for post_id, row in rows(store).items() if row["hidden"]}


def test_what_was_taken_back_goes_with_everything_and_what_is_away_is_hidden(x, store):
    posts = held(x, store)
    reply = make_post("same", NOW, author=9, replied_to=posts[0])
    x.hold(reply)
    store.commit(Batch("x:live", posts=(stored(reply, reply_to=posts[0].id, context=posts[0].text, kind="reply"),)))
    store.commit_scores([Score("x", posts[0].id, 1.0, (1.0, 0, 0, 0), (1.0, 0, 0, 0, 0), (0, 1.0, 0), "m")])
    x.remove(posts[0].id)
    for post, reason in zip(posts[1:4], ("protected", "suspended", "deactivated"), strict=True):
        x.remove_author(post.author, reason)
    run(x, store)
    assert ids(store) == {reply.id, *(post.id for post in posts[2:])}
    assert hidden(store) == {posts[2].id, posts[3].id}
    assert [word for word in ("secret0", "secret1") if word in texts_of(store)] == []
    assert rows(store)[reply.id]["context"] is None
    (check,) = applied(store)
    assert (check.asked, check.named, check.deleted, check.hidden, check.contexts) == (7, 4, 2, 2, 1)
    proof = {(row.what, row.action, row.why) for row in complied(store)}
    assert proof == {
        ("post", "deleted", "author"),
        ("post", "deleted", "protected"),
        ("author", "hidden", "suspended"),
        ("author", "hidden", "deactivated"),
    }
    assert [(row.posts, row.scores, row.contexts) for row in complied(store) if row.why == "author"] == [(1, 1, 1)]
    assert x.dollars() == 0


def test_nothing_of_what_was_asked_stays_in_the_file_once_it_is_answered(x, store):
    posts = held(x, store)
    x.remove(posts[0].id)
    run(x, store)
    assert store.cursor(STREAM).value == ""
    assert open_check(store, "x") is None
    with duckdb.connect(str(store.path), read_only=True) as connection:
        assert connection.execute("FROM asked").fetchall() == []
        assert posts[0].id not in str(connection.execute("FROM proofs").fetchall())


def test_who_is_back_is_shown_again(x, store):
    posts = held(x, store)
    x.remove_author(posts[2].author, "suspended")
    run(x, store)
    run(x, store)
    assert hidden(store) == {posts[2].id}
    x.bring_back(posts[2].author)
    run(x, store)
    assert hidden(store) == set()
    assert [(check.hidden, check.shown) for check in applied(store)] == [(1, 0), (0, 0), (0, 1)]


def test_a_text_that_came_along_with_a_reply_goes_although_its_post_was_never_stored(x, store):
    parents = [make_post(OTHERS, NOW, author=1), make_post(OTHERS, NOW, author=2)]
    for parent, author in zip(parents, (8, 9), strict=True):
        x.hold(parent, reply := make_post("same", NOW, author=author, replied_to=parent))
        store.commit(Batch("x:live", posts=(stored(reply, reply_to=parent.id, context=OTHERS, kind="reply"),)))
    x.remove(parents[0].id)
    x.remove_author(parents[1].author, "suspended")
    run(x, store)
    assert OTHERS not in texts_of(store)
    assert len(ids(store)) == 2
    assert (applied(store)[0].deleted, applied(store)[0].contexts) == (0, 2)


def test_of_a_post_whose_place_was_taken_back_the_payload_goes_and_the_text_stays(x, store):
    posts = held(x, store, 2)
    x.remove(posts[0].id, reason="scrub_geo")
    run(x, store)
    assert (rows(store)[posts[0].id]["raw"], rows(store)[posts[0].id]["text"]) == (None, posts[0].text)
    assert rows(store)[posts[1].id]["raw"] == posts[1].text
    assert applied(store)[0].scrubbed == 1


@pytest.mark.parametrize(
    ("reason", "is_stored", "is_hidden"),
    [
        ("deleted", False, False),
        ("protected", False, False),
        ("bounced", False, False),
        ("withheld", False, False),
        ("suspended", True, True),
        ("deactivated", True, True),
        ("scrub_geo", True, False),
    ],
)
def test_each_reason_that_x_gives_does_what_readme_says(x, store, reason, is_stored, is_hidden):
    first, other = held(x, store, 2)
    x.remove(first.id, reason=reason)
    run(x, store)
    assert ids(store) == {other.id} | ({first.id} if is_stored else set())
    assert hidden(store) == ({first.id} if is_hidden else set())
    if not is_stored:
        assert first.text not in texts_of(store)


@pytest.mark.parametrize("reason", ["something new"])
def test_a_reason_that_is_unknown_is_taken_at_xs_word(x, store, reason):
    posts = held(x, store, 2)
    x.remove(posts[0].id, reason=reason)
    run(x, store)
    assert ids(store) == {posts[1].id}


def test_what_nobody_asked_about_is_left_alone_and_what_says_nothing_is_rejected(x, store):
    posts = held(x, store, 2)
    later = make_post("soundcloud", NOW, author=5)
    body = b'{"id": "17", "reason": "deleted"}\n\n[]\nno json\n{"id": "%s"}\n' % later.id.encode()
    x.fault("download", Fault(body=body))
    x.fault("compliance", Fault())
    run(x, store, on_check=lambda _: store.commit(Batch("x:live", posts=(stored(later),))))
    assert ids(store) == {later.id, *(post.id for post in posts)}
    assert applied(store)[0].named == 0
    assert store.read("status_rejected")["n"].to_pylist() == [2]


def test_ids_go_in_chunks_and_each_once(x, store):
    posts = held(x, store, 7)
    for post in posts[::2]:
        x.remove(post.id)
    run(x, store, most=3)
    jobs = [job.ids for job in x.compliance.jobs.values()]
    assert [len(asked) for asked in jobs] == [3, 3, 1]
    assert sorted(chain.from_iterable(jobs)) == [post.id for post in posts]
    assert ids(store) == {post.id for post in posts[1::2]}
    assert store.cursor(STREAM).value == ""


def test_a_pass_whose_last_job_is_full_ends_too(x, store):
    held(x, store, 6)
    run(x, store, most=3)
    assert len(x.compliance.jobs) == 2
    assert store.cursor(STREAM).value == ""


def test_an_empty_store_asks_nothing(x, store):
    run(x, store)
    assert x.requests == []


# What a kill, or a broken wire, does.


def comes_to_the_same_as_without(x: XServer, store: Store, posts: list[XPost]) -> None:
    assert ids(store) == {post.id for post in posts[2:]}
    assert hidden(store) == {posts[2].id}
    good = applied(store)
    assert (sum(c.asked for c in good), sum(c.named for c in good)) == (6, 3)
    assert (sum(c.deleted for c in good), sum(c.hidden for c in good)) == (2, 1)
    assert len(complied(store)) == 3
    assert len(x.compliance.jobs) == len(good) == 2  # nothing was asked twice
    assert [check.state for check in checks(store)] == ["applied", "applied"]
    assert store.cursor(STREAM).value == ""


def withdrawn(x: XServer, store: Store) -> list[XPost]:
    posts = held(x, store)
    x.remove(posts[0].id, posts[1].id)
    x.remove_author(posts[2].author)
    return posts


@pytest.mark.parametrize("fault", [{"resets": True}, {"cuts": True}], ids=str)
@pytest.mark.parametrize(
    ("endpoint", "place"),
    [("compliance", n) for n in range(8)] + [("upload", n) for n in (0, 1)] + [("download", 0), ("download", 1)],
)
def test_a_program_that_dies_at_any_request_goes_on_where_it_was(x, store, endpoint, place, fault):
    posts = withdrawn(x, store)
    for _ in range(place):
        x.fault(endpoint, Fault())
    x.fault(endpoint, Fault(**fault))
    with suppress(CollectError):
        run(x, store, most=3)
    if open_check(store, "x") or store.cursor(STREAM).value:  # a pass that is over would begin anew
        run(x, store, most=3)
    comes_to_the_same_as_without(x, store, posts)


class Dying(Store):
    """A store whose program is killed right before or right after one of its writes."""

    def __init__(self, path, writes: int, *, after: bool) -> None:
        super().__init__(path)
        self.left, self.after = writes, after

    def plan_check(self, *arguments, **options):
        return self._write(super().plan_check, *arguments, **options)

    def commit(self, *arguments, **options):
        return self._write(super().commit, *arguments, **options)

    def _write(self, write, *arguments, **options):
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KeyboardInterrupt
        result = write(*arguments, **options)
        if self.left == 0:
            raise KeyboardInterrupt
        return result


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("writes", range(1, 11))
def test_a_program_that_dies_around_any_write_goes_on_where_it_was(x, store, writes, after):
    posts = withdrawn(x, store)
    with suppress(KeyboardInterrupt):
        run(x, Dying(store.path, writes, after=after), most=3)
    if open_check(store, "x") or not store.cursor(STREAM) or store.cursor(STREAM).value:
        run(x, store, most=3)
    comes_to_the_same_as_without(x, store, posts)


def test_an_answer_that_breaks_off_is_asked_for_again_and_nobody_in_its_rest_is_taken_for_there(x, store):
    posts = held(x, store)
    x.remove(*(post.id for post in posts))
    lines = [f'{{"id": "{post.id}", "reason": "deleted"}}' for post in posts[:2]]
    x.fault("download", Fault(body="\n".join(lines)[:-9].encode()))
    with pytest.raises(CollectError, match="breaks off"):
        run(x, store)
    assert len(ids(store)) == 6
    run(x, store)
    assert ids(store) == set()


@pytest.mark.parametrize("ending", ["failed", "expired"])
def test_a_job_that_comes_to_nothing_is_followed_by_another(x, store, ending):
    posts = held(x, store)
    x.remove(posts[0].id)
    x.compliance.ends_as = ending

    def mended(_: str) -> None:
        if x.compliance.jobs:
            x.compliance.ends_as = "complete"

    run(x, store, on_check=mended)
    assert [check.state for check in checks(store)] == [ending, "applied"]
    assert len(ids(store)) == 5


def test_three_jobs_in_a_row_that_fail_are_enough(x, store):
    held(x, store)
    x.compliance.ends_as = "failed"
    with pytest.raises(CollectError, match="3 compliance jobs"):
        run(x, store)
    assert [check.state for check in checks(store)] == ["failed"] * 3
    x.compliance.ends_as = "complete"
    run(x, store)
    assert len(applied(store)) == 1


@pytest.mark.parametrize("wait", [timedelta(minutes=16), timedelta(days=8)], ids=["upload", "download"])
def test_a_job_that_was_left_for_too_long_is_made_anew(x, store, wait):
    posts = held(x, store)
    x.fault("download" if wait.days else "upload", Fault(resets=True))
    with pytest.raises(CollectError):
        run(x, store)
    x.remove(posts[0].id)
    x.clock.move(wait)
    run(x, store)
    assert [check.state for check in checks(store)] == ["expired", "applied"]
    assert len(ids(store)) == 5


def test_a_job_that_x_does_not_know_any_more_is_made_anew(x, store):
    held(x, store)
    x.fault("upload", Fault(resets=True))
    with pytest.raises(CollectError):
        run(x, store)
    x.compliance.jobs.clear()
    run(x, store)
    assert [check.state for check in checks(store)] == ["expired", "applied"]


def test_somebody_elses_unfinished_job_is_no_fault_of_ours(x):
    x.compliance.create({"type": "tweets", "name": "another program"})
    with pytest.raises(RateLimited, match="unfinished") as caught:
        JobsApi(X(api_url=x.url), Secrets(x_bearer_token=x.token)).create("ours")
    assert caught.value.wait_seconds == 60.0


def test_somebody_elses_unfinished_job_is_waited_for(x, store):
    posts = held(x, store)
    x.remove(posts[0].id)
    x.compliance.create({"type": "tweets", "name": "another program"})
    stop = threading.Event()
    api = JobsApi(X(api_url=x.url), Secrets(x_bearer_token=x.token))
    waiting = ComplianceRun(api, store, stop, poll_seconds=0.01)
    thread = threading.Thread(target=waiting.run)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    x.clock.move(timedelta(minutes=16))
    run(x, store)
    assert len(ids(store)) == 5


def test_rate_limits_are_waited_out_as_x_says(x, store):
    held(x, store)
    x.rate_limit("compliance", reset_in=-5)
    stop = threading.Event()
    waits = []

    class Impatient(Backoff):
        def wait(self, stream, error, stop):
            waits.append(error.wait_seconds)
            return True

    api = JobsApi(X(api_url=x.url), Secrets(x_bearer_token=x.token))
    ComplianceRun(api, store, stop, poll_seconds=0.01, backoff=Impatient()).run()
    assert waits == [10.0]
    assert len(applied(store)) == 1


def test_credentials_that_are_refused_are_not_tried_again(x, store):
    held(x, store)
    api = JobsApi(X(api_url=x.url), Secrets(x_bearer_token="another"))
    with pytest.raises(AuthError):
        ComplianceRun(api, store, threading.Event()).run()
    assert x.count("compliance") == 1


def test_ids_and_answers_travel_without_the_token(x, store):
    held(x, store)
    run(x, store)
    assert {request.is_authorised for request in x.requests if request.endpoint in ("upload", "download")} == {False}


def test_a_check_that_has_ended_takes_nothing_more(x, store):
    held(x, store)
    run(x, store)
    before = checks(store)
    store.commit(Batch(STREAM, checks=(Check(before[0].name, "x", "created", "9", 7, 7),)))
    assert checks(store) == before


def test_what_is_removed_between_the_plan_and_the_question_is_not_asked_about(x, store):
    posts = held(x, store, 2)
    x.fault("compliance", Fault())
    x.fault("compliance", Fault(resets=True))
    with pytest.raises(CollectError):
        run(x, store)
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("DELETE FROM posts WHERE post_id = ?", [posts[0].id])
    run(x, store)
    assert [job.ids for job in x.compliance.jobs.values()] == [[posts[1].id]]
