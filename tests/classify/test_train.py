import json
import shutil

import pytest
import torch

from monitor.classify import card, load
from monitor.classify.base import load_base
from monitor.classify.baselines import BASELINES
from monitor.classify.corpus import read_corpus
from monitor.classify.evaluate import FIGURES, evaluate, judged
from monitor.classify.fit import fit
from monitor.classify.model import trained
from monitor.classify.recipe import Recipe
from monitor.codebook import codebook
from monitor.config import Classifier
from monitor.errors import ModelError
from tests.classify.conftest import QUICK


def test_a_tiny_model_learns_the_tiny_corpus(tiny_scorer, tiny_corpus):
    book, posts = codebook(), read_corpus(tiny_corpus).split("heldout")
    for post, found in zip(posts, judged(tiny_scorer, posts), strict=True):
        assert (found.relevant > 0.5) == bool(post.labels.relevant), post.text
        assert book.removal[max(range(5), key=found.removal.__getitem__)] == post.labels.removal, post.text


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tiny_base, tiny_corpus):
    posts = read_corpus(tiny_corpus).split("train")[:16]

    def weights(seed):
        found = trained(fit(load_base(str(tiny_base)), posts, Recipe(seed=seed, epochs=1)))
        return torch.cat([value.flatten() for value in found.values()])

    first = weights(1)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))


def test_training_tells_its_progress_to_the_last_step(tiny_base, tiny_corpus):
    told = []
    posts = read_corpus(tiny_corpus).split("train")[:20]
    fit(load_base(str(tiny_base)), posts, Recipe(epochs=2, batch_size=8), lambda *step: told.append(step[:2]))
    assert told == [(n, 6) for n in range(1, 7)]


def test_the_card_says_what_the_release_was_made_of(tiny_release, tiny_corpus, tiny_base):
    found = card(tiny_release)
    assert found["codebook"] == codebook().version
    assert found["corpus"] == read_corpus(tiny_corpus).digest
    assert found["recipe"]["epochs"] == QUICK.epochs
    assert found["posts"] == {"train": 60, "calibration": 18, "heldout": 18}
    assert set(found["heldout"]["all"]) == {"n", *FIGURES}
    assert set(found["temperatures"]) == {"relevant", "concern", "removal", "stance"}


def test_evaluation_puts_the_model_beside_the_baselines_on_the_same_posts(tiny_scorer, tiny_corpus):
    rows = evaluate(tiny_scorer, tiny_corpus)
    assert {row.judge for row in rows} == {"this model", *BASELINES}
    counted = {"all": 18, "all but these": 18, "SoundCloud": 18, "short": 18, "en": 6, "de": 12}
    assert counted == {row.posts: row.n for row in rows if row.judge == "this model"}
    of = {(row.judge, row.posts): row.figures for row in rows}
    assert of["this model", "all"]["removal_f1"] > of["keyword rules", "all"]["removal_f1"]
    assert of["keyword rules", "all"]["removal_ece"] is None


def changed(tiny_release, tmp_path, **fields):
    folder = shutil.copytree(tiny_release, tmp_path / "release")
    whole = json.loads((folder / "card.json").read_text()) | fields
    (folder / "card.json").write_text(json.dumps(whole))
    return Classifier(model=str(folder))


def test_a_release_for_another_codebook_is_refused(tiny_release, tmp_path):
    with pytest.raises(ModelError, match=r"codebook 0\.9"):
        load(changed(tiny_release, tmp_path, codebook="0.9"))


def test_a_release_for_another_base_is_refused(tiny_release, tmp_path):
    found = card(tiny_release)["base"]
    with pytest.raises(ModelError, match="another base"):
        load(changed(tiny_release, tmp_path, base=found | {"digest": "0" * 64}))


def test_damaged_weights_are_refused(tiny_release, tmp_path):
    settings = changed(tiny_release, tmp_path)
    (tmp_path / "release" / "model.safetensors").write_bytes(b"\x01" * 100)
    with pytest.raises(ModelError, match="damaged"):
        load(settings)


def test_a_folder_that_holds_an_encoder_but_no_heads_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        load(Classifier(model=str(tmp_path)))
    assert "monitor train --base" in caught.value.hint


def test_a_model_that_is_nowhere_is_an_explained_error(monkeypatch):
    with pytest.raises(ModelError, match="no folder"):
        load(Classifier(model="not a name at all/nor/a folder"))
