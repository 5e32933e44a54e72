"""A topic's rules as query strings of Bluesky's search.

The syntax is what bsky.app's search box takes: words are joined by AND, quotes hold a phrase together, ``#tag``,
``domain:host`` and a bare URL filter by hashtag and link. The index knows whole words only, and "SoundCloud's" is
another word than "SoundCloud" to it (bluesky-social/indigo, search/parse_query.go and post_schema.json, read in 2026).

A query may find more than its rule means; the matcher decides what is kept. Of two words near each other the rarer one
is asked for alone, which finds all; should that find too much, the pairs are asked for instead (``narrower``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.collect import stems
from monitor.config import Near, Rule, Topic
from monitor.text import normalise

NAME_ENDINGS = ("", "s", "'s")
STEM_ENDINGS = (*NAME_ENDINGS, *stems.VERB_ENDINGS)
_PLAIN = re.compile(r"[\w']+")
_STAR = re.compile(r"\*+")

Terms = tuple[str, ...]  # of one query, all of which a hit must have


@dataclass(frozen=True, slots=True)
class Queries:
    """Query strings.

    Attributes:
        strings: the first ``wide`` of them together find all that can be said.
        narrower: for some of those (by index), others that find less and nearly all that is meant.
        unsayable: in words, what of the rules none of them says.
    """

    strings: tuple[str, ...]
    wide: int
    narrower: dict[int, tuple[int, ...]]
    unsayable: tuple[str, ...]


def compile_queries(topic: Topic) -> Queries:
    """The fewest queries that cover what the search can say of the topic's rules."""
    parts = _covering([part for rule in topic.rules for part in _parts(rule)])
    strings = [_joined(terms) for terms, _ in parts]
    narrower: dict[int, tuple[int, ...]] = {}
    for index, (_, narrow) in enumerate(parts):
        if narrow:
            narrower[index] = tuple(range(len(strings), len(strings) + len(narrow)))
            strings += map(_joined, narrow)
    unsayable = tuple(f"{what} (rule '{rule.id}')" for rule in topic.rules for what in _unsayable(rule))
    return Queries(tuple(strings), len(parts), narrower, unsayable)


def _parts(rule: Rule) -> Iterator[tuple[Terms, list[Terms]]]:
    """Each query of the rule and, where it asks for more than is meant, the narrower ones."""
    for phrase in rule.phrases:
        yield from (((form,), []) for form in _names(phrase))
    for near in rule.near:
        yield from _near(near)
    for hashtag in rule.hashtags:
        yield (f"#{normalise(hashtag).lstrip('#').lower()}",), []
    for link in rule.links:
        yield (_link(link),), []


def _near(near: Near) -> Iterator[tuple[Terms, list[Terms]]]:
    rare, other = sorted((near.a, near.b), key=_rarity, reverse=True)
    others = [form for term in other for form in _forms(term, STEM_ENDINGS)]
    for term in rare:
        for form in _names(term):
            yield (form,), [(form, beside) for beside in others]


def _rarity(terms: Iterable[str]) -> int:
    """Bytes of the shortest term: a sign of Chinese or Japanese says as much as three letters."""
    return min(len(term.rstrip("*").encode()) for term in terms)


def _names(term: str) -> Terms:
    """The term and its possessive, where it is a word of Latin letters; the forms of a name where it is a stem."""
    words = _plain(term)
    is_name = words.isascii() and words.replace("*", "").isalpha()
    return _forms(term, NAME_ENDINGS) if "*" in words else (words, f"{words}'s") if is_name else (words,)


def _forms(term: str, endings: Terms) -> Terms:
    words = _plain(term)
    return tuple(_STAR.sub(ending, words) for ending in endings) if "*" in words else (words,)


def _plain(term: str) -> str:
    return normalise(term.replace('"', " ")).lower()


def _link(link: str) -> str:
    """``domain:host`` for a link without path, else the URL."""
    address = normalise(link).removeprefix("https://").removeprefix("http://").strip("/")
    return f"https://{address}" if "/" in address else f"domain:{address.removeprefix('www.').lower()}"


def _joined(terms: Terms) -> str:
    return " ".join(term if _is_filter(term) or _PLAIN.fullmatch(term) else f'"{term}"' for term in terms)


def _is_filter(term: str) -> bool:
    return term.startswith(("#", "domain:", "https://"))


def _covering(parts: list[tuple[Terms, list[Terms]]]) -> list[tuple[Terms, list[Terms]]]:
    """Leave out what another query finds anyway; what finds it finds it in its narrower form too."""
    merged: dict[frozenset[str], tuple[Terms, list[Terms]]] = {}
    for terms, narrow in parts:
        key = frozenset(_shortest(terms))
        if key in merged:  # whoever means all that it finds forbids to narrow it
            narrow = [*merged[key][1], *narrow] if narrow and merged[key][1] else []
        merged[key] = (_shortest(terms), narrow)
    kept = {key: part for key, part in merged.items() if not _finders(key, merged)}
    for key, (terms, narrow) in merged.items():
        for finder in _finders(key, kept):
            if kept[finder][1]:
                kept[finder][1].extend(narrow or [terms])
    return [(terms, _without_redundant(narrow)) for terms, narrow in kept.values()]


def _finders(key: frozenset[str], others: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """The queries that find all that ``key`` finds: "new terms" is found by ``terms``."""
    implied = key | _words(key)
    return [other for other in others if other != key and other <= implied]


def _without_redundant(queries: list[Terms]) -> list[Terms]:
    unique = {frozenset(terms): terms for terms in map(_shortest, queries)}
    return [terms for key, terms in unique.items() if not _finders(key, unique)]


def _shortest(terms: Terms) -> Terms:
    """Without the words that stand in one of the phrases beside them."""
    return tuple(term for term in dict.fromkeys(terms) if term not in _words(terms))


def _words(terms: Iterable[str]) -> frozenset[str]:
    return frozenset(word for term in terms if " " in term for word in term.split())


def _unsayable(rule: Rule) -> Iterator[str]:
    yield from stems.unsayable(rule, STEM_ENDINGS[1:])
    for link in rule.links:
        yield (
            f"hosts below {link}"
            if _link(link).startswith("domain:")
            else f"{link} as the beginning of a longer address"
        )
