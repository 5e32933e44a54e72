"""The backfill's scenarios for the contract test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.collect.bluesky_search import SearchCollector
from monitor.config import Bluesky, Secrets
from monitor.records import Window
from tests.collect.rig import TOPIC, Rig, Rigs
from tests.conftest import T0
from tests.servers.xrpc import Xrpc, post_view

SECRETS = Secrets(bluesky_handle="monitor.test", bluesky_app_password="app-pass-word")
WINDOW = Window(T0, T0 + timedelta(days=1))


def _scenario(
    *faults: dict[str, Any], n: int = 130, wall: int = 10_000, rejected: int = 0, **server_settings: Any
) -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(folder: Path) -> Iterator[Rig]:
        posts = [post_view(f"soundcloud thought {i}", T0 + i * timedelta(minutes=5)) for i in range(n)]
        with Xrpc(wall=wall) as server:
            server.posts = [*posts, post_view("something else", T0)]
            for name, value in server_settings.items():
                setattr(server, name, value)
            for fault in faults:
                server.fail("searchPosts", **fault)
            settings = Bluesky(service_url=server.url, search_pause_seconds=0)
            yield Rig(
                open=lambda: SearchCollector(settings, SECRETS, TOPIC, WINDOW, folder / "session", wall=wall),
                post_ids=frozenset(post["uri"] for post in posts),
                rejected=rejected,
            )

    return rig


_FAULTS = ({"status": 502}, {"resets": True}, {"body": b"<html>"}, {"body": b"{}"})

RIGS: Rigs = {
    "plain": _scenario(),
    "wall": _scenario(n=210, wall=200),
    "unordered_pages": _scenario(overlap=9),
    "faults": _scenario(*_FAULTS),
    "rate_limit_and_expired_token": _scenario(
        {"status": 429, "headers": {"retry-after": "0"}}, {"status": 400, "error": "ExpiredToken"}
    ),
}
