"""What monitor comply says of what it asked and did: no text, no handle, no id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.options import say

if TYPE_CHECKING:
    from monitor.records import Platform
    from monitor.store import Store
    from monitor.store.checks import Checked

_NAMES = {"bluesky": "Bluesky", "x": "X"}
_DONE = ("deleted", "hidden", "shown", "scrubbed", "contexts")


@dataclass(frozen=True, slots=True)
class Done:
    """What one run did at one platform; checks that were begun earlier count with all of theirs."""

    platform: Platform
    asked: int
    still_there: int
    deleted: int
    hidden: int
    shown: int
    scrubbed: int
    contexts: int
    dollars: float = 0.0  # X charges nothing for compliance jobs


def done(platform: Platform, checks: Sequence[Checked]) -> Done:
    """The sum of some checks."""
    sums = {name: sum(getattr(check, name) for check in checks) for name in ("asked", "named", *_DONE)}
    return Done(platform, still_there=sums["asked"] - sums.pop("named"), **sums)


def print_report(report: list[Done], json: bool) -> None:
    """A sentence for each platform."""
    if json:
        _print_json([asdict(one) for one in report])
        return
    for one in report:
        told = f"asked about {one.asked:,} posts, {one.still_there:,} still there"
        typer.echo(f"{_NAMES[one.platform]}: {told}; {', '.join(_did(one))}. Cost: nothing.")
    if any(one.deleted or one.contexts or one.scrubbed for one in report):
        say("Until monitor compact, the bytes of what was removed stay in free blocks of the file.")


def _did(one: Done) -> Iterable[str]:
    yield f"{one.deleted:,} deleted"
    yield f"{one.hidden:,} hidden"
    if one.shown:
        yield f"{one.shown:,} shown again"
    if one.scrubbed:
        yield f"{one.scrubbed:,} stripped of their payload"
    if one.contexts:
        yield f"{one.contexts:,} copies in replies removed"


def print_log(store: Store, json: bool) -> None:
    """Everything that was ever asked and done, a line each."""
    from monitor.store.checks import checks
    from monitor.store.proofs import complied

    if json:
        rows = {"checks": map(_plain, checks(store)), "done": map(_plain, complied(store))}
        _print_json({name: list(values) for name, values in rows.items()})
        return
    for check in checks(store):
        did = ", ".join(f"{getattr(check, name):,} {name}" for name in _DONE if getattr(check, name))
        told = f"asked {check.asked:,}, named {check.named:,}; {did or 'nothing was done'}"
        typer.echo(f"{check.begun_at:%Y-%m-%dT%H:%M:%SZ} {check.name} {check.state}: {told}")
    for row in complied(store):
        what = f"{row.check} {row.platform} {row.what} {row.key}"
        typer.echo(f"{row.done_at:%Y-%m-%dT%H:%M:%SZ} {what}: {row.action} ({row.why})")


def _plain(row: Any) -> dict[str, Any]:
    """The key as text: many programs read numbers of 64 bits wrongly."""
    return {name: str(value) if name == "key" else value for name, value in asdict(row).items()}


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
