import json

import pytest

from monitor.classify import Scorer, Text
from monitor.classify.baselines import certain
from monitor.classify.explain import MOST_PARTS, explain
from monitor.classify.files import score_file
from monitor.classify.prediction import expected_costs, unsure
from tests.classify.conftest import KINDS


@pytest.fixture(scope="module")
def soft_scorer(tiny_scorer) -> Scorer:
    """The tiny model is as certain as can be of everything; this one doubts, as a real one does."""
    return Scorer("soft", tiny_scorer.engine, tiny_scorer.tokens, dict.fromkeys(tiny_scorer.temperatures, 6.0))


ITEM = Text("deleted my tracks, AI terms bcdf", None, ("SoundCloud",))


def test_a_words_move_is_what_the_score_loses_without_it(soft_scorer):
    for moved in explain(soft_scorer, ITEM)["removal"]:
        without = Text(ITEM.text.replace(moved.words, " ", 1), None, ITEM.platform_aliases)
        [whole, less] = soft_scorer.score([ITEM, without])
        assert less.removal[0] - whole.removal[0] == pytest.approx(moved.by, abs=2e-3)


def test_leaving_out_the_named_words_moves_a_score_more_than_leaving_out_others(soft_scorer):
    """The deletion test."""
    named, others = [], []
    for kind in KINDS[1:]:
        item = Text(f"{kind.text} bcdf kzkz ghgh")
        before = soft_scorer.score([item])[0].relevant
        words = [moved.words for moved in explain(soft_scorer, item)["relevant"] if moved.by > 0][:2]
        rest = [word for word in item.text.split() if word not in words][:2]
        for chosen, falls in ((words, named), (rest, others)):
            left = " ".join(word for word in item.text.split() if word not in chosen)
            falls.append(before - soft_scorer.score([Text(left)])[0].relevant)
    assert sum(named) > sum(others)


def test_a_long_text_is_explained_in_runs_of_words_and_an_empty_one_not_at_all(soft_scorer):
    asked = []
    real = soft_scorer.score_prepared

    class Noting:
        def score_prepared(self, pairs):
            asked.append(len(pairs))
            return real(pairs)

    explain(Noting(), Text("AI terms " * 500))
    assert asked[0] <= MOST_PARTS + 1
    assert explain(soft_scorer, Text(" ")) == {"relevant": [], "concern": [], "removal": [], "stance": []}
    assert explain(soft_scorer, Text("規約が変わったAI学習の話"))


def test_the_file_says_the_words_only_when_asked(tmp_path, soft_scorer):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": 1, "text": ITEM.text}) + "\n")
    score_file(source, out, scorer=soft_scorer, is_explained=True)
    row = json.loads(out.read_text())
    told = explain(soft_scorer, Text(ITEM.text))
    assert row["explain"] == {head: [[moved.words, moved.by] for moved in told[head]] for head in told}
    assert row["explain"]["removal"]
    score_file(source, out, scorer=soft_scorer)
    assert "explain" not in json.loads(out.read_text())


def test_a_label_is_unsure_where_a_look_costs_less_than_it_is_expected_to():
    found = certain(1, 2, "done", "critical")
    assert set(expected_costs(found).values()) == {0}
    assert unsure(found, 0.01) == []
    torn = type(found)(0.7, (0.3, 0.1, 0.3, 0.3), (0.45, 0.0, 0.0, 0.55, 0.0), (0.9, 0.1, 0.0))
    assert expected_costs(torn) == pytest.approx({"relevant": 0.3, "concern": 1.0, "removal": 0.45, "stance": 0.1})
    assert unsure(torn, 0.25) == ["relevant", "concern", "removal"]
    assert unsure(torn, 0.5) == ["concern"]
