"""Batch compliance: POST and GET /2/compliance/jobs, the upload of ids and the download of what became of them."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.servers.x.archive import Archive
from tests.servers.x.clock import Clock
from tests.servers.x.posts import iso, time_of
from tests.servers.x.problem import invalid, plain
from tests.servers.x.search import known

UPLOAD_EXPIRES, DOWNLOAD_EXPIRES = timedelta(minutes=15), timedelta(days=7)
_STATUSES = ("created", "in_progress", "complete", "failed", "expired")

Ending = Literal["complete", "failed", "expired"]


@dataclass(slots=True)
class Job:
    """One job and how it will go."""

    id: str
    type: str
    name: str | None
    created_at: datetime
    polls: int
    ends_as: Ending
    ids: list[str] | None = None
    status: str = "created"
    lines: list[dict[str, str]] = field(default_factory=list)


class Compliance:
    """All jobs.

    ``polls`` is how often a job is seen in_progress before it ends as ``ends_as`` says; both hold for jobs that are
    created from then on. ``allows_parallel`` lifts X's limit of one unfinished job of each type.
    """

    def __init__(self, archive: Archive, clock: Clock, url: str) -> None:
        self.polls, self.allows_parallel = 1, False
        self.ends_as: Ending = "complete"
        self.jobs: dict[str, Job] = {}
        self._archive, self._clock, self._url = archive, clock, url
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def create(self, body: Any) -> dict[str, Any]:
        kind = body.get("type") if isinstance(body, dict) else None
        if kind not in ("tweets", "users"):
            raise invalid("'type' must be one of tweets, users.", type=str(kind))
        with self._lock:
            open_jobs = [job for job in self._settled() if job.type == kind and job.status in _STATUSES[:2]]
            if open_jobs and not self.allows_parallel:
                raise plain(409, "Conflict", f"There is an unfinished job of this type: {open_jobs[0].id}")
            job_id = str(1_400_000_000_000_000_000 + next(self._numbers))
            job = Job(job_id, kind, body.get("name"), self._clock.now(), self.polls, self.ends_as)
            self.jobs[job_id] = job
            return {"data": self._payload(job)}

    def listed(self, params: Mapping[str, str]) -> dict[str, Any]:
        """All jobs of a type; looking at the list moves no job on."""
        known(params, {"type", "status", "compliance_job.fields"})
        if params.get("type") not in ("tweets", "users"):
            raise invalid("'type' must be one of tweets, users.", type=params.get("type", ""))
        with self._lock:
            wanted = [job for job in self._settled() if job.type == params["type"]]
            jobs = [self._payload(job) for job in wanted if params.get("status") in (None, job.status)]
        return {"data": jobs, "meta": {"result_count": len(jobs)}} if jobs else {"meta": {"result_count": 0}}

    def get(self, job_id: str) -> dict[str, Any]:
        """One job; each look moves it nearer to its end."""
        with self._lock:
            self._settled()
            job = self._job(job_id)
            if job.status == "in_progress":
                job.polls -= 1
                if job.polls < 0:
                    self._end(job)
            return {"data": self._payload(job)}

    def upload(self, job_id: str, content: bytes) -> None:
        """Take the ids, one on each line."""
        with self._lock:
            self._settled()
            job = self._job(job_id)
            if job.status != "created":
                raise plain(403, "Forbidden", "The upload URL is used up or has expired.")
            ids = content.decode().split("\n")
            ids = ids[:-1] if ids and not ids[-1] else ids
            is_bad = not ids or not all(line.strip().isdigit() for line in ids)
            job.ids = [line.strip() for line in ids]
            job.status = "failed" if is_bad else "in_progress"

    def download(self, job_id: str) -> bytes:
        """JSON lines for the ids of which something is to be done; nothing for the others."""
        with self._lock:
            self._settled()
            job = self._job(job_id)
            if job.status != "complete":
                raise plain(404, "Not Found", "There is no result.")
            if self._clock.now() >= job.created_at + DOWNLOAD_EXPIRES:
                raise plain(403, "Forbidden", "The download URL has expired.")
            return b"".join(json.dumps(line).encode() + b"\n" for line in job.lines)

    def _job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise plain(404, "Not Found", f"There is no job {job_id}.")
        return self.jobs[job_id]

    def _settled(self) -> list[Job]:
        """All jobs, those whose upload did not come in time as expired."""
        for job in self.jobs.values():
            if job.status == "created" and self._clock.now() >= job.created_at + UPLOAD_EXPIRES:
                job.status = "expired"
        return list(self.jobs.values())

    def _end(self, job: Job) -> None:
        job.status = job.ends_as
        if job.status == "complete":
            find = self._gone_post if job.type == "tweets" else self._gone_user
            job.lines = [line for line in map(find, job.ids or []) if line is not None]

    def _gone_post(self, post_id: str) -> dict[str, str] | None:
        gone = self._archive.why_id_gone(post_id)
        if gone is None:
            return None
        return _line(post_id, gone.reason, time_of(post_id), gone.at)

    def _gone_user(self, user_id: str) -> dict[str, str] | None:
        gone, user = self._archive.gone_authors.get(user_id), self._archive.authors().get(user_id)
        if gone is None:
            return None
        return _line(user_id, gone.reason, user.created_at if user else gone.at, gone.at)

    def _payload(self, job: Job) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "id": job.id,
            "type": job.type,
            "status": job.status,
            "resumable": False,
            "created_at": iso(job.created_at),
            "upload_url": f"{self._url}/compliance/upload/{job.id}",
            "upload_expires_at": iso(job.created_at + UPLOAD_EXPIRES),
            "download_url": f"{self._url}/compliance/download/{job.id}",
            "download_expires_at": iso(job.created_at + DOWNLOAD_EXPIRES),
        }
        return payload | ({} if job.name is None else {"name": job.name})


def _line(resource_id: str, reason: str, created_at: datetime, gone_at: datetime) -> dict[str, str]:
    return {
        "id": resource_id,
        "action": "delete",
        "created_at": iso(created_at),
        "redacted_at": iso(gone_at),
        "reason": reason,
    }
