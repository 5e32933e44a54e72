"""The invented case: what it holds, and that it is played whole."""

from collections import Counter
from datetime import datetime, timedelta
from statistics import mean

import pytest

from monitor.demo.case import END, START, build
from monitor.demo.play import open_store, play, write_config
from monitor.errors import StoreError
from monitor.records import Batch, Cursor
from monitor.store import Store
from monitor.store.queries import status
from tests.conftest import a_post
from tests.validation.demo import planted_labels


def test_it_is_the_same_case_every_time():
    assert build() == build()


def test_it_has_about_3000_posts_in_order_between_may_and_june():
    case = build()
    assert 2_800 <= case.posts <= 3_200
    times = [datetime.fromisoformat(event["time"]) for event in case.events]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < END
    operations = Counter(event["operation"] for event in case.events)
    assert operations["delete"] >= 10
    assert operations["update"] >= 5
    languages = {event["record"]["langs"][0] for event in case.events if "langs" in event.get("record", {})}
    assert len(languages) >= 8


def test_nothing_comes_before_what_it_answers_quotes_passes_on_or_takes_back():
    known: set[str] = set()
    for event in build().events:
        uri = f"at://{event['did']}/{event['collection']}/{event['rkey']}"
        record = event.get("record", {})
        parents = [record.get("reply", {}).get("parent"), record.get("embed", {}).get("record"), record.get("subject")]
        assert all(parent["uri"] in known for parent in parents if parent)
        assert (event["operation"] == "create") == (uri not in known)
        known.add(uri)


def test_a_file_of_real_posts_is_not_mixed_with_invented_ones(tmp_path):
    Store(tmp_path / "m.duckdb").commit(Batch("bluesky:live", posts=(a_post(1),), cursor=Cursor("bluesky:live", "1")))
    with pytest.raises(StoreError, match="real posts"):
        open_store(tmp_path / "m.duckdb")


def planted(at: datetime) -> tuple[list, list]:
    """Labels of the relevant posts that the case was written with, 3 days before and after ``at``."""
    labels = planted_labels()
    told = [
        (datetime.fromisoformat(event["record"]["createdAt"]), labels[event["record"]["text"]])
        for event in build().events
        if event["operation"] == "create" and event["record"].get("text") in labels
    ]
    days = timedelta(days=3)
    before = [label for time, label in told if at - days <= time < at and label.relevant]
    return before, [label for time, label in told if at <= time < at + days and label.relevant]


@pytest.mark.slow
def test_the_demo_shows_the_planted_effects(tmp_path):
    store = open_store(tmp_path / "demo.duckdb")
    outcome = play(store, lambda *_: None)
    assert outcome.as_dict()["synthetic"] is True
    assert status(store).synthetic
    assert outcome.seconds < 90
    assert outcome.deleted == 20  # of 22, two of which never matched
    sides = {summary.event.id: (summary.before, summary.after) for summary in outcome.events}
    assert sides["discovery"][1].posts > 10 * max(sides["discovery"][0].posts, 1)
    for summary in outcome.events:
        truth = planted(summary.event.at)
        for side, labels in zip((summary.before, summary.after), truth, strict=True):
            if len(labels) >= 40:  # fewer say little about a mean
                assert side.concern == pytest.approx(mean(label.concern for label in labels), abs=0.4), summary.event.id
                done = sum(label.removal == "done" for label in labels)
                assert side.removal["done"] == pytest.approx(done, rel=0.5, abs=4), summary.event.id
    before, after = sides["discovery"]
    assert after.removal["done"] > before.removal["done"] + 10
    for event in ("ceo-letter", "revised"):
        assert sides[event][1].concern < sides[event][0].concern - 0.2
    again = play(store, lambda *_: None)
    assert (again.stored, again.reposts) == (outcome.stored, outcome.reposts)


def test_the_pages_of_the_demo_find_its_file(tmp_path):
    from monitor.config import load

    write_config(tmp_path / "monitor.toml", tmp_path / "elsewhere.duckdb")
    assert load(tmp_path / "monitor.toml").store.path == tmp_path / "elsewhere.duckdb"
