"""Options that several commands share, and what they open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import Store

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="MONITOR_CONFIG", help="The configuration.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
DEFAULT_CONFIG = Path("monitor.toml")


def open_store(config: Config, *, create: bool = True) -> Store:
    """The store that the configuration names."""
    from monitor.store import Store

    settings = config.store
    return Store(settings.path, create=create, memory_limit=settings.memory_limit, threads=settings.threads)


def say(text: str) -> None:
    """A line for the operator, on stderr."""
    typer.echo(text, err=True)
