"""The window of a search or count: what a request asks for, what X allows, and the token of the next page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.servers.x.posts import first_id, iso, time_of
from tests.servers.x.problem import invalid

RECENT = timedelta(days=7)
_ALL = timedelta(days=30)  # as far the full archive goes back where no start is named
_LAG = timedelta(seconds=30)  # the newest posts are not yet found
LEAST_LAG = timedelta(seconds=10)
_FIRST_POST = datetime(2006, 3, 21, tzinfo=UTC)
_ASKED = ("query", "start_time", "end_time", "since_id", "until_id", "granularity")


@dataclass(frozen=True, slots=True)
class Span:
    """Ids from ``since`` inclusive to ``until`` exclusive, and the times for counts."""

    since: int
    until: int

    @property
    def start(self) -> datetime:
        return time_of(self.since)

    @property
    def end(self) -> datetime:
        return time_of(self.until)


def span(params: Mapping[str, str], now: datetime, *, is_recent: bool, least_lag: timedelta = LEAST_LAG) -> Span:
    """What is asked for, or where a page token says so, what is left of it.

    Raises:
        Problem: 400 for a window that X does not serve, or a token of another query.
    """
    token = params.get("next_token") or params.get("pagination_token")
    if token is not None:
        return _continued(token, params)
    times, ids = {"start_time", "end_time"} & params.keys(), {"since_id", "until_id"} & params.keys()
    if times and ids:
        raise invalid("Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time' or 'end_time'.")
    floor = now - RECENT if is_recent else _FIRST_POST
    end = _end(params, now, least_lag)
    start = _time(params, "start_time") or max(floor, end - (RECENT if is_recent else _ALL))
    if start < floor:
        raise invalid(f"'start_time' must be on or after {iso(floor)}.", start_time=params["start_time"])
    if start >= end:
        raise invalid("'start_time' must be before 'end_time'.")
    return Span(_since(params, start, floor), min(_id(params, "until_id") or first_id(end), first_id(end)))


def token(until: int, asked: Span, params: Mapping[str, str]) -> str:
    """The token of the page that goes on below ``until``; it stands for ids, so new posts do not shift pages."""
    text = json.dumps([asked.since, until, _digest(params)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _continued(given: str, params: Mapping[str, str]) -> Span:
    try:
        since, until, digest = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (binascii.Error, ValueError) as error:
        raise invalid("Invalid 'next_token'.", next_token=given) from error
    if digest != _digest(params):
        raise invalid("'next_token' was given out for another request.", next_token=given)
    return Span(since, until)


def _digest(params: Mapping[str, str]) -> str:
    asked = json.dumps([params.get(name) for name in _ASKED])
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def _end(params: Mapping[str, str], now: datetime, least_lag: timedelta) -> datetime:
    end = _time(params, "end_time")
    if end is not None and end > now - least_lag:
        raise invalid("'end_time' must be a minimum of 10 seconds prior to the request time.", end_time=iso(end))
    return end or now - _LAG


def _since(params: Mapping[str, str], start: datetime, floor: datetime) -> int:
    since = _id(params, "since_id")
    if since is None:
        return first_id(start)
    if since < first_id(floor):
        least = f"'since_id' must be a tweet id created after {iso(floor)}."
        raise invalid(f"{least} Use a 'since_id' that is larger than {first_id(floor)}.", since_id=str(since))
    return since + 1


def _time(params: Mapping[str, str], name: str) -> datetime | None:
    if name not in params:
        return None
    try:
        at = datetime.fromisoformat(params[name])
    except ValueError as error:
        raise invalid(f"'{name}' is no RFC 3339 time.", **{name: params[name]}) from error
    if at.tzinfo is None:
        raise invalid(f"'{name}' has no time zone.", **{name: params[name]})
    return at


def _id(params: Mapping[str, str], name: str) -> int | None:
    if name not in params:
        return None
    if not params[name].isdigit():
        raise invalid(f"'{name}' is no id.", **{name: params[name]})
    return int(params[name])
