"""What one commit does, scenario by scenario."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.records import AccountStatus, Batch, Cursor, Deletion, Engagement, Gap, Rejected, Score, Seen
from monitor.store import Committed
from monitor.store.queries import open_gap, status, stored_ids, unscored, watched
from tests.conftest import T0, a_post, did, uri

LATER = T0 + timedelta(hours=5)


def commit(store, *posts, **parts):
    return store.commit(Batch("live", posts=posts, **parts))


def texts(store):
    return {post.post_id: post.text for post in unscored(store, "m", 1000)}


def contexts(store):
    return {post.post_id: post.context for post in unscored(store, "m", 1000)}


def a_score(number=1, **fields):
    values = {
        "platform": "bluesky", "post_id": uri(number), "relevant": 0.9, "concern": (0.0, 0.1, 0.6, 0.3),
        "removal": (0.1, 0.1, 0.1, 0.6, 0.1), "stance": (0.8, 0.1, 0.1), "model_id": "m",
    }  # fmt: skip
    return Score(**(values | fields))


def test_the_cursor_moves_with_the_posts(store):
    assert store.cursor("live") is None
    commit(store, a_post(1), cursor=Cursor("live", "17", LATER))
    assert store.cursor("live") == Cursor("live", "17", LATER)
    assert texts(store) == {uri(1): a_post(1).text}


def test_a_commit_that_fails_keeps_nothing_and_moves_no_cursor(store):
    commit(store, a_post(1), cursor=Cursor("live", "1"))
    with pytest.raises(Exception, match=r"(?i)null"):
        commit(store, a_post(2), cursor=Cursor("live", None))  # type: ignore[arg-type]
    assert set(texts(store)) == {uri(1)}
    assert store.cursor("live") == Cursor("live", "1")


def test_the_same_batch_twice_changes_nothing(store):
    batch = Batch("live", posts=(a_post(1), a_post(2, kind="reply", reply_to=uri(1))))
    assert store.commit(batch).inserted == 2
    before = unscored(store, "m", 10)
    assert store.commit(batch) == Committed()
    assert unscored(store, "m", 10) == before


def test_one_key_twice_in_a_batch_is_stored_once_in_its_last_version(store):
    commit(store, a_post(1), a_post(1, text="edited", observed_at=LATER))
    assert texts(store) == {uri(1): "edited"}


def test_a_post_that_no_rule_matched_is_not_stored(store):
    assert commit(store, a_post(1, matched=())).inserted == 0


def test_an_edit_replaces_the_text_and_asks_for_a_new_score(store):
    commit(store, a_post(1))
    store.commit_scores([a_score(1)])
    assert unscored(store, "m", 10) == []
    assert commit(store, a_post(1, text="never mind", observed_at=LATER)).updated == 1
    assert texts(store) == {uri(1): "never mind"}


def test_a_replay_of_the_create_does_not_undo_the_edit(store):
    commit(store, a_post(1))
    commit(store, a_post(1, text="edited", observed_at=LATER))
    commit(store, a_post(1))
    assert texts(store) == {uri(1): "edited"}


def test_a_score_of_an_older_text_is_not_taken(store):
    commit(store, a_post(1))
    commit(store, a_post(1, text="edited", observed_at=LATER))
    assert store.commit_scores([a_score(1, revision=0)]) == 0
    assert store.commit_scores([a_score(1, revision=1)]) == 1


def test_a_delete_that_precedes_its_create_leaves_nothing(store):
    commit(store, deletions=(Deletion("bluesky", uri(1), did(1), T0),))
    assert commit(store, a_post(1)).inserted == 0
    assert texts(store) == {}


def test_a_delete_and_its_create_in_one_batch_leave_nothing(store):
    commit(store, a_post(1), deletions=(Deletion("bluesky", uri(1), did(1), T0),))
    assert texts(store) == {}


def test_a_deletion_takes_text_raw_and_scores_and_leaves_a_count(store):
    commit(store, a_post(1, raw='{"text":"secret-words"}', text="secret-words"))
    store.commit_scores([a_score(1)])
    assert commit(store, deletions=(Deletion("bluesky", uri(1), did(1), LATER),)).deleted == 1
    assert stored_ids(store, "bluesky") == []
    assert status(store).deleted == {"bluesky": 1}
    every = dict.fromkeys(("start", "end", "topics", "langs", "platforms"))
    assert store.read("departures", **every).to_pylist() == [
        {"platform": "bluesky", "hour": LATER, "why": "author", "topic": "soundcloud-ai", "lang": "und",
         "concern_label": 2, "removal_label": "done", "n": 1}
    ]  # fmt: skip


def test_deleting_a_parent_erases_its_text_from_the_replies(store):
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1)))
    assert contexts(store)[uri(2)] == a_post(1).text
    commit(store, deletions=(Deletion("bluesky", uri(1), did(1), LATER),))
    assert contexts(store) == {uri(2): None}


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_reply_gets_the_text_of_its_parent_whichever_came_first(store, parent_first):
    pair = [a_post(1), a_post(2, kind="reply", reply_to=uri(1), text="same, gone")]
    for post in pair if parent_first else reversed(pair):
        commit(store, post)
    assert contexts(store)[uri(2)] == a_post(1).text


def test_a_quote_keeps_the_quoted_text_it_came_with_when_the_quoted_post_is_unknown(store):
    commit(store, a_post(2, kind="quote", quote_of=uri(1), context="what they said"))
    assert contexts(store)[uri(2)] == "what they said"


def test_an_edited_parent_changes_the_context_and_asks_for_a_new_score_of_the_reply(store):
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1)))
    store.commit_scores([a_score(n, revision=p.revision) for n, p in ((1, unscored(store, "m", 9)[-1]),)])
    commit(store, a_post(1, text="changed", observed_at=LATER))
    assert contexts(store)[uri(2)] == "changed"


def test_a_repost_is_stored_and_never_scored(store):
    commit(store, a_post(1), a_post(2, kind="repost", repost_of=uri(1), text=""))
    assert set(texts(store)) == {uri(1)}
    assert [(s.posts, s.reposts) for s in status(store).sources] == [(1, 1)]


@pytest.mark.parametrize("state", ["deactivated", "suspended", "takendown"])
def test_an_account_that_is_away_hides_its_posts_and_shows_them_when_it_is_back(store, state):
    commit(store, a_post(1), a_post(2))
    assert commit(store, accounts=(AccountStatus("bluesky", did(1), state, T0),)).hidden == 1
    assert set(texts(store)) == {uri(2)}
    assert commit(store, accounts=(AccountStatus("bluesky", did(1), "active", LATER),)).shown == 1
    assert set(texts(store)) == {uri(1), uri(2)}


def test_the_text_of_an_author_who_is_away_is_hidden_in_the_replies_too(store):
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1)))
    commit(store, accounts=(AccountStatus("bluesky", did(1), "takendown", T0),))
    assert contexts(store) == {uri(2): None}
    commit(store, a_post(3, kind="reply", reply_to=uri(1)))
    assert contexts(store)[uri(3)] is None
    commit(store, accounts=(AccountStatus("bluesky", did(1), "active", LATER),))
    assert contexts(store) == {uri(1): None, uri(2): a_post(1).text, uri(3): a_post(1).text}


def test_a_post_that_arrives_from_an_account_that_is_away_is_hidden(store):
    commit(store, accounts=(AccountStatus("bluesky", did(1), "takendown", T0),))
    commit(store, a_post(1))
    assert texts(store) == {}
    commit(store, accounts=(AccountStatus("bluesky", did(1), "active", LATER),))
    assert set(texts(store)) == {uri(1)}


def test_an_older_account_state_does_not_undo_a_newer_one(store):
    commit(store, a_post(1), accounts=(AccountStatus("bluesky", did(1), "takendown", LATER),))
    commit(store, accounts=(AccountStatus("bluesky", did(1), "active", T0),))
    assert texts(store) == {}


def test_a_deleted_account_takes_all_its_posts_and_keeps_replays_out(store):
    commit(store, a_post(1), a_post(2), a_post(3, author_id=did(1)))
    assert commit(store, accounts=(AccountStatus("bluesky", did(1), "deleted", LATER),)).deleted == 2
    assert set(texts(store)) == {uri(2)}
    assert commit(store, a_post(1), a_post(4, author_id=did(1))).inserted == 0


def test_an_account_that_came_back_after_its_deletion_can_post_again_and_its_old_posts_stay_gone(store):
    commit(store, a_post(1))
    commit(store, accounts=(AccountStatus("bluesky", did(1), "deleted", LATER),))
    commit(store, accounts=(AccountStatus("bluesky", did(1), "active", LATER + timedelta(hours=1)),))
    commit(store, a_post(1), a_post(5, author_id=did(1), observed_at=LATER + timedelta(hours=2)))
    assert set(texts(store)) == {uri(5)}


def test_newer_engagement_wins_and_what_was_not_measured_stays(store):
    commit(store, a_post(1, engagement=Engagement(LATER, likes=5, reposts=2)))
    commit(store, a_post(1, engagement=Engagement(T0, likes=1)))
    commit(store, a_post(1, engagement=Engagement(LATER + timedelta(hours=1), likes=9)))
    row = store.read("post", platform="bluesky", post_id=uri(1)).to_pylist()[0]
    assert (row["likes"], row["reposts"], row["replies"]) == (9, 2, None)


def test_rules_that_matched_are_joined(store):
    commit(store, a_post(1, matched=("a/x",)))
    commit(store, a_post(1, matched=("b/y", "a/x")))
    assert unscored(store, "m", 1)[0].matched == ("a/x", "b/y")
    assert watched(store, "bluesky", T0) == {uri(1): ("a", "b")}


def test_seen_adds_up_and_gaps_close(store):
    gap = Gap("live", T0, None, "the server closed the stream")
    commit(store, seen=(Seen("live", T0, 10),), gaps=(gap,))
    assert open_gap(store, "live") == gap
    closed = Gap("live", T0, LATER, gap.why, "replay")
    commit(store, seen=(Seen("live", T0, 5), Seen("live", LATER, 1)), gaps=(closed,))
    assert status(store).seen == {"live": 16}
    assert status(store).gaps == (closed,)
    assert open_gap(store, "live") is None


def test_rejected_rows_are_kept_and_counted_for_ever(store):
    commit(store, rejected=(Rejected("live", "no JSON", T0, "x" * 50_000), Rejected("live", "no JSON", T0)))
    assert commit(store, rejected=(Rejected("live", "no text", T0),)).rejected == 1
    assert status(store).rejected == (("live", "no JSON", 2), ("live", "no text", 1))


@pytest.mark.parametrize(
    "text", ["\ud83d lone", "nul \x00 byte", "\u202eright to left", "zero\u200bwidth", "", "x" * 5_000_000]
)
def test_no_text_is_too_strange_to_store_or_takes_its_neighbour_along(store, text):
    assert commit(store, a_post(1, text=text), a_post(2)).inserted == 2


def test_times_that_only_a_client_can_claim_are_kept(store):
    claims = [T0.replace(year=1970), T0.replace(year=2099), T0.replace(year=1), T0.replace(year=9999), None]
    commit(store, *(a_post(n, created_at=claim) for n, claim in enumerate(claims)))
    assert [
        store.read("post", platform="bluesky", post_id=uri(n)).to_pylist()[0]["created_at"] for n in range(5)
    ] == claims


def test_old_tombstones_of_posts_that_were_never_stored_are_dropped_and_the_others_kept(store):
    commit(store, a_post(1))
    commit(store, deletions=(Deletion("bluesky", uri(1), did(1), T0), Deletion("bluesky", uri(2), did(2), T0)))
    store.tend(datetime.now(UTC) + timedelta(hours=47))
    assert commit(store, a_post(1), a_post(2)).inserted == 0
    store.tend(datetime.now(UTC) + timedelta(hours=49))
    assert commit(store, a_post(1), a_post(2)).inserted == 1


def test_a_replayed_account_deletion_spares_what_was_posted_after_it(store):
    gone = AccountStatus("bluesky", did(1), "deleted", T0)
    commit(store, accounts=(gone,))
    commit(store, accounts=(AccountStatus("bluesky", did(1), "active", LATER),))
    commit(store, a_post(1, observed_at=LATER + timedelta(hours=1)))
    assert commit(store, accounts=(gone,)).deleted == 0
    assert set(texts(store)) == {uri(1)}


@pytest.mark.parametrize("withdrawal", ["post", "account", "away"])
def test_what_was_taken_back_does_not_come_again_with_a_reply_to_it(store, withdrawal):
    commit(store, a_post(1), a_post(2, kind="reply", reply_to=uri(1)))
    if withdrawal == "post":
        commit(store, deletions=(Deletion("bluesky", uri(1), did(1), LATER),))
    else:
        state = "deleted" if withdrawal == "account" else "takendown"
        commit(store, accounts=(AccountStatus("bluesky", did(1), state, LATER),))
    known = a_post(2, kind="reply", reply_to=uri(1), context=a_post(1).text)
    commit(store, known, a_post(3, kind="quote", quote_of=uri(1), context=a_post(1).text))
    assert contexts(store) == {uri(2): None, uri(3): None}


@pytest.mark.parametrize(
    "withdrawal",
    [
        {"deletions": (Deletion("bluesky", uri(1), did(1), LATER),)},
        {"accounts": (AccountStatus("bluesky", did(1), "deleted", LATER),)},
        {"accounts": (AccountStatus("bluesky", did(1), "deactivated", LATER),)},
    ],
)
def test_the_text_of_a_parent_that_was_never_stored_goes_when_it_is_taken_back(store, withdrawal):
    commit(store, a_post(2, kind="reply", reply_to=uri(1), context="a parent's words", source="search"))
    commit(store, a_post(3, kind="reply", reply_to=uri(9), context="another's words", source="search"))
    commit(store, **withdrawal)
    assert contexts(store) == {uri(2): None, uri(3): "another's words"}


def test_an_edit_that_takes_a_picture_away_replaces_the_payload_and_asks_for_no_new_score(store):
    commit(store, a_post(1, raw='{"embed":"a picture"}'))
    store.commit_scores([a_score()])
    commit(store, a_post(1, raw='{"embed":null}', observed_at=LATER, is_edit=True))
    [row] = store.read("post", platform="bluesky", post_id=uri(1)).to_pylist()
    assert (row["raw"], row["edited_at"], row["model_id"]) == ('{"embed":null}', LATER, "m")


def test_only_posts_older_than_a_time_are_listed_where_one_is_given(store):
    commit(store, a_post(1), a_post(2, observed_at=LATER))
    assert stored_ids(store, "bluesky", before=LATER) == [(uri(1), did(1))]
