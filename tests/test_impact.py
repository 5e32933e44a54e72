"""``monitor impact`` on a real store: what an event changed, or the reason why that cannot be told."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.cli.options import event_of
from monitor.config import Event, load
from monitor.errors import ConfigError
from monitor.impact import as_dict, impact
from monitor.records import Batch, Cursor, Gap, Seen
from tests.conftest import T0, a_post
from tests.dashboards.conftest import CONFIG
from tests.scored import score

HOUR = timedelta(hours=1)
AT = T0 + timedelta(days=30)


def event(event_id="letter", at=AT, topic=None):
    return Event(id=event_id, kind="statement", title=event_id.capitalize(), topic=topic, announced=at)


def fill(store, factor=1.0, days=40, per_hour=1.0, author=lambda n: n, gaps=()):
    """Posts by chance, ``factor`` as many in the three days after the event."""
    rng, posts = np.random.default_rng(1), []
    for hour in range(24 * days):
        at = T0 + hour * HOUR
        near = AT <= at < AT + timedelta(days=3)
        posts += [at + HOUR * float(place) for place in rng.random(rng.poisson(per_hour * (factor if near else 1)))]
    made = [
        a_post(n, observed_at=at, created_at=at, author_id=f"did:plc:a{author(n)}", text=f"SoundCloud AI, {n} {n % 7}")
        for n, at in enumerate(posts)
    ]
    end = T0 + timedelta(days=days)
    cursor = Cursor("bluesky:live", "1", end)
    seen = (Seen("bluesky:live", T0 - HOUR, 1),)
    store.commit(Batch("bluesky:live", tuple(made), seen=seen, gaps=tuple(gaps), cursor=cursor), now=T0)
    score(store, made[::2], removal="done", concern=3)
    score(store, made[1::2], removal="none", concern=1)
    return made


def of(found, name):
    return next(one for one in found.outcomes if one.name == name)


def test_what_an_event_brought_is_found_with_its_interval_checks_and_counterfactual(store):
    fill(store, factor=4.0)
    found = impact(store, event(), [event()])
    posts = of(found, "posts")
    assert posts.estimate.low < 4 < posts.estimate.high
    assert {one.name: one.passed for one in posts.diagnostics} == {
        "overlapping events": True,
        "coverage": True,
        "before the event": True,
        "placebo dates": True,
        "one account": True,
        "copied texts": True,
    }
    assert "More than by itself" in posts.sentence
    assert len(found.expected) == 72
    assert found.expected.sum() == pytest.approx(72, rel=0.5)
    share = of(found, "removal: done").estimate
    assert share.low <= 0 <= share.high


def test_nothing_is_made_of_nothing(store):
    fill(store)
    posts = of(impact(store, event(), [event()]), "posts")
    assert posts.estimate.low <= 1 <= posts.estimate.high
    assert "No clear change" in posts.sentence


def test_an_outage_after_the_event_does_not_look_like_calm(store):
    outage = Gap("bluesky:live", AT, AT + 30 * HOUR, "down")
    made = fill(store, gaps=(outage,))
    posts = of(impact(store, event(), [event()]), "posts")
    assert len(made) > 900
    assert posts.estimate.low <= 1 <= posts.estimate.high
    assert "were collected" in posts.sentence


def test_one_author_behind_it_all_is_told(store):
    fill(store, factor=4.0, author=lambda n: 7)
    assert "by one account" in of(impact(store, event(), [event()]), "posts").sentence


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (T0 - timedelta(days=2), "before anything was collected"),
        (T0 + timedelta(days=400), "after all that was collected"),
        (T0 + 5 * HOUR, "hours before"),
        (T0 + timedelta(days=40) - 5 * HOUR, "hours after"),
    ],
)
def test_it_refuses_with_the_reason(store, at, reason):
    fill(store)
    found = impact(store, event(at=at), [event(at=at)])
    assert [one.estimate for one in found.outcomes] == [None]
    assert reason in found.outcomes[0].sentence


def test_an_empty_store_and_one_post_are_refused(store):
    assert impact(store, event(), [event()]).outcomes[0].sentence == "Nothing has been collected yet."
    posts = [a_post(1, observed_at=T0), a_post(2, observed_at=T0 + timedelta(days=60))]
    store.commit(Batch("bluesky:live", tuple(posts)))
    score(store, posts)
    assert "Too few posts" in impact(store, event(), [event()]).outcomes[0].sentence


def test_another_event_in_the_window_changes_the_sentence(store):
    fill(store, factor=4.0)
    other = event("other", AT + 30 * HOUR)
    posts = of(impact(store, event(), [event(), other]), "posts")
    assert "“Other” lies within the same time" in posts.sentence


def test_the_json_is_that_of_the_manual(store):
    fill(store, factor=4.0)
    told = orjson.loads(orjson.dumps(as_dict(impact(store, event(), [event()]))))
    assert told["event"] == "letter"
    for one in told["outcomes"]:
        assert {"name", "effect", "low", "high", "level", "method", "n", "sentence", "checks"} == one.keys()
    assert {check["passed"] for one in told["outcomes"] for check in one["checks"]} <= {True, False, None}
    assert told["coverage"]["after"][0]["stream"] == "bluesky:live"


def test_an_unknown_event_is_an_error_that_names_the_known(tmp_path):
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    with pytest.raises(ConfigError) as refused:
        event_of(load(path), "nonsense")
    assert "nonsense" in refused.value.message
    assert "statement, letter" in refused.value.hint


def test_the_command_tells_what_changed_as_words_and_as_json(store, tmp_path):
    fill(store, factor=4.0)
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG.replace("2025-05-09T14:00:00Z", f"{AT:%Y-%m-%dT%H:%M:%S}Z"))
    words = CliRunner().invoke(app, ["impact", "statement", "--config", str(path)])
    assert words.exit_code == 0
    assert "What changed" in words.output
    assert "passed: placebo dates" in words.output
    told = CliRunner().invoke(app, ["impact", "statement", "--json", "--config", str(path)])
    assert orjson.loads(told.output)["event"] == "statement"
