"""What an event changed, out of a store and on the command line; odd stores get a reason, not an exception."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from monitor.buckets import rows
from monitor.config import Event
from monitor.errors import ConfigError
from monitor.impact import impacts, of_release, wrong_of
from monitor.records import Batch, Confusion, Gap, Seen, Slice, Stratum, Window
from monitor.store.hours import counted, loudest, sampled
from monitor.store.views import Scope
from tests.cli.test_commands import call
from tests.conftest import T0, a_post
from tests.scored import score

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def an_event(name="letter", at=T0, kind="statement"):
    return Event(id=name, kind=kind, title=name.title(), announced=at)


def fill(store, hours, first=1, gaps=(), **fields):
    """A scored post at each of these hours after T0."""
    posts = [a_post(first + n, observed_at=T0 + hour * HOUR) for n, hour in enumerate(hours)]
    store.commit(Batch("bluesky:live", tuple(posts), seen=(Seen("bluesky:live", T0 - 40 * DAY, 1),), gaps=gaps))
    score(store, posts, **fields)


@pytest.fixture
def busy(store):
    """Forty days of about a post each two hours before the event, ten times as many after it."""
    rng = np.random.default_rng(1)
    fill(store, sorted(rng.uniform(-40 * 24, 6 * 24, 550)), concern=1)
    fill(store, sorted(rng.uniform(0, 72, 300)), first=1000, concern=3, removal="done")
    return store


def test_an_outcry_after_an_event_is_found_with_checks_and_a_band(busy):
    [found] = impacts(busy, [an_event()], [an_event()])
    posts = found.outcomes[0]
    assert posts.name == "posts"
    assert posts.estimate.low > 1
    assert posts.estimate.text.startswith("+")
    assert "times" in posts.sentence
    assert {check.name for check in posts.diagnostics} == {
        "placebo dates",
        "pre-trend",
        "overlapping windows",
        "coverage",
        "collected alike",
        "survivors only",
        "posts",
        "one author",
        "copypasta",
    }
    points = found.points
    assert len(points.found) == len(points.expected) == len(points.low) == len(points.high) == 12
    assert (points.low <= points.high).all()
    assert [one.collected for one in found.coverage[1]] == [1]
    assert found.verdict
    concern = next(one for one in found.outcomes if one.name == "share of concern 2 or more")
    assert concern.estimate.low > 1


@pytest.mark.parametrize("at", [-400 * DAY, -40 * DAY, 5.9 * DAY, 400 * DAY])
def test_an_event_outside_of_what_was_collected_gets_a_reason(busy, at):
    [found] = impacts(busy, [an_event(at=T0 + at)], [an_event(at=T0 + at)])
    assert found.outcomes[0].estimate is None
    assert found.outcomes[0].sentence.startswith("Cannot tell whether “Letter” changed posts: ")


def test_an_empty_store_and_one_post_get_a_reason(store):
    assert impacts(store, [], [an_event()])[0].outcomes[0].estimate is None
    fill(store, [1])
    assert impacts(store, [], [an_event()])[0].outcomes[0].estimate is None


def test_events_in_the_same_hour_are_told_to_overlap(busy):
    events = [an_event(), an_event("reply", T0 + HOUR)]
    for found in impacts(busy, events, events):
        assert "cannot be put down to the event: its window overlaps that of" in found.outcomes[0].sentence


def test_an_outage_after_the_event_is_not_calm(store):
    rng = np.random.default_rng(2)
    hours = [hour for hour in sorted(rng.uniform(-40 * 24, 6 * 24, 2000)) if not 5 < hour < 60]
    fill(store, hours, gaps=(Gap("bluesky:live", T0 + 5 * HOUR, T0 + 60 * HOUR, "closed"),))
    [found] = impacts(store, [an_event()], [an_event()])
    assert found.coverage[1][0].collected < 0.3
    assert found.outcomes[0].estimate is None


def test_hours_count_everything_and_the_loudest_of_each_window(store):
    fill(store, [0.1, 0.2, 1.5, 3], concern=2, removal="done")
    found = counted(store, Scope(), Window(T0, T0 + 4 * HOUR))
    assert found["posts"].tolist() == found["concern2"].tolist() == found["done"].tolist() == [2, 1, 0, 1]
    loud = [Window(T0 + 2.5 * HOUR, T0 + 4 * HOUR), Window(T0 + 9 * HOUR, T0 + 10 * HOUR)]
    assert loudest(store, Scope(), Window(T0, T0 + 4 * HOUR), loud).tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]
    assert counted(store, Scope(topics=("soundcloud-ai",)), Window(T0, T0 + 4 * HOUR))["posts"].sum() == 4
    assert counted(store, Scope(topics=("other",)), Window(T0, T0 + 4 * HOUR))["posts"].sum() == 0
    assert counted(store, Scope(platforms=("x",)), Window(T0, T0 + 4 * HOUR))["posts"].sum() == 0


def test_a_series_is_empty_where_nobody_looked_and_zero_where_nothing_was_said(store):
    start = T0.replace(hour=0, minute=0, second=0, microsecond=0)
    gap = Gap("bluesky:live", start + DAY, start + 2 * DAY, "closed")
    store.commit(Batch("bluesky:live", (), seen=(Seen("bluesky:live", T0 - 9 * DAY, 1),), gaps=(gap,)))
    fill(store, [1, 24 * 3])
    found = rows(store, Scope(), Window(start, start + 4 * DAY), 86_400)
    assert [row["posts"] for row in found] == [1, None, 0, 1]
    assert [row["collected"] for row in found][:3] == [1, 0, 1]


def test_new_authors_are_those_of_whom_nothing_earlier_is_stored(store):
    start = T0.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [("ann", -40), ("ann", 0), ("ben", 0), ("ben", 0), ("ben", 2), ("cat", 2), ("dan", 2)]
    posts = [
        a_post(n, author_id=f"did:plc:{name}", observed_at=start + day * DAY + n * HOUR)
        for n, (name, day) in enumerate(days, 1)
    ]
    store.commit(Batch("bluesky:live", tuple(posts)))
    score(store, posts[:-1])
    score(store, posts[-1:], relevant=0.1)
    found = rows(store, Scope(), Window(start, start + 3 * DAY), 86_400)
    assert [row["authors"] for row in found] == [2, 0, 2]
    assert [row["new_authors"] for row in found][::2] == [1, 1]


def test_the_command_prints_the_agreed_json_and_names_known_ids(busy, tmp_path):
    path = tmp_path / "monitor.toml"
    path.write_text(
        f'[store]\npath = "{busy.path}"\n'
        '[[topics]]\nname = "t"\nplatform = "P"\n[[topics.rules]]\nid = "r"\nphrases = ["x"]\n'
        f'[[events]]\nid = "letter"\nkind = "statement"\ntitle = "Letter"\nannounced = {T0.isoformat()}\n'
    )
    told = json.loads(call("impact", "letter", "-c", path, "--json").stdout)
    assert list(told) == ["event", "title", "at", "days", "outcomes", "coverage"]
    assert list(told["outcomes"][0]) == ["name", "effect", "low", "high", "level", "method", "n", "sentence", "checks"]
    assert list(told["outcomes"][0]["checks"][0]) == ["name", "passed", "text"]
    with pytest.raises(ConfigError, match="names no topic"):
        call("impact", "letter", "--control", "t", "-c", path)
    with pytest.raises(ConfigError) as caught:
        call("impact", "nope", "-c", path)
    assert "letter" in caught.value.hint
    assert call("series", "--since", "2026-01-01", "-c", path, "--csv", "--bucket", "week").stdout.startswith("start,")


def test_what_the_classifier_gets_wrong_is_counted_from_its_confusion():
    relevant = Confusion("relevant", ("no", "yes"), ((40, 3), (2, 110)), (), (), (1.0, 1.0))
    one = Confusion("removal", ("none", "done"), ((90, 10), (5, 50)), (), (), (2.0, 1.0))
    # 113 were found relevant, 55 of which may have it: 10 of the other 58 are wrong.
    assert wrong_of([relevant, one]) == {"share of removal talk": (5, 29)}
    assert wrong_of([one]) == {}


def test_posts_that_wait_for_their_scores_are_not_calm(busy):
    later = [a_post(5000 + n, observed_at=T0 + (80 + n / 4) * HOUR) for n in range(200)]
    busy.commit(Batch("bluesky:live", tuple(later)))
    [found] = impacts(busy, [an_event(at=T0 + 78 * HOUR)], [an_event(at=T0 + 78 * HOUR)])
    assert "collected and scored" in str(found.outcomes[0].diagnostics) or found.outcomes[0].estimate is None
    assert "less than" not in found.outcomes[0].sentence
    [row] = rows(busy, Scope(), Window(T0 + 78 * HOUR, T0 + 128 * HOUR), 604_800)[-1:]
    assert row["unscored"] == 200


def test_posts_of_an_unknown_model_are_not_corrected(store):
    assert of_release(store) == ()
    fill(store, [1])
    assert of_release(store) == ()


def test_a_backfill_before_live_collection_makes_no_effect_of_nothing(store):
    """Half of what was posted had been deleted when somebody searched; what was said did not change."""
    rng = np.random.default_rng(7)
    late = [a_post(n, observed_at=T0 + h * HOUR) for n, h in enumerate(sorted(rng.uniform(0, 144, 1150)), 1)]
    early = [
        a_post(n, observed_at=T0 + h * HOUR, source="search")
        for n, h in enumerate(sorted(rng.uniform(-60 * 24, 0, 5760)), 2000)
    ]
    store.commit(Batch("bluesky:live", tuple(late), seen=(Seen("bluesky:live", T0, 1),)))
    store.commit(Batch("bluesky:search", tuple(early)))
    score(store, [*late, *early])
    [found] = impacts(store, [an_event()], [an_event()])
    posts = found.outcomes[0]
    assert "This cannot be put down to the event: " in posts.sentence
    assert "without what was deleted until then" in posts.sentence
    assert [check.passed for check in posts.diagnostics if check.name == "collected alike"] == [False]
    [earlier] = impacts(store, [], [an_event(at=T0 - 20 * DAY)])
    assert "posts were searched for or imported later" in earlier.outcomes[0].sentence
    assert "cannot be put down" not in earlier.outcomes[0].sentence


def test_posts_of_a_sample_count_as_many_and_are_as_many_as_were_read(store):
    """Two of ten slices of each hour after the event are read; before it, every post."""
    rng, number = np.random.default_rng(8), iter(range(1, 9999))
    before = [
        a_post(next(number), observed_at=T0 + h * HOUR, platform="x", post_id=str(n), source="search")
        for n, h in enumerate([*sorted(rng.uniform(-40 * 24, 0, 4000)), 90])  # the last says how far the file reaches
    ]
    stream = "x:sample:soundcloud-ai:abc"
    window, slices, posts = Window(T0, T0 + 72 * HOUR), [], []
    for hour in range(72):
        for place in sorted(rng.choice(10, 2, replace=False)):
            at = T0 + hour * HOUR + place * timedelta(minutes=6)
            slices.append(Slice(Window(at, at + timedelta(minutes=6)), hour, 5.0))
            for n in range(rng.poisson(0.42)):
                when = at + timedelta(seconds=1 + 80 * n)
                key = next(number)
                post = a_post(key, observed_at=when, platform="x", post_id=str(key + 10_000), source="search")
                posts.append(replace(post, sample_weight=5.0, matched=("soundcloud-ai/any", "music/any")))
    unread = Gap(stream, window.start, window.end, "sample 60: not yet read whole")
    store.commit_slices(unread, [Stratum(4, 10, 2)] * 72, slices)
    store.commit(Batch("x:search", tuple(before)))
    store.commit(Batch(stream, tuple(posts), gaps=(replace(unread, filled_by="search"),)))
    score(store, [*before, *posts])
    [found] = impacts(store, [an_event()], [an_event()])
    by_name = {one.name: one for one in found.outcomes}
    volume = by_name["posts"].estimate
    assert volume.n == len(posts)
    assert f"{5 * len(posts):,} posts, " in by_name["posts"].sentence
    assert volume.low < 1 < volume.high
    assert volume.high / volume.low > 1.6  # some 60 posts of weight 5, and hardly more than chance in the time before
    assert by_name["authors"].estimate is None
    assert "were collected whole" in by_name["authors"].sentence
    table = sampled(store, Scope(), Window(T0 - DAY, T0 + 4 * DAY))
    assert table["posts"].to_numpy().sum() == len(posts)
    assert set(table["drawn"].to_pylist()) == {2}
    assert len(set(table["stratum"].to_pylist())) == len({int((p.observed_at - T0) / HOUR) for p in posts})
    assert found.verdict[0].estimate is None
    assert "a sample was read around it" in found.verdict[0].sentence
    near = next(a for a, b in pairwise(posts) if b.observed_at - a.observed_at == timedelta(seconds=80))
    edge = (near.observed_at - T0) % HOUR + timedelta(seconds=40)  # within that slice
    cut = sampled(store, Scope(), Window(T0 - DAY + edge, T0 + 4 * DAY))
    assert cut.num_rows > table.num_rows == len(set(table["unit"].to_pylist())) == len(set(cut["unit"].to_pylist()))
    other = replace(unread, stream="x:sample:music:abc")
    later = [Slice(Window(one.window.start + timedelta(seconds=1), one.window.end), 0, 5.0) for one in slices]
    store.commit_slices(replace(other, stream="x:sample:third:abc"), [Stratum(400, 720, 144)], later)
    assert sampled(store, Scope(), Window(T0 - DAY, T0 + 4 * DAY)).equals(table)
    store.commit_slices(other, [Stratum(4, 10, 2)] * 72, slices)  # of the same posts, under the other of their topics
    for topic in ("soundcloud-ai", "music"):
        strata = sampled(store, Scope((topic,)), Window(T0 - DAY, T0 + 4 * DAY))["stratum"].to_pylist()
        assert {name.split(":")[2] for name in strata} == {topic}


def test_weighted_posts_of_no_stored_slice_were_drawn_for_themselves(store):
    fill(store, [-1, 2])
    posts = [replace(a_post(50 + n, observed_at=T0 + HOUR), sample_weight=3.0) for n in range(2)]
    store.commit(Batch("bluesky:search", tuple(posts)))
    score(store, posts)
    table = sampled(store, Scope(), Window(T0 - DAY, T0 + DAY))
    assert table["stratum"].to_pylist() == [None, None]
    assert table["drawn"].to_pylist() == [0, 0]
    assert table["posts"].to_pylist() == [1, 1]


def test_a_control_on_the_first_day_gets_a_reason(store):
    fill(store, [1, 4, 8])
    event = an_event(at=T0 + 2 * HOUR).model_copy(update={"topic": "soundcloud-ai"})
    [found] = impacts(store, [event], [event], control="music")
    assert found.outcomes[0].estimate is None
    assert "24 are needed" in found.outcomes[0].sentence


def test_what_was_searched_for_after_the_event_is_no_part_of_what_one_account_wrote(store):
    """Live for forty days and most of the window; the rest was found later, and one account wrote most of it."""
    rng = np.random.default_rng(6)
    gap = Gap("bluesky:live", T0 + 44 * HOUR, T0 + 72 * HOUR, "closed", filled_by="search")
    fill(store, sorted(rng.uniform(-40 * 24, 100, 1500)), gaps=(gap,))
    loud = [
        a_post(5000 + n, author_id="did:plc:loud", observed_at=T0 + (45 + n / 20) * HOUR, source="search")
        for n in range(500)
    ]
    store.commit(Batch("bluesky:search", tuple(loud)))
    score(store, loud)
    [found] = impacts(store, [an_event()], [an_event()])
    [share] = [check.text for check in found.outcomes[0].diagnostics if check.name == "one author"]
    assert share.startswith("one account wrote 0%")


def an_outcry(rng, days):
    """Hours of quiet days before T0, with an outcry that began forty hours before it and halves every twenty."""
    quiet = rng.uniform(-days * 24, 80, round(0.3 * 24 * days))
    return sorted([*quiet, *(hour for hour in -40 + rng.exponential(29, 4000) if hour < 80)])


def test_a_verdict_counts_no_posts_of_hours_that_its_forecast_leaves_out(store):
    gap = Gap("bluesky:live", T0, T0 + 14 * HOUR, "closed", filled_by="search")
    hours = an_outcry(np.random.default_rng(7), 30)
    fill(store, hours, gaps=(gap,))
    [found] = impacts(store, [an_event()], [an_event()])
    came = sum(14 <= hour < 72 for hour in hours)
    assert found.verdict[0].sentence.startswith(f"In the 72 h, {came:,} posts, ")


def test_a_young_store_that_was_only_watched_live_has_its_verdict(store):
    hours = an_outcry(np.random.default_rng(8), 6)
    posts = [a_post(1 + n, observed_at=T0 + hour * HOUR) for n, hour in enumerate(hours)]
    store.commit(Batch("bluesky:live", tuple(posts), seen=(Seen("bluesky:live", T0 - 6 * DAY, 1),)))
    score(store, posts)
    [found] = impacts(store, [an_event()], [an_event()])
    assert found.verdict[0].estimate is not None
    [early] = impacts(store, [an_event(at=T0 - 20 * DAY)], [an_event(at=T0 - 20 * DAY)])
    assert "searched for" not in early.verdict[0].sentence


def test_a_control_is_counted_without_the_topic_s_own_posts(busy):
    rng = np.random.default_rng(9)
    hours = sorted(rng.uniform(-40 * 24, 144, 1500))
    both = ("soundcloud-ai/ai-terms", "music/any")
    posts = [
        a_post(n, observed_at=T0 + h * HOUR, matched=("music/any",) if n % 10 else both)
        for n, h in enumerate(hours, 20_000)
    ]
    busy.commit(Batch("bluesky:live", tuple(posts)))
    score(busy, posts)
    window = Window(T0 - 40 * DAY, T0 + 6 * DAY)
    own = counted(busy, Scope(topics=("music",)), window, without=("soundcloud-ai",))["posts"]
    assert own.sum() == sum(n % 10 > 0 for n in range(20_000, 21_500))
    event = an_event().model_copy(update={"topic": "soundcloud-ai"})
    [found] = impacts(busy, [event], [event], control="music")
    assert found.outcomes[0].estimate.method.endswith(" and a control")
    assert [check.passed for check in found.outcomes[0].diagnostics if check.name == "control"] == [True]
    struck = event.model_copy(update={"id": "own", "title": "Its own", "topic": "music"})
    for others, control, why in (([struck], "music", "struck itself, by Its own"), ([], "nothing", "0.0 posts")):
        [refused] = impacts(busy, [event, *others], [event], control=control)
        by_name = {one.name: one for one in refused.outcomes}
        assert by_name["posts"].estimate is None
        assert why in by_name["posts"].sentence
        assert by_name["share of concern 2 or more"].estimate is not None
