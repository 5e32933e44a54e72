"""monitor impact and monitor series."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, event_of, open_store

if TYPE_CHECKING:
    from monitor.config import Config, Event
    from monitor.impact import Impact
    from monitor.records import Diagnostic, Outcome

_HEADS = {
    "new_authors": "new\nauthors",
    "considering": "consi-\ndering",
    "committed": "com-\nmitted",
    "concern": "con-\ncern",
    "concern2": "con-\ncern 2+",
    "collected": "coll-\nected",
}
_FORMS = {"start": "{:.13}", "concern": "{:.2f}", "concern2": "{:.0%}", "collected": "{:.0%}"}
_BUCKETS = {"hour": 3600, "6h": 21_600, "day": 86_400, "week": 604_800}
PlatformOption = Annotated[list[str] | None, typer.Option(help="Only this platform; may be repeated.")]
LangOption = Annotated[list[str] | None, typer.Option(help="Only this language; may be repeated.")]


def impact(
    event: Annotated[str, typer.Argument(help="The id of an event in the configuration.")],
    config: ConfigOption = DEFAULT_CONFIG,
    days: Annotated[float, typer.Option(min=1, max=28, help="Days after the event that are judged.")] = 3,
    control: Annotated[str, typer.Option(help="A topic that it does not touch: what moved both is left out.")] = "",
    json: JsonOption = False,
) -> None:
    """Say what an event changed.

    In posts, authors, distinct texts, concern and removal, each with its interval and the checks it passed; for a
    response also whether it quelled the outcry. Says so where it cannot tell.
    """
    from monitor.config import load
    from monitor.impact import impacts, of_release, wrong_of

    settings = load(config)
    asked, store = event_of(settings, event), open_store(settings, create=False)
    wrong = wrong_of(of_release(store, settings.classifier.model))
    _check_control(settings, control, asked)
    [found] = impacts(store, settings.events, [asked], days, wrong=wrong, control=control)
    if json:
        _print_json(as_dict(found))
    else:
        _print(found)


def _check_control(settings: Config, control: str, event: Event) -> None:
    from monitor.errors import ConfigError
    from monitor.impact import controls

    known = controls(settings.topics, event)
    if control and event.topic is None:
        raise ConfigError(f"“{event.title}” names no topic, so it may touch the posts of every one", "Give it a topic.")
    if control and control not in known:
        raise ConfigError(f"There is no other topic '{control}'", f"Others are: {', '.join(known) or 'none'}.")


def series(
    since: Annotated[str, typer.Option(help="Day or time, UTC.")],
    until: Annotated[str, typer.Option(help="Day or time, UTC; empty for now.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    bucket: Annotated[str, typer.Option(help="hour, 6h, day or week.")] = "day",
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic; may be repeated.")] = None,
    platform: PlatformOption = None,
    lang: LangOption = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
) -> None:
    """Print posts, authors, texts, concern and removal stages for each hour, day or week.

    Empty where nobody looked, zero where nothing was said; the share of the time that was collected stands beside it.
    New authors are those of whom nothing earlier of what is counted is stored.
    """
    from monitor.buckets import rows
    from monitor.cli.times import window_of
    from monitor.config import load
    from monitor.errors import ConfigError
    from monitor.store.views import Scope

    if bucket not in _BUCKETS:
        raise ConfigError(f"There is no bucket {bucket!r}", f"There are {', '.join(_BUCKETS)}.")
    scope = Scope(tuple(topic or ()), tuple(lang or ()), tuple(platform or ()))
    found = rows(open_store(load(config), create=False), scope, window_of(since, until), _BUCKETS[bucket])
    if json:
        _print_json(found)
    else:
        _print_rows(found, is_csv=csv)


def as_dict(found: Impact) -> dict[str, Any]:
    """As plain values; outcomes of the response's verdict say so in their names."""
    sides = zip(("before", "after"), found.coverage, strict=True)
    return {
        "event": found.event.id,
        "title": found.event.title,
        "at": found.event.at.isoformat().replace("+00:00", "Z"),
        "days": found.days,
        "outcomes": [*map(_outcome, found.outcomes), *(_outcome(one, "response: ") for one in found.verdict)],
        "coverage": {when: [asdict(one) for one in part] for when, part in sides},
    }


def _outcome(one: Outcome, prefix: str = "") -> dict[str, Any]:
    parts = ("effect", "low", "high", "level", "method", "n")
    numbers = {name: getattr(one.estimate, name) if one.estimate else None for name in parts}
    return {
        "name": prefix + one.name,
        **numbers,
        "sentence": one.sentence,
        "checks": [as_check(c) for c in one.diagnostics],
    }


def as_check(one: Diagnostic) -> dict[str, Any]:
    """As plain values."""
    return {"name": one.name, "passed": one.passed, "text": one.text}


def _print(found: Impact) -> None:
    from rich.console import Console
    from rich.padding import Padding

    console = Console(highlight=False)
    console.print(f"{found.event.title}, {found.event.at:%d %b %Y %H:%M} UTC", style="bold", markup=False)
    for heading, outcomes in (("What changed", found.outcomes), ("Did it quell the outcry?", found.verdict)):
        if outcomes:
            console.print(f"\n{heading}", style="bold")
        for one in outcomes:
            console.print(Padding(f"{one.name}: {one.sentence}", (0, 0, 0, 2)), markup=False)
            for check in one.diagnostics if one is outcomes[0] else ():
                mark = {True: "passed", False: "FAILED", None: "not known"}[check.passed]
                console.print(Padding(f"{mark}: {check.name}: {check.text}", (0, 0, 0, 4)), style="dim", markup=False)


def _print_rows(found: list[dict[str, Any]], *, is_csv: bool) -> None:
    import csv
    import sys

    if is_csv:
        writer = csv.DictWriter(sys.stdout, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("start", box=None, padding=(0, 1, 0, 0))
    for name in list(found[0])[1:]:
        table.add_column(_HEADS.get(name, name), justify="right")
    for row in found:
        table.add_row(*(_FORMS.get(name, "{:,}").format(v) if v is not None else "" for name, v in row.items()))
    Console().print(table)


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def add_to(app: typer.Typer) -> None:
    app.command()(impact)
    app.command()(series)
