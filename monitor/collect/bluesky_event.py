"""One event of Jetstream v2 as a record; the live stream and imported files both read it here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from monitor.collect.base import Malformed
from monitor.collect.bluesky_record import POST, REPOST, build_post, build_repost, parse_time, uri_of
from monitor.records import AccountStatus, Deletion, Post, Source, Visibility

_NSID = "network.bsky.jetstream.subscribeEvents"
COMMIT, ACCOUNT, IDENTITY, INFO = (f"{_NSID}#{kind}" for kind in ("commit", "account", "identity", "info"))

_STATUS: dict[str, Visibility] = {
    "deactivated": "deactivated",
    "suspended": "suspended",
    "takendown": "takendown",
    "deleted": "deleted",
}
# Say that a relay lags behind, not that anybody asked for anything to be gone.
_TRANSPORT_STATUS = ("desynchronized", "throttled")


def read_event(payload: dict[str, Any], source: Source = "live") -> Post | Deletion | AccountStatus | None:
    """What an event's payload means to us; None for identity events and collections that nobody asked for.

    An update is returned as the Post it now is. The time of everything is the server's ``time``, else now.

    Raises:
        Malformed: the event cannot be kept.
    """
    kind = payload.get("$type")
    if kind == COMMIT:
        return _commit(payload, source)
    if kind == ACCOUNT:
        return _account(payload)
    if kind == IDENTITY:
        return None
    raise Malformed("unknown kind of event")


def event_time(payload: dict[str, Any]) -> datetime:
    """When the server saw the event, UTC; now where it does not say."""
    return parse_time(payload.get("time")) or datetime.now(UTC)


def _commit(payload: dict[str, Any], source: Source) -> Post | Deletion | None:
    collection, operation = payload.get("collection"), payload.get("operation")
    if collection not in (POST, REPOST):
        return None
    author_id, rkey, at = payload.get("did"), payload.get("rkey"), event_time(payload)
    if operation == "delete":
        return Deletion("bluesky", uri_of(author_id, collection, rkey), str(author_id), at)
    if operation not in ("create", "update"):
        raise Malformed("unknown operation")
    build = build_post if collection == POST else build_repost
    post = build(author_id, rkey, payload.get("record"), observed_at=at, source=source, raw=payload)
    return replace(post, is_edit=True) if operation == "update" else post


def _account(payload: dict[str, Any]) -> AccountStatus | None:
    account = payload.get("account")
    if not isinstance(account, dict) or not isinstance(account.get("active"), bool):
        raise Malformed("account event without a state")
    uri_of(payload.get("did"), POST, "self")  # refuses what is no DID
    status = account.get("status")
    if account["active"]:
        return AccountStatus("bluesky", payload["did"], "active", event_time(payload))
    if status in _TRANSPORT_STATUS:
        return None
    # A state we do not know yet hides the posts; that is undone when the account is active again.
    visibility = _STATUS.get(status, "deactivated") if isinstance(status, str) else "deactivated"
    return AccountStatus("bluesky", payload["did"], visibility, event_time(payload))
