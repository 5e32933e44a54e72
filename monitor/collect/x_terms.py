"""What a rule asks for, in the words of X's query language (docs.x.com, build a query and operators, read in 2026).

A keyword or "phrase" is found as whole tokens, whatever the case; tokens end at punctuation, symbols and spaces. There
is no wildcard, so a stem is asked for with a few endings. Punctuation stays where it stands within quotes: whatever X
makes of it there, it makes of it in the posts too.

What is asked for may find more than is meant: the order and distance of a near group are not asked for, nor is what
stands between the words of a phrase. An ``exclude`` is never said: X would find it in more posts than the matcher does,
since it ignores punctuation and accents and looks into the quoted post too, and those posts would be lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import TypeAlias

import regex

from monitor.collect import stems
from monitor.collect.folded import LETTER, bare_hashtag, bare_link, fold
from monitor.config import Near, Rule
from monitor.text import normalise

ENDINGS = ("s", *stems.VERB_ENDINGS)
_TOKEN = regex.compile(r"[\w--_]+|\p{So}", regex.VERSION1)
_KEYWORD = regex.compile(r"[\w--_]+", regex.VERSION1)
_RESERVED = ("and", "or", "not")
_GAP = regex.compile(r"[\s_-]+")  # as in a phrase of the matcher
_UNQUOTABLE = regex.compile(r'["“”\\\p{Cc}]')
_NOT_IN_LINK = regex.compile(r'["\\*\s\p{Cc}]')
_PORT = regex.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?[^/?#:]*(:\d+)")
_HASHTAG = regex.compile(r"\w*\p{L}\w*")  # X takes a # before digits alone for none
_LATIN = regex.compile(r"\p{Latin}")
_UNSPACED = regex.compile(rf"(?!{LETTER})[\w--_]", regex.VERSION1)

Atom: TypeAlias = str  # what stands for one term: a keyword, a phrase, #hashtag, url: or a group in parentheses
Group: TypeAlias = tuple[tuple[Atom, ...], ...]  # a hit has one of each of these


def groups(rule: Rule) -> list[Group]:
    """The alternatives of the rule: its near groups, joined where they can be, and each other term by itself."""
    return [*_nears(rule.near), *(((atom,),) for atom in dict.fromkeys(_singles(rule)))]


def written(group: Group) -> str:
    """The group as it stands among alternatives."""
    sides = " ".join(any_of(side) for side in group)
    return sides if len(group) == 1 else f"({sides})"


def any_of(atoms: tuple[Atom, ...]) -> str:
    return atoms[0] if len(atoms) == 1 else f"({' OR '.join(atoms)})"


def unsayable(rule: Rule) -> Iterator[str]:
    """In words, what of the rule is not asked for, or may not be found."""
    yield from stems.unsayable(rule, ENDINGS)
    terms = stems.terms(rule)
    for term in terms:
        if not _atoms(term):
            yield f"{term!r}, in which X knows no word"
    if glued := [term for term in terms if _UNSPACED.search(fold(term))]:
        yield f"{', '.join(glued)} wherever X does not part it from the signs around it"
    for hashtag in rule.hashtags:
        if not list(_hashtag(hashtag)):
            yield f"{hashtag!r}, which is no hashtag on X"
    for link in rule.links:
        yield from _unsayable_link(link)


def _nears(nears: Iterable[Near]) -> list[Group]:
    """Groups with one side in common are one: (a) (b) or (a) (c) is (a) (b or c)."""
    others: dict[tuple[Atom, ...], tuple[Atom, ...]] = {}
    for near in nears:
        a, b = _all_atoms(near.a), _all_atoms(near.b)
        if a and b:
            others[a] = tuple(dict.fromkeys((*others.get(a, ()), *b)))
    return list(others.items())


def _singles(rule: Rule) -> Iterator[Atom]:
    for phrase in rule.phrases:
        yield from _atoms(phrase)
    for hashtag in rule.hashtags:
        yield from _hashtag(hashtag)
    for link in rule.links:
        yield from _link(link)


def _all_atoms(terms: Iterable[str]) -> tuple[Atom, ...]:
    return tuple(dict.fromkeys(atom for term in terms for atom in _atoms(term)))


def _atoms(term: str) -> tuple[Atom, ...]:
    """Wherever the term stands, one of these is found; none where X would see no word in it."""
    return tuple(dict.fromkeys(atom for spelt in _spellings(term) for atom in _forms(spelt)))


def _spellings(term: str) -> Iterable[tuple[str, ...]]:
    """The words of the term as people write it and as the matcher folds it: X tells straße from strasse."""
    cleaned = [_UNQUOTABLE.sub(" ", spelt) for spelt in (normalise(term).lower(), fold(term))]
    spellings = {tuple(_TOKEN.findall(spelt)): tuple(filter(None, _GAP.split(spelt))) for spelt in cleaned}
    return [words for tokens, words in spellings.items() if tokens]


def _forms(words: tuple[str, ...]) -> Iterator[Atom]:
    """The phrase with each ending of its stem; of several stems all words beside each other, in any order."""
    if sum(_is_stem(word) for word in words) > 1:
        sides = [tuple(map(_quoted, _endings(word))) for word in words if _TOKEN.search(word)]
        yield written(tuple(sides))
    else:
        yield from (_quoted(" ".join(form)) for form in product(*map(_endings, words)))


def _is_stem(word: str) -> bool:
    return word.endswith("*") and len(word) > 1


def _endings(word: str) -> tuple[str, ...]:
    stem = word.rstrip("*") if _is_stem(word) else word
    return (stem, *(stem + ending for ending in ENDINGS)) if stem != word and _LATIN.match(stem[-1:]) else (stem,)


def _quoted(words: str) -> Atom:
    plain = " ".join(words.replace("*", " ").split())
    return plain if _KEYWORD.fullmatch(plain) and plain not in _RESERVED else f'"{plain}"'


def _hashtag(hashtag: str) -> Iterator[Atom]:
    for spelt in dict.fromkeys((normalise(hashtag).lower(), fold(hashtag))):
        tag = bare_hashtag(spelt)
        if _HASHTAG.fullmatch(tag):
            yield f"#{tag}"
        elif tag.isdecimal():
            yield tag


def _link(link: str) -> Iterator[Atom]:
    """The link without a port, as the matcher has it, and with the one that the rule names."""
    host, path = bare_link(fold(link))
    port = _PORT.match(fold(link).strip())
    for spelt in dict.fromkeys((host, host + port[1] if port and path else host)):
        address = _NOT_IN_LINK.sub("/", spelt + path)
        if _TOKEN.search(address):
            yield f'url:"{address}"'


def _unsayable_link(link: str) -> Iterator[str]:
    if not list(_link(link)):
        yield f"{link!r}, which is no link"
        return
    _, path = bare_link(fold(link))
    yield (
        f"{link} where its last word goes on" if path else f"hosts below {link}, if X does not part hosts at their dots"
    )
    if path:
        yield f"{link} with a port that the rule does not name"
    yield f"{link} behind a shortener of links other than X's own"
