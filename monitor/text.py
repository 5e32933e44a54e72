"""One normal form of a text, used before matching and before scoring."""

from __future__ import annotations

import re
import unicodedata

# Zero-width and bidirectional control characters: they split words for us but not for a reader.
# ZERO WIDTH JOINER stays inside emoji, where it carries meaning.
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINER_IN_WORD = re.compile(r"(?<=\w)\u200d(?=\w)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[^\S\n ][^\S\n]*| [^\S\n]+")  # not the single spaces: replacing each costs 10 µs a post


def normalise(text: str) -> str:
    """NFKC, no invisible characters, no lone surrogates or NULs, single spaces; case and line breaks stay."""
    if text.isascii() and "\x00" not in text:
        return _SPACE.sub(" ", text).strip()
    text = _SURROGATE.sub("\ufffd", text).replace("\x00", "")
    text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text)
    if "\u200d" in text:
        text = _JOINER_IN_WORD.sub("", text)
    return _SPACE.sub(" ", text).strip()


def storable(text: str) -> str:
    """The author's text as it is, without what UTF-8 or a database cannot hold (lone surrogates, NUL)."""
    if text.isascii():
        return text.replace("\x00", "")
    return _SURROGATE.sub("\ufffd", text).replace("\x00", "")
