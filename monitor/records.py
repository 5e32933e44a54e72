"""The nouns of the product: frozen, slotted, every time in UTC.

A record knows nothing of the wire it came from and nothing of the table it goes to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Platform = Literal["bluesky", "x"]
Kind = Literal["original", "reply", "repost", "quote"]
Source = Literal["live", "search", "import", "recheck"]
Asking = Literal["planned", "created", "uploaded", "asking", "applied", "failed", "expired"]
Visibility = Literal["active", "deactivated", "suspended", "takendown", "deleted"]
Item = Literal["post", "user", "counts_recent", "counts_all"]
EventKind = Literal["terms_effective", "discovery", "statement", "executive_statement", "terms_revised", "other"]


@dataclass(frozen=True, slots=True)
class Engagement:
    """Counts seen at one time. None = not measured, 0 = measured zero."""

    measured_at: datetime
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One post as its platform gave it to us.

    Key is (platform, post_id). ``created_at`` is the author's claim and may be nonsense (1970, 2099);
    ``observed_at`` is the platform's or our own clock and is what series are drawn over.
    ``reply_to``, ``quote_of`` and ``repost_of`` are post ids. ``context`` is the text of the parent or
    quoted post where we know it, ``context_by`` its author's id where the parent's id does not tell it (X).
    ``links`` and ``hashtags`` are those that the platform gives beside the text; rules match them, the store keeps
    them in ``raw`` only. ``is_edit`` says that the platform sent it as a new version; the store takes one of a stored
    post even where no rule matches any more. ``versions`` are the ``RuleVersion`` names that found it. ``raw`` is the
    payload as JSON text.
    """

    platform: Platform
    post_id: str
    author_id: str
    text: str
    kind: Kind
    created_at: datetime | None
    observed_at: datetime
    source: Source
    author_handle: str | None = None
    lang: str | None = None
    reply_to: str | None = None
    quote_of: str | None = None
    repost_of: str | None = None
    context: str | None = None
    context_by: str | None = None
    links: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    is_edit: bool = False
    matched: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    engagement: Engagement | None = None
    sample_weight: float = 1.0
    raw: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.platform, self.post_id)

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the posts this one hangs on: replied to, quoted, reposted."""
        return tuple(p for p in (self.reply_to, self.quote_of, self.repost_of) if p)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A post is gone (``post_id``). The tombstone outlives the row."""

    platform: Platform
    post_id: str
    author_id: str
    deleted_at: datetime
    why: Literal["author", "missing", "takedown", "protected"] = "author"


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """An account changed state. ``deleted`` removes its posts, any other non-active state hides them."""

    platform: Platform
    author_id: str
    status: Visibility
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Scrub:
    """A post stays, but where it was written from is to be forgotten: its raw payload goes."""

    platform: Platform
    post_id: str


@dataclass(frozen=True, slots=True)
class Check:
    """A step of asking a platform which stored posts it still shows.

    ``asked`` and ``named`` (those that it does not show any more) are added to what the check counted before; ``job``
    is the platform's id of it. A state of "applied", "failed" or "expired" ends it.
    """

    name: str
    platform: Platform
    state: Asking
    job: str | None = None
    asked: int = 0
    named: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a stream continues. ``value`` is opaque to everybody but the collector that made it.

    ``at`` is the platform's time of the last event before it, where a live stream says one: lag is counted from it.
    """

    stream: str
    value: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a stream could not collect. ``end`` is None while it is still open."""

    stream: str
    start: datetime
    end: datetime | None
    why: str
    filled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something upstream sent that we could not keep: counted and kept with its reason, never raised."""

    stream: str
    why: str
    at: datetime
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """How much was inspected in one hour: the denominator of every share of the whole network."""

    stream: str
    hour: datetime
    n: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many posts of one hour the platform itself says there are: a census, whatever of it was collected."""

    platform: Platform
    topic: str
    hour: datetime
    n: int


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing that X bills: a post or user read (``key`` is its id), or a counts request (a key of its own).

    X bills the same post or user once per UTC ``day``. ``microdollars`` is the price when it was read.
    """

    day: date
    item: Item
    key: str
    microdollars: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one pull of one stream brought; the store commits it in one transaction, cursor included."""

    stream: str
    posts: tuple[Post, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    accounts: tuple[AccountStatus, ...] = ()
    scrubs: tuple[Scrub, ...] = ()
    checks: tuple[Check, ...] = ()
    seen: tuple[Seen, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    gaps: tuple[Gap, ...] = ()
    charges: tuple[Charge, ...] = ()
    counted: tuple[Counted, ...] = ()
    cursor: Cursor | None = None


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
