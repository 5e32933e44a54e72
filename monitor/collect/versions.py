"""Versions of a topic's rules: when they differ, which find all that others find, and what a stored post matches.

Two texts of a configuration are the same version where they find the same posts for sure: the order of rules and of
what stands in them, ids of rules, case, names and aliases make no version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from monitor.collect import archive_x, json_text
from monitor.collect.bluesky_record import beside_text
from monitor.collect.folded import fold
from monitor.collect.match import Matcher, primary_language
from monitor.config import Near, Rule, Topic
from monitor.records import RuleVersion
from monitor.store import Store
from monitor.store.views import rule_versions

_FOLDED = ("phrases", "hashtags", "links", "exclude")
_WORDS = {"phrases": "phrase", "hashtags": "hashtag", "links": "link", "regex": "regex", "near": "near"}


def canonical(topic: Topic) -> str:
    """The rules of a topic as JSON that is the same for rules that find the same posts for sure."""
    rules = sorted({json.dumps(_plain(rule), ensure_ascii=False) for rule in topic.rules})
    languages = sorted({primary_language(language) for language in topic.languages})
    return json.dumps({"languages": languages, "rules": [json.loads(rule) for rule in rules]}, ensure_ascii=False)


def topic_of(version: RuleVersion, name: str = "") -> Topic:
    """A topic with the rules of a version."""
    written = json.loads(version.rules)
    rules = [Rule(id=f"rule-{number}", **rule) for number, rule in enumerate(written["rules"], start=1)]
    return Topic(name=name or version.topic, platform=version.topic, languages=written["languages"], rules=tuple(rules))


def note(store: Store, topics: Sequence[Topic]) -> dict[str, str]:
    """Keep the topics' rules as new versions where they changed; the version that each topic now collects by."""
    rules = {topic.name: canonical(topic) for topic in topics}
    newest = {version.topic: version.rules for version in rule_versions(store)}
    if any(newest.get(topic) != text for topic, text in rules.items()):
        store.commit_rules(rules)
    return {v.topic: v.name for v in rule_versions(store) if rules.get(v.topic) == v.rules}


def includes(wide: RuleVersion, narrow: RuleVersion) -> bool:
    """Whether ``wide`` surely finds every post that ``narrow`` finds, as told from how both are written."""
    one, other = topic_of(wide), topic_of(narrow)
    speaks = not one.languages or (other.languages and set(other.languages) <= set(one.languages))
    return bool(speaks) and all(any(_covers(big, small) for big in _ways(one)) for small in _ways(other))


def common(versions: Iterable[RuleVersion]) -> tuple[RuleVersion, ...]:
    """The fewest versions that a post must match to match them all: one where it lies inside all the others."""
    kept: list[RuleVersion] = []
    for version in versions:
        if not any(includes(version, other) for other in kept):
            kept = [*(other for other in kept if not includes(other, version)), version]
    return tuple(kept)


def difference(old: RuleVersion, new: RuleVersion) -> tuple[str, ...]:
    """What a version added and took away, one short line each."""
    was, now = _told(topic_of(old)), _told(topic_of(new))
    return (*(f"+ {told}" for told in now if told not in was), *(f"- {told}" for told in was if told not in now))


class Shared:
    """The posts that several versions all match, told from what is stored of them."""

    def __init__(self, versions: Sequence[RuleVersion]) -> None:
        self._names = {f"v{number}" for number in range(len(versions))}
        topics = (topic_of(version, f"v{number}") for number, version in enumerate(versions))
        self._matcher = Matcher(topics)

    def match(self, platform: str, text: str, lang: str | None, raw: str | None) -> bool:
        """Whether all of them match a stored post, with links and hashtags that its payload has beside the text."""
        found = self._matcher.match(text, lang, *_beside(platform, raw))
        return {rule.split("/")[0] for rule in found} == self._names


def _beside(platform: str, raw: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        payload = json_text.parse(raw.encode("utf-8", "replace")) if raw else None
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        return (), ()
    if platform == "x":
        return archive_x.entities(payload)
    record = payload.get("record", payload)  # an event and a view hold it, a plain record is it
    record = record if isinstance(record, dict) else {}
    embed = record.get("embed")
    return beside_text(record, embed if isinstance(embed, dict) else {})


def _plain(rule: Rule) -> dict[str, Any]:
    parts: dict[str, Any] = {name: _sorted(fold(text) or text for text in getattr(rule, name)) for name in _FOLDED}
    parts["regex"] = _sorted(rule.regex)
    parts["near"] = [json.loads(near) for near in _sorted(map(_plain_near, rule.near))]
    return {name: values for name, values in parts.items() if values}


def _plain_near(near: Near) -> str:
    """Either side may come first."""
    a, b = sorted(_sorted(fold(text) or text for text in side) for side in (near.a, near.b))
    return json.dumps({"a": a, "b": b, "within": near.within}, ensure_ascii=False)


def _sorted(texts: Iterable[str]) -> list[str]:
    return sorted(set(texts))


_Way = tuple[str, str | Near, frozenset[str]]


def _ways(topic: Topic) -> list[_Way]:
    """Every single way to match: the kind of condition, the condition, and what must not stand beside it."""
    return [
        (kind, value, frozenset(rule.exclude))
        for rule in topic.rules
        for kind in _WORDS
        for value in getattr(rule, kind)
    ]


def _covers(big: _Way, small: _Way) -> bool:
    if big[0] != small[0] or not big[2] <= small[2]:
        return False
    if isinstance(big[1], Near) and isinstance(small[1], Near):
        one, other = big[1], small[1]
        sides = ((set(other.a), set(other.b)), (set(other.b), set(other.a)))
        return one.within >= other.within and any(a <= set(one.a) and b <= set(one.b) for a, b in sides)
    return big[1] == small[1]


def _told(topic: Topic) -> list[str]:
    words = [f"{_WORDS[kind]} {_near(value)}" for kind, value, _ in _ways(topic)]
    words += [f"exclude {phrase}" for rule in topic.rules for phrase in rule.exclude]
    return list(dict.fromkeys([*words, *(f"language {language}" for language in topic.languages)]))


def _near(value: str | Near) -> str:
    if isinstance(value, str):
        return value
    return f"{'|'.join(value.a)} within {value.within} of {'|'.join(value.b)}"
