"""What a phrase, a near group, a hashtag, a link and a regular expression of a rule mean, one class each.

- Words end where letters, digits and marks end; ``_`` separates words. Scripts written without spaces (Chinese,
  Japanese, Thai ...) have no word boundaries here, neither among themselves nor towards Latin letters:
  SoundCloudの規約 holds "SoundCloud" and "規約". So does Hangul, whose particles are glued to the word.
- A space or hyphen in a phrase stands for any spaces, line breaks, hyphens and underscores; ``*`` at the end of
  a word for any ending.
- The distance of a near group is counted in words; a character of a script without spaces counts as half a word.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

import regex

from monitor.collect.folded import LETTER, Folded, bare_hashtag, bare_link, fold

log = logging.getLogger(__name__)

REGEX_LIMIT = 10_000  # characters that a rule's own regular expression is shown
REGEX_SECONDS = 0.1  # that it may take for one post

_GAP = regex.compile(r"[\s_-]+")
_ANY_GAP = r"[\s_-]+"
_ENDS = regex.compile(LETTER, regex.VERSION1)


Anchor: TypeAlias = tuple[str, ...]  # words, the longest first


class Condition(Protocol):
    """One way to match; a rule matches when any of its conditions holds."""

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """All words of one of these stand in every folded text that it holds for; none where that cannot be said."""
        ...

    def holds(self, post: Folded) -> bool: ...


class Phrases:
    """Phrases, each found as whole words."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._patterns = [(_anchor(words), _compile(words)) for words in dict.fromkeys(map(_words, phrases))]
        self.anchors = tuple(anchor for anchor, _ in self._patterns)

    def in_text(self, text: str) -> Iterator[regex.Pattern[str]]:
        """The patterns of those that may stand in the text; a look for their words spares nearly every search."""
        for anchor, pattern in self._patterns:
            if all(word in text for word in anchor):
                yield pattern


class PhraseCondition:
    """One of the phrases stands in the text."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = Phrases(phrases)
        self.anchors = self._phrases.anchors

    def holds(self, post: Folded) -> bool:
        return any(pattern.search(post.text) for pattern in self._phrases.in_text(post.text))


class NearCondition:
    """One of ``a`` and one of ``b`` stand at most ``within`` words apart, in either order; neighbours are 1 apart."""

    def __init__(self, a: Iterable[str], b: Iterable[str], within: int) -> None:
        self._a, self._b, self._halves = Phrases(a), Phrases(b), 2 * within
        self.anchors = max(self._a.anchors, self._b.anchors, key=_rarity)

    def holds(self, post: Folded) -> bool:
        a = _spans(self._a, post.text)
        b = _spans(self._b, post.text) if a else []
        if not b or not post.words[0]:
            return False
        starts, halves = post.words
        a, b = ([(_word_at(starts, start), _word_at(starts, end - 1)) for start, end in spans] for spans in (a, b))
        return self._follows(a, b, halves) or self._follows(b, a, halves)

    def _follows(self, ones: list[tuple[int, int]], others: list[tuple[int, int]], halves: list[int]) -> bool:
        """Does one of ``others`` begin soon enough after one of ``ones`` has ended?"""
        begins = [begin for begin, _ in others]
        for _, end in ones:
            at = bisect_right(begins, end)
            if at < len(begins) and halves[begins[at] + 1] - halves[end + 1] <= self._halves:
                return True
        return False


class HashtagCondition:
    """One of the hashtags, given with or without #."""

    def __init__(self, hashtags: Sequence[str]) -> None:
        self._hashtags = frozenset(bare_hashtag(fold(hashtag)) for hashtag in hashtags)
        self.anchors = tuple((hashtag,) for hashtag in sorted(self._hashtags))

    def holds(self, post: Folded) -> bool:
        return not self._hashtags.isdisjoint(post.hashtags)


class LinkCondition:
    """One of the links: a host with its subdomains ("soundcloud.com"), or a host and the beginning of a path."""

    def __init__(self, links: Sequence[str]) -> None:
        self._links = [bare_link(fold(link)) for link in links]
        self.anchors = tuple((host,) for host, _ in self._links)

    def holds(self, post: Folded) -> bool:
        return any(_is_under(host, path, link) for link in post.links for host, path in self._links)


class RegexCondition:
    """A regular expression, searched in the normalised text whatever the case."""

    anchors: tuple[Anchor, ...] = ()

    def __init__(self, pattern: str) -> None:
        self._pattern = regex.compile(pattern, regex.VERSION0 | regex.IGNORECASE)

    def holds(self, post: Folded) -> bool:
        try:
            return self._pattern.search(post.normal[:REGEX_LIMIT], timeout=REGEX_SECONDS) is not None
        except TimeoutError:  # a pattern that backtracks for ever must not stop the collection
            log.warning("the regex %s took more than %s s for one post", self._pattern.pattern, REGEX_SECONDS)
            return False


def _is_under(host: str, path: str, link: tuple[str, str]) -> bool:
    if path:
        return link[0] == host and link[1].startswith(path)
    return link[0] == host or link[0].endswith("." + host)


def _spans(phrases: Phrases, text: str) -> list[tuple[int, int]]:
    return sorted(m.span() for pattern in phrases.in_text(text) for m in pattern.finditer(text))


def _word_at(starts: list[int], offset: int) -> int:
    return max(bisect_right(starts, offset) - 1, 0)


def _compile(words: Sequence[str]) -> regex.Pattern[str]:
    before = rf"(?<!{LETTER})" if _ENDS.match(words[0]) else ""
    after = rf"(?!{LETTER})" if _ENDS.match(words[-1][-1]) else ""
    return regex.compile(before + _ANY_GAP.join(map(_source, words)) + after, regex.VERSION1)


def _source(word: str) -> str:
    stem = _stem(word)
    return regex.escape(stem, special_only=True) + (rf"{LETTER}*" if stem != word else "")


def _anchor(words: Sequence[str]) -> Anchor:
    return tuple(sorted(map(_stem, words), key=len, reverse=True))


def _rarity(anchors: Sequence[Anchor]) -> int:
    return min(len(longest) for longest, *_ in anchors)


def _words(phrase: str) -> tuple[str, ...]:
    folded = fold(phrase)
    return tuple(word for word in _GAP.split(folded) if word) or (folded or phrase,)


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("*") and len(word) > 1 else word
