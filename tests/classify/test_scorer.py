import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.classify import Scorer, Text

SOME = ["AI", "", "deleted my tracks, AI terms", "x" * 400, "might go, AI clause " * 20, "😡", "new song out", "\x00"]


def numbers(found) -> np.ndarray:
    return np.array([(one.relevant, *one.concern, *one.removal, *one.stance) for one in found])


def forgetful(scorer) -> Scorer:
    """The same scorer without what it remembers."""
    return Scorer(scorer.model_id, scorer.engine, scorer.tokens, scorer.temperatures)


@given(st.lists(st.sampled_from(SOME), min_size=1, max_size=12), st.sampled_from([None, "AI terms", "y" * 300]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_score_does_not_depend_on_what_else_is_scored(tiny_scorer, texts, context):
    items = [Text(text, context) for text in texts]
    together = numbers(forgetful(tiny_scorer).score(items))
    alone = np.concatenate([numbers(forgetful(tiny_scorer).score([item])) for item in items])
    assert np.abs(together - alone).max() < 1e-3


def test_equal_prepared_texts_are_run_once(tiny_scorer):
    class Counting:
        def __init__(self, engine):
            self.engine, self.windows = engine, 0

        def run(self, windows):
            self.windows += len(windows)
            return self.engine.run(windows)

    counting = Counting(tiny_scorer.engine)
    scorer = Scorer("m", counting, tiny_scorer.tokens, tiny_scorer.temperatures)
    names = ("SoundCloud", "Sound Cloud")
    texts = ["left SoundCloud", "left  soundcloud", "left @SoundCloud", "left Sound\u200bCloud"]
    found = scorer.score([Text(text, None, names) for text in texts])
    assert counting.windows == 1
    assert len(set(found)) == 1
    assert scorer.score([Text("left SoundCloud", None, names)]) == found[:1]  # copypasta of a minute ago
    assert counting.windows == 1


def test_what_is_remembered_is_bounded(tiny_scorer, monkeypatch):
    monkeypatch.setattr("monitor.classify.scorer._KEPT", 3)
    scorer = forgetful(tiny_scorer)
    texts = [Text(f"AI terms {n}") for n in range(5)]
    first = scorer.score(texts)
    assert numbers(scorer.score(texts)) == pytest.approx(numbers(first), abs=1e-3)
    assert len(scorer._kept) == 3


def test_a_post_without_words_says_nothing(tiny_scorer):
    [found] = tiny_scorer.score([Text(" \u200b\x00 ", "AI terms")])
    assert (found.relevant, found.concern[0], found.removal[0], found.stance[1]) == (0, 1, 1, 1)


def test_nothing_to_score_gives_nothing(tiny_scorer):
    assert tiny_scorer.score([]) == []


def test_importing_the_room_loads_no_heavy_library():
    code = "import sys, monitor.classify.files, monitor.scoring; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("text", ["a" * 100_000, "🎵" * 5000, "\u0301" * 3000, "규" * 3000])
def test_long_and_strange_texts_give_probabilities(tiny_scorer, text):
    assert np.isfinite(numbers(tiny_scorer.score([Text(text)]))).all()
