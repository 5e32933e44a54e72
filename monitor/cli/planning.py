"""monitor plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.backfilling import TIMES
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store, say

if TYPE_CHECKING:
    from monitor.planning import Option, Plan, Plans

_CAVEAT = (
    "X counts what its queries find: more than the rules match, a post that two queries find twice, and nothing that "
    "was deleted since. Dollars are the most it can cost: what was read today, or refers to nothing, costs less."
)


def plan(
    since: Annotated[str, typer.Option(help=TIMES)],
    until: Annotated[str, typer.Option(help="The end, exclusive; default: now.")] = "",
    topic: Annotated[list[str], typer.Option(help="Only this topic (may be repeated).")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say what X's posts of a time would cost.

    Asks X for counts by the hour (cents, within the budgets in [x]; kept, and not asked for twice), then tells what all
    posts, or samples of them, would cost and how wide the interval of a share would be. Reads no post. Needs
    X_BEARER_TOKEN.
    """
    from monitor.cli.collecting import chosen
    from monitor.cli.times import window_of
    from monitor.config import Secrets, load
    from monitor.planning import plan as plan_of

    loaded, window = load(config), window_of(since, until)
    topics = chosen(loaded, topic)
    store = open_store(loaded, for_real_posts=True)
    plans = plan_of(loaded, Secrets.from_environment(), store, topics, window, say)
    if json:
        import orjson

        typer.echo(orjson.dumps(_as_dict(plans), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(plans)


def _as_dict(plans: Plans) -> dict[str, Any]:
    value = asdict(plans)
    for each in value["topics"]:
        for option in each["options"]:
            option["margins"] = {f"{share:g}": round(width, 5) for share, width in option["margins"].items()}
    return value


def _print(plans: Plans) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for one in plans.topics:
        console.print(f"{one.topic}: X counts {one.posts:,} posts in {one.hours:,} hours", style="bold", end=" ")
        console.print(f"from {plans.window.start:%Y-%m-%d %H:%M} to {plans.window.end:%Y-%m-%d %H:%M} UTC.")
        for rule in one.unsayable:
            say(f"X cannot be asked for {rule}.")
        if one.options:
            console.print(_table(one))
    budget = plans.budget
    console.print(
        f"The counts cost ${plans.dollars:,.3f}. Left: ${budget.today:,.2f} today, ${budget.month:,.2f} this month."
    )
    console.print(_CAVEAT, style="dim")


def _table(one: Plan) -> Any:
    from rich.table import Table

    table = Table("read", "posts", "at most", "a share of 50 %", "of 10 %", "within the budget", box=None)
    for option in one.options:
        margins = [f"± {100 * width:.1f}" if width else "exact" for width in option.margins.values()]
        name = "all" if option.is_census else "sample"
        table.add_row(name, f"{option.posts:,}", f"${option.dollars:,.2f}", *margins, _fits(option))
    return table


def _fits(option: Option) -> str:
    if option.days is None:
        return "no"
    return "today" if option.days == 1 else f"in {option.days} days"


def add_to(app: typer.Typer) -> None:
    app.command()(plan)
