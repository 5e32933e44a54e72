"""The file itself: made, refused, full, copied, rewritten."""

import subprocess
from datetime import timedelta

import duckdb
import pytest

from monitor.errors import DiskFull, NoDatabase, NotADatabase, SchemaTooNew, StoreError
from monitor.records import Batch, Cursor, Deletion
from monitor.store import Store
from monitor.store.queries import status, stored_ids, unscored
from tests.conftest import T0, a_post, did, lacking, uri


def test_a_missing_file_is_made_for_a_writer_and_refused_to_a_reader(tmp_path):
    with pytest.raises(NoDatabase) as caught:
        Store(tmp_path / "deep" / "m.duckdb", create=False)
    assert "monitor run" in caught.value.hint
    Store(tmp_path / "deep" / "m.duckdb")
    assert status(Store(tmp_path / "deep" / "m.duckdb", create=False)).sources == ()


@pytest.mark.parametrize("content", [b"", b"hello", b"x" * 100_000, b"SQLite format 3\x00" * 1000])
@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content, create):
    path = tmp_path / "m.duckdb"
    path.write_bytes(content)
    with pytest.raises(NotADatabase):
        Store(path, create=create)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path):
    with duckdb.connect(str(tmp_path / "m.duckdb")) as connection:
        connection.execute("CREATE TABLE theirs (x INTEGER)")
    with pytest.raises(NotADatabase, match="another program"):
        Store(tmp_path / "m.duckdb")


def test_a_damaged_file_is_refused_in_words(tmp_path, store):
    store.commit(Batch("live", posts=tuple(a_post(n) for n in range(2000))))
    content = bytearray(store.path.read_bytes())
    content[4096 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4096)
    store.path.write_bytes(content)
    with pytest.raises(StoreError):
        status(store)


def test_a_newer_schema_is_refused_with_both_numbers(store):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("INSERT INTO migrations VALUES (99, '0099_later', now()::TIMESTAMP)")
    with pytest.raises(SchemaTooNew, match="number 99, this program knows") as caught:
        Store(store.path)
    assert "pip install --upgrade" in caught.value.hint


def test_a_file_whose_making_was_interrupted_is_finished(tmp_path):
    duckdb.connect(str(tmp_path / "m.duckdb")).close()
    assert Store(tmp_path / "m.duckdb").commit(Batch("live", posts=(a_post(1),))).inserted == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        Store(tmp_path / "file" / "m.duckdb")


def test_a_full_disk_loses_the_batch_and_nothing_else(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        lacking("needs the right to mount a small file system")
    try:
        store, stored = Store(small / "m.duckdb"), 0
        with pytest.raises(DiskFull):
            for stored in range(1000):
                posts = tuple(a_post(n, raw=f"{n:x}" * 400) for n in range(stored * 100, stored * 100 + 100))
                store.commit(Batch("live", posts=posts, cursor=Cursor("live", str(stored))))
        assert store.cursor("live") in (Cursor("live", str(stored - 1)), Cursor("live", str(stored)))
        assert len(stored_ids(store, "bluesky", limit=10**6)) % 100 == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_snapshot_is_a_whole_store_of_its_own(tmp_path, store):
    store.commit(Batch("live", posts=(a_post(1),)))
    copy = Store(store.snapshot(tmp_path / "copy.duckdb"), create=False)
    store.commit(Batch("live", posts=(a_post(2),)))
    assert [post.post_id for post in unscored(copy, "m", 9)] == [uri(1)]


def test_after_compacting_removed_text_is_not_found_in_the_file(store):
    store.commit(Batch("live", posts=tuple(a_post(n, text=f"remove-me-{n}-please") for n in range(300))))
    gone = tuple(Deletion("bluesky", uri(n), did(n), T0 + timedelta(days=1)) for n in range(300))
    store.commit(Batch("live", posts=(a_post(999),), deletions=gone))
    store.compact()
    assert b"remove-me" not in store.path.read_bytes()
    assert [post.post_id for post in unscored(store, "m", 9)] == [uri(999)]


def test_facts_are_noted(store):
    assert store.marked("synthetic") is None
    store.mark("synthetic", "true")
    store.mark("synthetic", "true")
    assert store.marked("synthetic") == "true"
    assert status(store).synthetic
