"""What every search that knows whole words only leaves unsaid: regular expressions, and stems (``train*``) but for some
endings that are asked for one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.config import Rule

VERB_ENDINGS = ("e", "es", "ed", "er", "ing", "ion")


def terms(rule: Rule) -> tuple[str, ...]:
    """The phrases of the rule and of its near groups, each once."""
    return tuple(dict.fromkeys((*rule.phrases, *(term for near in rule.near for term in (*near.a, *near.b)))))


def unsayable(rule: Rule, endings: Sequence[str]) -> Iterator[str]:
    """In words, what no search for whole words says of the rule.

    Args:
        endings: those that are asked for, without the empty one.
    """
    for pattern in rule.regex:
        yield f"the regular expression {pattern!r}"
    if stems := [term for term in terms(rule) if "*" in term]:
        yield f"{', '.join(stems)} with endings other than {', '.join(endings)}"
