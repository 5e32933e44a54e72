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
    "groups": "groups_right",
    "unsure": "unsure",
    "sure right": "sure_right",
}


def score(
    file: Annotated[Path, typer.Argument(help=FILE)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="JSONL, one line each, same order; - is stdout.")
    ] = Path("-"),
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the words that moved each score; takes some fifty times as long.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Score the texts of a JSONL file.

    Each line out holds the probabilities of every label, and under "unsure" those heads whose label a person should
    look at ([classifier] review_cost); all of them for a text in none of the ten languages, which is marked. With
    --explain: for relevant, concern, removal and stance the words that moved the score most, each with how much lower
    the score is without it.
    """
    from monitor.classify import load as load_scorer
    from monitor.classify.files import score_file
    from monitor.cli.progress import counter

    settings = _settings(config)
    scorer = load_scorer(settings, say)
    with counter("Scoring") as advance:
        outcome = score_file(file, output, settings, scorer, advance, is_explained=explain)
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
    with_labels: Annotated[
        bool, typer.Option("--with-labels", help="Teach the release in use by the labels in your store instead.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Train a release of the classifier from the corpus.

    Reproduces the shipped release in under an hour on two cores; with --out it leaves that alone. A training that was
    cut off goes on where it was. --with-labels takes minutes, compares old and new on held-out posts and on labels it
    did not learn from, and changes nothing: [classifier] model = "the folder it names" uses the new one, and taking
    that line out goes back.
    """
    if with_labels:
        _learn(config, out)
        return
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


def _learn(path: Path, out: Path | None) -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    from monitor.classify.learn import learn
    from monitor.cli.options import open_store
    from monitor.cli.progress import steps
    from monitor.config import load
    from monitor.labelling import gather

    config = load(path)
    found = gather(open_store(config, create=False), config)
    if found.not_allowed:
        say(f"{found.not_allowed:,} X posts stay out: X forbids training on them without an agreement ([x] may_train).")
    if found.unsettled:
        say(f"{found.unsettled:,} posts stay out: their annotators differ. Let one more person label them.")
    folder = out or config.store.path.parent / "models" / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
    with steps() as show:
        rows = learn(
            found.posts, folder, config.classifier, on_step=lambda step, total, _: show("Learning", step / total)
        )
    table = Table("on", "posts", "figure", "now", "new", "difference (95 %)", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        change = f"{row.new - row.old:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
        table.add_row(row.posts, str(row.n), row.figure, f"{row.old:.3f}", f"{row.new:.3f}", change)
    Console(width=110).print(table)
    say(f'To use it: [classifier] model = "{folder.resolve()}" in {path}. To go back: take that line out again.')


def evaluate(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Only write how it errs beside its card, for monitor prevalence.")
    ] = False,
) -> None:
    """Print the classifier's figures on held-out posts.

    Beside it, on the same posts: keyword rules, and a generic sentiment lexicon (VADER; pip install '.[dev]').
    """
    from dataclasses import asdict

    from monitor.classify import load as load_scorer
    from monitor.classify.evaluate import evaluate as evaluate_all

    if keep:
        from monitor.classify.confusion import keep_confusions

        say(f"Kept in {keep_confusions(_settings(config), say)}")
        return
    rows = evaluate_all(load_scorer(_settings(config), say))
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
    Console(width=170).print(table)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _settings(path: Path) -> Classifier:
    from monitor.config import Classifier, load

    return load(path).classifier if path.exists() or path != DEFAULT_CONFIG else Classifier()


def add_to(app: typer.Typer) -> None:
    app.command()(score)
    app.command()(train)
    app.command()(evaluate)
