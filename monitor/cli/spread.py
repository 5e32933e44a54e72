"""monitor spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.backfilling import TIMES
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, event_of, open_store

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.config import Event
    from monitor.records import Window
    from monitor.spread import Crossing, Spread, Viral
    from monitor.store.spreading import Appearance, Author

    Name = Callable[[str, str], str | None]

_BARS = " ▁▂▃▄▅▆▇█"
_SHOWN_HOURS = 48


def spread(
    event: Annotated[str, typer.Argument(help="Id of an event of the configuration; default: none.")] = "",
    since: Annotated[str, typer.Option(help=TIMES + ". Default: the event, or everything.")] = "",
    until: Annotated[str, typer.Option(help="The end, exclusive; default: --days after the event, or now.")] = "",
    days: Annotated[float, typer.Option(min=0.1, max=366, help="After the event.")] = 3,
    topic: Annotated[list[str], typer.Option(help="Only posts of this topic (may be repeated).")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say who set it off: which posts and accounts the others answered, quoted and reposted.

    Counted is what hangs on a post by replies, quotes and reposts, at any distance, not how many follow its author.
    Also how fast it came, who joins threads that share nobody else, and which links and texts went from one platform
    to the other. --json has pseudonyms in place of accounts and of Bluesky's posts, as exports do.
    """
    from monitor.cli.collecting import chosen
    from monitor.config import load
    from monitor.spread import spread as spread_of
    from monitor.store.views import Scope
    from monitor.study import own_scope

    settings = load(config)
    of = event_of(settings, event) if event else None
    scope = Scope(tuple(one.name for one in chosen(settings, topic))) if topic else own_scope(of) if of else Scope()
    found = spread_of(open_store(settings, create=False), scope, _window(of, since, until, days), of)
    if json:
        import orjson

        typer.echo(orjson.dumps(as_dict(found, _pseudonyms()), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)


def _window(event: Event | None, since: str, until: str, days: float) -> Window:
    from datetime import timedelta

    from monitor.cli.times import window_of

    first, last = (event.at, event.at + timedelta(days=days)) if event else (None, None)
    start = since or (first.isoformat() if first else "1970-01-01")
    return window_of(start, until or (last.isoformat() if last else ""))


def _pseudonyms() -> Name:
    """As exports make them: with the same key, the same ones."""
    import secrets

    from monitor.config import Secrets
    from monitor.export import pseudonym

    key = Secrets.from_environment().monitor_hash_key
    secret = (key.get_secret_value() if key else secrets.token_hex(32)).encode()
    return lambda platform, name: pseudonym(secret, platform, name)


def as_dict(found: Spread, name: Name) -> dict[str, Any]:
    """The JSON of ``monitor spread``; ``name`` makes a pseudonym of (platform, id)."""
    from monitor.spread import sentence

    lead = found.lead
    return {
        "event": found.event.id if found.event else None,
        "start": _iso(found.window.start),
        "end": _iso(found.window.end),
        "sentence": sentence(found, lambda one: name(one.platform, one.author_id) or ""),
        "notes": list(found.notes),
        "counts": [asdict(one) for one in found.counts],
        "hanging": found.hanging,
        "trees": found.trees,
        "lead": {**asdict(lead.share), "stays_first": lead.stays, "in_trees": lead.trees} if lead else None,
        "viral": [_viral(one, name) for one in found.viral],
        "movers": [
            {
                **_author(one.author, name),
                "descendants": one.descendants,
                "accounts": one.accounts,
                "share": one.share,
                "first_at": _iso(one.first_at),
                "earlier": one.earlier,
            }
            for one in found.movers
        ],
        "large_threads": found.large,
        "bridges": [{**_author(one.author, name), "threads": one.threads, "pairs": one.pairs} for one in found.bridges],
        "links": [{"link": _link(one.what, name), "platforms": _appearances(one, name)} for one in found.links],
        "texts": [{"platforms": _appearances(one, name)} for one in found.texts],
        "crossings": found.crossings,
    }


def _viral(one: Viral, name: Name) -> dict[str, Any]:
    return {
        "platform": one.post.platform,
        "post": _post(one.post.platform, one.post.post_id, name),
        "author": name(one.post.platform, one.post.author_id),
        "at": _iso(one.post.observed_at),
        "is_before": one.is_before,
        "descendants": one.descendants,
        "accounts": one.accounts,
        "depth": one.depth,
        "width": one.width,
        "half_hours": one.curve.half_hours,
        "by_hour": one.curve.posts.tolist(),
        "later": one.curve.later,
    }


def _author(one: Author, name: Name) -> dict[str, Any]:
    return {"platform": one.platform, "author": name(one.platform, one.author_id)}


def _post(platform: str, post_id: str, name: Name) -> str | None:
    return post_id if platform == "x" else name(platform, post_id)


def _link(link: str, name: Name) -> str | None:
    """Profiles and posts of Bluesky, and profiles of X, hold an account in their address."""
    if link.startswith("bsky.app/profile/"):
        return name("bluesky", link)
    return name("x", link) if link.startswith("x.com/") and not link.startswith("x.com/i/") else link


def _appearances(one: Crossing, name: Name) -> list[dict[str, Any]]:
    return [
        {
            "platform": there.platform,
            "posts": there.posts,
            "accounts": there.authors,
            "first_at": _iso(there.first_at),
            "first_post": _post(post.platform, post.post_id, name) if post else None,
            "first_author": name(post.platform, post.author_id) if post else None,
        }
        for there, post in zip(one.appearances, one.posts, strict=True)
    ]


def _print(found: Spread) -> None:
    from rich.console import Console
    from rich.padding import Padding

    from monitor.spread import sentence

    console = Console(highlight=False)
    title = f"{found.event.title}: " if found.event else ""
    start = "the beginning" if found.window.start.year < 2000 else f"{found.window.start:%d %b %Y %H:%M}"
    console.print(f"{title}{start} to {found.window.end:%d %b %Y %H:%M} UTC", style="bold", markup=False)
    console.print(sentence(found), markup=False)
    for note in found.notes:
        console.print(Padding(note, (0, 0, 0, 2)), style="dim", markup=False)
    _print_viral(console, found)
    _print_accounts(console, found)
    _print_crossings(console, found)


def _print_viral(console: Console, found: Spread) -> None:
    from rich.padding import Padding

    from monitor.analyse.spread_words import pace

    if found.viral:
        console.print("\nPosts that spread furthest", style="bold")
        told = "Counted are replies, quotes and reposts by others, directly or through others."
        console.print(Padding(told, (0, 0, 0, 2)), style="dim", markup=False)
    for one in found.viral:
        post = one.post
        before = ", before this window" if one.is_before else ""
        who = f"@{post.author_handle}" if post.author_handle else post.author_id
        told = (
            f"{one.descendants:,} posts by {one.accounts:,} accounts. {who}, {post.observed_at:%d %b %Y %H:%M}{before}"
        )
        console.print(Padding(told, (0, 0, 0, 2)), markup=False)
        console.print(Padding(_short(post.text), (0, 0, 0, 4)), markup=False)
        bars = _sparks(one.curve.posts[:_SHOWN_HOURS].tolist()).rstrip()
        told = (f"{bars} by hour; " if bars else "") + pace(one.curve, one.depth, one.width)
        console.print(Padding(told, (0, 0, 0, 4)), style="dim", markup=False)


def _print_accounts(console: Console, found: Spread) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from monitor.analyse.spread_words import bridging

    if found.movers:
        console.print("\nAccounts whose posts spread furthest", style="bold")
        told = (
            "Ranked by what came of their posts, not by followers. A post may come of several accounts' posts, so the "
        )
        console.print(Padding(f"{told}shares do not add up to 100 %.", (0, 0, 0, 2)), style="dim", markup=False)
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("", "account", "posts by others", "accounts", "share", "first post", "earlier accounts"):
            table.add_column(name, justify="left" if name == "account" else "right", overflow="fold")
        for rank, one in enumerate(found.movers, start=1):
            numbers = (f"{one.descendants:,}", f"{one.accounts:,}", f"{one.share:.0%}")
            who = Text(one.author.name)
            table.add_row(str(rank), who, *numbers, f"{one.first_at:%d %b %Y %H:%M}", f"{one.earlier:,}")
        console.print(Padding(table, (0, 0, 0, 2)))
    if found.refusal:
        return
    console.print("\nAccounts that join threads", style="bold")
    console.print(Padding(bridging(found.large, len(found.bridges)), (0, 0, 0, 2)), style="dim", markup=False)
    for join in found.bridges:
        told = f"{join.author.name}: {join.pairs:,} pairs; took part in {join.threads:,} large threads"
        console.print(Padding(told, (0, 0, 0, 2)), markup=False)


def _print_crossings(console: Console, found: Spread) -> None:
    from rich.padding import Padding

    if not (found.crossings or found.links or found.texts):
        return
    console.print("\nFrom one platform to the other", style="bold")
    posts, readable = (sum(getattr(one, name) for one in found.counts) for name in ("posts", "readable"))
    told = (
        f"Links were read from {readable:,} of {posts:,} relevant posts. What was first is told of stored posts alone."
    )
    console.print(Padding(found.crossings or told, (0, 0, 0, 2)), style="dim", markup=False)
    for one in (*found.links, *found.texts):
        console.print(Padding(_short(one.what), (0, 0, 0, 2)), markup=False)
        for line in _lines(one):
            console.print(Padding(line, (0, 0, 0, 4)), markup=False)


def _lines(one: Crossing) -> Sequence[str]:
    return [
        _line(there, f"@{post.author_handle}" if post and post.author_handle else post.author_id if post else "?")
        for there, post in zip(one.appearances, one.posts, strict=True)
    ]


def _line(there: Appearance, who: str) -> str:
    from monitor.analyse.coverage import source_name

    n = f"{there.posts:,} {'post' if there.posts == 1 else 'posts'}"
    return f"{source_name(there.platform)}: first {there.first_at:%d %b %Y %H:%M} by {who}; {n} in all"


def _sparks(values: Sequence[int]) -> str:
    top = max(values, default=0) or 1
    return "".join(_BARS[-(-8 * value // top)] for value in values)


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 160 else one_line[:159] + "…"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def add_to(app: typer.Typer) -> None:
    app.command()(spread)
