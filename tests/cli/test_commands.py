"""The commands as an operator types them; what they print and where."""

import json

import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.cli.times import time_of, window_of
from monitor.collect.versions import canonical
from monitor.config import Rule, Topic
from monitor.errors import ConfigError, MonitorError, NoDatabase
from monitor.records import AccountStatus, Batch, Cursor, Deletion, Gap, Rejected, Seen
from monitor.store import Store
from tests.conftest import T0, a_post, did, uri


def call(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, MonitorError):
        raise result.exception
    return result


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "monitor.toml"
    assert call("init", path).exit_code == 0
    return path


def test_init_writes_a_file_that_the_other_commands_accept_and_does_not_overwrite_it(config):
    with pytest.raises(ConfigError, match="exists already"):
        call("init", config)
    assert call("init", config, "--force").exit_code == 0


def test_status_without_a_file_says_what_to_do(config):
    with pytest.raises(NoDatabase) as caught:
        call("status", "-c", config)
    assert "monitor run" in caught.value.hint


def test_status_accounts_for_everything(config):
    store = Store(config.parent / "monitor.duckdb")
    store.commit(
        Batch(
            "bluesky:live",
            posts=(a_post(1), a_post(2), a_post(3, kind="repost", repost_of=uri(1), text=""), a_post(4)),
            seen=(Seen("bluesky:live", T0, 500),),
            rejected=(Rejected("bluesky:live", "no text", T0),),
            gaps=(Gap("bluesky:live", T0, None, "closed"), Gap("other:live", T0, T0.replace(hour=13), "old", "replay")),
            cursor=Cursor("bluesky:live", "9", T0),
        )
    )
    store.commit(
        Batch(
            "bluesky:live",
            deletions=(Deletion("bluesky", uri(2), did(2), T0),),
            accounts=(AccountStatus("bluesky", did(4), "takendown", T0),),
        )
    )
    report = json.loads(call("status", "-c", config, "--json").stdout)
    assert report["sources"] == [
        {"platform": "bluesky", "source": "live", "posts": 2, "reposts": 1, "newest": "2025-05-09T12:04:00Z"}
    ]
    assert (report["posts"], report["reposts"], report["hidden"], report["unscored"]) == (2, 1, 1, 1)
    assert report["deleted"] == {"bluesky": 1}
    assert report["seen"] == {"bluesky:live": 500}
    assert report["rejected"] == [{"stream": "bluesky:live", "why": "no text", "n": 1}]
    assert [gap["why"] for gap in report["gaps"]["open"]] == ["closed"]
    assert [gap["filled_by"] for gap in report["gaps"]["closed"]] == ["replay"]
    assert report["cursors"][0]["cursor"] == "9"
    assert report["cursors"][0]["lag_seconds"] > 0
    assert "Gaps: 1 open, 1 closed" in call("status", "-c", config).stdout


def test_doctor_names_what_is_missing_and_how_to_get_it(config, monkeypatch):
    monkeypatch.delenv("BLUESKY_HANDLE", raising=False)
    findings = {f["what"]: f for f in json.loads(call("doctor", "-c", config, "--json").stdout)}
    assert findings["configuration"]["state"] == "ok"
    assert findings["store"]["state"] == "ok"
    assert findings["bluesky account"]["state"] == "optional"
    assert "app password" in findings["bluesky account"]["remedy"]
    result = call("doctor", "-c", config.parent / "none.toml", "--json")
    assert result.exit_code == 1
    missing = [f for f in json.loads(result.stdout) if f["state"] == "missing"]
    assert [(f["what"], f["remedy"]) for f in missing] == [("configuration", "Write one with: monitor init")]


def test_doctor_never_shows_a_secret(config, monkeypatch):
    monkeypatch.setenv("BLUESKY_HANDLE", "me.example.com")
    monkeypatch.setenv("BLUESKY_APP_PASSWORD", "hunter2-hunter2")
    assert "hunter2" not in call("doctor", "-c", config).output


def test_backfill_without_credentials_says_which_are_missing(config, monkeypatch):
    monkeypatch.delenv("BLUESKY_HANDLE", raising=False)
    with pytest.raises(MonitorError, match="BLUESKY_HANDLE"):
        call("backfill", "--since", "2025-05-08", "-c", config)


@pytest.mark.parametrize("text", ["yesterday", "2025-13-01", "", "08.05.2025"])
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(ConfigError):
        time_of(text)


def test_times_are_utc_unless_they_name_a_zone():
    assert time_of("2025-05-08").isoformat() == "2025-05-08T00:00:00+00:00"
    assert time_of("2025-05-08T20:00+02:00").isoformat() == "2025-05-08T18:00:00+00:00"
    with pytest.raises(ConfigError, match="Nothing lies between"):
        window_of("2025-05-08", "2025-05-08")


@pytest.mark.parametrize(
    "arguments", [["backfill", "--since", "2025-05-08", "--topic", "nope"], ["import", "x", "--topic", "nope"]]
)
def test_an_unknown_topic_is_refused_and_the_known_ones_named(config, arguments):
    with pytest.raises(ConfigError, match="no topic 'nope'") as caught:
        call(*arguments, "-c", config)
    assert "soundcloud-ai" in caught.value.hint


def test_a_column_that_maps_to_nothing_is_refused(config):
    with pytest.raises(ConfigError, match="COLUMN=FIELD"):
        call("import", "x.csv", "--column", "body", "-c", config)


def test_rules_tells_versions_and_counts_across_a_change(config):
    store = Store(config.parent / "monitor.duckdb")
    assert "monitor run notes them" in call("rules", "-c", config).stdout
    old, new = (
        Topic(name="soundcloud-ai", platform="S", rules=(Rule(id="r", phrases=p),)) for p in (("a",), ("a", "b"))
    )
    store.commit_rules({"soundcloud-ai": canonical(old)}, now=T0)
    store.commit_rules({"soundcloud-ai": canonical(new)}, now=T0.replace(hour=17))
    versions = json.loads(call("rules", "-c", config, "--json").stdout)["versions"]
    assert [(v["version"], v["changes"]) for v in versions] == [(1, []), (2, ["+ phrase b"])]
    assert "+ phrase b" in call("rules", "-c", config).stdout
    report = json.loads(call("rules", "-c", config, "--event", "statement", "--json").stdout)
    assert report["rebased_by"] == {"soundcloud-ai": [1]}
    assert report["boundaries"] == [{"topic": "soundcloud-ai", "version": 2, "since": "2025-05-09T17:00:00Z"}]
    assert "Counted by version 1" in call("rules", "-c", config, "--event", "statement").stdout
    with pytest.raises(ConfigError, match="no event 'x'"):
        call("rules", "-c", config, "--event", "x")
