"""Texts as numbers that tell which say the same. Pure, and no text can be read from them.

Two texts have one form when their words are the same: case, punctuation, emoji, links and handles do not count. Longer
texts also get a sketch, from which it can be told what share of their five-letter shingles two texts have in common
(MinHash, Broder 1997). Texts of a few words have none: one changed word in four makes another text.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.text import normalise

ALIKE = 0.6  # share of shingles from which two texts count as the same
LEAST_WORDS = 5
# 99 % of the pairs that share 70 % of their shingles have a band in common, 89 % of those that share 60 %, and one pair
# in ten thousand of those that share a twentieth, as posts on one subject do.
BANDS, ROWS = 16, 4

_SHINGLE = 5
_OUTSIDE = re.compile(r"https?://\S+|www\.\S+|@[\w.:-]+")
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")  # Thai, Japanese, Chinese: about two to a word
_AT_ONCE = 256  # bounds the shingles in memory


@dataclass(frozen=True, slots=True)
class Sketch:
    """``form`` is None without any text; ``bands`` are empty where only the same words are the same text."""

    form: int | None
    bands: tuple[int, ...] = ()


def sketched(texts: Sequence[str]) -> list[Sketch]:
    """One sketch for each text, in order. The same text gives the same numbers on every machine."""
    found = []
    for start in range(0, len(texts), _AT_ONCE):
        worded = [_words(text) for text in texts[start : start + _AT_ONCE]]
        bands = iter(_bands([" ".join(words) for _, words in worded if _is_long(words)]))
        found += [Sketch(_form(plain, words), next(bands) if _is_long(words) else ()) for plain, words in worded]
    return found


def likeness(one: Sequence[int], others: Sequence[Sequence[int]]) -> list[float]:
    """What share of its shingles the text of bands ``one`` shares with each of ``others``, within 0.12 mostly."""
    mine, theirs = (np.array(bands, dtype="<u4").view("u1") for bands in (one, others))
    shares: list[float] = (theirs.reshape(len(others), -1) == mine).mean(axis=1).tolist()
    return shares


def _words(text: str) -> tuple[str, list[str]]:
    plain = normalise(text).casefold()
    return plain, _WORD.findall(_OUTSIDE.sub(" ", plain))


def _form(plain: str, words: list[str]) -> int | None:
    """A text of links or emoji alone is what it is."""
    said = " ".join(words) or plain
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "little") if said else None


def _is_long(words: list[str]) -> bool:
    return len(words) >= LEAST_WORDS or len(_UNSPACED.findall("".join(words))) >= 2 * LEAST_WORDS


def _bands(texts: list[str]) -> list[tuple[int, ...]]:
    """Of each hash its last byte (Li and König 2010, b-bit minwise hashing); the bytes of a band are one number."""
    from datasketch import MinHash

    hashes = MinHash.bulk([_shingles(text) for text in texts], num_perm=BANDS * ROWS, hashfunc=zlib.crc32)
    return [tuple(found.hashvalues.astype("u1").view("<u4").tolist()) for found in hashes]


def _shingles(text: str) -> set[bytes]:
    return {text[i : i + _SHINGLE].encode() for i in range(len(text) - _SHINGLE + 1)}
