"""What monitor forget says of what it did: no text, no handle, no id, so that it can be shown to whoever asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.options import say

if TYPE_CHECKING:
    from monitor.records import Proof
    from monitor.store import Store

_REMOVED = ("posts", "reposts", "scores", "annotations", "samples", "contexts", "rejected", "accounts")
_MEANING = {
    "posts": "with their text and raw payload, hidden ones too",
    "contexts": "copies of the text in others' replies and quotes",
    "rejected": "examples of what could not be kept",
    "accounts": "states of the account",
}


def next_steps(done: Proof, store: Store) -> list[str]:
    """What only the operator can do now."""
    from monitor.live import is_running

    steps = [
        f"monitor compact: until then the bytes of what was removed stay in free blocks of {store.path}.",
        "Copies outside that file are yours to find, the product keeps none: exports downloaded from the pages, files "
        "that monitor score wrote, snapshots and backups, archives that were imported.",
    ]
    if (done.what, done.platform) == ("author", "x"):
        steps.append(
            "Where a CSV file gave the context of an X post, nothing says whose text that is: search the posts for "
            "theirs and forget it with monitor forget --post and the id of the post that was answered or quoted."
        )
    if done.annotations:
        steps.append("Train anew what was taught by labels (monitor train --with-labels): it learnt from these posts.")
    if is_running(store.path):
        steps.append("Restart monitor run: it still collects what others answer to these posts.")
    return steps


def print_report(done: Proof, steps: list[str], json: bool) -> None:
    """What was removed, what stays and what to do next."""
    if json:
        _print_json({**_as_dict(done), "next": steps})
        return
    typer.echo(f"Forgotten at {done.done_at:%Y-%m-%d %H:%M:%S} UTC: {_a(done)}. Removed:")
    for name in _REMOVED:
        typer.echo(f"{getattr(done, name):>9,} {name:<12} {_MEANING.get(name, '')}".rstrip())
    typer.echo(f"Tombstone {done.key}: a hash of the id. Nothing of it is taken in again.")
    if done.tombstones:
        typer.echo(f"{done.tombstones:,} tombstones of earlier deletions were reduced to such a hash.")
    typer.echo("Counts of deletions and departures stay; they hold no text and no author.")
    if done.mentions:
        typer.echo(f"{done.mentions:,} posts by others name the id or @handle in their own words or links; they stay.")
    typer.echo("What to do next:")
    for number, step in enumerate(steps, start=1):
        typer.echo(f"{number}. {step}")


def print_log(store: Store, json: bool) -> None:
    """Everything that was ever asked, a line each."""
    from monitor.store.proofs import forgotten

    rows = forgotten(store)
    if json:
        _print_json([_as_dict(row) for row in rows])
        return
    for row in rows:
        went = ", ".join(f"{getattr(row, name):,} {name}" for name in _REMOVED if getattr(row, name))
        when = f"{row.done_at:%Y-%m-%dT%H:%M:%SZ}"
        typer.echo(f"{when} {row.platform} {row.what} {row.key}: {went or 'nothing was stored'}")
    if not rows:
        say("Nothing was ever asked to be forgotten.")


def _as_dict(done: Proof) -> dict[str, Any]:
    """The key as text: many programs read numbers of 64 bits wrongly."""
    return {
        "what": done.what,
        "platform": done.platform,
        "tombstone": str(done.key),
        "forgotten_at": f"{done.done_at:%Y-%m-%dT%H:%M:%SZ}",
        "removed": {name: getattr(done, name) for name in _REMOVED},
        "reduced_tombstones": done.tombstones,
        "mentions_by_others": done.mentions,
    }


def _a(done: Proof) -> str:
    where = {"bluesky": "Bluesky", "x": "X"}[done.platform]
    return f"an author on {where}" if done.what == "author" else f"a post on {where}"


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
