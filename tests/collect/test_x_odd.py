"""Whatever X answers, and whatever its stream says, becomes records or an error of ours."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from monitor.collect.x_api import Api
from monitor.collect.x_query import StreamRule
from monitor.collect.x_read import Pending, next_page, oldest
from monitor.config import Secrets, X
from monitor.errors import CollectError
from tests.servers.x import Fault, XServer

NAMES = ["data", "meta", "errors", "includes", "tweets", "posts", "users", "id", "text", "title", "detail", "message"]
NAMES += ["next_token", "oldest_id", "created_at", "author_id", "referenced_tweets", "type", "note_tweet", "entities"]
NAMES += ["urls", "edit_history_tweet_ids", "public_metrics", "tag", "value"]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(NAMES)
odd = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=15,
)


@pytest.fixture(scope="module")
def server():
    with XServer() as server:
        server.limits.per_window = dict.fromkeys(server.limits.per_window, 10**9)
        yield server


@given(odd, st.sampled_from([200, 200, 201, 204, 302, 400, 401, 402, 403, 404, 409, 429, 500, 503]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_odd_answer(server, body, status):
    api = Api(X(api_url=server.url), Secrets(x_bearer_token=SecretStr(server.token)))
    fault = Fault(status=status, body=json.dumps(body).encode())
    for endpoint in ("rules", "rules/change", "search/recent"):
        server.fault(endpoint, fault)
    now = datetime.now(UTC)
    with suppress(CollectError):
        assert all(isinstance(rule.id, str) for rule in api.rules())
    with suppress(CollectError):
        api.change_rules([StreamRule("soundcloud", "t")], [])
    with suppress(CollectError):
        answer = api.search("soundcloud", now, now, 10)
        pending = Pending("x:live", api.settings)
        pending.take_answer(answer, "search", datetime.now(UTC))
        assert pending.batch(None).stream == "x:live"
        assert next_page(answer) != ""
        oldest(answer)
    api.close()


@given(odd)
def test_an_odd_line(body):
    pending = Pending("x:live", X())
    pending.take_last(json.dumps(body).encode(), datetime.now(UTC))
    assert pending.batch(None).stream == "x:live"


@given(st.binary(max_size=60))
def test_a_line_that_is_none(line):
    pending = Pending("x:live", X())
    pending.take_last(line, datetime.now(UTC))
    assert len(pending.batch(None).rejected) <= 1
