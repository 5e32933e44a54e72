"""``monitor funnel`` on a real store: who left around an event or in a time, or the reason why that cannot be told."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.config import Event
from monitor.funnel import of_event, of_window, tables
from monitor.records import AccountStatus, Batch, Cursor, Deletion, Gap, Seen, Window
from monitor.store.stages import departed
from monitor.store.views import Scope
from tests.conftest import T0, a_post, did
from tests.dashboards.conftest import CONFIG
from tests.scored import score

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = T0 + 10 * DAY
END = T0 + 20 * DAY
EVENT = Event(id="statement", kind="statement", title="Statement", announced=AT)
ALL = Window(T0 - 100 * DAY, T0 + 1000 * DAY)


def post(number, author, at, **fields):
    return a_post(number, author_id=did(author), observed_at=at, created_at=at, **fields)


def commit(store, *posts, **parts):
    store.commit(Batch("bluesky:live", tuple(posts), **parts), now=END)


def fill(store, gaps=(), **fields):
    """Before the event 1 considers, 2 is done and 3 says nothing; after it 1 is done, 4 blocked and 5 committed."""
    said = {
        "considering": [post(1, 1, AT - 30 * HOUR, **fields)],
        "done": [post(2, 2, AT - 20 * HOUR, **fields), post(3, 1, AT + 18 * HOUR, **fields), post(4, 2, AT + HOUR)],
        "none": [post(5, 3, AT - HOUR, **fields), post(6, 3, AT + HOUR, **fields), post(7, 4, T0 + HOUR, **fields)],
        "blocked": [post(8, 4, AT + 2 * HOUR, **fields)],
        "committed": [post(9, 5, AT + 3 * HOUR, **fields)],
    }
    seen = (Seen("bluesky:live", T0 - HOUR, 1),)
    commit(store, seen=seen, gaps=tuple(gaps), cursor=Cursor("bluesky:live", "1", END))
    for stage, posts in said.items():
        commit(store, *posts)
        score(store, posts, removal=stage)


def stages(stretch):
    found = zip(("considering", "committed", "blocked", "done"), stretch.counts.stages, strict=True)
    return {stage: round(one.effect) for stage, one in found if round(one.effect)}


def checks(found):
    return {check.name: check.passed for check in found.outcomes[0].diagnostics}


def test_before_and_after_an_event_each_author_counts_where_they_newly_came(store):
    fill(store)
    found = of_event(store, EVENT)
    before, after = found.stretches
    assert stages(before) == {"considering": 1, "done": 1}
    assert stages(after) == {"committed": 1, "blocked": 1, "done": 1}
    assert checks(found) == dict.fromkeys(checks(found), True)
    assert found.outcomes[0].sentence.startswith("3 authors (3 to 3) newly spoke of leaving, or went further, in")
    assert "2 (2 to 2) in the 3 days before" in found.outcomes[0].sentence
    step = next(one for one in after.counts.steps if one.origin == "considering" and one.stage == "done")
    assert (step.authors.effect, step.days.effect) == (1, pytest.approx(2))


def test_a_time_of_its_own_counts_all_and_its_words_name_every_stage(store):
    fill(store)
    found = of_window(store, ALL)
    assert stages(found.stretches[0]) == {"committed": 1, "blocked": 1, "done": 2}
    assert checks(found)["known before"] is None
    words = [row for part in tables(found) for row in part.rows]
    assert ("done", "2 (2–2), labels 2") in words
    assert ("considering → done", "1 (1–1), 2.0 d (2.0–2.0)") in words


def test_other_topics_languages_reposts_and_what_is_not_relevant_or_hidden_do_not_count(store):
    fill(store)
    others = [
        post(20, 20, AT + HOUR, matched=("other/rule",)),
        post(21, 21, AT + HOUR, kind="repost", repost_of="x", text=""),
        post(22, 22, AT + HOUR, lang="de"),
        post(23, 23, AT + HOUR, lang="en"),
        post(24, 24, AT + HOUR, lang="en"),
    ]
    commit(store, *others)
    score(store, [one for one in others[:4] if one.kind != "repost"], removal="done")
    score(store, others[4:], removal="none", relevant=0.2)
    commit(store, accounts=(AccountStatus("bluesky", did(23), "deactivated", AT + 2 * HOUR),))
    found = of_event(store, EVENT, scope=Scope(("soundcloud-ai",), ("en", "und")))
    assert stages(found.stretches[1])["done"] == 1
    assert found.hidden == {"deactivated": 1}
    assert stages(of_event(store, EVENT).stretches[1])["done"] == 3


def test_a_deletion_after_the_stage_is_an_outcome_and_the_deleted_post_takes_its_stage_along(store):
    fill(store)
    more = [post(30, 1, AT + HOUR), post(31, 6, AT + HOUR)]
    commit(store, *more)
    score(store, more, removal="done")
    assert stages(of_event(store, EVENT).stretches[1])["done"] == 2
    gone = AT + 2 * DAY
    commit(store, deletions=tuple(Deletion("bluesky", one.post_id, one.author_id, gone) for one in more))
    after = of_event(store, EVENT).stretches[1]
    assert stages(after)["done"] == 1
    assert [one.effect for one in after.counts.deleted] == [0, 0, 0, 1]
    assert after.departed == {"done": 2}
    assert departed(store, Scope(langs=("und",)), after.window) == {"done": 2}
    assert departed(store, Scope(langs=("de",)), after.window) == {}
    assert ("done", "0", "2") in [row for part in tables(of_event(store, EVENT)) for row in part.rows]


def test_whoever_is_forgotten_is_in_no_number(store):
    fill(store)
    commit(store, deletions=(Deletion("bluesky", a_post(77).post_id, did(1), AT + 2 * DAY),))
    store.forget("author", "bluesky", did(1))
    found = of_event(store, EVENT)
    assert stages(found.stretches[1]) == {"committed": 1, "blocked": 1}
    assert sum(one.effect for one in found.stretches[1].counts.deleted) == 0
    store.forget("author", "bluesky", did(4))
    assert stages(of_event(store, EVENT).stretches[1]) == {"committed": 1}


def test_posts_that_were_searched_for_are_told_to_be_survivors(store):
    fill(store, source="search")
    found = of_event(store, EVENT)
    assert checks(found)["survivors only"] is False
    assert "authors who left and deleted their posts are missing" in found.outcomes[0].sentence


def test_an_outage_does_not_look_like_calm(store):
    fill(store, gaps=(Gap("bluesky:live", AT - 3 * DAY, AT - DAY, "down"),))
    found = of_event(store, EVENT)
    assert checks(found)["coverage"] is False
    assert "what is missing is not zero. The counts do not compare." in found.outcomes[0].sentence


def test_posts_without_scores_and_of_a_sample_are_told(store):
    fill(store, sample_weight=2.0)
    commit(store, post(40, 40, AT + HOUR))
    found = of_event(store, EVENT)
    assert (checks(found)["scored"], checks(found)["all posts read"]) == (False, False)
    assert "1 post is not scored yet" in found.outcomes[0].sentence


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (T0 - 50 * DAY, "lies before anything was collected"),
        (T0 + 400 * DAY, "lies after all that was collected so far"),
        (T0 + 5 * DAY, "No relevant posts of the 3 days before and after “Statement”"),
    ],
)
def test_it_refuses_with_the_reason(store, at, reason):
    fill(store)
    found = of_event(store, Event(id="e", kind="statement", title="Statement", announced=at))
    assert not found.stretches
    assert found.outcomes[0].estimate is None
    assert reason in found.outcomes[0].sentence


def test_an_empty_store_and_one_author_are_refused(store):
    assert of_event(store, EVENT).outcomes[0].sentence == "Nothing has been collected yet."
    assert "collected" in of_window(store, ALL).outcomes[0].sentence
    posts = [post(n, 1, AT + n * HOUR) for n in range(4)]
    commit(store, *posts, post(9, 2, AT + 9 * DAY))
    score(store, posts, removal="done")
    assert "All 4 relevant posts" in of_event(store, EVENT).outcomes[0].sentence
    assert "from one author" in of_event(store, EVENT).outcomes[0].sentence


def test_an_event_at_the_very_beginning_has_nothing_to_compare_with(store):
    posts = [post(n, n, AT + n * HOUR, source="import") for n in range(1, 80)]
    store.commit(Batch("import", tuple(posts)))
    score(store, posts, removal="done")
    sentence = of_event(store, EVENT).outcomes[0].sentence
    assert "with nothing before it to compare with" in sentence
    assert "Before: nothing of this time was collected" in sentence


def test_the_command_tells_it_in_words_and_as_json(store, tmp_path):
    fill(store)
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG.replace("2025-05-09T14:00:00Z", f"{AT:%Y-%m-%dT%H:%M:%S}Z"))
    run = CliRunner()
    words = run.invoke(app, ["funnel", "statement", "-c", str(path)])
    assert words.exit_code == 0
    assert "newly spoke of leaving" in words.output
    assert "passed: survivors only" in words.output
    told = orjson.loads(run.invoke(app, ["funnel", "statement", "--json", "-c", str(path)]).output)
    assert told["event"] == "statement"
    assert [one["name"] for one in told["stretches"]] == ["before", "after"]
    assert {one["stage"]: one["effect"] for one in told["stretches"][1]["stages"]}["done"] == 1
    assert told["outcomes"][0]["name"] == "authors"
    whole = orjson.loads(run.invoke(app, ["funnel", "--json", "--topic", "soundcloud-ai", "-c", str(path)]).output)
    assert (whole["event"], whole["stretches"][0]["authors"]["effect"]) == (None, 4)
    part = ["funnel", "--json", "--since", f"{AT:%Y-%m-%dT%H:%M}", "--until", f"{AT + DAY:%Y-%m-%dT%H:%M}"]
    assert orjson.loads(run.invoke(app, [*part, "-c", str(path)]).output)["stretches"][0]["authors"]["effect"] == 3
    nothing = ["funnel", "--json", "--since", "2031-01-01", "--until", "2031-02-01"]
    refused = orjson.loads(run.invoke(app, [*nothing, "-c", str(path)]).output)
    assert refused["stretches"] == []
    assert refused["outcomes"][0]["effect"] is None
    assert run.invoke(app, ["funnel", "statement", "--since", "2025-05-08", "-c", str(path)]).exit_code == 1
