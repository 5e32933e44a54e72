import csv

import pyarrow.parquet as pq
import pytest

from monitor.export import export, pseudonym, schema
from monitor.records import Batch
from monitor.store import views
from monitor.store.views import Filter, Scope
from tests.conftest import a_post, did, uri
from tests.scored import score

ANY = Filter(relevance=None)


def commit(store, *posts):
    store.commit(Batch("bluesky:live", posts))
    score(store, [post for post in posts if post.kind != "repost"])


def rows(store, folder, form="parquet", key="secret", what=ANY, **more):
    done = export(views.parts(store, Scope(), what), folder / f"out.{form}", form, key, **more)
    if form == "csv":
        return done, list(csv.DictReader(done.path.open(encoding="utf-8", newline="")))
    return done, pq.read_table(done.path).to_pylist()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_no_id_or_handle_of_an_author_leaves(store, tmp_path, form):
    commit(store, a_post(1, author_handle="luna.example"), a_post(2, kind="reply", reply_to=uri(1), text="same"))
    done, _ = rows(store, tmp_path, form)
    written = done.path.read_bytes()
    assert done.rows == 2
    for secret in (did(1), did(2), "luna.example", "did:plc"):
        assert secret.encode() not in written


def test_threads_stay_linked_and_the_same_key_gives_the_same_pseudonyms(store, tmp_path):
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1), text="same", author_id=did(1)))
    _, first = rows(store, tmp_path)
    _, again = rows(store, tmp_path)
    assert first == again
    parent, child = first
    assert child["reply_to"] == parent["post"]
    assert child["author"] == parent["author"] == pseudonym(b"secret", "bluesky", did(1))


def test_a_post_says_which_rules_and_which_versions_of_them_found_it(store, tmp_path):
    commit(store, a_post(1, versions=("cloud/1", "cloud/2")), a_post(2))
    _, found = rows(store, tmp_path, "csv")
    assert [row["versions"] for row in found] == ["cloud/1 cloud/2", ""]
    assert found[0]["rules"]


def test_without_a_key_two_exports_cannot_be_joined(store, tmp_path):
    commit(store, a_post(1))
    done, first = rows(store, tmp_path, key=None)
    _, again = rows(store, tmp_path, key=None)
    assert not done.is_keyed
    assert first[0]["author"] != again[0]["author"]


def test_x_posts_leave_as_ids_only(store, tmp_path):
    commit(store, a_post(1, platform="x", post_id="1790000000000000001", text="secret words"))
    _, [row] = rows(store, tmp_path)
    assert (row["platform"], row["post"]) == ("x", "1790000000000000001")
    assert {name for name, value in row.items() if value not in (None, False)} == {"platform", "post"}


def test_scores_come_with_their_labels_and_an_unscored_post_without(store, tmp_path):
    commit(store, a_post(1))
    store.commit(Batch("bluesky:live", (a_post(2),)))
    _, [scored, waiting] = rows(store, tmp_path)
    assert (scored["removal_none"], scored["concern_2"], scored["stance_label"]) == (1, 1, "critical")
    assert (waiting["relevant"], waiting["removal_none"], waiting["model_id"]) == (None, None, None)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@handle no", "\tx"])
def test_a_text_that_begins_like_a_formula_is_quoted_in_csv_and_exact_in_parquet(store, tmp_path, text):
    commit(store, a_post(1, text=text))
    _, [row] = rows(store, tmp_path, "csv")
    assert row["text"] == f"'{text}"
    _, [row] = rows(store, tmp_path)
    assert row["text"] == text


def test_line_breaks_quotes_and_commas_survive_csv(store, tmp_path):
    text = 'one, "two"\nthree; ‮four‬ 🎵'
    commit(store, a_post(1, text=text))
    _, [row] = rows(store, tmp_path, "csv")
    assert row["text"] == text


def test_an_export_says_when_it_was_cut(store, tmp_path):
    commit(store, *(a_post(n) for n in range(5)))
    done, found = rows(store, tmp_path, limit=3)
    assert (done.rows, done.is_cut, len(found)) == (3, True, 3)
    done, found = rows(store, tmp_path, limit=5)
    assert (done.rows, done.is_cut) == (5, False)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_nothing_found_makes_a_file_with_columns_only(store, tmp_path, form):
    done, found = rows(store, tmp_path, form, what=Filter(needle="nowhere"))
    assert (done.rows, found) == (0, [])
    assert b"removal_label" in done.path.read_bytes()


def test_invented_posts_say_so_in_every_row(store, tmp_path):
    commit(store, a_post(1), a_post(2))
    _, found = rows(store, tmp_path, is_synthetic=True)
    assert [row["is_synthetic"] for row in found] == [True, True]
    assert "is_synthetic" in schema().names
