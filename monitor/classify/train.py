"""``monitor train``: from the corpus to a release, in one go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.classify.base import SHIPPED, load_base
from monitor.classify.calibrate import UNSCALED, temperatures
from monitor.classify.corpus import CORPUS, Corpus, read_corpus
from monitor.classify.engine import TorchEngine
from monitor.classify.evaluate import as_text, judged, rows
from monitor.classify.fit import fit
from monitor.classify.recipe import Recipe
from monitor.classify.release import RELEASE, load_weights, save_card, save_weights
from monitor.classify.scorer import Scorer, prepared
from monitor.classify.tokens import Tokens
from monitor.codebook import codebook

if TYPE_CHECKING:
    from monitor.classify.base import Base


def train(
    folder: Path = CORPUS,
    out: Path = RELEASE,
    recipe: Recipe | None = None,
    base: str = SHIPPED,
    on_step: Callable[[int, int, float], None] | None = None,
) -> dict[str, Any]:
    """Train, calibrate, judge and write a release into ``out``; returns its card.

    ``base`` names another encoder (a folder, or a name on the hub); ``on_step(step, steps, loss)`` tells progress.

    Raises:
        CorpusError: as ``read_corpus``.
        ModelError: as ``load_base``.
    """
    chosen, corpus = recipe or Recipe(), read_corpus(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent) as place:  # so that an old release stays whole until the new one is
        fresh = Path(place)
        save_weights(fit(load_base(base), corpus.split("train"), chosen, on_step), fresh)
        card = save_card(fresh, _card(fresh, corpus, chosen, base))
        out.mkdir(exist_ok=True)
        for path in fresh.iterdir():
            path.replace(out / path.name)
    return card


def _card(fresh: Path, corpus: Corpus, recipe: Recipe, base_name: str) -> dict[str, Any]:
    """Judged as it will be loaded: fp16 weights on a base of its own."""
    base = load_base(base_name)
    card: dict[str, Any] = {
        "name": "backlash" if base_name == SHIPPED else "backlash-own",
        "codebook": codebook().version,
        "corpus": corpus.digest,
        "base": {"name": base.name, "digest": base.digest},
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "recipe": asdict(recipe),
    }
    scorer = _scorer(fresh, base, card)
    posts = corpus.split("calibration")
    # A long post counts by its first window: temperatures belong to windows.
    raw = np.stack([outputs[0] for outputs in scorer.raw([prepared(as_text(post)) for post in posts])])
    card["temperatures"] = scorer.temperatures = temperatures(raw, [post.labels for post in posts])
    card["posts"] = {name: len(corpus.split(name)) for name in ("train", "calibration", "heldout")}
    held_out = corpus.split("heldout")
    judgement = rows("this model", held_out, judged(scorer, held_out)) if held_out else []
    card["heldout"] = {row.posts: {"n": row.n} | _rounded(row.figures) for row in judgement}
    return card


def _scorer(fresh: Path, base: Base, card: dict[str, Any]) -> Scorer:
    return Scorer("fresh", TorchEngine(load_weights(fresh, base, card), base.pad), Tokens(base), UNSCALED)


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}
