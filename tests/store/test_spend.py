"""The ledger of what X bills: each post and user once per UTC day, in the transaction of the posts."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records import Batch, Charge
from monitor.store import Store
from monitor.store.queries import spent_since, status
from tests.conftest import T0

TODAY = date(2026, 11, 26)


def read(key: str, day: date = TODAY, item: str = "post", price: int = 5_000) -> Charge:
    return Charge(day, item, key, price)


def test_the_same_post_is_billed_once_per_day_however_often_and_in_whatever_batch_it_comes(store):
    store.commit(Batch("x:live", charges=(read("1"), read("2"), read("1"))))
    store.commit(Batch("x:live", charges=(read("2"), read("3"))))
    assert spent_since(store, TODAY) == 15_000
    store.commit(Batch("x:live", charges=(read("1", TODAY + timedelta(days=1)), read("1", item="user", price=10_000))))
    assert spent_since(store, TODAY) == 30_000
    assert spent_since(store, TODAY + timedelta(days=1)) == 5_000
    assert [(s.day, s.item, s.n) for s in status(store).spend] == [
        (TODAY, "post", 3),
        (TODAY, "user", 1),
        (TODAY + timedelta(days=1), "post", 1),
    ]


def test_a_price_that_changes_leaves_earlier_reads_as_they_were(store):
    store.commit(Batch("x:live", charges=(read("1"),)))
    store.commit(Batch("x:live", charges=(read("2", price=7_000), read("1", price=7_000))))
    assert spent_since(store, TODAY) == 12_000


def test_who_was_billed_is_forgotten_after_two_days_and_what_it_cost_is_not(store):
    store.commit(Batch("x:live", charges=(read("1"), read("2"))))
    store.tend(now=T0.replace(year=2026, month=11, day=28))
    assert spent_since(store, TODAY) == 10_000
    store.commit(Batch("x:live", charges=(read("1"),)))  # only the ids are gone, so an old day would be billed again
    assert spent_since(store, TODAY) == 15_000


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), max_size=6), max_size=5))
def test_the_sum_is_that_of_the_distinct_reads(tmp_path_factory, batches):
    store = Store(tmp_path_factory.mktemp("spend") / "s.duckdb")
    for batch in batches:
        store.commit(Batch("x:live", charges=tuple(read(str(key), TODAY + timedelta(days=d)) for key, d in batch)))
    assert spent_since(store, TODAY) == 5_000 * len({one for batch in batches for one in batch})
