"""monitor prevalence."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.backfilling import TIMES
from monitor.cli.impacts import as_check
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store

if TYPE_CHECKING:
    from monitor.prevalence import Corrected


def prevalence(
    since: Annotated[str, typer.Option(help=TIMES + ". Default: everything.")] = "",
    until: Annotated[str, typer.Option(help="The end, exclusive; default: now.")] = "",
    topic: Annotated[list[str], typer.Option(help="Only posts of this topic (may be repeated).")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say how common relevance, clear concern and each removal stage are, corrected for the classifier's errors.

    Of all posts that a rule found. From labels of people where a random sample has 30 of them (monitor sample), else
    from how the classifier errs on held-out posts; intervals at 95 %.
    """
    from monitor.cli.collecting import chosen
    from monitor.cli.times import window_of
    from monitor.config import load
    from monitor.prevalence import corrected
    from monitor.store.views import Scope

    settings = load(config)
    topics = tuple(one.name for one in chosen(settings, topic)) if topic else ()
    window = window_of(since or "1970-01-01", until)
    found = corrected(open_store(settings, create=False), Scope(topics), window, settings.classifier)
    if json:
        import orjson

        typer.echo(orjson.dumps({"outcomes": [_as_dict(one) for one in found]}, option=orjson.OPT_INDENT_2).decode())
        return
    for one in found:
        typer.echo(f"{one.outcome.name:<20} {one.outcome.sentence}")


def _as_dict(one: Corrected) -> dict[str, Any]:
    counts = one.counts
    return {
        "name": one.outcome.name,
        "labelled": one.labelled,
        "posts": one.posts,
        "basis": one.basis,
        "share": asdict(one.outcome.estimate) if one.outcome.estimate else None,
        "count": dict(zip(("number", "low", "high"), counts, strict=True)) if counts else None,
        "sentence": one.outcome.sentence,
        "checks": [as_check(check) for check in one.outcome.diagnostics],
    }


def add_to(app: typer.Typer) -> None:
    app.command()(prevalence)
