import numpy as np
import pytest
import torch

from monitor.classify.base import load_base
from monitor.classify.calibrate import UNSCALED
from monitor.classify.engine import TorchEngine, tensors
from monitor.classify.model import Classifier, merge
from monitor.classify.prediction import likelihoods
from monitor.classify.tokens import Tokens, Window


def a_model(base) -> Classifier:
    torch.manual_seed(1)
    model = Classifier(base).eval()
    with torch.no_grad():
        for value in model.parameters():
            if value.requires_grad:
                value.add_(torch.randn_like(value) * 0.05)
    return model


def windows(*lengths: int, context: int = 0) -> list[Window]:
    chance = np.random.default_rng(sum(lengths))
    return [
        Window((0, *map(int, chance.integers(4, 60, n)), 2, *map(int, chance.integers(4, 60, context))), n + 2)
        for n in lengths
    ]


def test_only_adapters_and_heads_are_trained(tiny):
    model = Classifier(tiny)
    names = [name for name, value in model.named_parameters() if value.requires_grad]
    assert all(not name.startswith("encoder.") or name.endswith((".up", ".down")) for name in names)
    assert sum(name.endswith(".up") for name in names) == 12


def test_merged_adapters_compute_what_they_computed_apart(tiny):
    model, given = a_model(tiny), tensors(windows(5, 9, 30, context=4), tiny.pad)
    with torch.inference_mode():
        apart = model(*given)
        merge(model)
        assert torch.allclose(model(*given), apart, atol=1e-4)


def test_more_concern_is_never_likelier_than_less(tiny):
    outputs = TorchEngine(a_model(tiny), tiny.pad).run(windows(*range(1, 40)))
    concern = likelihoods(outputs, UNSCALED).concern
    above = 1 - concern.cumsum(1)
    assert np.all(np.diff(above, axis=1) <= 0)
    assert np.all(concern >= 0)


def test_context_matters_and_is_told_from_text(tiny):
    engine = TorchEngine(a_model(tiny), tiny.pad)
    [plain], [beside] = windows(6), windows(6, context=5)
    joined = Window(beside.ids, len(beside.ids))
    outputs = engine.run([plain, beside, joined])
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3
    assert np.abs(outputs[1] - outputs[2]).max() > 1e-3


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_outputs_come_in_the_order_of_the_windows_whatever_the_batch(tiny_base, batch_size):
    base = load_base(str(tiny_base))
    model, given = a_model(base), windows(3, 60, 1, 22, 9, 9, 41)
    alone = np.concatenate([TorchEngine(model, base.pad).run([window]) for window in given])
    assert np.abs(TorchEngine(model, base.pad, batch_size).run(given) - alone).max() < 1e-4


def test_a_model_without_windows_gives_no_rows(tiny):
    assert TorchEngine(a_model(tiny), tiny.pad).run([]).shape == (0, 12)
    assert Tokens(tiny).windows([]) == []
