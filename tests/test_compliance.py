"""``monitor run`` asks X by itself what was taken back: when that is due, and whatever went wrong before."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from monitor import live
from monitor.alone import alone
from monitor.collect.x_jobs import JobsApi
from monitor.compliance import keep_to_x, pass_over_x
from monitor.config import Bluesky, Config, Secrets, X
from monitor.errors import StoreBusy
from monitor.records import Batch, Cursor
from monitor.store import Store
from monitor.store.checks import checks
from monitor.store.queries import stored_ids
from tests.collect.rig import TOPIC
from tests.collect.test_x_compliance import held, stored
from tests.conftest import wait_for
from tests.servers.x import XServer, make_post

EVERY = 12.0
STREAM = "x:comply"


@pytest.fixture
def x(monkeypatch: pytest.MonkeyPatch) -> Iterator[XServer]:
    with XServer() as server:
        monkeypatch.setenv("X_BEARER_TOKEN", server.token)
        yield server


@contextmanager
def keeping(x: XServer, store: Store, again_seconds: float = 60.0) -> Iterator[Callable[[], None]]:
    """What ``monitor run`` does, meanwhile; the value stops it and fails where that takes long."""
    stop = threading.Event()
    settings = X(enabled=True, api_url=x.url, comply_hours=EVERY)
    thread = threading.Thread(target=keep_to_x, args=(settings, store, stop, again_seconds))
    thread.start()

    def end() -> None:
        stop.set()
        begun = time.monotonic()
        thread.join(10)
        assert time.monotonic() - begun < 2.0

    try:
        yield end
    finally:
        end()


def ended_before(store: Store, ago: timedelta) -> None:
    store.commit(Batch(STREAM, cursor=Cursor(STREAM, "")), now=datetime.now(UTC) - ago)


def ids(store: Store) -> set[str]:
    return {post_id for post_id, _ in stored_ids(store, "x")}


def states(store: Store) -> list[str]:
    return [check.state for check in checks(store)]


def test_what_was_taken_back_goes_at_once_where_no_pass_ended_yet_and_then_nothing_is_asked(x, store):
    posts = held(x, store)
    x.remove(posts[0].id)
    with keeping(x, store):
        wait_for(lambda: len(ids(store)) == 5)
        asked = len(x.requests)
        time.sleep(0.3)
    with keeping(x, store):  # as after a restart
        time.sleep(0.3)
    assert (states(store), len(x.requests)) == (["applied"], asked)


@pytest.mark.parametrize(("hours", "passes"), [(EVERY + 0.1, 1), (EVERY - 0.1, 0)])
def test_a_pass_begins_when_the_last_one_ended_so_many_hours_ago(x, store, hours, passes):
    held(x, store)
    ended_before(store, timedelta(hours=hours))
    with keeping(x, store):
        time.sleep(0.3)
        wait_for(lambda: states(store) == ["applied"] * passes)


def test_a_pass_that_was_left_in_the_middle_goes_on_at_once(x, store):
    posts = held(x, store)
    ended_before(store, timedelta(hours=1))
    store.plan_check("monitor-left", STREAM, 3)
    x.remove(posts[5].id)
    with keeping(x, store):
        wait_for(lambda: len(ids(store)) == 5)
    assert (checks(store)[0].name, set(states(store))) == ("monitor-left", {"applied"})


@pytest.mark.parametrize("fault", ["no token", "refused", "unpaid", "another process"])
def test_a_fault_is_logged_and_tried_again(x, store, monkeypatch, caplog, fault):
    posts = held(x, store)
    x.remove(posts[0].id)
    caplog.set_level(logging.ERROR)
    if fault == "no token":
        monkeypatch.delenv("X_BEARER_TOKEN")
    elif fault == "refused":
        x.forbidden.add("compliance")
    elif fault == "another process":
        holder = alone(store.path, ".comply", StoreBusy("busy"))
        holder.__enter__()
    else:
        x.fail("compliance", 402)
    with keeping(x, store, again_seconds=0.1):
        wait_for(lambda: "were not checked" in caplog.text)
        assert len(ids(store)) == 6
        monkeypatch.setenv("X_BEARER_TOKEN", x.token)
        x.forbidden.clear()
        if fault == "another process":
            holder.__exit__(None, None, None)
        wait_for(lambda: len(ids(store)) == 5)
    assert x.token not in caplog.text


def test_two_passes_do_not_run_beside_each_other(x, store):
    held(x, store)
    x.compliance.polls = 10_000
    with keeping(x, store):
        wait_for(lambda: x.count("compliance") > 3)
        with pytest.raises(StoreBusy, match="checked already"):
            jobs = JobsApi(X(api_url=x.url), Secrets(x_bearer_token=x.token))
            pass_over_x(jobs, store, threading.Event())


@pytest.mark.parametrize("stalls", ["", "compliance", "upload", "download"])
def test_a_stop_ends_it_within_two_seconds_while_a_job_takes_long_or_x_stalls(x, store, stalls):
    posts = held(x, store)
    x.remove(posts[0].id)
    if stalls:
        x.stall(stalls, 20)
    else:
        x.compliance.polls = 10_000
    with keeping(x, store) as end:
        wait_for(lambda: x.count(stalls or "compliance") >= (1 if stalls else 4))
        end()  # fails where it takes longer
    x.compliance.polls = 1
    for job in x.compliance.jobs.values():
        job.polls = 0
    with keeping(x, store):
        wait_for(lambda: len(ids(store)) == 5)
    assert states(store) == ["applied"]


@pytest.mark.timeout(180)
def test_monitor_run_collects_on_whatever_becomes_of_it(x, store, caplog, shipped_engine):
    old = make_post("soundcloud of yesterday", datetime.now(UTC) - timedelta(hours=20), author=1)
    x.hold(old)
    store.commit(Batch("x:live", posts=(stored(old),)))
    x.stream.heartbeat_seconds = 0.2
    x.forbidden.add("compliance")
    config = Config(topics=(TOPIC,), bluesky=Bluesky(enabled=False), x=X(enabled=True, api_url=x.url))
    stop, faults = threading.Event(), []

    def run() -> None:
        try:
            live.run(config, store, stop)
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(lambda: "were not checked" in caplog.text and x.count("stream"), 60)
        new = make_post("soundcloud of today", datetime.now(UTC), author=2)
        x.publish(new)
        wait_for(lambda: new.id in ids(store), 60)
    finally:
        stop.set()
        thread.join(60)
    assert (faults, thread.is_alive()) == ([], False)
