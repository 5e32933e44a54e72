"""monitor coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.backfilling import TIMES
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store

if TYPE_CHECKING:
    from monitor.daily import Day

_DAYS = 30
_STATES = ("live", "filled", "missing")
_NOTE = (
    "Live and filled: shares of the day's time. Stream, search, both: posts that a rule matches, found so. Exist: an "
    "estimate from what both found (Chapman, 95 % interval); too high where search was only asked for what the stream "
    "missed, too low where both find the same posts easily. Deleted posts are in no column."
)


def coverage(
    since: Annotated[str, typer.Option(help=TIMES + f". Default: {_DAYS} days back, or the first of them.")] = "",
    until: Annotated[str, typer.Option(help="The end, exclusive; default: now.")] = "",
    topic: Annotated[list[str], typer.Option(help="Only posts of this topic (may be repeated).")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say how complete the collection was, day by day.

    For each UTC day and platform: the share of the time that was collected, posts by stream and search, how many
    matching posts exist by an estimate, and how many of those that X counts were collected.
    """
    from datetime import UTC, datetime, timedelta

    from monitor.cli.collecting import chosen
    from monitor.cli.times import time_of, window_of
    from monitor.config import load
    from monitor.daily import days, shown_window
    from monitor.records import Window

    loaded, now = load(config), datetime.now(UTC)
    store = open_store(loaded, create=False)
    if since:
        window: Window | None = window_of(since, until)
    else:
        window = shown_window(store, timedelta(days=_DAYS), min(time_of(until), now) if until else now)
    topics = [one.name for one in chosen(loaded, topic)] if topic else []
    found: list[Day] = []
    if window:
        found = days(store, Window(window.start, min(window.end, now)), topics, now, loaded.topics)
    if json:
        import orjson

        typer.echo(orjson.dumps({"days": [_as_dict(day) for day in found]}, option=orjson.OPT_INDENT_2).decode())
    elif found:
        _print(found)
    else:
        typer.echo("Nothing was collected in this time.")


def _as_dict(day: Day) -> dict[str, Any]:
    return {
        "day": f"{day.window.start:%Y-%m-%d}",
        "start": day.window.start,
        "end": day.window.end,
        "platform": day.platform,
        "shares": {name: round(getattr(day.shares, name), 4) for name in _STATES} if day.shares else None,
        "why": day.why,
        **{name: getattr(day, name) for name in ("posts", "stream", "search", "both")},
        "existing": {"number": day.estimate.effect, "low": day.estimate.low, "high": day.estimate.high}
        if day.estimate
        else None,
        "at_least": day.at_least,
        "text": day.existing.text,
        "counted": day.counted and {"hours": day.hours, "collected": day.counted.collected, "n": day.counted.counted},
    }


def _print(found: list[Day]) -> None:
    from rich.console import Console
    from rich.table import Table

    from monitor.cli.report import share_text

    names = ("live", "filled", "stream", "search", "both", "exist", "of X's count")
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("day", no_wrap=True, min_width=10)
    table.add_column("platform")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("notes")
    notes: dict[str, int] = {}
    for day in found:
        shares = [share_text(day.shares.live), share_text(day.shares.filled)] if day.shares else ["–", "–"]
        posts = (f"{n:,}" for n in (day.stream, day.search, day.both))
        marks = "".join(f" [{notes.setdefault(why, len(notes) + 1)}]" for why in _reasons(day))
        cells = (f"{day.window.start:%Y-%m-%d}", day.platform, *shares, *posts, day.exist_text, day.counted_text, marks)
        table.add_row(*map(_plain, cells))
    console = Console(highlight=False)
    console.print(table)
    for why, number in notes.items():
        console.print(f"[{number}] {why}", markup=False)
    console.print(_NOTE, style="dim")


def _reasons(day: Day) -> list[str]:
    """Why not all of the day was collected live, and why there is no estimate."""
    return [*(day.why.split("; ") if day.why else ()), *((day.refusal,) if day.refusal else ())]


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)


def add_to(app: typer.Typer) -> None:
    app.command()(coverage)
