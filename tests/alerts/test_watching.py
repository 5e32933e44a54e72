"""What is usual is learned from a real store, and what is not is told with its figure and what drives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pytest

from monitor.alert_settings import Alerts
from monitor.alerts.hours import at, number
from monitor.alerts.judging import judge, judge_each
from monitor.alerts.keeping import look, note
from monitor.alerts.missed import Missed
from monitor.alerts.troubles import troubles
from monitor.alerts.watching import learn
from monitor.analyse.detectors import Untrusted
from monitor.config import Config, Rule, Topic, X
from monitor.records import Batch, Charge, Cursor, Gap, Seen
from monitor.store import alerting
from tests.collect.rig import TOPIC
from tests.conftest import a_post
from tests.scored import score

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 3, 2, 12, 50, tzinfo=UTC)
CONFIG = Config(topics=(TOPIC,), alerts=Alerts(false_alarm_weeks=8, history_weeks=4))
MATCHED = (f"{TOPIC.name}/ai-terms",)


def text(number):
    words = [
        "album",
        "playlist",
        "terms",
        "label",
        "mixtape",
        "upload",
        "profile",
        "melody",
        "licence",
        "royalty",
        "demo",
        "studio",
    ]
    return " ".join(words[(number * step + number // 12) % 12] for step in (1, 5, 7, 11)) + f" {number}"


def fill(store, at, first, says=text, **fields):
    """A relevant post at each of these times."""
    made = [
        a_post(
            first + n, observed_at=time, created_at=time, text=says(first + n), matched=MATCHED,
            author_id=f"did:plc:a{first + n}",
        )
        for n, time in enumerate(at)
    ]  # fmt: skip
    store.commit(Batch("bluesky:live", tuple(made)), now=NOW)
    score(store, made, **fields)
    return made


@pytest.fixture
def watched(store):
    """Four weeks of some three posts an hour, more by day than by night, collected up to now."""
    rng = np.random.default_rng(1)
    at = [
        NOW - 29 * DAY + (hour + float(place)) * HOUR
        for hour in range(29 * 24)
        for place in np.sort(rng.random(rng.poisson(3 + 2 * np.sin(hour / 24 * 2 * np.pi))))
    ]
    seen = (Seen("bluesky:live", NOW - 29 * DAY, 1),)
    store.commit(Batch("bluesky:live", (), seen=seen, cursor=Cursor("bluesky:live", "1", NOW)), now=NOW)
    fill(store, at[::5], 1, concern=3, removal="done")
    fill(store, [time for n, time in enumerate(at) if n % 5], 10_000, concern=1)
    return store


def judged(store, config=CONFIG, missed=()):
    found = judge(store, learn(store, config, NOW), config, NOW, missed).findings
    return {one.detector: one for one in found}


def test_an_ordinary_hour_alarms_nobody_and_says_how_often_it_would(watched):
    found = judged(watched)
    assert [one.detector for one in found.values() if one.is_alarm] == []
    assert "together give one in 8 weeks" in found["volume"].rate
    assert "95 % interval" in found["volume"].sentence


def test_a_burst_is_told_with_its_figure_the_thread_and_the_post_that_came_first(watched):
    start = NOW - 40 * timedelta(minutes=1)
    [root] = fill(watched, [start], 90_000)
    answers = [
        a_post(
            91_000 + n, observed_at=start + n * timedelta(seconds=20), reply_to=root.post_id, matched=MATCHED,
            text=f"{text(n)} they will train on our songs", author_id=f"did:plc:b{n}",
        )
        for n in range(60)
    ]  # fmt: skip
    watched.commit(Batch("bluesky:live", tuple(answers)), now=NOW)
    score(watched, answers, concern=3, removal="committed")
    found = judged(watched)
    assert {one for one in ("volume", "thread", "phrase") if found[one].is_alarm} == {"volume", "thread", "phrase"}
    volume = found["volume"]
    assert volume.estimate.low > 3
    place = watched.read("alert_posts", keys=[volume.thread]).to_pylist()
    assert [row["post_id"] for row in place] == [root.post_id]
    assert any(phrase in "they will train on our songs" for phrase in found["phrase"].phrases)


def test_more_removal_talk_among_the_usual_posts_is_told(watched):
    start = NOW.replace(minute=0) - 24 * HOUR
    fill(watched, [start + n * timedelta(minutes=24) for n in range(60)], 95_000, concern=3, removal="done")
    found = judged(watched)
    assert found["removal"].is_alarm
    assert not found["volume"].is_alarm
    assert "of leaving" in found["removal"].sentence


def down(store, start, end):
    """A time of which nothing was collected, and in which nothing stands."""
    with duckdb.connect(str(store.path)) as file:
        file.execute("DELETE FROM posts WHERE observed_at >= ? AND observed_at < ?", [start, end])
    store.commit(Batch("bluesky:live", gaps=(Gap("bluesky:live", start, end, "down"),)), now=NOW)


def test_an_outage_is_not_learned_from_and_ends_no_alarm(watched):
    before = learn(watched, CONFIG, NOW).detectors[TOPIC.name, "volume"].baseline.rate.sum()
    down(watched, NOW - 20 * DAY, NOW - 12 * DAY)
    assert learn(watched, CONFIG, NOW).detectors[TOPIC.name, "volume"].baseline.rate.sum() == pytest.approx(
        before, rel=0.1
    )
    down(watched, NOW - 3 * HOUR, NOW)
    found = judged(watched)
    assert {found[name].is_alarm for name in ("volume", "thread", "phrase")} == {None}
    assert "too little of the hour" in found["volume"].sentence


def test_an_old_import_makes_no_baseline(store):
    config = CONFIG.model_copy(update={"alerts": Alerts(history_weeks=8)})
    seen = (Seen("bluesky:live", NOW - HOUR, 1),)
    fill(store, [NOW - 300 * DAY], 1)
    store.commit(Batch("bluesky:live", (), seen=seen, cursor=Cursor("bluesky:live", "1", NOW)), now=NOW)
    fill(store, [NOW - n * timedelta(minutes=4) for n in range(12)], 10)
    assert all(isinstance(one, Untrusted) for one in learn(store, config, NOW).detectors.values())


def test_without_two_weeks_it_says_when_there_will_be_a_baseline(store):
    seen = (Seen("bluesky:live", NOW - 3 * DAY, 1),)
    store.commit(Batch("bluesky:live", (), seen=seen, cursor=Cursor("bluesky:live", "1", NOW)), now=NOW)
    fill(store, [NOW - 2 * DAY + n * HOUR for n in range(48)], 1)
    learned = learn(store, CONFIG, NOW)
    assert all(isinstance(one, Untrusted) for one in learned.detectors.values())
    assert "of 14 collected days" in judge(store, learned, CONFIG, NOW).findings[0].sentence
    assert learned.report()["text"] == "No detector has a baseline yet."


def test_the_history_that_was_learned_from_is_tested_too(watched):
    found = learn(watched, CONFIG, NOW).report()
    assert found["fired"] <= 3
    assert found["stated"] == pytest.approx(4 / 8, rel=0.6)
    assert {row["detector"] for row in found["detectors"]} == {"volume", "concern", "removal", "thread", "phrase"}


def test_a_stream_that_stands_still_and_money_that_is_gone_are_told(store):
    config = Config(topics=(TOPIC,), x=X(enabled=True, budget_per_day=1, budget_per_month=10))
    now = datetime.now(UTC)
    seen = (Seen("bluesky:live", now - DAY, 1),)
    gap = Gap("bluesky:live", now - HOUR, None, "the connection was lost")
    charge = Charge(now.date(), "post", "1", 850_000)
    store.commit(Batch("bluesky:live", seen=seen, gaps=(gap,), charges=(charge,)), now=now)
    found = {(one.detector, one.subject): one for one in troubles(store, config, now, now)}
    assert found["collection", "bluesky:live"].is_alarm
    assert "the connection was lost" in found["collection", "bluesky:live"].sentence
    assert found["spend", "day 80 %"].is_alarm
    assert not found["spend", "day stop"].is_alarm
    assert not found["spend", "month 80 %"].is_alarm


def test_whoever_is_forgotten_leaves_no_phrase_and_no_account_is_one(watched):
    start = NOW - 40 * timedelta(minutes=1)
    says = lambda n: f"{text(n)} follow alice.bsky.social who says read theverge.com/news/12345 they train on our songs"  # noqa: E731
    made = fill(watched, [start + n * timedelta(seconds=20) for n in range(80)], 97_000, says, concern=3)
    found = judged(watched)["phrase"]
    assert found.is_alarm
    assert found.phrases
    assert not any(word in phrase for phrase in found.phrases for word in ("alice", "bsky", "verge"))
    note(watched, [found], NOW, Alerts())
    watched.forget("author", "bluesky", made[3].author_id)
    assert alerting.latest(watched)[0].phrases == ()


def fired(step):
    """The alerts of a step that are of a topic."""
    return {one.detector: one for one in step.alerts if one.topic}


def due(store, name, topic=TOPIC.name):
    """The hours that a detector has yet to judge."""
    return {hour for *key, hour in Missed.read(store, NOW).due if key == [topic, name]}


def test_an_outbreak_within_a_stop_is_told_once_its_posts_are_there(watched):
    stop = NOW - 30 * HOUR
    down(watched, stop, stop + 6 * HOUR)
    begun_at = stop - HOUR
    learned = learn(watched, CONFIG, stop)
    look(watched, learned, CONFIG, stop, begun_at)  # and here it stops, and begins again when all is over
    assert fired(look(watched, learned, CONFIG, NOW, NOW)) == {}
    assert {number(stop) + n for n in range(1, 5)} <= due(watched, "volume")
    gap = Gap("bluesky:live", stop, stop + 6 * HOUR, "down", "backfill")
    watched.commit(Batch("bluesky:live", gaps=(gap,)), now=NOW)
    outbreak = (stop + 3 * HOUR).replace(minute=0)
    fill(watched, [outbreak + n * timedelta(seconds=40) for n in range(80)], 90_000, concern=1)
    told = [look(watched, learned, CONFIG, NOW + n * timedelta(minutes=1), NOW) for n in range(3)]
    volume = fired(told[0])["volume"]
    assert volume.began_at == outbreak
    assert "judged afterwards, once its posts and scores were there" in volume.sentence
    assert [fired(one) for one in told[1:]] == [{}, {}]
    assert not {number(stop) + n for n in range(1, 5)} & (due(watched, "volume") | due(watched, "removal"))


def test_hours_that_were_judged_while_they_ran_are_not_judged_again(watched):
    learned, began = learn(watched, CONFIG, NOW), NOW - 3 * HOUR
    for minutes in range(0, 181, 10):
        look(watched, learned, CONFIG, began + minutes * timedelta(minutes=1), began)
    assert Missed.read(watched, NOW).at(NOW, [TOPIC.name]).due == frozenset()


def test_one_topic_that_is_not_collected_leaves_the_missed_hours_of_the_others_to_be_judged(watched):
    other = Topic(name="other", platform="P", rules=(Rule(id="r", phrases=("x",)),))
    config = CONFIG.model_copy(update={"topics": (TOPIC, other), "x": X(enabled=True, budget_per_day=1)})
    begun, spent = NOW - 29 * DAY, NOW - 30 * HOUR
    only_x = [
        a_post(50_000 + n, platform="x", post_id=str(n), observed_at=begun + n * HOUR, matched=("other/r",))
        for n in range(27 * 24)
    ]
    gap = Gap("x:live", spent, None, "the budget is spent")
    seen = (Seen("x:live", begun, 1),)
    watched.commit(Batch("x:live", tuple(only_x), seen=seen, gaps=(gap,), cursor=Cursor("x:live", "1", NOW)), now=NOW)
    score(watched, only_x, concern=1)
    learned = learn(watched, config, NOW)
    look(watched, learned, config, NOW - 9 * HOUR, NOW - 9 * HOUR)  # and here it stops
    outbreak = (NOW - 5 * HOUR).replace(minute=0)
    fill(watched, [outbreak + n * timedelta(seconds=40) for n in range(80)], 90_000, concern=1)
    assert fired(look(watched, learned, config, NOW, NOW))["volume"].began_at == outbreak
    assert due(watched, "volume") == frozenset()
    assert due(watched, "volume", "other") == frozenset(range(number(NOW) - 10, number(NOW)))


def test_what_was_judged_while_it_ran_is_no_second_alert_when_its_scores_come(watched):
    learned, start = learn(watched, CONFIG, NOW), NOW.replace(minute=0) + HOUR
    look(watched, learned, CONFIG, NOW, NOW)
    wave = [
        a_post(90_000 + n, observed_at=start + n * timedelta(seconds=30), matched=MATCHED, text=text(n),
               author_id=f"did:plc:w{n}")
        for n in range(60)
    ]  # fmt: skip
    watched.commit(Batch("bluesky:live", tuple(wave)), now=start + HOUR / 2)
    for minutes in range(31, 640, 30):
        now = start + minutes * timedelta(minutes=1)
        watched.commit(Batch("bluesky:live", (), cursor=Cursor("bluesky:live", "2", now)), now=now)
        if minutes == 601:
            score(watched, wave)
        look(watched, learned, CONFIG, now, NOW)
    [volume] = [one for one in alerting.since(watched) if one.detector == "volume"]
    assert volume.resolved_at < now - HOUR
    assert "judged afterwards" not in volume.sentence


@pytest.mark.parametrize("back", [1, 2, 6])
def test_a_missed_bucket_is_judged_however_old_and_none_is_done_unjudged(watched, back):
    learned = learn(watched, CONFIG, NOW)
    width = learned.detectors[TOPIC.name, "removal"].hours
    first = (number(NOW) // width - 1 - back) * width  # so many before the last whole one
    times = [at(first) + n * timedelta(minutes=width) for n in range(60)]
    fill(watched, times, 90_000, concern=3, removal="done")
    for hours in ([first + width - 1], range(first, first + width)):
        missed = {(TOPIC.name, "removal", hour) for hour in hours}
        found, done = judge_each(watched, learned, CONFIG, NOW, missed)
        late = [one for one in found if one.detector == "removal" and one.began_at == at(first)]
        assert [one.is_alarm for one in late] == [True]
        assert done == missed


@pytest.mark.parametrize(("lost", "is_done"), [(2, True), (10, False)])
def test_the_hours_of_a_bucket_are_done_together_or_not_looked_at(watched, lost, is_done):
    """An hour that was not collected must not have its bucket judged again, nor make each look read back to it."""
    learned = learn(watched, CONFIG, NOW)
    width = learned.detectors[TOPIC.name, "removal"].hours
    assert width == 12
    first = (number(NOW) // width - 5) * width
    down(watched, at(first), at(first + lost))
    missed = {(TOPIC.name, "removal", hour) for hour in range(first, first + width)}
    found, done = judge_each(watched, learned, CONFIG, NOW, missed)
    assert done == (missed if is_done else set())
    assert any(one.began_at == at(first) for one in found) == is_done


def test_a_bucket_that_still_runs_waits_for_its_end(watched):
    learned = learn(watched, CONFIG, NOW)
    width = learned.detectors[TOPIC.name, "removal"].hours
    missed = {(TOPIC.name, "removal", number(NOW) // width * width)}
    assert judge(watched, learned, CONFIG, NOW, missed).done == frozenset()
    later = NOW + width * HOUR
    watched.commit(Batch("bluesky:live", (), cursor=Cursor("bluesky:live", "2", later)), now=later)
    assert judge(watched, learned, CONFIG, later, missed).done == missed


def test_what_is_missed_is_kept_by_topic_and_detector_and_what_was_kept_before_is_read(store):
    store.mark("alerts missed", f"{number(NOW) - 3} {number(NOW) - 9}")  # hours of no topic
    before = Missed.read(store, NOW)
    assert before == Missed(number(NOW) - 3)
    after = before.at(NOW, ["one", "two"]).without(frozenset({("one", "volume", number(NOW) - 2)}))
    after.keep(store)
    assert Missed.read(store, NOW) == after
    assert len(after.due) == 2 * 5 * 3 - 1
    assert {topic for topic, *_ in after.at(NOW + HOUR, ["two"]).due} == {"two"}
    assert after.at(NOW + 300 * HOUR, []).due == frozenset()


def test_a_gap_on_one_platform_leaves_the_other_to_be_judged(watched):
    """A fifth of the posts come from X, whose stream is lost: the rest is judged against what Bluesky brings."""
    config = CONFIG.model_copy(update={"x": X(enabled=True, budget_per_day=1)})
    seen = (Seen("x:live", NOW - 29 * DAY, 1),)
    with duckdb.connect(str(watched.path)) as file:
        file.execute("UPDATE posts SET platform = 'x' WHERE key % 5 = 0")
    gap = Gap("x:live", NOW - 5 * HOUR, None, "the connection was lost")
    watched.commit(Batch("x:live", (), seen=seen, gaps=(gap,), cursor=Cursor("x:live", "1", NOW)), now=NOW)
    with duckdb.connect(str(watched.path)) as file:
        file.execute("DELETE FROM posts WHERE platform = 'x' AND observed_at > ?", [NOW - 5 * HOUR])
    learned = learn(watched, config, NOW)
    assert learned.mix[TOPIC.name]["bluesky"] == pytest.approx(0.8, abs=0.03)
    assert judged(watched, config)["volume"].is_alarm is False
    fill(watched, [NOW - 40 * timedelta(minutes=1) + n * timedelta(seconds=20) for n in range(60)], 90_000, concern=1)
    assert judged(watched, config)["volume"].is_alarm


def test_where_most_is_not_collected_nothing_is_said(watched):
    config = CONFIG.model_copy(update={"x": X(enabled=True, budget_per_day=1)})
    seen = (Seen("x:live", NOW - 29 * DAY, 1),)
    watched.commit(Batch("x:live", (), seen=seen, cursor=Cursor("x:live", "1", NOW)), now=NOW)
    down(watched, NOW - 3 * HOUR, NOW)
    assert judged(watched, config)["volume"].is_alarm is None


def test_a_platform_that_is_new_does_not_count_before_it_is_known_what_it_brings(watched):
    config = CONFIG.model_copy(update={"x": X(enabled=True, budget_per_day=1)})
    seen = (Seen("x:live", NOW - 2 * DAY, 1),)
    watched.commit(Batch("x:live", (), seen=seen, cursor=Cursor("x:live", "1", NOW)), now=NOW)
    made = fill(watched, [NOW - 40 * timedelta(minutes=1) + n * timedelta(seconds=20) for n in range(60)], 90_000)
    with duckdb.connect(str(watched.path)) as file:
        ids = [post.post_id for post in made]
        file.execute("UPDATE posts SET platform = 'x' WHERE list_contains(?, post_id)", [ids])
    assert judged(watched, config)["volume"].is_alarm is False


def test_the_post_that_is_named_is_one_that_the_alarm_counts(watched):
    start = NOW.replace(minute=0) - 24 * HOUR
    fill(watched, [start + timedelta(seconds=1)], 94_000, concern=1)
    fill(watched, [start + (n + 1) * timedelta(minutes=24) for n in range(60)], 95_000, concern=3, removal="done")
    found = judged(watched)["removal"]
    assert found.is_alarm
    with duckdb.connect(str(watched.path)) as file:
        labels = file.execute("SELECT removal_label FROM posts WHERE key = ?", [found.first]).fetchall()
    assert labels == [("done",)]


def test_a_wave_of_posts_that_wait_for_their_scores_says_so_and_is_one_alert(watched):
    learned = learn(watched, CONFIG, NOW)
    start = NOW - 40 * timedelta(minutes=1)
    waiting = [
        a_post(90_000 + n, observed_at=start + n * timedelta(seconds=20), matched=MATCHED, text=text(n),
               author_id=f"did:plc:w{n}")
        for n in range(60)
    ]  # fmt: skip
    watched.commit(Batch("bluesky:live", tuple(waiting)), now=NOW)
    first = judge(watched, learned, CONFIG, NOW).findings
    note(watched, first, NOW, Alerts())
    [volume] = [one for one in alerting.latest(watched) if one.detector == "volume"]
    assert "60 wait for their scores" in volume.sentence
    score(watched, waiting, relevant=0.1)
    for minutes in range(1, 4):
        now = NOW + minutes * timedelta(minutes=1)
        note(watched, judge(watched, learned, CONFIG, now).findings, now, Alerts())
    more = [
        a_post(92_000 + n, observed_at=NOW + n * timedelta(seconds=2), matched=MATCHED, text=text(n),
               author_id=f"did:plc:v{n}")
        for n in range(60)
    ]  # fmt: skip
    watched.commit(Batch("bluesky:live", tuple(more), cursor=Cursor("bluesky:live", "3", NOW)), now=NOW)
    later = NOW + timedelta(minutes=5)
    note(watched, judge(watched, learned, CONFIG, later).findings, later, Alerts())
    assert [one.id for one in alerting.since(watched) if one.detector == "volume"] == [volume.id]


def test_a_stream_that_never_began_is_a_trouble_after_a_while(store):
    now = datetime.now(UTC)
    store.commit(Batch("import"), now=now)
    early, late = (troubles(store, CONFIG, now, now - minutes * timedelta(minutes=1)) for minutes in (1, 11))
    assert [(one.subject, one.is_alarm) for one in early] == [("bluesky:live", False)]
    assert [(one.subject, one.is_alarm) for one in late] == [("bluesky:live", True)]
    assert "nothing of it was ever collected" in late[0].sentence
