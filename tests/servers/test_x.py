"""The scripted X server keeps what platforms say of X: searched, counted, refused, billed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect import archive_x
from monitor.records import Post
from tests.servers.x import (
    Clock,
    Fault,
    XPost,
    XServer,
    make_post,
    make_user,
    out_of_credits,
    spend_cap_reached,
    usage_capped,
)
from tests.servers.x.posts import edited
from tests.servers.x.query import BadQuery, Where, matches, parse

NOW = datetime(2025, 5, 9, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def x() -> Iterator[XServer]:
    with XServer(clock=Clock(NOW, runs=False)) as server:
        server.limits.archive_pause_seconds = 0
        yield server


def ask(x: XServer, path: str, token: str | None = None, **params: Any) -> httpx.Response:
    """GET with dots in parameter names written as two underscores."""
    named = {name.replace("__", "."): value for name, value in params.items()}
    headers = {"authorization": f"Bearer {token or x.token}"}
    return httpx.get(f"{x.url}/2/{path}", params=named, headers=headers, timeout=5)


def send(x: XServer, path: str, body: Any, **params: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {x.token}"}
    return httpx.post(f"{x.url}/2/{path}", params=params, json=body, headers=headers, timeout=5)


def ids(answer: httpx.Response) -> list[str]:
    return [post["id"] for post in answer.json().get("data", [])]


def pages(x: XServer, path: str, **params: Any) -> Iterator[httpx.Response]:
    token: dict[str, str] = {}
    while True:
        answer = ask(x, path, **params, **token)
        yield answer
        if "next_token" not in answer.json()["meta"]:
            return
        token = {"next_token": answer.json()["meta"]["next_token"]}


def hourly(count: int, text: str = "soundcloud clause") -> list[XPost]:
    """Posts of the last hours, the newest first, of two authors in turn."""
    return [make_post(f"{text} {i}", NOW - i * HOUR - MINUTE, author=1 + i % 2) for i in range(count)]


def test_recent_search_gives_the_newest_first_up_to_thirty_seconds_ago(x):
    posts = hourly(3)
    x.hold(*posts, make_post("soundcloud just now", NOW - timedelta(seconds=29)))
    answer = ask(x, "tweets/search/recent", query="soundcloud")
    assert ids(answer) == [post.id for post in posts]
    meta = answer.json()["meta"]
    assert meta == {"result_count": 3, "newest_id": posts[0].id, "oldest_id": posts[-1].id}


def test_pages_do_not_shift_while_new_posts_arrive(x):
    posts = hourly(25)
    x.hold(*posts)
    seen = []
    for answer in pages(x, "tweets/search/recent", query="soundcloud", max_results=10):
        seen += ids(answer)
        x.clock.move(MINUTE)
        x.hold(make_post("soundcloud again", x.clock.now() - timedelta(seconds=50)))
    assert seen == [post.id for post in posts]
    assert x.count("search/recent") == 3


def test_a_page_token_belongs_to_its_query(x):
    x.hold(*hourly(12))
    token = ask(x, "tweets/search/recent", query="soundcloud").json()["meta"]["next_token"]
    assert ask(x, "tweets/search/recent", query="clause", next_token=token).status_code == 400
    assert ask(x, "tweets/search/recent", query="soundcloud", next_token="nonsense").status_code == 400


def test_windows_take_in_their_start_and_leave_out_their_end(x):
    posts = hourly(4)
    x.hold(*posts)
    start, end = (post.created_at.isoformat() for post in (posts[2], posts[0]))
    assert ids(ask(x, "tweets/search/recent", query="soundcloud", start_time=start, end_time=end)) == [
        posts[1].id,
        posts[2].id,
    ]
    assert ids(ask(x, "tweets/search/recent", query="soundcloud", since_id=posts[2].id)) == [posts[0].id, posts[1].id]
    assert ids(ask(x, "tweets/search/recent", query="soundcloud", until_id=posts[2].id)) == [posts[3].id]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("search/recent", {"query": "a" * 513}),
        ("search/all", {"query": "a" * 1_025}),
        ("search/recent", {"query": ""}),
        ("search/recent", {"query": "(open"}),
        ("search/recent", {"query": "ok", "start_time": "2025-05-02T11:59:59Z"}),
        ("search/recent", {"query": "ok", "end_time": "2025-05-09T11:59:55Z"}),
        ("search/recent", {"query": "ok", "start_time": "2025-05-09T11:00:00"}),
        ("search/recent", {"query": "ok", "start_time": "2025-05-09T11:00:00Z", "since_id": "1920000000000000000"}),
        ("search/recent", {"query": "ok", "since_id": "1900000000000000000"}),
        ("search/recent", {"query": "ok", "max_results": 101}),
        ("search/recent", {"query": "ok", "max_results": 9}),
        ("search/all", {"query": "ok", "max_results": 501}),
        ("search/recent", {"query": "ok", "tweet_fields": "lang"}),
        ("counts/recent", {"query": "ok", "granularity": "week"}),
    ],
)
def test_what_x_does_not_serve_is_refused_with_400(x, path, params):
    answer = ask(x, f"tweets/{path}", **params)
    assert answer.status_code == 400
    assert {"title", "detail", "type", "errors"} <= answer.json().keys()
    assert x.dollars() == 0


def test_the_full_archive_takes_long_queries_long_pages_and_old_posts(x):
    old = [make_post(f"soundcloud {i}", NOW - timedelta(days=400 + i)) for i in range(120)]
    x.hold(*old)
    query = " OR ".join(["soundcloud", *(f"w{i:05d}" for i in range(90))])
    assert 512 < len(query) <= 1_024
    answer = ask(x, "tweets/search/all", query=query, max_results=500, start_time="2023-01-01T00:00:00Z")
    assert ids(answer) == [post.id for post in old]
    assert ids(ask(x, "tweets/search/all", query="soundcloud")) == []  # 30 days where no start is named


def test_the_full_archive_answers_once_a_second(x):
    x.limits.archive_pause_seconds = 1
    assert ask(x, "tweets/search/all", query="soundcloud").status_code == 200
    hasty = ask(x, "tweets/search/all", query="soundcloud")
    assert (hasty.status_code, hasty.headers["x-rate-limit-reset"]) == (429, str(int(NOW.timestamp()) + 1))
    x.clock.move(timedelta(seconds=1))
    assert ask(x, "tweets/search/all", query="soundcloud").status_code == 200


def test_only_the_fields_and_expansions_asked_for_are_sent(x):
    asked = make_post("what of the clause?", NOW - 2 * HOUR, author=2)
    reply = make_post("soundcloud says no", NOW - HOUR, replied_to=asked, links=("https://example.org/terms",))
    x.hold(asked, reply)
    bare = ask(x, "tweets/search/recent", query="soundcloud").json()
    assert bare["data"][0].keys() == {"id", "text", "edit_history_tweet_ids"}
    assert "includes" not in bare
    full = ask(
        x,
        "tweets/search/recent",
        query="soundcloud",
        tweet__fields="created_at,lang,entities,public_metrics,conversation_id",
        expansions="author_id,referenced_tweets.id,referenced_tweets.id.author_id",
        user__fields="created_at",
    ).json()
    (post,) = full["data"]
    assert (post["author_id"], post["conversation_id"]) == (reply.author.id, asked.id)
    assert post["entities"]["urls"][0]["expanded_url"] == "https://example.org/terms"
    assert post["text"][post["entities"]["urls"][0]["start"] :] == post["entities"]["urls"][0]["url"]
    assert [p["id"] for p in full["includes"]["tweets"]] == [asked.id]
    assert {user["username"] for user in full["includes"]["users"]} == {"author1", "author2"}


def test_a_referenced_post_that_is_gone_is_a_partial_error(x):
    gone = make_post("taken back", NOW - 2 * HOUR)
    x.hold(gone, make_post("soundcloud quote", NOW - HOUR, quoted=gone))
    x.remove(gone.id)
    answer = ask(x, "tweets/search/recent", query="soundcloud", expansions="referenced_tweets.id").json()
    assert len(answer["data"]) == 1
    assert [(e["title"], e["value"]) for e in answer["errors"]] == [("Not Found Error", gone.id)]


def test_counts_say_what_search_finds_in_whole_and_broken_buckets(x):
    x.hold(*hourly(30), make_post("something else", NOW - HOUR))
    answer = ask(x, "tweets/counts/recent", query="soundcloud", start_time=(NOW - 10 * HOUR + MINUTE).isoformat())
    body = answer.json()
    assert body["meta"] == {"total_tweet_count": 10}
    assert [bucket["tweet_count"] for bucket in body["data"]] == [1] * 10
    assert body["data"][0]["start"] == "2025-05-09T02:01:00.000Z"
    assert body["data"][0]["end"] == body["data"][1]["start"] == "2025-05-09T03:00:00.000Z"
    assert body["data"][-1]["end"] == "2025-05-09T11:59:30.000Z"


def test_counts_of_the_full_archive_come_by_thirty_one_days_a_page(x):
    x.hold(*[make_post("soundcloud", NOW - timedelta(days=i, minutes=1)) for i in range(100)])
    start = (NOW - timedelta(days=100)).isoformat()
    answers = list(pages(x, "tweets/counts/all", query="soundcloud", granularity="day", start_time=start))
    buckets = [bucket for answer in answers for bucket in answer.json()["data"]]
    assert len(answers) == 4
    assert sum(bucket["tweet_count"] for bucket in buckets) == 100
    assert len({bucket["start"] for bucket in buckets}) == len(buckets) == 101
    assert x.bill()[NOW.date()].counts_all == 4


def test_a_look_up_says_of_each_id_what_became_of_it(x):
    here, deleted, hidden = hourly(3)
    hidden = make_post("soundcloud hidden", NOW - 5 * HOUR, author=9)
    x.hold(here, deleted, hidden)
    x.remove(deleted.id)
    x.remove_author(hidden.author, "protected")
    asked = ",".join([hidden.id, here.id, deleted.id, "123"])
    answer = ask(x, "tweets", ids=asked)
    assert ids(answer) == [here.id]
    assert {e["value"]: e["title"] for e in answer.json()["errors"]} == {
        hidden.id: "Authorization Error",
        deleted.id: "Not Found Error",
        "123": "Not Found Error",
    }
    assert ids(ask(x, "tweets/search/recent", query="soundcloud")) == [here.id]
    x.bring_back(hidden.author)
    assert ids(ask(x, "tweets", ids=hidden.id)) == [hidden.id]
    assert ask(x, "tweets", ids=",".join(["1"] * 101)).status_code == 400


def test_a_token_that_is_wrong_and_an_endpoint_that_is_forbidden_are_told_apart(x):
    assert ask(x, "tweets", token="other", ids="1").status_code == 401
    x.forbidden.add("search/all")
    assert ask(x, "tweets/search/all", query="ok").json()["title"] == "Client Forbidden"
    assert ask(x, "nothing").status_code == 404
    assert [(r.endpoint, r.is_authorised, r.status) for r in x.requests] == [
        ("lookup", False, 401),
        ("search/all", True, 403),
        ("", True, 404),
    ]


def test_each_endpoint_has_its_own_window_that_ends_after_fifteen_minutes(x):
    x.limits.per_window["search/recent"] = 2
    reset = str(int((NOW + timedelta(minutes=15)).timestamp()))
    for left in ("1", "0"):
        answer = ask(x, "tweets/search/recent", query="ok")
        assert answer.headers["x-rate-limit-remaining"] == left
    refused = ask(x, "tweets/search/recent", query="ok")
    assert (refused.status_code, refused.json()["title"]) == (429, "Too Many Requests")
    assert (refused.headers["x-rate-limit-limit"], refused.headers["x-rate-limit-reset"]) == ("2", reset)
    assert "retry-after" not in refused.headers
    assert ask(x, "tweets/counts/recent", query="ok").status_code == 200
    x.clock.move(timedelta(minutes=15))
    assert ask(x, "tweets/search/recent", query="ok").status_code == 200


def test_a_429_may_come_with_a_reset_without_one_or_with_one_in_the_past(x):
    now = int(NOW.timestamp())
    for reset_in, header in ((60, str(now + 60)), (None, None), (-60, str(now - 60))):
        x.rate_limit("search/recent", reset_in=reset_in)
        answer = ask(x, "tweets/search/recent", query="ok")
        assert (answer.status_code, answer.headers.get("x-rate-limit-reset")) == (429, header)
    assert ask(x, "tweets/search/recent", query="ok").status_code == 200


@pytest.mark.parametrize(
    ("refusal", "status", "title"),
    [
        (out_of_credits(), 402, "CreditsDepleted"),
        (spend_cap_reached(), 402, "SpendCapReached"),
        (spend_cap_reached(403), 403, "SpendCapReached"),
        (usage_capped(), 429, "UsageCapExceeded"),
    ],
)
def test_spent_money_is_a_problem_with_a_title(x, refusal, status, title):
    x.block(refusal)
    for _ in range(2):
        answer = ask(x, "tweets/search/recent", query="ok")
        assert (answer.status_code, answer.json()["title"], answer.json()["status"]) == (status, title, status)
    x.unblock()
    assert ask(x, "tweets/search/recent", query="ok").status_code == 200


def test_faults_happen_once_each_and_in_order(x):
    x.hold(*hourly(1))
    x.fail("search/recent", 503, times=2)
    x.fault("search/recent", Fault(body=b"<html>"))
    x.fault("search/recent", Fault(resets=True))
    x.fault("search/recent", Fault(cuts=True))
    x.fault("search/recent", Fault(errors=({"title": "Service Unavailable"},)))
    assert [ask(x, "tweets/search/recent", query="soundcloud").status_code for _ in range(2)] == [503, 503]
    assert ask(x, "tweets/search/recent", query="soundcloud").text == "<html>"
    assert x.dollars() == 0
    with pytest.raises(httpx.ReadError):
        ask(x, "tweets/search/recent", query="soundcloud")
    assert x.dollars() == 0
    with pytest.raises(httpx.RemoteProtocolError):
        ask(x, "tweets/search/recent", query="soundcloud")
    assert x.dollars() == Decimal("0.005")  # the answer was served
    partial = ask(x, "tweets/search/recent", query="soundcloud").json()
    assert (len(partial["data"]), partial["errors"]) == (1, [{"title": "Service Unavailable"}])


def test_a_stalled_answer_costs_nothing_when_the_client_has_gone(x):
    x.hold(*hourly(1))
    x.stall("search/recent", 30)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(
            f"{x.url}/2/tweets/search/recent",
            params={"query": "soundcloud"},
            headers={"authorization": f"Bearer {x.token}"},
            timeout=0.2,
        )
    time.sleep(0.3)  # the server has seen it go
    assert (x.dollars(), x.requests[-1].status) == (0, None)
    x.stall("search/recent", 0.2)
    assert len(ids(ask(x, "tweets/search/recent", query="soundcloud"))) == 1


def test_the_same_post_and_user_are_billed_once_a_utc_day(x):
    posts = hourly(3)
    x.hold(*posts)
    for _ in range(2):
        ask(x, "tweets/search/recent", query="soundcloud", expansions="author_id")
        ask(x, "tweets", ids=posts[0].id)
    ask(x, "tweets/counts/recent", query="soundcloud")
    x.clock.move(timedelta(hours=12))
    ask(x, "tweets", ids=posts[0].id)
    first, second = x.bill()[date(2025, 5, 9)], x.bill()[date(2025, 5, 10)]
    assert (first.posts, first.users, first.counts) == (3, 2, 1)
    assert first.dollars == Decimal("0.040")
    assert (second.posts, second.users, second.dollars) == (1, 0, Decimal("0.005"))
    assert x.dollars() == Decimal("0.045")


def test_posts_beside_the_found_ones_are_billed_unless_the_test_says_otherwise(x):
    asked = make_post("what?", NOW - 2 * HOUR)
    x.hold(asked, make_post("soundcloud!", NOW - HOUR, replied_to=asked))
    x.till.charges_included = False
    ask(x, "tweets/search/recent", query="soundcloud", expansions="referenced_tweets.id")
    assert x.bill()[NOW.date()].posts == 1
    x.till.charges_included = True
    ask(x, "tweets/search/recent", query="soundcloud", expansions="referenced_tweets.id")
    assert x.bill()[NOW.date()].posts == 2


@pytest.mark.parametrize(
    ("names", "fields", "is_new"),
    [
        ("old", "post.fields", False),
        ("new", "tweet.fields", True),
        ("as_asked", "tweet.fields", False),
        ("as_asked", "post.fields", True),
    ],
)
def test_old_and_new_names_say_the_same(x, names, fields, is_new):
    x.names = names
    original = make_post("soundcloud " + "long " * 80, NOW - 3 * HOUR, reposts=7)
    quote = make_post("soundcloud, really", NOW - 2 * HOUR, quoted=original)
    x.hold(original, quote)
    wanted = {fields: "public_metrics,referenced_tweets,note_tweet"}
    answer = ask(x, "tweets", ids=f"{quote.id},{original.id}", expansions="referenced_tweets.id", **wanted).json()
    post, long = answer["data"]
    kind = ("referenced_posts", "edit_history_post_ids", "posts", "note_post", "repost_count")
    if not is_new:
        kind = ("referenced_tweets", "edit_history_tweet_ids", "tweets", "note_tweet", "retweet_count")
    assert post[kind[0]] == [{"type": "quoted", "id": original.id}]
    assert post[kind[1]] == [quote.id]
    assert [p["id"] for p in answer["includes"][kind[2]]] == [original.id]
    assert long[kind[3]]["text"].startswith(original.text)
    assert long["public_metrics"][kind[4]] == 7
    assert ("tweet" in json.dumps(answer)) is not is_new


def test_a_field_asked_for_by_its_new_name_needs_no_expansion(x):
    x.names = "as_asked"
    original = make_post("soundcloud", NOW - 3 * HOUR)
    quote = make_post("soundcloud, really", NOW - 2 * HOUR, quoted=original)
    x.hold(original, quote)
    [post] = ask(x, "tweets", ids=quote.id, **{"post.fields": "referenced_posts"}).json()["data"]
    assert post["referenced_posts"] == [{"type": "quoted", "id": original.id}]


def test_payloads_are_what_the_reader_of_x_archives_reads(x):
    asked = make_post("Tom & Jerry <3 #AI", NOW - 2 * HOUR, author=2, lang="de")
    reply = make_post("soundcloud " + "y" * 300, NOW - HOUR, replied_to=asked, links=("https://example.org/a",))
    repost = make_post("", NOW - HOUR, reposted=asked)
    x.hold(asked, reply, repost)
    fields = "created_at,lang,entities,referenced_tweets,note_tweet,public_metrics"
    for names in ("old", "new"):
        x.names = names
        line = ask(
            x,
            "tweets",
            ids=f"{asked.id},{reply.id},{repost.id}",
            tweet__fields=fields,
            expansions="author_id,referenced_tweets.id,referenced_tweets.id.author_id",
        ).json()
        read = [item.record for item in archive_x.read(line, NOW) if item.is_chosen]
        assert all(isinstance(post, Post) for post in read)
        assert [post.kind for post in read] == ["original", "reply", "repost"]
        assert (read[0].text, read[0].lang, read[0].hashtags) == (asked.text, "de", ("AI",))
        assert (read[1].context, read[1].links) == (asked.text, ("https://example.org/a",))
        assert read[1].text.startswith(reply.text)
        assert [post.created_at for post in read] == [p.created_at for p in (asked, reply, repost)]


def found(query: str, post: XPost, where: Where = "search", *others: XPost) -> bool:
    return matches(parse(query), post, {other.id: other for other in others}.get, where)


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("soundcloud clause", True),
        ("soundcloud missing", False),
        ("missing OR clause", True),
        ("missing OR clause soundcloud", True),
        ("(missing OR clause) other", False),
        ('"ai clause"', True),
        ('"clause ai"', False),
        ("sound", False),
        ("soundcloud -clause", False),
        ("soundcloud -missing", True),
        ("#AIterms", True),
        ("aiterms", True),
        ("#clause", False),
        ("from:author1", True),
        ("from:author2", False),
        ("url:example.org", True),
        ('url:"https://www.example.org/terms"', True),
        ("url:example.com", False),
        ("soundcloud lang:en", True),
        ("soundcloud lang:de", False),
        ("soundcloud -is:retweet", True),
        ("soundcloud is:reply", False),
        ("soundcloud has:links -has:mentions", True),
    ],
)
def test_the_query_language_finds_what_x_finds(query, is_found):
    post = make_post("SoundCloud's AI clause! #AIterms", NOW, links=("https://www.example.org/terms/2025",))
    assert found(query, post) is is_found


def test_search_and_stream_differ_in_accents_and_in_quoted_text():
    quoted = make_post("soundcloud clause", NOW)
    quote = make_post("no cafe", NOW, quoted=quoted)
    assert found("café", quote)
    assert not found("café", quote, "stream")
    assert not found("clause", quote, "search", quoted)
    assert found("clause", quote, "stream", quoted)
    assert found(f"conversation_id:{quoted.id}", make_post("re", NOW, replied_to=quoted))


@pytest.mark.parametrize(
    "query",
    [
        '"open',
        "(a",
        "a)",
        "a OR",
        "OR a",
        "-a",
        "a OR -b",
        "lang:en",
        "a AND b",
        "a or b",
        "nobody:a",
        "-(a b) c",
        "a&b",
    ],
)
def test_queries_that_x_refuses_are_refused(query):
    with pytest.raises(BadQuery):
        parse(query)


WORDS = st.sampled_from(["red", "blue", "green", "café"])


@given(st.lists(WORDS, min_size=1), st.lists(WORDS, min_size=1), st.sampled_from(["search", "stream"]))
def test_and_or_and_not_are_what_logic_says(words, wanted, where):
    post = make_post(" ".join(words), NOW)
    has = [word in words for word in wanted]
    assert found(" ".join(wanted), post, where) is all(has)
    assert found(" OR ".join(wanted), post, where) is any(has)
    assert found(f"{words[0]} {' '.join(f'-{word}' for word in wanted)}", post, where) is not any(has)


@given(st.datetimes(datetime(2011, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001
def test_ids_are_times_and_grow(at):
    at = at.replace(tzinfo=UTC)
    first, second = make_post("a", at), make_post("b", at)
    assert int(first.id) < int(second.id)
    assert archive_x.time_of_id(first.id) == at.replace(microsecond=at.microsecond // 1_000 * 1_000)


def test_search_knows_the_last_version_only_and_a_look_up_all(x):
    post = make_post("soundcloud tpyo", NOW - HOUR)
    x.hold(post)
    version = x.edit(post, "soundcloud typo", NOW - HOUR / 2)
    assert ids(ask(x, "tweets/search/recent", query="soundcloud")) == [version.id]
    both = ask(x, "tweets", ids=f"{post.id},{version.id}").json()["data"]
    assert [shown["edit_history_tweet_ids"] for shown in both] == [[post.id, version.id]] * 2
    x.remove(version.id)
    assert ids(ask(x, "tweets", ids=f"{post.id},{version.id}")) == []


def test_keyword_search_finds_no_reposts_but_a_search_by_author_does(x):
    post = make_post("soundcloud clause", NOW - HOUR, author=1)
    repost = make_post("", NOW - HOUR, author=2, reposted=post)
    x.hold(post, repost)
    assert ids(ask(x, "tweets/search/recent", query="soundcloud")) == [post.id]
    assert ids(ask(x, "tweets/search/recent", query="from:author2")) == [repost.id]
    assert ids(ask(x, "tweets/search/recent", query="from:author2 -is:retweet")) == []


def started(x: XServer, kind: str = "tweets") -> dict[str, str]:
    return dict(send(x, "compliance/jobs", {"type": kind}).json()["data"])


def test_a_compliance_job_goes_from_created_to_complete_and_tells_what_is_gone(x):
    posts = hourly(3)
    x.hold(*posts)
    x.compliance.polls = 2
    job = started(x)
    assert job["status"] == "created"
    x.remove(posts[0].id)
    x.remove_author(posts[1].author, "suspended")
    uploaded = httpx.put(job["upload_url"], content="\n".join([*(post.id for post in posts), "1"]))
    assert uploaded.status_code == 200
    statuses = [ask(x, f"compliance/jobs/{job['id']}").json()["data"]["status"] for _ in range(3)]
    assert statuses == ["in_progress", "in_progress", "complete"]
    lines = [json.loads(line) for line in httpx.get(job["download_url"]).text.splitlines()]
    assert {line["id"]: (line["action"], line["reason"]) for line in lines} == {
        posts[0].id: ("delete", "deleted"),
        posts[1].id: ("delete", "suspended"),
    }
    assert lines[0]["created_at"] == "2025-05-09T11:59:00.000Z"
    assert [r.endpoint for r in x.requests if r.endpoint != "compliance"] == ["upload", "download"]


def test_a_job_for_users_tells_of_authors(x):
    user = make_user(5)
    x.remove_author(user, "deactivated")
    job = started(x, "users")
    httpx.put(job["upload_url"], content=f"{user.id}\n17\n")
    for _ in range(2):
        ask(x, f"compliance/jobs/{job['id']}")
    assert json.loads(httpx.get(job["download_url"]).text)["reason"] == "deactivated"


def test_jobs_fail_and_expire_and_there_is_one_of_each_type_at_a_time(x):
    x.compliance.ends_as, x.compliance.polls = "failed", 0
    job = started(x)
    assert send(x, "compliance/jobs", {"type": "tweets"}).status_code == 409
    assert httpx.get(job["download_url"]).status_code == 404
    httpx.put(job["upload_url"], content="1\n2\n")
    assert ask(x, f"compliance/jobs/{job['id']}").json()["data"]["status"] == "failed"
    late = started(x)
    x.clock.move(timedelta(minutes=16))
    assert httpx.put(late["upload_url"], content="1").status_code == 403
    listed = ask(x, "compliance/jobs", type="tweets").json()["data"]
    assert [job["status"] for job in listed] == ["failed", "expired"]
    assert ask(x, "compliance/jobs/9").status_code == 404


def test_rules_are_added_reported_and_deleted(x):
    rules = "tweets/search/stream/rules"
    assert "data" not in ask(x, rules).json()
    wanted = [{"value": "soundcloud", "tag": "a"}, {"value": "soundcloud", "tag": "b"}, {"value": "(a"}]
    dry = send(x, rules, {"add": wanted}, dry_run="true")
    assert (dry.status_code, dry.json()["meta"]["summary"]["created"], x.rules.all()) == (201, 1, [])
    answer = send(x, rules, {"add": wanted}).json()
    assert answer["meta"]["summary"] == {"created": 1, "not_created": 2, "valid": 2, "invalid": 1}
    assert [error["title"] for error in answer["errors"]] == ["DuplicateRule", "UnprocessableEntity"]
    (rule,) = ask(x, rules).json()["data"]
    assert answer["errors"][0]["id"] == rule["id"]
    deleted = send(x, rules, {"delete": {"ids": [rule["id"], "7"]}}).json()
    assert deleted["meta"]["summary"] == {"deleted": 1, "not_deleted": 1}
    assert x.rules.all() == []


def test_rules_are_limited_in_number_and_length(x):
    rules = "tweets/search/stream/rules"
    long = send(x, rules, {"add": [{"value": "a" * 1_025, "tag": "t"}, {"value": "a" * 1_024, "tag": "t"}]}).json()
    assert [error["title"] for error in long["errors"]] == ["UnprocessableEntity"]
    many = [{"value": f"word{i}", "tag": "t"} for i in range(1_000)]
    refused = send(x, rules, {"add": many})
    assert (refused.status_code, refused.json()["title"]) == (422, "RulesCapExceeded")
    assert send(x, rules, {"add": many[1:]}).status_code == 201
    assert len(ask(x, rules).json()["data"]) == 1_000


def test_a_version_keeps_the_history_of_all_before_it():
    first = make_post("one", NOW)
    third = edited(edited(first, "two", NOW + MINUTE), "three", NOW + 2 * MINUTE)
    assert third.versions[0] == first.id
    assert third.payload()["edit_history_tweet_ids"] == sorted(third.versions, key=int)
