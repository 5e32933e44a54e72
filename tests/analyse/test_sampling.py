from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.analyse.sampling import Sample, design, draw, placed, sample_of
from monitor.analyse.shares import estimate_share
from monitor.errors import MonitorError
from monitor.records import Estimate, Slice
from tests.analyse.histories import History, a_history

START = datetime(2026, 11, 1, tzinfo=UTC)
counts_of_hours = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 20_000)), min_size=1, max_size=80)


def estimated(history: History, budget: int, seed: int) -> Estimate:
    """The share of those who leave as a draw of ``budget`` posts shows it."""
    plan = design(history.counts, budget)
    slices = draw(plan, START, seed)
    unit, read = reading(history, slices)
    return estimate_share(
        history.leaves[read],
        np.array([one.weight for one in slices])[unit],
        np.array([one.stratum for one in slices])[unit],
        plan.sizes,
        units=unit,
        drawn=plan.drawn,
    )


def reading(history: History, slices: Sequence[Slice]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """For each post that lies in a slice, which slice and which post."""
    edges = [[(at - START).total_seconds() for at in (one.window.start, one.window.end)] for one in slices]
    first, last = np.searchsorted(history.at, np.array(edges)).T
    unit = np.repeat(np.arange(len(slices)), last - first)
    return unit, np.concatenate([np.arange(low, high) for low, high in zip(first, last, strict=True)])


@given(counts_of_hours, st.integers(2, 5000))
def test_every_hour_with_posts_has_a_chance_and_every_stratum_two_slices_or_all(counts, budget):
    plan = design(counts, budget)
    assert (plan.probability[plan.stratum][plan.counts > 0] > 0).all()
    assert (plan.probability <= 1).all()
    assert (plan.drawn >= np.minimum(plan.available, 2)).all()
    assert (np.diff(plan.stratum) >= 0).all()
    assert plan.sizes.sum() == sum(counts)


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=80), st.integers(2, 5000))
def test_no_more_is_expected_to_be_read_than_the_budget_buys(counts, budget):
    # Slices are whole: one a stratum is the most that rounding adds, and the running sum takes it off again.
    assert design(counts, budget).expected <= min(budget, sum(counts)) * 1.05 + 5


def test_hours_are_strata_of_their_own_where_the_budget_allows_and_longer_ones_where_not():
    counts = np.full(48, 100)
    assert len(design(counts, 1000).drawn) == 48
    few = design(counts, 50)
    assert len(few.drawn) == 24
    assert set(np.bincount(few.stratum)) == {2}


def test_peaks_are_read_more_and_quiet_hours_with_the_greater_chance():
    plan = design([40, 4000, 40], 500)
    read = plan.probability * plan.sizes
    assert read.argmax() == plan.stratum[1]
    assert plan.probability[plan.stratum[1]] < plan.probability[plan.stratum[0]]


def test_a_budget_that_buys_the_census_reads_every_hour_with_posts_whole():
    plan = design([3, 0, 7], 10)
    slices = draw(plan, START)
    assert plan.expected == 10
    assert [one.weight for one in slices] == [1, 1]
    assert [one.window.start for one in slices] == [START, START + timedelta(hours=2)]
    assert [one.window.end - one.window.start for one in slices] == [timedelta(hours=1)] * 2


def test_a_budget_of_one_post_is_refused_and_an_empty_census_needs_none():
    with pytest.raises(MonitorError, match="1 posts"):
        design([30, 40], 1)
    assert draw(design([0, 0], 0), START) == []


@given(counts_of_hours, st.integers(2, 2000), st.integers(0, 9))
def test_slices_are_whole_seconds_apart_and_as_many_as_designed(counts, budget, seed):
    plan = design(counts, budget)
    slices = draw(plan, START, seed)
    assert np.bincount([one.stratum for one in slices], minlength=len(plan.drawn)).tolist() == plan.drawn.tolist()
    edges = [at for one in slices for at in (one.window.start, one.window.end)]
    assert edges == sorted(edges)
    assert all(one.window.start < one.window.end and one.window.start.microsecond == 0 for one in slices)
    assert all(counts[int((one.window.start - START).total_seconds() // 3600)] > 0 for one in slices)


def test_every_post_is_read_as_often_as_its_probability_says():
    times = [START + timedelta(seconds=s) for s in np.sort(np.random.default_rng(3).uniform(0, 6 * 3600, 300))]
    counts = np.bincount([(at - START) // timedelta(hours=1) for at in times], minlength=6)
    plan = design(counts, 60)
    read = np.mean([placed(draw(plan, START, seed), times) >= 0 for seed in range(2000)], axis=0)
    chance = plan.probability[plan.stratum[[(at - START) // timedelta(hours=1) for at in times]]]
    assert np.abs(read - chance).max() < 4.5 * np.sqrt(chance * (1 - chance) / 2000).max()


def test_a_time_between_slices_stands_in_none():
    slices = draw(design([600], 30), START, 0)
    middle = [one.window.start for one in slices]
    assert placed(slices, middle).tolist() == list(range(len(slices)))
    assert placed(slices, [START - timedelta(days=1), START + timedelta(days=1)]).tolist() == [-1, -1]
    assert placed([], [START]).tolist() == [-1]


@dataclass(frozen=True, slots=True)
class Trial:
    bias: float
    error: float
    covered: float
    width: float
    foreseen: float


def tried(budget: int, times: int, share: float | None = None, histories: int = 200) -> Trial:
    """Draws ``times`` samples of each of ``histories``; says how the estimate did, bias in ideal standard errors."""
    chance = np.random.default_rng(budget)
    z, covered, width, foreseen = [], [], [], []
    while len(z) < histories:
        history = a_history(chance, share)
        if len(history.at) < 1.2 * budget:
            continue
        truth = history.leaves.mean()
        found = [estimated(history, budget, seed) for seed in range(times)]
        # Not the errors' own deviation: of a skewed estimate it is large where the mean is, and would bias the bias.
        z.append((np.mean([one.effect for one in found]) - truth) / np.sqrt(truth * (1 - truth) / budget))
        covered.append(np.mean([one.low <= truth <= one.high for one in found]))
        width.append(np.mean([one.high - one.low for one in found]))
        low, high = sample_of(history.counts, budget).interval(truth)
        foreseen.append(high - low)
    ratio = np.median(np.array(width) / np.array(foreseen))
    told = Trial(np.mean(z), np.std(z) / histories**0.5, np.mean(covered), np.mean(width), ratio)
    print(budget, share, told)
    return told


@pytest.mark.parametrize("budget", [400])
def test_the_share_is_unbiased_in_200_histories_and_its_interval_covers(budget):
    trial = tried(budget, times=8)
    assert abs(trial.bias) < 2 * trial.error
    assert 0.93 < trial.covered < 0.97
    assert 0.8 < trial.foreseen < 1.25


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "share", "most"), [(100, None, 0.97), (2000, None, 0.97), (400, 0.005, 0.98)])
def test_the_share_is_unbiased_and_its_interval_covers_in_many_draws(budget, share, most):
    trial = tried(budget, 12, share)
    assert abs(trial.bias) < 2 * trial.error
    assert 0.93 < trial.covered < most


def test_what_is_foreseen_narrows_with_the_budget_down_to_nothing():
    history = a_history(np.random.default_rng(5))
    budgets = [100, 1000, 3000, len(history.at)]
    samples = [sample_of(history.counts, budget) for budget in budgets]
    intervals = [sample.interval(0.1) for sample in samples]
    widths = [high - low for low, high in intervals]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0
    assert all(low <= 0.1 <= high for low, high in intervals)
    assert [sample.posts for sample in samples] == [pytest.approx(budget, rel=0.1) for budget in budgets]


def test_an_interval_is_wilsons_and_stays_between_nothing_and_all():
    low, high = Sample(100, 20, 100.0).interval(0.1)
    assert (low, high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))  # 10 of 100
    assert Sample(2, 1, 1.0).interval(0.0)[0] == 0.0


@pytest.mark.parametrize("counts", [[], [0, 0], [1], [5, 0, 0]])
def test_few_posts_or_none_are_no_fault(counts):
    found = sample_of(counts, 2)
    assert found.posts <= max(sum(counts), 2)
    assert all(0 <= end <= 1 for end in found.interval(0.5))
