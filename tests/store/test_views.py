from datetime import timedelta

import pytest

from monitor.records import AccountStatus, Batch, Deletion, Engagement, Gap, Window
from monitor.store import Store, views
from monitor.store.views import BadPattern, Filter, Scope
from tests.conftest import T0, a_post, did, uri
from tests.scored import score

HOUR = timedelta(hours=1)
WINDOW = Window(T0, T0 + HOUR)
COLUMNS = ("posts", "reposts")
ALL = Scope()


def commit(store, *posts, **more):
    store.commit(Batch("bluesky:live", tuple(posts), **more))


def totals(store, scope=ALL):
    """The hour of the posts as one bucket; nothing stands before it."""
    rows = views.series(store, scope, Window(T0 - HOUR, T0 + HOUR), 3600, origin=T0).to_pylist()
    assert [row["bucket"] for row in rows] in ([], [0])
    return {name: value or 0 for name, value in rows[0].items()} if rows else dict.fromkeys(COLUMNS, 0)


def authors(store, window):
    rows = views.distinct(store, ALL, window, 86400, origin=T0).to_pylist()
    return {row["bucket"]: row["n"] for row in rows if row["unit"] == "authors"}


def test_relevant_irrelevant_and_waiting_posts_are_told_apart(store):
    relevant, irrelevant, waiting = posts = [a_post(n) for n in (1, 2, 3)]
    commit(store, *posts)
    score(store, [relevant], concern=3, removal="done")
    score(store, [irrelevant], relevant=0.49)
    found = totals(store)
    assert (found["posts"], found["unscored"]) == (1, 1)
    assert authors(store, WINDOW) == {0: 1}
    assert (found["concern_sum"], found["done"], found["none"]) == (3, 1, 0)
    assert waiting.post_id in [post.post_id for post in views.newest(store, ALL, WINDOW)]


def test_deleted_and_hidden_posts_are_nowhere(store):
    posts = [a_post(n) for n in (1, 2, 3)]
    commit(store, *posts)
    score(store, posts)
    commit(store, deletions=(Deletion("bluesky", uri(1), did(1), T0),))
    commit(store, accounts=(AccountStatus("bluesky", did(2), "deactivated", T0),))
    assert totals(store)["posts"] == 1
    assert [post.post_id for post in views.newest(store, ALL, WINDOW)] == [uri(3)]
    assert views.found(store, ALL, Filter(relevance=None)).total == 1
    assert sum(part.num_rows for part in views.parts(store, ALL, Filter(relevance=None))) == 1
    assert views.one(store, "bluesky", uri(1)) is None
    assert views.one(store, "bluesky", uri(2)) is None


def test_an_edited_post_waits_again_and_shows_no_old_score(store):
    commit(store, a_post(1))
    score(store, [a_post(1)])
    commit(store, a_post(1, text="something else", observed_at=T0 + 2 * HOUR))
    post = views.one(store, "bluesky", uri(1))
    assert post is not None
    assert (post.model_id, post.relevant, post.concern_probs, post.removal_label) == (None, None, None, None)
    assert (totals(store)["posts"], totals(store)["unscored"]) == (0, 1)


def test_reposts_are_counted_beside_posts_and_only_of_relevant_ones(store):
    commit(store, a_post(1), a_post(2))
    score(store, [a_post(1)])
    score(store, [a_post(2)], relevant=0.1)
    reposts = [a_post(n, kind="repost", text="", repost_of=uri(1 if n < 7 else 2)) for n in range(3, 9)]
    commit(store, *reposts)
    found = totals(store)
    assert (found["posts"], found["reposts"], found["unscored"]) == (1, 4, 0)


def test_a_scope_narrows_topics_languages_and_platforms(store):
    commit(
        store,
        a_post(1, lang="de"),
        a_post(2, lang="pt-BR"),
        a_post(3, matched=("soundcloud-ai-two/x",)),
        a_post(4, platform="x", post_id="4", lang="de"),
    )
    score(store, [a_post(1), a_post(2), a_post(3), a_post(4, platform="x", post_id="4")])
    assert totals(store, Scope(topics=("soundcloud-ai",)))["posts"] == 3
    assert totals(store, Scope(langs=("pt",)))["posts"] == 1
    assert totals(store, Scope(langs=("und",)))["posts"] == 1
    assert totals(store, Scope(langs=("de", "pt"), platforms=("bluesky",)))["posts"] == 2
    assert views.choices(store).langs[0] == "de"
    assert set(views.choices(store).platforms) == {"bluesky", "x"}


def test_a_scope_reaches_reposts_through_their_post(store):
    commit(store, a_post(1, lang="de"), a_post(2, kind="repost", text="", repost_of=uri(1), lang=None))
    score(store, [a_post(1, lang="de")])
    assert totals(store, Scope(langs=("de",)))["reposts"] == 1
    assert totals(store, Scope(langs=("fr",)))["reposts"] == 0


def test_buckets_are_counted_from_the_start_of_the_window(store):
    posts = [a_post(n, observed_at=T0 + n * timedelta(minutes=10)) for n in range(6)]
    commit(store, *posts)
    score(store, posts)
    rows = views.series(store, ALL, Window(T0, T0 + HOUR), 1200).to_pylist()
    assert [(row["bucket"], row["posts"]) for row in rows] == [(0, 2), (1, 2), (2, 2)]


def test_buckets_before_the_origin_have_negative_numbers(store):
    posts = [a_post(n, observed_at=T0 + minutes * timedelta(minutes=1)) for n, minutes in enumerate((-21, -20, -1, 0))]
    commit(store, *posts)
    score(store, posts)
    rows = views.series(store, ALL, Window(T0 - HOUR, T0 + HOUR), 1200, origin=T0).to_pylist()
    assert [(row["bucket"], row["posts"]) for row in rows] == [(-2, 1), (-1, 2), (0, 1)]


def test_an_author_of_two_posts_is_one(store):
    posts = [a_post(n, author_id=did(1), observed_at=T0 + n * HOUR / 4) for n in (-1, 0, 1)]
    commit(store, *posts)
    score(store, posts)
    assert authors(store, Window(T0 - HOUR, T0 + HOUR)) == {-1: 1, 0: 1}


def test_a_bucket_of_reposts_alone_is_there(store):
    commit(store, a_post(1, observed_at=T0 - HOUR))
    score(store, [a_post(1)])
    commit(store, a_post(2, kind="repost", text="", repost_of=uri(1), observed_at=T0 + timedelta(minutes=50)))
    [row] = views.series(store, ALL, WINDOW, 600).to_pylist()
    assert (row["bucket"], row["posts"], row["reposts"]) == (5, None, 1)


def test_posts_that_were_searched_for_are_counted_as_survivors(store):
    commit(store, a_post(1), a_post(2, source="search"), a_post(3, source="import"))
    score(store, [a_post(n) for n in (1, 2, 3)])
    assert totals(store)["searched"] == 2


def test_engagement_is_what_was_collected_or_measured_whichever_is_more(store):
    old = a_post(1, observed_at=T0 - 9 * HOUR)
    measured = a_post(2, engagement=Engagement(T0, likes=0, reposts=3, replies=None, quotes=1))
    commit(store, old, measured, a_post(9))
    score(store, [old, measured, a_post(9)])
    commit(store, *(a_post(n, kind="repost", text="", repost_of=uri(1)) for n in range(10, 16)))
    commit(store, a_post(20, kind="reply", text="same", reply_to=uri(2)))
    first, second = views.engaged(store, ALL, WINDOW)
    assert (first.post_id, first.reposts, first.likes) == (uri(1), 6, None)
    assert (second.post_id, second.likes, second.reposts, second.replies, second.quotes) == (uri(2), 0, 3, 1, 1)


def test_newest_come_first_and_a_reply_has_its_context(store):
    commit(store, a_post(1, text="the clause is vague"))
    commit(store, a_post(2, kind="reply", text="same, gone", reply_to=uri(1)))
    first, _ = views.newest(store, ALL, WINDOW)
    assert (first.post_id, first.context, first.model_id) == (uri(2), "the clause is vague", None)
    assert len(views.newest(store, ALL, WINDOW, limit=1)) == 1


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Four posts of different labels, for tests that only read."""
    store = Store(tmp_path_factory.mktemp("several") / "monitor.duckdb")
    texts = ["Deleted my tracks", "deleting tomorrow", "100% fine_with this", "just asking"]
    posts = [a_post(n, text=text, kind="quote" if n == 3 else "original") for n, text in enumerate(texts)]
    commit(store, *posts)
    for post, removal, stance, concern in zip(
        posts,
        ("done", "committed", "none", "none"),
        ("critical", "critical", "supportive", "neutral"),
        (3, 2, 0, 1),
        strict=True,
    ):
        score(store, [post], removal=removal, stance=stance, concern=concern)
    return store


@pytest.mark.parametrize(
    ("what", "numbers"),
    [
        (Filter(), [3, 2, 1, 0]),
        (Filter(needle="DELET"), [1, 0]),
        (Filter(needle="% fine_w"), [2]),
        (Filter(pattern=r"^delet(ed|ing)\b"), [1, 0]),
        (Filter(removals=("done", "blocked")), [0]),
        (Filter(stances=("neutral",)), [3]),
        (Filter(kinds=("quote",)), [3]),
        (Filter(concern_low=1.5), [1, 0]),
        (Filter(concern_high=0.5), [2]),
        (Filter(relevance="irrelevant"), []),
        (Filter(start=T0 + timedelta(minutes=1), end=T0 + timedelta(minutes=3)), [2, 1]),
        (Filter(sources=("search",)), []),
    ],
)
def test_a_filter_finds_what_it_says_and_an_export_takes_the_same(several, what, numbers):
    found = views.found(several, ALL, what)
    assert found.rows["post_id"].to_pylist() == [uri(n) for n in numbers]
    assert found.total == len(numbers)
    exported = [id_ for part in views.parts(several, ALL, what) for id_ in part["post_id"].to_pylist()]
    assert sorted(exported) == sorted(uri(n) for n in numbers)


@pytest.mark.parametrize(("order", "first"), [("newest", 3), ("oldest", 0), ("concern", 0)])
def test_an_order_puts_the_right_post_first(several, order, first):
    assert views.found(several, ALL, Filter(), order).rows["post_id"][0].as_py() == uri(first)


def test_pages_do_not_overlap_and_know_the_whole(several):
    pages = [views.found(several, ALL, Filter(), limit=3, offset=offset) for offset in (0, 3)]
    assert [page.total for page in pages] == [4, 4]
    assert len({id_ for page in pages for id_ in page.rows["post_id"].to_pylist()}) == 4


@pytest.mark.parametrize("pattern", ["(", "(?=x)", "[", "a{99999}", "\\1"])
def test_a_pattern_that_cannot_be_read_is_an_error_with_a_reason(several, pattern):
    with pytest.raises(BadPattern, match="cannot read") as caught:
        views.found(several, ALL, Filter(pattern=pattern))
    assert "re2" in caught.value.hint
    with pytest.raises(BadPattern, match="cannot read"):
        list(views.parts(several, ALL, Filter(pattern=pattern)))


def test_parts_of_an_export_lose_and_repeat_nothing_where_times_are_equal(store):
    posts = [a_post(n, observed_at=T0 + timedelta(minutes=n // 4)) for n in range(25)]
    commit(store, *posts)
    parts = list(views.parts(store, ALL, Filter(relevance=None), rows=3))
    ids = [id_ for part in parts for id_ in part["post_id"].to_pylist()]
    assert len(ids) == 25
    assert set(ids) == {post.post_id for post in posts}


def test_the_head_says_how_far_the_store_reaches_and_whether_it_is_invented(store):
    head = views.head(store)
    assert (head.oldest_at, head.newest_at, head.moved_at, head.is_synthetic) == (None, None, None, False)
    commit(store, a_post(0), a_post(60))
    store.mark("synthetic", "true")
    head = views.head(store)
    assert (head.oldest_at, head.newest_at, head.is_synthetic) == (T0, T0 + HOUR, True)


def test_only_live_streams_have_gaps(store):
    gaps = [Gap(stream, T0, T0 + HOUR, "down") for stream in ("bluesky:live", "bluesky:search:soundcloud-ai")]
    commit(store, gaps=tuple(gaps))
    assert [gap.stream for gap in views.gaps(store, Window(T0, T0 + HOUR))] == ["bluesky:live"]
