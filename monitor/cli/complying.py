"""monitor comply."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, open_store, say

if TYPE_CHECKING:
    import threading

    from monitor.cli.complied import Done
    from monitor.config import Config
    from monitor.store import Store
    from monitor.store.checks import Checked


class Asked(StrEnum):
    """Which platform is asked."""

    BLUESKY = "bluesky"
    X = "x"
    ALL = "all"


def comply(
    platform: Annotated[Asked, typer.Option(help="Whose posts to ask about.")] = Asked.ALL,
    log: Annotated[bool, typer.Option("--log", help="Show what was asked and done so far, and ask nothing.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Ask Bluesky and X which stored posts were taken back, and remove or hide those.

    X is asked in batch compliance jobs, which need X_BEARER_TOKEN and cost nothing; Bluesky post by post, without an
    account. Resumable. With [x] enabled, monitor run asks X by itself ([x] comply_hours). What was asked, answered and
    done stands in a log without text: --log.
    """
    from monitor.cli.collecting import stop_on_signals
    from monitor.cli.complied import print_log, print_report
    from monitor.config import load

    loaded = load(config)
    store = open_store(loaded, create=False, for_real_posts=True)
    if log:
        print_log(store, json)
        return
    stored = _stored(store)
    wanted = [name for name in ("bluesky", "x") if platform.value in (name, "all")]
    if platform is Asked.ALL and not stored["x"]:
        wanted.remove("x")  # asks nothing, so it needs no token
    jobs = _jobs(loaded) if "x" in wanted else None  # refuses before anything was asked
    stop = stop_on_signals()
    report: list[Done] = []
    if "bluesky" in wanted:
        report.append(_bluesky(loaded, store, stored["bluesky"], stop))
    if jobs is not None and not stop.is_set():
        report.append(_x(jobs, store, stored["x"], stop))
    print_report(report, json)
    store.tend()
    if stop.is_set():
        say("Stopped; start again and it goes on.")
        raise typer.Exit(130)


def _stored(store: Store) -> dict[str, int]:
    from monitor.store.queries import status

    sources = status(store).sources
    return {name: sum(s.posts + s.reposts for s in sources if s.platform == name) for name in ("bluesky", "x")}


def _jobs(config: Config) -> Any:
    from monitor.collect.x_jobs import JobsApi
    from monitor.config import Secrets
    from monitor.errors import AuthError

    try:
        return JobsApi(config.x, Secrets.from_environment())
    except AuthError as error:
        hint = f"{error.hint} X's compliance jobs are for apps only. Without it: monitor comply --platform bluesky"
        raise AuthError(f"Posts of X cannot be checked: {error.message}", hint) from None


def _bluesky(config: Config, store: Store, total: int, stop: threading.Event) -> Done:
    import threading
    import uuid

    from monitor.cli.complied import done
    from monitor.cli.progress import bar
    from monitor.collect import collect
    from monitor.collect.bluesky_session import session_path
    from monitor.collect.match import Matcher
    from monitor.collect.recheck import SETTLED, recheck
    from monitor.collect.watch import Watch
    from monitor.config import Secrets
    from monitor.store.checks import checks, open_check
    from monitor.store.queries import stored_ids

    begun, before = open_check(store, "bluesky"), datetime.now(UTC) - SETTLED
    name = begun.name if begun else f"bluesky-{uuid.uuid4().hex[:16]}"
    collector = recheck(
        config.bluesky,
        Secrets.from_environment(),
        session_path(store.path),
        lambda after: [post_id for post_id, _ in stored_ids(store, "bluesky", after, before=before)],
        name,
    )
    asked = begun.asked if begun else 0

    def close() -> None:
        stop.wait()
        collector.close()

    threading.Thread(target=close, daemon=True).start()
    with bar("Asking Bluesky", lambda: min(1.0, asked / max(total, 1))) as advance:

        def committed(batch: Any, _: Any) -> None:
            nonlocal asked
            asked += sum(check.asked for check in batch.checks)
            advance(asked)

        collect(collector, store, Matcher(config.topics), Watch(0), stop, committed)
    return done("bluesky", checks(store, name))


def _x(jobs: Any, store: Store, total: int, stop: threading.Event) -> Done:
    from monitor.cli.complied import done
    from monitor.cli.progress import bar
    from monitor.compliance import pass_over_x

    answered: dict[str, int] = {}
    with bar("Asking X", lambda: min(1.0, sum(answered.values()) / max(total, 1))) as advance:

        def worked_on(check: Checked) -> None:
            answered[check.name] = _answered(check)
            advance(sum(answered.values()))

        return done("x", pass_over_x(jobs, store, stop, worked_on))


def _answered(check: Checked) -> int:
    return check.asked if check.state == "applied" else 0


def add_to(app: typer.Typer) -> None:
    app.command()(comply)
