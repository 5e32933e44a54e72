"""monitor.collect.bluesky_session against the real PDS: its tokens, its refusals and its rate limits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from monitor.collect.bluesky_session import Login, Session, logged_in
from monitor.collect.recheck import recheck
from monitor.config import Bluesky, Secrets
from monitor.errors import AuthError, CollectError, RateLimited
from tests.network.servers import JWT_SECRET, Network, client_of

pytestmark = pytest.mark.network

LOGINS_ALLOWED = 30  # createSession, per account and five minutes
PASSWORD = "correct horse battery staple"
_numbers = count(1)


@pytest.fixture
def handle(network: Network) -> str:
    handle = f"watcher{next(_numbers)}.test"
    client_of(network).com.atproto.server.create_account(
        {"handle": handle, "email": f"{handle}@example.test", "password": PASSWORD}
    )
    return handle


@pytest.fixture
def session_of(network: Network, tmp_path: Path) -> Callable[..., Session]:
    def opened(handle: str, password: str = PASSWORD) -> Session:
        return Session(network.pds_url, Login(handle, SecretStr(password), tmp_path / "session"))

    return opened


def who(session: Session) -> str:
    """Whom the PDS takes us for; one request that needs a valid access token."""
    return str(session.query("com.atproto.server.getSession", {})["handle"])


def kept(path: Path) -> list[str]:
    """Handle, DID, access token, refresh token and endpoint of the session string."""
    return str(json.loads(path.read_text())["session"]).split(":::")


def keep(path: Path, parts: list[str]) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "session": ":::".join(parts)}))


def expired(token: str) -> str:
    """The same access token, run out an hour ago and signed with the PDS's own key."""
    header, payload, _ = token.split(".")
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    past = int(time.time()) - 3600
    changed = _encoded(json.dumps({**claims, "iat": past - 7200, "exp": past}).encode())
    signature = hmac.new(JWT_SECRET.encode(), f"{header}.{changed}".encode(), hashlib.sha256).digest()
    return f"{header}.{changed}.{_encoded(signature)}"


def use_up_logins(network: Network, handle: str) -> None:
    url = f"{network.pds_url}/xrpc/com.atproto.server.createSession"
    wrong = {"identifier": handle, "password": "too long to be tried" * 50}  # counts, and costs the PDS no scrypt
    answers = {httpx.post(url, json=wrong, timeout=30).status_code for _ in range(LOGINS_ALLOWED)}
    assert answers == {401, 429}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_kept_session_works_where_another_login_would_be_refused(
    session_of: Callable[..., Session], network: Network, handle: str, tmp_path: Path
) -> None:
    assert who(session_of(handle)) == handle
    assert stat.S_IMODE((tmp_path / "session").stat().st_mode) == 0o600
    use_up_logins(network, handle)
    assert who(session_of(handle)) == handle
    (tmp_path / "session").unlink()
    with pytest.raises(RateLimited) as limit:
        who(session_of(handle))
    assert 0 < limit.value.wait_seconds <= 300


def test_an_access_token_that_ran_out_is_refreshed_and_the_new_session_kept(
    session_of: Callable[..., Session], handle: str, tmp_path: Path
) -> None:
    who(session_of(handle))
    before = kept(tmp_path / "session")
    keep(tmp_path / "session", [*before[:2], expired(before[2]), *before[3:]])
    assert who(session_of(handle, "wrong password, so a login would fail")) == handle
    after = kept(tmp_path / "session")
    assert after[3] != before[3]
    assert stat.S_IMODE((tmp_path / "session").stat().st_mode) == 0o600


def test_a_session_that_was_revoked_is_made_anew_with_the_password(
    session_of: Callable[..., Session], network: Network, handle: str, tmp_path: Path
) -> None:
    who(session_of(handle))
    parts = kept(tmp_path / "session")
    bearer = {"Authorization": f"Bearer {parts[3]}"}
    client_of(network).com.atproto.server.delete_session(headers=bearer)
    keep(tmp_path / "session", [*parts[:2], expired(parts[2]), *parts[3:]])
    assert who(session_of(handle)) == handle
    assert kept(tmp_path / "session")[3] != parts[3]


def test_a_token_of_another_server_leads_to_a_login(
    session_of: Callable[..., Session], handle: str, tmp_path: Path
) -> None:
    who(session_of(handle))
    parts = kept(tmp_path / "session")
    header, payload, signature = parts[2].split(".")
    keep(tmp_path / "session", [*parts[:2], f"{header}.{payload}.{signature[::-1]}", *parts[3:]])
    assert who(session_of(handle)) == handle


def test_a_wrong_password_is_refused_without_being_repeated(
    session_of: Callable[..., Session], handle: str, tmp_path: Path
) -> None:
    with pytest.raises(AuthError) as refusal:
        who(session_of(handle, "hunter2-but-longer"))
    assert handle in refusal.value.message
    assert "hunter2" not in f"{refusal.value.message} {refusal.value.hint}"
    assert refusal.value.hint
    assert not (tmp_path / "session").exists()


def test_an_account_that_was_taken_down_is_refused(
    session_of: Callable[..., Session], network: Network, handle: str, tmp_path: Path
) -> None:
    network.take_down(session_of(handle).query("com.atproto.server.getSession", {})["did"])
    (tmp_path / "session").unlink()
    with pytest.raises(AuthError, match="taken down"):
        who(session_of(handle))


def test_credentials_come_from_the_environment(network: Network, handle: str, tmp_path: Path) -> None:
    settings = Bluesky(service_url=network.pds_url)
    secrets = Secrets.from_environment({"BLUESKY_HANDLE": f"@{handle}", "BLUESKY_APP_PASSWORD": PASSWORD})
    assert who(logged_in(settings, secrets, tmp_path / "session")) == handle
    with pytest.raises(AuthError, match="BLUESKY_HANDLE"):
        logged_in(settings, Secrets(), tmp_path / "session")


def test_a_server_that_can_look_up_no_posts_makes_a_recheck_fail_instead_of_deleting(
    network: Network, handle: str, tmp_path: Path
) -> None:
    settings = Bluesky(service_url=network.pds_url)
    secrets = Secrets.from_environment({"BLUESKY_HANDLE": handle, "BLUESKY_APP_PASSWORD": PASSWORD})
    ids = [f"at://did:plc:somebody/app.bsky.feed.post/{number}" for number in range(3)]
    collector = recheck(settings, secrets, tmp_path / "session", lambda after: [] if after else ids)
    with pytest.raises(CollectError, match=network.pds_url):
        list(collector.pull(None))
