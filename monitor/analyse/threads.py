"""Posts that answer, quote and repost each other as a graph, and what hangs on each of them.

A post may hang on several others (a reply that quotes), so this is no forest. What cannot be is left out and counted:
posts that hang on themselves, by whatever way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Posts:
    """One entry for each post, every array of shape (posts,).

    ``authors`` are numbered from 0 without holes, ``at`` is in microseconds. ``replies``, ``quotes`` and ``reposts``
    are keys of what a post answers, quotes and reposts, 0 for nothing; they need not be among ``keys``. Only what is
    ``is_within`` counts as a descendant, and only what is ``is_ranked`` has its descendants counted.
    """

    keys: Keys
    authors: Ints
    at: Ints
    replies: Keys
    quotes: Keys
    reposts: Keys
    is_ranked: Flags
    is_within: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Threads:
    """Who hangs on whom, as places in ``Posts``; ``children[starts[i]:starts[i + 1]]`` hang on post i.

    ``levels`` are all posts, each behind all that it hangs on, sorted within a level. ``first`` is what a post answers,
    else quotes, else reposts; -1 without any. ``cut`` counts posts within the window that name a
    post which is not stored, ``circular`` the links that were left out because they lead round in a circle,
    ``backwards`` those whose parent is younger than its child.
    """

    starts: Ints
    children: Ints
    levels: tuple[Ints, ...]
    parents: Ints
    first: Ints
    cut: int
    circular: int
    backwards: int


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """What hangs on the posts of one ``owner``: ``members`` are places of posts by others, sorted.

    ``depth`` is the number of steps to the furthest, ``width`` the most at one number of steps, own posts included.
    """

    owner: int
    sources: Ints
    members: Ints
    depth: int
    width: int


def threads(posts: Posts) -> Threads:
    """The graph of ``posts``, whose keys differ."""
    n = len(posts.keys)
    named = np.stack([posts.replies, posts.quotes, posts.reposts])
    up = _places(posts.keys, named)
    is_cut = ((named != 0) & (up < 0)).any(axis=0) & posts.is_within
    kind, child = np.nonzero(up >= 0)
    parent = up[kind, child]
    label = connected_components(_matrix(parent, child, n), connection="strong")[1] if len(child) else np.arange(n)
    pairs = once(parent * n + child)
    parent, child = np.divmod(pairs, max(n, 1))
    is_circular = label[parent] == label[child]
    parent, child = parent[~is_circular], child[~is_circular]
    up = np.where((up >= 0) & (label[up] != label), up, -1)
    first = np.where(up[0] >= 0, up[0], np.where(up[1] >= 0, up[1], up[2]))
    starts = np.concatenate([[0], np.cumsum(np.bincount(parent, minlength=n))])
    return Threads(
        starts=starts,
        children=child,
        levels=tuple(_levels(starts, child)),
        parents=parent,
        first=first,
        cut=int(is_cut.sum()),
        circular=int(is_circular.sum()),
        backwards=int(np.count_nonzero(posts.at[child] < posts.at[parent])),
    )


def trees(found: Threads) -> Ints:
    """The number of the tree that each post stands in: posts that hang together by any links, shape (posts,)."""
    n = len(found.first)
    if not len(found.children):
        return np.arange(n)
    labels: Ints = connected_components(_matrix(found.parents, found.children, n), directed=False)[1].astype(np.int64)
    return labels


def roots(found: Threads) -> Ints:
    """Where each post's thread begins, following ``first`` alone, shape (posts,)."""
    root = np.where(found.first < 0, np.arange(len(found.first)), found.first)
    while not np.array_equal(further := root[root], root):
        root = further
    return root


def once(numbers: Ints) -> Ints:
    """Each of these numbers (from 0) once, in order: ``numpy.unique`` hashes, ten times as long of ten million."""
    ordered = np.sort(numbers)
    return np.asarray(ordered[np.diff(ordered, prepend=-1) != 0])


def hanging(posts: Posts, found: Threads) -> Flags:
    """Which posts within the window hang on a ranked one, at any distance, shape (posts,)."""
    hangs = np.zeros(len(posts.keys), bool)
    for level in found.levels:
        kids, owners = _below(found.starts, found.children, level)
        hangs[kids[posts.is_ranked[owners] | hangs[owners]]] = True
    return hangs & posts.is_within


def largest(posts: Posts, found: Threads, owners: Ints, k: int) -> list[Reached]:
    """The ``k`` owners on whose posts most posts of others hang, each counted once; ties: who was first.

    Exact, without following every post: no owner has more descendants than ``_bounds`` says, so the search ends where
    that falls to the k-th found. Where no post hangs on two others, the bound is the number itself.

    Args:
        owners: a number from 0 for each post that is ranked, of the same author for the same number; -1 for the others.
    """
    is_asked = (owners >= 0) & posts.is_ranked
    sources = np.flatnonzero(is_asked & (np.diff(found.starts) > 0))
    if k < 1 or not len(sources):
        return []
    bounds = _bounds(posts, found, owners, sources)
    since = np.full(int(owners.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(since, owners[is_asked], posts.at[is_asked])
    sources = sources[np.argsort(owners[sources], kind="stable")]
    edges = np.searchsorted(owners[sources], np.arange(len(bounds) + 1))
    best: list[Reached] = []
    for owner in np.lexsort((since, -bounds)):
        if bounds[owner] < 1 or (len(best) == k and bounds[owner] <= len(best[-1].members)):
            break
        best.append(_reach(posts, found, int(owner), sources[edges[owner] : edges[owner + 1]]))
        best.sort(key=lambda one: (-len(one.members), since[one.owner]))
        del best[k:]
    return [one for one in best if len(one.members)]


def _bounds(posts: Posts, found: Threads, owners: Ints, sources: Ints) -> NDArray[np.float64]:
    """At least as many as there are posts of others on what each owner wrote, shape (owners,).

    From the ways that lead down and from what stands deeper in the tree, less own posts; what hangs on several posts of
    an owner is counted at the first.
    """
    n = len(posts.keys)
    begin, size = _tour(found)
    end = begin + size
    sources = sources[np.argsort(owners[sources] * (n + 1) + begin[sources])]
    reached = np.maximum.accumulate(owners[sources] * (n + 1) + end[sources])
    is_outer = np.ones(len(sources), bool)
    is_outer[1:] = reached[:-1] <= owners[sources[1:]] * (n + 1) + begin[sources[1:]]
    outer = sources[is_outer]
    author = posts.authors * (n + 1)
    own = np.sort((author + begin)[posts.is_within])
    n_own = _searched(own, (author + end)[outer]) - _searched(own, (author + begin + 1)[outer])
    ways = np.minimum(_ways(posts, found)[outer], _deeper(posts, found, outer)) - n_own
    return np.bincount(owners[outer], ways, minlength=int(owners.max()) + 1).astype(np.float64)


def _deeper(posts: Posts, found: Threads, of: Ints) -> Ints:
    """How many posts within the window stand in these posts' trees at later levels: fewer where ways are many."""
    n, level = len(posts.keys), np.zeros(len(posts.keys), np.int64)
    for number, places in enumerate(found.levels):
        level[places] = number
    tree = trees(found)
    place = tree * (n + 1) + level
    counted = np.sort(place[posts.is_within])
    return _searched(counted, (tree[of] + 1) * (n + 1)) - _searched(counted, place[of] + 1)


def _tour(found: Threads) -> tuple[Ints, Ints]:
    """The place of each post in a walk through all threads by ``first``, and how many it leads to, itself included."""
    size, begin = np.ones(len(found.first), np.int64), np.zeros(len(found.first), np.int64)
    for level in reversed(found.levels):
        level = level[found.first[level] >= 0]
        np.add.at(size, found.first[level], size[level])
    order = np.argsort(found.first, kind="stable")
    passed = np.cumsum(size[order]) - size[order]
    is_new = np.concatenate([[True], np.diff(found.first[order]) != 0])
    begin[order] = passed - np.maximum.accumulate(np.where(is_new, passed, 0))
    for level in found.levels[1:]:
        level = level[found.first[level] >= 0]
        begin[level] += begin[found.first[level]] + 1
    return begin, size


def _reach(posts: Posts, found: Threads, owner: int, sources: Ints) -> Reached:
    seen = np.zeros(len(posts.keys), bool)
    seen[sources] = True
    level, levels = sources, []
    while len(level):
        kids = np.unique(_below(found.starts, found.children, level)[0])
        level = kids[~seen[kids]]
        seen[level] = True
        levels.append(level)
    members = np.sort(np.concatenate(levels))
    kept = posts.is_within[members] & (posts.authors[members] != posts.authors[sources[0]])
    return Reached(owner, sources, members[kept], len(levels) - 1, max(len(one) for one in levels))


def _ways(posts: Posts, found: Threads) -> NDArray[np.float64]:
    """How many ways lead down from each post to posts within the window: at least its descendants."""
    ways, most = np.zeros(len(posts.keys)), float(posts.is_within.sum())
    for level in reversed(found.levels):
        kids, owners = _below(found.starts, found.children, level)
        if len(kids):
            place = np.searchsorted(level, owners)
            sums = np.bincount(place, weights=posts.is_within[kids] + ways[kids], minlength=len(level))
            ways[level] = np.minimum(sums, most)
    return ways


def _levels(starts: Ints, children: Ints) -> Iterator[Ints]:
    """By the number of links that are not yet passed (Kahn 1962)."""
    waiting = np.bincount(children, minlength=len(starts) - 1)
    level = np.flatnonzero(waiting == 0)
    while len(level):
        yield level
        kids, n = np.unique(_below(starts, children, level)[0], return_counts=True)
        waiting[kids] -= n
        level = kids[waiting[kids] == 0]


def _below(starts: Ints, children: Ints, level: Ints) -> tuple[Ints, Ints]:
    """The children of these posts, and whose each of them is."""
    first = starts[level]
    n = starts[level + 1] - first
    before = np.cumsum(n) - n
    places = np.repeat(first - before, n) + np.arange(n.sum())
    return children[places], np.repeat(level, n)


def _places(keys: Keys, wanted: Keys) -> Ints:
    """Where these keys stand, -1 for those that stand nowhere and for 0."""
    if not len(keys):
        return np.full(wanted.shape, -1)
    order, places = np.argsort(keys), np.full(wanted.shape, -1)
    named = wanted[wanted != 0]
    place = order[np.minimum(_searched(keys[order], named), len(keys) - 1)]
    places[wanted != 0] = np.where(keys[place] == named, place, -1)
    return places


def _searched(ordered: NDArray[Any], wanted: NDArray[Any]) -> Ints:
    """As ``numpy.searchsorted``, which takes five times as long of ten million that are not in order themselves."""
    order, found = np.argsort(wanted), np.empty(len(wanted), np.int64)
    found[order] = np.searchsorted(ordered, wanted[order])
    return found


def _matrix(parent: Ints, child: Ints, n: int) -> coo_array:
    return coo_array((np.ones(len(child), np.int8), (parent, child)), shape=(n, n)).tocsr()
