"""Refusals, with the bodies that X sends: title, detail, type, status."""

from __future__ import annotations

from typing import Any

PROBLEMS = "https://api.twitter.com/2/problems/"


class Problem(Exception):
    """What the server answers instead of data."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('title')}")
        self.status, self.body, self.headers = status, body, headers or {}


def plain(status: int, title: str, detail: str | None = None, headers: dict[str, str] | None = None) -> Problem:
    """A problem without a page of its own: 401, 404, 429, 5xx."""
    body = {"title": title, "detail": detail or title, "type": "about:blank", "status": status}
    return Problem(status, body, headers)


def invalid(message: str, **parameters: str) -> Problem:
    """400 for a parameter."""
    told = {"parameters": {name.replace("__", "."): [value] for name, value in parameters.items()}, "message": message}
    return Problem(400, _body("invalid-request", "Invalid Request", _INVALID) | {"errors": [told]})


def forbidden() -> Problem:
    """403: the app may not use this endpoint."""
    detail = "When authenticating requests to the X API v2 endpoints, use keys of an App attached to a Project."
    more = {"reason": "client-not-enrolled", "required_enrollment": "Appropriate Level of API Access"}
    return Problem(403, _body("client-forbidden", "Client Forbidden", detail) | more | {"status": 403})


def out_of_credits() -> Problem:
    """402: nothing is left of what was paid in."""
    detail = "Your enrolled account [1] does not have any credits to fulfill this request."
    return Problem(402, _body("credits", "CreditsDepleted", detail) | {"account_id": 1, "status": 402})


def spend_cap_reached(status: int = 402) -> Problem:
    """The account's own spending limit of the billing cycle; some accounts report 403."""
    detail = "Your enrolled account [1] has reached its billing cycle spend cap. API requests will be blocked."
    return Problem(status, _body("credits", "SpendCapReached", detail) | {"account_id": 1, "status": status})


def usage_capped() -> Problem:
    """429 that no waiting for the window helps: the monthly cap of post reads."""
    more = {"period": "Monthly", "scope": "Product", "status": 429}
    return Problem(429, _body("usage-capped", "UsageCapExceeded", "Usage cap exceeded: Monthly product cap") | more)


def connection_refused(issue: str, detail: str, status: int = 429) -> Problem:
    """The stream does not stand: TooManyConnections, RuleConfigurationIssue."""
    body = _body("streaming-connection", "ConnectionException", detail)
    return Problem(status, body | {"connection_issue": issue, "status": status})


def too_many_connections() -> Problem:
    detail = "This stream is currently at the maximum allowed connection limit."
    return connection_refused("TooManyConnections", detail)


def operational_disconnect(kind: str) -> dict[str, Any]:
    """The line in the stream before it ends."""
    detail = "This stream has been disconnected for operational reasons."
    error = {"title": "operational-disconnect", "disconnect_type": kind, "detail": detail}
    return {"errors": [error | {"type": f"{PROBLEMS}operational-disconnect"}]}


def missing(post_id: str, parameter: str, *, is_hidden: bool = False) -> dict[str, str]:
    """The partial error for a post that is gone or, with ``is_hidden``, of a protected or suspended author."""
    found = {"value": post_id, "resource_id": post_id, "parameter": parameter, "resource_type": "tweet"}
    if is_hidden:
        detail = f"Sorry, you are not authorized to see the Tweet with {parameter}: [{post_id}]."
        return found | _body("not-authorized-for-resource", "Authorization Error", detail)
    return found | _body(
        "resource-not-found", "Not Found Error", f"Could not find tweet with {parameter}: [{post_id}]."
    )


def _body(page: str, title: str, detail: str) -> dict[str, Any]:
    return {"title": title, "detail": detail, "type": f"{PROBLEMS}{page}"}


_INVALID = "One or more parameters to your request was invalid."
