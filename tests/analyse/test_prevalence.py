"""Planted prevalence comes back, within intervals that cover it as often as they say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from monitor.analyse.powered import chance_weights, powered
from monitor.analyse.prevalence import Scored, adjusted, between_slices, emq, simplex
from monitor.classify.sample import inclusion
from monitor.errors import TooFewPosts
from monitor.records import Confusion, Estimate
from tests.validation.prevalence import confused, planted, scored_of

ISSUE = Confusion(  # the issue's example: sensitivity 80 %, false positives 5 %
    "concern2",
    ("no", "yes"),
    ((950, 50), (200, 800)),
    ((0.95, 0.05), (0.2, 0.8)),
    (((0.0475, -0.0475), (-0.0475, 0.0475)), ((0.16, -0.16), (-0.16, 0.16))),
    (1.0, 1.0),
)


def contains(found: Estimate, share: float) -> bool:
    return bool(found.low <= share <= found.high)


def raw(share: float, n: int = 100_000) -> Scored:
    read = n * (share * 0.8 + (1 - share) * 0.05)
    return Scored(n, n, n, (n - read, read), (n - read, read), (0, 0))


@pytest.mark.parametrize("method", ["ACC", "PACC"])
@pytest.mark.parametrize("share", [0.02, 0.4])
def test_a_true_2_percent_that_reads_as_6_5_is_2_percent_again(method: str, share: float) -> None:
    found = adjusted(raw(share), ISSUE, method)[1]  # type: ignore[arg-type]
    assert found.effect == pytest.approx(share, abs=1e-4)
    assert found.low < share < found.high
    assert method in found.method


def test_no_share_is_negative_and_all_are_one_whole() -> None:
    found = adjusted(raw(-0.02), ISSUE)
    assert [one.effect for one in found] == pytest.approx([1, 0], abs=1e-6)
    assert 0 <= found[1].low <= found[1].effect < found[1].high < 0.05
    assert simplex(np.eye(3), np.array([0.2, 0.3, 0.5])) == pytest.approx([0.2, 0.3, 0.5])


def test_the_interval_is_wider_where_fewer_posts_were_held_out_and_where_posts_stand_for_others() -> None:
    few = Confusion("concern2", ISSUE.classes, ((95, 5), (20, 80)), ISSUE.means, ISSUE.spreads, (1.0, 1.0))
    full = adjusted(raw(0.2), ISSUE)[1]
    assert adjusted(raw(0.2), few)[1].high - full.high > 0.01
    scored = raw(0.2, 1000)
    sampled = replace(scored, between=(0.001, 0.001))
    assert adjusted(sampled, ISSUE)[1].high > adjusted(scored, ISSUE)[1].high + 0.01


def test_a_text_that_half_of_all_posts_copy_is_one_draw_of_the_classifiers_errors() -> None:
    alone, copied = raw(0.2, 1000), replace(raw(0.2, 1000), squares=500**2 + 500)
    assert adjusted(copied, ISSUE)[1].high > adjusted(alone, ISSUE)[1].high + 0.05


def test_posts_of_one_slice_that_say_the_same_are_worth_less_than_posts_that_do_not() -> None:
    weights, posts = np.full(40, 10.0), np.full(40, 5)
    mixed, alike = np.tile([[4, 1]], (40, 1)), np.array([[0, 5]] * 8 + [[5, 0]] * 32)
    alone = 40 * 5 * 90 / 2000**2
    assert between_slices(weights, posts, mixed, (0.8, 0.2), 2000) == pytest.approx([alone, alone])
    assert between_slices(weights, posts, alike, (0.8, 0.2), 2000) == pytest.approx([5 * alone, 5 * alone])
    assert between_slices([], [], [], (0.8, 0.2), 2000) == pytest.approx([0, 0])
    assert between_slices(weights, posts, [[5, 0]] * 40, (1, 0), 2000) == pytest.approx([alone, alone])


def test_emq_finds_the_prior_of_calibrated_scores() -> None:
    chance = np.random.default_rng(3)
    truth = chance.random(40_000) < 0.1
    x = chance.normal(truth * 2.0, 1)
    scores = 1 / (1 + np.exp(-(2 * x - 2)))  # calibrated at one half
    found = emq(np.stack([1 - scores, scores], axis=1), [0.5, 0.5])
    assert found[1] == pytest.approx(truth.mean(), abs=0.006)
    assert found[1] == pytest.approx(0.10206741, abs=1e-5)  # what EMQ.EM of QuaPy 0.2.3 finds


def test_too_few_posts_are_refused_with_the_numbers() -> None:
    with pytest.raises(TooFewPosts, match="3 posts, and 10"):
        adjusted(Scored(3, 3, 3, (2, 1), (2, 1), (0, 0)), ISSUE)
    with pytest.raises(TooFewPosts):
        powered(raw(0.1), 1, [0, 1], [0.1, 0.9], [1, 1], [1, 1])


def test_ppi_is_what_the_authors_package_says() -> None:
    """Recorded from ppi-python 0.2.3: it needs numba, and its wheel installs a package named tests over ours."""
    chance = np.random.default_rng(5)
    truth, scores = planted(chance, 20_000, 0.3)
    some = chance.choice(len(truth), 500, replace=False)
    y, told = truth[some].astype(float), scores[some]
    found = powered(scored_of(scores), 1, y, told, np.ones(500), np.full(500, 500 / 20_000))
    assert found.effect == pytest.approx(0.31140707, abs=0.001)
    # Theirs is of an endless population, ours of the 20,000 posts: no spread of their scores, and 1.3 % less.
    assert found.high - found.low == pytest.approx(0.33488929 - 0.28792486, rel=0.04)


def test_ppi_is_narrower_than_the_labels_alone_and_never_leans_on_useless_scores() -> None:
    chance = np.random.default_rng(6)
    truth, scores = planted(chance, 20_000, 0.3)
    some = chance.choice(len(truth), 400, replace=False)
    y, same = truth[some].astype(float), np.ones(400)
    of = scored_of(scores), 1, y
    good = powered(*of, scores[some], same, same * 0.02)
    alone = powered(*of, scores[some], same, same * 0.02, power=0)
    useless = powered(*of, chance.random(400), same, same * 0.02)
    assert good.high - good.low < 0.9 * (alone.high - alone.low)
    assert useless.high - useless.low < 1.05 * (alone.high - alone.low)


@pytest.mark.parametrize("share", [0.01, 0.02, 0.2, 0.6])
def test_intervals_cover_the_planted_share(share: float) -> None:
    covered = {"PACC": 0, "PPI": 0, "active": 0}
    rounds = 120
    for seed in range(rounds):
        chance = np.random.default_rng(seed)
        truth, scores = planted(chance, 4000, share)
        held = confused(chance, 400)
        covered["PACC"] += contains(adjusted(scored_of(scores), held)[1], truth.mean())
        for name, weights in (("PPI", np.ones(4000)), ("active", chance_weights(scores, np.ones(4000)))):
            chances = inclusion(weights, 300)
            some = np.flatnonzero(chance.random(4000) < chances)
            found = powered(scored_of(scores), 1, truth[some], scores[some], np.ones(len(some)), chances[some])
            covered[name] += contains(found, truth.mean())
    least = 0.95 - 3 * math.sqrt(0.05 * 0.95 / rounds)
    assert all(n / rounds >= least for n in covered.values()), covered


@pytest.mark.parametrize(("share", "labelled"), [(0.05, 40), (0.1, 30), (0.2, 30)])
def test_intervals_of_few_labels_are_no_narrower_than_they_may_be(share: float, labelled: int) -> None:
    covered, rounds = 0, 150
    for seed in range(rounds):
        chance = np.random.default_rng((seed, labelled))
        truth, scores = planted(chance, 3000, share)
        some = chance.choice(len(truth), labelled, replace=False)
        ones, drawn = np.ones(labelled), np.full(labelled, labelled / len(truth))
        found = powered(scored_of(scores), 1, truth[some].astype(float), scores[some], ones, drawn)
        covered += contains(found, truth.mean())
    assert covered / rounds >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / rounds)
