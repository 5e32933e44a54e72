"""The store's state as JSON and as a page of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monitor.completeness import Recent
from monitor.records import Gap
from monitor.store.queries import CursorStatus, Spend, StoreStatus

MICRO = 1_000_000
_STATES = {"live": "live", "filled": "filled later", "missing": "missing"}


def as_dict(status: StoreStatus, now: datetime, recent: Sequence[Recent] = ()) -> dict[str, Any]:
    """The state as plain values; ``lag_seconds`` is how far behind now a live stream stands."""
    return {
        "synthetic": status.synthetic,
        "posts": sum(source.posts for source in status.sources),
        "authors": status.authors,
        "texts": status.texts,
        "reposts": sum(source.reposts for source in status.sources),
        "hidden": sum(source.hidden for source in status.sources),
        "unscored": sum(source.unscored for source in status.sources),
        "models": status.models,
        "deleted": status.deleted,
        "sources": [
            {
                "platform": s.platform,
                "source": s.source,
                "posts": s.posts,
                "reposts": s.reposts,
                "newest": _iso(s.newest),
            }
            for s in status.sources
        ],
        "seen": status.seen,
        "rejected": [{"stream": stream, "why": why, "n": n} for stream, why, n in status.rejected],
        "cursors": [
            {
                "stream": cursor.stream,
                "cursor": cursor.value,
                "moved_at": _iso(cursor.moved_at),
                "lag_seconds": _lag(cursor, now),
            }
            for cursor in status.cursors
        ],
        "coverage": [_coverage(one) for one in recent],
        "spend": _spend(status.spend, now),
        "gaps": {
            "open": [_gap(gap) for gap in status.gaps if gap.end is None],
            "closed": [_gap(gap) for gap in status.gaps if gap.end is not None],
        },
    }


def _spend(spend: tuple[Spend, ...], now: datetime) -> dict[str, Any]:
    """Dollars that X bills: today, this month, and by day and kind of read."""
    today = now.date()
    return {
        "today": sum(one.microdollars for one in spend if one.day == today) / MICRO,
        "this_month": sum(one.microdollars for one in spend if one.day >= today.replace(day=1)) / MICRO,
        "days": [
            {"day": one.day.isoformat(), "item": one.item, "n": one.n, "dollars": one.microdollars / MICRO}
            for one in spend
        ],
    }


def _coverage(one: Recent) -> dict[str, Any]:
    found = one.coverage
    return {
        "stream": found.stream,
        "window": one.name,
        "start": _iso(found.window.start),
        "end": _iso(found.window.end),
        **{name: round(getattr(found, name), 4) for name in ("live", "filled", "missing")},
    }


def print_status(report: dict[str, Any]) -> None:
    """The state for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if report["synthetic"]:
        console.print("SYNTHETIC: every post in this file is invented.", style="bold yellow")
    head = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    head.add_row("posts", f"{report['posts']:,}", f"+ {report['reposts']:,} reposts")
    head.add_row("authors", f"{report['authors']:,}", f"who wrote {report['texts']:,} distinct texts")
    head.add_row("unscored", f"{report['unscored']:,}", "wait for the classifier")
    for model, n in report["models"].items():
        head.add_row("scored", f"{n:,}", f"by {model}")
    head.add_row("hidden", f"{report['hidden']:,}", "accounts that are deactivated, suspended or taken down")
    head.add_row("deleted", f"{sum(report['deleted'].values()):,}", "stored once, gone now")
    head.add_row("seen", f"{sum(report['seen'].values()):,}", "inspected in all")
    console.print(head)
    if report["sources"]:
        _section(console, "Sources", ("platform", "source", "posts", "reposts", "newest"), report["sources"])
    if report["cursors"]:
        _section(console, "Streams", ("stream", "lag_seconds", "moved_at"), report["cursors"])
    if report["coverage"]:
        _print_coverage(console, report["coverage"])
    if report["rejected"]:
        _section(console, "Rejected", ("stream", "why", "n"), report["rejected"])
    if report["spend"]["days"]:
        said = f"Spent on X: ${report['spend']['today']:,.3f} today, ${report['spend']['this_month']:,.3f} this month"
        _section(console, said, ("day", "item", "n", "dollars"), report["spend"]["days"][-12:])
    gaps = report["gaps"]["open"] + report["gaps"]["closed"][-10:]
    if gaps:
        title = f"Gaps: {len(report['gaps']['open'])} open, {len(report['gaps']['closed'])} closed (the last ten)"
        _section(console, title, ("stream", "start", "end", "why", "filled_by"), gaps)


def _print_coverage(console: Any, found: list[dict[str, Any]]) -> None:
    rows = [
        {
            "stream": one["stream"],
            "over": one["window"],
            "from": one["start"][:16].replace("T", " "),
            **{name: share_text(one[part]) for part, name in _STATES.items()},
        }
        for one in found
    ]
    _section(console, "Share of the time that was collected", ("stream", "over", "from", *_STATES.values()), rows)
    console.print("Filled later: replayed, searched or imported; deleted posts are missing from it.", style="dim")


def share_text(share: float) -> str:
    """A share as people read it; what is not whole is not 100 %, and what is not nothing not 0 %."""
    if 0 < share < 0.001:
        return "under 0.1%"
    return f"{math.floor(share * 1000 + 1e-9) / 10:g}%"


def _section(console: Any, title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in columns))
    console.print()
    console.print(table)


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "stream": gap.stream,
        "start": _iso(gap.start),
        "end": _iso(gap.end),
        "why": gap.why,
        "filled_by": gap.filled_by,
    }


def _lag(cursor: CursorStatus, now: datetime) -> float | None:
    """Seconds behind now of a live stream; what ends by itself does not lag."""
    if not cursor.stream.endswith(":live"):
        return None
    return round((now - (cursor.event_at or cursor.moved_at)).total_seconds(), 1)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
