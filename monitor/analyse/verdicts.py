"""Effects as plain sentences; a check that failed stands in them, and takes the cause back."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.analyse.event_study import Effect
from monitor.records import Diagnostic, Estimate


def volume_sentence(unit: str, found: Effect, title: str, days: float, made: Sequence[Diagnostic]) -> str:
    """How many came and how many would have without the event."""
    one = found.estimate
    times = f"{_ratio(one.effect)} ({_ratio(one.low)} to {_ratio(one.high)}) times as many as without it"
    added = f"{_count(found.added[0])} ({_count(found.added[1])} to {_count(found.added[2])})"
    told = f"In the {_span(days)} after “{title}” {one.n:,} {unit} came, {times}: {added}"
    if one.low <= 1 <= one.high:
        return f"{told}. No clear change.{_but(made, is_clear=False)}"
    return f"{told}. {'More' if one.effect > 1 else 'Fewer'} than by itself.{_but(made)}"


def share_sentence(name: str, one: Estimate, title: str, made: Sequence[Diagnostic]) -> str:
    """The share in the window and the one expected."""
    points = f"{100 * one.effect:+.0f} ({100 * one.low:+.0f} to {100 * one.high:+.0f}) points"
    told = f"After “{title}”, {name}: {one.text}; {points}"
    if one.low <= 0 <= one.high:
        return f"{told}. No clear change.{_but(made, is_clear=False)}"
    return f"{told}.{_but(made)}"


def _but(made: Sequence[Diagnostic], *, is_clear: bool = True) -> str:
    failed = [check.text for check in made if check.passed is False]
    unknown = [check.text for check in made if check.passed is None]
    if failed:
        end = "This cannot be put down to the event alone: " if is_clear else "Besides, "
        return f" {end}{'; '.join(failed)}."
    if unknown and is_clear:
        return f" How far it would have swung by itself is not known: {unknown[0]}."
    return ""


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 1 else f"{ratio:,.1f}"


def _count(posts: float) -> str:
    return f"{abs(posts):,.0f} {'more' if posts >= 0 else 'fewer'}"


def _span(days: float) -> str:
    return "day" if days == 1 else f"{days:g} days"
