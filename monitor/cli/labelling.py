"""monitor sample, label, agreement."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store, say

if TYPE_CHECKING:
    from monitor.codebook import Labels
    from monitor.labelling import Waiting
    from monitor.store import Store

_BACK, _SKIP, _STOP, _HELP = "u", "-", "q", "?"
_ALWAYS = "Always: - skips the post, u takes the last post again, ? shows the codebook, q stops."


class By(StrEnum):
    """How posts are drawn."""

    uncertainty = "uncertainty"
    random = "random"


class For(StrEnum):
    """Whose share the labels are for."""

    relevant = "relevant"
    concern2 = "concern2"
    considering = "considering"
    committed = "committed"
    done = "done"
    blocked = "blocked"


class _Command(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def sample(
    n: Annotated[int, typer.Option("-n", min=1, help="How many posts.")] = 100,
    by: Annotated[
        By, typer.Option(help="uncertainty: more of what the model doubts; random: all alike.")
    ] = By.uncertainty,
    target: Annotated[
        For | None, typer.Option("--for", help="Instead of --by: what makes the interval of this share narrowest.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the sample; default: how and when it was drawn.")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="Only posts of this topic; may be repeated.")] = None,
    since: Annotated[str, typer.Option(help="Only posts from here on: 2025-05-08 or 2025-05-08T20:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Only posts before this.")] = "",
    seed: Annotated[int | None, typer.Option(help="Draw the same posts again.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw posts to be labelled, each with a known chance.

    A sample by uncertainty teaches the model most. The chance of each post is kept with it, so that figures from either
    kind of sample can be weighed back to all posts.
    """
    from monitor.cli.times import window_of
    from monitor.config import load
    from monitor.errors import MonitorError
    from monitor.labelling import draw_sample

    window = window_of(since or "1970-01-01", until) if since or until else None
    settings = load(config)
    known = [one.name for one in settings.topics]
    if unknown := sorted(set(topic or ()) - set(known)):
        raise MonitorError(f"There is no topic '{unknown[0]}'", f"Known: {', '.join(known)}")
    store = open_store(settings, create=False)
    drawn = draw_sample(store, n, by.value, name, topic, window, seed, target.value if target else None)
    say(f"Sample '{drawn.name}': {drawn.n:,} of {drawn.of:,} scored posts. Label it: monitor label --as YOUR_NAME")


def label(
    annotator: Annotated[str, typer.Option("--as", help="Your name, or any name that stays yours.")],
    sample: Annotated[str, typer.Option(help="Which sample; default: the newest.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Label the posts of a sample by the codebook, one after the other.

    You see neither the model's scores nor what others said. Two people who label the same sample can be compared
    (monitor agreement). Every label is stored at once; stop at any time and go on later.
    """
    from monitor.config import load
    from monitor.errors import MonitorError
    from monitor.labelling import samples

    annotator = annotator.strip()
    if not annotator:
        raise MonitorError("--as needs a name", "What you label is kept under it: --as ann")
    store = open_store(load(config), create=False)
    known = samples(store)
    chosen = sample or next(iter(known), "")
    if chosen not in known:
        raise MonitorError(
            f"There is no sample '{chosen}'" if chosen else "There is no sample yet", "Draw one: monitor sample"
        )
    done, skipped = _session(store, chosen, annotator)
    left = f", {skipped:,} skipped: run it again to see them" if skipped else ""
    say(f"{done:,} labelled in '{chosen}'{left}. What you and others agree on: monitor agreement")


def agreement(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Say how far the people who labelled the same posts agree (Krippendorff's alpha)."""
    from dataclasses import asdict

    from monitor.classify.agreement import agreement as agreement_of
    from monitor.config import load
    from monitor.labelling import judgements

    judged = judgements(open_store(load(config), create=False))
    rows = agreement_of(judged)
    if json:
        import orjson

        counts = {name: sum(name in by for by in judged.values()) for by in judged.values() for name in by}
        typer.echo(orjson.dumps({"annotators": counts, "heads": [asdict(row) for row in rows]}).decode())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("label", "posts", "same", "alpha", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(row.head, str(row.n), *("-" if v is None else f"{v:.2f}" for v in (row.same, row.alpha)))
    Console().print(table)
    if not rows[0].n:
        say("No post has two annotators yet: let a second person run monitor label on the same sample.")


def _session(store: Store, sample: str, annotator: str) -> tuple[int, int]:
    """Ask until nothing is left or the annotator stops; returns how many posts got labels, how many were skipped."""
    from monitor.labelling import annotate, next_to_label

    say(_ALWAYS)
    labelled: list[Waiting] = []
    skipped, is_again = 0, False
    while True:
        post, left = next_to_label(store, sample, annotator, skipped)
        if post is None and labelled and not is_again:
            is_again = _asked_again()
        post = labelled[-1] if is_again else post
        if post is None:
            break
        _show(post, left)
        try:
            labels = _asked()
        except _Command as command:
            if command.key == _STOP:
                break
            skipped += command.key == _SKIP and not is_again
            is_again = command.key == _BACK and bool(labelled)
            continue
        if not annotate(store, post, annotator, labels):
            say("That post was edited or removed meanwhile; it was left out.")
        elif not is_again:
            labelled.append(post)
        is_again = False
    return len(labelled), skipped


def _asked_again() -> bool:
    try:
        return input("That was the last one. Enter ends, u takes it again. ").strip().lower() == _BACK
    except EOFError:
        return False


def _show(post: Waiting, left: int) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    console = Console()
    console.print()
    if post.context:
        console.print(
            Panel(Text(_plain(post.context)), title="answers or quotes", border_style="dim", title_align="left")
        )
    console.print(Panel(Text(_plain(post.text)), title=f"{left:,} left", title_align="left"))


def _plain(text: str) -> str:
    """Without what could steer a terminal."""
    return "".join(c if c == "\n" or c.isprintable() or c == "\u200d" else " " for c in text)


def _asked() -> Labels:
    from monitor.codebook import Labels, codebook

    if not _choice("relevant"):
        return Labels(0, 0, "none", "neutral")
    removal = str(_choice("removal"))
    concern = int(_choice("concern", codebook().least_concern.get(removal, 0)))
    return Labels(1, concern, removal, str(_choice("stance")))


def _choice(head: str, least: int = 0) -> str | int:
    """One answer; asked again until it is one."""
    values = _keys(head)
    while True:
        try:
            key = input(f"{_question(head, values)} ").strip().lower()
        except EOFError:
            raise _Command(_STOP) from None
        if key in (_BACK, _SKIP, _STOP):
            raise _Command(key)
        if key == _HELP:
            _explain(head)
        elif key in values:
            value = values[key]
            if not isinstance(value, int) or value >= least:
                return value
            say(f"That removal stage means concern {least} or more.")
        else:
            say("Type one of the letters in brackets, or - u ? q.")


def _keys(head: str) -> dict[str, str | int]:
    """A key for every value of the codebook: its first letter that no other has taken."""
    from monitor.codebook import codebook

    if head == "relevant":
        return {"y": 1, "n": 0}
    keys: dict[str, str | int] = {}
    values: tuple[str | int, ...] = getattr(codebook(), head)
    for value in values:
        keys[next(letter for letter in str(value) if letter not in (*keys, _BACK, _STOP))] = value
    return keys


def _question(head: str, keys: dict[str, str | int]) -> str:
    if head == "relevant":
        return "About a platform's AI or data-use terms?  [y]es  [n]o"
    answers = (str(value).replace(key, f"[{key}]", 1) for key, value in keys.items())
    return f"{head.capitalize()}?  {'  '.join(answers)}"


def _explain(head: str) -> None:
    from monitor.codebook import codebook

    book = codebook()
    say(book.question[head])
    for value, meaning in book.meaning.get(head, {}).items():
        say(f"  {value}: {meaning}")


def add_to(app: typer.Typer) -> None:
    app.command()(sample)
    app.command()(label)
    app.command()(agreement)
