import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score

from monitor.classify import metrics

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60)


@given(PAIRS)
def test_f1_and_kappa_agree_with_scikit_learn(pairs):
    truth, found = zip(*pairs, strict=True)
    assert metrics.macro_f1(truth, found, 4) == pytest.approx(f1_score(truth, found, average="macro", zero_division=0))
    assert metrics.f1(truth, found, 1) == pytest.approx(
        f1_score(truth, found, labels=[1], average="macro", zero_division=0)
    )
    if len({*truth, *found}) > 1:
        expected = cohen_kappa_score(truth, found, weights="quadratic", labels=range(4))
        assert metrics.quadratic_kappa(truth, found, 4) == pytest.approx(expected, abs=1e-9)


def test_a_judge_who_is_right_as_often_as_he_says_has_no_calibration_error():
    table = np.array([[0.75, 0.25]] * 4)
    assert metrics.calibration_error([0, 0, 0, 1], table) == pytest.approx(0)
    assert metrics.calibration_error([1, 1, 1, 1], table) == pytest.approx(0.75)
