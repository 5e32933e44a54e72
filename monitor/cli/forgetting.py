"""monitor forget."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store, say

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.records import Platform as PlatformName
    from monitor.store import Store
    from monitor.store.forgotten import Author


class Platform(StrEnum):
    """Where an author or post is."""

    bluesky = "bluesky"
    x = "x"


@dataclass(frozen=True, slots=True)
class _Meant:
    """Who or what is to be forgotten; ``told`` is for the operator's eyes, ``handle`` the one that was asked for."""

    what: Literal["author", "post"]
    platform: PlatformName
    id: str
    told: str
    handle: str = ""


def forget(
    author: Annotated[
        str, typer.Option(help="A DID, an X user id, or a handle that stands in stored posts, with or without @.")
    ] = "",
    post: Annotated[str, typer.Option(help="An at:// URI, or the id of an X post.")] = "",
    platform: Annotated[Platform | None, typer.Option(help="Where the handle is meant.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Show what was forgotten so far, and remove nothing.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Remove an author with everything, or one post, for good.

    Their posts, scores, labels, raw payloads and the copies of their text in others' replies go at once. A tombstone
    stays, a hash: nothing of theirs is collected or imported again, whatever they post later. It cannot be undone.
    """
    from monitor.cli.forgotten import next_steps, print_log, print_report
    from monitor.config import load
    from monitor.errors import ConfigError

    author, post = author.strip(), post.strip()
    if [bool(author), bool(post), log].count(True) != 1:
        raise ConfigError("Say whom or what to forget: --author or --post", "See what was forgotten: --log")
    loaded = load(config)
    if log:
        print_log(open_store(loaded, create=False), json)
        return
    meant = _author(loaded, author, platform) if author else _post(post, platform)
    _confirm(meant.told, yes)
    store = open_store(loaded, create=False)  # a wrong path must not pass for a request that was fulfilled
    done = store.forget(meant.what, meant.platform, meant.id, meant.handle)
    print_report(done, next_steps(done, store), json)
    _regroup(store)


def _author(config: Config, text: str, platform: Platform | None) -> _Meant:
    """Whom the operator means.

    Raises:
        MonitorError: nobody has the handle, several have it, or it is an id of the other platform.
    """
    from monitor.errors import MonitorError
    from monitor.store.forgotten import called, known

    where: PlatformName | None = platform.value if platform else None
    named = _platform_of_author(text)
    if named is not None:
        if where not in (None, named):
            raise MonitorError(f"{text} is an id of {named}, not of {where}", "Leave --platform out.")
        found = known(open_store(config, create=False), named, text)
        return _Meant("author", named, text, _told(found) if found else f"{named} {text}: no post of theirs is stored")
    authors = called(open_store(config, create=False), text, where)
    if not authors:
        raise MonitorError(
            f"No stored post is by {text}",
            "Bluesky's live stream tells no handles: give the DID (did:plc:...), or for X the user id; or ask for the "
            "handles of stored posts first: monitor recheck.",
        )
    if len(authors) > 1:
        raise MonitorError(
            "\n".join([f"{text} is or was the handle of {len(authors)} authors:", *map(_told, authors)]),
            "Say which: --author with the id" + ("." if where else ", or --platform."),
        )
    [author] = authors
    return _Meant("author", author.platform, author.author_id, _told(author), text)


def _regroup(store: Store) -> None:
    """Posts that said nearly what is gone get other groups, unless a ``monitor run`` does that."""
    from monitor.grouping import group_pending
    from monitor.live import is_running

    while not is_running(store.path) and group_pending(store):
        pass


def _platform_of_author(text: str) -> PlatformName | None:
    """Whose id it is; None for a handle. Of digits alone, "@123" is a handle and "123" an id."""
    if re.fullmatch(r"did:[a-z]+:\S+", text):
        return "bluesky"
    return "x" if re.fullmatch(r"\d+", text) else None


def _post(text: str, platform: Platform | None) -> _Meant:
    from monitor.errors import MonitorError

    is_uri = re.fullmatch(r"at://did:[a-z]+:[^\s/]+/[\w.]+/[^\s/]+", text)
    where: PlatformName | None = "bluesky" if is_uri else "x" if re.fullmatch(r"\d+", text) else None
    if where is None or (platform is not None and platform.value != where):
        raise MonitorError(
            f"'{text}' is no post id" + (f" of {platform.value}" if platform else ""),
            "Bluesky: at://did:plc:.../app.bsky.feed.post/... X: the digits at the end of its address.",
        )
    return _Meant("post", where, text, f"{where} post {text}")


def _told(author: Author) -> str:
    handles = " ".join(f"@{handle}" for handle in author.handles) or "no handle"
    days = f"{author.first_at:%Y-%m-%d} to {author.last_at:%Y-%m-%d}"
    counts = f"{author.posts:,} posts, {author.reposts:,} reposts"
    return f"{author.platform} {author.author_id} ({handles}): {counts}, {days}"


def _confirm(told: str, yes: bool) -> None:
    """Go on, or end.

    Raises:
        MonitorError: nobody is there to be asked.
    """
    from monitor.errors import MonitorError

    say(told)
    if yes:
        return
    if not sys.stdin.isatty():
        raise MonitorError("Nothing was removed: nobody is there to confirm it", "Add --yes.")
    if not typer.confirm("Remove everything of this, for good?", err=True):
        say("Nothing was removed.")
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    app.command()(forget)
