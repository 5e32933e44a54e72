"""The removal funnel as tables of text: a row for each figure, a cell for each stretch of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.analyse.funnel import STAGES, Counts, Step
from monitor.records import Estimate


@dataclass(frozen=True, slots=True)
class Part:
    """A table. Each row is a name and a cell for each stretch."""

    title: str
    rows: tuple[tuple[str, ...], ...]


def parts(counts: Sequence[Counts], departed: Sequence[Mapping[str, int]]) -> tuple[Part, ...]:
    """Stages, how authors came to them, and deletions; ``departed`` are deleted posts by label, for each stretch."""
    return (
        Part(
            "Authors by the most advanced stage they newly reached (95 % interval), and by labels alone",
            _stages(counts),
        ),
        Part("How they came there: authors, and the median days since the stage before", _steps(counts)),
        Part("Who deleted a collected post afterwards", _deleted(counts)),
        Part("Posts deleted in this time, by what they had said", _departed(departed)),
    )


def authors(one: Estimate) -> str:
    """In words: 56 authors (49 to 61)."""
    return f"{one.effect:,.0f} {'author' if round(one.effect) == 1 else 'authors'} ({one.low:,.0f} to {one.high:,.0f})"


def interval(one: Estimate) -> str:
    """In words: 56 (49 to 61)."""
    return f"{one.effect:,.0f} ({one.low:,.0f} to {one.high:,.0f})"


def _cell(one: Estimate) -> str:
    return f"{one.effect:,.0f} ({one.low:,.0f}–{one.high:,.0f})"


def _stages(counts: Sequence[Counts]) -> tuple[tuple[str, ...], ...]:
    rows = [
        (stage, *(f"{_cell(one.stages[n])}, labels {one.labelled[n]:,}" for one in counts))
        for n, stage in enumerate(STAGES)
    ]
    total = (f"{_cell(one.authors)}, labels {sum(one.labelled):,}" for one in counts)
    return (*rows, ("any of these", *total))


def _steps(counts: Sequence[Counts]) -> tuple[tuple[str, ...], ...]:
    """Those that at least one draw in forty holds, in some stretch."""
    by_step = zip(*(one.steps for one in counts), strict=True)
    return tuple(
        (f"{each[0].origin or 'no sign before'} → {each[0].stage}", *map(_step, each))
        for each in by_step
        if any(step.authors.high >= 1 for step in each)
    )


def _step(step: Step) -> str:
    if step.days is None:
        return _cell(step.authors)
    days = step.days
    return f"{_cell(step.authors)}, {days.effect:.1f} d ({days.low:.1f}–{days.high:.1f})"


def _deleted(counts: Sequence[Counts]) -> tuple[tuple[str, ...], ...]:
    rows = [
        (stage, *(f"{_cell(one.deleted[n])} of {one.stages[n].effect:,.0f}" for one in counts))
        for n, stage in enumerate(STAGES)
    ]
    others = (f"{_cell(one.others_deleted)} of {one.others.effect:,.0f}" for one in counts)
    return (*rows, ("never spoke of leaving", *others))


def _departed(departed: Sequence[Mapping[str, int]]) -> tuple[tuple[str, ...], ...]:
    names = [name for name in (*STAGES, "none", "not scored") if any(name in one for one in departed)]
    rows = tuple((name, *(f"{one.get(name, 0):,}" for one in departed)) for name in names)
    return rows or (("none known", *("0" for _ in departed)),)
