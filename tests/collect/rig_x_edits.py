"""The scenarios of looking up edits for the contract test: of what is looked up, the edited posts are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from monitor.collect.x_api import Api
from monitor.collect.x_edits import EditsCollector
from monitor.collect.x_spend import Spent, Till
from monitor.config import Secrets, X
from tests.collect.rig import Rig, Rigs
from tests.servers.x import Fault, XServer, make_post

COUNT = 230
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)


def edits(server: XServer, ids: list[str], spent: Spent = lambda day: 0, **settings: object) -> EditsCollector:
    chosen = X(**{"enabled": True, "api_url": server.url, "budget_per_day": 1e6, "budget_per_month": 1e6} | settings)
    api = Api(chosen, Secrets(x_bearer_token=SecretStr(server.token)))
    return EditsCollector(api, lambda after: [i for i in ids if int(i) > int(after or 0)], Till(chosen, spent))


def _scenario(*faults: Fault, names: str = "as_asked") -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(_: Path) -> Iterator[Rig]:
        with XServer(names=names) as server:  # type: ignore[arg-type]
            posts = [make_post(f"SoundCloud {i}", START + timedelta(seconds=i), author=i) for i in range(COUNT)]
            server.hold(*posts)
            for post in posts[::7]:
                server.edit(post, f"{post.text}, edited", post.created_at + timedelta(minutes=20))
            server.edit(posts[14], "SoundCloud once more", posts[14].created_at + timedelta(minutes=40))
            server.remove(posts[3].id, posts[21].id)
            server.faults.add("lookup", *faults)
            ids = [post.id for post in posts]
            yield Rig(
                open=lambda: edits(server, ids),
                post_ids=frozenset(post.id for i, post in enumerate(posts) if i % 7 == 0 and i != 21),
                bill=lambda: int(server.dollars() * 1_000_000),
            )

    return rig


_FAULTS = (
    Fault(status=503, body=b"<html>"),
    Fault(resets=True),
    Fault(),
    Fault(cuts=True),
    Fault(body=b"{}"),
    Fault(body=b"no JSON"),
)

RIGS: Rigs = {
    "plain": _scenario(),
    "new_names": _scenario(names="new"),
    "faults": _scenario(*_FAULTS),
}
KILLED = ("plain",)
