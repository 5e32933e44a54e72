"""A training that is killed goes on where its last epoch ended."""

import pytest
import torch

from monitor.classify.base import load_base
from monitor.classify.checkpoint import Checkpoint
from monitor.classify.corpus import read_corpus
from monitor.classify.fit import fit
from monitor.classify.model import trained
from monitor.classify.recipe import Recipe

RECIPE = Recipe(epochs=3, batch_size=8)


class Killed(Exception):
    pass


def weights(model):
    return torch.cat([value.flatten() for value in trained(model).values()])


@pytest.fixture
def posts(tiny_corpus):
    return read_corpus(tiny_corpus).split("train")[:20]


@pytest.mark.parametrize("killed_at", [1, 4, 8])
def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(tiny_base, posts, tmp_path, killed_at):
    steps = []

    def kill(step, *_):
        steps.append(step)
        if len(steps) == killed_at:
            raise Killed

    checkpoint = Checkpoint(tmp_path / "c.pt", "key")
    with pytest.raises(Killed):
        fit(load_base(str(tiny_base)), posts, RECIPE, kill, checkpoint)
    resumed = fit(load_base(str(tiny_base)), posts, RECIPE, lambda step, *_: steps.append(step), checkpoint)
    assert steps[killed_at] == (killed_at - 1) // 3 * 3 + 1, "it goes on behind the last whole epoch"
    assert torch.equal(weights(resumed), weights(fit(load_base(str(tiny_base)), posts, RECIPE)))


def test_the_state_of_another_training_or_a_damaged_file_is_left_out_of_account(tmp_path):
    path = tmp_path / "c.pt"
    Checkpoint(path, "one").save({"step": 3})
    assert Checkpoint(path, "one").load() == {"step": 3}
    assert Checkpoint(path, "other").load() is None
    path.write_bytes(path.read_bytes()[:100])
    assert Checkpoint(path, "one").load() is None
    Checkpoint(path, "one").clear()
    assert Checkpoint(path, "one").load() is None
