"""The scripted filtered stream: what it sends, and every way in which it ends or spoils a connection."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import requests
import tweepy

from tests.servers.x import Clock, StreamFault, XServer, make_post

NOW = datetime(2025, 5, 9, 12, tzinfo=UTC)


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer(clock=Clock(NOW, runs=False)) as server:
        server.rules.put("soundcloud", tag="topic/rule")
        yield server


@contextlib.contextmanager
def stream(x: XServer, **params: str) -> Iterator[httpx.Response]:
    headers = {"authorization": f"Bearer {x.token}"}
    url = f"{x.url}/2/tweets/search/stream"
    with httpx.stream("GET", url, params=params, headers=headers, timeout=3) as answer:
        if answer.status_code != 200:
            answer.read()
        yield answer


def refused(x: XServer) -> httpx.Response:
    with stream(x) as answer:
        return answer


def publish(x: XServer, count: int, text: str = "soundcloud") -> list[str]:
    posts = [make_post(f"{text} {i}", NOW + timedelta(seconds=i), author=i) for i in range(count)]
    x.publish(*posts)
    return [post.id for post in posts]


def received(answer: httpx.Response, count: int) -> list[dict[str, Any]]:
    """That many lines with content."""
    lines = (line for line in answer.iter_lines() if line)
    return [json.loads(next(lines)) for _ in range(count)]


def all_lines(answer: httpx.Response) -> list[str]:
    """What comes until the end."""
    return [line for line in answer.iter_lines() if line]


def post_ids(lines: list[str]) -> list[str]:
    return [json.loads(line)["data"]["id"] for line in lines]


def test_matching_posts_come_with_their_rules_and_what_was_expanded(x):
    with stream(x, expansions="author_id", **{"tweet.fields": "created_at"}) as answer:
        x.publish(make_post("something else", NOW))
        (post_id,) = publish(x, 1)
        (line,) = received(answer, 1)
    (rule,) = x.rules.all()
    assert line["matching_rules"] == [{"id": rule.id, "tag": "topic/rule"}]
    assert (line["data"]["id"], line["data"]["created_at"]) == (post_id, "2025-05-09T12:00:00.000Z")
    assert line["includes"]["users"][0]["username"] == "author0"
    assert [(sent.post_id, sent.connection) for sent in x.stream.sent] == [(post_id, 1)]
    assert (x.bill()[NOW.date()].posts, x.bill()[NOW.date()].users) == (1, 1)


def test_the_stream_speaks_new_names_too(x):
    x.names = "new"
    post = make_post("soundcloud", NOW)
    with stream(x, expansions="referenced_tweets.id") as answer:
        x.hold(post)
        x.publish(make_post("", NOW, reposted=post))
        (line,) = received(answer, 1)
    assert line["data"]["referenced_posts"] == [{"type": "reposted", "id": post.id}]
    assert line["includes"]["posts"][0]["id"] == post.id


def test_heartbeats_come_at_the_pace_that_was_set(x):
    x.stream.heartbeat_seconds = 0.05
    with stream(x) as answer:
        chunks = answer.iter_raw()
        begin = time.monotonic()
        assert [next(chunks) for _ in range(4)] == [b"\r\n"] * 4
        assert 0.1 < time.monotonic() - begin < 2


def test_posts_of_the_time_without_a_connection_are_in_search_only(x):
    missed = publish(x, 2)
    with stream(x) as answer:
        assert x.stream.wait_connected()
        later = publish(x, 1)
        assert received(answer, 1)[0]["data"]["id"] == later[0]
    x.clock.move(timedelta(minutes=1))
    headers = {"authorization": f"Bearer {x.token}"}
    found = httpx.get(f"{x.url}/2/tweets/search/recent", params={"query": "soundcloud"}, headers=headers).json()
    assert {post["id"] for post in found["data"]} == {*missed, *later}


def test_there_is_one_connection_at_a_time(x):
    with stream(x):
        second = refused(x)
        assert second.status_code == 429
        assert (second.json()["title"], second.json()["connection_issue"]) == (
            "ConnectionException",
            "TooManyConnections",
        )
    with stream(x) as third:
        assert third.status_code == 200


def test_a_stream_needs_rules_and_a_token(x):
    x.rules.change({}, {"delete": {"values": ["soundcloud"]}})
    assert refused(x).json()["connection_issue"] == "RuleConfigurationIssue"
    x.token = "another"
    with httpx.stream("GET", f"{x.url}/2/tweets/search/stream", headers={"authorization": "Bearer old"}) as answer:
        assert answer.status_code == 401


def test_fifty_connects_are_allowed_in_fifteen_minutes(x):
    for _ in range(50):
        with stream(x) as answer:
            assert answer.status_code == 200
    answer = refused(x)
    assert (answer.status_code, answer.json()["title"]) == (429, "Too Many Requests")
    assert answer.headers["x-rate-limit-remaining"] == "0"
    x.clock.move(timedelta(minutes=15))
    assert refused(x).status_code == 200


@pytest.mark.parametrize(
    ("how", "status", "has_reset"),
    [("refuse_429", 429, True), ("refuse_429_without_reset", 429, False), ("refuse_503", 503, False)],
)
def test_a_connect_may_be_refused(x, how, status, has_reset):
    x.stream.script(StreamFault(how, reset_in=60))
    answer = refused(x)
    assert (answer.status_code, "x-rate-limit-reset" in answer.headers) == (status, has_reset)
    assert refused(x).status_code == 200


def test_a_clean_close_comes_after_the_posts_before_it(x):
    x.stream.script(StreamFault("close", after=2))
    with stream(x) as answer:
        sent = publish(x, 3)
        assert post_ids(all_lines(answer)) == sent[:2]
    assert [sent.post_id for sent in x.stream.sent] == sent[:2]


def test_an_operational_disconnect_says_its_kind(x):
    x.stream.script(StreamFault("operational_disconnect", after=1, disconnect_type="ServerShutdown"))
    with stream(x) as answer:
        publish(x, 1)
        last = json.loads(all_lines(answer)[-1])
    assert last["errors"][0]["title"] == "operational-disconnect"
    assert last["errors"][0]["disconnect_type"] == "ServerShutdown"


@pytest.mark.parametrize(("how", "error"), [("reset", httpx.ReadError), ("cut", httpx.RemoteProtocolError)])
def test_a_break_loses_nothing_that_was_sent(x, how, error):
    x.stream.script(StreamFault(how, after=200))
    lines: list[str] = []
    with stream(x) as answer:
        sent = publish(x, 300)
        with pytest.raises(error):
            for line in answer.iter_lines():
                lines += [line] if line else []
    assert post_ids(lines) == sent[:200]
    assert [entry.post_id for entry in x.stream.sent] == sent[:200]
    assert x.bill()[NOW.date()].posts == 200


def test_a_reset_waits_for_a_client_that_reads_slowly(x):
    x.stream.script(StreamFault("reset", after=100))
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(("127.0.0.1", int(x.url.rsplit(":", 1)[1])))
        client.sendall(f"GET /2/tweets/search/stream HTTP/1.1\r\nauthorization: Bearer {x.token}\r\n\r\n".encode())
        assert x.stream.wait_connected()
        publish(x, 100, "soundcloud " * 20)
        assert x.stream.wait_sent(100)
        assert _until_reset(client).count(b'"data"') == 100


def _until_reset(client: socket.socket) -> bytes:
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1_024):
            content += part
    return content


def test_silence_brings_neither_posts_nor_heartbeats(x):
    x.stream.script(StreamFault("silence", after=1))
    with stream(x) as answer:
        publish(x, 2)
        with pytest.raises(httpx.ReadTimeout):
            all_lines(answer)
    with stream(x) as answer:
        assert answer.status_code == 200


def test_a_strike_ends_the_open_connection_behind_its_posts(x):
    with stream(x) as answer:
        sent = publish(x, 5)
        x.stream.strike("close")
        assert post_ids(all_lines(answer)) == sent


def test_spoiled_lines_come_between_good_ones(x):
    x.stream.script(
        StreamFault("bad_json", after=1),
        StreamFault("untagged", after=1),
        StreamFault("duplicate", after=2),
        StreamFault("unordered", after=4),
        StreamFault("close", after=7),
    )
    with stream(x) as answer:
        sent = publish(x, 6)
        lines = all_lines(answer)
    with pytest.raises(ValueError):
        json.loads(lines.pop(1))
    assert post_ids(lines) == [sent[0], sent[1], sent[2], sent[2], sent[4], sent[3], sent[5]]
    tagged = ["tag" in json.loads(line)["matching_rules"][0] for line in lines]
    assert tagged == [True, False, True, True, True, True, True]
    assert x.bill()[NOW.date()].posts == 6


def test_an_edit_comes_as_a_newer_post_of_the_same_history(x):
    post = make_post("soundcloud tpyo", NOW)
    with stream(x) as answer:
        x.publish(post)
        x.edit(post, "soundcloud typo", NOW + timedelta(minutes=1))
        first, second = (line["data"] for line in received(answer, 2))
    assert first["edit_history_tweet_ids"] == [post.id]
    assert second["edit_history_tweet_ids"] == [post.id, second["id"]]


def test_spent_credits_end_the_stream_and_refuse_the_next(x):
    with stream(x) as answer:
        x.block()
        assert all_lines(answer) == []
    assert refused(x).status_code == 402


def test_a_server_that_ends_lets_go_of_its_clients():
    with XServer() as server, httpx.Client(headers={"authorization": f"Bearer {server.token}"}, timeout=3) as client:
        client.get(f"{server.url}/2/tweets", params={"ids": "1"})
        server.__exit__()
        with XServer(port=int(server.url.rsplit(":", 1)[1])) as again:
            client.get(f"{again.url}/2/tweets", params={"ids": "1"})
            assert again.count("lookup") == 1


class _ToLocal(requests.adapters.HTTPAdapter):
    """Sends what is meant for api.twitter.com to the server."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://api.twitter.com", self._url)
        return super().send(request, *args, **kwargs)


class _Ears(tweepy.StreamingClient):  # type: ignore[misc]  # tweepy has no types
    heard: list[dict[str, Any]]

    def on_data(self, raw_data: bytes) -> None:
        self.heard.append(json.loads(raw_data))
        if len(self.heard) == 3:
            self.disconnect()


def test_tweepy_searches_counts_and_streams(x):
    client = tweepy.Client(x.token, return_type=dict)
    ears = _Ears(x.token)
    ears.heard = []
    for sdk in (client, ears):
        sdk.session.mount("https://api.twitter.com", _ToLocal(x.url))
    old = [make_post(f"soundcloud {i}", NOW - timedelta(hours=i + 1)) for i in range(15)]
    x.hold(*old)
    pages = list(tweepy.Paginator(client.search_recent_tweets, "soundcloud", tweet_fields=["lang"], max_results=10))
    assert [post["id"] for page in pages for post in page["data"]] == [post.id for post in old]
    assert client.get_recent_tweets_count("soundcloud")["meta"]["total_tweet_count"] == 15
    assert len(client.get_tweets([post.id for post in old])["data"]) == 15
    added = ears.add_rules(tweepy.StreamRule("clause", tag="other"))
    assert [rule.tag for rule in ears.get_rules().data] == ["topic/rule", added.data[0].tag]
    thread = ears.filter(threaded=True, expansions=["author_id"])
    assert x.stream.wait_connected()
    sent = publish(x, 3)
    thread.join(10)
    assert [line["data"]["id"] for line in ears.heard] == sent
    job = client.create_compliance_job("tweets")["data"]
    assert client.get_compliance_job(job["id"])["data"]["status"] == "created"
    with pytest.raises(tweepy.TooManyRequests):
        x.rate_limit("search/recent")
        client.search_recent_tweets("soundcloud")
