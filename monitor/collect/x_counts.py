"""How many posts X counts, by the hour: a census for cents, without reading a post."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from monitor.collect.base import hour_of
from monitor.collect.bluesky_record import parse_time
from monitor.collect.x_api import Api
from monitor.collect.x_query import compile_queries
from monitor.collect.x_search import ARCHIVE_LIMIT, RECENT, RECENT_LIMIT
from monitor.collect.x_spend import MICRO, Till, charge
from monitor.config import Topic
from monitor.records import Batch, Counted, Window

_MOST_PAGES = 100  # of one query: eight years


def count(api: Api, topic: Topic, window: Window, till: Till) -> Iterator[Batch]:
    """The hours of a window and what asking cost, one batch for each query; the last one holds the sums.

    A topic of several queries is counted high: a post that two of them find counts twice.

    Raises:
        Unpaid: the budget does not allow the question.
        CollectError: as ``Api``.
    """
    is_recent = window.start > datetime.now(UTC) - RECENT
    item = "counts_recent" if is_recent else "counts_all"
    ask = api.counts if is_recent else api.counts_all
    price = round(getattr(api.settings.prices, item) * MICRO)
    hours: Counter[datetime] = Counter()
    stream = f"x:counts:{topic.name}"
    for query in compile_queries(topic, RECENT_LIMIT if is_recent else ARCHIVE_LIMIT).strings:
        page: str | None = None
        for _ in range(_MOST_PAGES):
            till.check(price)
            answer = ask(query, window.start, window.end, page)
            asked = charge(item, uuid.uuid4().hex, api.settings, datetime.now(UTC))  # type: ignore[arg-type]
            till.note([asked])
            hours.update(_buckets(answer))
            page = (answer.get("meta") or {}).get("next_token")
            yield Batch(stream, charges=(asked,))
            if page is None:
                break
    yield Batch(stream, counted=tuple(Counted("x", topic.name, hour, n) for hour, n in sorted(hours.items())))


def _buckets(answer: dict[str, Any]) -> dict[datetime, int]:
    found: dict[datetime, int] = {}
    for bucket in answer.get("data") or ():
        start, n = parse_time(bucket.get("start")), bucket.get("tweet_count", bucket.get("post_count"))
        if start is not None and type(n) is int and n >= 0:
            found[hour_of(start)] = found.get(hour_of(start), 0) + n
    return found
