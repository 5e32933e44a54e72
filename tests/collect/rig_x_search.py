"""The scenarios of a backfill from X for the contract test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from monitor.collect.x_api import Api
from monitor.collect.x_search import SearchCollector
from monitor.collect.x_spend import Till
from monitor.config import Rule, Secrets, Topic, X
from monitor.records import Window
from tests.collect.rig import TOPIC, Rig, Rigs
from tests.conftest import T0
from tests.servers.x import Fault, XPost, XServer, make_post
from tests.servers.x.problem import invalid

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
LAST_DAYS = Window(NOW - 48 * HOUR, NOW - HOUR)
LONG_AGO = Window(T0, T0 + 48 * HOUR)
WORDY = Topic(  # several queries that find the same posts: the long phrases leave the first no room for the last one
    name=TOPIC.name,
    platform="SoundCloud",
    rules=(
        Rule(id="any", phrases=("soundcloud", *(f"some long phrase about {n:02} terms" for n in range(30)), "thought")),
    ),
)


def search(server: XServer, window: Window, topic: Topic = TOPIC, **settings: object) -> SearchCollector:
    """A collector of a restarted program, whose ledger is empty."""
    chosen = X(**{"enabled": True, "api_url": server.url, "budget_per_day": 1e6, "budget_per_month": 1e6} | settings)
    api = Api(chosen, Secrets(x_bearer_token=SecretStr(server.token)))
    return SearchCollector(api, topic, window, Till(chosen, lambda day: 0), archive_seconds=0.0)


def chatter(window: Window, n: int) -> list[XPost]:
    """Posts about the platform, five minutes from each other."""
    return [make_post(f"SoundCloud, thought {i}", window.start + (i + 1) * HOUR / 12, author=i) for i in range(n)]


def microdollars(server: XServer) -> int:
    return int(server.dollars() * 1_000_000)


def _scenario(
    window: Window = LAST_DAYS,
    *faults: Fault,
    n: int = 130,
    names: str = "old",
    topic: Topic = TOPIC,
    **settings: object,
) -> Callable[[Path], AbstractContextManager[Rig]]:
    @contextmanager
    def rig(_: Path) -> Iterator[Rig]:
        with XServer(names=names) as server:  # type: ignore[arg-type]
            server.limits.archive_pause_seconds = 0.0
            posts = chatter(window, n)
            server.hold(*posts, make_post("Something else", window.start + HOUR))
            for fault in faults:
                server.fault("search/recent" if window is LAST_DAYS else "search/all", fault)
            yield _rig(server, window, (post.id for post in posts), topic, **settings)

    return rig


def _rig(server: XServer, window: Window, ids: Iterable[str], topic: Topic = TOPIC, **settings: object) -> Rig:
    return Rig(
        open=lambda: search(server, window, topic, **settings),
        post_ids=frozenset(ids),
        bill=lambda: microdollars(server),
    )


@contextmanager
def _conversation(_: Path, names: str = "old") -> Iterator[Rig]:
    """Answers to what is there, gone and hidden; a quotation, a long post, an edited one; each edition has an id."""
    with XServer(names=names) as server:  # type: ignore[arg-type]
        at = [LAST_DAYS.start + n * HOUR for n in range(10)]
        parent, gone, hidden = (make_post("They changed the terms", at[n], author=90 + n) for n in range(3))
        answers = [make_post("SoundCloud? Same", at[4], replied_to=post) for post in (parent, gone, hidden)]
        both = make_post("SoundCloud!", at[5], replied_to=answers[0], quoted=parent)
        long = make_post("Long thoughts. " * 40 + "SoundCloud & co", at[6])
        early = make_post("SoundCloud, firts", at[7])
        server.hold(parent, gone, hidden, *answers, both, long, early)
        server.edit(early, "SoundCloud, first", at[7] + HOUR / 4)
        server.remove(gone.id)
        server.remove_author(hidden.author, "protected")
        yield _rig(server, LAST_DAYS, [post.id for post in (*answers, both, long, early)], authors=True)


_FAULTS = (
    Fault(status=503, body=b"<html>"),
    Fault(resets=True),
    Fault(cuts=True),
    Fault(lacks="meta"),
    Fault(body=b"no JSON"),
)
_STALE = (Fault(), Fault(problem=invalid("Invalid 'next_token'.")))

RIGS: Rigs = {
    "recent": _scenario(),
    "archive": _scenario(LONG_AGO, n=560),
    "new_names": _scenario(names="new", authors=True),
    "several_queries": _scenario(topic=WORDY, n=30),
    "conversation": _conversation,
    "conversation_in_new_names": lambda folder: _conversation(folder, "new"),
    "faults": _scenario(LAST_DAYS, *_FAULTS),
    "faults_of_the_archive": _scenario(LONG_AGO, *_FAULTS, n=20),
    "a_token_that_is_too_old": _scenario(LAST_DAYS, *_STALE, n=250),
}
