"""Effects that were planted are found, those that were not are not, and what cannot be told is refused."""

import numpy as np
import pytest

from monitor.analyse.checks import copypasta, covered, one_author, overlapping, placebo_dates, pre_trend, side
from monitor.analyse.event_study import effect, study
from monitor.analyse.findings import outcome, refusal, refused, shortened
from monitor.analyse.placebos import Placed
from monitor.analyse.regression import Measure, clock, fit, terms

HOURS, AT, WIDTH = 24 * 200, 24 * 140, 72


def counts(rate=2.0, factor=1.0, at=AT, seed=1, hours=HOURS):
    rng = np.random.default_rng(seed)
    daily = np.exp(0.5 * np.sin(np.arange(hours) / 24 * 2 * np.pi))
    since = (np.arange(hours) - at) / WIDTH
    planted = 1 + (factor - 1) * np.where(since >= 0, np.exp(-np.maximum(since, 0)) * 1.582, 0)
    return rng.poisson(rng.gamma(5, rate * daily * planted / 5)).astype(float)


def told_of(posts, collected=None, events=((AT, WIDTH),), **fields):
    seen = np.ones(len(posts)) if collected is None else collected
    return study(Measure("posts", posts, **fields), seen, [Placed(*event) for event in events])


def test_a_planted_effect_is_found_with_its_counts_and_band():
    found = effect(told_of(counts(factor=3)), 0)
    assert found.estimate.low < 3 < found.estimate.high
    assert side(found.estimate) == 1
    assert found.added[1] < found.added[0] < found.added[2] < found.found
    assert found.expected.shape == (WIDTH,)


def test_a_fall_is_found():
    found = effect(told_of(counts(rate=5, factor=0.5)), 0)
    assert side(found.estimate) == -1


def test_no_event_has_no_effect_in_nearly_all():
    sides = [side(effect(told_of(counts(seed=seed)), 0).estimate) for seed in range(20)]
    assert np.abs(sides).sum() <= 3


def test_the_regression_is_that_of_statsmodels():
    import statsmodels.api as sm

    posts = counts(factor=2, hours=24 * 60, at=24 * 40)
    fitted = fit(Measure("posts", posts), np.ones(len(posts)), [(24 * 40, WIDTH)])
    design = np.concatenate([clock(len(posts)), terms(len(posts), 24 * 40, WIDTH)], axis=1)
    oracle = sm.GLM(posts, design, sm.families.NegativeBinomial(alpha=0.2)).fit()
    assert fitted.rate == pytest.approx(oracle.mu, rel=0.05)


def test_a_share_by_quasi_binomial_is_that_of_statsmodels():
    import statsmodels.api as sm

    posts = counts(rate=5, hours=24 * 60, at=24 * 40)
    leaving = np.random.default_rng(3).binomial(posts.astype(int), 0.3).astype(float)
    fitted = fit(Measure("share", leaving, posts), np.ones(len(posts)), [(24 * 40, WIDTH)])
    some = posts > 0
    oracle = sm.GLM(np.stack([leaving, posts - leaving], 1)[some], fitted.design[some], sm.families.Binomial()).fit()
    assert fitted.rate[some] == pytest.approx(oracle.mu, rel=0.01)


def test_two_events_are_told_apart():
    posts = counts(factor=3)
    told = told_of(posts, events=((AT, WIDTH), (AT - 24 * 60, WIDTH)))
    assert side(effect(told, 0).estimate) == 1
    assert side(effect(told, 1).estimate) == 0


def test_an_outage_does_not_look_like_calm():
    posts, collected = counts(rate=5), np.ones(HOURS)
    collected[AT + 10 : AT + 40] = 0
    posts[AT + 10 : AT + 40] = 0
    told = told_of(posts, collected)
    assert side(effect(told, 0).estimate) == 0
    assert covered(collected, told.events[0]).passed is False


def test_half_of_an_hour_collected_is_half_of_an_hour():
    posts, collected = counts(rate=20), np.ones(HOURS)
    collected[AT : AT + WIDTH] = 0.6
    posts[AT : AT + WIDTH] = np.rint(posts[AT : AT + WIDTH] * 0.6)
    assert effect(told_of(posts, collected), 0).estimate.effect == pytest.approx(1, abs=0.15)


def test_a_share_is_corrected_for_labels_that_err():
    rng, posts = np.random.default_rng(5), counts(rate=30)
    share = np.full(HOURS, 0.1)
    share[AT : AT + WIDTH] = 0.3
    true = rng.binomial(posts.astype(int), share)
    labelled = (rng.binomial(true, 0.8) + rng.binomial(posts.astype(int) - true, 0.05)).astype(float)
    plain = effect(told_of(labelled, out_of=posts), 0).estimate
    mended = effect(told_of(labelled, out_of=posts, wrong=(100, 2000)), 0).estimate
    assert plain.high < 3
    assert mended.low < 3 < mended.high


@pytest.mark.parametrize(
    ("posts", "at", "check"),
    [
        (np.zeros(HOURS), AT, "posts before"),
        (np.where(np.arange(HOURS) == AT + 3, 1.0, 0.0), AT, "posts before"),
        (counts(), HOURS + 100, "time since"),
        (counts(), HOURS - 3, "time since"),
        (counts(), 0, "posts before"),
        (counts(), -500, "posts before"),
        (counts(rate=0.002), AT, "posts"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_numbers(posts, at, check):
    told = study(Measure("posts", posts), np.ones(HOURS), [shortened(Placed(at, WIDTH), HOURS)])
    why = refusal(told, 0) or refusal(told, 0, effect(told, 0))
    assert why is not None
    assert why.name == check
    answer = refused("posts", "Letter", why)
    assert answer.estimate is None
    assert answer.sentence.startswith("Cannot tell whether “Letter” changed posts: ")
    assert any(letter.isdigit() for letter in answer.sentence)


def test_nothing_collected_is_a_refusal():
    told = told_of(np.zeros(HOURS), np.zeros(HOURS))
    assert refusal(told, 0) is not None


def test_overlapping_windows_cannot_be_told_apart_and_the_sentence_says_so():
    told = told_of(counts(factor=4), events=((AT, WIDTH), (AT + 20, WIDTH)))
    check = overlapping(told.events, ["Letter", "Reply"], 0)
    assert check.passed is False
    sentence = outcome(told, effect(told, 0), "Letter", "3 days", [check]).sentence
    assert sentence.endswith("This cannot be put down to the event: its window overlaps that of Reply.")


def test_an_outcry_under_way_before_fails_the_pre_trend():
    posts = counts(factor=8, at=AT - 48)
    told = told_of(posts)
    assert pre_trend(told, 0, effect(told, 0)).passed is False


def test_one_viral_account_and_copied_texts_change_the_sentence():
    calm = counts(rate=5)
    loud = calm.copy()
    loud[AT : AT + WIDTH] += 15
    told = told_of(loud)
    found, rest = effect(told, 0), effect(told_of(calm), 0)
    made = [one_author(found, rest, 0.75), copypasta(found, rest)]
    assert [check.passed for check in made] == [False, False]
    assert "; but one account wrote 75% of it" in outcome(told, found, "Letter", "3 days", made).sentence


def test_placebo_dates_pass_where_one_time_is_like_another():
    told = told_of(counts(factor=3))
    check = placebo_dates(told, 0, effect(told, 0))
    assert check.passed
    assert "seem to have an effect where 5% should" in check.text


def test_placebo_dates_fail_where_the_past_was_calmer_than_what_came_later():
    """An interval made of all dates holds 95 % of all dates whatever they are; those of the calm time do not."""
    posts = counts(rate=5)
    wild = np.random.default_rng(4).gamma(0.5, 2.0, HOURS // 72 + 1)
    posts[HOURS // 2 :] = np.rint(posts * np.repeat(wild, 72)[:HOURS])[HOURS // 2 :]
    told = told_of(posts, events=((HOURS - 5 * 24, WIDTH),))
    found = effect(told, 0)
    check = placebo_dates(told, 0, found)
    assert check.passed is False
    assert f"; but {check.text}" in outcome(told, found, "Letter", "3 days", [check]).sentence


def test_placebo_dates_are_not_made_where_little_is_quiet():
    told = told_of(counts(hours=24 * 20, at=24 * 12, factor=30), events=((24 * 12, WIDTH),))
    found = effect(told, 0)
    check = placebo_dates(told, 0, found)
    assert check.passed is None
    assert outcome(told, found, "Letter", "3 days", [check]).sentence.endswith("on placebo dates.")
    quiet = told_of(counts(hours=24 * 20, at=24 * 12), events=((24 * 12, WIDTH),))
    assert outcome(quiet, effect(quiet, 0), "Letter", "3 days", [check]).sentence.endswith("no clear change.")
