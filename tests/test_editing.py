"""``monitor run`` finds what authors made of their posts on X, once, for the least money."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from monitor.config import Config, X
from monitor.editing import keep_edits
from monitor.records import Batch, Window
from monitor.store.queries import editable, spent_since
from tests.collect.rig import TOPIC, rows
from tests.conftest import a_post, wait_for
from tests.servers.x import Fault, XServer, make_post, out_of_credits

NOW = datetime.now(UTC)
MADE = NOW - timedelta(hours=3)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def x(monkeypatch):
    with XServer() as server:
        monkeypatch.setenv("X_BEARER_TOKEN", server.token)
        yield server


def read(store, post, late=MINUTE, **fields):
    """Store a post of X as the stream brought it, ``late`` after it was made."""
    times = {"created_at": post.created_at, "observed_at": post.created_at}
    as_stored = a_post(platform="x", post_id=post.id, text=post.text, **times, **fields)
    store.commit(Batch("x:live", posts=(as_stored,)), now=post.created_at + late)


def text(store, post):
    return rows(store)[post.id]["text"]


@contextmanager
def looking(x, store, every_seconds=60.0, since=NOW - timedelta(days=1), **settings):
    stop = threading.Event()
    config = Config(topics=(TOPIC,), x=X(enabled=True, api_url=x.url, **settings))
    more = {"every_seconds": every_seconds, "since": since}
    thread = threading.Thread(target=keep_edits, args=(config, store, stop), kwargs=more)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def test_an_edit_that_no_rule_matches_is_found_and_scored_anew(x, store):
    post, other = make_post("SoundCloud and AI, never", MADE), make_post("SoundCloud stays as it is", MADE + MINUTE)
    x.hold(post, other)
    read(store, post)
    read(store, other)
    x.edit(post, "changed my mind", MADE + 20 * MINUTE)
    x.edit(post, "changed my mind twice", MADE + 30 * MINUTE)
    with looking(x, store):
        wait_for(lambda: store.cursor("x:edits") is not None)
    assert text(store, post) == "changed my mind twice"
    found = rows(store)[post.id]
    assert (found["revision"], found["model_id"], found["matched"]) == (1, None, ["soundcloud-ai/ai-terms"])
    assert found["observed_at"].replace(tzinfo=UTC) == pytest.approx(MADE, abs=MINUTE)
    assert text(store, other) == "SoundCloud stays as it is"


def test_each_post_is_looked_up_once_and_what_that_costs_is_booked(x, store):
    posts = [make_post(f"SoundCloud {n}", MADE + timedelta(seconds=n)) for n in range(130)]
    x.hold(*posts)
    for post in posts:
        read(store, post)
    with looking(x, store, every_seconds=0.05):
        wait_for(lambda: x.count("lookup") == 2)
        time.sleep(0.3)
    with looking(x, store):
        time.sleep(0.3)
    assert x.count("lookup") == 2
    assert spent_since(store, date.min) == int(x.dollars() * 1_000_000) == 130 * 5_000


def test_what_cannot_have_changed_since_it_was_read_is_not_asked_for(store):
    young = make_post("SoundCloud, just now", NOW - 50 * MINUTE)
    late = make_post("SoundCloud, found by search", MADE)
    old = make_post("SoundCloud, before", NOW - timedelta(days=3))
    imported = make_post("SoundCloud, from a file", MADE)
    due = make_post("SoundCloud, on time", MADE)
    read(store, young)
    read(store, late, late=61 * MINUTE)
    read(store, old)
    read(store, imported, source="import")
    read(store, due)
    window = Window(NOW - timedelta(days=2), NOW - 65 * MINUTE)
    assert editable(store, "", window) == [due.id]
    assert editable(store, due.id, window) == []


def test_what_was_read_on_another_day_before_anybody_looked_up_is_not_paid_for_anew(x, store):
    post = make_post("SoundCloud, yesterday", NOW.replace(hour=0, minute=0) - timedelta(hours=4))
    x.hold(post)
    read(store, post)
    with looking(x, store, every_seconds=0.05, since=None):
        time.sleep(0.4)
    assert x.count("lookup") == 0
    with looking(x, store, since=NOW - timedelta(days=2)):
        wait_for(lambda: store.cursor("x:edits") is not None)
    assert x.count("lookup") == 1


def test_with_little_money_fewer_are_looked_up_at_once(x, store):
    posts = [make_post(f"SoundCloud {n}", MADE + timedelta(seconds=n)) for n in range(130)]
    x.hold(*posts)
    for post in posts:
        read(store, post)
    with looking(x, store, budget_per_day=0.3):
        wait_for(lambda: x.count("lookup") >= 4)
        time.sleep(0.3)
    assert 0.25 < spent_since(store, date.min) / 1_000_000 == float(x.dollars()) <= 0.3


def test_what_is_gone_is_left_to_the_compliance_jobs(x, store):
    post = make_post("SoundCloud, gone", MADE)
    x.hold(post)
    read(store, post)
    x.remove(post.id)
    with looking(x, store):
        wait_for(lambda: store.cursor("x:edits") is not None)
    assert text(store, post) == post.text


def test_a_fault_is_logged_and_tried_again(x, store, caplog):
    post = make_post("SoundCloud, firts", MADE)
    x.hold(post)
    read(store, post)
    x.edit(post, "SoundCloud, first", MADE + MINUTE)
    x.refuse("lookup", out_of_credits())
    with caplog.at_level(logging.ERROR), looking(x, store, every_seconds=0.1):
        wait_for(lambda: store.cursor("x:edits") is not None)
    assert text(store, post) == "SoundCloud, first"
    assert "were not looked up for edits" in caplog.text


def test_without_money_nothing_is_asked(x, store, caplog):
    post = make_post("SoundCloud", MADE)
    x.hold(post)
    read(store, post)
    with caplog.at_level(logging.ERROR), looking(x, store, budget_per_day=0.001):
        wait_for(lambda: "budget for X is used up" in caplog.text)
    assert x.count("lookup") == 0


def test_an_answer_that_comes_before_a_fault_is_booked(x, store):
    post = make_post("SoundCloud, firts", MADE)
    x.hold(post)
    read(store, post)
    x.edit(post, "SoundCloud, first", MADE + MINUTE)
    x.faults.add("lookup", Fault(), Fault(out_of_credits()))
    with looking(x, store):
        wait_for(lambda: x.count("lookup") == 2)
    assert spent_since(store, date.min) == int(x.dollars() * 1_000_000) == 5_000
