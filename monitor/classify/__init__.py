"""Scores posts by the codebook: is it about the terms, how worried is it, does its author leave, on which side?

Importing this package is cheap; torch is loaded by ``load``.
"""

from monitor.classify.prediction import Prediction, Text
from monitor.classify.release import read_card as card
from monitor.classify.scorer import Scorer, load

__all__ = ["Prediction", "Scorer", "Text", "card", "load"]
