"""Alerts reach a webhook and a mail server that stand here: at least once, and never twice while all goes well."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer

import pytest
from pydantic import ValidationError

from monitor.alert_settings import Alerts, Target
from monitor.alerts.delivering import deliver_waiting, keep_delivering, notifier, opened, tried
from monitor.alerts.keeping import note
from monitor.errors import ConfigError
from monitor.records import Batch
from monitor.store import Store, alerting
from tests.alerts.test_episodes import finding
from tests.conftest import T0, a_post, wait_for
from tests.servers.answering import QuietHandler

NOW = datetime.now(UTC)


class Receiver:
    """A webhook that answers with these, then with 200; ``got`` is what came."""

    def __init__(self, *answers):
        self.answers, self.got, self.answering = list(answers), [], threading.Event()
        self.answering.set()

    def __enter__(self):
        receiver = self

        class Handler(QuietHandler):
            def do_POST(self):
                receiver.got.append(json.loads(self.read_body()))
                receiver.answering.wait(10)
                self.send_head(receiver.answers.pop(0) if receiver.answers else 200, {"content-length": "0"})

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def target(self):
        return Target(name="hook", url=f"json://127.0.0.1:{self.server.server_port}/alarm")

    @property
    def texts(self):
        return [one["message"] for one in self.got]


@contextmanager
def delivering(store, target, **more):
    stop, news = threading.Event(), threading.Event()
    arguments = (store, target.name, notifier(target), stop, news)
    thread = threading.Thread(target=keep_delivering, args=arguments, kwargs={"first_seconds": 0.05, **more})
    thread.start()
    try:
        yield news
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def fire(store, target, now=NOW, **fields):
    [alert] = note(store, [finding(**fields)], now, Alerts(targets=(target,))).alerts
    return alert


def sent(store):
    return [delivery.sent_at is not None for delivery in alerting.deliveries(store)]


def test_an_alarm_and_its_end_reach_a_webhook_once(store):
    with Receiver() as hook, delivering(store, hook.target) as news:
        fire(store, hook.target)
        news.set()
        wait_for(lambda: sent(store) == [True])
        note(store, [finding(False)], NOW + timedelta(hours=7), Alerts(targets=(hook.target,)))
        news.set()
        wait_for(lambda: sent(store) == [True, True])
        note(store, [finding(False)], NOW + timedelta(hours=8), Alerts(targets=(hook.target,)))
    assert [one["title"] for one in hook.got] == [
        "FIRING: volume of soundcloud-ai",
        "RESOLVED: volume of soundcloud-ai",
    ]
    assert "20 posts" in hook.texts[0]
    assert "one in 4 weeks" in hook.texts[0]
    assert "monitor alerts acknowledge" in hook.texts[0]


def test_a_target_that_refuses_is_asked_again_and_told_that_it_may_come_twice(store):
    with Receiver(500, 500) as hook:
        fire(store, hook.target)
        with delivering(store, hook.target):
            wait_for(lambda: sent(store) == [True])
    keys = [text.splitlines()[-1] for text in hook.texts]
    assert len(set(keys)) == 1 < len(keys) == 3
    assert ["may reach you twice" in text for text in hook.texts] == [False, True, True]
    [delivery] = alerting.deliveries(store)
    assert delivery.attempts == 3


def test_what_a_killed_program_was_sending_is_sent_again_under_the_same_key(store):
    with Receiver() as hook:
        alert = fire(store, hook.target)
        [delivery] = alerting.deliveries(store)
        store.note_delivery(delivery.message, "begun")  # and there it was killed
        assert deliver_waiting(Store(store.path), "hook", notifier(hook.target), threading.Event()) is None
        assert deliver_waiting(Store(store.path), "hook", notifier(hook.target), threading.Event()) is None
    [text] = hook.texts
    assert "may reach you twice" in text
    assert text.endswith(f"Key: {alert.id}-firing-0")


def test_what_could_not_be_delivered_for_a_day_is_given_up(store):
    with Receiver() as hook:
        fire(store, hook.target, NOW - timedelta(hours=25))
        deliver_waiting(store, "hook", notifier(hook.target), threading.Event())
    [delivery] = alerting.deliveries(store)
    assert (delivery.given_up, delivery.sent_at, hook.got) == (True, None, [])


def test_one_target_that_is_down_does_not_hold_up_another(store):
    with Receiver() as hook:
        dead = Target(name="dead", url="json://127.0.0.1:9/")
        note(store, [finding()], NOW, Alerts(targets=(hook.target, dead)))
        with delivering(store, dead), delivering(store, hook.target):
            wait_for(lambda: len(hook.got) == 1)
    assert {one.message.target: one.sent_at is not None for one in alerting.deliveries(store)} == {
        "hook": True,
        "dead": False,
    }


def test_mail_reaches_a_mail_server(store):
    controller = pytest.importorskip("aiosmtpd.controller")
    mails = []

    class Box:
        async def handle_DATA(self, server, session, envelope):
            mails.append(envelope)
            return "250 taken"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = controller.Controller(Box(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        target = Target(name="mail", url=f"mailto://127.0.0.1:{port}?from=a@example.org&to=b@example.org&mode=insecure")
        fire(store, target)
        assert deliver_waiting(store, "mail", notifier(target), threading.Event()) is None
    finally:
        server.stop()
    [mail] = mails
    assert mail.rcpt_tos == ["b@example.org"]
    assert b"volume of soundcloud-ai" in mail.content


def test_a_message_names_the_post_behind_it_only_while_that_stands(store):
    post = a_post(1, observed_at=T0)
    store.commit(Batch("bluesky:live", (post,)))
    key = store.read("post", platform="bluesky", post_id=post.post_id)["key"].to_pylist()[0]
    driven = replace(finding(), first=key, phrases=("not my music",))
    with Receiver() as hook:
        note(store, [driven], NOW, Alerts(targets=(hook.target,)))
        deliver_waiting(store, "hook", notifier(hook.target), threading.Event())
    assert "First of that time: https://bsky.app/profile/" in hook.texts[0]
    assert "“not my music”" in hook.texts[0]
    assert post.text not in hook.texts[0]


@pytest.mark.parametrize(
    ("url", "told"),
    [("slak://a/b", "did you mean 'slack://'"), ("nonsense", "is no address"), ("json://", "no address")],
)
def test_an_address_of_no_kind_is_refused_by_the_configuration(url, told):
    with pytest.raises(ValidationError, match=told):
        Target(name="x", url=url)


def test_secrets_come_from_the_environment_and_a_missing_one_is_named():
    target = Target(name="x", url="json://${HOST}/a")
    assert target.address({"HOST": "example.org"}) == "json://example.org/a"
    with pytest.raises(ConfigError, match="HOST"):
        target.address({})


def test_trying_the_targets_says_what_went_wrong():
    with Receiver(503) as hook:
        dead = Target(name="dead", url="json://${MONITOR_TEST_UNSET}/")
        told = dict(tried(Alerts(targets=(hook.target, dead)), []))
        again = dict(tried(Alerts(targets=(hook.target,)), ["hook"]))
    assert "503" in told["hook"]
    assert "MONITOR_TEST_UNSET" in told["dead"]
    assert again == {"hook": ""}


def test_what_ended_before_its_target_took_it_is_told_as_ended_only(store):
    with Receiver(500) as hook:
        fire(store, hook.target)
        assert deliver_waiting(store, "hook", notifier(hook.target), threading.Event()) is not None
        note(store, [finding(False)], NOW + timedelta(hours=7), Alerts(targets=(hook.target,)))
        assert deliver_waiting(store, "hook", notifier(hook.target), threading.Event()) is None
    assert [one["title"].split(":")[0] for one in hook.got] == ["FIRING", "RESOLVED"]
    assert [one.given_up for one in alerting.deliveries(store)] == [True, False]


def test_a_target_without_its_secret_silences_nobody_else(store, caplog):
    with Receiver() as hook:
        settings = Alerts(targets=(hook.target, Target(name="dead", url="json://${MONITOR_TEST_UNSET}/")))
        assert list(opened(settings)) == ["hook"]
    assert "MONITOR_TEST_UNSET" in caplog.text
