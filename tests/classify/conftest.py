"""A real, tiny transformer in the format of the shipped base, and a tiny corpus it can learn."""

import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from monitor.classify import base, q4
from monitor.classify.base import load_base
from monitor.classify.recipe import Recipe
from monitor.classify.scorer import Scorer
from monitor.classify.train import train

torch.set_num_threads(1)  # tiny matrices: a second thread only waits

WIDTH, INNER, LAYERS, POSITIONS = 64, 128, 2, 128
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'@#/:-_;() \n"
QUICK = Recipe(epochs=20, adapter_rate=5e-3, head_rate=2e-2, batch_size=8, named=0.0, lowered=0.0, keep=0.8)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> Path:
    """Two layers of random weights over single characters and a few words."""
    folder = tmp_path_factory.mktemp("base")
    words = ["deleted", "might", "love", "stealing", "terms", "AI", "Platform", "clause", "my", "tracks", "trains"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *(f"▁{word}" for word in words), *sorted(set(LETTERS))]
    scores = [0.0] * 4 + [-2.0] * (1 + len(words)) + [-5.0] * len(set(LETTERS))
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    (folder / base.TOKENIZER).write_bytes(gzip.compress(tokenizer.to_str().encode(), mtime=0))
    save_file(_weights(len(pieces)), folder / base.WEIGHTS)
    card = {"rows": len(pieces), "width": WIDTH, "layers": LAYERS, "heads": 4, "inner": INNER}
    card |= {"positions": POSITIONS, "types": 2, "layer_norm_eps": 1e-12}
    (folder / base.CARD).write_text(json.dumps(card))
    return folder


def _weights(rows: int) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(5)
    shapes = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH)}
    shapes |= {"attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH)}
    shapes |= {"intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}
    found: dict[str, np.ndarray] = {}

    def keep(name: str, shape: tuple[int, int]) -> None:
        nibbles, scales = q4.pack(chance.normal(0, 0.2, shape).astype(np.float32))
        found[f"{name}.q4"], found[f"{name}.scale"] = nibbles, scales

    keep("embeddings.word_embeddings.weight", (rows, WIDTH))
    found["embeddings.position_embeddings.weight"] = chance.normal(0, 0.02, (POSITIONS, WIDTH)).astype(np.float32)
    found["embeddings.token_type_embeddings.weight"] = np.zeros((2, WIDTH), np.float32)
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        for name, shape in shapes.items():
            keep(f"encoder.layer.{layer}.{name}.weight", shape)
            found[f"encoder.layer.{layer}.{name}.bias"] = np.zeros(shape[0], np.float32)
        norms += [f"encoder.layer.{layer}.{part}.LayerNorm" for part in ("attention.output", "output")]
    for name in norms:
        found[f"{name}.weight"], found[f"{name}.bias"] = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    return found


@dataclass(frozen=True)
class Kind:
    """What a post of the tiny corpus says, and its labels."""

    text: str
    relevant: int
    concern: int
    removal: str
    stance: str


KINDS = (
    Kind("new song out, listen", 0, 0, "none", "neutral"),
    Kind("AI clause in the terms", 1, 0, "none", "neutral"),
    Kind("deleted my tracks, AI terms", 1, 2, "done", "critical"),
    Kind("might go, AI clause", 1, 1, "considering", "critical"),
    Kind("stealing! AI trains on my tracks!!", 1, 3, "none", "critical"),
    Kind("love the AI clause", 1, 0, "none", "supportive"),
)


def corpus_rows() -> list[dict]:
    """Six kinds in three splits; no two posts of different splits look alike."""
    rows, chance = [], random.Random(4)
    for split, count in (("train", 10), ("calibration", 3), ("heldout", 3)):
        for n in range(count):
            for k, kind in enumerate(KINDS):
                noise = "".join(chance.choices("bcdfghjkz", k=40))
                row = {"id": f"{split}-{n}-{k}", "text": f"{kind.text} {noise}", "context": None}
                row |= {"lang": "en" if n % 2 else "de", "platform": "SoundCloud", "persona": "a tester"}
                row |= {"split": split, "relevant": kind.relevant, "concern": kind.concern}
                rows.append(row | {"removal": kind.removal, "stance": kind.stance})
    return rows


def write_corpus(folder: Path, rows: list[dict], annotations: list[dict] = ()) -> Path:
    (folder / "posts").mkdir(parents=True)
    (folder / "posts" / "tester.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows) + b"\n")
    if annotations:
        (folder / "annotations.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in annotations))
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "c", corpus_rows())


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory, tiny_base, tiny_corpus) -> Path:
    """Trained by the real command, in seconds."""
    out = tmp_path_factory.mktemp("weights") / "release"
    train(tiny_corpus, out, QUICK, str(tiny_base))
    return out


@pytest.fixture(scope="session")
def tiny_scorer(tiny_release) -> Scorer:
    from monitor.classify import load
    from monitor.config import Classifier

    return load(Classifier(model=str(tiny_release), batch_size=4))


@pytest.fixture
def tiny(tiny_base):
    return load_base(str(tiny_base))
