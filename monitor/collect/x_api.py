"""X's REST API through tweepy, with its faults fenced off.

tweepy waits for nothing here (``wait_on_rate_limit`` recurses a thousand times where a 429 bears no reset), follows no
redirect and has no timeout of its own; all of that is set at its session. Answers are taken as plain dicts: X is
renaming its fields, and tweepy's classes know the old names only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from monitor.collect.x_query import PresentRule, StreamRule
from monitor.config import Secrets, X
from monitor.errors import AuthError, CollectError, RateLimited, StreamEnded, Unpaid

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from tweepy import Client

SDK_HOST = "https://api.twitter.com"
POST_FIELDS = (
    "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,lang,note_tweet,public_metrics,"
    "referenced_tweets"
)
_TIMEOUTS = (10.0, 30.0)  # seconds to connect, and between two bytes of an answer
_SHORTEST_WAIT, _LONGEST_WAIT, _BLIND_WAIT = 10.0, 901.0, 60.0
_UNPAID_WAIT = 900.0
_HALF_SECOND = timedelta(seconds=0.5)
_ABOUT = timedelta(seconds=2)
_LOGIN_HINT = "Set X_BEARER_TOKEN to the bearer token of an app with access to the API."
_CREDIT_HINT = "Buy credit or raise the spending limit in X's developer console."


class QueryRefused(CollectError):
    """X takes the request for wrong; asking again would not help. ``status`` is that of HTTP."""

    def __init__(self, message: str, hint: str = "", status: int = 400) -> None:
        super().__init__(message, hint)
        self.status = status


@dataclass(slots=True)
class _Clock:
    """How far X's clock is ahead of ours."""

    ahead: timedelta = timedelta()


class Api:
    """One app at X.

    Args:
        settings: where the API is, and what is asked for beside the posts.
        secrets: the bearer token.

    Raises:
        AuthError: no token is set.
    """

    def __init__(self, settings: X, secrets: Secrets) -> None:
        if secrets.x_bearer_token is None:
            raise AuthError("X_BEARER_TOKEN is not set", _LOGIN_HINT)
        self.settings = settings
        self._token = secrets.x_bearer_token
        self._client: Client | None = None
        self._clock = _Clock()

    def another(self) -> Api:
        """The same app, and the same clock, with a connection of its own for another thread."""
        other = copy.copy(self)
        other._client = None
        return other

    def now(self) -> datetime:
        """X's clock, as its last answer told it; ours before the first."""
        return datetime.now(UTC) + self._clock.ahead

    def heard(self, response: Response, *_: Any, **__: Any) -> None:
        """Set the clock by an answer; it tells whole seconds, so one that is about right is better than that."""
        ahead = _told(response.headers) - datetime.now(UTC)
        self._clock.ahead = ahead if abs(ahead) > _ABOUT else timedelta()

    @property
    def token(self) -> str:
        """For the stream, which is another client."""
        return self._token.get_secret_value()

    def search(self, query: str, start: datetime, end: datetime, most: int, page: str | None = None) -> dict[str, Any]:
        """One page of the last seven days, newest first; ``most`` posts (10 to 100)."""
        params = {"start_time": _spelt(start), "end_time": _spelt(end), "max_results": most, "next_token": page}
        return self._ask(lambda client: client.search_recent_tweets(query, **params, **beside(self.settings)))

    def search_all(
        self, query: str, start: datetime, end: datetime, most: int, page: str | None = None
    ) -> dict[str, Any]:
        """One page of the full archive, newest first; ``most`` posts (10 to 500)."""
        params = {"start_time": _spelt(start), "end_time": _spelt(end), "max_results": most, "next_token": page}
        return self._ask(lambda client: client.search_all_tweets(query, **params, **beside(self.settings)))

    def look_up(self, ids: Sequence[str]) -> dict[str, Any]:
        """Posts by id (1 to 100), each in the version that has that id; what is gone is left out."""
        return self._ask(lambda client: client.get_tweets(list(ids), tweet_fields=POST_FIELDS))

    def counts(self, query: str, start: datetime, end: datetime, page: str | None = None) -> dict[str, Any]:
        """How many posts of the last seven days match, by the hour; all on one page."""
        params = {"start_time": _spelt(start), "end_time": _spelt(end), "granularity": "hour"}
        return self._ask(lambda client: client.get_recent_tweets_count(query, **params))

    def counts_all(self, query: str, start: datetime, end: datetime, page: str | None = None) -> dict[str, Any]:
        """How many posts of the full archive match, by the hour; a page holds some 30 days."""
        params = {"start_time": _spelt(start), "end_time": _spelt(end), "granularity": "hour", "next_token": page}
        return self._ask(lambda client: client.get_all_tweets_count(query, **params))

    def rules(self) -> list[PresentRule]:
        """The rules of the filtered stream as they stand at X."""
        answer = self._ask(lambda client: _rules(client).get_rules())
        found = _objects(answer.get("data"))
        return [PresentRule(str(rule.get("id")), str(rule.get("value")), str(rule.get("tag") or "")) for rule in found]

    def change_rules(self, add: Iterable[StreamRule], delete: Iterable[str]) -> None:
        """Delete first: X takes no second rule of the same value. What comes between, recent search brings.

        Raises:
            QueryRefused: X takes one of them for wrong; its reason is told.
        """
        from tweepy import StreamRule as Rule

        if old := list(delete):
            self._ask(lambda client: _rules(client).delete_rules(old))
        if new := [Rule(value=rule.value, tag=rule.tag) for rule in add]:
            answer = self._ask(lambda client: _rules(client).add_rules(new))
            faults = [error for error in _objects(answer.get("errors")) if error.get("title") != "DuplicateRule"]
            if faults:
                raise QueryRefused(f"X refused a rule: {_detail(faults[0])}", "See monitor doctor.")

    def _ask(self, call: Callable[[Client], Any]) -> dict[str, Any]:
        """
        Raises:
            AuthError, RateLimited, Unpaid, QueryRefused, CollectError: as X answered.
        """
        import requests

        try:
            answer = call(self._client or self._open())
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise CollectError(f"{self.settings.api_url} gave no answer: {type(error).__name__}") from None
        if not isinstance(answer, dict):
            raise CollectError(f"{self.settings.api_url} answered with no object")
        return answer

    def _open(self) -> Client:
        import tweepy

        client = tweepy.Client(self.token, return_type=dict)
        redirect(client.session, self.settings.api_url)
        client.session.hooks["response"] += [self.heard, _refuse]
        self._client = client
        return client

    def close(self) -> None:
        """Let go of the connections; a later call opens them again."""
        if self._client is not None:
            self._client.session.close()
            self._client = None


def beside(settings: X) -> dict[str, str]:
    """What is asked for with each post. Authors and referenced posts cost a read each."""
    expansions = [*(["author_id"] if settings.authors else []), *(["referenced_tweets.id"] if settings.context else [])]
    return {"tweet_fields": POST_FIELDS} | ({"expansions": ",".join(expansions)} if expansions else {})


def redirect(session: Any, api_url: str) -> None:
    """Send what the SDK means for its own host to ``api_url``, with timeouts and without following redirects."""
    from requests.adapters import HTTPAdapter

    class _Adapter(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            request.url = (request.url or "").replace(SDK_HOST, api_url.rstrip("/"), 1)
            kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUTS
            return super().send(request, *args, **kwargs)

    session.max_redirects = 0
    session.trust_env = api_url.startswith("https://")  # a proxy of the environment has no way to a loopback server
    session.mount(SDK_HOST, _Adapter())


def our_error(response: Response) -> CollectError:
    """What an HTTP answer other than 2xx means to the loop."""
    status, said = response.status_code, _said(response)
    if status in (401, 403) and "SpendCapReached" not in said:  # some accounts are told so with 403
        return AuthError(f"X refused the credentials: {said}", _LOGIN_HINT)
    if status == 402 or "SpendCapReached" in said or "UsageCapExceeded" in said:
        return Unpaid(f"X wants to be paid: {said}", _UNPAID_WAIT, _CREDIT_HINT)
    if status == 429 and "ConnectionException" in said:  # one that we lost, which X has not noticed yet
        return StreamEnded(f"X refused a second connection: {said}")
    if status == 429:
        return RateLimited(f"X asked us to wait: {said}", wait_seconds(response.headers))
    if 400 <= status < 500:
        return QueryRefused(f"X refused the request: {said}", status=status)
    return CollectError(f"X answered {status}: {said}")


def wait_seconds(headers: Mapping[str, str]) -> float:
    """Until the reset that a 429 names (unix seconds, by the clock of the answer); a minute where it names none."""
    try:
        wait = int(headers.get("x-rate-limit-reset", "")) - _told(headers).timestamp()
    except (ValueError, OverflowError):
        return _BLIND_WAIT
    return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)


def _refuse(response: Response, *_: Any, **__: Any) -> None:
    """Raise before the SDK reads a refusal: it takes every one for an object of the kind that X documents."""
    if not 200 <= response.status_code < 300:
        raise our_error(response)


def _said(response: Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    return _detail(body)[:300] if isinstance(body, dict) else f"HTTP {response.status_code}"


def _told(headers: Mapping[str, str]) -> datetime:
    """The time of an answer; ours where it tells none."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC) + _HALF_SECOND
    except (ValueError, TypeError, OverflowError):
        return datetime.now(UTC)


def _objects(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _detail(problem: dict[str, Any]) -> str:
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    parts = (problem.get("title"), problem.get("detail") or first.get("message") or first.get("detail"))
    return ": ".join(str(part) for part in parts if part) or "no reason given"


def _spelt(at: datetime) -> str:
    """Whole seconds, as X takes them."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rules(client: Client) -> Any:
    """The SDK keeps the calls for rules with its streaming client; they go through ours."""
    import tweepy

    other = tweepy.StreamingClient(client.bearer_token, return_type=dict)
    other.session = client.session
    return other
