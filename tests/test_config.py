"""monitor.toml: what is accepted, and what is refused in which words."""

from importlib import resources
from pathlib import Path

import pytest

from monitor.config import Config, Secrets, load, parse
from monitor.errors import ConfigError

TOPIC = '[[topics]]\nname = "t"\nplatform = "SoundCloud"\n[[topics.rules]]\nid = "r"\nphrases = ["ai terms"]\n'


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.message


def test_the_example_is_a_valid_configuration_and_explains_every_key():
    text = resources.files("monitor").joinpath("example.toml").read_text("utf-8")
    parse(text)
    tables = [Config, *(field.annotation for field in Config.model_fields.values())]
    keys = {key for table in tables if hasattr(table, "model_fields") for key in table.model_fields}
    assert [key for key in keys if key not in text] == []


def test_an_unknown_key_is_refused_and_the_nearest_known_one_is_named():
    assert "unknown key 'bluesky.jetstream', did you mean 'jetstream_url'?" in refusal(
        TOPIC + '[bluesky]\njetstream = "wss://x"\n'
    )
    misspelt = TOPIC.replace("phrases", "phrses")
    assert "unknown key 'topics.1.rules.1.phrses', did you mean 'phrases'?" in refusal(misspelt)


def test_one_fault_in_a_nested_table_is_reported_once():
    assert refusal(TOPIC.replace("phrases", "phrses")).count(";") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "topics"),
        ("topics = 3", "topics"),
        ("[[topics]", "no valid TOML"),
        (TOPIC + '[bluesky]\njetstream_url = "http://x"', "ws:// or wss://"),
        (TOPIC + "[bluesky]\nsilence_seconds = 0", "greater than 0"),
        (TOPIC.replace('phrases = ["ai terms"]', 'regex = ["("]'), "no regular expression"),
        (TOPIC.replace('phrases = ["ai terms"]', ""), "needs phrases"),
        (TOPIC.replace('id = "r"', 'id = "thread"'), "choose another id"),
        (TOPIC + TOPIC, "topic names must be unique: t"),
        (TOPIC + '[[events]]\nid = "e"\nkind = "discovery"\ntitle = "x"', "at least one of announced"),
        (TOPIC + '[[events]]\nid = "e"\nkind = "discovery"\ntitle = "x"\ndiscovered = 2025-05-08T20:00:00', "timezone"),
        (
            TOPIC
            + '[[events]]\nid = "e"\nkind = "other"\ntitle = "x"\ntopic = "nope"\nannounced = 2025-05-08T20:00:00Z',
            "names topic 'nope'",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(text, said):
    assert said in refusal(text)


def test_a_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "monitor.toml")
    assert "monitor init" in caught.value.hint


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "monitor.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        load(tmp_path / "monitor.toml")


def test_a_model_folder_is_taken_from_the_folder_of_the_file_and_another_name_is_left_to_the_hub(tmp_path):
    (tmp_path / "models" / "mine").mkdir(parents=True)
    path = tmp_path / "monitor.toml"
    for name, found in (("models/mine", str(tmp_path / "models" / "mine")), ("someone/else", "someone/else"), ("", "")):
        path.write_text(f'{TOPIC}[classifier]\nmodel = "{name}"\n')
        assert load(path).classifier.model == found


def test_a_relative_store_path_is_taken_from_the_folder_of_the_file(tmp_path):
    (tmp_path / "monitor.toml").write_text(TOPIC)
    assert load(tmp_path / "monitor.toml").store.path == tmp_path / "monitor.duckdb"
    (tmp_path / "monitor.toml").write_text(TOPIC + '[store]\npath = "/elsewhere/a.duckdb"\n')
    assert load(tmp_path / "monitor.toml").store.path == Path("/elsewhere/a.duckdb")


def test_times_of_events_become_utc():
    config = parse(TOPIC + '[[events]]\nid = "e"\nkind = "other"\ntitle = "x"\nannounced = 2025-05-08T20:00:00+02:00\n')
    assert config.events[0].at.isoformat() == "2025-05-08T18:00:00+00:00"


def test_secrets_come_from_the_environment_and_are_not_shown():
    secrets = Secrets.from_environment({"BLUESKY_APP_PASSWORD": "hunter2", "X_BEARER_TOKEN": ""})
    assert secrets.bluesky_app_password is not None
    assert secrets.bluesky_app_password.get_secret_value() == "hunter2"
    assert secrets.x_bearer_token is None
    assert "hunter2" not in repr(secrets) + str(secrets.model_dump())
