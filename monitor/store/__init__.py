"""The room where the others meet: one DuckDB file, opened late and closed early.

>>> store = Store(Path("monitor.duckdb"))
>>> store.commit(batch)                # posts, deletions, counts, gaps and cursor in one transaction
>>> store.read("status_posts")         # one SELECT of queries/, as an Arrow table with UTC times
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import DiskFull, NoDatabase, NotADatabase, SchemaTooNew, StoreError
from monitor.records import Batch, Cursor, Score
from monitor.store.gate import Gate

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Committed", "Store"]


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit did to stored posts (reposts included); ``rejected`` counts what it refused to keep."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    hidden: int = 0
    shown: int = 0
    rejected: int = 0


class Store:
    """One DuckDB file behind its gate.

    Args:
        path: the file; made and migrated when ``create`` and missing.
        create: False refuses a missing file with ``NoDatabase`` and never migrates (pages).
        memory_limit: of DuckDB, e.g. "512MB".
        threads: of DuckDB.
        wait_seconds: for another process to release the file, then ``StoreBusy``.

    Raises:
        NoDatabase, NotADatabase, SchemaTooNew, StoreBusy, DiskFull: see ``monitor.errors``.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        memory_limit: str = "512MB",
        threads: int = 2,
        wait_seconds: float = 30.0,
    ) -> None:
        self.path = Path(path)
        self._settings = {"memory_limit": memory_limit, "threads": threads, "autoinstall_known_extensions": False}
        self._gate = Gate(self.path, wait_seconds)
        if create:
            self._migrate()
        else:
            self._check()

    def commit(self, batch: Batch, now: datetime | None = None) -> Committed:
        """Write one batch in one transaction, cursor included; the cursor moves nowhere else."""
        from monitor.store import rows

        stages = rows.staged(batch)
        scripts = [
            *(["accounts"] if batch.accounts else []),
            *(["deletions"] if batch.deletions or batch.accounts else []),
            *(["posts"] if batch.posts else []),
            "ledger",
        ]
        with self._writing(now) as transaction:
            transaction.stage(stages)
            if batch.deletions and not batch.accounts:
                transaction.run("no_accounts")
            for script in scripts:
                transaction.run(script)
            return transaction.committed(scripts, len(batch.rejected))

    def commit_scores(self, scores: Sequence[Score], now: datetime | None = None) -> int:
        """Store scores and make them current; returns how many still fitted the text they were made of."""
        from monitor.store import rows

        if not scores:
            return 0
        with self._writing(now) as transaction:
            transaction.stage({"in_scores": rows.staged_scores(scores)})
            transaction.run("scores")
            return transaction.count("scored")

    def mark(self, key: str, value: str) -> None:
        """Note one small fact about the file."""
        with self._writing() as transaction:
            transaction.run("mark", key=key, value=value)

    def marked(self, key: str) -> str | None:
        """The fact noted under ``key``."""
        found = self.read("marked", key=key)["value"].to_pylist()
        return found[0] if found else None

    def cursor(self, stream: str) -> Cursor | None:
        """Where ``stream`` continues; None before its first commit."""
        found = self.read("cursor", stream=stream)["value"].to_pylist()
        return Cursor(stream, found[0]) if found else None

    def tend(self, now: datetime | None = None) -> None:
        """Drop what need not be kept for ever; cheap, meant for every hour."""
        with self._writing(now) as transaction:
            transaction.run("tend")

    def read(self, query: str, **params: Any) -> pa.Table:
        """Run ``queries/<query>.sql`` on a read-only connection; times come back with the UTC zone."""
        with self._reading() as connection:
            table = connection.execute(_sql("queries", query), _plain(params)).to_arrow_table()
        return _with_zone(table)

    def snapshot(self, to: Path) -> Path:
        """Copy the file for a long read, without holding up the writer for longer than the copy."""
        with self._gate.read(), _our_errors(self.path):
            _copy(self.path, to)
            wal = self.path.with_name(self.path.name + ".wal")
            if wal.exists():
                _copy(wal, to.with_name(to.name + ".wal"))
        return to

    def compact(self) -> None:
        """Rewrite the file so that what was removed is physically gone from it."""
        import duckdb

        fresh = self.path.with_name(self.path.name + ".compact")
        fresh.unlink(missing_ok=True)
        names = {"old": str(self.path).replace("'", "''"), "new": str(fresh).replace("'", "''")}
        with self._gate.write(), _our_errors(self.path):
            with duckdb.connect(config=self._settings) as connection:  # ATTACH takes no parameters, only literals
                connection.execute(_sql("writes", "compact").format(**names))
            os.replace(fresh, self.path)
            self.path.with_name(self.path.name + ".wal").unlink(missing_ok=True)

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.path.exists():
            raise NoDatabase(f"There is no {self.path}", "Collect first: monitor run, or try: monitor demo")
        with self._gate.read(), _our_errors(self.path), self._open(read_only=True) as connection:
            yield connection

    @contextmanager
    def _writing(self, now: datetime | None = None) -> Iterator[_Transaction]:
        with self._gate.write(), _our_errors(self.path), self._open(read_only=False) as connection:
            connection.begin()
            try:
                yield _Transaction(connection, now or datetime.now(UTC))
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def _open(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        connection = duckdb.connect(str(self.path), read_only=read_only, config=self._settings)
        try:
            yield connection
        finally:
            connection.close()

    def _migrate(self) -> None:
        if self.path.exists() and self._check() == len(_migrations()):
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._writing() as transaction:
            transaction.run("migrations")
            for number, name in enumerate(_migrations(), start=1):
                if number > transaction.schema_version():
                    transaction.run(name, "schema")
                    transaction.run("migrated", number=number, name=name)

    def _check(self) -> int:
        tables = set(self.read("tables")["name"].to_pylist())
        if not tables:
            return 0  # killed between making the file and its first migration
        if "migrations" not in tables:
            raise NotADatabase(f"{self.path} is another program's database", "Name another file.")
        version = int(self.read("schema_version")["number"][0].as_py())
        if version > len(_migrations()):
            raise SchemaTooNew(
                f"{self.path} was written by a newer version of Backlash Monitor "
                f"(its schema is number {version}, this program knows {len(_migrations())})",
                "Upgrade this program: pip install --upgrade backlash-monitor",
            )
        return version


class _Transaction:
    """The statements of ``writes/`` and ``schema/`` inside one transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def stage(self, tables: dict[str, pa.Table]) -> None:
        for name, table in tables.items():
            self._connection.register(name, table)

    def run(self, script: str, folder: str = "writes", **params: Any) -> None:
        values = _plain({"now": self._now, **params})
        for statement in self._connection.extract_statements(_sql(folder, script)):
            self._connection.execute(statement, {name: values[name] for name in statement.named_parameters})

    def count(self, table: str) -> int:
        return int(self._connection.table(table).count("*").fetchall()[0][0])

    def count_where(self, table: str, claim: str) -> int:
        return int(self._connection.table(table).filter(claim).count("*").fetchall()[0][0])

    def schema_version(self) -> int:
        return int(self._connection.execute(_sql("queries", "schema_version")).fetchall()[0][0])

    def committed(self, scripts: Sequence[str], rejected: int) -> Committed:
        accounts, deletions, posts = (name in scripts for name in ("accounts", "deletions", "posts"))
        return Committed(
            inserted=self.count("fresh") if posts else 0,
            updated=self.count_where("known", "is_edit") if posts else 0,
            deleted=self.count("gone_row") if deletions else 0,
            hidden=self.count_where("account_row", "is_hiding") if accounts else 0,
            shown=self.count_where("account_row", "is_showing") if accounts else 0,
            rejected=rejected,
        )


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
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
    if "not a valid DuckDB" in text:
        return NotADatabase(f"{path} is no database of Backlash Monitor", "Name another file, or move this one away.")
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


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    from monitor.store.rows import naive

    return {name: naive(value) if isinstance(value, datetime) else value for name, value in params.items()}


def _with_zone(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    for index, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            table = table.set_column(index, column.name, table.column(index).cast(pa.timestamp("us", "UTC")))
    return table


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as written:
        try:
            _reflink(read.fileno(), written.fileno())
        except OSError:
            shutil.copyfileobj(read, written, 16 * 2**20)


def _reflink(source: int, target: int) -> None:
    import fcntl

    fcntl.ioctl(target, 0x40049409, source)  # FICLONE: a copy that shares blocks, where the file system can


@cache
def _sql(folder: str, name: str) -> str:
    return resources.files("monitor.store").joinpath(folder, f"{name}.sql").read_text("utf-8")


@cache
def _migrations() -> tuple[str, ...]:
    files = resources.files("monitor.store").joinpath("schema").iterdir()
    return tuple(sorted(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql")))
