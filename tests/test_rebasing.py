"""Versions of rules from the collector to the rebased picture, on a real store."""

import json
import threading
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import collect
from monitor.collect.match import Matcher
from monitor.collect.versions import Shared, canonical, common, includes, topic_of
from monitor.collect.watch import Watch
from monitor.config import Event, Rule, Topic
from monitor.grouping import group_pending
from monitor.rebasing import CannotRebase
from monitor.records import Batch, Cursor, RuleVersion
from monitor.store import Store, views
from monitor.study import event_picture
from tests.conftest import T0, a_post, uri
from tests.scored import score
from tests.strategies import rules, texts

HOUR = timedelta(hours=1)
STREAM = "bluesky:live"
EVENT = Event(id="letter", kind="statement", title="Letter", topic="cloud", announced=T0)


def topic(*phrases, **fields):
    return Topic(name="cloud", platform="Cloud", rules=(Rule(id="any", phrases=phrases, **fields),))


OLD, WIDER, NARROWER, OTHER = topic("ai", "terms"), topic("ai", "terms", "music"), topic("ai"), topic("ai", "music")


class Source:
    def __init__(self, posts, at, stream=STREAM):
        self.stream, self._posts, self._at = stream, posts, at

    def pull(self, _):
        yield Batch(self.stream, tuple(self._posts), cursor=Cursor(self.stream, "1", self._at))

    def close(self):
        pass


def run(store, rules, texts_of, hour, stream=STREAM, **fields):
    """A collector that starts with these rules and sees one post for each text, from ``hour`` on."""
    posts = [
        a_post(n, text=text, matched=(), observed_at=T0 + hour * HOUR + n * timedelta(seconds=1), **fields)
        for n, text in texts_of.items()
    ]
    at = max((post.observed_at for post in posts), default=T0) if stream == STREAM else None
    collect(Source(posts, at, stream), store, Matcher([rules]), Watch.of(store, "bluesky", 36500), threading.Event())


def across(store, before, after):
    """The same three texts before and after the event, the rules changed in between."""
    run(store, before, {1: "ai", 2: "terms", 3: "music"}, -2)
    run(store, after, {11: "ai", 12: "terms", 13: "music"}, 2)
    stored = views.found(store, views.Scope(), views.Filter(relevance=None)).rows["post_id"].to_pylist()
    score(store, [a_post(n) for n in (1, 2, 3, 11, 12, 13) if uri(n) in stored])


def counts(store, **how):
    summary = event_picture(store, EVENT, **how).summary
    return summary.before.posts, summary.after.posts


def test_a_restart_without_a_change_makes_no_version_and_one_with_a_change_makes_one(store):
    run(store, OLD, {1: "ai"}, 0)
    run(store, OLD, {2: "ai"}, 1)
    run(store, WIDER, {3: "music"}, 2)
    first, second = views.rule_versions(store)
    assert (first.number, second.number) == (1, 2)
    assert second.since == T0 + HOUR + timedelta(seconds=2)  # where the live stream went on
    assert [views.one(store, "bluesky", uri(n)).versions for n in (1, 2, 3)] == [
        ("cloud/1",),
        ("cloud/1",),
        ("cloud/2",),
    ]


def test_going_back_to_earlier_rules_is_a_change_as_well(store):
    for number, one in enumerate((OLD, WIDER, OLD)):
        run(store, one, {number: "ai"}, number)
    assert [version.number for version in views.rule_versions(store)] == [1, 2, 3]


@pytest.mark.parametrize(
    "same",
    [
        topic("terms", "ai"),
        topic("AI", "Terms", "ai"),
        Topic(name="cloud", platform="Cloud 2", aliases=("c",), rules=(Rule(id="x", phrases=("terms", "ai")),)),
    ],
)
def test_order_case_ids_and_names_make_no_version(store, same):
    run(store, OLD, {1: "ai"}, 0)
    run(store, same, {2: "ai"}, 1)
    assert len(views.rule_versions(store)) == 1


def test_a_backfill_after_the_change_carries_the_new_version_and_adds_it_to_what_it_finds_again(store):
    run(store, OLD, {1: "ai"}, 0)
    run(store, WIDER, {1: "ai", 2: "music"}, -50, stream="bluesky:search:cloud", source="search")
    assert views.one(store, "bluesky", uri(1)).versions == ("cloud/1", "cloud/2")
    assert views.one(store, "bluesky", uri(2)).versions == ("cloud/2",)
    assert views.found_by(store) == {"cloud/1": 1, "cloud/2": 2}


@pytest.mark.parametrize(
    ("before", "after", "stored", "by"),
    [(OLD, WIDER, (2, 3), [1]), (OLD, NARROWER, (2, 1), [2]), (OLD, OTHER, (2, 2), [1, 2])],
)
def test_the_same_posts_count_alike_on_both_sides_only_in_the_rebased_series(store, before, after, stored, by):
    across(store, before, after)
    assert counts(store) == stored
    picture = event_picture(store, EVENT, is_rebased=True)
    both = 2 if after is WIDER else 1
    assert counts(store, is_rebased=True) == (both, both) == (picture.series.posts.sum() // 2,) * 2
    assert [version.number for version in picture.rules.by["cloud"]] == by
    assert [version.number for version in picture.rules.boundaries] == [2]
    assert str(by[-1]) in picture.rules.words


def test_authors_and_distinct_texts_are_counted_by_the_same_rules_too(store):
    across(store, OLD, WIDER)
    run(store, WIDER, {14: "AI!"}, 3)
    score(store, [a_post(14)])
    while group_pending(store):
        pass
    for is_rebased, found in ((False, (4, 3)), (True, (3, 2))):
        picture = event_picture(store, EVENT, is_rebased=is_rebased)
        before, after = picture.summary.before, picture.summary.after
        assert (before.authors, before.texts) == (2, 2)
        assert (after.authors, after.texts) == found
        counted = {unit: int(series.posts.sum()) for unit, series in picture.counts.items()}
        assert counted["posts"] == picture.series.posts.sum() == counted["authors"] == 2 + found[0]
        assert counted["texts"] <= counted["posts"]


def test_a_version_that_another_may_have_left_gaps_in_is_refused_with_the_reason(store):
    across(store, OLD, WIDER)
    assert counts(store, is_rebased=True, version=1) == (2, 2)
    with pytest.raises(CannotRebase, match="version 1, which held for a part of it, may have left out"):
        event_picture(store, EVENT, is_rebased=True, version=2)
    with pytest.raises(CannotRebase, match="no version 7"):
        event_picture(store, EVENT, is_rebased=True, version=7)


def test_without_a_change_nothing_is_rebased(store):
    across(store, OLD, OLD)
    picture = event_picture(store, EVENT, is_rebased=True)
    assert (picture.is_rebased, picture.rules.boundaries) == (False, ())
    assert counts(store, is_rebased=True) == (2, 2)


def test_answers_go_with_what_they_answer_and_one_whose_post_is_gone_is_told(store):
    across(store, OLD, WIDER)
    answers = {21: 11, 22: 13, 23: 99}  # to a post of both, to one of the new rules, to nobody
    posts = [
        a_post(n, text="same", kind="reply", reply_to=uri(to), observed_at=T0 + 3 * HOUR, matched=("cloud/thread",))
        for n, to in answers.items()
    ]
    store.commit(Batch(STREAM, tuple(posts)))
    score(store, posts)
    assert counts(store, is_rebased=True) == (2, 3)
    picture = event_picture(store, EVENT, is_rebased=True)
    assert picture.undecided == 1
    assert picture.rules.unknown == 3
    assert "before versions were kept" in picture.rules.words


def test_links_and_hashtags_beside_a_stored_text_are_found_in_its_payload():
    tag = RuleVersion(
        "cloud", 1, canonical(Topic(name="cloud", platform="C", rules=(Rule(id="r", hashtags=("ai",)),))), T0
    )
    payload = {"record": {"text": "no", "tags": ["AI"]}}
    shared = Shared([tag])
    assert shared.match("bluesky", "no", None, json.dumps(payload))
    assert shared.match("x", "no", None, json.dumps({"entities": {"hashtags": [{"tag": "ai"}]}}))
    assert not shared.match("bluesky", "no", None, json.dumps({"record": {"text": "no"}}))
    assert not shared.match("bluesky", "no", None, "[")


@given(first=rules("a"), second=rules("b"), found=st.lists(texts(), max_size=6))
@settings(max_examples=60, deadline=None)
def test_shared_is_what_both_find_and_canonical_rules_find_what_they_were_made_of(first, second, found):
    made = [Topic(name="cloud", platform="C", rules=(rule,)) for rule in (first, second)]
    one, other = versions = [RuleVersion("cloud", n, canonical(t), T0) for n, t in enumerate(made, start=1)]
    shared, fewest = Shared(versions), Shared(common(versions))
    for text in found:
        by = [bool(Matcher([t]).match(text)) for t in made]
        assert [bool(Matcher([topic_of(v)]).match(text)) for v in versions] == by
        assert shared.match("bluesky", text, None, None) == fewest.match("bluesky", text, None, None) == all(by)
        assert not (includes(one, other) and by[1] and not by[0])


def test_a_file_from_before_versions_were_kept_is_brought_up_to_date(tmp_path):
    import duckdb

    from monitor.store.transaction import migrations, sql

    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql("writes", "migrations"))
        for number, name in enumerate(migrations()[:4], start=1):
            connection.execute(sql("schema", name))
            connection.execute(sql("writes", "migrated"), {"number": number, "name": name, "now": T0})
    store = Store(path)
    run(store, OLD, {1: "ai"}, 0)
    assert views.one(store, "bluesky", uri(1)).versions == ("cloud/1",)
