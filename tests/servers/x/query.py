"""X's query language, as far as a monitor needs it.

A space means AND and binds more tightly than OR; groups stand in parentheses and cannot be negated. Search and stream
differ as documented: a term with an accent also finds the word without it in search, only itself in the stream; the
stream also matches what the quoted post says.
https://developer.x.com/en/docs/twitter-api/tweets/search/integrate/build-a-query
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tests.servers.x.posts import XPost

Where = Literal["search", "stream"]

_TOKEN = re.compile(r'\s*(?:(\()|(\))|(-)?((?:[\w.]+:)?"[^"]*"|[^\s()"]+))')
_CJK_AND_THAI = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each character is a word
_WORD = re.compile(rf"[{_CJK_AND_THAI}]|[^\W{_CJK_AND_THAI}]+")
_KEYWORD = re.compile(r"[#@]?[\w'’_]+")
_KINDS = {"retweet": "retweeted", "repost": "retweeted", "reply": "replied_to", "quote": "quoted"}
_ALONE = {"word", "phrase", "#", "@", "from", "url", "conversation_id", "retweets_of", "in_reply_to_tweet_id"}
_NEEDS_COMPANY = {"lang", "is", "has"}
_HAS = {"links", "hashtags", "mentions"}


class BadQuery(ValueError):
    """X answers 400, with this message."""


@dataclass(frozen=True, slots=True)
class Term:
    """One operator and its value in lower case."""

    name: str
    value: str
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """All or any of the parts."""

    joins: Literal["and", "or"]
    parts: tuple[Node | Term, ...]


@lru_cache(maxsize=4096)
def parse(text: str) -> Node | Term:
    """The tree of a query.

    Raises:
        BadQuery: X would refuse it.
    """
    tokens = _tokens(text)
    tree = _any(tokens)
    if tokens:
        raise BadQuery("no viable alternative at character ')'")
    if not _stands_alone(tree):
        raise BadQuery("Rules must contain a non-negated, stand-alone operator in each alternative")
    return tree


def matches(tree: Node | Term, post: XPost, look_up: Callable[[str], XPost | None], where: Where) -> bool:
    """Does the query find the post? ``look_up`` gives the posts it refers to."""
    quoted_id = post.refers_to("quoted")
    quoted = look_up(quoted_id) if where == "stream" and quoted_id else None
    return _holds(tree, [post, quoted] if quoted else [post], where)


def reads_text(tree: Node | Term) -> bool:
    """Does it search for words? X finds no reposts then."""
    if isinstance(tree, Term):
        return tree.name in ("word", "phrase", "#") and not tree.is_negated
    return any(map(reads_text, tree.parts))


def _tokens(text: str) -> list[re.Match[str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadQuery(f"no viable alternative at character '{text[at:].strip()[0]}'")
        found.append(match)
        at = match.end()
    return found


def _any(tokens: list[re.Match[str]]) -> Node | Term:
    parts = [_all(tokens)]
    while tokens and tokens[0][4] == "OR" and not tokens[0][3]:
        tokens.pop(0)
        parts.append(_all(tokens))
    return parts[0] if len(parts) == 1 else Node("or", tuple(parts))


def _all(tokens: list[re.Match[str]]) -> Node | Term:
    parts: list[Node | Term] = []
    while tokens and not tokens[0][2] and tokens[0][4] != "OR":
        parts.append(_one(tokens))
    if not parts:
        raise BadQuery("missing a clause beside OR, in a group, or in an empty query")
    return parts[0] if len(parts) == 1 else Node("and", tuple(parts))


def _one(tokens: list[re.Match[str]]) -> Node | Term:
    token = tokens.pop(0)
    if not token[1]:
        return _term(token[4], bool(token[3]))
    group = _any(tokens)
    if not tokens or not tokens.pop(0)[2]:
        raise BadQuery("missing ')'")
    return group


def _term(text: str, is_negated: bool) -> Term:
    if text == "-" or (text == "AND" or text.lower() in ("or", "and")):
        raise BadQuery(f"Ambiguous use of {text}: quote it, or join by a space or OR")
    name, colon, value = text.partition(":")
    if text.startswith('"'):
        name, value = "phrase", text
    elif not colon:
        return _plain(text, is_negated)
    if name not in _ALONE | _NEEDS_COMPANY or not value.strip('"'):
        raise BadQuery(f"Reference to invalid operator '{name}' or an empty value")
    known = {"is": _KINDS.keys(), "has": _HAS}.get(name)
    if known is not None and value not in known:
        raise BadQuery(f"'{value}' is not a valid value for '{name}'")
    return Term(name, value.strip('"').lower(), is_negated)


def _plain(text: str, is_negated: bool) -> Term:
    if not _KEYWORD.fullmatch(text):
        raise BadQuery(f"no viable alternative at '{text}': quote what holds punctuation")
    name = text[0] if text[0] in "#@" else "word"
    return Term(name, text.lstrip("#@").lower(), is_negated)


def _stands_alone(tree: Node | Term) -> bool:
    if isinstance(tree, Term):
        return tree.name in _ALONE and not tree.is_negated
    return (any if tree.joins == "and" else all)(map(_stands_alone, tree.parts))


def _holds(tree: Node | Term, posts: list[XPost], where: Where) -> bool:
    if isinstance(tree, Term):
        return any(_says(tree, post, where) for post in posts) is not tree.is_negated
    return (all if tree.joins == "and" else any)(_holds(part, posts, where) for part in tree.parts)


def _says(term: Term, post: XPost, where: Where) -> bool:
    if term.name in ("word", "phrase"):
        return _in_words(term.value, post.text, where)
    if term.name == "#":
        return any(_is_same(term.value, tag.lower(), where) for tag in post.hashtags())
    if term.name == "url":
        return any(_runs_in(_words(term.value), _words(link)) for link in post.links)
    if term.name == "is":
        return post.refers_to(_KINDS.get(term.value, "")) is not None
    if term.name == "has":
        return bool({"links": post.links, "hashtags": post.hashtags(), "mentions": post.mentions()}.get(term.value))
    return term.value in _values(term.name, post)


def _values(name: str, post: XPost) -> list[str]:
    """What the operator compares with, in lower case."""
    values: dict[str, list[str | None]] = {
        "from": [post.author.username, post.author.id],
        "@": [*post.mentions()],
        "lang": [post.lang],
        "conversation_id": [post.conversation_id],
        "in_reply_to_tweet_id": [post.refers_to("replied_to")],
        "retweets_of": [post.text[4:].partition(":")[0]] if post.refers_to("retweeted") else [],
    }
    return [value.lower() for value in values[name] if value is not None]


def _in_words(value: str, text: str, where: Where) -> bool:
    wanted, words = _words(value), _words(text)
    if where == "search" and _folded(value) != value:
        return _runs_in(wanted, words) or _runs_in(_words(_folded(value)), words)
    return _runs_in(wanted, words)


def _is_same(value: str, tag: str, where: Where) -> bool:
    return tag == value or (where == "search" and tag == _folded(value))


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(unicodedata.normalize("NFC", text.lower())))


def _runs_in(wanted: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Do the wanted words stand in a row there?"""
    first = [i for i, word in enumerate(words) if wanted and word == wanted[0]]
    return any(words[i : i + len(wanted)] == wanted for i in first)


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
