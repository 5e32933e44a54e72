"""What hangs on whom, against a naive count, and on planted trees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analyse.spread import CURVE_HOURS, begun, bridges, curve, lead, movers, viral
from monitor.analyse.threads import Posts, Reached, hanging, largest, roots, threads, trees
from monitor.errors import TooFewPosts

HOUR = 3_600_000_000
NONE = (0, 0, 0)


def posts(links, authors=None, at=None, ranked=None, within=None, keys=None):
    """``links[i]`` are the places that post i answers, quotes and reposts, counted from 1; 0 is none."""
    n = len(links)
    keys = np.arange(1, n + 1, dtype=np.uint64) * 1000 if keys is None else np.array(keys, np.uint64)
    up = np.array([[0 if not place else 1000 * place for place in row] for row in links], np.uint64).reshape(n, 3)
    return Posts(
        keys=keys,
        authors=np.unique(np.arange(n) if authors is None else np.array(authors, int), return_inverse=True)[1],
        at=np.array(at if at is not None else range(n), np.int64),
        replies=up[:, 0],
        quotes=up[:, 1],
        reposts=up[:, 2],
        is_ranked=np.ones(n, bool) if ranked is None else np.array(ranked, bool),
        is_within=np.ones(n, bool) if within is None else np.array(within, bool),
    )


def naive(links, authors, sources, within):
    """Posts by others that hang on any of the sources."""
    seen, waiting = set(), set(sources)
    while waiting:
        waiting = {i for i, row in enumerate(links) if any(place - 1 in waiting for place in row if place)} - seen
        seen |= waiting
    return {i for i in seen if within[i] and authors[i] != authors[sources[0]]}


@st.composite
def forests(draw, is_graph=False):
    """Each post hangs on earlier ones: one at most, or up to three; or on what is not stored."""
    n = draw(st.integers(1, 30))
    links = []
    for i in range(n):
        place = st.integers(0, i) if i else st.just(0)
        row = [draw(place) if is_graph else 0 for _ in range(3)]
        if not is_graph:
            row[draw(st.integers(0, 2))] = draw(place)
        links.append(tuple(draw(st.sampled_from([place, place, n + 7])) if place else 0 for place in row))
    flags = st.lists(st.booleans(), min_size=n, max_size=n)
    authors = draw(st.lists(st.integers(1, 6), min_size=n, max_size=n))
    return links, authors, draw(flags), draw(flags)


@settings(max_examples=200, deadline=None)
@given(st.one_of(forests(), forests(is_graph=True)), st.integers(1, 30))
def test_descendants_are_those_of_a_naive_count(made, k):
    links, authors, ranked, within = made
    what = posts(links, authors, ranked=ranked, within=within)
    found = threads(what)
    by_post = {i: naive(links, authors, [i], within) for i in range(len(links)) if ranked[i]}
    top = viral(what, found, k)
    assert [len(one.members) for one in top] == sorted((len(m) for m in by_post.values() if m), reverse=True)[:k]
    assert all(set(one.members.tolist()) == by_post[one.owner] for one in top)
    assert all(one.owner not in one.members for one in top)
    sources = {a: [i for i in by_post if authors[i] == a] for a in set(authors)}
    by_author = {a: naive(links, authors, own, within) for a, own in sources.items() if own}
    named = np.unique(authors)
    first = movers(what, found, k)
    assert [len(one.members) for one in first] == sorted((len(m) for m in by_author.values() if m), reverse=True)[:k]
    assert all(set(one.members.tolist()) == by_author[named[one.owner]] for one in first)
    hangs = {i for i in range(len(links)) if any(i in naive(links, list(range(99)), [p], within) for p in by_post)}
    assert set(np.flatnonzero(hanging(what, found)).tolist()) == hangs


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 3), min_size=1, max_size=12))
def test_no_post_hangs_on_itself_whatever_the_links_say(links):
    what = posts(links, authors=[1 + i % 3 for i in range(len(links))])
    found = threads(what)
    for one in largest(what, found, np.arange(len(links)), len(links)):
        assert one.owner not in one.members
    assert len(roots(found)) == len(trees(found)) == len(links)


def test_a_reply_that_quotes_hangs_on_both_and_counts_once():
    what = posts([NONE, (1, 0, 0), (2, 1, 0), NONE, (3, 4, 0)])
    found = threads(what)
    assert {one.owner: one.members.tolist() for one in viral(what, found, 9)} == {
        0: [1, 2, 4],
        1: [2, 4],
        2: [4],
        3: [4],
    }
    assert len(set(trees(found).tolist())) == 1
    assert roots(found).tolist() == [0, 0, 0, 3, 0]


def test_posts_of_ones_own_carry_on_but_do_not_count():
    what = posts([NONE, (1, 0, 0), (2, 0, 0), (0, 0, 1)], authors=[1, 1, 2, 3])
    [first, *_] = movers(what, threads(what), 3)
    assert first.members.tolist() == [2, 3]
    assert (first.depth, first.width) == (1, 2)  # from both of its posts
    [post, *_] = viral(what, threads(what), 3)
    assert (post.depth, post.width) == (2, 2)


def test_circles_are_left_out_and_what_hangs_beside_them_stays():
    what = posts([(2, 0, 0), (1, 0, 0), (1, 0, 0), (4, 0, 0)])
    found = threads(what)
    assert found.circular == 3
    assert [(one.owner, one.members.tolist()) for one in viral(what, found, 9)] == [(0, [2])]


def test_missing_parents_and_wrong_clocks_are_counted():
    what = posts([NONE, (1, 0, 0), (9, 0, 0), (1, 9, 0)], at=[5, 3, 6, 7])
    found = threads(what)
    assert (found.cut, found.backwards, found.circular) == (2, 1, 0)
    assert viral(what, found, 1)[0].members.tolist() == [1, 3]


def test_only_what_lies_within_counts_and_what_lies_before_leads_to_it():
    what = posts([NONE, (1, 0, 0), (2, 0, 0)], within=[False, False, True])
    assert [(one.owner, one.members.tolist()) for one in viral(what, threads(what), 9)] == [(0, [2]), (1, [2])]


def test_nothing_is_made_of_nothing():
    what = posts([])
    found = threads(what)
    assert viral(what, found, 5) == movers(what, found, 5) == []
    assert bridges(what, found, 5) == ([], 0)
    assert begun(what)[0].shape == (0,)


def test_a_thread_of_many_thousand_steps_is_followed_to_its_end():
    n = 20_000
    what = posts([NONE, *((i, 0, 0) for i in range(1, n))], authors=[1 + i % 2 for i in range(n)])
    [first] = viral(what, threads(what), 1)
    assert (len(first.members), first.depth, first.width) == (n // 2, n - 1, 1)


def test_a_thread_in_which_all_quote_its_first_post_is_not_followed_from_each_of_them():
    n = 3000  # so many ways lead down that they tell nothing: followed from each post, this takes minutes
    what = posts([NONE, (1, 0, 0), *((i, 1, i - 1) for i in range(2, n))])
    assert [len(one.members) for one in viral(what, threads(what), 3)] == [n - 1, n - 2, n - 3]


def test_a_curve_counts_hours_and_a_child_older_than_its_parent_came_at_once():
    came = np.array([90 * HOUR, 100 * HOUR, 100.5 * HOUR, 103 * HOUR, (101 + CURVE_HOURS) * HOUR], np.int64)
    found = curve(100 * HOUR, came)
    assert found.posts.tolist() == [3, 0, 0, 1]
    assert (found.later, found.half_hours) == (1, 0.5)
    assert curve(0, came[:1]).half_hours is None
    assert curve(0, came[:0]).posts.tolist() == []


def test_who_came_first_is_told_by_ranked_posts():
    first, earlier = begun(posts([NONE] * 4, authors=[7, 5, 5, 9], at=[30, 10, 20, 1], ranked=[1, 0, 1, 0]))
    assert first[:2].tolist() == [20, 30]
    assert earlier.tolist() == [0, 1, 2]


def test_a_bridge_is_the_only_account_that_two_large_threads_share():
    links, authors = [], []
    for number in range(3):
        root = len(links) + 1
        links += [NONE] + [(root, 0, 0)] * 5
        authors += [100 * number + i for i in range(1, 7)]
    authors[1], authors[7], authors[13] = 900, 900, 900  # takes part in all three
    authors[2], authors[8] = 901, 901  # in two of them, which share 900 as well
    found, large = bridges(posts(links, authors), threads(posts(links, authors)), 9)
    named = np.unique(authors)
    assert large == 3
    assert [(int(named[one.author]), one.threads, one.pairs) for one in found] == [(900, 3, 2)]


def test_a_quote_in_an_answer_makes_its_author_take_part_in_both_threads():
    links = [NONE, *[(1, 0, 0)] * 5, NONE, *[(7, 0, 0)] * 4, (1, 7, 0)]
    [one], large = bridges(posts(links), threads(posts(links)), 9)
    assert (one.author, one.threads, one.pairs, large) == (11, 2, 1, 2)


def of_trees(sizes, shares):
    """The arrays that ``lead`` takes, of trees with so many posts, of which so many hang on one account's posts."""
    tree = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(tree)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.ones(len(tree), bool), tree, np.flatnonzero(place < np.repeat(shares, sizes))


def reached(members):
    return Reached(0, np.zeros(1, np.int64), members, 1, 1)


def test_the_interval_of_a_share_holds_the_truth_as_often_as_it_says():
    rng, held = np.random.default_rng(5), 0
    truth = 0.3
    for _ in range(200):
        sizes = 1 + rng.geometric(0.15, 120)
        hangs, tree, members = of_trees(sizes, np.where(rng.random(120) < truth, sizes, 0))
        found = lead(hangs, tree, [reached(members)])
        held += found.share.low <= truth <= found.share.high
    assert held >= 180  # 95 % of 200 less two and a half standard errors


def test_who_leads_by_one_tree_is_not_settled_and_few_trees_tell_nothing():
    hangs, tree, _ = of_trees(np.full(60, 4), np.zeros(60, int))
    one, other = np.flatnonzero(tree < 11), np.flatnonzero((tree >= 11) & (tree < 21))
    found = lead(hangs, tree, [reached(one), reached(other)])
    assert found.share.effect == pytest.approx(11 / 60)
    assert 0.4 < found.stays < 0.8
    assert found.trees == 11
    with pytest.raises(TooFewPosts):
        lead(hangs[:40], tree[:40], [reached(one[:4])])
