"""Counts across a change of rules: the posts that the rules of all times would have found.

What only the older rules matched was not collected after the change, and what only the newer ones match was not before
it. So the one series that compares is that of the posts which every version of the window matches; where one version
lies inside all others, that is the series by its rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from monitor.collect.versions import Shared, common, includes
from monitor.config import IMPORT_RULE, THREAD_RULE
from monitor.errors import MonitorError
from monitor.records import RuleVersion, Window
from monitor.store import views
from monitor.store.views import Reader, Scope


class CannotRebase(MonitorError):
    """The rules that were asked for cannot be applied to all posts of the window."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The versions that found the posts of a window.

    ``boundaries`` are those that began within it. ``by`` has, for each topic that had several, the versions which a
    post must match to count in the rebased series; it is empty where nothing changed. ``unknown`` counts posts that
    were found before versions were kept.
    """

    boundaries: tuple[RuleVersion, ...] = ()
    by: Mapping[str, tuple[RuleVersion, ...]] | None = None
    unknown: int = 0

    @property
    def words(self) -> str:
        """By which rules a rebased series counts."""
        told = [_words(topic, versions) for topic, versions in (self.by or {}).items()]
        if told and self.unknown:
            told.append(f"{self.unknown:,} posts were found before versions were kept: by which rules is not known.")
        return " ".join(told)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Keys of the posts that do not count; ``undecided`` are among them: the post that they answer is gone."""

    keys: frozenset[int] = frozenset()
    undecided: int = 0


def rules_of(store: Reader, scope: Scope, window: Window, number: int | None = None) -> Rules:
    """The versions of a window and how its posts can be counted by the same rules throughout.

    Args:
        number: count by this version instead of by what all have in common.

    Raises:
        CannotRebase: another version of the window does not surely find all that version ``number`` finds.
    """
    known, found = views.rule_versions(store), views.found_by(store, window)
    topics = dict.fromkeys(v.topic for v in known if not scope.topics or v.topic in scope.topics)
    by = {}
    for topic in topics:
        own = [version for version in known if version.topic == topic]
        used = _used(own, window, found)
        if len({version.rules for version in used}) > 1:
            by[topic] = common(used) if number is None else (_asked(own, used, number),)
    return Rules(boundaries(store, scope, window), by, found.get(None, 0) if by else 0)


def boundaries(store: Reader, scope: Scope, window: Window) -> tuple[RuleVersion, ...]:
    """The versions that took the place of others within a window, in the order of time."""
    known = (v for v in views.rule_versions(store) if not scope.topics or v.topic in scope.topics)
    new = (v for v in known if v.number > 1 and window.start <= v.since < window.end)
    return tuple(sorted(new, key=lambda v: v.since))


def left_out(store: Reader, scope: Scope, window: Window, rules: Rules) -> LeftOut:
    """The posts of a window that its rebased series leaves out.

    A post belongs where all versions match it, where it was imported whole, and where what it answers or quotes does.
    """
    if not rules.by:
        return LeftOut()
    posts = views.threads(store, list(rules.by), window).to_pylist()
    for post in posts:
        post["topics"] = {rule.split("/")[0] for rule in post["matched"]}
    kept = {topic: _kept(posts, topic, Shared(versions)) for topic, versions in rules.by.items()}
    known = {post["key"] for post in posts}
    out = [post for post in posts if not _belongs(post, kept, scope)]
    undecided = sum(post["is_within"] and not known.issuperset(post["parents"]) for post in out if _hangs(post))
    return LeftOut(frozenset(post["key"] for post in out), undecided)


def _used(own: Sequence[RuleVersion], window: Window, found: Mapping[str | None, int]) -> list[RuleVersion]:
    """The versions that held in a window, and those by which a later search found posts of it."""
    begun = [version for version in own if version.number == 1 or version.since < window.end]
    ends = {old.name: new.since for old, new in pairwise(own)}
    held = {version.name for version in begun if version.name not in ends or ends[version.name] > window.start}
    return [version for version in own if version.name in held or version.name in found]


def _asked(own: Sequence[RuleVersion], used: Sequence[RuleVersion], number: int) -> RuleVersion:
    version = next((v for v in own if v.number == number), None)
    if version is None:
        raise CannotRebase(f"{own[0].topic} has no version {number} of its rules", f"It has 1 to {own[-1].number}.")
    narrow = [other for other in used if not includes(other, version)]
    if narrow:
        raise CannotRebase(
            f"Version {number} cannot be applied to the whole window: version {narrow[0].number}, which held for a "
            f"part of it, may have left out posts that version {number} finds",
            "Count by what all versions find instead: leave the number out.",
        )
    return version


def _kept(posts: Iterable[Mapping[str, Any]], topic: str, shared: Shared) -> set[int]:
    own = [post for post in posts if topic in post["topics"]]
    answers: dict[int, list[int]] = {}
    for post in own:
        for parent in post["parents"]:
            answers.setdefault(parent, []).append(post["key"])
    reached = [post["key"] for post in own if f"{topic}/{IMPORT_RULE}" in post["matched"] or _matches(post, shared)]
    kept = set(reached)
    while reached:
        new = [key for key in answers.get(reached.pop(), ()) if key not in kept]
        kept.update(new)
        reached += new
    return kept


def _matches(post: Mapping[str, Any], shared: Shared) -> bool:
    is_repost = post["kind"] == "repost"  # has no text of its own
    return not is_repost and shared.match(post["platform"], post["text"], post["lang"], post["raw"])


def _hangs(post: Mapping[str, Any]) -> bool:
    return post["kind"] != "repost" and all(rule.endswith(f"/{THREAD_RULE}") for rule in post["matched"])


def _belongs(post: Mapping[str, Any], kept: Mapping[str, set[int]], scope: Scope) -> bool:
    """In one of the topics that are asked for: where its rules did not change, as it stands."""
    topics = post["topics"].intersection(scope.topics) if scope.topics else post["topics"]
    return any(topic not in kept or post["key"] in kept[topic] for topic in topics)


def _words(topic: str, versions: Sequence[RuleVersion]) -> str:
    if len(versions) == 1:
        return f"Counted by version {versions[0].number} of the rules of {topic}: all others find what it finds."
    numbers = " and ".join(str(version.number) for version in versions)
    return f"Counted are posts on {topic} that versions {numbers} of its rules all find: each may find more."
