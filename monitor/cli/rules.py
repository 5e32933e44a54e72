"""monitor rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, event_of, open_store

if TYPE_CHECKING:
    from monitor.config import Event
    from monitor.store import Store


def rules(
    event: Annotated[str, typer.Option(help="Id of an event: compare before and after it by the same rules.")] = "",
    days: Annotated[float, typer.Option(min=0.01, help="Before and after the event.")] = 3,
    version: Annotated[
        int, typer.Option(min=0, help="Count by this version; 0: by what all versions of the time find.")
    ] = 0,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say how a topic's rules changed, and count across a change.

    A change of rules makes a step in every series. With --event, posts before and after it are counted as collected and
    once more by rules that hold on both sides; where no such count is possible, it says why.
    """
    from monitor.config import load

    loaded = load(config)
    store = open_store(loaded, create=False)
    report = _across(store, event_of(loaded, event), days, version or None) if event else {"versions": _versions(store)}
    if json:
        _print_json(report)
    elif event:
        _print_counts(report)
    else:
        _print_versions(report["versions"])


def _versions(store: Store) -> list[dict[str, Any]]:
    from itertools import pairwise

    from monitor.collect.versions import difference
    from monitor.store.views import found_by, rule_versions

    known, found = rule_versions(store), found_by(store)
    changes = {new.name: difference(old, new) for old, new in pairwise(known) if old.topic == new.topic}
    return [
        {
            "topic": version.topic,
            "version": version.number,
            "since": _iso(version.since),
            "posts": found.get(version.name, 0),
            "changes": changes.get(version.name, ()),
        }
        for version in known
    ]


def _across(store: Store, event: Event, days: float, version: int | None) -> dict[str, Any]:
    from monitor.analyse.words import shortfalls
    from monitor.study import event_picture

    rebased = event_picture(store, event, days, is_rebased=True, version=version)
    pictures = {"as collected": event_picture(store, event, days), "rebased": rebased}
    shown = pictures if rebased.is_rebased else {"as collected": pictures["as collected"]}
    rules, was, now = rebased.rules, rebased.summary.before, rebased.summary.after
    return {
        "event": event.id,
        "days": days,
        "boundaries": [{"topic": v.topic, "version": v.number, "since": _iso(v.since)} for v in rules.boundaries],
        "rebased_by": {topic: [v.number for v in versions] for topic, versions in (rules.by or {}).items()},
        "note": rules.words or "All posts of this time were found by the same rules: nothing to rebase.",
        "undecided": rebased.undecided,
        "collected": {name: _collected(side) for name, side in (("before", was), ("after", now))},
        "shortfall": shortfalls(was, now),
        "counts": {name: _sides(picture.summary) for name, picture in shown.items()},
    }


def _collected(side: Any) -> list[dict[str, Any]]:
    states = ("live", "filled", "missing")
    return [{"stream": one.stream, **{s: round(getattr(one, s), 4) for s in states}} for one in side.sources]


def _sides(summary: Any) -> dict[str, Any]:
    sides = {"before": summary.before, "after": summary.after}
    return {
        name: {"posts": side.posts, "unscored": side.unscored, "concern": side.concern} for name, side in sides.items()
    }


def _print_versions(versions: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("topic", "version", "since", "posts", "changes", box=None, padding=(0, 2, 0, 0))
    for row in versions:
        cells = (row["topic"], str(row["version"]), row["since"], f"{row['posts']:,}", "\n".join(row["changes"]))
        table.add_row(*map(Text, cells))
    Console().print(table if versions else "No rules are kept yet: monitor run notes them when it starts.")


def _print_counts(report: dict[str, Any]) -> None:
    for boundary in report["boundaries"]:
        typer.echo(f"{boundary['since']}  {boundary['topic']}: from here on version {boundary['version']} of the rules")
    for name, sides in report["counts"].items():
        told = ", ".join(f"{side['posts']:,} {when}" for when, side in sides.items())
        waiting = sum(side["unscored"] for side in sides.values())
        typer.echo(f"{name}: {told}" + (f"; {waiting:,} not scored yet" if waiting else ""))
    for sentence in report["shortfall"]:
        typer.echo(sentence)
    typer.echo(report["note"])
    if report["undecided"]:
        typer.echo(f"{report['undecided']:,} answers are left out of it because what they answer is gone.")


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _iso(at: Any) -> str:
    return str(at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def add_to(app: typer.Typer) -> None:
    app.command()(rules)
