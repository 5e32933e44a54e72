"""The SQL of this room, read from its files, and one transaction that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from monitor.records import Batch
from monitor.store.rows import naive

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit did to stored posts (reposts included); ``rejected`` counts what it refused to keep."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    hidden: int = 0
    shown: int = 0
    rejected: int = 0


class Transaction:
    """The statements of ``writes/`` and ``schema/`` inside one transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def stage(self, tables: dict[str, pa.Table]) -> None:
        for name, table in tables.items():
            self._connection.register(name, table)

    def run(self, script: str, folder: str = "writes", **params: Any) -> None:
        values = plain({"now": self._now, **params})
        for statement in self._connection.extract_statements(sql(folder, script)):
            self._connection.execute(statement, {name: values[name] for name in statement.named_parameters})

    def count(self, table: str) -> int:
        return int(self._connection.table(table).count("*").fetchall()[0][0])

    def count_where(self, table: str, claim: str) -> int:
        return int(self._connection.table(table).filter(claim).count("*").fetchall()[0][0])

    def rows(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = with_zone(self._connection.table(table).to_arrow_table()).to_pylist()
        return found

    def schema_version(self) -> int:
        return int(self._connection.execute(sql("queries", "schema_version")).fetchall()[0][0])

    def commit(self, batch: Batch) -> Committed:
        """Run what the batch needs, in the order in which it must happen: states, deletions, posts, ledger."""
        hidden, shown = self._accounts() if batch.accounts else (0, 0)
        if batch.checks:
            self._prove(batch)
        deleted = self._deletions() if batch.deletions or batch.accounts else 0
        inserted, updated = self._posts() if batch.posts else (0, 0)
        for name in ("scrubs", "checks", "seen", "rejected", "gaps", "charges", "counted", "cursor"):
            if getattr(batch, name):
                self.run(name)
        return Committed(inserted, updated, deleted, hidden, shown, len(batch.rejected))

    def _accounts(self) -> tuple[int, int]:
        self.run("accounts")
        return self.count_where("account_row", "is_hiding"), self.count_where("account_row", "is_showing")

    def _prove(self, batch: Batch) -> None:
        """Log what the answer to a check hides and removes, before it goes."""
        if batch.accounts:
            self.run("complied_accounts")
        if batch.deletions:
            self.run("complied")

    def _deletions(self) -> int:
        self.run("deletions")
        if deleted := self.count("gone_row"):
            self.run("removals")
        return deleted

    def _posts(self) -> tuple[int, int]:
        self.run("posts")
        inserted, updated = self.count("fresh"), 0
        if self.count("hit"):
            self.run("edits")
            updated = self.count_where("known", "is_edit")
        self.run("context")
        return inserted, updated


def plain(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as DuckDB takes them: times in UTC without a zone."""
    return {name: naive(value) if isinstance(value, datetime) else value for name, value in params.items()}


def with_zone(table: pa.Table) -> pa.Table:
    """A table as DuckDB gives it, its times with the UTC zone."""
    import pyarrow as pa

    for index, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            table = table.set_column(index, column.name, table.column(index).cast(pa.timestamp("us", "UTC")))
    return table


@cache
def sql(folder: str, name: str) -> str:
    """The text of one file of this room; read once."""
    return resources.files("monitor.store").joinpath(folder, f"{name}.sql").read_text("utf-8")


@cache
def migrations() -> tuple[str, ...]:
    """Names of the migrations, in order; their place is their number."""
    files = resources.files("monitor.store").joinpath("schema").iterdir()
    return tuple(sorted(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql")))
