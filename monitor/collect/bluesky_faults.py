"""What the SDK raises on a fault of an XRPC call, as our errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from monitor.errors import AuthError, CollectError, RateLimited

LOGIN_HINT = (
    "Make an app password at https://bsky.app/settings/app-passwords and set BLUESKY_HANDLE and BLUESKY_APP_PASSWORD."
)
_STALE_TOKEN = ("ExpiredToken", "InvalidToken")


class Refused(CollectError):
    """The server understood the request and will not answer it (400); ``name`` is the error's ("InvalidRequest")."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class StaleToken(Exception):
    """The session must be made anew with the password; never leaves ``Session``."""


def our_error(error: Exception, service: str, handle: str | None, logging_in: bool) -> Exception:
    """What an ``AtProtocolError`` or one of httpx's errors, which the SDK lets through, means to us.

    Args:
        service: the URL that was asked.
        handle: who asked; None without login.
        logging_in: during createSession, where a stale token cannot be the reason.
    """
    from atproto import exceptions as sdk

    who, answer = "@" + handle if handle else "us", str(error) or type(error).__name__
    if isinstance(error, sdk.RateLimitExceededError):
        return RateLimited(f"{service} asks us to wait: {answer}", wait_seconds(error.retry_after, error.reset_at))
    if handle and not logging_in and _is_stale(error):
        return StaleToken(answer)
    if isinstance(error, sdk.UnauthorizedError) or (logging_in and isinstance(error, sdk.BadRequestError)):
        return AuthError(f"{service} refuses {who}: {answer}", LOGIN_HINT)
    if isinstance(error, sdk.BadRequestError):
        return Refused(f"{service} refuses the request: {answer}", _name(error))
    is_served = answer[:3] not in ("404", "501")
    return CollectError(
        f"{service} does not answer: {answer}",
        "" if is_served else "Is [bluesky].service_url a PDS or an AppView of Bluesky?",
    )


def wait_seconds(retry_after: float | None, reset_at: datetime | None) -> float:
    """Seconds that a 429 asks for, between a tenth of a second and a day; a minute where it says nothing."""
    wait = retry_after
    if wait is None and reset_at is not None:
        wait = (reset_at - datetime.now(UTC)).total_seconds()
    return 60.0 if wait is None else min(max(wait, 0.1), 86_400.0)


def _is_stale(error: Any) -> bool:
    """Whether the token is the trouble: the server says so, or the SDK cannot even read it."""
    from atproto import exceptions as sdk

    if isinstance(error, sdk.RequestErrorBase):
        is_401 = error.response is not None and error.response.status_code == 401
        return is_401 or _name(error) in _STALE_TOKEN
    return isinstance(error, sdk.LoginRequiredError | sdk.InvalidTokenError)


def _name(error: Any) -> str:
    return str(getattr(getattr(error.response, "content", None), "error", ""))
