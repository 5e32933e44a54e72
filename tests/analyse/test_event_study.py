"""The event study: a known effect is found, none is not invented, and what cannot be told is said to be so."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analyse import checks
from monitor.analyse.event_study import Study, effect, foreseen, study
from monitor.analyse.segments import Placed, binomial, event_terms, fit, negative_binomial, sandwich
from monitor.analyse.share_study import share_effect

HOURS, AT, WIDE = 24 * 90, 24 * 60, 72
EVENT = Placed(AT, WIDE)


def counts(factor: float = 1.0, rate: float = 4.0, seed: int = 1, hours: int = HOURS) -> np.ndarray:
    rng, mean = np.random.default_rng(seed), np.full(hours, rate) * (1 + 0.4 * np.sin(np.arange(hours) * np.pi / 12))
    mean[AT : AT + WIDE] *= factor
    return rng.negative_binomial(3, 3 / (3 + mean)).astype(np.float64)


def studied(posts: np.ndarray, collected: np.ndarray | None = None, *events: Placed) -> Study:
    return study(posts, np.ones(len(posts)) if collected is None else collected, events or (EVENT,))


def test_a_known_effect_lies_in_its_interval_and_none_is_not_invented() -> None:
    found = effect(studied(counts(3.0)), 0)
    assert found.estimate.low < 3 < found.estimate.high
    assert found.estimate.low > 1
    assert found.added[0] == pytest.approx(found.estimate.n * (1 - 1 / found.estimate.effect))
    nothing = effect(studied(counts()), 0).estimate
    assert nothing.low <= 1 <= nothing.high


def test_an_outage_is_no_calm_and_its_hours_are_left_out() -> None:
    collected, posts = np.ones(HOURS), counts()
    collected[AT : AT + 40] = 0
    found = effect(studied(np.where(collected > 0, posts, 0), collected), 0).estimate
    assert found.low <= 1 <= found.high
    half = np.full(HOURS, 1.0)
    half[AT:] = 0.6
    thinned = np.random.default_rng(5).binomial(posts.astype(int), half).astype(np.float64)
    thinned_effect = effect(studied(thinned, half), 0).estimate
    assert thinned_effect.low <= 1 <= thinned_effect.high


def test_without_a_prior_the_fit_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    design = np.concatenate([np.ones((400, 1)), event_terms(400, Placed(200, 48))], axis=1)
    none, offset = np.zeros(4), rng.uniform(-0.5, 0, 400)
    posts = rng.poisson(np.exp(design @ [1.0, 1.0, -0.5, -0.5] + offset)).astype(np.float64)
    family = sm.families.NegativeBinomial(alpha=0.3)
    theirs = sm.GLM(posts, design, family, offset=offset).fit(tol=1e-12, maxiter=100)
    ours = fit(design, posts, offset, negative_binomial(0.3), none)
    assert ours.parameters == pytest.approx(theirs.params, abs=1e-6)
    # Of rates without overdispersion the observed information, which statsmodels takes, is the expected one.
    model = sm.GLM(posts, design, sm.families.Poisson(), offset=offset)
    robust = model.fit(tol=1e-12, cov_type="HAC", cov_kwds={"maxlags": 24, "use_correction": False})
    rates = fit(design, posts, offset, negative_binomial(0.0), none)
    assert sandwich(design, rates, none, 24) == pytest.approx(robust.cov_params(), rel=1e-4, abs=1e-9)
    n = rng.integers(1, 20, 400).astype(np.float64)
    part = rng.binomial(n.astype(int), 0.3).astype(np.float64)
    both = np.stack([part, n - part], axis=1)
    logistic = sm.GLM(both, design, sm.families.Binomial()).fit(tol=1e-12)
    shares = fit(design, part, np.zeros(400), binomial(n), none)
    assert shares.parameters == pytest.approx(logistic.params, abs=1e-6)


def test_events_close_together_widen_the_interval_and_fail_a_check() -> None:
    other = Placed(AT + 10, WIDE)
    alone, beside = effect(studied(counts(3.0)), 0), effect(studied(counts(3.0), None, EVENT, other), 0)
    assert _width(beside) > _width(alone)
    check = checks.overlapping((EVENT, other), 0, ("ours", "theirs"))
    assert check.passed is False
    assert "“theirs”" in check.text
    assert checks.overlapping((EVENT,), 0, ("ours",)).passed is True


def _width(found: object) -> float:
    return math.log(found.estimate.high / found.estimate.low)  # type: ignore[attr-defined]


def test_one_viral_account_does_not_pass_for_a_movement() -> None:
    loud = np.zeros(HOURS)
    loud[AT : AT + WIDE] = 12
    posts = counts() + loud
    fitted = studied(posts)
    found = effect(fitted, 0)
    assert found.estimate.low > 1
    assert checks.one_account(fitted, 0, found, loud).passed is False
    assert checks.one_account(studied(counts(4.0)), 0, effect(studied(counts(4.0)), 0), loud * 0).passed is True


def test_all_posts_by_one_author_are_said_to_be() -> None:
    posts = counts(3.0)
    fitted = studied(posts)
    check = checks.one_account(fitted, 0, effect(fitted, 0), posts)
    assert check.passed is False
    assert "one account" in check.text


def test_copied_texts_are_found_out() -> None:
    posts = counts(4.0)
    copied, texts = effect(studied(posts), 0), effect(studied(counts()), 0)
    assert checks.copies(copied, texts).passed is False
    assert checks.copies(copied, copied).passed is True


def test_a_volume_that_had_moved_before_is_told() -> None:
    posts = counts(5.0)
    posts[AT - 60 : AT] *= 6
    check = checks.before(studied(posts), 0)
    assert check.passed is False
    assert checks.before(studied(counts(5.0)), 0).passed is True


def test_a_short_history_leaves_the_checks_open() -> None:
    posts = counts(3.0)[AT - 100 : AT + WIDE]
    fitted = studied(posts, None, Placed(100, WIDE))
    assert checks.own_swings(fitted).passed is None
    assert checks.before(fitted, 0).passed is None


def test_hours_hardly_collected_fail_the_coverage_check() -> None:
    collected = np.ones(HOURS)
    collected[AT : AT + 20] = 0
    check = checks.covered(studied(counts() * collected, collected), 0)
    assert check.passed is False
    assert "72%" in check.text


@settings(max_examples=40, deadline=None)
@given(
    posts=st.lists(st.integers(0, 300), min_size=48, max_size=400),
    at=st.integers(24, 380),
    wide=st.integers(24, 200),
    missing=st.sets(st.integers(0, 399)),
)
def test_whatever_the_history_numbers_are_finite(posts: list[int], at: int, wide: int, missing: set[int]) -> None:
    hours = len(posts)
    event = Placed(min(at, hours - 1), wide)
    collected = np.ones(hours)
    collected[[hour for hour in missing if hour < hours]] = 0
    fitted = studied(np.where(collected > 0, np.array(posts, float), 0), collected, event)
    if fitted.seen[event.window].any() and foreseen(fitted, 0) > 0:
        found = effect(fitted, 0)
        assert all(map(math.isfinite, (found.estimate.effect, found.estimate.low, found.estimate.high, *found.added)))
        assert found.estimate.low <= found.estimate.effect <= found.estimate.high


def test_a_share_that_falls_is_seen_and_few_posts_are_refused() -> None:
    posts, rate = counts(1.0, 8.0), np.full(HOURS, 0.4)
    fallen = np.where((np.arange(HOURS) >= AT) & (np.arange(HOURS) < AT + WIDE), 0.15, rate)
    covered = {"steady": 0, "fallen": 0}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        for name, truth, by in (("steady", rate, 0.0), ("fallen", fallen, -0.25)):
            part = rng.binomial(posts.astype(int), truth).astype(np.float64)
            found = share_effect(part, posts, (EVENT,), 0)
            assert found is not None
            assert found.high < 0 or name == "steady"
            covered[name] += found.low <= by <= found.high
    assert min(covered.values()) >= 10  # of 12 intervals at 95 %, two miss once in fifty times
    assert share_effect(posts * 0, posts, (EVENT,), 0) is None
    few = np.where(np.arange(HOURS) % 200 == 0, 1.0, 0.0)
    assert share_effect(few, few, (EVENT,), 0) is None
