"""monitor plan."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.backfilling import TIMES
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store, say

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.planning import Option, Plan, Plans

_CAVEAT = (
    "X counts what its queries find: more than the rules match, and nothing that was deleted since. Prices are what it "
    "costs at most: a post that was read today before, or that answers and quotes nothing, costs less. (One that does "
    "both costs a read more.)"
)
_TWICE = "A post that two of its queries find is counted twice, and paid for once."


def plan(
    since: Annotated[str, typer.Option(help=TIMES)],
    until: Annotated[str, typer.Option(help="The end, exclusive; default: now.")] = "",
    topic: Annotated[list[str], typer.Option(help="Only this topic (may be repeated).")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say what X's posts of a time would cost, before any is read.

    Asks X for counts by the hour (cents, within the budgets in [x]; kept, so never paid twice). Then tells what all
    posts, and samples of several sizes, would cost, and how exact a share found in them would be. Needs X_BEARER_TOKEN.
    """
    _leave_out_pandas()
    from monitor.cli.collecting import chosen, stop_on_signals
    from monitor.cli.logs import to_stderr
    from monitor.cli.times import window_of
    from monitor.config import Secrets, load
    from monitor.planning import ask, countable
    from monitor.planning import plan as plan_of

    to_stderr()
    loaded = load(config)
    topics, hours = chosen(loaded, topic), countable(window_of(since, until), datetime.now(UTC))
    store, stop = open_store(loaded, for_real_posts=True), stop_on_signals()
    dollars = ask(loaded, Secrets.from_environment(), store, topics, hours, stop, say)
    if stop.is_set():
        say(f"Stopped. The counts so far cost ${dollars:,.3f} and are kept; start again and it goes on.")
        raise typer.Exit(130)
    plans = plan_of(loaded, store, topics, hours, dollars)
    if json:
        import orjson

        typer.echo(orjson.dumps(_as_dict(plans), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(plans)


class _NoPandas(MetaPathFinder):
    """Says that pandas is not installed."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is left out", name=name)


def _leave_out_pandas() -> None:
    """DuckDB and pyarrow import pandas, half a second, to tell its values from others; a fresh program has none."""
    if not {"pandas", "pyarrow"} & sys.modules.keys():
        sys.meta_path.insert(0, _NoPandas())


def _as_dict(plans: Plans) -> dict[str, Any]:
    value = asdict(plans)
    for each in value["topics"]:
        for option in each["options"]:
            option["intervals"] = {
                f"{share:g}": [round(end, 5) for end in ends] for share, ends in option["intervals"].items()
            }
    return value


def _print(plans: Plans) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for one in plans.topics:
        _print_topic(console, one, plans)
    left = f"${plans.budget.today:,.2f} today, ${plans.budget.month:,.2f} this month"
    console.print(f"Spent on this plan: ${plans.dollars:,.3f} for counts, nothing for posts. Left to spend: {left}.")
    console.print(_CAVEAT, style="dim")


def _print_topic(console: Console, one: Plan, plans: Plans) -> None:
    for rule in one.unsayable:
        say(f"X cannot be asked for {rule}.")
    if not one.queries:
        console.print(f"{one.topic}: none of its rules can be put to X, so there is nothing to read.\n")
        return
    times = f"{plans.window.start:%Y-%m-%d %H:%M} to {plans.window.end:%Y-%m-%d %H:%M} UTC"
    console.print(f"{one.topic}: X counts {one.posts:,} posts from {times}.", style="bold", end=" ")
    console.print(_TWICE if one.queries > 1 else "")
    if one.options:
        console.print(_table(one))
        console.print(_example(one) + "\n")


def _table(one: Plan) -> Any:
    from rich.table import Table

    table = Table(box=None)
    table.add_column("read", justify="right", no_wrap=True)
    table.add_column("costs at most", justify="right", no_wrap=True)
    for name in ("affordable", "interval of 50 %", "of 10 %"):
        table.add_column(name, no_wrap=True)
    for option in one.options:
        name = "all " * option.is_census + f"{option.posts:,}"
        intervals = map(interval_text, option.intervals.values())
        table.add_row(name, f"${option.dollars:,.2f}", _fits(option), *intervals)
    return table


def interval_text(ends: tuple[float, float]) -> str:
    """A 95 % interval as people read it."""
    low, high = (f"{100 * end:.1f}" for end in ends)
    return f"{low} to {high} %" if ends[0] < ends[1] else "exact"


def _example(one: Plan) -> str:
    """The table in words, by its middle line."""
    option = one.options[len(one.options) // 2]
    share, ends = list(option.intervals.items())[-1]
    if option.is_census:
        return "All posts are few enough to be read: no interval, whatever share of them is asked for."
    return (
        f"Say {100 * share:g} % of the posts speak of leaving. {option.posts:,} posts, drawn evenly over the time, give"
        f" that as a 95 % interval of {interval_text(ends)} or so: 95 of 100 such intervals hold the truth."
    )


def _fits(option: Option) -> str:
    if option.days is None:
        return "not this month"
    return "today" if option.days == 1 else f"in {option.days} days"


def add_to(app: typer.Typer) -> None:
    app.command()(plan)
