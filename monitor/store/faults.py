"""DuckDB's and the disk's errors in our words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import DiskFull, NotADatabase, SchemaTooNew, StoreBusy, StoreError

if TYPE_CHECKING:
    import duckdb


@contextmanager
def our_errors(path: Path) -> Iterator[None]:
    """Raise what DuckDB or the disk says about ``path`` as a ``StoreError``."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise _translated(error, path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(path) from error
        raise StoreError(f"{path}: {error.strerror}", "Check the folder and its rights.") from error


def _translated(error: duckdb.Error, path: Path) -> StoreError:
    text = str(error)
    if "No space left" in text or "Disk quota" in text or "could not write all bytes" in text.lower():
        return _disk_full(path)
    if "not a valid DuckDB" in text or "sqlite_scanner" in text:
        return NotADatabase(f"{path} is no database of Backlash Monitor", "Name another file, or move this one away.")
    if "Could not set lock" in text or "Conflicting lock" in text:
        return StoreBusy(
            f"Another program has {path} open",
            "Close it there (duckdb, a database browser), or let it work on a copy of the file.",
        )
    if "newer version" in text or "storage version" in text:
        return SchemaTooNew(f"{path} was written by a newer DuckDB", "Upgrade: pip install --upgrade backlash-monitor")
    if "orrupt" in text or "hecksum" in text:
        return NotADatabase(f"{path} is damaged: {text.splitlines()[0]}", "Restore it from a snapshot.")
    return StoreError(f"{path}: {text.splitlines()[0]}", "Run again with --debug for the whole story.")


def _disk_full(path: Path) -> DiskFull:
    return DiskFull(
        f"No space is left for {path}; nothing of the last batch was kept and the cursor did not move",
        "Free some space and start again: collection continues where it stopped.",
    )
