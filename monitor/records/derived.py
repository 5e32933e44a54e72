"""What is made of posts: scores, labels, groups, samples, versions of rules, estimates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from monitor.records.collected import Platform

EventKind = Literal["terms_effective", "discovery", "statement", "executive_statement", "terms_revised", "other"]


@dataclass(frozen=True, slots=True)
class Score:
    """Calibrated probabilities of one post under one model.

    ``concern`` has four entries (levels 0-3), ``removal`` five and ``stance`` three, in codebook order;
    each sums to 1 and already accounts for relevance (an irrelevant post is concern 0, removal none,
    stance neutral). ``revision`` is the revision of the text that was scored: the store takes no score of an
    older one.
    """

    platform: Platform
    post_id: str
    relevant: float
    concern: tuple[float, ...]
    removal: tuple[float, ...]
    stance: tuple[float, ...]
    model_id: str
    revision: int = 0

    @property
    def expected_concern(self) -> float:
        return sum(level * p for level, p in enumerate(self.concern))


@dataclass(frozen=True, slots=True)
class Confusion:
    """How a classifier errs in one outcome ("relevant", "concern2" for concern of 2 or more, "removal"), as measured on
    posts it never saw. All lists are in the order of ``classes``.

    ``matrix`` counts posts (true, predicted). ``means`` are the mean calibrated scores (true, score) and ``spreads``
    the covariance of the scores within each true class (true, score, score). ``effects`` say, for each true class, how
    many times larger the variance of its means is because posts of one author resemble each other; 1 or more.
    """

    outcome: str
    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    means: tuple[tuple[float, ...], ...]
    spreads: tuple[tuple[tuple[float, ...], ...], ...]
    effects: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person said of one post by the codebook, blind to what others and the model said.

    ``revision`` is the revision of the text that was read: the store takes no labels of an older one.
    """

    platform: Platform
    post_id: str
    annotator: str
    relevant: int
    concern: int
    removal: str
    stance: str
    codebook: str
    revision: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """One post of a sample, with the chance it had to be drawn."""

    platform: Platform
    post_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of a census: ``posts`` counted, cut into ``slices`` of time of which some were ``drawn`` to be read."""

    posts: int
    slices: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time to be read whole; every post in it gets ``weight`` as its ``sample_weight``."""

    window: Window
    stratum: int
    weight: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What was done about one author or post since somebody asked, and to how many rows; never text, handle or id.

    ``action`` is "forgotten" where a person asked (``why`` is "request"), else what the answer to ``check`` did.
    ``key`` is the 64-bit hash that stands for the author or post in the store. ``posts`` leaves reposts out.
    ``contexts`` are copies of the text in others' replies and quotes, ``tombstones`` those of earlier deletions,
    reduced to keys. ``mentions`` were not removed: posts by others that hold the id or @handle in their own words.
    """

    what: Literal["author", "post"]
    platform: Platform
    key: int
    done_at: datetime
    action: str
    why: str
    check: str | None
    posts: int
    reposts: int
    scores: int
    annotations: int
    samples: int
    contexts: int
    rejected: int
    accounts: int
    tombstones: int
    mentions: int


@dataclass(frozen=True, slots=True)
class Grouped:
    """One post's place among those that say the same; see ``monitor.analyse.sketch``.

    ``key`` and ``revision`` are the store's own, of the text that was read. ``form`` stands for its words, None without
    any text. ``sketch`` is that of the group where this post is its first, and empty otherwise.
    """

    key: int
    revision: int
    form: int | None
    text_group: int
    sketch: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """The rules of a topic as they stood from ``since`` on; ``rules`` is JSON that ``collect.versions`` wrote."""

    topic: str
    number: int
    rules: str
    since: datetime

    @property
    def name(self) -> str:
        """As posts carry it."""
        return f"{self.topic}/{self.number}"


@dataclass(frozen=True, slots=True)
class Window:
    """Inclusive start, exclusive end, both UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the interval it stands in. ``low`` and ``high`` bound it at ``level``."""

    effect: float
    low: float
    high: float
    level: float
    method: str
    n: int
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a check of an estimate found. ``passed`` is None where the check could not be made; ``text`` says why."""

    name: str
    passed: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an analysis says of one outcome ("posts", "authors", "texts", "concern", "removal: done", ...).

    ``estimate`` is None where it refuses; then ``sentence`` gives the reason. A diagnostic that failed changes the
    sentence.
    """

    name: str
    estimate: Estimate | None
    sentence: str
    diagnostics: tuple[Diagnostic, ...] = ()
