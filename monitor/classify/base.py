"""The frozen encoder everything is trained on: loaded once, dequantised, never changed.

The shipped base is multilingual-e5-small in 4-bit blocks (see NOTICE beside it). A release may instead name
any encoder of the hub or a folder, for those who have the network or the memory.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.classify import q4
from monitor.errors import ModelError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

BASE = Path(__file__).parent / "weights" / "base"
WEIGHTS, TOKENIZER, CARD, NOTICE = "model.safetensors", "tokenizer.json.gz", "card.json", "NOTICE"
SHIPPED = "shipped"
_WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Base:
    """An encoder with its tokenizer. ``encoder(input_ids, attention_mask)`` gives (batch, length, width)."""

    name: str
    digest: str
    encoder: torch.nn.Module
    tokenizer: Tokenizer
    bos: int
    eos: int
    pad: int
    width: int
    positions: int


@cache
def digest(folder: Path = BASE) -> str:
    """sha256 over weights and tokenizer: what a release was trained on and may only be used with."""
    found = hashlib.sha256()
    for name in (WEIGHTS, TOKENIZER):
        found.update(_read(folder / name))
    return found.hexdigest()


def load_base(name: str = SHIPPED) -> Base:
    """The shipped base, or another: a folder in our format, else a folder or hub name transformers can read.

    Raises:
        ModelError: files are missing or damaged.
    """
    folder = base_folder(name)
    return _foreign(name) if folder is None else _ours(folder, name)


def base_folder(name: str) -> Path | None:
    """Where a base in our format lies; None for any other encoder."""
    folder = BASE if name == SHIPPED else Path(name)
    return folder if name == SHIPPED or (folder / TOKENIZER).is_file() else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error}", "Install the package again.") from error


def _ours(folder: Path, name: str) -> Base:
    import torch
    from safetensors import SafetensorError
    from safetensors.numpy import load
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    try:
        card = json.loads(_read(folder / CARD))
        tokenizer = Tokenizer.from_str(gzip.decompress(_read(folder / TOKENIZER)).decode())
        arrays = load(_read(folder / WEIGHTS))
        with torch.device("meta"):  # no time lost on random values that are replaced at once
            encoder = BertModel(BertConfig(**_shape(card)), add_pooling_layer=False)
        embeddings: Any = encoder.embeddings
        embeddings.word_embeddings = _word_embedding(arrays)
        encoder.load_state_dict(_dequantised(arrays), strict=True, assign=True)
        _restore_buffers(encoder, card["positions"])
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"The base model in {folder} is damaged: {error}", "Install the package again.") from error
    bos, eos, pad = (_id(tokenizer, token) for token in ("<s>", "</s>", "<pad>"))
    return Base(
        name=name,
        digest=digest(folder),
        encoder=encoder.eval(),  # type: ignore[no-untyped-call]
        tokenizer=tokenizer,
        bos=bos,
        eos=eos,
        pad=pad,
        width=card["width"],
        positions=card["positions"],
    )


def _id(tokenizer: Tokenizer, token: str) -> int:
    found: int | None = tokenizer.token_to_id(token)
    if found is None:
        raise ModelError(f"The tokenizer has no {token}", "Install the package again.")
    return found


def _shape(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "vocab_size": card["rows"],
        "hidden_size": card["width"],
        "num_hidden_layers": card["layers"],
        "num_attention_heads": card["heads"],
        "intermediate_size": card["inner"],
        "max_position_embeddings": card["positions"],
        "type_vocab_size": card["types"],
        "layer_norm_eps": card["layer_norm_eps"],
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": None,
    }


def _word_embedding(arrays: dict[str, Any]) -> torch.nn.Module:
    import torch

    from monitor.classify.embedding import BlockEmbedding

    nibbles, scales = (torch.from_numpy(arrays.pop(f"{_WORDS}.{part}")) for part in ("q4", "scale"))
    return BlockEmbedding(nibbles, scales)


def _dequantised(arrays: dict[str, Any]) -> dict[str, torch.Tensor]:
    import torch

    whole = {name: value for name, value in arrays.items() if not name.endswith((".q4", ".scale"))}
    for name in [name for name in arrays if name.endswith(".q4")]:
        stem = name.removesuffix(".q4")
        whole[stem] = q4.unpack(arrays[name], arrays[f"{stem}.scale"])
    return {name: torch.from_numpy(value) for name, value in whole.items()}


def _restore_buffers(encoder: torch.nn.Module, positions: int) -> None:
    """Buffers are not in the file and were left on the meta device."""
    import torch

    embeddings: Any = encoder.embeddings
    embeddings.position_ids = torch.arange(positions).expand(1, -1)
    embeddings.token_type_ids = torch.zeros((1, positions), dtype=torch.long)


def _foreign(name: str) -> Base:
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True)
        encoder = AutoModel.from_pretrained(name)
    except (OSError, ValueError) as error:
        hint = "Check its name and the network."
        raise ModelError(f"The encoder '{name}' cannot be loaded: {error}", hint) from error
    shape = encoder.config
    settings = json.dumps(shape.to_dict(), sort_keys=True, default=str)
    return Base(
        name=name,
        digest=hashlib.sha256(settings.encode()).hexdigest(),
        encoder=encoder.eval(),
        tokenizer=tokenizer.backend_tokenizer,
        bos=tokenizer.cls_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id,
        eos=tokenizer.sep_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id,
        pad=tokenizer.pad_token_id or 0,
        width=shape.hidden_size,
        positions=min(512, shape.max_position_embeddings - 2),  # RoBERTa counts positions from its padding id
    )
