"""Topic rules -> the ids of the rules that a post matches. Pure: the same post always gives the same ids.

Texts and rules are compared in one folded form, so that case, full-width letters, zero-width characters and
typographic quotes do not matter. What a phrase, near group, hashtag or link means stands in ``patterns``.

Nearly every post of a network matches nothing, so all rules together are first asked for their anchors, words of
which one stands in every text they hold for. Only a text with an anchor, and every text for a regular expression,
goes through the precise checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.collect.folded import Folded, contains
from monitor.collect.patterns import (
    Condition,
    HashtagCondition,
    LinkCondition,
    NearCondition,
    PhraseCondition,
    RegexCondition,
)
from monitor.config import Rule, Topic
from monitor.records import Post

_NO_LANGUAGE = ("und", "zxx", "qam", "qct", "qht", "qme", "qst")  # what platforms put where they cannot tell


class Matcher:
    """The rules of all topics, compiled once.

    Args:
        topics: rule ids come back as "topic/rule", in the order of the configuration.
    """

    def __init__(self, topics: Iterable[Topic]) -> None:
        self.topics = tuple(topics)
        self._rules = tuple(_compile(topic, rule) for topic in self.topics for rule in topic.rules)
        self._unanchored = tuple(rule for rule in self._rules if not all(c.anchors for c in rule.conditions))
        self._anchors = tuple({anchor for rule in self._rules for c in rule.conditions for anchor in c.anchors})

    def match_post(self, post: Post) -> tuple[str, ...]:
        """Ids of the rules that the post matches; a repost has no text of its own and matches none."""
        return () if post.kind == "repost" else self.match(post.text, post.lang, post.links, post.hashtags)

    def match(
        self, text: str, lang: str | None = None, links: Sequence[str] = (), hashtags: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Ids of the rules that the text matches.

        Args:
            text: as the author wrote it.
            lang: what the post says it is in; a topic's ``languages`` restrict only where it says something.
            links, hashtags: those that stand beside the text; its own are found here.
        """
        whole = "\n".join((text, *links, *hashtags)) if links or hashtags else text
        rules = self._rules if contains(whole, self._anchors) else self._unanchored
        if not rules:
            return ()
        folded = Folded(text, links, hashtags)
        return tuple(rule.id for rule in rules if rule.speaks(lang) and rule.matches(folded))


@dataclass(frozen=True, slots=True)
class _Compiled:
    id: str
    languages: frozenset[str]
    conditions: tuple[Condition, ...]
    exclusion: PhraseCondition | None

    def speaks(self, lang: str | None) -> bool:
        return not self.languages or not lang or primary_language(lang) in (*_NO_LANGUAGE, *self.languages)

    def matches(self, post: Folded) -> bool:
        if self.exclusion is not None and self.exclusion.holds(post):
            return False
        return any(condition.holds(post) for condition in self.conditions)


def _compile(topic: Topic, rule: Rule) -> _Compiled:
    conditions: list[Condition] = [NearCondition(near.a, near.b, near.within) for near in rule.near]
    conditions += [RegexCondition(pattern) for pattern in rule.regex]
    if rule.phrases:
        conditions.append(PhraseCondition(rule.phrases))
    if rule.hashtags:
        conditions.append(HashtagCondition(rule.hashtags))
    if rule.links:
        conditions.append(LinkCondition(rule.links))
    return _Compiled(
        id=f"{topic.name}/{rule.id}",
        languages=frozenset(primary_language(language) for language in topic.languages),
        conditions=tuple(conditions),
        exclusion=PhraseCondition(rule.exclude) if rule.exclude else None,
    )


def primary_language(lang: str) -> str:
    """The language without its country or script."""
    return lang.replace("_", "-").split("-")[0].lower()
