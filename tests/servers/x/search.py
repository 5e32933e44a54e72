"""Search, counts and lookup: GET /2/tweets/search/*, /2/tweets/counts/*, /2/tweets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from tests.servers.x.archive import Archive
from tests.servers.x.bill import Till
from tests.servers.x.clock import Clock
from tests.servers.x.names import FIELDS, Names, choice
from tests.servers.x.page import page
from tests.servers.x.posts import first_id, iso
from tests.servers.x.problem import invalid, missing
from tests.servers.x.query import BadQuery, parse
from tests.servers.x.span import LEAST_LAG, Span, span, token

QUERY_LENGTH = {"recent": 512, "all": 1_024}
_PAGE = {"recent": 100, "all": 500}
_WINDOW = {"query", "start_time", "end_time", "since_id", "until_id", "next_token", "pagination_token"}
_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_COUNTS_PAGE = timedelta(days=31)  # of the full archive in one answer
_IDS = 100

Params = Mapping[str, str]


class Search:
    """Answers for requests that have passed authorisation and rate limits.

    ``least_lag`` is how far behind now an end must lie; a test that cannot wait for it makes it negative.
    """

    def __init__(self, archive: Archive, clock: Clock, till: Till) -> None:
        self._archive, self._clock, self._till = archive, clock, till
        self.least_lag = LEAST_LAG

    def search(self, params: Params, reach: str, names: Names) -> dict[str, Any]:
        """One page of posts, the newest first."""
        known(params, _WINDOW | FIELDS | {"max_results", "sort_order"})
        text, asked = self._asked(params, reach)
        size = _size(params, _PAGE[reach])
        found = list(islice(self._archive.newest_first(text, asked.since, asked.until), size + 1))
        posts = found[:size]
        wanted = choice(params, names)
        body = page(posts, wanted, self._archive)
        self._till.ring(body)
        meta: dict[str, Any] = {"result_count": len(posts)}
        if posts:
            meta |= {"newest_id": posts[0].id, "oldest_id": posts[-1].id}
        if len(found) > size:
            meta["next_token"] = token(int(posts[-1].id), asked, params)
        return wanted.spoken(body | {"meta": meta})

    def counts(self, params: Params, reach: str, names: Names) -> dict[str, Any]:
        """Posts by minute, hour or day; the full archive by 31 days a page, the newest page first."""
        known(params, _WINDOW | {"granularity", "search_count.fields"})
        step = _STEPS.get(params.get("granularity", "hour"))
        if step is None:
            raise invalid("'granularity' must be one of minute, hour, day.", granularity=params["granularity"])
        text, asked = self._asked(params, reach)
        shown = asked
        if reach == "all" and asked.end - asked.start > _COUNTS_PAGE:
            shown = Span(first_id(_floor(asked.end - _COUNTS_PAGE, step)), asked.until)
        times = self._archive.times(text, shown.since, shown.until)
        buckets = _buckets(times, shown, step)
        meta: dict[str, Any] = {"total_tweet_count": len(times)}
        if shown.since > asked.since:
            meta["next_token"] = token(shown.since, asked, params)
        self._till.ring_counts(f"counts/{reach}")
        return choice(params, names).spoken({"data": buckets, "meta": meta})

    def look_up(self, params: Params, names: Names) -> dict[str, Any]:
        """Posts by id, in the order asked for; what is not there stands in errors."""
        known(params, {"ids"} | FIELDS)
        ids = [post_id for post_id in params.get("ids", "").split(",") if post_id]
        if not 1 <= len(ids) <= _IDS or not all(post_id.isdigit() for post_id in ids):
            raise invalid(
                f"The number of values in the `ids` query parameter list [{len(ids)}] is not between 1 and 100"
            )
        found = {post_id: self._archive.look_up(post_id) for post_id in dict.fromkeys(ids)}
        lost = [missing(i, "ids", is_hidden=self._archive.is_hidden(i)) for i, post in found.items() if post is None]
        wanted = choice(params, names)
        body = page([post for post in found.values() if post], wanted, self._archive, lost)
        self._till.ring(body)
        return wanted.spoken(body)

    def _asked(self, params: Params, reach: str) -> tuple[str, Span]:
        text = params.get("query", "")
        if not 1 <= len(text) <= QUERY_LENGTH[reach]:
            raise invalid(f"There were errors processing your request: query length {len(text)}", query=text)
        try:
            parse(text)
        except BadQuery as error:
            raise invalid(f"There were errors processing your request: {error}", query=text) from error
        return text, span(params, self._clock.now(), is_recent=reach == "recent", least_lag=self.least_lag)


def known(params: Params, names: set[str] | frozenset[str]) -> None:
    """X refuses parameters that it does not know.

    Raises:
        Problem: 400.
    """
    for name in params.keys() - names:
        raise invalid(f"The query parameter [{name}] is not one of [{','.join(sorted(names))}]")


def _size(params: Params, most: int) -> int:
    given = params.get("max_results", "10")
    if not given.isdigit() or not 10 <= int(given) <= most:
        raise invalid(
            f"The `max_results` query parameter value [{given}] is not between 10 and {most}", max_results=given
        )
    return int(given)


def _buckets(times: list[datetime], shown: Span, step: timedelta) -> list[dict[str, Any]]:
    """Whole steps but for the first and the last, oldest first, empty ones too."""
    if shown.since >= shown.until:
        return []
    counted = Counter(_floor(at, step) for at in times)
    buckets = []
    at = _floor(shown.start, step)
    while at < shown.end:
        start, end = max(at, shown.start), min(at + step, shown.end)
        buckets.append({"start": iso(start), "end": iso(end), "tweet_count": counted[at]})
        at += step
    return buckets


def _floor(at: datetime, step: timedelta) -> datetime:
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return midnight + (at - midnight) // step * step
