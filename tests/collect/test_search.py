"""The backfill: windows, walls, resumption, and what it cannot say."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from monitor.collect import bluesky_plan
from monitor.collect.bluesky_query import compile_queries
from monitor.collect.bluesky_search import SearchCollector
from monitor.collect.match import Matcher
from monitor.config import Bluesky, Near, Rule, Secrets, Topic
from monitor.errors import CollectError, RateLimited
from monitor.records import Cursor, Window
from tests.conftest import T0
from tests.servers.xrpc import Xrpc, post_view

HOUR = timedelta(hours=1)
DAY = Window(T0, T0 + 24 * HOUR)


def a_topic(**rule):
    fields = {"id": "ai-terms", "phrases": ("soundcloud",)} | rule
    return Topic(name="soundcloud-ai", platform="SoundCloud", rules=(Rule(**fields),))


TOPIC = a_topic()  # two queries: a word is asked for with its possessive


@pytest.fixture
def server():
    with Xrpc() as server:
        yield server


@pytest.fixture
def search(server, tmp_path):
    secrets = Secrets(bluesky_handle="monitor.test", bluesky_app_password="app-pass-word")
    settings = Bluesky(service_url=server.url, search_pause_seconds=0)

    def make(topic=TOPIC, window=DAY, **options):
        return SearchCollector(settings, secrets, topic, window, tmp_path / "session", **options)

    return make


def many(n, start=T0, every=timedelta(seconds=30)):
    return [post_view(f"soundcloud thought {i}", start + i * every) for i in range(n)]


def ids(batches):
    return [post.post_id for batch in batches for post in batch.posts]


def uris(views):
    return {view["uri"] for view in views}


def test_every_page_of_the_window_becomes_a_batch_with_its_own_cursor(server, search):
    server.posts = [*many(250), post_view("soundcloud, too late", T0 + 24 * HOUR)]
    batches = list(search().pull(None))
    assert len(batches) == 3 + 1
    assert set(ids(batches)) == uris(server.posts[:250])
    assert len({batch.cursor.value for batch in batches}) == 4
    assert {batch.stream for batch in batches} == {"bluesky:search:soundcloud-ai"}


def test_a_hit_carries_handle_engagement_and_the_quoted_text(server, search):
    quoted = post_view("the terms changed", T0, author="did:plc:other")
    server.posts = [post_view("soundcloud, look", T0 + HOUR, handle="anna.test", likes=7, quoted=quoted)]
    (post,) = next(search().pull(None)).posts
    assert (post.source, post.author_handle, post.kind, post.context) == (
        "search", "anna.test", "quote", "the terms changed",
    )  # fmt: skip
    assert (post.engagement.likes, post.engagement.reposts) == (7, 0)
    assert post.observed_at == T0 + HOUR


def test_the_parents_of_matching_replies_give_their_context(server, search):
    parent = post_view("they changed the clause", T0, author="did:plc:other")
    server.posts = [
        parent,
        post_view("soundcloud? same, gone", T0 + HOUR, reply_to=parent["uri"]),
        post_view("soundcloud answer to what is gone", T0 + HOUR, reply_to=parent["uri"] + "x"),
    ]
    posts = [post for batch in search(matcher=Matcher([TOPIC])).pull(None) for post in batch.posts]
    assert {post.context for post in posts} == {"they changed the clause", None}
    assert server.count("getPosts") == 1


def test_a_pull_goes_on_where_any_batch_stopped_and_loses_and_repeats_nothing(server, search):
    server.posts = many(230)
    whole = list(search(wall=200).pull(None))
    assert set(ids(whole)) == uris(server.posts)
    assert len(whole) > 4
    for cut in range(len(whole) + 1):
        first = list(itertools.islice(search(wall=200).pull(None), cut))
        rest = list(search(wall=200).pull(first[-1].cursor if first else None))
        assert ids(first) + ids(rest) == ids(whole)


def test_a_finished_window_is_not_searched_again_and_a_longer_one_only_beyond_it(server, search):
    server.posts = [*many(10), post_view("soundcloud next day", T0 + 30 * HOUR)]
    done = list(search().pull(None))[-1].cursor
    asked = server.count("searchPosts")
    assert list(search().pull(done)) == []
    assert server.count("searchPosts") == asked
    longer = search(window=Window(T0, T0 + 48 * HOUR))
    assert ids(longer.pull(done)) == [server.posts[-1]["uri"]]


def test_other_rules_or_another_start_begin_anew(server, search):
    server.posts = many(3)
    done = list(search().pull(None))[-1].cursor
    assert len(ids(search(window=Window(T0 + timedelta(seconds=30), DAY.end)).pull(done))) == 2
    assert len(ids(search(topic=a_topic(phrases=("thought",))).pull(done))) == 3


def test_more_than_10_000_hits_are_found_by_splitting_the_window(server, search):
    server.posts = many(12_000, every=timedelta(seconds=7))
    batches = list(search().pull(None))
    assert set(ids(batches)) == uris(server.posts)
    assert not [gap for batch in batches for gap in batch.gaps]
    # 120 pages hold them, and long before the wall it shows that the window must be split.
    assert server.count("searchPosts") < 145


@pytest.mark.parametrize("hides_wall", [True, False])
def test_a_burst_that_only_the_wall_reveals_is_split_in_halves(server, search, hides_wall):
    server.hides_wall = hides_wall
    calm = [post_view(f"soundcloud calm {i}", T0 + i * timedelta(minutes=10)) for i in range(140)]
    server.posts = many(500, every=timedelta(seconds=1)) + calm
    server.wall = 300
    batches = list(search(wall=300).pull(None))
    assert set(ids(batches)) == uris(server.posts)
    assert not [gap for batch in batches for gap in batch.gaps]


def test_a_minute_with_more_hits_than_the_wall_is_a_gap_and_the_rest_is_found(server, search):
    flood = many(250, start=T0 + HOUR, every=timedelta(microseconds=1))
    server.posts = flood + many(50, start=T0 + 2 * HOUR)
    server.wall = 200
    batches = list(search(wall=200).pull(None))
    gaps = [gap for batch in batches for gap in batch.gaps]
    assert [gap.why for gap in gaps] == ["search wall"]
    assert gaps[0].start <= T0 + HOUR < gaps[0].end
    assert gaps[0].end - gaps[0].start <= timedelta(minutes=2)
    assert uris(server.posts) - set(ids(batches)) <= uris(flood)
    assert uris(server.posts[250:]) <= set(ids(batches))


def test_a_server_that_ignores_the_window_is_not_asked_without_end(server, search):
    server.posts = many(900, start=T0 - 100 * HOUR)
    server.ignores_windows = True
    server.wall = 300
    batches = list(search(wall=300).pull(None))
    assert [gap.why for batch in batches for gap in batch.gaps] == ["search wall"]
    assert server.count("searchPosts") < 10


def test_hits_that_come_again_or_out_of_order_between_pages_are_given_once(server, search):
    server.posts = many(320)
    server.overlap = 7
    found = ids(search().pull(None))
    assert len(found) == len(set(found))
    assert set(found) == uris(server.posts)


def test_a_429_is_raised_with_its_wait_and_the_committed_cursor_goes_on(server, search):
    server.posts = many(250)
    pull = search().pull(None)
    first = next(pull)
    server.rate_limit("searchPosts", reset_in=42)
    with pytest.raises(RateLimited) as caught:
        next(pull)
    assert 35 < caught.value.wait_seconds <= 42
    assert set(ids([first, *search().pull(first.cursor)])) == uris(server.posts)


@pytest.mark.parametrize("fault", [{"status": 502}, {"resets": True}, {"body": b"{}"}], ids=str)
def test_a_fault_in_the_middle_loses_and_repeats_nothing(server, search, fault):
    server.posts = many(250)
    collector = search()
    pull = collector.pull(None)
    first = next(pull)
    server.fail("searchPosts", **fault)
    with pytest.raises(CollectError):
        next(pull)
    found = ids([first, *collector.pull(first.cursor)])
    assert set(found) == uris(server.posts)
    assert len(found) == 250


def test_a_session_that_expires_between_pages_is_made_anew(server, search):
    server.posts = many(250)
    pull = search().pull(None)
    first = next(pull)
    server.expire_tokens(refresh=True)
    assert set(ids([first, *pull])) == uris(server.posts)


def test_a_refused_query_is_counted_and_the_others_go_on(server, search):
    server.posts = [post_view("new terms at soundcloud", T0), post_view("i delete it", T0)]
    server.fail("searchPosts", status=400, error="BadRequest")
    batches = list(search(topic=a_topic(phrases=("soundcloud", "delete"))).pull(None))
    assert [r.why for batch in batches for r in batch.rejected] == ["search refused the query"]
    assert set(ids(batches)) == {server.posts[1]["uri"]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda view: view.pop("uri"),
        lambda view: view.update(record=None),
        lambda view: view["record"].update(text=None),
        lambda view: view["record"].update(text="x" * 5_000_000),
        lambda view: view.update(uri=7, record=[], author="", indexedAt={}),
    ],
    ids=["no uri", "no record", "no text", "5 MB", "nonsense"],
)
def test_a_broken_hit_is_rejected_and_its_neighbours_are_kept(server, search, spoil):
    server.posts = many(3)
    broken = json.loads(json.dumps(server.posts))
    spoil(broken[1])
    server.fail("searchPosts", body=json.dumps({"posts": broken}).encode())
    batch, *_ = search().pull(None)
    assert len(batch.posts) == 2
    assert len(batch.rejected) == 1
    assert len(batch.rejected[0].raw) <= 10_000


def test_odd_characters_and_times_of_a_hit_are_kept_harmless(server, search):
    texts = ["soundcloud \ud83d lone", "soundcloud \x00 nul", "soundcloud \u202e\u200b bidi", "soundcloud null"]
    posts = [post_view(text, T0) for text in texts]
    posts[3]["record"] |= {"createdAt": "1970-01-01T00:00:00Z", "langs": None, "facets": [None], "reply": 3}
    posts[2]["record"]["createdAt"] = "2099-01-01T00:00:00Z"
    server.fail("searchPosts", body=json.dumps({"posts": posts}).encode())
    batch, *_ = search().pull(None)
    assert [post.text for post in batch.posts[:2]] == ["soundcloud \ufffd lone", "soundcloud  nul"]
    assert [post.created_at.year for post in batch.posts] == [2025, 2025, 2099, 1970]
    assert {post.observed_at for post in batch.posts} == {T0}


def test_the_pause_between_pages_is_kept_and_close_ends_it(server, tmp_path):
    secrets = Secrets(bluesky_handle="monitor.test", bluesky_app_password="app-pass-word")
    settings = Bluesky(service_url=server.url, search_pause_seconds=60)
    collector = SearchCollector(settings, secrets, TOPIC, DAY, tmp_path / "session")
    server.posts = many(250)
    pull = collector.pull(None)
    next(pull)
    collector.close()
    collector.close()
    assert list(pull) == []
    assert server.count("searchPosts") == 1


def test_progress_goes_from_nothing_to_all(server, search):
    server.posts = many(20)
    collector = search()
    assert collector.progress == 0
    assert [collector.progress for _ in collector.pull(None)] == [0.5, 1.0]


def test_the_future_is_not_marked_as_searched(search):
    collector = search(window=Window(T0, datetime(2999, 1, 1, tzinfo=UTC)))
    assert collector.window.end <= datetime.now(UTC)


def wide(**rule):
    queries = compile_queries(a_topic(**rule))
    return queries.strings[: queries.wide]


def test_rules_become_the_fewest_queries_that_cover_them():
    assert wide(
        phrases=("SoundCloud terms", "new clause", '"a quoted one"', "clause"),
        near=(Near(a=("soundcloud",), b=("terms", "AI", "terms of use")),),
        hashtags=("#DeleteSoundCloud",),
        links=("soundcloud.com/terms-of-use", "https://www.example.com/"),
    ) == (
        '"a quoted one"', "clause", "clause's", "soundcloud", "soundcloud's",
        "#deletesoundcloud", "https://soundcloud.com/terms-of-use", "domain:example.com",
    )  # fmt: skip


def test_of_two_words_near_each_other_the_rarer_is_asked_for_and_the_pairs_only_in_need():
    queries = compile_queries(
        a_topic(phrases=("soundcloud tos",), near=(Near(a=("ai", "train*"), b=("soundcloud*", "サンクラ")),))
    )
    assert queries.strings[: queries.wide] == ("soundcloud", "soundclouds", "soundcloud's", "サンクラ")
    narrow = [queries.strings[index] for index in queries.narrower[0]]
    assert {"soundcloud ai", "soundcloud training", '"soundcloud tos"'} <= set(narrow)
    assert len(narrow) == 1 + 9 + 1


def test_a_query_whose_every_hit_is_meant_is_never_narrowed():
    near = (Near(a=("soundcloud",), b=("ai",)),)
    assert compile_queries(a_topic(phrases=("soundcloud",), near=near)).narrower.get(0) is None
    assert compile_queries(a_topic(phrases=(), near=near)).narrower[0]


def test_what_the_search_cannot_say_is_told():
    near = (Near(a=("soundcloud",), b=("train*", "leav*")),)
    queries = compile_queries(a_topic(phrases=(), near=near, regex=(r"\bSC\b",), links=("a.example", "b.example/c")))
    assert queries.unsayable == (
        r"the regular expression '\\bSC\\b' (rule 'ai-terms')",
        "train*, leav* with endings other than s, 's, e, es, ed, er, ing, ion (rule 'ai-terms')",
        "hosts below a.example (rule 'ai-terms')",
        "b.example/c as the beginning of a longer address (rule 'ai-terms')",
    )
    assert compile_queries(a_topic(phrases=(), regex=("x",))).strings == ()


def test_a_word_that_is_everywhere_is_asked_for_beside_its_partners_instead(server, search):
    topic = a_topic(phrases=(), near=(Near(a=("meta",), b=("clause", "ai")),))
    noise = [post_view(f"meta noise {i}", T0 + i * timedelta(milliseconds=100)) for i in range(3000)]
    late = [post_view(f"meta noise, late {i}", DAY.end - i * timedelta(milliseconds=20)) for i in range(1, 500)]
    meant = [post_view("meta's ai", T0), post_view("meta has a clause", T0), post_view("ai at meta", T0 + HOUR)]
    server.posts = noise + late + meant
    batches = list(search(topic=topic).pull(None))
    assert uris(meant) <= set(ids(batches))
    assert server.count("searchPosts") < 10


def test_every_query_finds_the_posts_that_its_rule_matches(server, search):
    topic = a_topic(
        phrases=("ai clause",),
        near=(Near(a=("soundcloud",), b=("leav*", "ai")),),
        hashtags=("deletesoundcloud",),
        links=("soundcloud.com/terms",),
    )
    server.posts = [
        post_view("The AI clause, hm", T0),
        post_view("leaving SoundCloud", T0),
        post_view("SoundCloud and AI", T0),
        post_view("bye", T0, tags=["DeleteSoundCloud"]),
        post_view("read it", T0, link="https://soundcloud.com/terms"),
    ]
    posts = [post for batch in search(topic=topic).pull(None) for post in batch.posts]
    matcher = Matcher([topic])
    assert {p.post_id for p in posts if matcher.match(p.text, p.lang, p.links, p.hashtags)} == uris(server.posts)


def test_a_window_is_split_without_seam_or_overlap():
    task = bluesky_plan.Task(0, Window(T0, T0 + timedelta(hours=1, milliseconds=7)))
    for parts in range(2, 65):
        pieces = task.split(parts, timedelta(minutes=1))
        assert pieces[0].window.start == task.window.start
        assert pieces[-1].window.end == task.window.end
        assert all(a.window.end == b.window.start for a, b in itertools.pairwise(pieces))
    assert task.split(2, timedelta(hours=1)) == (task,)


def test_a_cursor_of_an_unknown_version_begins_anew(server, search):
    server.posts = many(3)
    collector = search()
    assert len(ids(collector.pull(Cursor(collector.stream, "[99, 1]")))) == 3
