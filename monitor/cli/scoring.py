"""monitor score, train, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.classify.evaluate import Row
    from monitor.config import Classifier

FILE = "JSONL with id, text and optional context and platform; - is stdin."
_TITLES = {
    "relevance F1": "relevance_f1",
    "ECE": "relevance_ece",
    "concern kappa": "concern_kappa",
    "MAE": "concern_mae",
    "removal F1": "removal_f1",
    "blocked F1": "blocked_f1",
    "stance F1": "stance_f1",
}


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


def train(
    out: Annotated[
        Path | None, typer.Option(help="Where the release goes; default: in place of the shipped one.")
    ] = None,
    corpus: Annotated[Path | None, typer.Option(help="Folder of labelled posts; default: the shipped corpus.")] = None,
    base: Annotated[str, typer.Option(help="Another encoder: a folder, or a name on the model hub.")] = "",
) -> None:
    """Train a release of the classifier from the corpus.

    Takes about 10 minutes on two quiet cores. Reproduces the shipped release; with --out it leaves that alone, and
    [classifier] model = "that folder" uses it.
    """
    from monitor.classify.base import SHIPPED
    from monitor.classify.corpus import CORPUS
    from monitor.classify.release import RELEASE
    from monitor.classify.train import train as train_release
    from monitor.cli.progress import steps

    with steps() as show:
        card = train_release(
            corpus or CORPUS,
            out or RELEASE,
            base=base or SHIPPED,
            on_step=lambda step, total, _: show("Training", step / total),
        )
    say(f"{card['name']} of {card['made']} is in {out or RELEASE}. See its figures: monitor evaluate")


def evaluate(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Print the classifier's figures on held-out posts.

    Beside it, on the same posts: keyword rules, and a generic sentiment lexicon (VADER; pip install '.[dev]').
    """
    from dataclasses import asdict

    from monitor.classify import load as load_scorer
    from monitor.classify.evaluate import evaluate as evaluate_all

    rows = evaluate_all(load_scorer(_settings(config)))
    if json:
        import orjson

        typer.echo(orjson.dumps([asdict(row) for row in rows], option=orjson.OPT_INDENT_2).decode())
    else:
        _print_rows(rows)


def _print_rows(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("judge", "posts", "n", *(_TITLES), box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(row.judge, row.posts, str(row.n), *(_figure(row.figures[name]) for name in _TITLES.values()))
    Console(width=150).print(table)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _settings(path: Path) -> Classifier:
    from monitor.config import Classifier, load

    return load(path).classifier if path.exists() or path != DEFAULT_CONFIG else Classifier()


def add_to(app: typer.Typer) -> None:
    app.command()(score)
    app.command()(train)
    app.command()(evaluate)
