"""X's batch compliance jobs over HTTP: create, find, upload the ids, look, download the answer.

Uploads and downloads go to signed addresses at a storage service; the token is not for them, and as whoever holds such
an address may use it they are never stored: X tells them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from monitor.collect.x_api import Api, QueryRefused
from monitor.errors import CollectError, RateLimited

if TYPE_CHECKING:
    from requests import Response
    from tweepy import Client

Status = Literal["created", "in_progress", "complete", "failed", "expired"]
_TIMEOUTS = (10.0, 120.0)  # seconds to connect, and between two bytes
_OCCUPIED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """One job as X tells of it."""

    id: str
    name: str
    status: Status
    upload_url: str
    download_url: str


class Gone(CollectError):
    """X does not hold the job, or its answer, any more."""


class JobsApi(Api):
    """The compliance jobs of one app at X; 150 requests in 15 minutes, without a charge (November 2026)."""

    def create(self, name: str) -> Job:
        """A new job for post ids.

        Raises:
            RateLimited: X allows one unfinished job, and there is another.
        """
        return _job(self._ask(lambda client: _create(client, name)).get("data"))

    def named(self, name: str) -> Job | None:
        """The job of that name among the recent ones."""
        found = self._ask(lambda client: client.get_compliance_jobs("tweets")).get("data") or ()
        return next((_job(job) for job in found if isinstance(job, dict) and job.get("name") == name), None)

    def look(self, job_id: str) -> Job:
        """
        Raises:
            Gone: there is no such job.
        """
        return _job(self._ask(lambda client: _look(client, job_id)).get("data"))

    def upload(self, job: Job, ids: Iterable[str]) -> None:
        """Hand over the ids, once, within 15 minutes."""
        self._transfer("PUT", job.upload_url, "\n".join(ids).encode())

    def download(self, job: Job) -> bytes:
        """The answer of a complete job: JSON lines for what is not public any more, nothing for the rest.

        Raises:
            Gone: it was kept for a week and that is over.
        """
        return self._transfer("GET", job.download_url).content

    def _transfer(self, method: str, url: str, body: bytes | None = None) -> Response:
        import requests

        if not url.startswith(("https://", self.settings.api_url)):
            raise CollectError("X named no address to transfer ids to")
        with requests.Session() as session:
            session.trust_env = url.startswith("https://")  # as in x_api.redirect
            try:
                headers = {"Content-Type": "text/plain"} if body is not None else {}
                answer = session.request(method, url, data=body, headers=headers, timeout=_TIMEOUTS)
            except requests.RequestException as error:
                raise CollectError(f"X's storage broke off: {type(error).__name__}") from None
        if method == "GET" and answer.status_code in (403, 404, 410):
            raise Gone(f"X's storage has no answer any more: HTTP {answer.status_code}")
        if not answer.ok:
            raise CollectError(f"X's storage answered HTTP {answer.status_code}")
        return answer


def _create(client: Client, name: str) -> Any:
    try:
        return client.create_compliance_job("tweets", name=name)
    except QueryRefused as error:
        if error.status != 409:
            raise
        raise RateLimited("X has an unfinished compliance job of this app", _OCCUPIED_SECONDS) from None


def _look(client: Client, job_id: str) -> Any:
    try:
        return client.get_compliance_job(job_id)
    except QueryRefused as error:
        if error.status != 404:
            raise
        raise Gone(f"X knows no job {job_id}") from None


def _job(data: Any) -> Job:
    if not isinstance(data, dict) or not data.get("id"):
        raise CollectError("X answered with no compliance job")
    texts = {name: str(data.get(name) or "") for name in ("id", "name", "upload_url", "download_url")}
    status = data.get("status")
    if status not in ("created", "in_progress", "complete", "failed", "expired"):
        raise CollectError(f"X's job {texts['id']} is in no known state")
    return Job(status=status, **texts)
