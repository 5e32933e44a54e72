"""The numbers a classifier is judged by; each takes label indices and gives one number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def f1(truth: ArrayLike, found: ArrayLike, label: int) -> float:
    """F1 of one label; 0 where it neither stands nor is found."""
    is_true, is_found = np.asarray(truth) == label, np.asarray(found) == label
    both = int((is_true & is_found).sum())
    return 2 * both / max(1, int(is_true.sum() + is_found.sum()))


def macro_f1(truth: ArrayLike, found: ArrayLike, labels: int) -> float:
    """Mean F1 over the labels 0..labels-1 that stand in ``truth`` or ``found``."""
    present = [label for label in range(labels) if label in np.asarray(truth) or label in np.asarray(found)]
    return float(np.mean([f1(truth, found, label) for label in present])) if present else 0.0


def quadratic_kappa(truth: ArrayLike, found: ArrayLike, levels: int) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968); 0 where only one level occurs in both."""
    observed = confusion(truth, found, levels)
    expected = np.outer(observed.sum(1), observed.sum(0)) / observed.sum()
    distance = np.subtract.outer(np.arange(levels), np.arange(levels)) ** 2
    by_chance = float((distance * expected).sum())
    return 1 - float((distance * observed).sum()) / by_chance if by_chance else 0.0


def confusion(truth: ArrayLike, found: ArrayLike, labels: int) -> NDArray[np.float64]:
    """Counts, rows true and columns found."""
    table = np.zeros((labels, labels))
    np.add.at(table, (np.asarray(truth), np.asarray(found)), 1)
    return table


def calibration_error(truth: ArrayLike, probabilities: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error of the top label (Guo et al. 2017), equal-width bins; (n,) and (n, labels)."""
    top, confidence = probabilities.argmax(1), probabilities.max(1)
    is_right = top == np.asarray(truth)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float(is_right[place == b].sum() - confidence[place == b].sum())) for b in range(bins)]
    return sum(gaps) / len(confidence)
