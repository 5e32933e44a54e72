"""Texts in, calibrated predictions out, whatever the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.classify.engine import Engine, TorchEngine
from monitor.classify.prediction import Likelihoods, Prediction, Text, combine, concatenate, likelihoods, predictions
from monitor.classify.prepare import prepare
from monitor.classify.release import find, load_release
from monitor.classify.tokens import Tokens
from monitor.codebook import codebook
from monitor.config import Classifier as Settings

_AT_ONCE = 512  # texts prepared and cut together: bounds memory, not results


class Scorer:
    """Scores texts with one release. A score does not depend on what else is scored with it."""

    def __init__(self, model_id: str, engine: Engine, tokens: Tokens, temperatures: Mapping[str, float]) -> None:
        self.model_id = model_id
        self.engine, self.tokens, self.temperatures = engine, tokens, temperatures

    def score(self, items: Sequence[Text]) -> list[Prediction]:
        """One prediction for each item, in order; equal prepared texts are scored once."""
        pairs = [prepared(item) for item in items]
        found = dict.fromkeys(pairs, _NOTHING)
        said = [pair for pair in found if pair[0]]
        for start in range(0, len(said), _AT_ONCE):
            part = said[start : start + _AT_ONCE]
            found.update(zip(part, predictions(self._likelihoods(part)), strict=True))
        return [found[pair] for pair in pairs]

    def raw(self, pairs: Sequence[tuple[str, str]]) -> list[NDArray[np.float32]]:
        """The network's outputs (windows, 12) for each prepared (text, context)."""
        windows = self.tokens.windows(pairs)
        outputs = self.engine.run([window for found in windows for window in found])
        return np.split(outputs, np.cumsum([len(found) for found in windows])[:-1])

    def _likelihoods(self, pairs: Sequence[tuple[str, str]]) -> Likelihoods:
        return concatenate(list(self._combined(pairs)))

    def _combined(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Likelihoods]:
        for outputs in self.raw(pairs):
            yield combine(likelihoods(outputs, self.temperatures))


def prepared(item: Text) -> tuple[str, str]:
    """(text, context) as the model reads them."""
    return prepare(item.text, item.platform_aliases), prepare(item.context or "", item.platform_aliases)


def load(settings: Settings | None = None) -> Scorer:
    """The scorer that ``[classifier]`` names; the shipped one by default.

    Raises:
        ModelError: its files are missing, damaged, or made for another codebook or base.
    """
    chosen = settings or Settings()
    model, base, card = load_release(find(chosen.model))
    engine = TorchEngine(model, base.pad, chosen.batch_size)
    return Scorer(card["model_id"], engine, Tokens(base), card["temperatures"])


def _nothing_said() -> Prediction:
    book = codebook()
    concern = tuple(float(level == 0) for level in book.concern)
    removal = tuple(float(label == "none") for label in book.removal)
    return Prediction(0.0, concern, removal, tuple(float(label == "neutral") for label in book.stance))


_NOTHING = _nothing_said()
