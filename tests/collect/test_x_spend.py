"""What X's answers cost, and a till that says stop before the money is gone."""

import threading
from datetime import UTC, date, datetime

import pytest

from monitor.collect.x_spend import MICRO, Till, charges
from monitor.config import X
from monitor.errors import OverBudget, Unpaid
from monitor.records import Charge

AT = datetime(2026, 11, 26, 23, 59, tzinfo=UTC)
PAGE = {
    "data": [{"id": "1", "author_id": "7"}, {"id": "2", "author_id": "7"}],
    "includes": {"users": [{"id": "7", "username": "ann"}], "tweets": [{"id": "3"}, {"id": "1"}]},
}


def test_posts_what_they_refer_to_and_authors_are_each_charged():
    found = sorted((one.item, one.key, one.microdollars) for one in set(charges(PAGE, X(), AT)))
    assert found == [("post", "1", 5_000), ("post", "2", 5_000), ("post", "3", 5_000), ("user", "7", 10_000)]
    assert {one.day for one in charges(PAGE, X(), AT)} == {date(2026, 11, 26)}


def test_the_new_names_cost_the_same_as_the_old_ones():
    renamed = PAGE | {"includes": {"users": PAGE["includes"]["users"], "posts": PAGE["includes"]["tweets"]}}
    assert list(charges(renamed, X(), AT)) == list(charges(PAGE, X(), AT))


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": [None, "x", {}]}, {"data": [], "includes": []}])
def test_an_answer_without_posts_costs_nothing(answer):
    assert list(charges(answer, X(), AT)) == []


def test_the_smaller_budget_decides_and_what_was_read_since_counts_at_once():
    till = Till(X(budget_per_day=1.0, budget_per_month=10.0), lambda day: 0)
    assert till.left() == MICRO
    till.note(charges(PAGE, X(), AT))
    assert till.left() == MICRO - 30_000  # one of the posts came twice: counted high until the ledger knows better
    by_month = Till(X(budget_per_day=5.0, budget_per_month=10.0), lambda day: round(9.5 * MICRO) if day.day == 1 else 0)
    assert by_month.left() in (MICRO // 2, 0)  # on the first of a month both sums are the same


def test_a_budget_that_is_used_up_refuses_and_asks_the_ledger_again_before_it_does():
    asked = []
    till = Till(X(budget_per_day=0.01), lambda day: asked.append(day) or 0, commit_seconds=0.0)
    till.check()
    till.note([*charges(PAGE, X(), AT), *charges(PAGE, X(), AT)])
    till.check()  # the ledger says that nothing was spent: the same posts had been read before
    assert len(asked) == 4
    empty = Till(X(budget_per_day=0.0), lambda day: 0)
    with pytest.raises(Unpaid, match=r"\$0\.00 a day") as caught:
        empty.check()
    assert 0 < caught.value.wait_seconds <= 900
    with pytest.raises(Unpaid):
        till.check(20_000)


def test_eighty_per_cent_of_a_budget_are_warned_of_once(caplog):
    till = Till(X(budget_per_day=1.0), lambda day: round(0.85 * MICRO))
    with caplog.at_level("WARNING"):
        till.left()
        till._read()
    assert [record.message for record in caplog.records] == ["80 % of a budget for X is spent; $0.15 are left"]


def test_what_was_read_counts_until_the_ledger_holds_it_however_long_that_takes():
    ledger = [0]
    till = Till(X(budget_per_day=1.0), lambda day: ledger[0], commit_seconds=900.0)
    read = list(charges(PAGE, X(), AT))
    till.note(read)
    till._read()
    assert till.left() == MICRO - 30_000
    ledger[0] = 25_000  # one of the posts came twice
    till.booked(read)
    till._read()
    assert till.left() == MICRO - 25_000


def test_of_two_threads_that_ask_the_ledger_at_once_each_counts_what_was_read_meanwhile():
    asked, answer = threading.Semaphore(0), threading.Semaphore(0)

    def spent(day):
        asked.release()
        answer.acquire(timeout=5)
        return 0

    till = Till(X(budget_per_day=1, budget_per_month=10), spent)
    first, second = (threading.Thread(target=till.left, daemon=True) for _ in range(2))
    first.start()
    assert asked.acquire(timeout=5)
    till.note([Charge(date(2025, 5, 9), "post", "1", 500_000)])
    second.start()
    asked.acquire(timeout=0.2)
    answer.release(2)
    first.join(2)
    assert not first.is_alive()
    with pytest.raises(OverBudget):
        till.insist(500_001)
    answer.release(2)
    second.join(5)


def test_a_batch_is_booked_of_the_oldest_notes():
    till = Till(X(budget_per_day=1.0), lambda day: 0, commit_seconds=900.0)
    read = list(charges(PAGE, X(), AT))
    for one in read:
        till.note([one])
    till.booked(read[:2])
    till._read()
    assert till.left() == MICRO - sum(one.microdollars for one in read[2:])
