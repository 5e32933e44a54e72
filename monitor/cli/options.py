"""Options that several commands share, and what they open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.config import Config, Event
    from monitor.store import Store

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="MONITOR_CONFIG", help="The configuration.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
DEFAULT_CONFIG = Path("monitor.toml")


def open_store(config: Config, *, create: bool = True, for_real_posts: bool = False) -> Store:
    """The store that the configuration names.

    Raises:
        StoreError: real posts are to go into a file whose posts are invented.
    """
    from monitor.errors import StoreError
    from monitor.store import Store

    settings = config.store
    store = Store(settings.path, create=create, memory_limit=settings.memory_limit, threads=settings.threads)
    if for_real_posts and store.marked("synthetic") == "true":
        raise StoreError(f"{store.path} holds the demo's invented posts", "Name another file under [store] path.")
    return store


def event_of(config: Config, event_id: str) -> Event:
    """The event of that id.

    Raises:
        ConfigError: there is none.
    """
    from monitor.errors import ConfigError

    known = {event.id: event for event in config.events}
    if event_id not in known:
        raise ConfigError(f"There is no event '{event_id}'", f"Known are: {', '.join(known) or 'none'}.")
    return known[event_id]


def say(text: str) -> None:
    """A line for the operator, on stderr."""
    typer.echo(text, err=True)
