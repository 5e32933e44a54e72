from dataclasses import replace

import pytest

from monitor.classify import load
from monitor.classify.baselines import certain
from monitor.classify.corpus import CorpusPost
from monitor.classify.learn import compared, learn
from monitor.classify.release import read_card
from monitor.codebook import Labels
from monitor.config import Classifier
from monitor.errors import MonitorError
from tests.classify.conftest import QUICK

LEFT = Labels(1, 2, "done", "critical")


def labelled(n: int, text: str = "zork, AI terms", labels: Labels = LEFT) -> list[CorpusPost]:
    """What people here call it when they leave: a word the corpus does not have."""
    return [
        CorpusPost(
            str(k),
            f"{text} {'bcdfgh'[k % 6]}{'jkqvxz'[k // 6 % 6]} {k}",
            None,
            "en",
            "",
            f"author {k}",
            "train",
            labels,
            "us",
        )
        for k in range(n)
    ]


def test_the_new_release_learns_the_labels_keeps_the_rest_and_is_judged_on_others(tmp_path, tiny_release, tiny_corpus):
    settings = Classifier(model=str(tiny_release))
    before = {path.name: path.read_bytes() for path in tiny_release.iterdir()}
    rows = learn(labelled(60), tmp_path / "new", settings, replace(QUICK, epochs=4), tiny_corpus)
    assert {path.name: path.read_bytes() for path in tiny_release.iterdir()} == before
    by = {(row.posts, row.figure): row for row in rows}
    held, fresh = by["corpus, held out", "removal F1"], by["your labels, held back", "removal F1"]
    assert 5 < fresh.n < 40
    assert fresh.new > max(fresh.old, 0.9)
    assert held.new > held.old - 0.1
    assert fresh.low <= fresh.new - fresh.old <= fresh.high
    card = read_card(tmp_path / "new")
    assert card["taught"]["from"] == read_card(tiny_release)["model_id"]
    assert card["taught"]["labels"] + card["taught"]["labels held back"] == 60
    assert load(Classifier(model=str(tmp_path / "new"))).model_id == card["model_id"] != card["taught"]["from"]


def test_too_few_labels_are_refused_with_what_to_do(tmp_path, tiny_release, tiny_corpus):
    with pytest.raises(MonitorError, match="too few") as caught:
        learn(labelled(9), tmp_path / "new", Classifier(model=str(tiny_release)), QUICK, tiny_corpus)
    assert "monitor label" in caught.value.hint
    assert not (tmp_path / "new").exists()


def test_the_interval_of_a_gain_holds_it_and_none_is_found_between_equal_models():
    posts = [
        CorpusPost(
            str(n), "", None, "en", "", f"author {n}", "train", LEFT if n % 2 else Labels(0, 0, "none", "neutral"), "us"
        )
        for n in range(200)
    ]
    right = [certain(p.labels.relevant, p.labels.concern, p.labels.removal, p.labels.stance) for p in posts]
    wrong = [certain(0, 0, "none", "neutral") if n % 8 == 1 else one for n, one in enumerate(right)]
    for row in compared("same", posts, right, right):
        assert (row.low, row.new - row.old, row.high) == (0, 0, 0)
    for row in compared("better", posts, wrong, right):
        assert 0 < row.low < row.new - row.old < row.high
