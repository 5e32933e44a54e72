"""A forgotten author never comes back, in whatever order the network tells of them, and nobody else is touched."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.grouping import group_pending
from monitor.records import AccountStatus, Batch, Deletion, Post
from monitor.store import Store
from monitor.store.queries import stored_ids
from tests.conftest import T0, a_post, did
from tests.store.test_forget import everything, numbers, traces

POSTS, FORGOTTEN = 6, 0
STATES = ("active", "deactivated", "suspended", "takendown", "deleted")
posts = st.integers(0, POSTS - 1)
actions = st.one_of(
    st.tuples(st.sampled_from(["create", "edit", "delete", "repost"]), posts),
    st.tuples(st.sampled_from(STATES), st.integers(0, 2)),
)
histories = st.lists(actions, min_size=1, max_size=16)


def author(number: int) -> int:
    return number // 2


def uri_of(number: int) -> str:
    return f"at://{did(author(number))}/app.bsky.feed.post/{number}"


def record(step: int, what: str, number: int) -> Post | Deletion | AccountStatus:
    """Odd posts answer a post by another author; edits bring its text along, as a search does."""
    at, writer = T0 + timedelta(seconds=step), did(author(number))
    if what in STATES:
        return AccountStatus("bluesky", did(number), what, at)  # type: ignore[arg-type]
    if what == "delete":
        return Deletion("bluesky", uri_of(number), writer, at)
    fields = {
        "post_id": uri_of(number),
        "author_id": writer,
        "observed_at": at,
        "author_handle": f"h{writer[-1]}.example",
    }
    parent = (number + 3) % POSTS
    if what == "repost":
        return a_post(
            **fields | {"post_id": f"{uri_of(number)}r", "kind": "repost", "repost_of": uri_of(parent), "text": ""}
        )
    if number % 2:
        fields |= {"kind": "reply", "reply_to": uri_of(parent)}
        fields |= {"context": f"words of {author(parent)}"} if what == "edit" else {}
    return a_post(**fields, text=f"words of {author(number)} at {step}", is_edit=what == "edit")


def commit(store: Store, records: list[Post | Deletion | AccountStatus]) -> None:
    parts = {"posts": Post, "deletions": Deletion, "accounts": AccountStatus}
    batch = {name: tuple(r for r in records if isinstance(r, kind)) for name, kind in parts.items()}
    store.commit(Batch("live", **batch), now=T0)


def others(store: Store) -> list[tuple[object, ...]]:
    """What is visible of everybody else; a score that a lost context asks for again is left out."""
    rows = (
        store.read("post", platform="bluesky", post_id=post_id).to_pylist()
        for post_id, author_id in stored_ids(store, "bluesky")
        if author_id != did(FORGOTTEN)
    )
    return [tuple(row[0][name] for name in ("post_id", "text", "context", "kind", "version_at")) for row in rows if row]


@settings(max_examples=15, deadline=None)
@given(
    before=histories,
    after=histories,
    size=st.integers(3, 9),
    again=st.permutations(range(8)),
    is_known=st.booleans(),
)
def test_whoever_is_forgotten_never_comes_back_and_nobody_else_is_touched(before, after, size, again, is_known):
    early = [record(step, *action) for step, action in enumerate(before)]
    late = [record(step, *action) for step, action in enumerate(after, start=len(early))]
    whole = early + late
    replayed = [whole[place % len(whole)] for place in again]
    posts = [one for one in whole if isinstance(one, Post) and one.text]
    theirs, rest = ([post for post in posts if (post.author_id == did(FORGOTTEN)) == so] for so in (True, False))
    gone = traces(*theirs) - traces(*rest)  # texts of one step differ in a digit, and share groups
    with TemporaryDirectory() as folder:
        store, without = Store(Path(folder) / "with.duckdb"), Store(Path(folder) / "without.duckdb")
        without.forget("author", "bluesky", did(FORGOTTEN))  # before anything of theirs was ever seen
        if is_known:
            commit(store, early)
            commit(without, early)
            group_pending(store)
        store.forget("author", "bluesky", did(FORGOTTEN))
        for start in range(0, len(late + replayed), size):
            part = (late + replayed)[start : start + size]
            commit(store, part)
            commit(without, part)
            group_pending(store)
            held = everything(store)
            assert numbers(store) & gone == set()
            assert [text for _, text in held if text.startswith(f"words of {FORGOTTEN}")] == []
            assert [text for _, text in held if text in (did(FORGOTTEN), f"h{FORGOTTEN}.example")] == []
            assert did(FORGOTTEN) not in {author_id for _, author_id in stored_ids(store, "bluesky")}
        assert others(store) == others(without)
