"""``monitor train``: from the corpus to a release, in one go."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from monitor.classify.base import SHIPPED, load_base
from monitor.classify.calibrate import UNSCALED, temperatures
from monitor.classify.checkpoint import Checkpoint
from monitor.classify.confusion import confusions, save_confusions
from monitor.classify.corpus import CORPUS, Corpus, read_corpus
from monitor.classify.engine import TorchEngine
from monitor.classify.evaluate import as_text, judged, rows
from monitor.classify.fit import NETWORK, OnStep, fit
from monitor.classify.recipe import Recipe
from monitor.classify.release import RELEASE, load_weights, save_card, save_weights
from monitor.classify.scorer import Scorer, prepared
from monitor.classify.tokens import Tokens
from monitor.codebook import codebook


def train(
    folder: Path = CORPUS,
    out: Path = RELEASE,
    recipe: Recipe | None = None,
    base: str = SHIPPED,
    on_step: OnStep | None = None,
) -> dict[str, Any]:
    """Train, calibrate, judge and write a release into ``out``; returns its card. A training that was cut off goes on.

    ``base`` names another encoder (a folder, or a name on the hub); ``on_step(step, steps, loss)`` tells progress.

    Raises:
        CorpusError: as ``read_corpus``.
        ModelError: as ``load_base``.
    """
    chosen, corpus = recipe or Recipe(), read_corpus(folder)
    encoder = load_base(base)
    out.parent.mkdir(parents=True, exist_ok=True)
    key = json.dumps([NETWORK, corpus.digest, encoder.digest, asdict(chosen)])
    checkpoint = Checkpoint(out.parent / f".{out.name}.training.pt", key)
    with TemporaryDirectory(dir=out.parent) as place:  # so that an old release stays whole until the new one is
        fresh = Path(place)
        save_weights(fit(encoder, corpus.split("train"), chosen, on_step, checkpoint), fresh)
        card = published(fresh, corpus, chosen, base)
        out.mkdir(exist_ok=True)
        for path in fresh.iterdir():
            path.replace(out / path.name)
    checkpoint.clear()
    return card


def published(
    fresh: Path, corpus: Corpus, recipe: Recipe, base_name: str, taught: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Calibrate and judge the weights in ``fresh``, and write their card beside them; ``taught`` is noted in it.

    Judged with fp16 weights on a base of its own, as it will be loaded.
    """
    base = load_base(base_name)
    card: dict[str, Any] = {
        "name": "backlash" if base_name == SHIPPED and not taught else "backlash-own",
        "codebook": codebook().version,
        "corpus": corpus.digest,
        "base": {"name": base.name, "digest": base.digest},
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "recipe": asdict(recipe),
    }
    scorer = Scorer("fresh", TorchEngine(load_weights(fresh, base, card), base.pad), Tokens(base), UNSCALED)
    posts = corpus.split("calibration")
    # A long post counts by its first window: temperatures belong to windows.
    raw = np.stack([outputs[0] for outputs in scorer.raw([prepared(as_text(post)) for post in posts])])
    card["temperatures"] = scorer.temperatures = temperatures(raw, [post.labels for post in posts])
    card["posts"] = {name: len(corpus.split(name)) for name in ("train", "calibration", "heldout")}
    held_out = corpus.split("heldout")
    found = judged(scorer, held_out) if held_out else []
    judgement = rows("this model", held_out, found) if held_out else []
    card["heldout"] = {row.posts: {"n": row.n} | _rounded(row.figures) for row in judgement}
    whole = save_card(fresh, card | ({"taught": taught} if taught else {}))
    if held_out:
        save_confusions(fresh, whole["model_id"], confusions(held_out, found))
    return whole


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}
