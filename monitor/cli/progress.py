"""Progress bars, on stderr; none where stderr is no terminal."""

from __future__ import annotations

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
