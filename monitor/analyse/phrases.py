"""Which phrases are new: said now by several authors, and by hardly anyone before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WORDS = 3
_LETTERS = 6  # of scripts that put no spaces between words
_ASIDE = re.compile(r"https?://\S+|\bwww\.\S+|[@＠][\w.-]+", re.I)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_LONGEST = 400  # words of a post that are read
_KNOWN_BY = 2  # authors, in other hours, from which a phrase is no news

Said = tuple[int, str]  # author and text


@dataclass(frozen=True, slots=True)
class NewPhrase:
    """A phrase and how many authors said it."""

    text: str
    authors: int


def phrases(text: str) -> set[str]:
    """Every three words in a row, or six characters where words are not parted; no links, no names of accounts."""
    words = _WORD.findall(_ASIDE.sub(" ", text).lower())[:_LONGEST]
    found = {" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}
    for word in words:
        if _UNSPACED.search(word):
            found.update(word[i : i + _LETTERS] for i in range(len(word) - _LETTERS + 1))
    return found


def spread(said: Iterable[Said]) -> Counter[str]:
    """How many authors said each phrase."""
    return Counter(phrase for _, phrase in {(author, phrase) for author, text in said for phrase in phrases(text)})


def history(hours: Mapping[int, Iterable[Said]]) -> tuple[dict[int, int], frozenset[int]]:
    """Of each hour by how many authors its most said new phrase was said, and hashes of the phrases that are known.

    A phrase is new to an hour where fewer than two authors said it in the others: each hour is judged by the rest, as
    the next one will be by all of them.
    """
    told = {hour: {hash(phrase): n for phrase, n in spread(said).items()} for hour, said in hours.items()}
    total = Counter[int]()
    for counts in told.values():
        total.update(counts)
    largest = {
        hour: max((n for phrase, n in counts.items() if total[phrase] - n < _KNOWN_BY), default=0)
        for hour, counts in told.items()
    }
    return largest, frozenset(phrase for phrase, n in total.items() if n >= _KNOWN_BY)


def new_phrases(said: Iterable[Said], known: frozenset[int], most: int = 3) -> list[NewPhrase]:
    """The new phrases that most authors said, without those that overlap a more frequent one."""
    fresh = [NewPhrase(text, n) for text, n in spread(said).most_common() if hash(text) not in known]
    chosen: list[NewPhrase] = []
    for one in fresh[:200]:
        if len(chosen) < most and not any(_overlap(one.text, other.text) for other in chosen):
            chosen.append(one)
    return chosen


def _overlap(one: str, other: str) -> bool:
    if " " in one and " " in other:
        return len(set(one.split()) & set(other.split())) >= WORDS - 1
    return len(set(one) & set(other)) >= _LETTERS - 2
