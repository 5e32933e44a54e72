import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.classify.calibrate import UNSCALED, temperatures
from monitor.classify.prediction import OUTPUTS, Likelihoods, combine, likelihoods, predictions
from monitor.codebook import Labels, codebook


def raw_outputs(rows: int):
    return arrays(np.float32, (rows, OUTPUTS), elements=st.floats(-30, 30, width=32))


@given(raw_outputs(4))
def test_probabilities_sum_to_one_and_hold_the_codebook_together(raw):
    for found in predictions(likelihoods(raw, UNSCALED)):
        for part in (found.concern, found.removal, found.stance):
            assert sum(part) == pytest.approx(1)
            assert min(part) >= 0
        stages = dict(zip(codebook().removal, found.removal, strict=True))
        assert found.removal[0] >= 1 - found.relevant - 1e-9
        assert found.concern[0] >= 1 - found.relevant - 1e-6
        assert sum(found.concern[1:]) >= 1 - stages["none"] - 1e-9
        assert sum(found.concern[2:]) >= stages["committed"] + stages["done"] + stages["blocked"] - 1e-9
        assert 0 <= found.expected_concern <= 3


def test_an_irrelevant_post_is_unconcerned_stays_and_is_neutral():
    raw = np.zeros((1, OUTPUTS), np.float32)
    raw[0, 0] = -30
    [found] = predictions(likelihoods(raw, UNSCALED))
    assert found.relevant < 1e-9
    assert (found.concern[0], found.removal[0], found.stance[1]) == pytest.approx((1, 1, 1))


def test_a_long_text_is_as_relevant_as_its_most_relevant_window_and_read_there():
    def row(*values):
        return np.array([values])

    quiet = Likelihoods(np.array([0.01]), row(1, 0, 0, 0), row(1, 0, 0, 0, 0), row(0, 1, 0))
    loud = Likelihoods(np.array([0.99]), row(0, 0, 0, 1), row(0, 0, 0, 1, 0), row(1, 0, 0))
    both = Likelihoods(
        *(np.concatenate([getattr(quiet, n), getattr(loud, n)]) for n in ("relevant", "concern", "removal", "stance"))
    )
    found = combine(both)
    assert found.relevant[0] == 0.99
    assert found.concern[0, 3] > 0.98
    assert found.removal[0, 3] > 0.98


def test_temperatures_undo_exaggerated_confidence():
    chance = np.random.default_rng(3)
    logits = chance.normal(0, 1, (4000, 3))
    truth = [chance.choice(3, p=np.exp(row) / np.exp(row).sum()) for row in logits]
    raw = np.zeros((4000, OUTPUTS), np.float32)
    raw[:, 9:12] = logits * 2.5
    names = codebook().stance
    found = temperatures(raw, [Labels(1, 0, "none", names[label]) for label in truth])
    assert found["stance"] == pytest.approx(2.5, rel=0.12)
