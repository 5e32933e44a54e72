"""One real network for all tests of this folder; without the install they are skipped, or fail where it is required."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.servers import MODULES, Network, is_installed


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    if not is_installed():
        reason = f"the reference network is not in {MODULES}: run tests/network/install.sh"
        if os.environ.get("MONITOR_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="network-") as folder, Network(Path(folder)) as running:
        yield running
