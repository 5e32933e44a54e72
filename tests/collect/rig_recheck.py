"""The recheck's scenarios for the contract test; what it finds gone it deletes, so the store ends with the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from monitor.collect.bluesky_session import Session
from monitor.collect.recheck import RecheckCollector
from tests.collect.rig import Rig, Rigs
from tests.conftest import T0
from tests.servers.xrpc import Xrpc, post_view


def _scenario(*faults: dict[str, Any]) -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(folder: Path) -> Iterator[Rig]:
        views = [post_view(f"soundcloud thought {i}", T0, rkey=f"{i:04d}") for i in range(130)]
        ids = [view["uri"] for view in views]
        with Xrpc() as server:
            server.posts = views[::3]
            for fault in faults:
                server.fail("getPosts", **fault)
            yield Rig(
                open=lambda: RecheckCollector(
                    lambda after: [i for i in ids if i > after], Session(server.url), pause_seconds=0
                ),
                # Posts that match are stored from the views themselves, so what exists is what ends up stored.
                post_ids=frozenset(view["uri"] for view in server.posts),
                # The next recheck begins anew.
                is_done=lambda batch: batch.cursor is not None and batch.cursor.value == "",
            )

    return rig


_FAULTS = ({"status": 502}, {"resets": True}, {"body": b"<html>"}, {"body": b"{}"})

RIGS: Rigs = {
    "plain": _scenario(),
    "forgetful": _scenario({"body": b'{"posts": []}'}),
    "faults": _scenario(*_FAULTS, {"status": 429, "headers": {"retry-after": "0"}}),
}
