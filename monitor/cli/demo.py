"""monitor demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import JsonOption, say

if TYPE_CHECKING:
    from monitor.demo.report import Outcome


def demo(
    dashboard: Annotated[
        bool | None,
        typer.Option(
            "--dashboard/--no-dashboard", help="Open the pages on it afterwards; not with --json.", show_default=False
        ),
    ] = None,
    db: Annotated[Path | None, typer.Option("--db", help="Keep the posts in this file.")] = None,
    json: JsonOption = False,
    port: Annotated[int, typer.Option(help="Port of the pages.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open them in a browser.")] = True,
) -> None:
    """Play an invented SoundCloud case from end to end. No account, no key, no network."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="monitor-demo-") as folder:
        path = db or Path(folder) / "demo.duckdb"
        outcome = _play(path)
        if json:
            _print_json(outcome)
        else:
            _print_table(outcome)
        if dashboard or (dashboard is None and not json):
            _open_pages(path, Path(folder) / "monitor.toml", port, browser)


def _play(path: Path) -> Outcome:
    from monitor.cli.progress import steps
    from monitor.demo.play import open_store, play

    store = open_store(path)
    with steps() as on_progress:
        return play(store, on_progress)


def _open_pages(path: Path, config: Path, port: int, browser: bool) -> None:
    from monitor.cli.pages import serve
    from monitor.demo.play import write_config

    write_config(config, path)
    say(f"The pages: http://127.0.0.1:{port} (Ctrl-C ends them)")
    raise typer.Exit(serve(config, port=port, address="127.0.0.1", browser=browser))


def _print_json(outcome: Outcome) -> None:
    import orjson

    typer.echo(orjson.dumps(outcome.as_dict(), option=orjson.OPT_INDENT_2).decode())


def _print_table(outcome: Outcome) -> None:
    from typing import get_args

    from rich.console import Console
    from rich.table import Table

    from monitor.analyse.series import Unit
    from monitor.analyse.words import shortfalls

    console = Console()
    console.print("SYNTHETIC: an invented case; every post and every person in it is made up.", style="bold yellow")
    console.print(
        f"{outcome.played:,} posts and reposts over 1 May to 15 June 2025 in {outcome.seconds:.0f} s: "
        f"{outcome.stored:,} posts and {outcome.reposts:,} reposts matched, {outcome.deleted} more were deleted since."
    )
    table = Table(
        title=f"\n{outcome.window_days:g} days before → after each event, posts about the terms (windows overlap)",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    table.add_column("event", max_width=24)
    for name in ("posts\nauthors\ntexts", "concern", "consid-\nering", "commit-\nted", "done", "blocked"):
        table.add_column(name, justify="right", no_wrap=True)
    for summary in outcome.events:
        before, after = summary.before, summary.after
        stages = (f"{before.removal[stage]}→{after.removal[stage]}" for stage in list(after.removal)[1:])
        concern = f"{_level(before.concern)}→{_level(after.concern)}"
        name = f"{summary.event.title}\n[dim]{summary.event.at:%-d %b %Y %H:%M} UTC[/dim]"
        counts = "\n".join(f"{before.counted(unit).n}→{after.counted(unit).n}" for unit in get_args(Unit))
        table.add_row(name, counts, concern, *stages)
    console.print(table)
    for summary in outcome.events:
        for sentence in shortfalls(summary.before, summary.after):
            console.print(f"{summary.event.title}. {sentence}", style="yellow", markup=False, highlight=False)
    console.print("texts: those nearly the same count once. concern: mean, 0 to 3.", style="dim")
    console.print("Removal: posts by their author's most likely stage.", style="dim")


def _level(concern: float | None) -> str:
    return "-" if concern is None else f"{concern:.2f}"


def add_to(app: typer.Typer) -> None:
    app.command()(demo)
