"""Whatever the network does and however it is cut into batches and replayed, the store holds what is still there."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.records import AccountStatus, Batch, Cursor, Deletion, Post
from monitor.store import Store
from monitor.store.queries import status, unscored
from tests.conftest import T0, a_post, did, uri

AUTHORS, POSTS_EACH = 3, 2
STATES = ("active", "deactivated", "suspended", "takendown", "deleted")
posts = st.integers(0, AUTHORS * POSTS_EACH - 1)
actions = st.one_of(
    st.tuples(st.just("create"), posts),
    st.tuples(st.just("edit"), posts),
    st.tuples(st.just("delete"), posts),
    st.tuples(st.sampled_from(STATES), st.integers(0, AUTHORS - 1)),
)


def author(number: int) -> int:
    return number // POSTS_EACH


@dataclass
class Network:
    """What a platform holds: the plainest possible account of it."""

    texts: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    state: dict[int, str] = field(default_factory=dict)

    def act(self, what: str, number: int, text: str) -> None:
        if what in STATES:
            self.state[number] = what
            if what == "deleted":
                self.gone |= {post for post in self.texts if author(post) == number}
        elif what == "delete":
            self.gone.add(number)
        elif number not in self.gone:
            self.texts[number] = text
        for post in self.gone:
            self.texts.pop(post, None)

    def can(self, what: str, number: int) -> bool:
        """Nobody posts from an account that is deleted."""
        return what not in ("create", "edit") or self.state.get(author(number)) != "deleted"

    def visible(self) -> dict[str, str]:
        away = {number for number, state in self.state.items() if state != "active"}
        return {uri(post): text for post, text in self.texts.items() if author(post) not in away}


def record(step: int, what: str, number: int) -> Post | Deletion | AccountStatus:
    at = T0 + timedelta(seconds=step)
    if what in STATES:
        return AccountStatus("bluesky", did(number), what, at)  # type: ignore[arg-type]
    if what == "delete":
        return Deletion("bluesky", uri(number), did(author(number)), at)
    return a_post(number, author_id=did(author(number)), text=f"text {step}", observed_at=at)


def batch(records: list, cursor: int) -> Batch:
    return Batch(
        "live",
        posts=tuple(r for r in records if isinstance(r, Post)),
        deletions=tuple(r for r in records if isinstance(r, Deletion)),
        accounts=tuple(r for r in records if isinstance(r, AccountStatus)),
        cursor=Cursor("live", str(cursor)),
    )


@settings(max_examples=40, deadline=None)
@example(history=[("create", 4), ("deleted", 2), ("active", 2), ("create", 4)], cuts=[(2, 0)])
@given(
    history=st.lists(actions, min_size=1, max_size=14),
    cuts=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=8),
)
def test_the_store_holds_what_the_network_holds(history, cuts):
    network, records = Network(), []
    for step, (what, number) in enumerate(history):
        if network.can(what, number):
            network.act(what, number, f"text {step}")
            records.append(record(step, what, number))
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "m.duckdb")
        position, turn = 0, 0
        while position < len(records):
            size, replay = cuts[turn % len(cuts)]
            start = max(0, position - replay) if turn < 4 else position  # a restart goes back to an older cursor
            store.commit(batch(records[start : position + size], position))
            position, turn = position + size, turn + 1
        assert {post.post_id: post.text for post in unscored(store, "m", 99)} == network.visible()
        hidden = len(network.texts) - len(network.visible())
        assert sum(source.hidden for source in status(store).sources) == hidden
