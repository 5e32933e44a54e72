"""The file written anew, so that what was removed is physically gone from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from monitor.errors import DiskFull
from monitor.store.faults import our_errors
from monitor.store.transaction import sql

_SPARE_BYTES = 2**22  # a small file grows in whole blocks


def rewrite(path: Path, settings: dict[str, Any]) -> None:
    """Copy the database at ``path`` and put the copy in its place; whoever calls holds the file alone.

    What a killed process left beside it (its log, spilt rows, an unfinished copy) goes too.

    Raises:
        DiskFull: there is no room for the copy; the file is as it was.
    """
    import duckdb

    fresh, spilt = _beside(path, ".compact"), _beside(path, ".compact.tmp")
    _drop(fresh, spilt)
    names = {"old": _quoted(path), "new": _quoted(fresh)}
    try:
        with our_errors(path), duckdb.connect(config={**settings, "temp_directory": str(spilt)}) as connection:
            connection.execute(sql("writes", "compact").format(**names))  # ATTACH takes no parameters, only literals
        os.replace(fresh, path)
    except DiskFull as error:
        raise no_room(path) from error
    finally:
        _drop(fresh, spilt)
    _drop(_beside(path, ".wal"), _beside(path, ".tmp"))


def check_room(path: Path, used_bytes: int) -> None:
    """Refuse to begin a copy that will not fit.

    Raises:
        DiskFull: less than ``used_bytes`` are free beside ``path``.
    """
    free = shutil.disk_usage(path.resolve().parent).free
    if free < used_bytes + _SPARE_BYTES:
        raise no_room(path, f": it needs {used_bytes / 2**20:,.0f} MB, and {free / 2**20:,.0f} MB are free")


def no_room(path: Path, figures: str = "") -> DiskFull:
    """What to say where the copy does not fit."""
    return DiskFull(
        f"There is no room beside {path} for a copy without what was removed{figures}",
        "The file is as it was. Free some space, then run monitor compact again.",
    )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _drop(*paths: Path) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
