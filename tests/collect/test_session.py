"""How we log in, keep the session, and what every fault of the service becomes."""

import json
import logging
import stat

import pytest

from monitor.collect.bluesky_faults import Refused
from monitor.collect.bluesky_session import PUBLIC_URL, Session, anonymous, logged_in, session_path
from monitor.config import Bluesky, Secrets
from monitor.errors import AuthError, CollectError, RateLimited
from tests.conftest import T0
from tests.servers.xrpc import Xrpc, post_view

GET_POSTS = "app.bsky.feed.getPosts"


@pytest.fixture
def server():
    with Xrpc() as server:
        server.posts = [post_view("a post", T0)]
        yield server


@pytest.fixture
def kept(tmp_path):
    return session_path(tmp_path / "monitor.duckdb")


def a_session(server, path, password="app-pass-word", handle="monitor.test"):
    secrets = Secrets(bluesky_handle=handle, bluesky_app_password=password)
    return logged_in(Bluesky(service_url=server.url), secrets, path)


def ask(session, server):
    return session.query(GET_POSTS, {"uris": [view["uri"] for view in server.posts]})["posts"]


def test_a_query_logs_in_and_answers_plain_json(server, kept):
    assert ask(a_session(server, kept), server) == server.posts
    assert server.requests[-1].authorized


def test_the_session_is_kept_for_its_owner_only_and_taken_up_without_another_login(server, kept):
    ask(a_session(server, kept), server)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert ask(a_session(server, kept), server) == server.posts
    assert server.count("createSession") == 1


def test_the_file_of_a_session_is_private_even_where_a_readable_one_lay(server, kept):
    kept.write_text("{}")
    kept.chmod(0o644)
    ask(a_session(server, kept), server)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_token_about_to_expire_is_refreshed_and_the_new_session_is_kept(server, kept):
    server.token_seconds = 60.0
    ask(a_session(server, kept), server)
    before = kept.read_text()
    ask(a_session(server, kept), server)
    assert server.count("refreshSession") >= 1
    assert server.count("createSession") == 1
    assert kept.read_text() != before


def test_a_token_that_the_server_revoked_leads_to_a_new_login(server, kept):
    session = a_session(server, kept)
    ask(session, server)
    server.expire_tokens(refresh=True)
    assert ask(session, server) == server.posts
    assert server.count("createSession") == 2


def test_a_refresh_token_that_ran_out_leads_to_a_new_login(server, kept):
    server.token_seconds = 60.0
    session = a_session(server, kept)
    ask(session, server)
    server.expire_tokens(refresh=True)
    server.token_seconds = 7200.0
    assert ask(session, server) == server.posts


@pytest.mark.parametrize("text", ["", "garbage", "[1]", '{"service_url": 1}', '{"session": "a:::b"}'])
def test_a_damaged_session_file_is_replaced(server, kept, text):
    kept.write_text(text)
    assert ask(a_session(server, kept), server) == server.posts
    assert json.loads(kept.read_text())["handle"] == "monitor.test"


def test_a_kept_session_with_tokens_that_are_none_is_replaced(server, kept):
    broken = "monitor.test:::did:plc:a:::not-a-token:::not-a-token:::" + server.url
    kept.write_text(json.dumps({"service_url": server.url, "handle": "monitor.test", "session": broken}))
    assert ask(a_session(server, kept), server) == server.posts


def test_the_session_of_one_server_is_never_shown_to_another(server, kept):
    ask(a_session(server, kept), server)
    with Xrpc() as other:
        other.posts = server.posts
        assert ask(a_session(other, kept), other) == other.posts
        assert other.count("createSession") == 1


def test_a_wrong_password_is_an_auth_error_with_a_hint_and_no_second_try(server, kept):
    with pytest.raises(AuthError, match="Invalid identifier or password") as caught:
        ask(a_session(server, kept, password="wrong"), server)
    assert "BLUESKY_APP_PASSWORD" in caught.value.hint
    assert server.count("createSession") == 1
    assert not kept.exists()


def test_missing_credentials_are_an_auth_error_before_anything_is_asked(server, kept):
    with pytest.raises(AuthError, match="BLUESKY_HANDLE"):
        logged_in(Bluesky(service_url=server.url), Secrets(), kept)


def test_nothing_secret_is_logged_or_shown(server, kept, caplog):
    caplog.set_level(logging.DEBUG)
    session = a_session(server, kept)
    ask(session, server)
    with pytest.raises(AuthError) as caught:
        ask(a_session(server, kept.with_name("other"), password="wrong-pass-word"), server)
    tokens = json.loads(kept.read_text())["session"].split(":::")[2:4]
    seen = f"{caplog.text} {caught.value} {session!r} {session.name} {vars(session)}"
    assert not any(secret in seen for secret in (*tokens, "app-pass-word", "wrong-pass-word"))


def test_a_429_says_how_long_to_wait_by_either_header(server, kept):
    session = a_session(server, kept)
    server.rate_limit("getPosts", reset_in=30)
    with pytest.raises(RateLimited) as caught:
        ask(session, server)
    assert 25 < caught.value.wait_seconds <= 30
    server.rate_limit("getPosts", retry_after="7")
    with pytest.raises(RateLimited) as caught:
        ask(session, server)
    assert caught.value.wait_seconds == 7
    server.rate_limit("getPosts", reset_in=-100)
    with pytest.raises(RateLimited) as caught:
        ask(session, server)
    assert caught.value.wait_seconds == 0.1
    server.rate_limit("getPosts")
    with pytest.raises(RateLimited) as caught:
        ask(session, server)
    assert caught.value.wait_seconds == 60


def test_a_429_at_login_is_a_rate_limit_and_not_a_wrong_password(server, kept):
    server.rate_limit("createSession", reset_in=300)
    with pytest.raises(RateLimited) as caught:
        ask(a_session(server, kept), server)
    assert caught.value.wait_seconds > 200


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502, "error": "UpstreamFailure"},
        {"status": 503, "body": b"<html>busy</html>"},
        {"resets": True},
        {"body": b"not json"},
        {"body": b"[]"},
        {"seconds": 0.6},
    ],
    ids=str,
)
def test_a_fault_of_the_service_is_a_collect_error_and_the_next_query_works(server, fault):
    session = Session(server.url, timeout_seconds=0.3)
    server.fail("getPosts", **fault)
    with pytest.raises(CollectError) as caught:
        ask(session, server)
    assert type(caught.value) is CollectError
    assert server.url in caught.value.message
    assert ask(session, server) == server.posts


def test_a_dead_server_is_a_collect_error(server):
    with pytest.raises(CollectError, match="does not answer"):
        Session("http://127.0.0.1:9").query(GET_POSTS, {"uris": []})


def test_a_400_is_a_refusal_that_carries_its_name(server):
    with pytest.raises(Refused) as caught:
        Session(server.url).query(GET_POSTS, {"uris": ["at://did:plc:a/app.bsky.feed.post/1"] * 26})
    assert caught.value.name == "InvalidRequest"


def test_a_method_that_is_not_served_hints_at_the_address(server):
    with pytest.raises(CollectError) as caught:
        Session(server.url).query("app.bsky.feed.getTimeline", {})
    assert "service_url" in caught.value.hint


def test_one_post_with_a_lone_surrogate_takes_no_page_with_it(server):
    body = json.dumps({"posts": [{"text": "\ud83d"}, {"text": "whole"}]}).encode()
    server.fail("getPosts", body=body)
    answer = Session(server.url).query(GET_POSTS, {"uris": ["x"]})
    assert [post["text"] for post in answer["posts"]] == ["\ud83d", "whole"]


def test_without_login_bsky_social_is_asked_through_the_public_appview():
    assert anonymous(Bluesky()).service_url == PUBLIC_URL
    assert anonymous(Bluesky(service_url="http://localhost:1")).service_url == "http://localhost:1"


def test_importing_the_room_does_not_import_the_sdk():
    import subprocess
    import sys

    code = (
        "import sys, monitor.collect.bluesky_search, monitor.collect.recheck;"
        "assert not {'atproto', 'httpx'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
