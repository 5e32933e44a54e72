"""The removal funnel of an event or of a stretch of time: the join of the store's posts with ``analyse.funnel``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from monitor.analyse import funnel as analysis
from monitor.analyse import funnel_checks as checks
from monitor.analyse.coverage import Coverage, collected
from monitor.analyse.funnel import STAGES, Counts, Talk
from monitor.analyse.funnel_words import Part, authors, interval, parts
from monitor.codebook import codebook
from monitor.completeness import of_windows
from monitor.config import Event
from monitor.records import Diagnostic, Estimate, Outcome, Window
from monitor.store import Store, scored, views
from monitor.store.stages import Told, departed, hidden, stages
from monitor.store.views import Head, Reader, Scope
from monitor.study import event_gaps, known_to, own_scope

_LOOK_BACK = timedelta(days=548)  # so far back it is read who had taken a step before
NOTES = (
    "Each author counts once, at the most advanced stage newly reached in that time; whoever had reached it before, by "
    "what was collected, is not new. The order is considering, committed, blocked, done: who was blocked has tried, "
    "and who is done after being blocked counts as done. A person with accounts on two platforms counts as two.",
    "Who came back cannot be told: the codebook has no label for it, and a later post that says nothing of leaving "
    "takes nothing back.",
    "Intervals (95 %) hold the classifier's doubt, as far as its scores are calibrated, not what nobody collected and "
    "not chance. No cause is claimed: monitor impact judges what an event changed.",
    "A deleted post takes what it said along: who told it in that post alone is not among the authors. Deleted posts "
    "are told beside them, as posts. Deletions by authors are those known today, so earlier times had longer for them.",
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of time of a funnel; ``name`` is "before", "after", or "" where there is one only.

    ``posts`` are relevant ones, ``searched`` those of them that were searched for or imported. ``collected`` is the
    share of the time outside all gaps, ``coverage`` that of each live stream. ``departed`` are posts that were deleted
    in this time, by what they had said.
    """

    name: str
    window: Window
    posts: int
    searched: int
    counts: Counts
    collected: float
    coverage: tuple[Coverage, ...]
    departed: dict[str, int]


@dataclass(frozen=True, slots=True)
class Funnel:
    """The first of ``outcomes`` is of all authors that took a step, with the checks; then one for each stage.

    Refused, it has that first outcome alone, without estimate, and no ``stretches``. ``hidden`` are authors who spoke
    of leaving and whose accounts do not show, by the account's status: they are in no other number.
    """

    event: Event | None
    days: float
    stretches: tuple[Stretch, ...]
    outcomes: tuple[Outcome, ...]
    hidden: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """All that is read of the store, so that the file is free while the numbers are made; lists are by window."""

    head: Head
    told: Told
    waiting: int
    coverage: list[tuple[Coverage, ...]]
    collected: list[float]
    departed: list[dict[str, int]]
    hidden: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Asked:
    event: Event | None
    days: float
    windows: tuple[tuple[str, Window], ...]

    @property
    def whole(self) -> Window:
        return Window(self.windows[0][1].start, self.windows[-1][1].end)


def of_event(store: Store, event: Event, days: float = 3, scope: Scope | None = None) -> Funnel:
    """Who took a step towards leaving in the ``days`` before an event and in those after.

    Args:
        scope: which posts; by default those of the event's topic.
    """
    width = timedelta(days=days)
    windows = (("before", Window(event.at - width, event.at)), ("after", Window(event.at, event.at + width)))
    asked = _Asked(event, days, windows)
    with store.reading() as moment:
        head = views.head(moment)
        reached, first = known_to(head), _first(head)
        if reached is not None and event.at >= reached:
            return _refused(asked, f"“{event.title}” lies after all that was collected so far.")
        if first is not None and event.at + width <= first:
            return _refused(asked, f"“{event.title}” lies before anything was collected.")
        read = _read(moment, head, scope or own_scope(event), asked)
    return _funnel(read, asked)


def of_window(store: Store, window: Window, scope: Scope | None = None) -> Funnel:
    """Who took a step towards leaving in a window, cut to what was collected."""
    with store.reading() as moment:
        head = views.head(moment)
        first, last = _first(head) or window.start, known_to(head) or window.end
        cut = Window(max(window.start, first), min(window.end, last + timedelta(microseconds=1)))
        asked = _Asked(None, (cut.end - cut.start) / timedelta(days=1), (("", cut),))
        if cut.start >= cut.end:
            return _refused(asked, "Nothing was collected in that time.")
        read = _read(moment, head, scope or Scope(), asked)
    return _funnel(read, asked)


def tables(found: Funnel) -> tuple[Part, ...]:
    """What is told of each stretch, as tables of text."""
    return parts([one.counts for one in found.stretches], [one.departed for one in found.stretches])


def _first(head: Head) -> datetime | None:
    """Since when anything is known."""
    return min((at for at in (head.oldest_at, head.begun_at) if at is not None), default=None)


def _refused(asked: _Asked, why: str) -> Funnel:
    return Funnel(asked.event, asked.days, (), (Outcome("authors", None, why),), {})


def _read(moment: Reader, head: Head, scope: Scope, asked: _Asked) -> _Read:
    windows = [window for _, window in asked.windows]
    sums = scored.sums(moment, scope, asked.whole).to_pylist()
    return _Read(
        head=head,
        told=stages(moment, scope, Window(asked.whole.start - _LOOK_BACK, asked.whole.end)),
        waiting=sum(row["n"] for row in sums if row["model_id"] is None),
        coverage=of_windows(moment, windows, scope.platforms),
        collected=[_collected(moment, scope, window) for window in windows],
        departed=[departed(moment, scope, window) for window in windows],
        hidden=hidden(moment, scope, asked.whole),
    )


def _collected(moment: Reader, scope: Scope, window: Window) -> float:
    seconds = max(1, round((window.end - window.start).total_seconds()))
    return float(collected(window.start, seconds, 1, event_gaps(moment, window, scope.topics))[0])


def _funnel(read: _Read, asked: _Asked) -> Funnel:
    if read.head.oldest_at is None:
        return _refused(asked, "Nothing has been collected yet.")
    told = read.told
    here = told.at >= asked.whole.start.timestamp()
    if not here.any():
        more = f" {checks.unscored(read.waiting)}." if read.waiting else ""
        return _refused(asked, f"No relevant posts of {_time(asked)} were collected.{more}")
    if len(np.unique(told.author_key[here])) == 1:
        which = "The only relevant post" if here.sum() == 1 else f"All {here.sum():,} relevant posts"
        return _refused(asked, f"{which} of {_time(asked)} came from one author: that makes no funnel.")
    found = _stretches(read, asked)
    outcomes = _outcomes(asked, found, _checks(read, asked, found))
    return Funnel(asked.event, asked.days, found, outcomes, read.hidden)


def _stretches(read: _Read, asked: _Asked) -> tuple[Stretch, ...]:
    spans = [(window.start.timestamp(), window.end.timestamp()) for _, window in asked.windows]
    counted, found = analysis.counts(_talk(read.told), spans), []
    for place, (name, window) in enumerate(asked.windows):
        within = (read.told.at >= spans[place][0]) & (read.told.at < spans[place][1])
        posts, searched = int(within.sum()), int(read.told.searched[within].sum())
        around = (read.collected[place], read.coverage[place], read.departed[place])
        found.append(Stretch(name, window, posts, searched, counted[place], *around))
    return tuple(found)


def _talk(told: Told) -> Talk:
    """With levels in the order of advance, which is not the codebook's."""
    labels = ("none", *STAGES)
    order = [codebook().removal.index(label) for label in labels]
    _, first, author = np.unique(told.author_key, return_index=True, return_inverse=True)
    levels = {label: level for level, label in enumerate(labels)}
    ranks = np.array([levels[label] for label in told.label], np.int64)
    return Talk(author.astype(np.int64), told.at, told.chances[:, order], ranks, told.gone[first])


def _checks(read: _Read, asked: _Asked, found: Sequence[Stretch]) -> tuple[Diagnostic, ...]:
    start = asked.whole.start
    known = max(timedelta(), min(start - (_first(read.head) or start), _LOOK_BACK)) / timedelta(days=1)
    here = read.told.at >= start.timestamp()
    return (
        checks.coverage([name for name, _ in asked.windows], read.coverage, read.collected),
        checks.survivors(sum(one.searched for one in found), sum(one.posts for one in found)),
        checks.known_before(known, max(1, asked.days if asked.event else 1)),
        checks.read_whole(is_sampled=bool(read.told.sampled[here].any())),
        checks.scored(read.waiting),
    )


def _outcomes(asked: _Asked, found: Sequence[Stretch], made: tuple[Diagnostic, ...]) -> tuple[Outcome, ...]:
    last = found[-1]
    told = [f"{authors(last.counts.authors)} newly spoke of leaving, or went further, in {_when(asked, last)}"]
    told += [_before(one, one.counts.authors, asked) for one in found[:-1]]
    failed = [one.text for one in made if one.passed is False]
    first = Outcome("authors", last.counts.authors, " ".join([", ".join(told) + ".", *failed]), made)
    return (first, *(_stage(asked, found, place) for place in range(len(STAGES))))


def _before(one: Stretch, estimate: Estimate, asked: _Asked) -> str:
    if one.collected == 0:
        return "with nothing before it to compare with"
    return f"{interval(estimate)} in {_width(asked)} {one.name}"


def _stage(asked: _Asked, found: Sequence[Stretch], place: int) -> Outcome:
    last = found[-1]
    told = [authors(last.counts.stages[place]) + (f" in {_width(asked)} {last.name}" if last.name else "")]
    told += [_before(one, one.counts.stages[place], asked) for one in found[:-1]]
    sentence = f"{STAGES[place].capitalize()}: {', '.join(told)}; by the labels alone {last.counts.labelled[place]:,}."
    return Outcome(f"removal: {STAGES[place]}", last.counts.stages[place], sentence)


def _when(asked: _Asked, one: Stretch) -> str:
    return _time(asked) if asked.event is None else f"{_width(asked)} {one.name} “{asked.event.title}”"


def _width(asked: _Asked) -> str:
    return "the day" if asked.days == 1 else f"the {asked.days:g} days"


def _time(asked: _Asked) -> str:
    if asked.event is not None:
        return f"{_width(asked)} before and after “{asked.event.title}”"
    return f"the time from {_day(asked.whole.start)} to {_day(asked.whole.end)} UTC"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y %H:%M}"
