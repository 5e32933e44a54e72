"""The form in which texts and rules are compared, and the words, links and hashtags of a text in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import regex

from monitor.text import normalise

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
LETTER = rf"[\w--[_{_UNSPACED}]]"  # a letter, digit or mark of a script that separates words; regex.VERSION1

_WORD = regex.compile(rf"(?P<word>{LETTER}+(?:'{LETTER}+)*)|[{_UNSPACED}]", regex.VERSION1)
_HASHTAG = regex.compile(r"#(\w+)")
_URL = regex.compile(
    r"(?<![\w@.-])(?:https?://(?:[^\s/?#@]{1,99}@)?)?(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?::\d{1,5})?(?:[/?#][^\s<>\"]*)?"
)
_LINK = regex.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?(?:www\.)?([^/?#:]*)(?::\d*)?(.*)", regex.DOTALL)

# Typographic quotes and hyphens; a Turkish capital I leaves a combining dot behind when it is folded.
_SAME = {"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "\u2010": "-", "–": "-", "—": "-", "ı": "i", "\u0307": ""}
_DIFFERENT = regex.compile("[" + "".join(_SAME) + "]")


def fold(text: str) -> str:
    """``normalise``, caseless, with one kind of quote and of hyphen."""
    return _fold(normalise(text))


def contains(text: str, anchors: Sequence[tuple[str, ...]]) -> bool:
    """Whether all words of one anchor stand in the folded text; fast, since every post of a network is asked."""
    folded = text.lower() if text.isascii() and "\x00" not in text else fold(text)
    return any(words[0] in folded and all(word in folded for word in words) for words in anchors)


def bare_hashtag(hashtag: str) -> str:
    """A folded hashtag without its #."""
    return hashtag.strip().lstrip("#")


def bare_link(link: str) -> tuple[str, str]:
    """Host and path of a folded link, without scheme, www, port and trailing slash."""
    host, path = _LINK.findall(link.strip())[0]  # it fits every text
    host, path = host.rstrip("."), path.rstrip("/")
    return host, path if not path or path.startswith("/") else "/" + path


class Folded:
    """A post as rules see it.

    Args:
        text: as the author wrote it.
        links, hashtags: those that stand beside the text; its own are added.
    """

    def __init__(self, text: str, links: Sequence[str], hashtags: Sequence[str]) -> None:
        self.normal = normalise(text)
        self._links = links
        self._hashtags = hashtags

    @cached_property
    def text(self) -> str:
        return _fold(self.normal)

    @cached_property
    def hashtags(self) -> frozenset[str]:
        return frozenset(bare_hashtag(tag) for tag in (*map(fold, self._hashtags), *_HASHTAG.findall(self.text)))

    @cached_property
    def links(self) -> tuple[tuple[str, str], ...]:
        return tuple(bare_link(link) for link in (*map(fold, self._links), *_URL.findall(self.text)))

    @cached_property
    def words(self) -> tuple[list[int], list[int]]:
        """Offset of each word, and for each number of words what they count for, in halves of a word."""
        found = list(_WORD.finditer(self.text))
        halves = accumulate((2 if m["word"] else 1 for m in found), initial=0)
        return [m.start() for m in found], list(halves)


def _fold(normal: str) -> str:
    if normal.isascii():
        return normal.lower()
    folded = unicodedata.normalize("NFKC", normal.casefold())  # folding can undo NFKC
    return _DIFFERENT.sub(lambda m: _SAME[m[0]], folded)
