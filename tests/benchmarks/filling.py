"""A store full of invented posts, as the benchmarks ask it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from monitor.records import Batch, Seen
from monitor.store import Store

_SQL = Path(__file__).with_name("posts.sql").read_text("utf-8")


def fill(store: Store, posts: int, days: int = 60, topics: Sequence[str] = ("soundcloud-ai",)) -> None:
    """Invented posts up to now, and a live stream of each platform that began before them; see ``posts.sql``."""
    now = datetime.now(UTC)
    values = {"n": posts, "days": days, "topics": list(topics), "now": now.replace(tzinfo=None)}
    with duckdb.connect(str(store.path), config={"memory_limit": "6GB"}) as connection:
        for statement in duckdb.extract_statements(_SQL):
            connection.execute(statement, {name: values[name] for name in statement.named_parameters})
    for stream in ("bluesky:live", "x:live"):
        store.commit(Batch(stream, seen=(Seen(stream, now - timedelta(days=days + 1), 1),)))
