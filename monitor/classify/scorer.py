"""Texts in, calibrated predictions out, whatever the engine."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.classify.built import built
from monitor.classify.engine import Engine, OpenVinoEngine, TorchEngine, has_gpu, has_vnni
from monitor.classify.prediction import Likelihoods, Prediction, Text, combine, concatenate, likelihoods, predictions
from monitor.classify.prepare import prepare
from monitor.classify.release import check_base, find, load_release, read_card
from monitor.classify.tokens import Tokens
from monitor.codebook import codebook
from monitor.config import Classifier as Settings

_log = logging.getLogger(__name__)
_KEPT = 20_000  # texts whose scores are remembered: some 15 MB
_AT_ONCE = 512  # texts prepared and cut together: bounds memory, not results


class Scorer:
    """Scores texts with one release. A score does not depend on what else is scored with it."""

    def __init__(self, model_id: str, engine: Engine, tokens: Tokens, temperatures: Mapping[str, float]) -> None:
        self.model_id = model_id
        self.engine, self.tokens, self.temperatures = engine, tokens, temperatures
        self._kept: dict[bytes, Prediction] = {}

    def score(self, items: Sequence[Text]) -> list[Prediction]:
        """One prediction for each item, in order; what reads the same to the model is scored once."""
        return self.score_prepared([prepared(item) for item in items])

    def score_prepared(self, pairs: Sequence[tuple[str, str]]) -> list[Prediction]:
        """As ``score``, of (text, context) as ``prepared`` gives them."""
        found = {pair: self._kept.get(_sign(pair), _NOTHING) for pair in pairs}
        new = [pair for pair in found if pair[0].strip() and _sign(pair) not in self._kept]
        for start in range(0, len(new), _AT_ONCE):
            part = new[start : start + _AT_ONCE]
            scored = dict(zip(part, predictions(self._likelihoods(part)), strict=True))
            found |= scored
            self._keep(scored)
        return [found[pair] for pair in pairs]

    def _keep(self, scored: Mapping[tuple[str, str], Prediction]) -> None:
        """Copypasta comes in waves, so the last scores are kept for a while; not the texts, which may be deleted."""
        self._kept |= {_sign(pair): prediction for pair, prediction in scored.items()}
        for sign in list(self._kept)[: max(0, len(self._kept) - _KEPT)]:
            del self._kept[sign]

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


def _sign(pair: tuple[str, str]) -> bytes:
    return hashlib.blake2b("\0".join(pair).encode(), digest_size=16).digest()


def prepared(item: Text) -> tuple[str, str]:
    """(text, context) as the model reads them."""
    return prepare(item.text, item.platform_aliases), prepare(item.context or "", item.platform_aliases)


def load(settings: Settings | None = None, on_build: Callable[[str], None] = _log.info, threads: int = 0) -> Scorer:
    """The scorer that ``[classifier]`` names; the shipped one by default.

    Args:
        settings: of the configuration.
        on_build: told once when engine files have to be made first, which takes some 20 to 40 s.
        threads: of the processor; 0 takes all cores.

    Raises:
        ModelError: its files are missing, damaged, or made for another codebook or base.
    """
    chosen = settings or Settings()
    folder = find(chosen.model)
    card = read_card(folder)
    parts = _torch(folder, chosen) if _wants_torch(chosen) else _openvino(folder, card, chosen, on_build, threads)
    return Scorer(card["model_id"], *parts, card["temperatures"])


def _wants_torch(settings: Settings) -> bool:
    if settings.engine == "auto" and has_gpu():
        import torch

        return torch.cuda.is_available()  # a driver is there; torch's CPU build cannot use it
    return settings.engine == "torch"


def _torch(folder: Path, settings: Settings) -> tuple[Engine, Tokens]:
    import torch

    model, base, _ = load_release(folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TorchEngine(model, base.pad, settings.batch_size, device), Tokens(base)


def _openvino(
    folder: Path, card: dict[str, Any], settings: Settings, on_build: Callable[[str], None], threads: int
) -> tuple[Engine, Tokens]:
    check_base(folder, card)
    precision = settings.precision if settings.precision != "auto" else "int8" if has_vnni() else "f32"
    found = built(folder, card, on_build, bits=8 if precision == "int8" else 32)
    hint = "bf16" if precision == "bf16" else "f32"
    return OpenVinoEngine(found.graph, found.pad, settings.batch_size, threads, hint), Tokens(found)


def _nothing_said() -> Prediction:
    book = codebook()
    concern = tuple(float(level == 0) for level in book.concern)
    removal = tuple(float(label == "none") for label in book.removal)
    return Prediction(0.0, concern, removal, tuple(float(label == "neutral") for label in book.stance))


_NOTHING = _nothing_said()
