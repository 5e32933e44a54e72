"""``monitor spread`` on a real store: who set it off, or the reason why that cannot be told."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.config import Event
from monitor.export import pseudonym
from monitor.grouping import group_pending
from monitor.records import AccountStatus, Batch, Cursor, Deletion, Gap, Seen, Window
from monitor.spread import event_window, sentence, spread
from monitor.store.views import Scope
from tests.conftest import T0, a_post, did, uri
from tests.dashboards.conftest import CONFIG
from tests.scored import score

HOUR = timedelta(hours=1)
WINDOW = Window(T0, T0 + 24 * HOUR)
THREAD = ("soundcloud-ai/thread",)
LONG = "Their new clause lets them feed our uploads to machines and nobody was ever asked, so mine come down tonight"


def event(at=T0):
    return Event(id="letter", kind="statement", title="Letter", announced=at)


def commit(store, *posts, unscored=(), until=WINDOW.end):
    seen = (Seen("bluesky:live", T0 - 100 * HOUR, 1),)
    cursor = Cursor("bluesky:live", "1", until)
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen, cursor=cursor), now=T0 - 100 * HOUR)
    score(store, [post for post in posts if post.kind != "repost" and post not in unscored])


def reply(number, to, **fields):
    return a_post(number, kind="reply", reply_to=uri(to), **({"matched": THREAD} | fields))


def repost(number, of, **fields):
    return a_post(number, kind="repost", text="", repost_of=uri(of), matched=THREAD, **fields)


def on_x(number, **fields):
    at = T0 + number * timedelta(minutes=1)
    return a_post(number, platform="x", post_id=str(number), author_id=f"{number}", observed_at=at, **fields)


def test_posts_and_accounts_are_ranked_by_what_hangs_on_them(store):
    commit(
        store,
        a_post(1, author_handle="loud.example"),
        a_post(2),
        *(repost(n, 1) for n in range(10, 14)),
        reply(20, 2),
        reply(21, 20),
        a_post(22, kind="reply", reply_to=uri(21), quote_of=uri(1), matched=THREAD),
    )
    found = spread(store, Scope(), WINDOW)
    assert not found.refusal
    assert [(one.post.post_id, one.descendants, one.depth, one.width) for one in found.viral[:3]] == [
        (uri(1), 5, 1, 5),
        (uri(2), 3, 3, 1),
        (uri(20), 2, 2, 1),
    ]
    assert found.viral[0].curve.posts.tolist() == [5]
    assert (found.hanging, found.trees) == (7, 1)
    first = found.movers[0]
    assert (first.author.name, first.descendants, first.accounts, first.earlier) == ("@loud.example", 5, 5, 0)
    assert "Most came of the posts of @loud.example: 5 by 5 accounts." in sentence(found)
    assert "all of it stands in 1 tree, and 20 are needed" in sentence(found)


def test_what_was_posted_before_the_event_has_what_came_of_it_after(store):
    commit(store, a_post(1), reply(2, 1), reply(100, 2), reply(200, 100), until=T0 + 9 * HOUR)
    found = spread(store, Scope(), event_window(event(T0 + 1.5 * HOUR), 1), event(T0 + 1.5 * HOUR))
    assert [(one.post.post_id, one.descendants, one.is_before) for one in found.viral] == [
        (uri(1), 2, True),
        (uri(2), 2, True),
        (uri(100), 1, False),
    ]
    assert any("beyond what was collected" in note for note in found.notes)


def test_what_is_hidden_deleted_or_of_another_topic_does_not_count_and_what_hangs_on_it_is_cut(store):
    commit(store, a_post(1), *(reply(n, 1) for n in (2, 3, 4)), reply(12, 2), reply(13, 3), reply(99, 98))
    commit(store, reply(5, 1, matched=("other/thread",)))
    away = AccountStatus("bluesky", did(2), "deactivated", T0 + HOUR)
    gone = Deletion("bluesky", uri(3), did(3), T0 + HOUR)
    store.commit(Batch("bluesky:live", accounts=(away,), deletions=(gone,)))
    found = spread(store, Scope(("soundcloud-ai",)), WINDOW)
    assert [(one.post.post_id, one.descendants) for one in found.viral] == [(uri(1), 1)]
    assert any(note.startswith("Posts that name a post which is not stored: 3.") for note in found.notes)


def test_what_limits_it_is_said(store):
    posts = [a_post(1), reply(2, 1, source="search"), reply(3, 1, sample_weight=4.0), reply(4, 1)]
    commit(store, *posts, unscored=posts[3:])
    lost = Gap("bluesky:live", T0 + 6 * HOUR, T0 + 12 * HOUR, "offline")
    store.commit(Batch("bluesky:live", gaps=(lost,)))
    notes = " ".join(spread(store, Scope(), WINDOW).notes)
    assert "Survivors only: searched for or imported: 1." in notes
    assert "Read as a sample: 1." in notes
    assert "Posts that wait for their scores: 1." in notes
    assert "Only 75% of the time was collected" in notes


@pytest.mark.parametrize(
    ("posts", "window", "told"),
    [
        ((), WINDOW, "Nothing has been collected yet."),
        ((a_post(1),), Window(T0 + 99 * HOUR, T0 + 100 * HOUR), "“Letter” lies after all that was collected so far."),
        ((a_post(1),), Window(T0 - 999 * HOUR, T0 - 998 * HOUR), "“Letter” lies before anything was collected."),
        ((a_post(1),), Window(T0 + HOUR, T0 + 2 * HOUR), "No relevant posts were collected in that time."),
        ((a_post(1),), WINDOW, "There is one post, and no stored one answers, quotes or reposts it."),
        ((a_post(1), a_post(2)), WINDOW, "None of the 2 posts answers, quotes or reposts another stored post."),
        ((a_post(1), reply(2, 1, author_id=did(1))), WINDOW, "All 2 posts are by one account: nobody else"),
    ],
)
def test_it_refuses_with_the_reason(store, posts, window, told):
    if posts:
        commit(store, *posts)
    found = spread(store, Scope(), window, event())
    assert sentence(found).startswith(told)
    assert found.viral == found.movers == found.bridges == ()


def test_who_only_answers_oneself_moves_nobody(store):
    commit(store, a_post(1), reply(2, 1, author_id=did(1)), a_post(3))
    found = spread(store, Scope(), WINDOW)
    assert found.movers == found.viral == ()
    assert sentence(found).endswith("All of those are by the authors of these posts themselves.")


def test_posts_that_wait_for_their_scores_rank_nobody(store):
    posts = [a_post(1), reply(2, 1)]
    commit(store, *posts, unscored=posts)
    told = sentence(spread(store, Scope(), WINDOW))
    assert told == "No relevant posts were collected in that time. 2 posts wait for their scores."


def facet(url):
    return orjson.dumps({"record": {"facets": [{"features": [{"uri": url}]}]}}).decode()


def entity(url):
    return orjson.dumps({"entities": {"urls": [{"url": "https://t.co/x", "expanded_url": url}]}}).decode()


def test_links_and_texts_that_stand_on_both_platforms_are_followed(store):
    commit(
        store,
        a_post(5, text=LONG, raw=facet("https://www.Example.com/Terms/?utm_source=b&id=4#top")),
        a_post(6, text="SoundCloud AI: https://x.com/somebody/status/900?s=20 here", raw=None),
        a_post(7, raw=facet("https://only.example/here")),
        on_x(900, text=LONG + "!", raw=entity("https://example.com/Terms?id=4")),
        on_x(901, text="SoundCloud AI clause", raw=entity("https://example.com/Terms/?id=4")),
    )
    while group_pending(store):
        pass
    found = spread(store, Scope(), WINDOW)
    assert {one.what: [(a.platform, a.posts, a.first_at) for a in one.appearances] for one in found.links} == {
        "example.com/Terms?id=4": [
            ("bluesky", 1, T0 + timedelta(minutes=5)),
            ("x", 2, T0 + timedelta(minutes=900)),
        ],
        "x.com/i/status/900": [("bluesky", 1, T0 + timedelta(minutes=6)), ("x", 1, T0 + timedelta(minutes=900))],
    }
    [text] = found.texts
    assert text.what == LONG
    assert [a.platform for a in text.appearances] == ["bluesky", "x"]
    assert [post.post_id for post in text.posts] == [uri(5), "900"]
    assert sum(one.readable for one in found.counts) == 4
    assert found.crossings == ""


def test_of_one_platform_nothing_is_told_of_the_other(store):
    commit(store, a_post(1), reply(2, 1))
    assert spread(store, Scope(), WINDOW).crossings.startswith("All relevant posts of this time are of Bluesky")


def test_links_to_accounts_leave_no_name_in_json(store, tmp_path):
    link = f"https://bsky.app/profile/{did(5)}/post/5"
    posts = [a_post(5), a_post(6, raw=facet("https://x.com/somebody")), on_x(7, raw=entity(link))]
    commit(store, *posts, on_x(8, raw=entity("https://twitter.com/somebody/")))
    answer = orjson.loads(run(tmp_path, "--json").stdout)
    assert [[there["platform"] for there in one["platforms"]] for one in answer["links"]] == [["bluesky", "x"]] * 2
    assert not any(word in orjson.dumps(answer).decode() for word in ("did:plc", "somebody"))


def test_what_stands_on_one_platform_alone_is_no_crossing(store):
    commit(store, a_post(5, raw=facet("https://here.example/a")), on_x(6, raw=entity("https://there.example/a")))
    told = spread(store, Scope(), WINDOW).crossings
    assert told == (
        "No link of the 2 whose links can be read and no text of the 2 relevant posts was found on both platforms."
    )


def run(tmp_path, *arguments):
    config = tmp_path / "monitor.toml"
    config.write_text(CONFIG)
    return CliRunner().invoke(app, ["spread", "-c", str(config), *arguments], catch_exceptions=False)


def test_the_command_tells_it_in_words_and_to_programs(store, tmp_path, monkeypatch):
    monkeypatch.setenv("MONITOR_HASH_KEY", "secret")
    at = T0 + 2 * HOUR  # of the event
    many = (a_post(n, observed_at=at + HOUR, kind="repost", text="", repost_of=uri(1)) for n in range(100, 140))
    commit(store, a_post(1, observed_at=at, author_handle="loud.example"), *many)
    told = run(tmp_path, "statement")
    assert told.exit_code == 0
    assert "@loud.example" in told.stdout
    assert "40 posts by 40 accounts" in told.stdout
    answer = orjson.loads(run(tmp_path, "statement", "--json").stdout)
    assert answer["event"] == "statement"
    assert answer["viral"][0]["by_hour"] == [0, 40]
    assert answer["movers"][0]["author"] == pseudonym(b"secret", "bluesky", did(1))
    assert (answer["hanging"], answer["trees"], answer["lead"]) == (40, 1, None)
    assert not any(word in orjson.dumps(answer).decode() for word in ("did:plc", "loud.example", "AI clause"))
    assert "lies after" in run(tmp_path, "letter").stdout
    assert orjson.loads(run(tmp_path, "letter", "--json").stdout)["movers"] == []
    assert orjson.loads(run(tmp_path, "--since", "2025-05-09", "--until", "2025-05-11", "--json").stdout)["trees"] == 1
    assert orjson.loads(run(tmp_path, "--topic", "soundcloud-ai", "--json").stdout)["hanging"] == 40
