"""A sample of X's past in the store: drawn once, weighted, and what it says against the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitor.analyse.sampling import placed
from monitor.classify.release import read_card
from monitor.collect.x_sample import stream_of
from monitor.errors import MonitorError
from monitor.prevalence import corrected
from monitor.records import Batch, Gap, Window
from monitor.sampled import drawn, findings
from monitor.store import Store, views
from monitor.store.queries import gaps
from monitor.store.views import Scope, series
from tests.collect.rig import TOPIC
from tests.conftest import T0, a_post
from tests.scored import score

MODEL = read_card()["model_id"]
HOURS = 24
WINDOW = Window(T0, T0 + timedelta(hours=HOURS))
RATES = np.array([3] * 8 + [60, 50, 40, 30, 20, 15, 10, 8] + [5] * 8)


def history(seed: int):
    """Posts on X of a day with an outcry, those with removal talk, and how many X counts by the hour."""
    chance = np.random.default_rng(seed)
    counts = chance.poisson(RATES)
    seconds = np.concatenate([hour * 3600 + np.sort(chance.uniform(0, 3600, n)) for hour, n in enumerate(counts)])
    posts = [
        a_post(
            number,
            platform="x",
            post_id=str(number),
            author_id=str(number % 97),
            observed_at=T0 + timedelta(seconds=float(at)),
            source="search",
            matched=("soundcloud-ai/any",),
        )
        for number, at in enumerate(seconds, 1)
    ]
    return posts, chance.random(len(posts)) < np.where(seconds < 12 * 3600, 0.3, 0.1), counts


def read(store: Store, posts, is_leaving, counts, size: int) -> str:
    """Draw a sample and store what its collector would bring, scored."""
    stream, slices = drawn(store, TOPIC, WINDOW, counts, size)
    place = placed(slices, [post.observed_at for post in posts])
    found = [
        (post, slices[i].weight, leaves) for post, i, leaves in zip(posts, place, is_leaving, strict=True) if i >= 0
    ]
    weighted = [(_weighted(post, weight), leaves) for post, weight, leaves in found]
    store.commit(Batch(stream, posts=tuple(post for post, _ in weighted)))
    for stage, leaving in (("done", True), ("none", False)):
        score(store, [post for post, leaves in weighted if leaves == leaving], removal=stage)
    return stream


def _weighted(post, weight):
    return replace(post, sample_weight=weight)


def test_shares_and_volumes_of_samples_are_right_on_average_and_their_intervals_hold_the_truth(tmp_path):
    posts, is_leaving, counts = history(1)
    shares, volumes, holds = [], [], []
    for number in range(30):
        store = Store(tmp_path / f"{number}.duckdb")
        stream = read(store, posts, is_leaving, counts, 150)
        [relevant, removal] = findings(store, TOPIC, stream)
        assert relevant.estimate.effect == 1
        shares.append(removal.estimate.effect)
        holds.append(removal.estimate.low <= is_leaving.mean() <= removal.estimate.high)
        table = series(store, Scope(), WINDOW, 3600)
        volumes.append(float(np.nansum(table["posts"].to_numpy())))
    assert np.mean(shares) == pytest.approx(is_leaving.mean(), abs=3 * np.std(shares) / 30**0.5)
    assert np.mean(volumes) == pytest.approx(len(posts), rel=0.05)
    assert np.mean(holds) >= 0.85  # of 30; the 93 to 97 % are asked of 200 histories in test_sampling


def test_who_asks_for_the_same_sample_gets_what_was_drawn_first(store):
    _, _, counts = history(2)
    stream, first = drawn(store, TOPIC, WINDOW, counts, 100)
    assert (stream, first) == drawn(store, TOPIC, WINDOW, counts, 100)
    assert stream == stream_of(TOPIC, WINDOW, 100)


def test_a_second_sample_of_a_time_is_refused_and_the_first_is_named(store):
    """Each would stand for all posts: series over both held 1.8 times as many."""
    _, _, counts = history(2)
    stream, _ = drawn(store, TOPIC, WINDOW, counts, 100)
    last = Window(WINDOW.end - timedelta(hours=1), WINDOW.end + timedelta(hours=1))
    for window, hourly in ((WINDOW, counts), (last, counts[:2])):
        with pytest.raises(MonitorError, match=f"stands already .{stream}") as refused:
            drawn(store, TOPIC, window, hourly, 101)
        assert "--since 2025-05-09T12:00Z --until 2025-05-10T12:00Z --sample 100;" in refused.value.hint
    drawn(store, TOPIC, Window(WINDOW.end, WINDOW.end + timedelta(hours=1)), counts[8:9], 10)
    drawn(store, TOPIC.model_copy(update={"name": "soundcloud"}), WINDOW, counts, 101)  # another topic's


def test_nothing_is_drawn_while_hours_are_uncounted(store):
    _, _, counts = history(2)
    with pytest.raises(MonitorError, match="1 of 24 hours are not counted"):
        drawn(store, TOPIC, WINDOW, np.append(counts[:-1], -1), 100)
    assert drawn(store, TOPIC, WINDOW, counts, 100)[1]


def test_the_time_of_a_sample_is_a_gap_until_it_is_read_whole(store):
    _, _, counts = history(2)
    stream, _ = drawn(store, TOPIC, WINDOW, counts, 100)
    [gap] = views.gaps(store, WINDOW)
    assert gap == Gap(stream, WINDOW.start, WINDOW.end, "sample 100: not yet read whole")
    assert views.gaps(store, WINDOW, [TOPIC.name]) == [gap]
    assert views.gaps(store, WINDOW, ["another"]) == []
    store.commit(Batch(stream, gaps=(replace(gap, filled_by="search"),)))
    drawn(store, TOPIC, WINDOW, counts, 100)
    assert views.gaps(store, WINDOW) == []
    assert [one.filled_by for one in gaps(store)] == ["search"]


def test_imports_and_answers_in_a_slice_are_not_of_the_sample(store):
    posts, is_leaving, counts = history(1)
    stream = read(store, posts, is_leaving, counts, 150)
    asked = {"sample": stream, "platform": "x", "topic": TOPIC.name}
    found = store.read("sampled_posts", **asked).num_rows
    _, slices = drawn(store, TOPIC, WINDOW, counts, 150)
    at = slices[0].window.start
    others = [
        replace(post, post_id=f"90000{n}", observed_at=at, source=source, matched=(f"{TOPIC.name}/{rule}",))
        for n, (post, source, rule) in enumerate(
            zip(posts[:3], ("import", "search", "search"), ("any", "import", "thread"), strict=True)
        )
    ]
    store.commit(Batch("x:others", posts=tuple(others)))
    score(store, others)
    assert store.read("sampled_posts", **asked).num_rows == found


def test_a_sample_of_which_nothing_is_read_or_scored_says_so(store):
    posts, _, counts = history(3)
    stream, _ = drawn(store, TOPIC, WINDOW, counts, 100)
    assert [found.estimate for found in findings(store, TOPIC, stream)] == [None, None]
    assert "cannot tell" in findings(store, TOPIC, stream)[0].text
    store.commit(Batch(stream, posts=tuple(posts)))
    assert [found.estimate for found in findings(store, TOPIC, stream)] == [None, None]


def test_a_sample_of_one_post_is_refused(store):
    with pytest.raises(MonitorError, match="buys no sample"):
        drawn(store, TOPIC, WINDOW, history(4)[2], 1)


def test_a_post_that_was_also_read_whole_counts_once(store):
    posts, _, _ = history(5)
    store.commit(Batch("x:live", posts=(posts[0],)))
    store.commit(Batch("x:sample:s", posts=(_weighted(posts[0], 7.0), _weighted(posts[1], 7.0))))
    store.commit(Batch("x:live", posts=(posts[1],)))
    score(store, posts[:2])
    assert series(store, Scope(), WINDOW, 86_400)["posts"].to_pylist() == [2]


def test_posts_of_one_slice_that_say_the_same_widen_the_corrected_share(tmp_path):
    """Neighbours in a thread are alike: as many posts say less where whole slices leave than where one in each does."""
    widths = []
    for is_alike in (False, True):
        store = Store(tmp_path / f"{is_alike}.duckdb")
        _, slices = drawn(store, TOPIC, WINDOW, np.full(HOURS, 120), 600)
        posts, leaving = [], []
        for number, one in enumerate(slices):
            for place in range(5):
                at = one.window.start + (one.window.end - one.window.start) * (place + 0.5) / 5
                name = str(5 * number + place)
                posts.append(a_post(1, platform="x", post_id=name, observed_at=at, sample_weight=one.weight, text=name))
                leaving.append(number % 5 == 0 if is_alike else place == 0)
        store.commit(Batch("x:sample", posts=tuple(posts)))
        for stage, wanted in (("done", True), ("none", False)):
            score(
                store,
                [post for post, is_so in zip(posts, leaving, strict=True) if is_so == wanted],
                removal=stage,
                model=MODEL,
            )
        [done] = [one for one in corrected(store, Scope(), WINDOW) if one.outcome.name == "removal: done"]
        widths.append(done.outcome.estimate.high - done.outcome.estimate.low)
    assert widths[1] > 1.3 * widths[0]
