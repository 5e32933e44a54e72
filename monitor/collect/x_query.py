"""A topic's rules as queries of X's search and as rules of its filtered stream.

As many alternatives as fit are joined into one string. None asks for less than its rule means, but for what is told
in ``unsayable``; what they find beyond it, the matcher drops.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.collect.match import primary_language
from monitor.collect.x_terms import Group, any_of, groups, unsayable, written
from monitor.config import Topic
from monitor.errors import ConfigError

RECENT_LIMIT = 512  # characters of a query
ARCHIVE_LIMIT = 1024
STREAM_LIMIT = 1024  # characters of a stream rule
MOST_RULES = 1000
TAG_PREFIX = "backlash-monitor/"  # stream rules with another tag are somebody else's

DISGUISES = (
    "words in disguise, where X does not see through it: full-width or look-alike letters, invisible characters, "
    "ss for ß, words glued to Chinese, Japanese, Thai or Korean ones (SoundCloudの規約), hashtags glued to a word"
)
# Most of X is written in these. Whoever watches other languages does not pay for them; "lang:de" instead of "-lang:en"
# would lose the posts in which X knows no language, which the matcher keeps.
_COMMON_LANGUAGES = ("en", "ja", "es", "pt", "ar", "ko", "tr", "fr")


@dataclass(frozen=True, slots=True)
class XQueries:
    """``strings`` together find all that can be said; ``unsayable`` tells in words what cannot."""

    strings: tuple[str, ...]
    unsayable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamRule:
    value: str
    tag: str


@dataclass(frozen=True, slots=True)
class PresentRule:
    """A rule as X has it; ``tag`` is empty where it has none."""

    id: str
    value: str
    tag: str


@dataclass(frozen=True, slots=True)
class StreamRules:
    rules: tuple[StreamRule, ...]
    unsayable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Rules to add and ids of rules to delete; these first, since X takes no second rule of the same value."""

    add: tuple[StreamRule, ...]
    delete: tuple[str, ...]


def compile_queries(topic: Topic, limit: int) -> XQueries:
    """The queries that find what the topic's rules mean.

    Args:
        limit: characters of a query, ``RECENT_LIMIT`` or ``ARCHIVE_LIMIT``.
    """
    frame = _frame(topic)
    room = limit - len(frame) - len("()")
    pieces: dict[str, bool] = {}  # is it a single term?
    unsaid = []
    for rule in topic.rules:
        parts = [part for group in groups(rule) for part in _split(group, room)]
        pieces |= {written(part): len(part) == 1 for part in parts if _length(written(part)) <= room}
        too_long = [f"{written(p)}, longer than {limit} characters" for p in parts if _length(written(p)) > room]
        unsaid += [f"{what} (rule '{topic.name}/{rule.id}')" for what in (*unsayable(rule), *too_long)]
    by_size = sorted(pieces, key=lambda piece: pieces[piece])  # single terms last: they fit into what is left
    strings = tuple(any_of(tuple(query)) + frame for query in _packed(by_size, room))
    return XQueries(strings, (*unsaid, DISGUISES) if strings else tuple(unsaid))


def compile_stream(topics: Iterable[Topic]) -> StreamRules:
    """The stream rules of all topics, tagged with the topic; what two topics ask for alike has the tag of the first.

    Raises:
        ConfigError: they are more than X takes.
    """
    rules: dict[str, StreamRule] = {}
    unsaid: list[str] = []
    for topic in topics:
        queries = compile_queries(topic, STREAM_LIMIT)
        unsaid += queries.unsayable
        for value in queries.strings:
            rules.setdefault(value, StreamRule(value, TAG_PREFIX + topic.name))
    if len(rules) > MOST_RULES:
        raise ConfigError(
            f"The topics need {len(rules):,} rules of X's stream, which takes {MOST_RULES:,}",
            "Watch fewer topics on X, or give near groups fewer and shorter terms.",
        )
    return StreamRules(tuple(rules.values()), tuple(dict.fromkeys(unsaid)))


def reconcile(wanted: Iterable[StreamRule], present: Iterable[PresentRule]) -> Changes:
    """What turns the present rules into the wanted ones, whose values differ; rules of others are left alone.

    Where somebody else has a rule of the same value, X would refuse ours and delivers the posts anyway.
    """
    missing = {rule.value: rule for rule in wanted}
    delete = []
    for rule in present:
        if not rule.tag.startswith(TAG_PREFIX) or missing.get(rule.value) == StreamRule(rule.value, rule.tag):
            missing.pop(rule.value, None)
        else:
            delete.append(rule.id)
    return Changes(tuple(missing.values()), tuple(delete))


def _frame(topic: Topic) -> str:
    """What every query of the topic ends with: reposts have no text of their own."""
    spoken = {primary_language(language) for language in topic.languages}
    others = [language for language in _COMMON_LANGUAGES if spoken and language not in spoken]
    return " -is:retweet" + "".join(f" -lang:{language}" for language in others)


def _split(group: Group, room: int) -> Iterator[Group]:
    """Groups that together find what this one finds, each short enough or of one atom a side."""
    waiting = [group]
    while waiting:
        group = waiting.pop()
        at = max(range(len(group)), key=lambda i: (len(group[i]) > 1, _length(any_of(group[i]))))
        side = group[at]
        if len(side) == 1 or _length(written(group)) <= room:
            yield group
            continue
        first = bisect_right(range(1, len(side)), room, key=lambda n: _length(written(_with(group, at, side[:n]))))
        first = first or len(side) // 2
        waiting += [_with(group, at, side[first:]), _with(group, at, side[:first])]


def _with(group: Group, at: int, side: tuple[str, ...]) -> Group:
    return (*group[:at], side, *group[at + 1 :])


def _packed(pieces: Iterable[str], room: int) -> list[list[str]]:
    """Each piece goes into the first query that has room for it."""
    queries: list[list[str]] = []
    free: list[int] = []
    for piece in pieces:
        need = _length(piece) + len(" OR ")
        at = next((i for i, left in enumerate(free) if need <= left), len(free))
        if at == len(free):
            queries.append([])
            free.append(room + len(" OR "))
        queries[at].append(piece)
        free[at] -= need
    return queries


def _length(text: str) -> int:
    """Characters as X may count them: in UTF-16, in which an emoji is two."""
    return len(text.encode("utf-16-le")) // 2
