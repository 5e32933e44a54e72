"""monitor status, monitor dashboard."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store


def status(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Say what is going on.

    Posts by platform and source, cursors and lag, what share of the time each stream collected, gaps, rejections,
    deletions, and what waits for its score.
    """
    from datetime import UTC, datetime

    from monitor.cli.report import as_dict, print_status
    from monitor.completeness import recent
    from monitor.config import load
    from monitor.store.queries import status as status_of

    store, now = open_store(load(config), create=False), datetime.now(UTC)
    report = as_dict(status_of(store), now, recent(store, now))
    if json:
        _print_json(report)
    else:
        print_status(report)


def compact(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Rewrite the file without what was removed.

    Deleted text leaves the tables at once; its bytes stay in free blocks of the file until they are used again or this
    command rewrites it. Needs free disk space for a second copy. A running monitor run and the pages wait meanwhile.
    """
    from rich.console import Console

    from monitor.cli.options import say
    from monitor.config import load

    store = open_store(load(config), create=False)
    before = store.path.stat().st_size
    with Console(stderr=True).status(f"Rewriting {store.path}"):
        store.compact()
    say(f"{store.path}: {before / 2**20:,.1f} MB before, {store.path.stat().st_size / 2**20:,.1f} MB now.")


def dashboard(
    config: ConfigOption = DEFAULT_CONFIG,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
) -> None:
    """Open the pages in a browser."""
    from monitor.cli.pages import serve
    from monitor.config import load

    load(config)
    raise typer.Exit(serve(config, port=port, address=address, browser=browser))


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def add_to(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(compact)
    app.command()(dashboard)
