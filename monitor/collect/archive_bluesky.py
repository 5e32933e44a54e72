"""Lines of Bluesky archives: Jetstream events of version 1 and 2, and the post views of searchPosts and getPosts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.collect.archive_item import Item
from monitor.collect.base import Malformed
from monitor.collect.bluesky_event import ACCOUNT, COMMIT, IDENTITY, INFO, read_event
from monitor.collect.bluesky_record import build_from_view, parse_time
from monitor.records import Post

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_V1 = {"commit": COMMIT, "account": ACCOUNT, "identity": IDENTITY}


def as_event(line: dict[str, Any]) -> dict[str, Any] | None:
    """The payload of a Jetstream event in version 2's form; None if the line is no such event."""
    if line.get("$type") == "message" and isinstance(line.get("payload"), dict):
        return as_event(line["payload"])
    if line.get("$type") in (COMMIT, ACCOUNT, IDENTITY, INFO):
        return line
    if "did" in line and "time_us" in line and line.get("kind") in _V1:
        return _from_v1(line)
    return None


def read(payload: dict[str, Any]) -> Iterator[Item]:
    """What an event means; nothing for identities and for collections that nobody asked for."""
    if payload["$type"] == INFO:
        return
    try:
        if parse_time(payload.get("time")) is None:
            raise Malformed("event without a time")
        record = read_event(payload, source="import")
    except Malformed as error:
        yield Item(error)
        return
    if record is not None:
        yield Item(record, is_new=isinstance(record, Post) and record.kind != "repost" and not record.is_edit)


def views_in(line: dict[str, Any]) -> list[Any] | None:
    """The post views of a line: one view, an item of a feed, or a page of either; None if there are none."""
    if isinstance(line.get("post"), dict) and "uri" in line["post"]:
        return [line["post"]]
    if "uri" in line and "record" in line:
        return [line]
    page = line.get("posts", line.get("feed"))
    if not isinstance(page, list):
        return None
    return [view for entry in page for view in (isinstance(entry, dict) and views_in(entry)) or [entry]]


def read_view(view: Any, measured_at: datetime) -> Iterator[Item]:
    """One post view; its engagement counts as measured at ``measured_at``."""
    try:
        yield Item(build_from_view(view, measured_at=measured_at, source="import"), is_chosen=True)
    except Malformed as error:
        yield Item(error)


def _from_v1(line: dict[str, Any]) -> dict[str, Any]:
    kind = line["kind"]
    payload = {"$type": _V1[kind], "did": line["did"], "time": _time(line["time_us"])}
    body = line.get(kind)
    return payload | (body if kind == "commit" and isinstance(body, dict) else {kind: body})


def _time(time_us: object) -> str | None:
    try:
        return (_EPOCH + timedelta(microseconds=time_us)).isoformat() if isinstance(time_us, int) else None
    except OverflowError:
        return None
