"""Which posts say the same: groups stay, near-identical texts join, different ones do not, nothing is left behind."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analyse.sketch import ALIKE, likeness, sketched
from monitor.classify.corpus import read_posts
from monitor.grouping import group_pending
from monitor.records import AccountStatus, Batch, Deletion, Post, Window
from monitor.store import Store, views
from monitor.store.views import Filter, Scope, parts
from tests.conftest import T0, a_post, did, uri
from tests.scored import score

STREAM = "bluesky:live"
PETITION = (
    "SoundCloud, I do not consent to my music being used to train your artificial intelligence. "
    "Take the clause out of your terms or I take my tracks out of your catalogue."
)
VARIANTS = (
    PETITION.upper(),
    PETITION + " https://example.org/petition/12",
    "@soundcloud.bsky.social " + PETITION + " 🔥🔥🔥",
    PETITION.replace("SoundCloud, ", "").replace("artificial intelligence", "AI"),
    "Signed! " + PETITION + " #NoAI",
    PETITION.replace("my tracks", "all my tracks").replace("catalogue", "catalog"),
)
JAPANESE = "サウンドクラウドが規約を変えて私の音楽をAIの学習に使うそうです。曲を全部消します。"
texts_ = st.lists(
    st.sampled_from(["haha", "on it", "🔥", "", PETITION, *VARIANTS, JAPANESE, "Deleted my account over this today."]),
    min_size=1,
    max_size=8,
)


def committed(store: Store, texts: list[str], first: int = 1, **fields: object) -> list[Post]:
    posts = [a_post(first + i, text=text, **fields) for i, text in enumerate(texts)]
    store.commit(Batch(STREAM, tuple(posts)))
    return posts


def grouped(store: Store, limit: int = 1000) -> dict[str, int]:
    while group_pending(store, limit):
        pass
    rows = [row for part in parts(store, Scope(), Filter(relevance=None)) for row in part.to_pylist()]
    return {row["post_id"]: row["text_group"] for row in rows}


@given(texts_, st.integers(2, 5))
@settings(max_examples=6, deadline=None)
def test_the_same_words_share_a_group_in_any_order_and_groups_stay_when_posts_arrive(tmp_path_factory, texts, size):
    store = Store(tmp_path_factory.mktemp("groups") / "monitor.duckdb")
    before: dict[str, int] = {}
    for start in range(0, len(texts), size):
        committed(store, texts[start : start + size], first=start + 1)
        now = grouped(store, limit=2)
        assert now.items() >= before.items()
        before = now
    by_form = defaultdict(set)
    for number, text in enumerate(texts, 1):
        [sketch] = sketched([text])
        by_form[sketch.form if text else -number].add(before[uri(number)])
    assert all(len(groups) == 1 for groups in by_form.values())
    near = {sketch.form for sketch in sketched(texts) if sketch.bands}
    own = [group for form, groups in by_form.items() if form not in near for group in groups]
    assert len(set(own)) == len(own)


@pytest.mark.parametrize("text", VARIANTS)
def test_small_edits_links_and_handles_make_no_other_text(store, text):
    committed(store, [PETITION, text])
    assert len(set(grouped(store).values())) == 1


def test_a_japanese_text_with_another_ending_joins_and_a_different_one_does_not(store):
    committed(
        store, [JAPANESE, JAPANESE + "さようなら。", "サウンドクラウドの新しい規約を読んだけれど、私は気にしません。"]
    )
    one, other, different = grouped(store).values()
    assert one == other != different


def test_short_texts_join_only_their_own_words_and_a_post_without_text_stays_alone(store):
    committed(store, ["haha", "Haha!", "hahaha", "", "", "🔥", "🔥", "https://example.org/a", "https://example.org/b"])
    groups = list(grouped(store).values())
    assert groups[0] == groups[1] != groups[2]
    assert groups[3] != groups[4]
    assert groups[5] == groups[6]
    assert len(set(groups)) == 7


def test_a_reader_of_the_sketches_finds_groups_of_earlier_batches(store, monkeypatch):
    monkeypatch.setattr("monitor.store.texts._SLICE", 3)
    others = [f"{'abcdefghij'[i] * 9} number {i} is one of ten quite different texts {i * 7919}" for i in range(10)]
    committed(store, [*others[:5], PETITION, *others[5:]])
    first = grouped(store)[uri(6)]
    committed(store, list(VARIANTS), first=20)
    assert {group for post, group in grouped(store).items() if int(post.rpartition("/")[2]) >= 20} == {first}


def test_a_group_outlives_its_first_post_and_leaves_nothing_when_the_last_is_gone(store):
    first, *_ = committed(store, [PETITION, VARIANTS[1]])
    group = grouped(store)[uri(1)]
    store.commit(Batch(STREAM, deletions=(Deletion("bluesky", first.post_id, first.author_id, T0),)))
    store.tend()
    committed(store, [VARIANTS[2]], first=3)
    assert grouped(store) == {uri(2): group, uri(3): group}
    gone = (AccountStatus("bluesky", did(n), "deleted", T0 + timedelta(days=1)) for n in (2, 3))
    store.commit(Batch(STREAM, accounts=tuple(gone)))
    store.tend()
    assert store.read("text_groups_end")["last"][0].as_py() == 0


def test_an_edited_post_is_grouped_anew_and_its_old_group_stays(store):
    committed(store, [PETITION, PETITION])
    group = grouped(store)[uri(1)]
    edit = a_post(1, text="I take it back, their new wording is fine with me.", observed_at=T0 + timedelta(hours=5))
    store.commit(Batch(STREAM, (edit,)))
    found = grouped(store)
    assert found[uri(2)] == group != found[uri(1)]


def test_no_text_stands_in_what_is_kept_of_a_group(store):
    committed(store, [PETITION])
    grouped(store)
    assert store.read("text_sketches", bands=sketched([PETITION])[0].bands, first=0, last=9).column_names == [
        "text_group",
        "sketch",
    ]


def test_a_sketch_is_the_same_on_every_machine():
    [sketch] = sketched([PETITION])
    assert (sketch.form, sketch.bands[:2]) == (16809800084586561730, (3250362422, 2710788803))


def heldout() -> list[tuple[str, str]]:
    posts = [post for post in read_posts() if post.split == "heldout"]
    return [(post.text, post.group) for post in posts]


def test_of_heldout_posts_on_one_subject_hardly_any_two_are_taken_for_the_same():
    posts = [(text, group, sketch) for (text, group) in heldout() for sketch in sketched([text]) if sketch.bands]
    pairs = wrong = 0
    for number, (_, group, sketch) in enumerate(posts[:-1]):
        rest = posts[number + 1 :]
        shares = likeness(sketch.bands, [other.bands for _, _, other in rest])
        differ = [
            share
            for share, (_, name, other) in zip(shares, rest, strict=True)
            if not (name and name == group) and other.form != sketch.form
        ]
        pairs += len(differ)
        wrong += sum(share >= ALIKE for share in differ)
    print(f"{wrong} of {pairs:,} pairs, {len(posts)} posts")
    assert wrong / pairs < 1e-5


def test_who_repeats_is_told_apart_and_a_short_text_of_many_is_no_campaign(store):
    bot = committed(
        store,
        [f"Buy my beats, they are the best in town, number {n} of them" for n in range(3)],
        author_id="did:plc:bot",
    )
    wave = committed(store, [PETITION] * 6, first=10)
    slow = [a_post(20 + n, text=JAPANESE, observed_at=T0 + timedelta(days=n)) for n in range(5)]
    laughs = committed(store, ["haha"] * 9, first=40)
    few = committed(store, ["This one was said by two people only, long as it is"] * 2, first=60)
    store.commit(Batch(STREAM, tuple(slow)))
    grouped(store)
    score(store, [*bot, *wave, *slow, *laughs, *few])
    rows = views.repeated(store, Scope()).to_pylist()
    found = {(row["kind"], row["posts"], row["authors"], row["most"]) for row in rows}
    assert found == {("many accounts at once", 6, 6, 1), ("many accounts", 5, 5, 1), ("one account", 3, 1, 3)}
    assert next(row for row in rows if row["posts"] == 6)["quickest_seconds"] == 240
    assert store.read("status_distinct").to_pylist() == [{"authors": 23, "texts": 5}]


def test_a_volume_counts_posts_authors_and_distinct_texts(store):
    posts = [
        *committed(store, [PETITION, PETITION], author_id="did:plc:one"),
        *committed(store, [VARIANTS[0], "Something else that I say about it"], first=3),
    ]
    score(store, posts[:1], removal="done")
    score(store, posts[1:], removal="considering")
    window = Window(T0, T0 + timedelta(hours=1))
    ungrouped = views.distinct(store, Scope(), window, 3600).to_pylist()
    assert [(row["unit"], row["n"]) for row in ungrouped] == [("authors", 3), ("texts", 4)]
    grouped(store)
    rows = views.distinct(store, Scope(), window, 3600).to_pylist()
    cells = [(row["unit"], row["n"], row["done"], row["considering"], row["leaving"]) for row in rows]
    assert cells == [("authors", 3, 1, 3, 3), ("texts", 2, 1, 2, 2)]
