"""``monitor run`` has X count by itself: each hour once, when it is due, whatever went wrong before."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from monitor.alone import alone
from monitor.census import keep_counted
from monitor.config import Config, X
from monitor.errors import StoreBusy
from monitor.planning import hourly_counts
from monitor.records import Window
from monitor.store.queries import spent_since
from tests.collect.rig import TOPIC
from tests.conftest import wait_for
from tests.servers.x import XServer, make_post

HOUR = timedelta(hours=1)


@pytest.fixture
def x(monkeypatch):
    with XServer() as server:
        monkeypatch.setenv("X_BEARER_TOKEN", server.token)
        yield server


@contextmanager
def counting(x, store, again_seconds=60.0, **settings):
    stop = threading.Event()
    config = Config(topics=(TOPIC,), x=X(enabled=True, api_url=x.url, **settings))
    thread = threading.Thread(target=keep_counted, args=(config, store, stop, again_seconds))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def counts(store):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with store.reading() as moment:
        return hourly_counts(moment, TOPIC, Window(now - 72 * HOUR, now)).tolist()


def test_the_last_days_are_counted_once_and_booked(x, store):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    x.hold(*(make_post(f"SoundCloud {n}", now - n * HOUR - HOUR / 2) for n in range(48)))
    with counting(x, store):
        wait_for(lambda: sum(counts(store)) == 48)
    assert min(counts(store)) == 0
    with counting(x, store):
        time.sleep(0.5)
    assert x.count("counts/recent") == 1
    assert spent_since(store, date.min) == int(x.dollars() * 1_000_000) == 5_000


def test_a_fault_is_logged_and_tried_again(x, store, caplog):
    x.fail("counts/recent", 403)
    with caplog.at_level(logging.ERROR), counting(x, store, again_seconds=0.1):
        wait_for(lambda: max(counts(store)) == 0)
    assert "X was not asked for counts" in caplog.text


def test_without_money_nothing_is_asked(x, store, caplog):
    with caplog.at_level(logging.ERROR), counting(x, store, budget_per_day=0.001):
        wait_for(lambda: "budget for X is used up" in caplog.text)
    assert x.count("counts/recent") == 0


def test_two_do_not_count_at_a_time(x, store, caplog):
    busy = StoreBusy("busy")
    with alone(store.path, ".counting", busy), caplog.at_level(logging.ERROR), counting(x, store):
        wait_for(lambda: "already" in caplog.text)
    assert x.count("counts/recent") == 0
