"""``monitor alerts`` as its user types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitor.alert_settings import Alerts
from monitor.alerts.keeping import note
from monitor.errors import ConfigError
from monitor.store import alerting
from tests.alerts.test_delivering import Receiver
from tests.alerts.test_episodes import finding
from tests.cli.test_commands import call

NOW = datetime.now(UTC)
TOPICS = '[[topics]]\nname = "t"\nplatform = "P"\n[[topics.rules]]\nid = "r"\nphrases = ["x"]\n'


@pytest.fixture
def config(store, tmp_path):
    def write(targets=""):
        path = tmp_path / "monitor.toml"
        path.write_text(f'[store]\npath = "{store.path}"\n{TOPICS}{targets}')
        return path

    return write


def target(hook, name="hook"):
    return f'[[alerts.targets]]\nname = "{name}"\nurl = "{hook.target.url}"\n'


def test_a_test_message_reaches_its_target_and_a_fault_is_an_exit_code(config):
    with Receiver() as hook:
        path = config(target(hook))
        assert call("alerts", "test", "-c", path).stdout == "hook: delivered\n"
        assert json.loads(call("alerts", "test", "hook", "--json", "-c", path).stdout) == [
            {"target": "hook", "delivered": True, "fault": None}
        ]
        with pytest.raises(ConfigError, match="no target 'hok'"):
            call("alerts", "test", "hok", "-c", path)
    gone = call("alerts", "test", "-c", path)
    assert gone.exit_code == 1
    assert "did not take it" in gone.stdout


def test_without_a_target_it_says_how_to_name_one(config):
    with pytest.raises(ConfigError, match="No target") as caught:
        call("alerts", "test", "-c", config())
    assert "[[alerts.targets]]" in caught.value.hint


def test_history_names_each_alert_its_figure_and_who_was_told(store, config):
    path = config()
    assert "none fired" in call("alerts", "history", "-c", path).stdout
    with Receiver() as hook:
        [alert] = note(store, [finding()], NOW, Alerts(targets=(hook.target,))).alerts
    words = call("alerts", "history", "-c", path).stdout
    for told in (alert.id, "firing", "20 posts", "one in 4 weeks", "hook, firing: waits"):
        assert told in words
    [row] = json.loads(call("alerts", "history", "--json", "-c", path).stdout)
    assert (row["id"], row["state"], row["estimate"]["n"]) == (alert.id, "firing", 20)
    assert row["told"] == [{"target": "hook", "state": "firing", "sent_at": None, "given_up": False, "fault": None}]


def test_an_alert_is_acknowledged_and_snoozed_by_its_id(store, config):
    path = config()
    [alert] = note(store, [finding()], NOW, Alerts()).alerts
    call("alerts", "snooze", alert.id, "--hours", "2", "-c", path)
    assert alerting.latest(store)[0].state(datetime.now(UTC)) == "snoozed"
    call("alerts", "acknowledge", alert.id, "-c", path)
    assert alerting.latest(store)[0].acknowledged_at is not None
    with pytest.raises(ConfigError, match="No alert 'nope' is open"):
        call("alerts", "acknowledge", "nope", "-c", path)


def test_a_back_test_of_a_young_store_says_what_is_missing(config):
    words = call("alerts", "backtest", "-c", config()).stdout
    assert "t, volume: its baseline has 0.0 of 14 collected days" in words
    assert "No detector has a baseline yet." in words
