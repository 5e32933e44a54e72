"""Each page on a real store, as its viewer would read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st

from monitor.alert_settings import Alerts
from monitor.alerts.keeping import note
from monitor.collect.versions import canonical
from monitor.collect.x_place import fingerprint
from monitor.collect.x_query import ARCHIVE_LIMIT, compile_queries
from monitor.config import Rule, Topic
from monitor.grouping import group_pending
from monitor.records import Batch, Counted, Cursor, Engagement, Gap, Seen
from monitor.store import alerting
from tests.alerts.test_episodes import finding
from tests.conftest import T0, a_post, uri
from tests.dashboards.conftest import markdown, metrics, texts
from tests.scored import score

HOUR = timedelta(hours=1)
PAGES = ("live", "event", "posts")
HOSTILE = (
    "**bold** _it_ [link](https://evil.example) $\\int x$ :smile: :red[x] `c` <b>b</b> <script>alert(1)</script>"
    "\n# h\n- l"
)


def fill(store, *, at=T0, **fields):
    """Twelve scored posts, one a quarter of an hour around the statement of the configuration."""
    posts = [a_post(n, observed_at=at + n * HOUR / 4, author_handle=f"a{n}.example", **fields) for n in range(12)]
    seen = (Seen("bluesky:live", at - 30 * 24 * HOUR, 100),)
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen, cursor=Cursor("bluesky:live", "1")), now=at)
    score(store, posts[:8], removal="done", concern=3)
    score(store, posts[8:10], relevant=0.1)
    return posts


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_that_invented_posts_are_invented(store, page, name):
    fill(store)
    store.mark("synthetic", "true")
    assert "Synthetic data" in markdown(page(name))


@pytest.mark.parametrize("name", PAGES)
def test_no_page_says_synthetic_of_real_posts(store, page, name):
    fill(store)
    app = page(name)
    assert not app.exception
    assert "ynthetic" not in markdown(app) + texts(app)


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_store_says_what_to_do(store, page, name):
    app = page(name)
    assert not app.exception
    assert "monitor run" in texts(app) or "No post meets" in texts(app)


def test_live_shows_figures_with_their_n_and_the_newest_posts(store, page):
    fill(store)
    app = page()
    shown = metrics(app)
    assert (shown["Relevant posts"], shown["Removal talk"], shown["Not scored yet"]) == ("8", "8", "2")
    assert shown["Mean concern"] == "3.00 / 3"
    assert "n = 8 relevant, 2 not scored yet" in markdown(app)
    assert "SoundCloud's AI clause, thought 11" in texts(app)
    assert "@a11.example" in texts(app)


def test_what_x_counts_is_a_series_of_its_own_where_its_hours_were_counted(store, page):
    fill(store)
    topic = Topic(name="soundcloud-ai", platform="SoundCloud", rules=(Rule(id="ai-terms", phrases=("soundcloud",)),))
    [query] = compile_queries(topic, ARCHIVE_LIMIT).strings
    counted = Counted("x", topic.name, fingerprint((query,)), T0 - 2 * HOUR, (40, 2))
    on_x = a_post(99, platform="x", post_id="99", author_id="9", observed_at=T0)
    store.commit(Batch("x:counts", posts=(on_x,), counted=(counted,)))
    for name in ("live", "event"):
        app = page(name)
        assert not app.exception
        assert "Volume on X, as X counts it" in markdown(app)
        assert "n = 42 posts in 2 counted hours" in markdown(app)
    assert "as X counts it" not in markdown(page("live", platforms=["bluesky"]))


def test_a_sample_says_that_authors_and_texts_are_those_of_what_was_read(store, page):
    fill(store)
    assert "a sample was read" not in markdown(page()) + texts(page("event"))
    fill(store, platform="x", author_id="9", sample_weight=3.0)
    st.cache_data.clear()
    assert "a sample was read" in markdown(page())
    assert "a sample was read" in texts(page("event"))


def test_live_on_an_old_file_says_that_it_ends_at_the_newest_post(store, page):
    fill(store)
    assert "up to the newest post: Thu 8 May 2025" in texts(page())


def test_live_beside_a_running_collector_says_so(store, page):
    fill(store, at=datetime.now(UTC) - 3 * HOUR)
    now = datetime.now(UTC)
    store.commit(Batch("bluesky:live", cursor=Cursor("bluesky:live", "2", at=now)), now=now)
    app = page()
    assert "behind · newest post" in texts(app)
    assert "collecting" in markdown(app)


def test_live_beside_a_stopped_collector_says_how_to_start_it(store, page):
    fill(store, at=datetime.now(UTC) - 3 * HOUR)
    assert "Start it again with: monitor run" in texts(page())


def test_live_compares_only_windows_that_were_collected(store, page):
    fill(store)
    gap = Gap("bluesky:live", T0 - 40 * HOUR, T0 - 24 * HOUR, "closed")
    store.commit(Batch("bluesky:live", gaps=(gap,)))
    assert "No comparison with the 24 h before" in markdown(page())
    assert "against the 24 h before" not in markdown(page())


def test_live_says_survivors_only_of_posts_that_were_searched_for(store, page):
    fill(store, source="search")
    assert "Survivors only: 8 of these posts" in markdown(page())


def test_times_are_shown_in_the_zone_that_was_chosen(store, page):
    fill(store)
    app = page()
    assert "Fri 9 May 2025, 14:45" in texts(app)
    app.selectbox(key="zone").set_value("Asia/Tokyo").run()
    assert "Fri 9 May 2025, 23:45" in texts(app)


@pytest.mark.parametrize("name", PAGES)
def test_what_an_author_wrote_is_never_read_as_markdown_or_html(store, page, name):
    post = a_post(1, text=HOSTILE, author_handle="*evil*:smile:<b>", observed_at=T0)
    store.commit(Batch("bluesky:live", (post, a_post(2, kind="reply", reply_to=uri(1), text=HOSTILE))))
    score(store, [post], removal="done")
    app = page(name)
    for part in ("evil", "script", "bold", "int x"):
        assert part not in markdown(app)
    if name == "live":
        assert HOSTILE in texts(app)
        assert "@*evil*:smile:<b>" in texts(app)


def test_an_event_is_told_in_words_figures_and_a_table(store, page):
    fill(store)
    app = page("event", event="statement")
    assert not app.exception
    assert "In the 3 days after “Company *statement* :smile:”" in texts(app)
    assert "*statement*" not in markdown(app)
    table = app.dataframe[0].value
    assert table.iloc[0].tolist() == ["Relevant posts", "8", "0", ""]


def test_an_event_whose_time_was_hardly_collected_compares_nothing_and_says_of_which_source(store, page):
    fill(store)
    app = page("event", event="statement")
    assert "too little was collected to compare them. " in texts(app)
    assert "After: only 1% of these 3 days was collected (Bluesky: 1% live)" in texts(app).replace("were", "was")
    assert "counts are not compared" in markdown(app)


def test_live_says_of_which_source_too_little_was_collected(store, page):
    fill(store)
    gap = Gap("bluesky:live", T0 - 10 * HOUR, T0 - 4 * HOUR, "closed")
    store.commit(Batch("bluesky:live", gaps=(gap,)))
    assert "of this day was collected (Bluesky: 74% live); what is missing is not zero." in markdown(page())


def test_an_event_names_other_events_within_its_windows(store, page):
    fill(store)
    assert "Within the same 6 days: CEO letter" in texts(page("event", event="statement"))


def test_an_address_opens_the_event_that_it_names_and_no_other(store, page):
    fill(store)
    app = page("event", address={"event": "letter"})
    assert "CEO letter" in texts(app)
    assert "There is no event" not in texts(app)
    assert "Company *statement*" in texts(page("event", address={"event": "statement"}))


def test_an_address_with_an_unknown_event_says_so_until_another_is_chosen(store, page):
    fill(store)
    app = page("event", address={"event": "nonsense"})
    assert not app.exception
    assert "There is no event “nonsense” in the configuration" in texts(app)
    assert "Known are: statement, letter." in texts(app)
    app.selectbox(key="event").set_value("letter").run()
    assert "There is no event" not in texts(app)
    assert app.query_params["event"] == "letter"


def test_an_event_before_all_posts_says_what_the_file_holds(store, page):
    fill(store, at=T0 + 100 * 24 * HOUR)
    app = page("event", event="statement")
    assert "No relevant posts were collected in the 3 days before or after" in texts(app)
    assert "The file holds posts from Sun 17 Aug 2025" in texts(app)
    assert not app.metric


def test_no_events_in_the_configuration_says_how_to_add_one(store, page, config):
    text = config.read_text()
    config.write_text(text[: text.index("[[events]]")] + text[text.index("[dashboard]") :])
    fill(store)
    assert "[[events]]" in texts(page("event"))


def test_posts_are_found_by_words_and_counted(store, page):
    fill(store)
    app = page("posts")
    assert "8 posts" in texts(app)
    app.text_input(key="search").set_value("THOUGHT 3").run()
    assert "1 post." in texts(app)
    assert app.dataframe[0].value["text"].tolist() == ["SoundCloud's AI clause, thought 3"]


def test_nothing_found_says_to_widen_the_filter(store, page):
    fill(store)
    assert "No post meets this filter" in texts(page("posts", search="xyzzy"))


def test_a_bad_pattern_is_explained_where_it_was_typed(store, page):
    fill(store)
    app = page("posts", search="(", regex=True)
    assert not app.exception
    assert "cannot read '('" in texts(app)


def test_an_export_says_what_it_holds_and_when_pseudonyms_are_random(store, page, monkeypatch):
    fill(store)
    assert "MONITOR_HASH_KEY is not set" in texts(page("posts"))
    monkeypatch.setenv("MONITOR_HASH_KEY", "long and random")
    app = page("posts")
    assert "MONITOR_HASH_KEY" not in texts(app)
    assert "X posts leave as ids only" in texts(app)
    assert "long and random" not in texts(app) + markdown(app)


def test_filters_reach_the_store(store, page):
    fill(store)
    app = page("posts", relevance="all")
    assert "12 posts" in texts(app)
    app.multiselect(key="removals").set_value(["blocked"]).run()
    assert "No post meets this filter" in texts(app)


def test_counts_that_were_not_measured_are_not_shown_as_zero(store, page):
    posts = [a_post(1), a_post(2, engagement=Engagement(T0, likes=0, reposts=4))]
    store.commit(Batch("bluesky:live", tuple(posts)))
    score(store, posts)
    table = page("posts").dataframe[0].value
    assert table["likes"].isna().tolist() == [False, True]


def test_event_across_a_change_of_rules_says_so_and_counts_by_the_same_rules_on_demand(store, page):
    fill(store)
    rules = [(Rule(id="r", phrases=phrases),) for phrases in (("1",), ("1", "clause"))]
    narrow, wide = (Topic(name="soundcloud-ai", platform="S", rules=one) for one in rules)
    store.commit_rules({"soundcloud-ai": canonical(narrow)}, now=T0)
    store.commit_rules({"soundcloud-ai": canonical(wide)}, now=T0 + HOUR)
    stored = page("event", event="statement")
    assert "counts before and after do not compare" in texts(stored)
    assert "version 2 of the rules of soundcloud-ai begins" in texts(stored)
    rebased = page("event", event="statement", rebased=True)
    assert not rebased.exception
    assert "Counted by version 1 of the rules of soundcloud-ai" in texts(rebased)
    assert "8 relevant posts" not in texts(rebased)
    assert metrics(rebased)["Relevant posts"] != "8"


def totals(app):
    table = next(one.value for one in app.dataframe if "change" in one.value.columns)
    return {row[0]: (row[1], row[2]) for row in table.itertuples(index=False)}


def test_event_counts_distinct_texts_by_the_same_rules(store, page):
    posts = [
        a_post(n, text=text, observed_at=T0 + n * HOUR) for n, text in enumerate(["AI", "AI!", "songs", "ai", "songs"])
    ]
    seen = (Seen("bluesky:live", T0 - 30 * 24 * HOUR, 100),)
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen, cursor=Cursor("bluesky:live", "1")), now=T0)
    score(store, posts, removal="done")
    while group_pending(store):
        pass
    for hour, phrases in enumerate((("ai",), ("ai", "songs"))):
        topic = Topic(name="soundcloud-ai", platform="S", rules=(Rule(id="r", phrases=phrases),))
        store.commit_rules({"soundcloud-ai": canonical(topic)}, now=T0 + hour * HOUR)
    for is_rebased, before, after in ((False, ("2", "1"), ("3", "2")), (True, ("2", "1"), ("1", "1"))):
        app = page("event", event="statement", rebased=is_rebased, unit="texts")
        assert not app.exception
        found = totals(app)
        assert [found[name] for name in ("Relevant posts", "Distinct texts")] == [*zip(before, after, strict=True)]
        assert found["Removal, texts: done"] == (before[1], after[1])


@pytest.mark.parametrize("unit", ["authors", "texts"])
def test_every_unit_is_shown_on_both_pages_with_its_name(store, page, unit):
    fill(store)
    for name in ("live", "event"):
        app = page(name, unit=unit)
        assert not app.exception
        assert f"{unit.capitalize()} per" in markdown(app)


def test_coverage_tells_each_day_with_its_shares_and_why(store, page):
    now = datetime.now(UTC)
    fill(store, at=now - 3 * HOUR)
    gap = Gap("bluesky:live", now - 90 * HOUR, now - 80 * HOUR, "the *connection* was lost")
    store.commit(Batch("bluesky:live", gaps=(gap,), cursor=Cursor("bluesky:live", "2", at=now)), now=now)
    app = page("coverage")
    assert not app.exception
    table = app.dataframe[0].value
    assert table["platform"].unique().tolist() == ["Bluesky"]
    assert table["by stream"].sum() == 12
    assert table["live"].sum() == pytest.approx(len(table) - 10 / 24, abs=0.01)
    assert any("the *connection* was lost" in why for why in table["why"])
    assert "*connection*" not in markdown(app)


def test_coverage_of_an_empty_file_says_what_to_do(store, page):
    assert "monitor run" in texts(page("coverage"))


def test_coverage_of_a_file_of_imports_does_not_call_it_missing(store, page):
    store.commit(Batch("import", (a_post(1, source="import", observed_at=datetime.now(UTC) - HOUR),)))
    app = page("coverage")
    assert "No live stream of this platform" in markdown(app)
    assert not app.exception


def test_event_says_who_set_it_off_or_why_that_cannot_be_told(store, page):
    fill(store, at=T0 + 2 * HOUR)
    assert "answers, quotes or reposts another stored post." in texts(page("event", event="statement"))
    at = T0 + 4 * HOUR
    told = a_post(50, observed_at=at, text=HOSTILE, author_handle="**loud**.example")
    taken = [
        a_post(n, kind="repost", text="", repost_of=uri(50), observed_at=at + n * HOUR / 60) for n in range(60, 90)
    ]
    store.commit(Batch("bluesky:live", (told, *taken)))
    score(store, [told])
    st.cache_data.clear()
    app = page("event", event="statement")
    assert not app.exception
    assert "Most came of the posts of @**loud**.example: 30 by 30 accounts." in texts(app)
    assert HOSTILE in texts(app)
    assert "30 replies, quotes and reposts by 30 accounts" in markdown(app)
    assert "loud" not in markdown(app)


def test_event_shows_where_a_link_stood_first(store, page):
    fill(store, at=T0 + 2 * HOUR)
    there = T0 + 5 * HOUR
    x = {"platform": "x", "post_id": "7", "author_id": "8", "author_handle": "on_x", "observed_at": there}
    link = '{"uri":"https://news.example/story"}'
    both = [
        a_post(50, observed_at=there + HOUR, raw=link),
        a_post(51, kind="repost", text="", repost_of=uri(50), observed_at=there + 2 * HOUR),
        a_post(52, **x, raw=link),
    ]
    store.commit(Batch("bluesky:live", tuple(both)))
    score(store, [both[0], both[2]])
    app = page("event", event="statement")
    assert not app.exception
    [shown] = [frame.value for frame in app.dataframe if "link or text" in frame.value.columns]
    assert shown["link or text"].tolist() == ["news.example/story"] * 2
    assert shown["platform"].tolist() == ["X", "Bluesky"]
    assert shown["by"].tolist()[0] == "@on_x"


def test_event_says_what_it_changed_or_why_that_cannot_be_told(store, page):
    fill(store)
    app = page("event", event="statement")
    assert not app.exception
    assert "What the event changed" in markdown(app)
    assert "hours before" in texts(app) or "hours after" in texts(app)


def test_an_open_alert_stands_on_live_until_somebody_looks_after_it(store, page):
    fill(store)
    [alert] = note(store, [replace(finding(), phrases=("not **my** music",))], datetime.now(UTC), Alerts()).alerts
    app = page("live")
    assert not app.exception
    assert "20 posts" in texts(app)
    assert "not **my** music" in texts(app)
    assert "volume: firing" in markdown(app)
    app = app.button(key=f"acknowledge-{alert.id}").click().run()
    assert "volume: acknowledged" in markdown(app)
    app = app.button(key=f"snooze-{alert.id}").click().run()
    assert "volume: snoozed" in markdown(app)
    assert alerting.latest(store)[0].acknowledged_at is not None


def test_counts_of_a_model_whose_errors_are_unknown_are_told_as_not_corrected(store, page):
    fill(store)
    for app in (page("live", window="7 d"), page("event")):
        assert not app.exception
        assert "Not corrected: how" in markdown(app)
        assert "is not known (monitor evaluate --keep)" in markdown(app)
