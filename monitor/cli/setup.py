"""monitor init, monitor doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.doctor import Finding


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented monitor.toml to start from.

    It watches the SoundCloud case; every key is explained in it.
    """
    from importlib import resources

    from monitor.errors import ConfigError

    if path.exists() and not force:
        raise ConfigError(f"{path} exists already", "Edit it, or overwrite it with --force.")
    try:
        path.write_text(resources.files("monitor").joinpath("example.toml").read_text("utf-8"), "utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", "Name another place.") from error
    say(f"Wrote {path}. Edit its topics, then: monitor run")


def doctor(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Say what is missing and how to get it. Exit code 1 when something necessary is."""
    from monitor.doctor import examine

    findings = examine(config)
    if json:
        import orjson

        typer.echo(orjson.dumps([finding.as_dict() for finding in findings]).decode())
    else:
        _print_findings(findings)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


def _print_findings(findings: Sequence[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "optional": "yellow", "missing": "bold red"}
    table = Table("", "What", "Found", "How to get it", box=None, padding=(0, 2, 0, 0))
    for finding in findings:
        state = Text(finding.state, colours[finding.state])
        table.add_row(state, *map(Text, (finding.what, finding.found, finding.remedy)))
    Console().print(table)


def add_to(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(doctor)
