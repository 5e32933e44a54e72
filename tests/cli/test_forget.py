"""monitor forget and monitor compact as an operator types them, and what is left on the disk."""

import json
import os
import pty
import random
import string
import subprocess
import sys
from datetime import date

import duckdb
import pytest

from monitor.errors import ConfigError, DiskFull, MonitorError, NoDatabase
from monitor.export import export
from monitor.records import AccountStatus, Annotation, Batch, Charge, Check, Cursor, Deletion, Draw, Rejected
from monitor.store import Store, checks, proofs
from monitor.store.queries import spent_since, stored_ids
from monitor.store.views import Filter, Scope, parts
from tests.cli.test_commands import call
from tests.conftest import T0, a_post, did, lacking, uri
from tests.scored import score
from tests.store.test_forget import everything


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "monitor.toml"
    assert call("init", path).exit_code == 0
    return path


@pytest.fixture
def store(config):
    return Store(config.parent / "monitor.duckdb")


def commit(store, *posts, **parts):
    store.commit(Batch("live", posts=posts, **parts))


def marker(place):
    """64 characters that no compression shortens, the same in every run."""
    chosen = random.Random(place)
    return "".join(chosen.choice(string.ascii_letters + string.digits) for _ in range(64))


def found(folder, places):
    """Places whose marker's first bytes stand in any file; a column's statistics hold no more than eight."""
    held = b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {place for place in places if marker(place)[:8].encode() in held}


def in_the_log(store, place):
    """Leave a write in the log, as a process that was killed does."""
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        raw = f"{did(1)} {marker(place)}"
        connection.execute("INSERT INTO rejected VALUES ('live', 'no text', TIMESTAMP '2025-05-09', ?)", [raw])
    assert marker(place).encode() in store.path.with_name(store.path.name + ".wal").read_bytes()


def test_after_forget_and_compact_no_byte_of_what_was_removed_is_in_any_file(config, store):
    mine = a_post(1, text=marker("text"), raw=marker("raw"), author_handle=marker("handle"), context=marker("parent"))
    second = {"author_id": did(1), "post_id": f"at://{did(1)}/app.bsky.feed.post/second"}
    unknown = f"at://{did(1)}/app.bsky.feed.post/never-stored"
    reply = {"kind": "reply", "reply_to": uri(1)}
    commit(store, mine, a_post(2, text=marker("other's text"), raw=marker("other's raw"), **reply))
    commit(store, a_post(3, **second, text=marker("second text"), raw=marker("second raw")))
    commit(store, a_post(4, kind="quote", quote_of=unknown, context=marker("context")))
    commit(store, a_post(5, context=marker("other's context"), kind="quote", quote_of=uri(9)))
    score(store, [mine])
    store.commit_annotations([Annotation("bluesky", uri(1), "ann", 1, 2, "none", "critical", "1", 0, marker("note"))])
    store.commit_sample("first", "random", [Draw("bluesky", uri(1), 0.5)])
    by_id, by_handle = f"{did(1)} {marker('rejected by id')}", f"@{marker('handle')} {marker('rejected by handle')}"
    others = f"{did(2)} {marker('rejected of another')}"
    commit(store, rejected=tuple(Rejected("live", "no text", T0, raw) for raw in (by_id, by_handle, others)))
    in_the_log(store, "log")
    store.path.with_name(store.path.name + ".compact").write_text(marker("an unfinished copy"))
    removed = {
        "text", "raw", "handle", "parent", "second text", "second raw", "context", "note", "rejected by id",
        "rejected by handle", "log", "an unfinished copy",
    }  # fmt: skip
    stays = {"other's text", "other's raw", "other's context", "rejected of another"}
    assert found(config.parent, removed | stays) == removed | stays
    assert call("forget", "--author", f"@{marker('handle').upper()}", "--yes", "-c", config).exit_code == 0
    assert call("compact", "-c", config).exit_code == 0
    store.snapshot(config.parent / "copy.duckdb")
    exported = export(parts(store, Scope(), Filter(relevance=None)), config.parent / "posts.csv", "csv", None)
    assert exported.rows == 3
    assert found(config.parent, removed | stays) == stays


def test_of_an_author_on_x_nothing_is_left_in_the_bill_the_checks_or_the_proofs(config, store):
    """Their posts were paid for, checked once, and are asked about right now."""
    author, posts, other = "7219834450126", ["1871234567890123456", "1871234567890123457"], "1871234567890123458"
    fields = {"platform": "x", "text": marker("text"), "raw": marker("raw"), "author_handle": marker("handle")}
    mine = [a_post(n, post_id=post_id, author_id=author, **fields) for n, post_id in enumerate(posts)]
    commit(store, *mine, a_post(3, platform="x", post_id=other, author_id="55"))
    today = date(2026, 11, 26)
    charged = [Charge(today, "post", post_id, 5_000) for post_id in posts] + [Charge(today, "user", author, 10_000)]
    commit(store, charges=tuple(charged))
    hidden = AccountStatus("x", author, "suspended", T0)
    commit(store, accounts=(hidden,), checks=(Check("monitor-1", "x", "applied", "1", 3, 2),))
    gone = Deletion("x", posts[1], author, T0, "protected")
    commit(store, deletions=(gone,), checks=(Check("monitor-2", "x", "applied", "2", 3, 1),))
    store.plan_check("monitor-3", "x:comply", 1)
    commit(store, cursor=Cursor("x:comply", checks.open_check(store, "x").last))
    assert len(proofs.complied(store)) == 2
    assert call("forget", "--author", author, "--yes", "-c", config).exit_code == 0
    assert call("compact", "-c", config).exit_code == 0
    store.snapshot(config.parent / "copy.duckdb")
    (config.parent / "exports").mkdir()
    export(parts(store, Scope(), Filter(relevance=None)), config.parent / "exports" / "posts.csv", "csv", None)
    names = (author, *posts, marker("text"), marker("raw"), marker("handle"))
    assert [(table, value) for table, value in everything(store) if any(name in value for name in names)] == []
    held = b"\n".join(path.read_bytes() for path in config.parent.rglob("*") if path.is_file())
    assert [name for name in names if name[:8].encode() in held and name not in posts] == []  # other's id begins so too
    assert [name for name in posts if name.encode() in held] == []
    commit(store, charges=tuple(charged))  # the same reads on the same day
    assert spent_since(store, today) == 20_000
    assert [row.action for row in proofs.forgotten(store)] == ["forgotten"]
    assert {row.check for row in proofs.complied(store)} == {"monitor-1", "monitor-2"}
    assert [one.id for one in checks.asked(store, "monitor-3")] in ([], [other])


def test_the_report_says_what_went_what_stayed_and_what_to_do_and_names_nobody(config, store):
    commit(store, a_post(1, author_handle="luna.example"))
    commit(store, a_post(2, kind="reply", reply_to=uri(1), text="@luna.example!"))
    result = call("forget", "--author", "Luna.Example", "--yes", "-c", config)
    assert "luna.example" in result.stderr
    for told in ("1 posts", "1 contexts", "1 posts by others", "monitor compact", "exports downloaded", "Tombstone"):
        assert told in result.stdout
    for secret in ("luna", did(1), "soundcloud"):
        assert secret not in result.stdout.lower()


def test_the_report_and_the_log_are_json_that_agrees(config, store):
    commit(store, a_post(1), a_post(2), rejected=(Rejected("live", "no text", T0, did(2)),))
    report = json.loads(call("forget", "--author", did(1), "--yes", "--json", "-c", config).stdout)
    assert report["removed"]["posts"] == 1
    assert report["removed"]["rejected"] == report["mentions_by_others"] == 0
    assert "exports" in report.pop("next")[1]
    again = json.loads(call("forget", "--post", uri(2), "--yes", "--json", "-c", config).stdout)
    again.pop("next")
    listed = call("forget", "--log", "--json", "-c", config).stdout
    assert json.loads(listed) == [report, again]
    assert [row["what"] for row in (report, again)] == ["author", "post"]
    assert "did:" not in listed
    assert call("forget", "--log", "-c", config).stdout.count("\n") == 2
    assert stored_ids(store, "bluesky") == []


def test_a_handle_that_nobody_has_is_said_and_nothing_is_written(config, store):
    commit(store, a_post(1, author_handle="luna.example"))
    with pytest.raises(MonitorError, match="No stored post is by @lun") as caught:
        call("forget", "--author", "@lun", "--yes", "-c", config)
    assert "did:plc" in caught.value.hint
    assert json.loads(call("forget", "--log", "--json", "-c", config).stdout) == []


@pytest.mark.parametrize(("asked", "platform"), [(["--author", did(1)], "bluesky"), (["--author", "5501"], "x")])
def test_an_id_of_whom_nothing_is_stored_gets_its_tombstone(config, store, asked, platform):
    report = json.loads(call("forget", *asked, "--yes", "--json", "-c", config).stdout)
    assert (report["platform"], set(report["removed"].values())) == (platform, {0})
    commit(store, a_post(1), a_post(2, platform="x", post_id="7", author_id="5501"))
    assert len(stored_ids(store, "bluesky") + stored_ids(store, "x")) == 1


def test_of_several_with_a_handle_all_are_named_and_the_platform_or_the_id_decides(config, store):
    fields = {"author_handle": "luna"}
    commit(store, a_post(1, **fields), a_post(2, **fields))
    commit(store, a_post(3, platform="x", post_id="7", author_id="55", **fields))
    with pytest.raises(MonitorError, match="handle of 3 authors") as caught:
        call("forget", "--author", "luna", "--yes", "-c", config)
    assert [name for name in (did(1), did(2), "x 55") if name not in caught.value.message] == []
    assert "--platform" in caught.value.hint
    with pytest.raises(MonitorError, match="handle of 2 authors"):
        call("forget", "--author", "luna", "--platform", "bluesky", "--yes", "-c", config)
    assert call("forget", "--author", "luna", "--platform", "x", "--yes", "-c", config).exit_code == 0
    assert stored_ids(store, "x") == []
    assert call("forget", "--author", did(2), "--yes", "-c", config).exit_code == 0
    assert [author_id for _, author_id in stored_ids(store, "bluesky")] == [did(1)]


def test_digits_are_an_id_and_with_an_at_sign_a_handle(config, store):
    commit(store, a_post(1, platform="x", post_id="7", author_id="55", author_handle="1984"))
    report = json.loads(call("forget", "--author", "1984", "--yes", "--json", "-c", config).stdout)
    assert report["removed"]["posts"] == 0
    report = json.loads(call("forget", "--author", "@1984", "--yes", "--json", "-c", config).stdout)
    assert report["removed"]["posts"] == 1


def test_nobody_to_ask_means_nothing_is_removed(config, store):
    commit(store, a_post(1))
    with pytest.raises(MonitorError, match="nobody is there to confirm") as caught:
        call("forget", "--author", did(1), "-c", config)
    assert "--yes" in caught.value.hint
    assert len(stored_ids(store, "bluesky")) == 1


@pytest.mark.parametrize(("answer", "left"), [("n", 1), ("y", 0)])
def test_a_person_at_a_terminal_is_asked_first(config, store, answer, left):
    commit(store, a_post(1))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "monitor", "forget", "--author", did(1), "-c", str(config)]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(ours, f"{answer}\n".encode())
    told, asked = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert b"for good? [y/N]" in asked
    assert (process.returncode, len(stored_ids(store, "bluesky"))) == (1 if left else 0, left)
    assert (b"Nothing was removed" in asked) == (b"Tombstone" not in told) == bool(left)


@pytest.mark.parametrize(
    "arguments", [[], ["--author", "luna", "--post", "7"], ["--author", " "], ["--log", "--author", did(1)]]
)
def test_it_is_told_one_thing_to_do(config, store, arguments):
    with pytest.raises(ConfigError, match="--author or --post"):
        call("forget", *arguments, "-c", config)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--post", "https://bsky.app/profile/luna.example/post/3k"],
        ["--post", "at://luna.example/app.bsky.feed.post/3k"],
        ["--post", "7", "--platform", "bluesky"],
        ["--author", "did:plc:luna", "--platform", "x"],
    ],
)
def test_what_cannot_be_an_id_is_refused(config, store, arguments):
    with pytest.raises(MonitorError):
        call("forget", *arguments, "--yes", "-c", config)
    assert json.loads(call("forget", "--log", "--json", "-c", config).stdout) == []


@pytest.mark.parametrize(
    "asked", [["--log"], ["--author", did(1)], ["--author", "luna"], ["--post", uri(1)]], ids=lambda asked: asked[0]
)
def test_where_there_is_no_file_nothing_passes_for_forgotten(config, asked):
    with pytest.raises(NoDatabase):
        call("forget", *asked, "--yes", "-c", config)
    assert not (config.parent / "monitor.duckdb").exists()


def test_an_empty_option_beside_the_other_is_none(config, store):
    commit(store, a_post(1))
    assert call("forget", "--author", " ", "--post", f" {uri(1)} ", "--yes", "-c", config).exit_code == 0
    assert stored_ids(store, "bluesky") == []


def test_whoever_is_forgotten_on_x_is_told_of_what_csv_files_leave_out(config, store):
    told = call("forget", "--author", "5501", "--yes", "-c", config).stdout
    assert "CSV" in told
    assert "CSV" not in call("forget", "--author", did(1), "--yes", "-c", config).stdout


def test_compact_says_both_sizes(config, store):
    commit(store, *(a_post(n, text=marker(n) * 100) for n in range(1000)))
    for n in range(3):
        edited = {"observed_at": T0.replace(year=2026 + n), "is_edit": True}
        commit(store, *(a_post(m, text=marker(m + n + 1) * 100, **edited) for m in range(1000)))
    before = store.path.stat().st_size
    told = call("compact", "-c", config).stderr
    after = store.path.stat().st_size
    assert after < before
    assert f"{before / 2**20:,.1f} MB before, {after / 2**20:,.1f} MB now" in told


@pytest.mark.parametrize("ballast_mb", [1, 4])
def test_compact_refuses_where_a_copy_has_no_room_and_leaves_the_file_as_it_was(tmp_path, ballast_mb):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", str(small)], capture_output=True).returncode:
        lacking("needs the right to mount a small file system")
    try:
        store = Store(small / "m.duckdb")
        commit(store, *(a_post(n, raw=marker(n) * 40) for n in range(2000)))
        (small / "ballast").write_bytes(b"x" * ballast_mb * 2**20)
        before = store.path.read_bytes()
        with pytest.raises(DiskFull, match="no room") as caught:
            store.compact()
        assert "Free some space" in caught.value.hint
        assert store.path.read_bytes() == before
        assert not store.path.with_name("m.duckdb.compact").exists()
        assert len(stored_ids(store, "bluesky", limit=9999)) == 2000
    finally:
        subprocess.run(["umount", str(small)], check=True)
