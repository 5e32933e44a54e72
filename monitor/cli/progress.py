"""Progress on stderr: bars, and lines or nothing where it is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, share: Callable[[], float]) -> Iterator[Callable[[int], None]]:
    """A bar that ``share()`` (0 to 1) moves; the callable that it yields shows how many posts there are."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[posts]:,} posts"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0, posts=0)
        yield lambda posts: progress.update(task, completed=share(), posts=posts)
        progress.update(task, completed=1.0)


@contextmanager
def steps() -> Iterator[Callable[[str, float], None]]:
    """A bar for work in several steps; the callable takes the step's name and the share of it that is done.

    Where stderr is no terminal, a line for every tenth.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(console.print).show
        return
    columns = (TextColumn("{task.description:18}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def show(step: str, share: float) -> None:
            if step not in tasks:
                for earlier in tasks.values():
                    progress.update(earlier, completed=1.0)
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=share)

        yield show
        for task in tasks.values():
            progress.update(task, completed=1.0)


class _Lines:
    """Progress for a log file."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._begun, self._told = tell, time.monotonic(), ("", -1)

    def show(self, step: str, share: float) -> None:
        now = (step, int(share * 10))
        if now != self._told:
            self._told = now
            self._tell(f"{step} {now[1] * 10} %, {time.monotonic() - self._begun:.0f} s")


@contextmanager
def counter(what: str) -> Iterator[Callable[[int], None]]:
    """A running count for work whose end is not known."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done: progress.advance(task, done)
