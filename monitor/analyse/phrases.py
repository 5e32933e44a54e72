"""Which phrases are new: said now by several authors, and by hardly anyone before."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WORDS = 3
_LETTERS = 6  # of scripts that put no spaces between words
# Links, names of accounts and of sites: whoever is named there is nobody's phrase.
_ASIDE = re.compile(r"https?://\S+|[@＠][\w.-]+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b(?:/\S*)?", re.I)
_HAS_ASIDE = re.compile(r"[@＠]|://|\.[a-z]", re.I)  # a quick look: most texts have none
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_LONGEST = 400  # words of a post that are read
_KNOWN_BY = 2  # authors, before, from which a phrase is no news
LAG_HOURS = 48  # of which live does not know yet what is said

Said = tuple[int, str]  # author and text


@dataclass(frozen=True, slots=True)
class NewPhrase:
    """A phrase and how many authors said it."""

    text: str
    authors: int


def phrases(text: str) -> set[str]:
    """Every three words in a row, or six characters where words are not parted; no links, no names of accounts."""
    words = _WORD.findall((_ASIDE.sub(" ", text) if _HAS_ASIDE.search(text) else text).lower())[:_LONGEST]
    found = {" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}
    for word in words if _UNSPACED.search(text) else ():
        if _UNSPACED.search(word):
            found.update(word[i : i + _LETTERS] for i in range(len(word) - _LETTERS + 1))
    return found


def spread(said: Iterable[Said]) -> Counter[str]:
    """How many authors said each phrase."""
    return Counter(phrase for _, phrase in {(author, phrase) for author, text in said for phrase in phrases(text)})


def history(hours: Mapping[int, Iterable[Said]]) -> tuple[dict[int, int], frozenset[int]]:
    """Of each hour by how many authors its most said new phrase was said, and hashes of the phrases that are known.

    A phrase is new to an hour where fewer than two authors said it up to two days before: as live, where what is known
    is learned once a day, without the last one.
    """
    told = {hour: {hash(phrase): n for phrase, n in spread(hours[hour]).items()} for hour in sorted(hours)}
    total, largest, waiting = Counter[int](), dict[int, int](), deque[int]()
    for hour, counts in told.items():
        while waiting and waiting[0] < hour - LAG_HOURS:
            total.update(told[waiting.popleft()])
        largest[hour] = max((n for phrase, n in counts.items() if total[phrase] < _KNOWN_BY), default=0)
        waiting.append(hour)
    for hour in waiting:
        total.update(told[hour])
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
