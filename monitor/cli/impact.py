"""monitor impact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, event_of, open_store

if TYPE_CHECKING:
    from monitor.impact import Impact
    from monitor.records import Outcome


def impact(
    event: Annotated[str, typer.Argument(help="Id of an event of the configuration.")],
    days: Annotated[float, typer.Option(min=1, max=60, help="Before and after the event.")] = 3,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Estimate what an event changed, and whether it quelled the outcry.

    Volume and shares against what would have come without the event, with intervals and checks; and what came after
    it against the decay that was under way. Where that cannot be told, it says why.
    """
    import orjson

    from monitor.config import load
    from monitor.impact import as_dict
    from monitor.impact import impact as impact_of

    loaded = load(config)
    store = open_store(loaded, create=False)
    found = impact_of(store, event_of(loaded, event), loaded.events, days)
    if json:
        typer.echo(orjson.dumps(as_dict(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)


def _print(found: Impact) -> None:
    from rich.console import Console
    from rich.padding import Padding

    console = Console(highlight=False)
    console.print(f"{found.event.title}, {found.event.at:%d %b %Y %H:%M} UTC", style="bold", markup=False)
    for heading, outcomes in (("What changed", found.outcomes), ("Did it quell the outcry?", found.verdict)):
        if outcomes:
            console.print(f"\n{heading}", style="bold")
        for one in outcomes:
            console.print(Padding(_line(one), (0, 0, 0, 2)), markup=False)
            for check in one.diagnostics if one is outcomes[0] else ():
                mark = {True: "passed", False: "FAILED", None: "not known"}[check.passed]
                console.print(Padding(f"{mark}: {check.name}: {check.text}", (0, 0, 0, 4)), style="dim", markup=False)


def _line(one: Outcome) -> str:
    return f"{one.name}: {one.sentence}"


def add_to(app: typer.Typer) -> None:
    app.command()(impact)
