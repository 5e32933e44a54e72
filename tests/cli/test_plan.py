"""monitor plan, and monitor backfill from X, as an operator types them."""

import json
import signal
import subprocess
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.errors import AuthError, ConfigError, MonitorError, Unpaid
from monitor.store import Store
from monitor.store.queries import gaps, spent_since
from tests.benchmarks.running import COMMAND, environment
from tests.collect.rig import ids, rows
from tests.servers.x import XServer, make_post

NOW = datetime.now(UTC)
MAY = ("--since", "2025-05-01", "--until", "2025-06-01")


def call(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, MonitorError):
        raise result.exception
    return result


@pytest.fixture
def x(monkeypatch):
    with XServer() as server:
        server.limits.archive_pause_seconds = 0.0
        monkeypatch.setenv("X_BEARER_TOKEN", server.token)
        yield server


@pytest.fixture
def config(tmp_path, x):
    path = tmp_path / "monitor.toml"
    topic = '[[topics]]\nname = "{}"\nplatform = "SoundCloud"\n[[topics.rules]]\nid = "any"\n{}\n'
    topics = topic.format("ai", 'phrases = ["soundcloud"]') + topic.format("odd", "regex = ['SC']")
    path.write_text(f'{topics}[x]\nenabled = true\napi_url = "{x.url}"\n')
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield path
    for number, handler in handlers.items():
        signal.signal(number, handler)


def booked(config):
    return spent_since(Store(config.parent / "monitor.duckdb"), date.min)


def hold(x, n):
    start = datetime(2025, 5, 1, tzinfo=UTC)
    x.hold(*(make_post(f"SoundCloud, thought {i}", start + timedelta(hours=i), author=i) for i in range(n)))


def test_a_plan_reads_as_sentences_and_says_what_it_spent(config, x):
    hold(x, 700)
    said = call("plan", *MAY, "-c", config)
    text = " ".join(said.stdout.split())
    assert "ai: X counts 700 posts from 2025-05-01 00:00 to 2025-06-01 00:00 UTC." in text
    assert "all 700 $7.00 in 2 days exact exact" in text
    assert "200 $2.00 today" in text
    assert "Say 10 % of the posts speak of leaving." in text
    assert "odd: none of its rules can be put to X" in text
    assert "Spent on this plan: $0.020 for counts, nothing for posts. Left to spend: $4.98 today, $99.98" in text
    assert "Asking X for counts: 2 requests, $0.020." in said.stderr
    assert booked(config) == int(x.dollars() * 1_000_000) == 20_000
    assert "Spent on this plan: $0.000" in call("plan", *MAY, "-c", config).stdout


def test_a_plan_as_json_holds_every_number(config, x):
    hold(x, 700)
    plans = json.loads(call("plan", *MAY, "--json", "--topic", "ai", "-c", config).stdout)
    (one,) = plans["topics"]
    assert (one["topic"], one["posts"], one["hours"], plans["dollars"]) == ("ai", 700, 744, 0.02)
    assert [option["posts"] for option in one["options"]] == [200, 498, 500, 700]
    low, high = one["options"][0]["intervals"]["0.1"]
    assert 0.06 < low < 0.1 < high < 0.16
    assert one["options"][-1]["is_census"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "2025-06-01", "--until", "2025-05-01"), "Nothing lies between"),
        (("--since", "2999-01-01", "--until", "2999-02-01"), "X can count nothing in this time"),
        (("--since", "soon"), "is no day or time"),
        ((*MAY, "--topic", "nope"), "no topic 'nope'"),
    ],
)
def test_what_cannot_be_planned_is_refused_and_costs_nothing(config, x, arguments, says):
    with pytest.raises(ConfigError, match=says):
        call("plan", *arguments, "-c", config)
    assert x.requests == []


def test_without_a_token_both_say_so(config, x, monkeypatch):
    monkeypatch.delenv("X_BEARER_TOKEN")
    for command in (("plan",), ("backfill", "--platform", "x", "--no-score")):
        with pytest.raises(AuthError, match="X_BEARER_TOKEN is not set"):
            call(*command, *MAY, "-c", config)
    assert x.requests == []


def test_an_interrupted_plan_keeps_what_it_paid_for(config, x):
    """As the program that it is: Ctrl-C, exit code 130, and no request is paid for twice afterwards."""
    for _ in range(400):
        x.stall("counts/all", 0.3)
    command = [*COMMAND, "plan", "--since", "2015-01-01", "--until", "2025-01-01", "-c", str(config)]
    variables = environment() | {"X_BEARER_TOKEN": x.token}
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while x.dollars() == 0 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "are kept; start again and it goes on." in err
    assert 0 < booked(config) == int(x.dollars() * 1_000_000) < 1_220_000
    x.faults = type(x.faults)(x.clock)
    call("plan", "--since", "2015-01-01", "--until", "2025-01-01", "-c", config)
    assert booked(config) == int(x.dollars() * 1_000_000) == 1_220_000


def test_a_killed_plan_keeps_what_it_had_heard(config, x):
    for _ in range(5):
        x.stall("counts/all", 0.0)
    for _ in range(400):
        x.stall("counts/all", 30.0)
    command = [*COMMAND, "plan", "--since", "2015-01-01", "--until", "2025-01-01", "-c", str(config)]
    variables = environment() | {"X_BEARER_TOKEN": x.token}
    journal = config.parent / "monitor.duckdb.counts"
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (journal.exists() and journal.read_bytes().count(b"\n") == 5) and process.poll() is None:
            time.sleep(0.02)
        process.kill()
    assert booked(config) == 0
    x.faults = type(x.faults)(x.clock)
    call("plan", "--since", "2015-01-01", "--until", "2025-01-01", "-c", config)
    assert booked(config) == int(x.dollars() * 1_000_000) == 1_220_000


def test_a_backfill_from_x_says_what_it_spent_and_is_not_paid_for_twice(config, x):
    hold(x, 30)
    said = call("backfill", "--platform", "x", *MAY, "--no-score", "-c", config)
    assert said.exit_code == 0
    assert "Searching x:search:ai: 30 inserted" in said.stderr
    assert "Spent on X: $0.150 today, $0.150 this month." in said.stderr
    call("backfill", "--platform", "x", *MAY, "--no-score", "-c", config)
    assert len(ids(Store(config.parent / "monitor.duckdb"))) == 30
    assert booked(config) == int(x.dollars() * 1_000_000) == 150_000


def test_a_backfill_that_the_budget_ends_says_so_and_notes_the_gap(config, x):
    hold(x, 30)
    config.write_text(config.read_text().replace("regex =", "phrases =") + "budget_per_day = 0.12\ncontext = false\n")
    with pytest.raises(Unpaid, match=r"the budget for X is used up: \$0.12 a day"):
        call("backfill", "--platform", "x", *MAY, "--no-score", "-c", config)
    store = Store(config.parent / "monitor.duckdb")
    assert ["not searched to its end" in gap.why for gap in gaps(store)] == [True, True]
    assert 0 < booked(config) == int(x.dollars() * 1_000_000) <= 120_000


HOUR = timedelta(hours=1)
END = NOW.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
DAYS = (
    "--since",
    f"{END - 72 * HOUR:%Y-%m-%dT%H:%MZ}",
    "--until",
    f"{END:%Y-%m-%dT%H:%MZ}",
)  # no pause in recent search
SAMPLE = ("backfill", "--platform", "x", *DAYS, "--no-score", "--sample", 100)


def hold_lately(x):
    """700 posts of 72 hours."""
    every = 72 * HOUR / 701
    x.hold(*(make_post(f"SoundCloud, thought {i}", END - i * every, author=i) for i in range(1, 701)))


def weights(config):
    return [row["sample_weight"] for row in rows(Store(config.parent / "monitor.duckdb")).values()]


def test_a_sample_is_drawn_once_read_within_its_price_and_not_paid_for_twice(config, x):
    hold_lately(x)
    said = call(*SAMPLE, "-c", config).stderr
    assert "ai: reads about 100 of 700 posts that X counts, in " in said
    assert "odd: X counts no post, so there is nothing to read." in said
    assert "ai, relevant: cannot tell." in said  # nothing is scored
    assert 85 <= len(weights(config)) <= 115
    assert sum(weights(config)) == pytest.approx(700, rel=0.1)
    assert booked(config) == int(x.dollars() * 1_000_000)
    before = booked(config), len(x.requests)
    call(*SAMPLE, "-c", config)
    assert (booked(config), len(x.requests)) == before


def test_a_sample_that_the_budget_ends_goes_on_with_what_was_drawn(config, x):
    hold_lately(x)
    config.write_text(config.read_text() + "budget_per_day = 0.32\n")
    with pytest.raises(Unpaid):
        call(*SAMPLE, "-c", config)
    read = set(ids(Store(config.parent / "monitor.duckdb")))
    assert booked(config) == int(x.dollars() * 1_000_000) <= 320_000
    config.write_text(config.read_text().replace("= 0.32", "= 5.0"))
    call(*SAMPLE, "-c", config)
    assert read < set(ids(Store(config.parent / "monitor.duckdb")))
    assert sum(weights(config)) == pytest.approx(700, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("backfill", "--since", "2025-05-01", "--until", "2025-06-01", "--sample", 10), "Only X is sampled"),
        (("backfill", "--platform", "x", "--since", "2025-05-01", "--sample", 10), "needs --until"),
        (("backfill", "--platform", "x", "--since", "2025-05-01", "--until", "2099-01-01", "--sample", 9), "are over"),
        (("backfill", "--platform", "x", *MAY, "--sample", 1), "buys no sample"),
    ],
)
def test_what_cannot_be_sampled_is_refused(config, x, arguments, says):
    hold(x, 20)
    with pytest.raises(MonitorError, match=says):
        call(*arguments, "-c", config)
    assert x.count("search/all") == 0


def test_a_plan_does_not_wait_for_pandas(config, x):
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], "plan", *MAY, "--topic", "ai", "-c", str(config)]
    variables = environment() | {"X_BEARER_TOKEN": x.token}
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"pyarrow", "duckdb", "tweepy"} <= imported
    assert "pandas.core" not in imported
