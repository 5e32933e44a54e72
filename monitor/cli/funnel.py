"""monitor funnel."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.backfilling import TIMES
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, event_of, open_store

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.config import Config
    from monitor.funnel import Funnel, Stretch

_MARKS = {True: "passed", False: "FAILED", None: "not known"}


def funnel(
    event: Annotated[
        str, typer.Argument(help="Id of an event of the configuration; without one, a stretch of time.")
    ] = "",
    since: Annotated[str, typer.Option(help=TIMES + ". Default: everything.")] = "",
    until: Annotated[str, typer.Option(help="The end, exclusive; default: now.")] = "",
    days: Annotated[float, typer.Option(min=1, max=60, help="Before and after the event.")] = 3,
    topic: Annotated[list[str], typer.Option(help="Only posts of this topic (may be repeated).")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Count the authors who considered leaving, announced it, were blocked or left, and how they came there.

    Each author once, at the most advanced stage newly reached; with 95 % intervals, the median days between stages,
    and how many deleted a post afterwards. Around an event, or in a stretch of time.
    """
    from monitor.config import load

    found = _found(load(config), event, since, until, days, topic)
    if json:
        import orjson

        typer.echo(orjson.dumps(as_dict(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)


def _found(config: Config, event: str, since: str, until: str, days: float, topic: list[str]) -> Funnel:
    from monitor.cli.collecting import chosen
    from monitor.cli.times import window_of
    from monitor.errors import ConfigError
    from monitor.funnel import of_event, of_window
    from monitor.store.views import Scope

    if event and (since or until):
        raise ConfigError("An event has its own time", "Leave --since and --until out; --days sets the width.")
    scope = Scope(tuple(one.name for one in chosen(config, topic))) if topic else None
    if event:
        what = event_of(config, event)
        return of_event(open_store(config, create=False), what, days, scope)
    window = window_of(since or "1970-01-01", until)
    return of_window(open_store(config, create=False), window, scope)


def as_dict(found: Funnel) -> dict[str, Any]:
    """The JSON of ``monitor funnel``."""
    from monitor.funnel import NOTES

    first = found.outcomes[0]
    return {
        "event": found.event.id if found.event else None,
        "days": found.days,
        "outcomes": [{"name": one.name, **_numbers(one.estimate), "sentence": one.sentence} for one in found.outcomes],
        "checks": [asdict(check) for check in first.diagnostics],
        "stretches": [_stretch(one) for one in found.stretches],
        "hidden_authors": found.hidden,
        "notes": list(NOTES),
    }


def _stretch(one: Stretch) -> dict[str, Any]:
    from monitor.analyse.funnel import STAGES

    counts = one.counts
    return {
        "name": one.name or "all",
        "start": one.window.start.isoformat().replace("+00:00", "Z"),
        "end": one.window.end.isoformat().replace("+00:00", "Z"),
        "posts": one.posts,
        "searched": one.searched,
        "collected": one.collected,
        "authors": asdict(counts.authors),
        "stages": [
            {"stage": stage, "labelled": counts.labelled[n], "deleted_a_post": asdict(counts.deleted[n])}
            | asdict(counts.stages[n])
            for n, stage in enumerate(STAGES)
        ],
        "steps": [
            {
                "from": step.origin or None,
                "to": step.stage,
                "authors": asdict(step.authors),
                "days": _numbers(step.days),
            }
            for step in counts.steps
        ],
        "others": asdict(counts.others) | {"deleted_a_post": asdict(counts.others_deleted)},
        "deleted_posts": one.departed,
    }


def _numbers(one: Any) -> dict[str, Any]:
    names = ("effect", "low", "high", "level", "method", "n")
    return {name: getattr(one, name) if one else None for name in names}


def _print(found: Funnel) -> None:
    from rich.console import Console
    from rich.padding import Padding

    console = Console(highlight=False)
    if found.event:
        console.print(f"{found.event.title}, {found.event.at:%d %b %Y %H:%M} UTC", style="bold", markup=False)
    first = found.outcomes[0]
    console.print(Padding(first.sentence, (0, 0, 1, 0)), markup=False)
    if not found.stretches:
        return
    _tables(console, found)
    for check in first.diagnostics:
        line = f"{_MARKS[check.passed]}: {check.name}: {check.text}"
        console.print(Padding(line, (0, 0, 0, 2)), style="dim", markup=False)


def _tables(console: Console, found: Funnel) -> None:
    from rich.padding import Padding
    from rich.table import Table

    from monitor.funnel import NOTES, tables

    names = [f"{one.name} ({found.days:g} d)" if one.name else "authors" for one in found.stretches]
    for part in tables(found):
        console.print(part.title, style="bold", markup=False)
        table = Table("", *names, box=None, pad_edge=False, padding=(0, 3, 0, 2))
        for row in part.rows:
            table.add_row(*row)
        console.print(Padding(table, (0, 0, 1, 0)))
    for note in NOTES:
        console.print(Padding(note, (0, 0, 0, 2)), style="dim", markup=False)
    if found.hidden:
        hidden = ", ".join(f"{n:,} {status}" for status, n in found.hidden.items())
        line = f"Not among them, as their accounts do not show: authors who spoke of leaving, by label: {hidden}."
        console.print(Padding(line, (0, 0, 0, 2)), style="dim", markup=False)


def add_to(app: typer.Typer) -> None:
    app.command()(funnel)
