"""An alert from firing to resolved: who is told of what, and never twice of one state."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.analyse.episodes import Policy, step
from monitor.records import Estimate
from monitor.records.alerts import Finding
from tests.conftest import T0

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLICY = Policy(("team",), ("boss",), cooldown=6 * HOUR, escalate_after=HOUR)


def finding(is_alarm=True, n=20, topic="soundcloud-ai", detector="volume"):
    estimate = Estimate(n / 2, n / 3, n, 0.95, "exact Poisson over baseline", n)
    return Finding(topic, detector, "", T0, is_alarm, f"{n} posts", "one in 4 weeks", estimate)


class Watched:
    """The alerts of one store, as the steps change them, and all that was told."""

    def __init__(self, policy=POLICY):
        self.policy, self.alerts, self.told = policy, {}, []

    def see(self, found, after):
        done = step(list(self.alerts.values()), [found], T0 + after, self.policy)
        self.alerts |= {one.id: one for one in done.alerts}
        self.told += [(message.target, message.state) for message in done.messages]
        self.messages = done.messages
        return done

    def only(self):
        (one,) = self.alerts.values()
        return one


def test_an_alarm_is_told_once_and_its_end_once():
    watched = Watched()
    for minutes in range(5):
        watched.see(finding(n=20 + minutes), minutes * MINUTE)
    watched.see(finding(False), 5 * MINUTE)
    assert watched.told == [("team", "firing")]
    watched.see(finding(False), 7 * HOUR)
    watched.see(finding(False), 8 * HOUR)
    assert watched.told == [("team", "firing"), ("team", "resolved")]
    assert watched.only().estimate.n == 24  # the height of it
    assert watched.only().state(T0 + 9 * HOUR) == "resolved"


def test_what_nobody_acknowledged_goes_to_the_next_who_also_hear_its_end():
    watched = Watched()
    watched.see(finding(), 0 * MINUTE)
    watched.see(finding(), 61 * MINUTE)
    watched.see(finding(), 62 * MINUTE)
    watched.see(finding(False), 8 * HOUR)
    assert watched.told == [("team", "firing"), ("boss", "escalated"), ("team", "resolved"), ("boss", "resolved")]


def test_what_was_acknowledged_is_not_escalated():
    watched = Watched()
    watched.see(finding(), 0 * MINUTE)
    watched.alerts = {one.id: replace(one, acknowledged_at=T0) for one in watched.alerts.values()}
    watched.see(finding(), 2 * HOUR)
    assert watched.told == [("team", "firing")]


def test_a_snoozed_alert_is_told_anew_when_it_still_holds_and_not_before():
    watched = Watched(Policy(("team",)))
    watched.see(finding(), 0 * MINUTE)
    watched.alerts = {one.id: replace(one, snoozed_until=T0 + 2 * HOUR) for one in watched.alerts.values()}
    watched.see(finding(), HOUR)
    assert watched.told == [("team", "firing")]
    watched.see(finding(), 2 * HOUR + MINUTE)
    watched.see(finding(), 2 * HOUR + 2 * MINUTE)
    assert watched.told == [("team", "firing")] * 2
    assert watched.only().woken_at == T0 + 2 * HOUR + MINUTE


def test_a_wave_that_ebbs_and_comes_back_is_one_alert_and_something_else_another():
    watched = Watched(Policy(("team",)))
    for number in range(40):  # above and below the line, hour by hour
        watched.see(finding(number % 3 != 0, n=20 + number), number * HOUR)
    assert watched.told == [("team", "firing")]
    watched.see(finding(detector="concern"), 40 * HOUR)
    assert watched.told == [("team", "firing")] * 2
    watched.see(finding(False), 46 * HOUR)
    watched.see(finding(), 47 * HOUR)
    assert watched.told[2:] == [("team", "resolved"), ("team", "firing")]
    assert len(watched.alerts) == 3


def test_not_knowing_neither_fires_nor_ends_anything():
    watched = Watched()
    watched.see(finding(None), 0 * MINUTE)
    assert watched.alerts == {}
    watched.see(finding(), MINUTE)
    watched.see(finding(None), 2 * MINUTE)
    assert watched.only().resolved_at is None


def test_an_alert_of_which_nothing_is_heard_for_a_day_is_over_without_a_word():
    watched = Watched()
    watched.see(finding(), 0 * MINUTE)
    watched.see(finding(False, topic="another"), 25 * HOUR)
    assert watched.only().resolved_at is not None
    assert ("team", "resolved") not in watched.told


def test_after_the_clock_was_ahead_an_alarm_is_told_once():
    watched = Watched()
    watched.see(finding(), 240 * HOUR)
    watched.see(finding(False), 247 * HOUR)
    for minutes in range(5):
        watched.see(finding(), minutes * MINUTE)
    assert watched.told.count(("team", "firing")) == 2


def test_an_alert_of_which_nothing_can_be_told_any_more_ends():
    watched = Watched(Policy(("team",)))
    watched.see(finding(), 0 * MINUTE)
    watched.see(finding(None), 25 * HOUR)
    assert watched.only().resolved_at is not None


def test_a_second_outage_soon_after_the_first_is_news():
    watched = Watched()
    for minutes, is_alarm in enumerate((True, False, True)):
        watched.see(finding(is_alarm, detector="collection"), minutes * MINUTE)
    assert watched.told == [("team", "firing"), ("team", "resolved"), ("team", "firing")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([True, False, None]), st.integers(-300, 400), st.sampled_from(["", "snooze", "acknowledge"])
        ),
        max_size=40,
    )
)
def test_whatever_happens_no_target_is_told_one_state_twice(steps):
    watched, at, keys = Watched(), timedelta(), Counter()
    for is_alarm, minutes, answer in steps:
        at += minutes * MINUTE
        watched.see(finding(is_alarm), at)
        keys.update((message.key, message.target) for message in watched.messages)
        known = {id_: one for id_, one in watched.alerts.items() if one.resolved_at is None}
        if answer == "snooze":
            watched.alerts |= {id_: replace(one, snoozed_until=T0 + at + 3 * HOUR) for id_, one in known.items()}
        elif answer:
            watched.alerts |= {id_: replace(one, acknowledged_at=T0 + at) for id_, one in known.items()}
        assert sum(one.resolved_at is None for one in watched.alerts.values()) <= 1
    assert set(keys.values()) <= {1}
    assert sum(one.resolved_at is None for one in watched.alerts.values()) <= 1
