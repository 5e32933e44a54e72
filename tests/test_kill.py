"""kill -9 of ``monitor run``: nothing is lost, nothing is there twice, and the file always opens."""

import pytest

from tests.benchmarks.kill import campaign

pytestmark = pytest.mark.usefixtures("shipped_engine")  # a kill in the middle of building it has a test of its own


def test_kills_lose_nothing_and_store_nothing_twice(tmp_path):
    outcome = campaign(tmp_path, kills=3, seed=1, seconds=1.0)
    assert outcome.faults == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thirty_kills_lose_nothing_and_store_nothing_twice(tmp_path):
    outcome = campaign(tmp_path, kills=30, seed=30)
    assert outcome.faults == []
    assert outcome.in_commit > 0
