"""What the pages say when there is nothing to open, and that no traceback is among it."""

from __future__ import annotations

import threading

import pytest

from dashboards import data
from monitor.store.gate import Gate
from tests.dashboards.conftest import markdown, texts

PAGES = ("live", "event", "posts")


@pytest.mark.parametrize("name", PAGES)
def test_no_file_yet_says_how_to_begin(page, name):
    app = page(name)
    assert not app.exception
    assert "monitor run" in texts(app)
    assert "monitor demo" in texts(app)


def test_no_configuration_says_how_to_write_one(page, config):
    config.unlink()
    app = page()
    assert not app.exception
    assert "monitor init" in texts(app)


def test_a_misspelt_key_is_named_with_its_neighbour(page, config):
    config.write_text(config.read_text().replace("timezone", "timezoen"))
    assert "did you mean 'timezone'" in texts(page())


def test_an_unknown_zone_in_the_configuration_is_named(store, page, config):
    config.write_text(config.read_text().replace('"UTC"', '"Mars/Olympus"'))
    assert "Mars/Olympus" in texts(page())


def test_a_file_that_is_no_database_is_named(page, config):
    (config.parent / "monitor.duckdb").write_bytes(b"not a database" * 1000)
    app = page()
    assert not app.exception
    assert "no database of Backlash Monitor" in texts(app)
    assert "Try again" in [button.label for button in app.button]


def test_a_file_of_a_newer_program_says_to_upgrade(store, page):
    with store._writing() as transaction:
        transaction.run("migrated", number=999, name="0999_future")
    assert "upgrade" in texts(page()).lower()


def test_a_busy_file_says_so(store, page, monkeypatch):
    monkeypatch.setattr(data, "_WAIT_SECONDS", 0.2)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with Gate(store.path).write():
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        app = page()
    finally:
        done.set()
        holder.join()
    assert "The database is busy" in markdown(app)


def test_the_pages_recover_when_the_cause_is_gone(page, config, store):
    good = config.read_text()
    config.write_text("nonsense")
    app = page()
    assert "no valid TOML" in texts(app)
    config.write_text(good)
    data.config.clear()
    app.run()
    assert "No posts yet" in markdown(app)
