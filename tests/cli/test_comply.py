"""monitor comply, as an operator types it."""

import json
import signal
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.errors import AuthError, MonitorError, NoDatabase
from monitor.records import Batch
from monitor.store import Store
from monitor.store.checks import checks
from tests.collect.rig import ids
from tests.conftest import T0, a_post
from tests.servers.x import XServer, make_post
from tests.servers.xrpc import Xrpc, post_view

NOW = datetime.now(UTC)
SECRET = "words that were taken back"


def call(*arguments):
    result = CliRunner().invoke(app, ["comply", *map(str, arguments)])
    if isinstance(result.exception, MonitorError):
        raise result.exception
    return result


@pytest.fixture
def bluesky():
    with Xrpc() as server:
        yield server


@pytest.fixture
def x(monkeypatch):
    with XServer() as server:
        monkeypatch.setenv("X_BEARER_TOKEN", server.token)
        yield server


@pytest.fixture
def config(tmp_path, bluesky, x, monkeypatch):
    monkeypatch.delenv("BLUESKY_HANDLE", raising=False)
    path = tmp_path / "monitor.toml"
    path.write_text(
        f"""
        [[topics]]
        name = "soundcloud-ai"
        platform = "SoundCloud"
        [[topics.rules]]
        id = "any"
        phrases = ["soundcloud"]
        [bluesky]
        service_url = "{bluesky.url}"
        [x]
        api_url = "{x.url}"
        """
    )
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield path
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def store(config):
    return Store(config.parent / "monitor.duckdb")


def at_bluesky(bluesky, store, n=3):
    """Posts by as many authors, there and stored; the first was taken back."""
    posts = [a_post(number, text=SECRET) for number in range(n)]
    store.commit(Batch("bluesky:live", posts=tuple(posts)))
    bluesky.posts = [post_view(post.text, T0, author=post.author_id, rkey=post.post_id[-1]) for post in posts[1:]]
    return posts


def at_x(x, store, n=3):
    posts = [make_post("soundcloud", NOW - timedelta(hours=1), author=number) for number in range(n)]
    x.hold(*posts)
    values = {"platform": "x", "text": SECRET}
    store.commit(Batch("x:live", posts=tuple(a_post(1, post_id=p.id, author_id=p.author.id, **values) for p in posts)))
    x.remove(posts[0].id)
    x.remove_author(posts[1].author)
    return posts


def test_both_are_asked_and_what_was_done_is_said_in_words(config, store, bluesky, x):
    first, posts = at_bluesky(bluesky, store), at_x(x, store)
    out = call("-c", config).stdout.splitlines()
    assert out == [
        "Bluesky: asked about 3 posts, 2 still there; 1 deleted, 0 hidden. Cost: nothing.",
        "X: asked about 3 posts, 1 still there; 1 deleted, 1 hidden. Cost: nothing.",
    ]
    assert ids(store) == {*(post.post_id for post in first[1:]), *(post.id for post in posts[1:])}


def test_for_programs_it_says_the_same(config, store, bluesky, x):
    at_x(x, store)
    (report,) = json.loads(call("-c", config, "--platform", "x", "--json").stdout)
    done = {"deleted": 1, "hidden": 1, "shown": 0, "scrubbed": 0, "contexts": 0, "dollars": 0.0}
    assert report == {"platform": "x", "asked": 3, "still_there": 1, **done}
    assert bluesky.requests == []


def test_the_log_says_what_was_asked_answered_and_done_without_text_or_id(config, store, bluesky, x):
    gone, posts = at_bluesky(bluesky, store)[0], at_x(x, store)
    call("-c", config)
    log = json.loads(call("-c", config, "--log", "--json").stdout)
    assert [(c["platform"], c["state"], c["asked"], c["named"]) for c in log["checks"]] == [
        ("bluesky", "applied", 3, 1),
        ("x", "applied", 3, 2),
    ]
    assert sorted((row["platform"], row["action"], row["why"]) for row in log["done"]) == [
        ("bluesky", "deleted", "missing"),
        ("x", "deleted", "author"),
        ("x", "hidden", "suspended"),
    ]
    told = call("-c", config, "--log").stdout
    assert len(told.splitlines()) == 5
    for secret in (SECRET, gone.post_id, gone.author_id, posts[0].id, posts[1].author.id):
        assert secret not in told + json.dumps(log)


def test_without_credentials_x_is_refused_before_anything_is_asked(config, store, bluesky, x, monkeypatch):
    at_bluesky(bluesky, store)
    at_x(x, store)
    monkeypatch.delenv("X_BEARER_TOKEN")
    for platform in ("x", "all"):
        with pytest.raises(AuthError, match="X_BEARER_TOKEN is not set") as caught:
            call("-c", config, "--platform", platform)
        assert "--platform bluesky" in caught.value.hint
    assert (bluesky.requests, x.requests) == ([], [])
    assert "1 deleted" in call("-c", config, "--platform", "bluesky").stdout


def test_where_nothing_of_x_is_stored_no_token_is_needed(config, store, bluesky, x, monkeypatch):
    at_bluesky(bluesky, store)
    monkeypatch.delenv("X_BEARER_TOKEN")
    assert call("-c", config).stdout.startswith("Bluesky: asked about 3 posts")


def test_without_a_file_it_says_what_to_do(config):
    with pytest.raises(NoDatabase):
        call("-c", config)


def test_a_pass_over_bluesky_that_was_interrupted_goes_on_and_is_one_in_the_log(config, store, bluesky, x):
    posts = [a_post(number) for number in range(250)]
    store.commit(Batch("bluesky:live", posts=tuple(posts)))
    ordered = sorted(posts, key=lambda post: post.post_id)
    kept = [post for place, post in enumerate(ordered) if place % 50]
    bluesky.posts = [
        post_view(post.text, T0, author=post.author_id, rkey=post.post_id.rsplit("/", 1)[1]) for post in kept
    ]
    for _ in range(5):
        bluesky.fail("getPosts", seconds=0)
    bluesky.fail("getPosts", status=401, error="Unauthorized")  # beyond the first hundred, and hopeless
    with pytest.raises(AuthError):
        call("-c", config, "--platform", "bluesky")
    (begun,) = checks(store)
    assert (begun.state, begun.asked) == ("asking", 100)
    asked = len(bluesky.requests)
    out = call("-c", config, "--platform", "bluesky").stdout
    assert out.startswith("Bluesky: asked about 250 posts, 245 still there; 5 deleted")
    assert {uri for r in bluesky.requests[asked:] for uri in r.params.get("uris", ())}.isdisjoint(
        post.post_id for post in ordered[:100] if post in kept
    )
    (whole,) = checks(store)
    assert (whole.name, whole.state, whole.asked, whole.named) == (begun.name, "applied", 250, 5)
    call("-c", config, "--platform", "bluesky")
    assert [check.asked for check in checks(store)] == [250, 245]
