"""What this installation lacks, and how to get it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from monitor.config import Classifier, Config, Secrets, load
from monitor.errors import MonitorError, NoDatabase

_LEAST_FREE_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``missing`` stops something necessary, ``optional`` does not."""

    state: Literal["ok", "optional", "missing"]
    what: str
    found: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def examine(config_path: Path) -> list[Finding]:
    """Look at Python, configuration, model (loaded whole), store, disk, network and credentials, in this order."""
    findings = [_python()]
    try:
        config = load(config_path)
    except MonitorError as error:
        missing = Finding("missing", "configuration", error.message, error.hint)
        return [*findings, missing, _checked("model", _model), *_credentials()]
    topics = ", ".join(topic.name for topic in config.topics)
    findings.append(Finding("ok", "configuration", f"{config_path}: {topics}; {len(config.events)} events"))
    findings += [_checked("model", lambda: _model(config.classifier))]
    findings += [_checked("store", lambda: _store(config)), _disk(config), _network(config)]
    return [*findings, *_credentials()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok" if sys.version_info >= (3, 11) else "missing", "python", version, "")


def _model(settings: Classifier | None = None) -> Finding:
    from monitor.classify import load

    return Finding("ok", "model", load(settings).model_id)


def _store(config: Config) -> Finding:
    from monitor.store import Store
    from monitor.store.queries import status

    try:
        state = status(Store(config.store.path, create=False))
    except NoDatabase:
        return Finding("ok", "store", f"{config.store.path} will be made by the first run")
    posts = sum(source.posts for source in state.sources)
    return Finding("ok", "store", f"{config.store.path}: {posts:,} posts")


def _checked(what: str, examine_it: Callable[[], Finding]) -> Finding:
    try:
        return examine_it()
    except MonitorError as error:
        return Finding("missing", what, error.message, error.hint)


def _disk(config: Config) -> Finding:
    folder = config.store.path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    if free >= _LEAST_FREE_BYTES:
        return Finding("ok", "disk", found)
    return Finding("missing", "disk", found, "Free some space, or move [store] path.")


def _network(config: Config) -> Finding:
    import socket
    from urllib.parse import urlsplit

    url = urlsplit(config.bluesky.jetstream_url)
    port = url.port or (443 if url.scheme == "wss" else 80)
    try:
        socket.create_connection((url.hostname or "", port), timeout=5).close()
    except OSError as error:
        remedy = "Needed by monitor run; check the network or [bluesky] jetstream_url. monitor demo works without."
        return Finding("optional", "jetstream", f"{config.bluesky.jetstream_url}: {error}", remedy)
    return Finding("ok", "jetstream", config.bluesky.jetstream_url)


def _credentials() -> Iterator[Finding]:
    secrets = Secrets.from_environment()
    if secrets.bluesky_handle and secrets.bluesky_app_password:
        yield Finding("ok", "bluesky account", secrets.bluesky_handle)
    else:
        remedy = (
            "Only for backfill: make an app password in Bluesky's settings; set BLUESKY_HANDLE, BLUESKY_APP_PASSWORD."
        )
        yield Finding("optional", "bluesky account", "not set", remedy)
    yield _credential(
        "x account", secrets.x_bearer_token is not None, "Only for X: set X_BEARER_TOKEN, and [x] enabled = true."
    )
    remedy = "Only for pseudonyms that stay the same between exports: set MONITOR_HASH_KEY to a long random text."
    yield _credential("pseudonym key", secrets.monitor_hash_key is not None, remedy)


def _credential(what: str, is_set: bool, remedy: str) -> Finding:
    return Finding("ok", what, "set") if is_set else Finding("optional", what, "not set", remedy)
