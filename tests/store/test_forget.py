"""What forgetting removes, what stays, and that nothing of it comes back."""

from datetime import UTC, datetime, timedelta

from monitor.analyse.sketch import sketched
from monitor.grouping import group_pending
from monitor.records import AccountStatus, Annotation, Batch, Cursor, Deletion, Draw, Grouped, Rejected
from monitor.store import Store, forgotten, proofs, views
from monitor.store.queries import status, stored_ids, unscored
from monitor.store.texts import ungrouped
from tests.conftest import T0, a_post, did, uri
from tests.scored import score

LATER = T0 + timedelta(hours=5)


def commit(store, *posts, **parts):
    return store.commit(Batch("live", posts=posts, **parts))


def by_one(number, **fields):
    return a_post(number, **({"author_id": did(1), "post_id": f"at://{did(1)}/app.bsky.feed.post/{number}"} | fields))


def contexts(store):
    return {post.post_id: post.context for post in unscored(store, "m", 1000)}


def ids(store):
    return [post_id for post_id, _ in stored_ids(store, "bluesky", limit=1000)]


def planted(store):
    """Posts by author 1 with everything that hangs on them, and others' posts that answer."""
    posts = [a_post(1, author_handle="luna.example", raw='{"did":"one"}'), by_one(11, kind="reply", reply_to=uri(2))]
    others = [a_post(2), a_post(3, kind="reply", reply_to=uri(1), text="so true @luna.example")]
    commit(store, *posts, *others, by_one(12, kind="repost", repost_of=uri(2), text=""))
    commit(store, a_post(4, kind="quote", quote_of=f"at://{did(1)}/app.bsky.feed.post/77", context="never stored"))
    score(store, [*posts, *others])
    store.commit_annotations([Annotation("bluesky", uri(1), "ann", 1, 2, "done", "critical", "1", note="luna again")])
    store.commit_sample("first", "random", [Draw("bluesky", uri(1), 0.5), Draw("bluesky", uri(2), 0.5)])
    rejects = [f'{{"did":"{did(1)}"}}', '{"by":"Luna.Example"}', f'{{"did":"{did(2)}"}}']
    commit(store, rejected=tuple(Rejected("live", "no text", T0, raw) for raw in rejects))
    commit(store, deletions=(Deletion("bluesky", by_one(13).post_id, did(1), T0),))
    commit(store, accounts=(AccountStatus("bluesky", did(5), "deactivated", T0),))


def test_everything_by_the_author_goes_and_is_counted_by_table(store):
    planted(store)
    done = store.forget("author", "bluesky", did(1), now=LATER)
    assert (done.posts, done.reposts, done.scores, done.annotations, done.samples) == (2, 1, 2, 1, 1)
    assert (done.contexts, done.rejected, done.accounts, done.tombstones) == (2, 2, 0, 1)
    assert done.mentions == 2  # the reply and the quote of others
    assert ids(store) == [uri(2), uri(3), uri(4)]
    assert proofs.forgotten(store) == (done,)
    assert done.done_at == LATER
    assert status(store).rejected == (("live", "no text", 3),)


def test_posts_that_are_hidden_go_too_with_the_state_of_their_account(store):
    planted(store)
    commit(store, accounts=(AccountStatus("bluesky", did(1), "deactivated", T0),))
    done = store.forget("author", "bluesky", did(1))
    assert (done.posts, done.reposts, done.accounts) == (2, 1, 1)
    assert sum(source.hidden for source in status(store).sources) == 0
    commit(store, accounts=(AccountStatus("bluesky", did(1), "active", LATER),))
    assert ids(store) == [uri(2), uri(3), uri(4)]


def test_what_others_wrote_stays_as_it_was(store):
    planted(store)
    before = {n: store.read("post", platform="bluesky", post_id=uri(n)).to_pylist()[0] for n in (2, 3, 4)}
    store.forget("author", "bluesky", did(1))
    after = {n: store.read("post", platform="bluesky", post_id=uri(n)).to_pylist()[0] for n in (2, 3, 4)}
    assert [n for n in (3, 4) if before[n]["context"]] == [3, 4]
    for row in before.values():
        row["context"] = None
    assert after == before


def test_the_text_in_others_replies_and_quotes_goes_also_where_its_post_was_never_stored(store):
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1)))
    commit(store, a_post(3, kind="quote", quote_of=by_one(7).post_id, context="never stored"))
    commit(store, a_post(4, kind="quote", quote_of=uri(9), context="somebody else's"))
    assert store.forget("author", "bluesky", did(1)).contexts == 2
    assert contexts(store) == {uri(2): None, uri(3): None, uri(4): "somebody else's"}


def test_no_id_of_the_author_is_left_but_what_others_refer_to(store):
    planted(store)
    commit(store, cursor=Cursor("bluesky:recheck", by_one(11).post_id))
    store.forget("author", "bluesky", did(1))
    commit(store, deletions=(Deletion("bluesky", by_one(14).post_id, did(1), LATER),))
    commit(store, accounts=(AccountStatus("bluesky", did(1), "takendown", LATER),))
    commit(store, rejected=(Rejected("live", "no text", T0, f'{{"did":"{did(1)}"}}'),))
    holding = {table for table, value in everything(store) if did(1) in value and f"at://{did(1)}" not in value}
    assert holding == set()
    assert {table for table, value in everything(store) if did(1) in value} == {"posts"}  # reply_to, quote_of
    assert store.cursor("bluesky:recheck") == Cursor("bluesky:recheck", "")
    assert status(store).rejected == (("live", "no text", 4),)


def test_of_an_id_that_another_begins_with_nothing_is_taken(store):
    longer = did(1) + "2"
    commit(store, a_post(1), a_post(12, author_id=longer), cursor=Cursor("recheck", f"at://{longer}/x/1"))
    commit(store, rejected=(Rejected("live", "no text", T0, longer[:-2]),))
    done = store.forget("author", "bluesky", did(1))
    assert (done.posts, done.rejected) == (1, 0)
    assert ids(store) == [uri(12)]
    assert store.cursor("recheck") == Cursor("recheck", f"at://{longer}/x/1")


def test_an_author_of_whom_nothing_is_stored_is_forgotten_in_advance(store):
    done = store.forget("author", "bluesky", did(1))
    assert (done.posts, done.rejected, done.mentions) == (0, 0, 0)
    assert commit(store, a_post(1), a_post(2)).inserted == 1
    assert ids(store) == [uri(2)]


def test_a_forgotten_author_stays_so_whatever_their_account_does_and_however_late_they_post(store):
    planted(store)
    store.forget("author", "bluesky", did(1))
    for state in ("active", "deactivated", "active", "deleted", "active"):
        commit(store, accounts=(AccountStatus("bluesky", did(1), state, LATER),))
        assert commit(store, by_one(15, observed_at=LATER + timedelta(days=900)), by_one(1)).inserted == 0
    store.tend(datetime.now(UTC) + timedelta(days=900))
    assert commit(store, by_one(1), by_one(11, is_edit=True)).inserted == 0


def test_the_text_does_not_come_back_with_a_reply_that_quotes_it(store):
    commit(store, a_post(1))
    store.forget("author", "bluesky", did(1))
    commit(store, a_post(2, kind="quote", quote_of=uri(1), context=a_post(1).text))
    commit(store, a_post(3, kind="reply", reply_to=by_one(9).post_id, context="never stored"))
    assert contexts(store) == {uri(2): None, uri(3): None}


def test_a_post_of_x_is_known_again_by_its_own_id_where_a_quote_brings_its_text(store):
    x = {"platform": "x", "author_id": "5501"}
    commit(store, a_post(1, post_id="1790000000000000001", **x))
    store.forget("author", "x", "5501")
    quote = {"kind": "quote", "quote_of": "1790000000000000001", "context": "what was forgotten"}
    commit(store, a_post(2, platform="x", post_id="1790000000000000002", author_id="77", **quote))
    assert contexts(store) == {"1790000000000000002": None}


def test_a_text_of_x_that_was_never_stored_goes_where_its_author_is_told_and_does_not_come_back(store):
    quote = {"platform": "x", "author_id": "77", "kind": "quote", "context": "never stored"}
    commit(store, a_post(1, post_id="1", quote_of="91", context_by="5501", **quote))
    commit(store, a_post(2, post_id="2", quote_of="92", context_by="5502", **quote))
    commit(store, a_post(3, post_id="3", quote_of="93", **quote | {"context": None}))
    commit(store, a_post(3, post_id="3", quote_of="93", context_by="5501", observed_at=LATER, **quote))
    assert contexts(store)["3"] == "never stored"
    assert store.forget("author", "x", "5501").contexts == 2
    commit(store, a_post(1, post_id="1", quote_of="91", context_by="5501", **quote))
    commit(store, a_post(4, post_id="4", quote_of="94", context_by="5501", **quote))
    assert contexts(store) == {"1": None, "2": "never stored", "3": None, "4": None}


def test_an_edit_is_grouped_anew_adds_its_version_and_still_loses_the_context_of_whoever_is_forgotten(store):
    quote = {"platform": "x", "post_id": "1", "author_id": "77", "kind": "quote", "quote_of": "91"}
    quote |= {"context": "of somebody else", "context_by": "5501"}
    commit(store, a_post(1, **quote, versions=("cloud/1",)))
    before = groups(store)
    edit = {"text": "something else stands here now", "observed_at": LATER, "is_edit": True}
    commit(store, a_post(1, **quote, **edit, versions=("cloud/2",)))
    assert views.one(store, "x", "1").versions == ("cloud/1", "cloud/2")
    assert groups(store)["1"] != before["1"]
    assert store.forget("author", "x", "5501").contexts == 1
    assert contexts(store) == {"1": None}
    commit(store, a_post(1, **quote, **edit | {"text": "and once more", "observed_at": LATER + timedelta(hours=1)}))
    assert contexts(store) == {"1": None}
    assert views.one(store, "x", "1").versions == ("cloud/1", "cloud/2")


def test_one_post_goes_and_its_authors_others_stay(store):
    planted(store)
    done = store.forget("post", "bluesky", uri(1))
    assert (done.posts, done.scores, done.annotations, done.samples, done.contexts) == (1, 1, 1, 1, 1)
    assert by_one(11).post_id in ids(store)
    assert commit(store, a_post(1), a_post(1, text="edited", observed_at=LATER, is_edit=True)).inserted == 0
    assert commit(store, by_one(16)).inserted == 1


def test_a_post_that_is_not_stored_is_kept_out_for_good(store):
    store.forget("post", "bluesky", uri(1))
    commit(store, deletions=(Deletion("bluesky", uri(1), did(1), T0),))
    store.tend(datetime.now(UTC) + timedelta(days=30))
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1), context="its text"))
    assert contexts(store) == {uri(2): None}


def test_the_rejected_event_of_a_post_goes_by_its_author_and_key(store):
    event = f'{{"did":"{did(1)}","rkey":"%s"}}'
    commit(store, rejected=tuple(Rejected("live", "no text", T0, event % key) for key in ("3kabc", "3kxyz")))
    assert store.forget("post", "bluesky", f"at://{did(1)}/app.bsky.feed.post/3kabc").rejected == 1


def test_forgetting_twice_adds_a_row_to_the_log_and_changes_nothing_else(store):
    planted(store)
    first = store.forget("author", "bluesky", did(1), now=T0)
    second = store.forget("author", "bluesky", did(1), now=LATER)
    assert second.posts == second.scores == second.contexts == second.tombstones == 0
    assert second.mentions == first.mentions
    assert [row.done_at for row in proofs.forgotten(store)] == [T0, LATER]


def near(number, **fields):
    """One text in several wordings, each with a form of its own, all in the group of the first."""
    endings = ("", " Signed by me.", " Signed by us.", " Signed by you.")
    return a_post(
        number, text="I never agreed that my songs teach your machines, so they go." + endings[number % 4], **fields
    )


def traces(*posts):
    """Every number that is made of the words of these posts."""
    return {value for one in sketched([post.text for post in posts]) for value in (one.form, *one.bands)}


def groups(store):
    while group_pending(store):
        pass
    rows = [row for part in views.parts(store, views.Scope(), views.Filter(relevance=None)) for row in part.to_pylist()]
    return {row["post_id"]: row["text_group"] for row in rows}


def test_neither_hash_nor_sketch_of_the_words_stays_and_who_said_nearly_the_same_is_grouped_anew(store):
    mine, taken_back = near(1), by_one(8, text="I wrote this and took it back before I asked for more.")
    others = [near(2), near(3), a_post(10, text=taken_back.text + " So did I.")]
    commit(store, mine, taken_back, *others)
    before = groups(store)
    assert before[uri(1)] == before[uri(2)] == before[uri(3)]
    assert before[uri(10)] == before[taken_back.post_id]
    commit(store, deletions=(Deletion("bluesky", taken_back.post_id, did(1), T0),))
    gone = traces(mine, taken_back) - traces(*others)
    assert numbers(store) & gone
    store.forget("author", "bluesky", did(1))
    assert numbers(store) & gone == set()
    now = groups(store)
    assert numbers(store) & gone == set()
    assert now[uri(2)] == now[uri(3)] != before[uri(2)]


def test_words_that_others_say_too_keep_their_group(store):
    commit(store, near(1), a_post(2, text=near(1).text.upper()), near(3))
    before = groups(store)
    store.forget("author", "bluesky", did(1))
    assert groups(store) == {uri(n): before[uri(n)] for n in (2, 3)}


def test_a_group_that_was_found_while_its_text_was_forgotten_is_not_written_down(store):
    mine, other = near(1), near(2)
    commit(store, mine, other)
    first, second = sketched([mine.text, other.text])
    waiting = {post.text: post for post in ungrouped(store, 9)}
    store.forget("author", "bluesky", did(1))
    founder = Grouped(waiting[mine.text].key, waiting[mine.text].revision, first.form, first.form, first.bands)
    store.commit_groups([founder, Grouped(waiting[other.text].key, 0, second.form, first.form)])
    assert numbers(store) & traces(mine) == set()
    assert groups(store) == {uri(2): second.form}


def test_a_handle_finds_everybody_who_ever_had_it_on_any_platform(store):
    commit(store, a_post(1, author_handle="Luna.Example"), a_post(2, author_handle="luna.example"))
    commit(store, by_one(3, author_handle="other.example"), a_post(4, author_handle="nobody.example"))
    commit(store, a_post(5, platform="x", post_id="5", author_id="55", author_handle="luna.example"))
    commit(store, accounts=(AccountStatus("bluesky", did(2), "suspended", T0),))
    found = forgotten.called(store, "@LUNA.example")
    assert [(a.platform, a.author_id, a.posts) for a in found] == [
        ("x", "55", 1), ("bluesky", did(1), 2), ("bluesky", did(2), 1)
    ]  # fmt: skip
    assert found[1].handles == ("Luna.Example", "other.example")
    assert [a.author_id for a in forgotten.called(store, "luna.example", "x")] == ["55"]
    assert forgotten.called(store, "luna") == ()
    assert forgotten.known(store, "bluesky", did(4)).handles == ("nobody.example",)
    assert forgotten.known(store, "bluesky", did(9)) is None


def everything(store: Store) -> list[tuple[str, str]]:
    """Every text in every table, with the table's name."""
    return [(name, value) for name, value in cells(store) if isinstance(value, str)]


def numbers(store: Store) -> set[int]:
    """Every number in every table, those in lists too."""
    flat = (one for _, value in cells(store) for one in (value if isinstance(value, list) else [value]))
    return {one for one in flat if isinstance(one, int)}


def cells(store: Store) -> list[tuple[str, object]]:
    import duckdb

    with duckdb.connect(str(store.path), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        rows = [(name, row) for name in tables for row in connection.execute(f"FROM {name}").fetchall()]
    return [(name, value) for name, row in rows for value in row]
