"""X's query language as its documentation tells it: what a query is, and which posts it finds.

Written from docs.x.com (build a query, operators) and from nothing in monitor/.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import regex

_LEXEME = regex.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-)|(?P<url>url:(?:"[^"]+"|\w+))|(?P<lang>lang:[a-z-]{2,7}(?![\w-]))
    |(?P<repost>is:retweet)|"(?P<phrase>[^"\\]+)"|\#(?P<hashtag>\w+)|(?P<word>[^\s()":#*-]+))""",
    regex.VERBOSE,
)
_TOKEN = regex.compile(r"[\w--_]+|\p{So}", regex.VERSION1)
_HASHTAG = regex.compile(r"(?<![\w&/])#(\w*\p{L}\w*)")


@dataclass(frozen=True)
class XPost:
    text: str
    lang: str | None = None
    links: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    is_repost: bool = False


@dataclass(frozen=True)
class Node:
    """``is_standalone``: may stand for itself, since it asks for something to be there that few posts have."""

    is_standalone: bool
    holds: Callable[[XPost], bool]


def finds(query: str, post: XPost) -> bool:
    return parse(query).holds(post)


def parse(query: str) -> Node:
    """Raises ValueError: X would refuse the query."""
    reader = _Reader(_lexemes(query))
    node = reader.alternatives()
    if reader.kind is not None:
        raise ValueError(f"unexpected {reader.kind} in {query}")
    if not node.is_standalone:
        raise ValueError(f"no standalone operator in {query}")
    return node


def _lexemes(query: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while query[at:].strip():
        match = _LEXEME.match(query, at)
        if match is None:
            raise ValueError(f"cannot read {query[at:]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Reader:
    def __init__(self, lexemes: list[tuple[str, str]]) -> None:
        self._lexemes = lexemes
        self._at = 0

    @property
    def kind(self) -> str | None:
        if self._at == len(self._lexemes):
            return None
        kind, text = self._lexemes[self._at]
        return "or" if (kind, text) == ("word", "OR") else kind

    def alternatives(self) -> Node:
        nodes = [self._all()]
        while self.kind == "or":
            self._at += 1
            nodes.append(self._all())
        return Node(all(n.is_standalone for n in nodes), lambda post: any(n.holds(post) for n in nodes))

    def _all(self) -> Node:
        nodes = []
        while self.kind not in (None, "or", "close"):
            nodes.append(self._one())
        if not nodes:
            raise ValueError("nothing between two operators")
        return Node(any(n.is_standalone for n in nodes), lambda post: all(n.holds(post) for n in nodes))

    def _one(self) -> Node:
        kind, text = self._lexemes[self._at]
        self._at += 1
        if kind == "minus":
            if self.kind in (None, "minus", "open", "or", "close"):
                raise ValueError("only one operator can be negated")
            negated = self._one()
            return Node(False, lambda post: not negated.holds(post))
        if kind == "open":
            inner = self.alternatives()
            if self.kind != "close":
                raise ValueError("a parenthesis stays open")
            self._at += 1
            return inner
        return _operator(kind, text)


def _operator(kind: str, text: str) -> Node:
    if kind == "repost":
        return Node(False, lambda post: post.is_repost)
    if kind == "lang":
        return Node(False, lambda post: f"lang:{post.lang}" == text)
    if kind == "hashtag":
        return Node(True, lambda post: text.lower() in _hashtags(post))
    wanted = _tokens(text.removeprefix("url:"))
    if not wanted:
        raise ValueError(f"{text!r} has no token")
    if kind == "url":
        return Node(True, lambda post: any(_stands_in(wanted, _tokens(link)) for link in post.links))
    if kind == "phrase":
        return Node(True, lambda post: _stands_in(wanted, _tokens(post.text)))
    if kind == "word" and [text.lower()] == wanted and text.lower() not in ("and", "or", "not"):
        return Node(True, lambda post: wanted[0] in _tokens(post.text))
    raise ValueError(f"{text!r} must stand in quotes")


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _hashtags(post: XPost) -> list[str]:
    return [tag.lower().lstrip("#") for tag in (*post.hashtags, *_HASHTAG.findall(post.text))]


def _stands_in(wanted: list[str], tokens: list[str]) -> bool:
    return any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens)))
