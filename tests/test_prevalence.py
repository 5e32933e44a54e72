"""Corrected shares of what is stored, by held-out posts or by labels of people."""

import json
from datetime import timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from monitor.classify.confusion import read_confusions
from monitor.classify.release import read_card
from monitor.cli.app import app
from monitor.codebook import Labels, codebook
from monitor.labelling import draw_sample
from monitor.prevalence import corrected, names
from monitor.records import Annotation, Batch, Score, Window
from monitor.store import Store
from monitor.store.views import Scope
from tests.conftest import T0, a_post, uri

MODEL = read_card()["model_id"]
WINDOW = Window(T0 - timedelta(days=1), T0 + timedelta(days=30))
YES, NO = Labels(1, 3, "done", "critical"), Labels(0, 0, "none", "neutral")
POSTS = 600


def scored(n: int, high: float, model: str = MODEL) -> Score:
    low = 1 - high
    return Score("bluesky", uri(n), high, (low, 0.0, 0.0, high), (low, 0, 0, high, 0), (high, low, 0.0), model)


def filled(tmp_path, model=MODEL) -> tuple[Store, np.ndarray]:
    """A store in which a post in ten is about the terms, and a score that mostly knows."""
    chance = np.random.default_rng(1)
    truth = chance.random(POSTS) < 0.1
    high = np.clip(np.where(truth, 0.8, 0.12) + chance.normal(0, 0.1, POSTS), 0.01, 0.99)
    store = Store(tmp_path / "monitor.duckdb")
    store.commit(Batch("s", posts=tuple(a_post(n) for n in range(1, POSTS + 1))))
    store.commit_scores([scored(n + 1, float(high[n]), model) for n in range(POSTS)])
    return store, truth


def label(store: Store, sample: str, truth: np.ndarray, most: int) -> None:
    rows = store.read("to_label", sample=sample, annotator="ann", codebook=codebook().version).to_pylist()[:most]
    place = {uri(n + 1): bool(yes) for n, yes in enumerate(truth)}
    given = [(row["post_id"], YES if place[row["post_id"]] else NO) for row in rows]
    store.commit_annotations([
        Annotation("bluesky", post, "ann", one.relevant, one.concern, one.removal, one.stance, codebook().version)
        for post, one in given
    ])  # fmt: skip


def test_the_shipped_release_knows_how_it_errs(tmp_path):
    found = {one.outcome: one for one in read_confusions(MODEL)}
    assert set(found) == {"relevant", "concern2", "removal"}
    assert all(sum(row) >= 10 for one in found.values() for row in one.matrix)
    assert found["removal"].classes == codebook().removal


def test_without_labels_shares_are_corrected_by_held_out_posts(tmp_path):
    store, _ = filled(tmp_path)
    found = {one.outcome.name: one for one in corrected(store, Scope(), WINDOW)}
    assert len(found) == len(names()) == 6
    one = found["relevant"]
    assert one.basis == "held-out posts"
    assert one.outcome.estimate.method.startswith("PACC")
    assert one.counts[0] == pytest.approx(one.outcome.estimate.effect * POSTS)


def test_other_methods_stand_beside_it_and_are_told_where_they_disagree(tmp_path):
    chance = np.random.default_rng(4)
    truth, odd = chance.random(POSTS) < 0.2, chance.random(POSTS)
    high = np.where(truth, np.where(odd < 0.04, 0.3, 0.98), np.where(odd < 0.1, 0.7, 0.03))  # as the release errs
    sound = Store(tmp_path / "sound.duckdb")
    sound.commit(Batch("s", posts=tuple(a_post(n) for n in range(1, POSTS + 1))))
    sound.commit_scores([scored(n, float(one)) for n, one in enumerate(high, 1)])
    [found, *_] = corrected(sound, Scope(), WINDOW)
    assert [one.passed for one in found.outcome.diagnostics] == [True]
    assert "EMQ" in found.outcome.diagnostics[0].text
    assert "But" not in found.outcome.sentence
    store = Store(tmp_path / "another.duckdb")
    store.commit(Batch("s", posts=tuple(a_post(n) for n in range(1, POSTS + 1))))
    store.commit_scores([scored(n, 0.55) for n in range(1, POSTS + 1)])  # as no held-out posts are scored
    [found, *_] = corrected(store, Scope(), WINDOW)
    assert "But ACC finds 100.0%" in found.outcome.sentence


@pytest.mark.parametrize("target", ["relevant", None])
def test_labels_of_a_sample_decide_where_there_are_thirty(tmp_path, target):
    store, truth = filled(tmp_path)
    draw_sample(store, 200, "random", "drawn", seed=2, target=target)
    label(store, "drawn", truth, 20)
    assert corrected(store, Scope(), WINDOW)[0].basis == "held-out posts"
    label(store, "drawn", truth, 130)
    one = corrected(store, Scope(), WINDOW)[0]
    assert one.basis == "labels of people"
    assert "PPI++" in one.outcome.estimate.method
    assert one.outcome.estimate.n == 150
    assert one.outcome.estimate.low <= truth.mean() <= one.outcome.estimate.high


def test_a_sample_drawn_before_most_posts_came_is_not_taken_for_all_of_them(tmp_path):
    store, truth = filled(tmp_path)
    draw_sample(store, 200, "random", "early", seed=2)
    label(store, "early", truth, 200)
    later = range(POSTS + 1, 3 * POSTS)
    store.commit(Batch("s", posts=tuple(a_post(n) for n in later)))
    store.commit_scores([scored(n, 0.9) for n in later])
    assert corrected(store, Scope(), WINDOW)[0].basis == "held-out posts"


def test_a_model_whose_errors_nobody_measured_is_told_uncorrected(tmp_path):
    store, _ = filled(tmp_path, "another-model")
    one = corrected(store, Scope(), WINDOW)[0]
    assert one.outcome.estimate is None
    assert "Uncorrected" in one.outcome.sentence
    assert "another-model" in one.outcome.sentence


def test_no_posts_and_unscored_posts_are_told(tmp_path):
    store = Store(tmp_path / "monitor.duckdb")
    store.commit(Batch("s", posts=(a_post(1),)))
    assert "no post of 1 is scored" in corrected(store, Scope(), WINDOW)[0].outcome.sentence
    assert "no posts" in corrected(store, Scope(("another",)), WINDOW)[0].outcome.sentence


def test_the_command_prints_json_and_words(tmp_path):
    filled(tmp_path)
    config = tmp_path / "monitor.toml"
    run = CliRunner()
    assert run.invoke(app, ["init", str(config)]).exit_code == 0
    found = json.loads(run.invoke(app, ["prevalence", "-c", str(config), "--json"]).stdout)["outcomes"]
    assert [one["name"] for one in found][:2] == ["relevant", "concern 2+"]
    assert found[0]["checks"][0]["name"] == "other methods"
    assert found[0]["share"]["low"] <= found[0]["share"]["effect"] <= found[0]["share"]["high"]
    assert "corrected for the errors" in run.invoke(app, ["prevalence", "-c", str(config)]).stdout
    assert run.invoke(app, ["sample", "--for", "done", "-n", "50", "-c", str(config)]).exit_code == 0


def test_two_people_who_differ_in_one_label_still_count_in_the_others(tmp_path):
    store, truth = filled(tmp_path)
    draw_sample(store, 300, "random", "drawn", seed=3)
    label(store, "drawn", truth, 300)
    rows = store.read("to_label", sample="drawn", annotator="ben", codebook=codebook().version).to_pylist()
    place = {uri(n + 1): bool(yes) for n, yes in enumerate(truth)}
    other = Labels(1, 2, "none", "critical")
    given = [(row["post_id"], other if place[row["post_id"]] else NO) for row in rows]
    store.commit_annotations([
        Annotation("bluesky", post, "ben", one.relevant, one.concern, one.removal, one.stance, codebook().version)
        for post, one in given
    ])  # fmt: skip
    found = {one.outcome.name: one.outcome.estimate for one in corrected(store, Scope(), WINDOW)}
    assert found["relevant"].n == 300
    assert found["relevant"].low <= truth.mean() <= found["relevant"].high
    assert found["removal: done"].effect == pytest.approx(truth.mean() / 2, abs=0.03)


def test_a_sample_that_a_third_of_the_posts_came_after_is_not_taken_for_all_of_them(tmp_path):
    store, truth = filled(tmp_path)
    draw_sample(store, 40, "random", "early", seed=2)
    label(store, "early", truth, 40)
    later = range(POSTS + 1, POSTS + POSTS // 2)
    store.commit(Batch("s", posts=tuple(a_post(n) for n in later)))
    store.commit_scores([scored(n, 0.9) for n in later])
    assert corrected(store, Scope(), WINDOW)[0].basis == "held-out posts"
