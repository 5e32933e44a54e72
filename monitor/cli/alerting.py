"""monitor alerts: what was out of the ordinary, who was told, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store, say

if TYPE_CHECKING:
    from monitor.records.alerts import Alert, Delivery
    from monitor.store import Store

alerts = typer.Typer(name="alerts", no_args_is_help=True, rich_markup_mode=None, help="Early warning; see [alerts].")
IdArgument = Annotated[str, typer.Argument(help="As the message and monitor alerts history name it.")]


@alerts.command("test")
def try_targets(
    target: Annotated[list[str] | None, typer.Argument(help="Names of targets; all where none is given.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Send a test message to the targets of [alerts] and say what became of it."""
    from monitor.alerts.delivering import tried
    from monitor.config import load
    from monitor.errors import ConfigError

    settings = load(config).alerts
    known = [one.name for one in settings.targets]
    if not known:
        raise ConfigError("No target is configured", 'Add [[alerts.targets]] with a name and a url, e.g. "json://…".')
    if unknown := sorted({*(target or [])} - {*known}):
        raise ConfigError(f"There is no target '{unknown[0]}'", f"Known are: {', '.join(known)}.")
    done = tried(settings, target or [])
    if json:
        _print_json([{"target": name, "delivered": not fault, "fault": fault or None} for name, fault in done])
    else:
        for name, fault in done:
            typer.echo(f"{name}: {fault or 'delivered'}")
    if any(fault for _, fault in done):
        raise typer.Exit(1)


@alerts.command()
def history(
    days: Annotated[float, typer.Option(min=0, help="Of how many days; open ones are always shown.")] = 30,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say which alerts there were, what drove them, and who was told."""
    from monitor.config import load
    from monitor.store import alerting

    store, now = open_store(load(config), create=False), datetime.now(UTC)
    with store.reading() as moment:
        found = alerting.since(moment, now - timedelta(days=days))
        told = alerting.deliveries(moment)
    if json:
        _print_json([_as_dict(store, one, told, now) for one in found])
        return
    for one in found:
        _print(store, one, told, now)
    if not found:
        typer.echo(f"No alert is open, and none fired in {days:g} days.")


@alerts.command()
def acknowledge(alert: IdArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say that somebody looks after an alert: it is not escalated any more."""
    _answer(alert, config, None)
    say(f"Acknowledged {alert}.")


@alerts.command()
def snooze(
    alert: IdArgument,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 30, help="Hear of it again only after these.")] = 8,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Put an alert off; what still holds then is told anew."""
    until = datetime.now(UTC) + timedelta(hours=hours)
    _answer(alert, config, until)
    say(f"Snoozed {alert} until {until:%d %b %H:%M} UTC.")


@alerts.command()
def backtest(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Learn from stored history what is usual; say each detector's stated rate and its alarms in that history."""
    from monitor.alerts.watching import learn
    from monitor.config import load

    settings = load(config)
    learned = learn(open_store(settings, create=False), settings, datetime.now(UTC))
    found = learned.report()
    if json:
        _print_json(found)
        return
    for row in found["detectors"]:
        typer.echo(f"{row['topic']}, {row['detector']}: {row['text']}")
    typer.echo(found["text"])


def _answer(alert: str, config: Any, until: datetime | None) -> None:
    from monitor.config import load
    from monitor.errors import ConfigError

    store = open_store(load(config), create=False)
    if not store.answer_alert(alert, acknowledged=until is None, until=until):
        raise ConfigError(f"No alert '{alert}' is open", "monitor alerts history names them.")


def _as_dict(store: Store, one: Alert, told: list[Delivery], now: datetime) -> dict[str, Any]:
    from dataclasses import asdict

    from monitor.alerts.delivering import driven_by

    return {
        "id": one.id,
        "state": one.state(now),
        "topic": one.topic or None,
        "detector": one.detector,
        "subject": one.subject or None,
        **{name: getattr(one, name) for name in ("began_at", "fired_at", "acknowledged_at", "resolved_at")},
        "estimate": asdict(one.estimate) if one.estimate else None,
        "sentence": one.sentence,
        "rate": one.rate,
        "driven_by": driven_by(store, one),
        "told": [_delivery(each) for each in told if each.message.alert == one.id],
    }


def _delivery(one: Delivery) -> dict[str, Any]:
    message = {"target": one.message.target, "state": one.message.state}
    return message | {"sent_at": one.sent_at, "given_up": one.given_up, "fault": one.fault or None}


def _print(store: Store, one: Alert, told: list[Delivery], now: datetime) -> None:
    from monitor.alerts.delivering import driven_by

    typer.echo(f"{one.id}  {one.state(now)}  {one.fired_at:%d %b %Y %H:%M} UTC  {one.detector}")
    for line in (one.sentence, *driven_by(store, one), one.rate):
        typer.echo(f"  {line}")
    for each in told:
        if each.message.alert == one.id:
            waits = f"given up: {each.fault}" if each.given_up else each.fault or "waits"
            state = f"sent {each.sent_at:%d %b %H:%M} UTC" if each.sent_at else waits
            typer.echo(f"  {each.message.target}, {each.message.state}: {state}")


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def add_to(app: typer.Typer) -> None:
    app.add_typer(alerts)
