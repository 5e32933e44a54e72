"""The removal funnel of an event or of a stretch of time: the join of the store's posts with ``analyse.funnel``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from monitor.analyse import funnel as analysis
from monitor.analyse.coverage import ENOUGH, Coverage, collected, shortfall
from monitor.analyse.funnel import STAGES, Counts, Talk
from monitor.analyse.funnel_words import Part, authors, interval, parts
from monitor.codebook import codebook
from monitor.completeness import of_windows
from monitor.config import Event
from monitor.records import Diagnostic, Estimate, Outcome, Window
from monitor.store import Store, views
from monitor.store.stages import Told, departed, hidden, stages
from monitor.store.views import Head, Reader, Scope
from monitor.study import event_gaps, known_to, own_scope

_LOOK_BACK = timedelta(days=548)  # so far back it is read who had taken a step before
NOTES = (
    "Each author counts once, at the most advanced stage newly reached in that time; whoever had reached it before, by "
    "what was collected, is not new. The order is considering, committed, blocked, done: who was blocked has tried, "
    "and who is done after being blocked counts as done.",
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
    with store.reading() as moment:
        head, asked = views.head(moment), _Asked(event, days, windows)
        reached, first = known_to(head), _first(head)
        if reached is not None and event.at >= reached:
            return _refused(asked, f"“{event.title}” lies after all that was collected so far.")
        if first is not None and event.at + width <= first:
            return _refused(asked, f"“{event.title}” lies before anything was collected.")
        return _funnel(moment, scope or own_scope(event), asked)


def of_window(store: Store, window: Window, scope: Scope | None = None) -> Funnel:
    """Who took a step towards leaving in a window, cut to what was collected."""
    with store.reading() as moment:
        head = views.head(moment)
        first, last = _first(head) or window.start, known_to(head) or window.end
        cut = Window(max(window.start, first), min(window.end, last + timedelta(microseconds=1)))
        asked = _Asked(None, (cut.end - cut.start) / timedelta(days=1), (("", cut),))
        if cut.start >= cut.end:
            return _refused(asked, "Nothing was collected in that time.")
        return _funnel(moment, scope or Scope(), asked)


def tables(found: Funnel) -> tuple[Part, ...]:
    """What is told of each stretch, as tables of text."""
    return parts([one.counts for one in found.stretches], [one.departed for one in found.stretches])


def _first(head: Head) -> datetime | None:
    """Since when anything is known."""
    return min((at for at in (head.oldest_at, head.begun_at) if at is not None), default=None)


def _refused(asked: _Asked, why: str) -> Funnel:
    return Funnel(asked.event, asked.days, (), (Outcome("authors", None, why),), {})


def _funnel(moment: Reader, scope: Scope, asked: _Asked) -> Funnel:
    if views.head(moment).oldest_at is None:
        return _refused(asked, "Nothing has been collected yet.")
    told = stages(moment, scope, Window(asked.whole.start - _LOOK_BACK, asked.whole.end))
    waiting = sum(row["n"] for row in views.scored(moment, scope, asked.whole).to_pylist() if row["model_id"] is None)
    here = told.at >= asked.whole.start.timestamp()
    if not here.any():
        more = f" {_waiting(waiting)}." if waiting else ""
        return _refused(asked, f"No relevant posts of {_time(asked)} were collected.{more}")
    talk = _talk(told)
    if len(np.unique(talk.author[here])) == 1:
        return _refused(
            asked, f"All {here.sum():,} relevant posts of {_time(asked)} are by one author: that makes no funnel."
        )
    spans = [(window.start.timestamp(), window.end.timestamp()) for _, window in asked.windows]
    counted = analysis.counts(talk, spans)
    found = _stretches(moment, scope, asked, told, counted)
    checks = (
        _covered(found),
        _survivors(found),
        _known_before(moment, asked),
        _whole(told, here),
        _scored(waiting),
    )
    return Funnel(asked.event, asked.days, found, _outcomes(asked, found, checks), hidden(moment, scope, asked.whole))


def _talk(told: Told) -> Talk:
    """With levels in the order of advance, which is not the codebook's."""
    labels = ("none", *STAGES)
    order = [codebook().removal.index(label) for label in labels]
    _, first, author = np.unique(told.author_key, return_index=True, return_inverse=True)
    levels = {label: level for level, label in enumerate(labels)}
    ranks = np.array([levels[label] for label in told.label], np.int64)
    return Talk(author.astype(np.int64), told.at, told.chances[:, order], ranks, told.gone[first])


def _stretches(
    moment: Reader, scope: Scope, asked: _Asked, told: Told, counted: Sequence[Counts]
) -> tuple[Stretch, ...]:
    coverage = of_windows(moment, [window for _, window in asked.windows], scope.platforms)
    found = []
    for (name, window), counts, covered in zip(asked.windows, counted, coverage, strict=True):
        within = (told.at >= window.start.timestamp()) & (told.at < window.end.timestamp())
        posts, searched = int(within.sum()), int(told.searched[within].sum())
        share = _collected(moment, scope, window)
        found.append(Stretch(name, window, posts, searched, counts, share, covered, departed(moment, scope, window)))
    return tuple(found)


def _collected(moment: Reader, scope: Scope, window: Window) -> float:
    seconds = max(1, round((window.end - window.start).total_seconds()))
    return float(collected(window.start, seconds, 1, event_gaps(moment, window, scope.topics))[0])


def _covered(found: Sequence[Stretch]) -> Diagnostic:
    texts = []
    for one in found:
        text = shortfall(one.coverage)
        if not text and one.collected < ENOUGH:
            how_much = f"Only {one.collected:.0%}" if one.collected else "Nothing"
            text = f"{how_much} of this time was collected; what is missing is not zero."
        if text:
            texts.append(f"{one.name.capitalize()}: {text[0].lower()}{text[1:]}" if one.name else text)
    if texts:
        also = ["The counts do not compare."] if len(found) > 1 else []
        return Diagnostic("coverage", False, " ".join([*texts, *also]))
    return Diagnostic("coverage", True, f"At least {ENOUGH:.0%} of the time was collected.")


def _survivors(found: Sequence[Stretch]) -> Diagnostic:
    searched, posts = sum(one.searched for one in found), sum(one.posts for one in found)
    if not searched:
        return Diagnostic("survivors only", True, "All posts were collected live.")
    text = (
        f"{searched:,} of {posts:,} posts were searched for or imported later, so only what was still there was found:"
    )
    return Diagnostic("survivors only", False, f"{text} authors who left and deleted their posts are missing.")


def _known_before(moment: Reader, asked: _Asked) -> Diagnostic:
    start = asked.whole.start
    first = _first(views.head(moment)) or start
    known = max(timedelta(), min(start - first, _LOOK_BACK)) / timedelta(days=1)
    text = f"What was said in the {known:,.0f} days before is known, so that who spoke of it then is not new."
    if known < max(1, asked.days):
        text = f"{known:,.1f} days before were collected: who spoke of leaving earlier counts as new."
    return Diagnostic("known before", True if known >= max(1, asked.days) else None, text)


def _whole(told: Told, here: np.ndarray) -> Diagnostic:
    if told.sampled[here].any():
        text = "Of some hours a sample was read; authors cannot be weighted and are those of what was read: too few."
        return Diagnostic("all posts read", False, text)
    return Diagnostic("all posts read", True, "No sample stands for others.")


def _scored(waiting: int) -> Diagnostic:
    if waiting:
        return Diagnostic("scored", False, f"{_waiting(waiting)} and not counted.")
    return Diagnostic("scored", True, "Every post has its scores.")


def _waiting(n: int) -> str:
    return f"{n:,} {'post is' if n == 1 else 'posts are'} not scored yet"


def _outcomes(asked: _Asked, found: Sequence[Stretch], checks: tuple[Diagnostic, ...]) -> tuple[Outcome, ...]:
    last = found[-1]
    told = [f"{authors(last.counts.authors)} newly spoke of leaving, or went further, in {_when(asked, last)}"]
    told += [_before(one, one.counts.authors, asked) for one in found[:-1]]
    failed = [one.text for one in checks if one.passed is False]
    first = Outcome("authors", last.counts.authors, " ".join([", ".join(told) + ".", *failed]), checks)
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
