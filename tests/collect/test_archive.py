"""Imports: every format as others wrote it, packed or not, whole or broken."""

import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
import zstandard

from monitor.collect import archive_lines
from monitor.collect.archive import ArchiveCollector
from monitor.collect.archive_lines import Lines
from monitor.errors import ArchiveError
from monitor.records import AccountStatus, Deletion
from monitor.store import Committed
from monitor.store.queries import status, unscored
from tests.collect.rig import ids, run
from tests.collect.rig_archive import jsonl, table, v1, v2, x_post
from tests.conftest import T0
from tests.servers.events import account, create, delete, identity, quote_of, reply_to, repost, update, uri
from tests.servers.xrpc import post_view

NETWORK = [
    create(1, "SoundCloud, why", author=1, facets=[{"features": [{"tag": "AI"}, {"uri": "https://a.example/b"}]}]),
    create(2, "same, gone", author=2, reply=reply_to(uri(1, "r1"))),
    create(3, "look", author=3, embed=quote_of(uri(1, "r1"))),
    repost(4, uri(1, "r1"), author=4),
    update(5, "SoundCloud, edited", 1, "r1"),
    delete(6, 2, "r2"),
    account(7, 3, "deactivated"),
    account(8, 3),
    identity(9),
    {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": "OutdatedCursor"},
]


@pytest.fixture
def file(tmp_path):
    def write(data, name="archive.jsonl"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else jsonl(data))
        return path

    return write


def read(path, **options):
    """All that a file holds, as one batch's parts."""
    posts, deletions, accounts, seen, rejected = [], [], [], [], []
    for batch in ArchiveCollector(path, **options).pull(None):
        posts += batch.posts
        deletions += batch.deletions
        accounts += batch.accounts
        seen += batch.seen
        rejected += batch.rejected
    return posts, deletions, accounts, seen, rejected


def posts_of(path, **options):
    return read(path, **options)[0]


# Jetstream


@pytest.mark.parametrize("shape", [lambda events: map(v1, events), v2], ids=["version 1", "version 2"])
def test_events_of_a_jetstream_dump_act_as_live_ones_do(file, shape):
    events = NETWORK if shape is v2 else NETWORK[:-1]
    posts, deletions, accounts, seen, rejected = read(file(shape(events)))
    assert [post.kind for post in posts] == ["original", "reply", "quote", "repost", "original"]
    assert [post.is_edit for post in posts] == [False, False, False, False, True]
    assert {post.source for post in posts} == {"import"}
    assert posts[0].observed_at == T0 + timedelta(seconds=1)
    assert (posts[0].links, posts[0].hashtags) == (("https://a.example/b",), ("AI",))
    assert (posts[1].reply_to, posts[2].quote_of, posts[3].repost_of) == (uri(1, "r1"),) * 3
    assert deletions == [Deletion("bluesky", uri(2, "r2"), "did:plc:author2", T0 + timedelta(seconds=6))]
    assert [(a.author_id, a.status) for a in accounts] == [
        ("did:plc:author3", "deactivated"), ("did:plc:author3", "active"),
    ]  # fmt: skip
    assert isinstance(accounts[0], AccountStatus)
    assert [(s.hour, s.n) for s in seen] == [(T0, 3)]
    assert rejected == []


def test_an_event_without_a_time_or_with_a_broken_post_is_rejected_alone(file):
    good = create(1, "SoundCloud")
    broken = [
        create(2, "x") | {"time": None},
        v1(create(3, "x")) | {"time_us": "now"},
        v1(create(4, "x")) | {"time_us": 10**30},
        create(5, None),
        create(6, "x" * 5_000_000),
        create(7, "x") | {"did": "nobody"},
        v1(create(8, "x")) | {"commit": None},
        account(9, 1) | {"account": None},
    ]
    posts, *_, rejected = read(file([good, *broken, good]))
    assert len(posts) == 2
    assert len(rejected) == 7  # a commit without a collection is one of the many that nobody asked for
    assert all(len(r.raw) <= 10_000 for r in rejected)


def test_a_whole_network_is_not_kept_whole(file):
    with pytest.raises(ArchiveError, match="whole network"):
        read(file(NETWORK), keep_all="topic/import")


# Post views


def test_post_views_come_one_a_line_in_pages_and_in_feeds(file):
    views = [post_view(f"SoundCloud {i}", T0 + timedelta(hours=i), handle="anna.test", likes=i) for i in range(5)]
    lines = [views[0], {"posts": views[1:3], "cursor": "2"}, {"feed": [{"post": views[3]}]}, [views[4]]]
    posts = posts_of(file(lines))
    assert [post.post_id for post in posts] == [view["uri"] for view in views]
    assert [post.observed_at for post in posts] == [T0 + timedelta(hours=i) for i in range(5)]
    assert (posts[4].author_handle, posts[4].engagement.likes) == ("anna.test", 4)


def test_engagement_of_a_view_counts_as_measured_when_the_file_was_written(file):
    path = file([post_view("SoundCloud", T0)])
    (post,) = posts_of(path)
    assert post.engagement.measured_at == datetime.fromtimestamp(path.stat().st_mtime, UTC)


# X


def a_page(**fields):
    parent = x_post(1, "Our new terms are here", author_id="9")
    values = {
        "data": [x_post(2, "same, gone", referenced_tweets=[{"type": "replied_to", "id": parent["id"]}], lang="en")],
        "includes": {"users": [{"id": "7", "username": "anna"}], "tweets": [parent]},
        "errors": [{"title": "Not Found Error", "resource_id": "1"}],
        "meta": {"result_count": 1},
        "__twarc": {"retrieved_at": "2025-06-01T00:00:00+00:00"},
    }
    return values | fields


def test_a_page_of_the_x_api_gives_its_posts_with_author_parent_and_engagement(file):
    page = a_page()
    page["data"][0]["public_metrics"] = {
        "like_count": 3, "retweet_count": 2, "reply_count": 1, "quote_count": 0, "impression_count": 99,
    }  # fmt: skip
    parent, reply = posts_of(file([page]))
    assert (reply.platform, reply.kind, reply.author_id, reply.author_handle) == ("x", "reply", "7", "anna")
    assert (reply.reply_to, reply.context, reply.lang) == (parent.post_id, "Our new terms are here", "en")
    assert (reply.engagement.likes, reply.engagement.reposts, reply.engagement.quotes) == (3, 2, 0)
    assert reply.engagement.measured_at == datetime(2025, 6, 1, tzinfo=UTC)
    assert reply.created_at == reply.observed_at == T0 + timedelta(minutes=2)
    assert parent.author_id == "9"


def test_old_and_new_names_of_the_x_api_mean_the_same(file):
    old = x_post(
        3, "short", referenced_tweets=[{"type": "quoted", "id": "5"}], edit_history_tweet_ids=["4"],
        note_tweet={"text": "long"}, public_metrics={"retweet_count": 4},
    )  # fmt: skip
    new = x_post(
        3, "short", referenced_posts=[{"type": "quoted", "id": "5"}], edit_history_post_ids=["4"],
        note_post={"text": "long"}, public_metrics={"repost_count": 4},
    )  # fmt: skip
    quoted = {"id": "5", "text": "quoted", "author_id": "1", "created_at": "2025-05-01T00:00:00Z"}
    _, a = posts_of(file([{"data": old, "includes": {"tweets": [quoted]}}], "a.jsonl"))
    _, b = posts_of(file([{"data": new, "includes": {"posts": [quoted]}}], "b.jsonl"))
    assert (a.text, a.kind, a.context, a.engagement.reposts, a.post_id) == ("long", "quote", "quoted", 4, "4")
    assert a.context_by == "1"
    for name in ("text", "kind", "context", "quote_of", "post_id", "observed_at"):
        assert getattr(a, name) == getattr(b, name)


def test_a_line_that_twarc_has_flattened_says_the_same_as_its_page(file):
    page = a_page()
    flat = page["data"][0] | {
        "author": {"id": "7", "username": "anna"},
        "referenced_tweets": [{"type": "replied_to", **page["includes"]["tweets"][0]}],
        "__twarc": page["__twarc"],
    }
    of_page, of_line = posts_of(file([page], "a.jsonl")), posts_of(file([flat], "b.jsonl"))
    for a, b in zip(of_page, of_line, strict=True):
        for name in ("post_id", "text", "context", "author_handle", "reply_to", "observed_at"):
            assert getattr(a, name) == getattr(b, name)


def test_a_repost_on_x_has_no_text_of_its_own_and_points_to_the_original(file):
    original = x_post(1, "SoundCloud &amp; AI &lt;3", entities={"hashtags": [{"tag": "ai"}]})
    again = x_post(
        2, "RT @anna: SoundCloud", referenced_tweets=[{"type": "retweeted", "id": original["id"]}],
        public_metrics={"retweet_count": 50},
    )  # fmt: skip
    first, repost_ = posts_of(file([{"data": [again], "includes": {"tweets": [original]}}]))
    assert (first.text, first.hashtags) == ("SoundCloud & AI <3", ("ai",))
    assert (repost_.kind, repost_.text, repost_.repost_of, repost_.engagement) == (
        "repost", "", first.post_id, None,
    )  # fmt: skip


def test_an_edited_x_post_is_one_post_with_its_last_text(file):
    first, last = x_post(1, "SoundCloud is fine"), x_post(2, "SoundCloud is not fine")
    history = [first["id"], last["id"]]
    (post,) = posts_of(
        file([{"data": [last | {"edit_history_tweet_ids": history}, first | {"edit_history_tweet_ids": history}]}])
    )
    assert (post.post_id, post.text, post.is_edit) == (first["id"], "SoundCloud is not fine", True)


def test_links_of_x_are_the_ones_behind_the_short_ones(file):
    urls = [{"url": "https://t.co/1", "expanded_url": "https://a.example", "unwound_url": "https://b.example"}]
    (post,) = posts_of(file([x_post(1, "read", entities={"urls": urls})]))
    assert post.links == ("https://b.example",)


def test_the_time_of_an_x_post_stands_in_its_id_where_it_is_not_given(file):
    bare = {key: value for key, value in x_post(5, "SoundCloud").items() if key in ("id", "text")}
    (post,) = posts_of(file([bare]))
    assert post.observed_at == T0 + timedelta(minutes=5)
    assert post.author_id == ""


def test_broken_x_posts_are_rejected_and_their_page_is_kept(file):
    data = [
        None,
        {"id": "x", "text": "a"},
        {"id": "12", "text": "a"},
        {"text": "a"},
        x_post(1, None),
        x_post(2, "fine"),
    ]
    posts, *_, rejected = read(file([{"data": data, "includes": {"users": [None, 3], "tweets": "none"}}]))
    assert [post.text for post in posts] == ["fine"]
    assert len(rejected) == 5


def test_everything_chosen_is_kept_for_a_topic_and_what_came_along_is_not(file, store):
    page = a_page()
    run(ArchiveCollector(file([page]), keep_all="soundcloud-ai/import"), store)
    (kept,) = unscored(store, "m", 10)
    assert (kept.text, kept.matched) == ("same, gone", ("soundcloud-ai/import",))
    assert kept.context == "Our new terms are here"


# Tables


def test_a_table_with_plain_headers_needs_no_mapping(file):
    rows = [
        ["ID", "Text", "Created At", "Username", "public_metrics.like_count", "lang", "junk"],
        ["1920000000000000001", 'SoundCloud,\n"new" terms', "2025-05-09T12:00:00Z", "@anna", "3.0", "en-GB", "x"],
    ]
    (post,) = posts_of(file(table(rows), "posts.csv"))
    assert (post.platform, post.post_id, post.text) == ("x", "1920000000000000001", 'SoundCloud,\n"new" terms')
    assert (post.author_handle, post.engagement.likes, post.lang) == ("anna", 3, "en")


def test_the_kept_row_holds_no_words_of_others(file):
    rows = [
        ["id", "text", "created_at", "context", "retweeted_status_id"],
        ["1790000000000000003", "my own words", "2025-05-09T12:00:00Z", "a parent's words", ""],
        ["1790000000000000002", "RT @a: reposted words", "2025-05-09T12:00:00Z", "", "1790000000000000001"],
    ]
    reply, repost = posts_of(file(table(rows), "posts.csv"))
    assert reply.context == "a parent's words"
    assert "my own words" in reply.raw
    assert "parent" not in reply.raw
    assert repost.kind == "repost"
    assert "reposted words" not in repost.raw


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_any_usual_delimiter_is_found(file, delimiter):
    text = f"post_id{delimiter}text{delimiter}created_at\n20{delimiter}a, b{delimiter}2025-05-09 12:00:00\n"
    (post,) = posts_of(file(text.encode(), "posts.tsv"))
    assert (post.text, post.observed_at) == ("a, b", T0)


def test_a_mapping_names_the_columns(file):
    rows = [["nr", "was", "wann", "text"], [post_view("", T0)["uri"], "SoundCloud", "1746792000", "not this"]]
    path = file(table(rows), "posts.csv")
    (post,) = posts_of(path, mapping={"nr": "post_id", "was": "text", "wann": "created_at"})
    assert (post.platform, post.text, post.observed_at) == ("bluesky", "SoundCloud", T0)
    assert post.author_id.startswith("did:plc:")


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"nr": "post_id"}, "text or created_at"),
        ({"no": "post_id"}, "unknown column 'no'"),
        ({"nr": "postid"}, "unknown field 'postid'"),
    ],
)
def test_a_mapping_that_cannot_be_is_told_with_a_hint(file, mapping, says):
    with pytest.raises(ArchiveError, match=says) as caught:
        read(file(b"nr,was\n1,2\n", "posts.csv"), mapping=mapping)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-05-09T14:00:00+02:00", T0),
        ("2025-05-09 12:00:00", T0),
        ("1746792000", T0),
        ("1746792000000", T0),
        ("Fri May 09 12:00:00 +0000 2025", T0),
        ("2099-01-01", None),
        ("1970-01-01", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_of_many_forms_are_read_and_impossible_ones_rejected(file, text, at):
    posts, *_, rejected = read(file(table([["id", "text", "date"], [uri(1, "a"), "x", text]]), "posts.csv"))
    assert [post.observed_at for post in posts] == ([at] if at else [])
    assert len(rejected) == (0 if at else 1)


def test_addresses_of_posts_are_ids_too_and_what_a_spreadsheet_spoilt_is_none(file):
    rows = [
        ["id", "text", "date"],
        ["https://x.com/anna/status/1920000000000000001", "a", "2025-05-09"],
        ["https://bsky.app/profile/did:plc:abc/post/3kxyz", "b", "2025-05-09"],
        ["1.92E+18", "c", "2025-05-09"],
    ]
    posts, *_, rejected = read(file(table(rows), "posts.csv"))
    assert [post.post_id for post in posts] == ["1920000000000000001", "at://did:plc:abc/app.bsky.feed.post/3kxyz"]
    assert len(rejected) == 1


def test_bytes_that_are_no_utf8_are_replaced_and_counted(file):
    data = "\ufeffid,text,date\n21,caf\u00e9,2025-05-09\n".encode() + b"22,caf\xe9,2025-05-09\n"
    collector = ArchiveCollector(file(data, "posts.csv"))
    posts = [post for batch in collector.pull(None) for post in batch.posts]
    assert [post.text for post in posts] == ["caf\u00e9", "caf\ufffd"]
    assert collector.replaced == 1


def test_a_stray_quote_takes_no_other_row_with_it(file):
    data = b'id,text,date\n21,fine,2025-05-09\n22,"never closed,2025-05-09\n23,fine,2025-05-09\n24,fine,2025-05-09\n'
    posts, *_, rejected = read(file(data, "posts.csv"))
    assert [post.post_id for post in posts] == ["21", "23", "24"]
    assert rejected[0].raw.startswith('line 3: 22,"never closed')


def test_rows_that_are_too_long_too_short_or_far_too_big_are_rejected_alone(file):
    rows = [
        ["id", "text", "date"], ["21", "a", "2025-05-09", "more"], ["22"], ["23", "x" * 5_000_000, "2025-05-09"],
        ["24", "x" * 200_000, "2025-05-09"], ["25", "nul \x00 here", "2025-05-09"],
    ]  # fmt: skip
    posts, *_, rejected = read(file(table(rows), "posts.csv"))
    assert [(post.post_id, post.text) for post in posts] == [("25", "nul  here")]
    assert len(rejected) == 4


# Whatever the format


@pytest.mark.parametrize(
    "pack",
    [
        lambda data: data,
        gzip.compress,
        zstandard.compress,
        lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:]),
        lambda data: zstandard.compress(data[:700]) + zstandard.compress(data[700:]),
        lambda data: gzip.compress(data) + b"\0" * 512,
        lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") + b"\n\n",
    ],
    ids=["plain", "gzip", "zstd", "gzip members", "zstd frames", "padded", "BOM and CRLF"],
)
def test_packing_does_not_change_what_a_file_holds(file, pack):
    views = [post_view(f"SoundCloud {i}", T0) for i in range(20)]
    assert [p.post_id for p in posts_of(file(pack(jsonl(views)), "a.bin"))] == [view["uri"] for view in views]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_file_that_breaks_off_is_kept_up_to_there_and_told(file, store, pack):
    import random

    noise = random.Random(7)
    views = [post_view(f"SoundCloud {i} {noise.randbytes(500).hex()}", T0) for i in range(600)]
    whole = pack(jsonl(views))
    path = file(whole[: len(whole) // 2], "a.bin")
    with pytest.raises(ArchiveError, match=r"breaks off in line \d+; what stands before is stored") as caught:
        run(ArchiveCollector(path), store)
    assert caught.value.hint
    kept = ids(store)
    line = int(caught.value.message.split("in line ")[1].split(";")[0])
    assert kept == {view["uri"] for view in views[: line - 1]}
    assert len(kept) > 100
    path.write_bytes(whole)
    run(ArchiveCollector(path), store)
    assert len(ids(store)) == 600


def test_a_damaged_file_is_told_and_what_stands_before_is_kept(file):
    whole = bytearray(gzip.compress(jsonl(post_view(f"SoundCloud {i * 7919}", T0) for i in range(5000))))
    whole[len(whole) // 2] ^= 0xFF
    path = file(bytes(whole), "a.gz")
    found = []
    with pytest.raises(ArchiveError, match=r"is damaged|breaks off"):
        found.extend(len(batch.posts) for batch in ArchiveCollector(path).pull(None))
    assert sum(found) > 1000


def test_a_broken_line_is_rejected_with_its_number(file):
    posts, *_, rejected = read(file(jsonl([post_view("a", T0)]) + b'{"uri": "at:\n' + jsonl([post_view("b", T0)])))
    assert [post.text for post in posts] == ["a", "b"]
    assert (rejected[0].why, rejected[0].raw) == ("line is no JSON", 'line 2: {"uri": "at:\n')


def test_lone_surrogates_nulls_and_odd_characters_harm_nobody(file):
    texts = ["\ud83d lone", "nul \x00", "\u202eright to left\u200b", "fine"]
    posts = posts_of(file([post_view(text, T0) for text in texts]))
    assert [post.text for post in posts] == ["\ufffd lone", "nul ", "\u202eright to left\u200b", "fine"]


def test_a_line_of_many_megabytes_is_rejected_without_being_held(file, monkeypatch):
    monkeypatch.setattr(archive_lines, "LINE_LIMIT", 2**20)
    path = file(b'{"a": "' + b"x" * 3 * 2**20 + b'"}\n' + jsonl([post_view("a", T0)]))
    assert max(len(line) for line in Lines(path)) < 2 * 2**20
    posts, *_, rejected = read(path)
    assert (len(posts), len(rejected)) == (1, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"%PDF-1.4\x00\xff",
        b"PK\x03\x04",
        b'{\n  "posts": [\n  ]\n}',
        b'{"name": "x"}\n',
        b"hello\nworld\n",
    ],
    ids=["empty", "blank", "pdf", "zip", "pretty", "other", "prose"],
)
def test_a_file_of_no_known_kind_is_an_error_with_a_hint_and_stores_nothing(file, data):
    with pytest.raises(ArchiveError) as caught:
        list(ArchiveCollector(file(data)).pull(None))
    assert caught.value.message
    assert caught.value.hint or "empty" in caught.value.message


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ArchiveError, match="cannot be read"):
            _ = ArchiveCollector(path).stream


def test_the_same_file_twice_changes_nothing_under_whatever_name(file, store):
    data = jsonl(v2(NETWORK)) + b"broken\n"
    run(ArchiveCollector(file(data, "a.jsonl")), store)
    before, posts = status(store), unscored(store, "m", 10)
    done: list[Committed] = []
    run(ArchiveCollector(file(data, "b.jsonl")), store, on_commit=lambda _, committed: done.append(committed))
    assert done == []
    assert (status(store), unscored(store, "m", 10)) == (before, posts)


def test_reading_again_after_the_rules_changed_counts_nothing_twice(file, store):
    path = file(jsonl(v2(NETWORK)) + b"broken\n")
    run(ArchiveCollector(path), store)
    before = status(store)
    run(ArchiveCollector(path, again=True), store)
    after = status(store)
    assert (after.seen, after.rejected, after.sources) == (before.seen, before.rejected, before.sources)


def test_a_pull_goes_on_at_any_line(file):
    path = file(gzip.compress(jsonl(v2(NETWORK[:9])) + b"broken\n" + jsonl(v2(NETWORK[:2]))))
    whole = list(ArchiveCollector(path, lines_per_batch=1).pull(None))
    assert len(whole) > 10
    for cut in range(1, len(whole)):
        rest = ArchiveCollector(path, lines_per_batch=1).pull(whole[cut - 1].cursor)
        for ours, theirs in zip(rest, whole[cut:], strict=True):
            assert (ours.posts, ours.deletions, ours.accounts, ours.cursor, len(ours.rejected)) == (
                theirs.posts, theirs.deletions, theirs.accounts, theirs.cursor, len(theirs.rejected),
            )  # fmt: skip


def test_a_table_goes_on_at_any_row(file):
    rows = [["id", "text", "date"], *([str(20 + i), f"two\nlines {i}", "2025-05-09"] for i in range(6))]
    path = file(table(rows), "posts.csv")
    whole = list(ArchiveCollector(path, lines_per_batch=1).pull(None))
    for cut in range(1, len(whole)):
        rest = list(ArchiveCollector(path, lines_per_batch=1).pull(whole[cut - 1].cursor))
        assert [batch.posts for batch in rest] == [batch.posts for batch in whole[cut:]]


def test_close_stops_at_the_line_and_the_cursor_goes_on_there(file):
    path = file([post_view(f"SoundCloud {i}", T0) for i in range(10)])
    collector = ArchiveCollector(path, lines_per_batch=3)
    pull = collector.pull(None)
    first = next(pull)
    collector.close()
    rest = list(pull)
    assert sum(len(batch.posts) for batch in rest) <= 1
    after = ArchiveCollector(path).pull(rest[-1].cursor)
    assert sum(len(batch.posts) for batch in (first, *rest, *after)) == 10


def test_progress_tells_the_share_that_was_read(file):
    collector = ArchiveCollector(file([post_view("SoundCloud", T0)]))
    assert collector.progress == 0
    list(collector.pull(None))
    assert collector.progress == 1


def test_lines_are_the_same_whatever_the_chunks(file):
    data = b"".join(b"x" * n + b"\n" for n in range(0, 3000, 37)) * 8
    path = file(data)
    assert list(Lines(path)) == data.splitlines(keepends=True)
    given = Lines(path)
    for _ in itertools.islice(given, 17):
        pass
    assert list(Lines(path, given.offset, given.number)) == data.splitlines(keepends=True)[given.number :]


def test_a_real_shape_of_twarc_survives_a_round_trip_through_json(file):
    page = json.loads(json.dumps(a_page()))
    assert len(posts_of(file([page, {"meta": {"result_count": 0}}, {"errors": [{"title": "x"}]}]))) == 2
