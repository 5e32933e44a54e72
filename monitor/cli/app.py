"""All commands under one name. Rooms are imported inside the commands, so that --help stays quick."""

from __future__ import annotations

import typer

from monitor.cli import (
    alerting,
    backfilling,
    collecting,
    complying,
    covering,
    demo,
    forgetting,
    funnel,
    impacts,
    labelling,
    looking,
    planning,
    prevailing,
    rules,
    scoring,
    setup,
    spread,
)

app = typer.Typer(
    name="monitor",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "Backlash Monitor: how people react when a platform changes its AI terms.\n\n"
        "Try it without any account: monitor demo. For real: monitor init, then monitor run, then monitor dashboard."
    ),
    epilog="--debug anywhere shows the full traceback of an error.",
)
for module in (
    demo,
    setup,
    collecting,
    backfilling,
    planning,
    complying,
    covering,
    scoring,
    labelling,
    looking,
    prevailing,
    forgetting,
    rules,
    funnel,
    impacts,
    alerting,
    spread,
):
    module.add_to(app)
