"""Who set it off: the join of stored posts and what hangs on them, for the command line and the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.analyse import spread as analysis
from monitor.analyse import spread_words as words
from monitor.analyse.coverage import collected as collected_of
from monitor.analyse.coverage import source_name
from monitor.analyse.spread import Curve, Lead
from monitor.analyse.threads import Flags, Ints, Keys, Posts, Reached, Threads, hanging, threads, trees
from monitor.config import Event
from monitor.errors import TooFewPosts
from monitor.records import Window
from monitor.store import Store, spreading, views
from monitor.store.spreading import Appearance, Author, Counts
from monitor.store.views import Head, PostView, Reader, Scope
from monitor.study import event_gaps, known_to

if TYPE_CHECKING:
    import pyarrow as pa

MOVERS, VIRAL, BRIDGES, CROSSINGS = 10, 5, 5, 5


@dataclass(frozen=True, slots=True)
class Viral:
    """A post that spread: ``descendants`` are stored posts of others that hang on it, by ``accounts``.

    ``depth`` and ``width`` are those of its tree. ``is_before``: it was posted before the window, of which alone its
    descendants count.
    """

    post: PostView
    descendants: int
    accounts: int
    depth: int
    width: int
    curve: Curve
    is_before: bool


@dataclass(frozen=True, slots=True)
class Mover:
    """An account, how many posts of others hang on its posts, by how many accounts, and their share of all that hang.

    Its first relevant post came at ``first_at``, after those of ``earlier`` other accounts.
    """

    author: Author
    descendants: int
    accounts: int
    share: float
    first_at: datetime
    earlier: int


@dataclass(frozen=True, slots=True)
class Joiner:
    """An account that took part in ``threads`` large threads; ``pairs`` of them share no other account."""

    author: Author
    threads: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A link or text on several platforms, where it appeared first leading; ``posts`` are the first on each."""

    what: str
    appearances: tuple[Appearance, ...]
    posts: tuple[PostView | None, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """What is told of a window; ``sentence`` has it in words.

    ``refusal`` is the reason where nothing can be told of trees, else empty. ``hanging`` posts hang on a relevant
    one, in ``trees``. ``lead`` is None where too few trees tell how sure it is. ``crossings`` says why there
    is nothing of several platforms, where there is nothing.
    """

    event: Event | None
    window: Window
    counts: tuple[Counts, ...]
    refusal: str
    notes: tuple[str, ...]
    hanging: int = 0
    trees: int = 0
    large: int = 0
    lead: Lead | None = None
    viral: tuple[Viral, ...] = ()
    movers: tuple[Mover, ...] = ()
    bridges: tuple[Joiner, ...] = ()
    links: tuple[Crossing, ...] = ()
    texts: tuple[Crossing, ...] = ()
    crossings: str = ""


def event_window(event: Event, days: float) -> Window:
    """The days from an event on."""
    return Window(event.at, event.at + timedelta(days=days))


def spread(store: Store, scope: Scope, window: Window, event: Event | None = None) -> Spread:
    """Who set off and carried on what was said in a window.

    Args:
        event: it is told of; the window is not taken from it.
    """
    with store.reading() as moment:
        head = views.head(moment)
        counts = spreading.counts(moment, scope, window)
        reason = _refusal(head, window, event, counts)
        if reason:
            return Spread(event, window, counts, reason, ())
        table = spreading.linked_posts(moment, scope, window)
    # From here on the file is opened for one short question at a time: whoever writes waits for none of the sums.
    posts, accounts = _posts(table)
    del table
    found = threads(posts)
    base = Spread(
        event, window, counts, "", _notes(store, scope, head, window, counts, found),
        **_crossings(store, scope, window, counts),
    )  # fmt: skip
    hangs = hanging(posts, found)
    reason = words.alone(posts, found, int(hangs.sum()))
    return replace(base, refusal=reason) if reason else _of_trees(store, base, posts, accounts, found, hangs)


def sentence(found: Spread, name: Callable[[Author], str] = lambda author: author.name) -> str:
    """What is told in words; ``name`` says how an account is called."""
    if found.refusal:
        return found.refusal
    sums = {
        each: sum(getattr(one, each) for one in found.counts) for each in ("posts", "reposts", "others", "unscored")
    }
    first = next(iter(found.movers), None)
    most = (name(first.author), first.descendants, first.accounts) if first else None
    told = [words.headline(sums["posts"], sum(sums.values()), found.hanging, found.trees, most)]
    if most:
        told.append(words.leading(most[0], found.lead, found.trees, len(found.movers)))
    return " ".join(told)


def _refusal(head: Head, window: Window, event: Event | None, counts: Sequence[Counts]) -> str:
    first, reached = _since(head), known_to(head)
    if first is None or reached is None:
        return "Nothing has been collected yet."
    what = f"“{event.title}”" if event else "This time"
    if window.start >= reached:
        return f"{what} lies after all that was collected so far."
    if window.end <= first:
        return f"{what} lies before anything was collected."
    if not any(one.posts for one in counts):
        waiting = sum(one.unscored for one in counts)
        scored = f" {waiting:,} posts wait for their scores." if waiting else ""
        return f"No relevant posts were collected in that time.{scored}"
    return ""


def _since(head: Head) -> datetime | None:
    return min((at for at in (head.oldest_at, head.begun_at) if at is not None), default=None)


def _notes(
    store: Reader, scope: Scope, head: Head, window: Window, counts: Sequence[Counts], found: Threads
) -> tuple[str, ...]:
    reached = known_to(head) or window.end
    seen = Window(max(window.start, _since(head) or window.start), min(window.end, reached))
    sums = {name: sum(getattr(one, name) for one in counts) for name in ("searched", "sampled", "unscored")}
    collected = _collected(store, scope, seen)
    return tuple(words.notes(found, **sums, collected=collected, is_open=window.end > reached))


def _of_trees(store: Reader, base: Spread, posts: Posts, keys: Keys, found: Threads, hangs: Flags) -> Spread:
    """``keys`` are those of the accounts, by their number."""
    tree, total = trees(found), int(hangs.sum())
    reached = analysis.movers(posts, found, MOVERS)
    joining, large = analysis.bridges(posts, found, BRIDGES)
    named = spreading.authors(
        store, {int(keys[n]) for n in (*(r.owner for r in reached), *(b.author for b in joining))}
    )
    first, earlier = analysis.begun(posts)
    movers = tuple(
        Mover(
            named[int(keys[one.owner])],
            len(one.members),
            _accounts(posts, one),
            float(hangs[one.members].sum()) / total,
            datetime.fromtimestamp(int(first[one.owner]) / 1e6, UTC),
            int(earlier[one.owner]),
        )
        for one in reached
        if int(keys[one.owner]) in named  # or gone meanwhile
    )
    return replace(
        base,
        hanging=total,
        trees=len(np.unique(tree[hangs])),
        large=large,
        lead=_lead(hangs, tree, reached),
        viral=_viral(store, base.window, posts, found),
        movers=movers,
        bridges=tuple(
            Joiner(author, one.threads, one.pairs)
            for one in joining
            if (author := named.get(int(keys[one.author]))) is not None
        ),
    )


def _lead(hangs: Flags, tree: Ints, reached: Sequence[Reached]) -> Lead | None:
    try:
        return analysis.lead(hangs, tree, reached) if reached else None
    except TooFewPosts:
        return None


def _viral(store: Reader, window: Window, posts: Posts, found: Threads) -> tuple[Viral, ...]:
    reached = analysis.viral(posts, found, VIRAL)
    texts = spreading.posts_of(store, [int(posts.keys[one.owner]) for one in reached])
    return tuple(
        Viral(
            post=post,
            descendants=len(one.members),
            accounts=_accounts(posts, one),
            depth=one.depth,
            width=one.width,
            curve=analysis.curve(int(posts.at[one.owner]), posts.at[one.members]),
            is_before=post.observed_at < window.start,
        )
        for one in reached
        if (post := texts.get(int(posts.keys[one.owner]))) is not None
    )


def _accounts(posts: Posts, one: Reached) -> int:
    return len(np.unique(posts.authors[one.members]))


def _posts(table: pa.Table) -> tuple[Posts, Keys]:
    """Also the keys of the accounts, by the number that they have here."""
    columns = {name: table[name].to_numpy() for name in table.column_names}
    accounts, authors = np.unique(columns.pop("author"), return_inverse=True)
    return Posts(keys=columns.pop("key"), authors=authors.astype(np.int64), **columns), accounts


def _collected(store: Reader, scope: Scope, window: Window) -> float:
    hours = int((window.end - window.start).total_seconds() // 3600)
    if hours < 1:
        return 1.0
    return float(collected_of(window.start, 3600, hours, event_gaps(store, window, scope.topics)).mean())


def _crossings(store: Reader, scope: Scope, window: Window, counts: Sequence[Counts]) -> dict[str, Any]:
    platforms = [one.platform for one in counts if one.posts]
    if len(platforms) < 2:
        told = f"All relevant posts of this time are of {source_name(platforms[0])}"
        return {"crossings": f"{told}: nothing can be told of what went from one platform to the other."}
    links = spreading.shared_links(store, scope, window, CROSSINGS)
    texts = spreading.shared_texts(store, scope, window, CROSSINGS)
    first = spreading.posts_of(store, {one.first_key for found in (*links, *texts) for one in found})
    posts, readable = (sum(getattr(one, name) for one in counts) for name in ("posts", "readable"))
    nothing = f"No link of the {readable:,} whose links can be read and no text of the {posts:,} relevant posts"
    return {
        "links": tuple(_crossed(found, first, found[0].what) for found in links),
        "texts": tuple(_crossed(found, first) for found in texts),
        "crossings": "" if links or texts else f"{nothing} was found on both platforms.",
    }


def _crossed(found: Sequence[Appearance], first: Mapping[int, PostView], what: str = "") -> Crossing:
    posts = tuple(first.get(one.first_key) for one in found)
    text = what or next((post.text for post in posts if post is not None), "")
    return Crossing(text, tuple(found), posts)
