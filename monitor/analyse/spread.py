"""Who spread something: posts and accounts by what hangs on them, how fast it came, and who joins threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, diags_array

from monitor.analyse.threads import Flags, Ints, Posts, Reached, Threads, largest, once, roots
from monitor.errors import TooFewPosts
from monitor.records import Estimate

LEVEL = 0.95
LEAST_TREES = 20  # of posts that hang on others: below, resampling them says nothing
LARGE_POSTS, LARGE_ACCOUNTS, LARGE_MOST = 5, 3, 500  # a thread that counts for bridges, and how many of them
CURVE_HOURS = 168
_RESAMPLES = 2000
_HOUR = 3_600_000_000  # microseconds


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How many came in each hour since a post, shape (hours,), up to ``CURVE_HOURS``; ``later`` came after that.

    ``half_hours``: half of all had come by then; None of fewer than two.
    """

    posts: Ints
    later: int
    half_hours: float | None


@dataclass(frozen=True, slots=True)
class Bridge:
    """An account that took part in ``threads`` large threads; ``pairs`` of them have no other account in common."""

    author: int
    threads: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Lead:
    """The share of the first of several accounts, and in how many of all resamples it stays the first.

    ``trees`` are those in which anything hangs on its posts: where they are few, the interval is a rough one.
    """

    share: Estimate
    stays: float
    trees: int


def viral(posts: Posts, found: Threads, k: int) -> list[Reached]:
    """The ranked posts on which most posts of others hang; ``owner`` is the post's place."""
    return largest(posts, found, np.where(posts.is_ranked, np.arange(len(posts.keys)), -1), k)


def movers(posts: Posts, found: Threads, k: int) -> list[Reached]:
    """The accounts on whose ranked posts most posts of others hang, each counted once, whatever the way.

    By descendants and not by followers: who has many followers need not have moved anybody (Cha et al. 2010, Measuring
    user influence in Twitter: the million follower fallacy). One post may hang on several accounts.
    """
    return largest(posts, found, posts.authors, k)


def begun(posts: Posts) -> tuple[Ints, Ints]:
    """When each account's first ranked post came (microseconds), and how many accounts had one before.

    Shape (accounts,); who has none comes behind all others.
    """
    first = np.full(int(posts.authors.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, posts.authors[posts.is_ranked], posts.at[posts.is_ranked])
    return first, np.searchsorted(np.sort(first), first)


def curve(since: int, came: Ints) -> Curve:
    """When posts came since a time; what claims to have come before counts as come at once (in microseconds)."""
    waited = np.maximum(came - since, 0)
    hours = waited // _HOUR
    is_late = hours >= CURVE_HOURS
    half = float(np.median(waited)) / _HOUR if len(waited) > 1 else None
    return Curve(np.bincount(hours[~is_late]).astype(np.int64), int(is_late.sum()), half)


def lead(hangs: Flags, tree: Ints, reached: Sequence[Reached], seed: int = 0) -> Lead:
    """The first account's share of the posts that hang on others, its interval by resampling whole trees.

    Posts of one tree are not independent, trees nearly are: so trees are drawn with replacement (Davison and Hinkley
    1997, 3.8). The first was chosen for being first, so its share is rather too high; how often it stays the first says
    how much.

    Args:
        hangs: the posts of which shares are taken, shape (posts,).
        tree: the number of each post's tree, shape (posts,).
        reached: of the accounts that might be the first, the first one leading.

    Raises:
        TooFewPosts: the posts stand in fewer than ``LEAST_TREES`` trees.
    """
    n = int(tree.max(initial=-1)) + 1
    columns = [np.bincount(tree[hangs], minlength=n)]
    columns += [np.bincount(tree[one.members[hangs[one.members]]], minlength=n) for one in reached]
    table = np.stack(columns, axis=1)[columns[0] > 0]
    if len(table) < LEAST_TREES:
        raise TooFewPosts(LEAST_TREES, len(table))
    kinds, times = np.unique(table, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(table), times / len(table), _RESAMPLES) @ kinds
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    share = float(table[:, 1].sum() / table[:, 0].sum())
    stays = float((drawn[:, 1] == drawn[:, 1:].max(axis=1)).mean())
    return Lead(
        Estimate(share, float(low), float(high), LEVEL, "bootstrap of trees", len(table)),
        stays,
        int((table[:, 1] > 0).sum()),
    )


def bridges(posts: Posts, found: Threads, k: int) -> tuple[list[Bridge], int]:
    """Accounts that are the only one in common of pairs of large threads, and how many large threads there are.

    That is a local bridge (Granovetter 1973, The strength of weak ties) of the network in which threads are joined by
    the accounts that take part in both: without this account the two would share nobody. A thread is all that hangs
    on one post by each post's first link; large ones have ``LARGE_POSTS`` posts by ``LARGE_ACCOUNTS`` accounts, and the
    ``LARGE_MOST`` largest count. Who answers in one thread and quotes another in the same post takes part in both.

    Returns:
        bridges, the best first.
    """
    author, root = posts.authors, roots(found)
    accounts = int(author.max(initial=-1)) + 1
    who = np.concatenate([author, author[found.children]])
    where = np.concatenate([root, root[found.parents]])
    pairs = np.stack(np.divmod(once(where * accounts + who), max(accounts, 1)), axis=1)
    n_posts = np.bincount(root, minlength=len(root))
    n_accounts = np.bincount(pairs[:, 0], minlength=len(root))
    large = np.flatnonzero((n_posts >= LARGE_POSTS) & (n_accounts >= LARGE_ACCOUNTS))
    large = np.sort(large[np.lexsort((posts.keys[large], -n_posts[large]))][:LARGE_MOST])
    if len(large) < 2:
        return [], len(large)
    pairs = pairs[np.isin(pairs[:, 0], large)]
    rows, columns = np.searchsorted(large, pairs[:, 0]), pairs[:, 1]
    takes_part = coo_array((np.ones(len(pairs)), (columns, rows)), shape=(accounts, len(large))).tocsr()
    return _sole(takes_part, k), len(large)


def _sole(takes_part: coo_array, k: int) -> list[Bridge]:
    """Of a pair with one account in common, the sum of the numbers of those in common is that account's number."""
    common = (takes_part.T @ takes_part).toarray()
    numbered = (takes_part.T @ diags_array(np.arange(takes_part.shape[0], dtype=float)) @ takes_part).toarray()
    one, other = np.nonzero(np.triu(common == 1, 1))
    pairs = np.bincount(numbered[one, other].astype(np.int64), minlength=takes_part.shape[0])
    n_threads = np.asarray(takes_part.sum(axis=1)).ravel()
    order = np.lexsort((-n_threads, -pairs))[:k]
    return [Bridge(int(who), int(n_threads[who]), int(pairs[who])) for who in order if pairs[who]]
