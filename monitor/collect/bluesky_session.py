"""How we ask a Bluesky service: logged in, with the session kept in a file, or without login.

A login costs one of 30 per 5 minutes (300 a day), so the session string is kept beside the database, readable by its
owner only, and rewritten whenever the SDK creates or refreshes the session. Nothing of it is ever logged.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from monitor.collect import json_text
from monitor.collect.bluesky_faults import LOGIN_HINT, StaleToken, our_error
from monitor.config import Bluesky, Secrets
from monitor.errors import AuthError, CollectError

if TYPE_CHECKING:
    from ssl import SSLContext

    from atproto import Client

PUBLIC_URL = "https://public.api.bsky.app"  # the AppView that answers getPosts without login, but not searchPosts
_ENTRYWAY = "https://bsky.social"
_TIMEOUT_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """An account, and the file its session is kept in."""

    handle: str
    password: SecretStr
    path: Path


class Session:
    """XRPC queries as plain JSON; opened by the first query, for one thread.

    Args:
        service_url: PDS or AppView.
        login: None asks anonymously.
        timeout_seconds: for one answer.
    """

    def __init__(self, service_url: str, login: Login | None = None, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self.service_url = service_url
        self._login = login
        self._timeout_seconds = timeout_seconds
        self._client: Client | None = None

    @property
    def name(self) -> str:
        """Who asks whom, for the log and the screen."""
        return f"{'@' + self._login.handle if self._login else 'without login'} at {self.service_url}"

    def query(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer of ``method``, e.g. "app.bsky.feed.getPosts".

        Raises:
            AuthError: the service refuses us; not worth a retry.
            RateLimited: asked to wait.
            Refused: the request itself is refused.
            CollectError: no answer, or none that can be read.
        """
        try:
            return self._ask(self._client or self._open(), method, params)
        except StaleToken:
            client = self._open(fresh=True)
        try:
            return self._ask(client, method, params)
        except StaleToken as error:
            raise AuthError(f"{self.service_url} takes no session that it has just made: {error}") from None

    def close(self) -> None:
        """Close the connections; a later query opens them again."""
        if self._client is not None:
            self._client.request.close()
            self._client = None

    def _ask(self, client: Client, method: str, params: dict[str, Any]) -> dict[str, Any]:
        from atproto_client.models.dot_dict import DotDict

        response = self._call(lambda: client.invoke_query(method, params=DotDict(params)))
        try:
            answer = json_text.parse(response.content)
        except ValueError:
            raise CollectError(f"{self.service_url} answered {method} with no JSON") from None
        if not isinstance(answer, dict):
            raise CollectError(f"{self.service_url} answered {method} with no object")
        return answer

    def _open(self, fresh: bool = False) -> Client:
        from atproto import Client, Request

        self.close()
        hooks = {"response": [_leave_unparsed]}
        request = Request(timeout=self._timeout_seconds, verify=_certificates(), event_hooks=hooks)
        client = Client(self.service_url, request=request)
        if self._login is not None:
            self._log_in(self._login, client, fresh)
        self._client = client
        return client

    def _log_in(self, login: Login, client: Client, fresh: bool) -> None:
        client.on_session_change(lambda event, session: self._keep(login, event.value, session.encode()))
        if not fresh and self._restore(login, client):
            return
        log.info("logging in as %s", self.name)
        password = login.password.get_secret_value()
        try:
            self._call(lambda: client.login(login.handle, password, fetch_bsky_profile=False), logging_in=True)
        except CollectError:
            client.request.close()
            raise

    def _call(self, request: Callable[[], Any], logging_in: bool = False) -> Any:
        import httpx
        from atproto.exceptions import AtProtocolError

        handle = self._login.handle if self._login else None
        try:
            return request()
        except (AtProtocolError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise our_error(error, self.service_url, handle, logging_in) from None
        except ValueError:
            raise CollectError(f"{self.service_url} answered with no JSON") from None

    def _restore(self, login: Login, client: Client) -> bool:
        """Take the session up again from its file, if it is of this account at this service."""
        try:
            kept = json.loads(login.path.read_text(encoding="utf-8"))
            if (kept["service_url"], kept["handle"]) != (self.service_url, login.handle):
                return False
            client.login(session_string=kept["session"], fetch_bsky_profile=False)
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s holds no session (%s); logging in again", login.path, type(error).__name__)
            return False
        return True

    def _keep(self, login: Login, event: str, session: str) -> None:
        if event == "import":
            return
        kept = {"service_url": self.service_url, "handle": login.handle, "session": session}
        try:
            _write_private(login.path, json.dumps(kept))
        except OSError as error:
            log.warning("the session cannot be kept in %s: %s", login.path, error.strerror)


def session_path(store_path: Path) -> Path:
    """Where the session that serves a database is kept: beside it."""
    return store_path.with_name(store_path.name + ".bluesky-session")


def logged_in(settings: Bluesky, secrets: Secrets, path: Path) -> Session:
    """A session of the account named in the environment, at [bluesky].service_url; kept at ``path``.

    Raises:
        AuthError: BLUESKY_HANDLE or BLUESKY_APP_PASSWORD is not set.
    """
    if not (secrets.bluesky_handle and secrets.bluesky_app_password):
        raise AuthError("BLUESKY_HANDLE and BLUESKY_APP_PASSWORD are not both set", LOGIN_HINT)
    handle = secrets.bluesky_handle.removeprefix("@")
    return Session(settings.service_url, Login(handle, secrets.bluesky_app_password, path))


def anonymous(settings: Bluesky) -> Session:
    """A session without login: at [bluesky].service_url, or at the public AppView in place of bsky.social.

    bsky.social itself answers nobody who is not logged in.
    """
    return Session(PUBLIC_URL if settings.service_url == _ENTRYWAY else settings.service_url)


@cache
def _certificates() -> SSLContext:
    """Loaded once: it costs 80 ms, and a session is opened after every fault."""
    import httpx

    return httpx.create_ssl_context()


def _leave_unparsed(response: Any) -> None:
    """Keep the SDK from parsing answers to queries: it gives up a page for one lone surrogate in one post."""
    if response.request.method == "GET" and response.is_success:
        response.headers["content-type"] = "application/octet-stream"


def _write_private(path: Path, text: str) -> None:
    """Replace ``path`` at once by a file that only its owner may read."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)
