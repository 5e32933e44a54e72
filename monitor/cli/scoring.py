"""monitor score, train, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, say

if TYPE_CHECKING:
    from monitor.config import Classifier

FILE = "JSONL with id, text and optional context and platform; - is stdin."


def score(
    file: Annotated[Path, typer.Argument(help=FILE)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="JSONL, one line each, same order; - is stdout.")
    ] = Path("-"),
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Score the texts of a JSONL file."""
    from monitor.classify.files import score_file
    from monitor.cli.progress import counter

    with counter("Scoring") as advance:
        outcome = score_file(file, output, settings=_settings(config), on_progress=advance)
    for line, why in outcome.faults:
        say(f"{file}: line {line}: {why}")
    say(f"{outcome.scored:,} scored" + (f", {len(outcome.faults):,} lines not scored" if outcome.faults else "") + ".")
    if outcome.faults:
        raise typer.Exit(1)


def _settings(path: Path) -> Classifier:
    from monitor.config import Classifier, load

    return load(path).classifier if path.exists() or path != DEFAULT_CONFIG else Classifier()


def add_to(app: typer.Typer) -> None:
    app.command()(score)
