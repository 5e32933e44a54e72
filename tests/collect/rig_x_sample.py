"""The scenarios of a sample of X's past for the contract test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from monitor.collect.x_api import Api
from monitor.collect.x_sample import SampleCollector, stream_of, unread
from monitor.collect.x_spend import Till
from monitor.config import Secrets, Topic, X
from monitor.records import Slice, Window
from tests.collect.rig import TOPIC, Rig, Rigs
from tests.collect.rig_x_search import WORDY, chatter, microdollars
from tests.conftest import T0
from tests.servers.x import Fault, XServer
from tests.servers.x.problem import invalid

HOUR = timedelta(hours=1)
YESTERDAY = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 30 * HOUR


def slices(start: datetime, hours: int = 6) -> list[Slice]:
    """The second quarter of each hour."""
    windows = (Window(start + (n + 0.25) * HOUR, start + (n + 0.5) * HOUR) for n in range(hours))
    return [Slice(window, n, 4.0) for n, window in enumerate(windows)]


def sample(server: XServer, start: datetime, topic: Topic = TOPIC, **settings: object) -> SampleCollector:
    chosen = X(**{"enabled": True, "api_url": server.url, "budget_per_day": 1e6, "budget_per_month": 1e6} | settings)
    api = Api(chosen, Secrets(x_bearer_token=SecretStr(server.token)))
    window = Window(start, start + 6 * HOUR)
    gap = unread(stream_of(topic, window, 18), window, 18)
    return SampleCollector(api, topic, gap, slices(start), Till(chosen, lambda day: 0), archive_seconds=0.0)


def _scenario(
    start: datetime = T0, *faults: Fault, names: str = "old", topic: Topic = TOPIC, **settings: object
) -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(_: Path) -> Iterator[Rig]:
        with XServer(names=names) as server:  # type: ignore[arg-type]
            server.limits.archive_pause_seconds = 0.0
            posts = chatter(Window(start, start + 6 * HOUR), 70)
            server.hold(*posts)
            for fault in faults:
                server.fault("search/all", fault)
            drawn = [
                post.id
                for n, post in enumerate(posts, 1)
                if any(one.window.start <= start + n * HOUR / 12 < one.window.end for one in slices(start))
            ]
            assert len(drawn) == 18
            yield Rig(
                open=lambda: sample(server, start, topic, **settings),
                post_ids=frozenset(drawn),
                bill=lambda: microdollars(server),
            )

    return rig


_FAULTS = (
    Fault(status=503, body=b"<html>"),
    Fault(resets=True),
    Fault(cuts=True),
    Fault(body=b"{}"),
    Fault(lacks="meta"),
)

RIGS: Rigs = {
    "archive": _scenario(),
    "recent": _scenario(YESTERDAY),
    "new_names": _scenario(names="new", authors=True),
    "several_queries": _scenario(topic=WORDY),
    "faults": _scenario(T0, *_FAULTS),
    "a_token_that_is_too_old": _scenario(T0, Fault(), Fault(problem=invalid("Invalid 'next_token'."))),
}
