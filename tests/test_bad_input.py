"""What the operator meets when something is wrong: real commands as processes, a clear line, exit code 1."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from monitor.demo.jetstream import JetstreamServer
from monitor.store import Store
from monitor.store.queries import status
from monitor.store.views import Filter, Scope, found
from tests.benchmarks.running import COMMAND, Running, environment, reached_seq, write_config
from tests.conftest import lacking
from tests.servers.events import chatter, create, uri
from tests.servers.jetstream import GARBAGE

pytestmark = pytest.mark.usefixtures("shipped_engine")
DEAD = "ws://127.0.0.1:9"


def monitor(*args: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that must not show a traceback, whatever happens."""
    done = subprocess.run(
        [*COMMAND, *map(str, args)], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


def refused(*args: str | Path, folder: Path) -> str:
    """The error that a command ends with, exit code 1."""
    done = monitor(*args, folder=folder)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert done.stdout == ""
    before, error, said = done.stderr.partition("Error: ")
    assert error, done.stderr
    assert not before.strip() or before.endswith("\n"), done.stderr
    return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path, DEAD)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[bluesky]", "[blusky]"), "unknown key 'blusky', did you mean 'bluesky'?"),
        (('phrases = ["', 'phases = ["'), "unknown key 'topics.1.rules.1.phases', did you mean 'phrases'?"),
        (("[[topics]]", "[[topics"), "no valid TOML"),
        (('jetstream_url = "ws', 'jetstream_url = "http'), "must start with ws:// or wss://"),
        (("127.0.0.1:9", "127.0.0.1:nine"), "Port could not be cast"),
        (("127.0.0.1:9", ""), "names no host"),
        (("# regex = ['sound", "regex = ['(sound"), "is no regular expression"),
    ],
)
def test_a_wrong_configuration_is_explained(folder, change, says):
    path = folder / "monitor.toml"
    path.write_text(path.read_text("utf-8").replace(*change), "utf-8")
    assert says in " ".join(refused("run", folder=folder).split())
    assert not (folder / "monitor.duckdb").exists()


def test_a_configuration_that_is_no_text_or_is_not_there_is_explained(folder):
    assert "monitor init" in refused("status", "-c", "nowhere.toml", folder=folder)
    (folder / "bytes.toml").write_bytes(b"\xff\xfe\x00topics")
    assert "cannot be read" in refused("dashboard", "-c", "bytes.toml", folder=folder)
    assert "cannot be read" in refused("run", "-c", folder, folder=folder)


def test_a_missing_database_is_explained(folder):
    assert "monitor run" in refused("status", folder=folder)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" * 1000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(folder, content):
    (folder / "monitor.duckdb").write_bytes(content)
    assert "is no database of Backlash Monitor" in refused("run", folder=folder)
    assert "is no database of Backlash Monitor" in refused("status", folder=folder)
    assert (folder / "monitor.duckdb").read_bytes() == content


def test_a_database_of_a_newer_version_is_refused_and_left_alone(folder):
    path = Store(folder / "monitor.duckdb").path
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO migrations VALUES (99, '0099_later', now()::TIMESTAMP)")
    before = path.read_bytes()
    assert "newer version of Backlash Monitor" in refused("run", folder=folder)
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused_and_left_alone(folder):
    path = Store(folder / "monitor.duckdb").path
    content = bytearray(path.read_bytes())
    content[12:20] = (9999).to_bytes(8, "little")  # in DuckDB's first header
    path.write_bytes(content)
    assert "is damaged" in refused("status", folder=folder)
    assert path.read_bytes() == content


def test_a_folder_in_place_of_the_database_is_refused(folder):
    (folder / "monitor.duckdb").mkdir()
    assert "monitor.duckdb" in refused("run", folder=folder)


def test_a_second_run_into_the_same_file_is_refused(folder):
    with Running(folder / "monitor.toml") as running:
        running.start()
        running.until(lambda: "cannot connect" in running.log, 60, "its start")
        assert "Another monitor run" in refused("run", folder=folder)


def test_a_dead_server_is_named_and_asked_again_until_it_is_there(folder):
    with Running(folder / "monitor.toml") as running:
        running.start()
        running.until(lambda: running.log.count("cannot connect to ws://127.0.0.1:9") >= 2, 60, "a second try")
        report = json.loads(monitor("status", "--json", folder=folder).stdout)
    assert "Traceback" not in running.log
    assert len(report["gaps"]["open"]) == 1
    assert "cannot connect" in report["gaps"]["open"][0]["why"]


def test_missing_credentials_are_named(folder):
    assert "BLUESKY_HANDLE" in refused("backfill", "--since", "2025-05-08", folder=folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True).returncode:
        lacking("needs the right to mount a small file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_stops_the_program_and_loses_nothing(tmp_path, small_disk):
    events = [event | {"time": _now()} for event in chatter(9_000)]
    with JetstreamServer(events, from_start=True) as server:
        config = write_config(tmp_path, server.url)
        config.write_text(config.read_text("utf-8").replace("[store]\n", '[store]\npath = "disk/m.duckdb"\n'), "utf-8")
        with Running(config) as running:
            running.start()
            assert running.wait(60) == 1
            assert "No space is left" in running.log
            assert "Traceback" not in running.log
            before = reached_seq(small_disk / "m.duckdb")
            assert before is not None
            assert before < 9_000
            subprocess.run(["mount", "-o", "remount,size=60m", small_disk], check=True)
            running.start()
            running.until(lambda: reached_seq(small_disk / "m.duckdb") == 9_000, 60, "the last event")
            assert running.stop()[0] == 0
    state = status(Store(small_disk / "m.duckdb"))
    assert sum(source.posts for source in state.sources) == 3_000
    assert state.seen["bluesky:live"] == 9_000


def test_a_truncated_archive_gives_what_it_holds_and_says_that_it_is_damaged(folder):
    lines = "".join(json.dumps(event) + "\n" for event in chatter(6_000))
    packed = zstandard.compress(lines.encode())
    (folder / "cut.jsonl.zst").write_bytes(packed[: len(packed) * 2 // 3])
    assert "cut.jsonl.zst breaks off" in refused("import", "cut.jsonl.zst", folder=folder)
    held = sum(source.posts for source in status(Store(folder / "monitor.duckdb")).sources)
    assert 0 < held < 2_000
    (folder / "cut.jsonl.zst").write_bytes(packed)
    assert monitor("import", "cut.jsonl.zst", "--no-score", folder=folder).returncode == 0
    assert sum(source.posts for source in status(Store(folder / "monitor.duckdb")).sources) == 2_000


@pytest.mark.parametrize("content", [b"\x00" * 5_000, b"\x28\xb5\x2f\xfd garbage", b"[" * 100_000, b"a;b\n1;2\n"])
def test_an_archive_of_nothing_known_is_refused(folder, content):
    (folder / "odd.jsonl").write_bytes(content)
    refused("import", "odd.jsonl", folder=folder)


def test_a_missing_archive_and_an_empty_one_are_named(folder):
    assert "nowhere.jsonl" in refused("import", "nowhere.jsonl", folder=folder)
    (folder / "empty.jsonl").touch()
    assert "empty.jsonl is empty" in refused("import", "empty.jsonl", folder=folder)


def test_bad_lines_of_an_archive_are_counted_and_take_no_neighbour(folder):
    good = [json.dumps(create(n, f"SoundCloud trains AI on {n}", author=n)) for n in range(1, 9)]
    bad = ["{", "null", "[]", '{"a": 1}', json.dumps(create(50, "x" * 5_000_000)), '"\\ud800"', "\x00", "{}" * 9]
    lines = [line for pair in zip(good, bad, strict=True) for line in pair]
    (folder / "mixed.jsonl").write_text("\n".join(lines), "utf-8")
    done = monitor("import", "mixed.jsonl", folder=folder)
    assert done.returncode == 0, done.stderr
    state = status(Store(folder / "monitor.duckdb"))
    assert sum(source.posts for source in state.sources) == 8
    assert sum(source.unscored for source in state.sources) == 0, "an import ends with its scores"
    assert sum(n for _, _, n in state.rejected) >= 6


def _now() -> str:
    return datetime.now(UTC).isoformat()


def waiting(path: Path) -> int:
    """How many posts have no score yet."""
    return sum(source.unscored for source in status(Store(path, create=False)).sources)


def _unplaced(text: str, **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in create(0, text, **fields).items() if name not in ("seq", "rkey", "time")}


class Wild(JetstreamServer):
    """Sends strings that are no Unicode, and frames as they are."""

    def _encode(self, frame: dict[str, Any]) -> str | bytes:
        payload = frame["payload"]
        return payload["raw"] if "raw" in payload else json.dumps(frame)


SAID = "SoundCloud may train AI on this: "
KEPT = {
    "nul": f"{SAID}before\x00after",
    "lone surrogate": f"{SAID}\ud83d and \udca9\ud83d",
    "right to left": f"{SAID}\u202eمرحبا שלום\u202c",
    "zero width": "Sound\u200bCloud ⁠tra\u00adins A\u200dI",
    "astral": f"{SAID}👩‍👩‍👧‍👦🏳️‍🌈 𝒜𝓘",
    "lines": f"{SAID}\r\n\u2028\u0085\x0b\x1b[31m <script>alert(1)</script> **bold** | $x^2$",
    "1,400 combining marks": SAID + "a" + "\u0301" * 1_400,
}
TIMES = ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59.999Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00",
         "yesterday", "", "-5", "2025-02-30T00:00:00Z", None, 7, [], {"a": None}]  # fmt: skip
REFUSED: list[dict[str, Any]] = [
    {"record": {"text": "x" * 5_000_000}},
    {"record": {"text": None}},
    {"record": {"text": ["SoundCloud AI"]}},
    {"record": None},
    {"record": "SoundCloud AI"},
    {"did": None},
    {"did": "did:plc:\ud800"},
    {"rkey": None},
    {"rkey": "../../etc/passwd"},
    {"operation": None},
    {"seq": None},
    {"seq": 1.5},
    {"$type": "network.bsky.jetstream.subscribeEvents#unheard#commit"},
    {"$type": "network.bsky.jetstream.subscribeEvents#account", "account": None},
]
LENIENT = {
    "langs": [None, "\ud800", {"a": 1}, "x" * 10_000],
    "facets": [None, {"features": [None, {"uri": None}, {"tag": "\ud800"}]}, "x"],
    "tags": {"no": "list"},
    "reply": {"parent": None, "root": 5},
    "embed": {"record": {"record": {"uri": "at://x/y/z"}}, "media": [], "external": None},
    "number": 10**400,
}


def test_nothing_on_the_wire_stops_the_program_or_takes_a_neighbour(tmp_path):
    nul, hidden_nul = '{"$type":"message","payload":{"$type":"x#\x00', '"' + "[" * 5_000
    raw = [*(g for g in GARBAGE if isinstance(g, str)), nul, hidden_nul, '{"a":' * 5_000]
    wild: list[dict[str, Any]] = [
        *(_unplaced(text) for text in KEPT.values()),
        *(_unplaced(f"{SAID}{number}", createdAt=at) for number, at in enumerate(TIMES)),
        *(_unplaced(f"{SAID}{name}", **{name: value}) for name, value in LENIENT.items()),
        *(_unplaced(SAID) | change for change in REFUSED),
        *(_unplaced(SAID) | {"raw": frame} for frame in raw),
    ]
    events = []
    for number, event in enumerate(wild):
        events.append({"rkey": f"w{number}"} | event | {"seq": event.get("seq", 2 * number + 1), "time": _now()})
        events.append(create(2 * number + 2, f"{SAID}neighbour {number}", author=f"n{number}") | {"time": _now()})
    with Wild(events, from_start=True) as server:
        path = tmp_path / "monitor.duckdb"
        with Running(write_config(tmp_path, server.url)) as running:
            running.start()
            running.until(lambda: reached_seq(path) == len(events), 60, "the last event")
            running.until(lambda: not waiting(path), 90, "the last score")
            assert running.stop()[0] == 0
    assert "Traceback" not in running.log
    store = Store(path)
    rows = found(store, Scope(), Filter(relevance=None), limit=10_000).rows.to_pylist()
    texts = {row["post_id"]: row["text"] for row in rows}
    neighbours = {uri(f"n{number}", f"r{2 * number + 2}") for number in range(len(wild))}
    assert neighbours <= texts.keys()
    kept = len(KEPT) + len(TIMES) + len(LENIENT)
    assert [texts.get(uri(1, f"w{number}")) for number in range(kept)].count(None) == 0
    assert texts.keys() - neighbours == {uri(1, f"w{number}") for number in range(kept)}
    report = json.loads(monitor("status", "--json", folder=tmp_path).stdout)
    assert sum(row["n"] for row in report["rejected"]) == len(REFUSED) + len(raw)
    assert monitor("status", folder=tmp_path).returncode == 0
