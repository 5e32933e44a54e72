"""The room where the others meet: one DuckDB file, opened late and closed early.

>>> store = Store(Path("monitor.duckdb"))
>>> store.commit(batch)                # posts, deletions, counts, gaps and cursor in one transaction
>>> store.read("status_posts")         # one SELECT of queries/, as an Arrow table with UTC times
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from monitor.errors import NoDatabase, NotADatabase, SchemaTooNew
from monitor.records import Annotation, Batch, Cursor, Draw, Gap, Grouped, Platform, Proof, Score, Slice, Stratum
from monitor.records.alerts import Alert, Message
from monitor.store import alerting, rows
from monitor.store.compaction import check_room, rewrite
from monitor.store.faults import our_errors
from monitor.store.gate import Gate
from monitor.store.transaction import Committed, Transaction, migrations, plain, sql, with_zone

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Committed", "Moment", "Store"]


class Store:
    """One DuckDB file behind its gate.

    Args:
        path: the file; made and migrated when ``create`` and missing.
        create: False refuses a missing file with ``NoDatabase`` (pages). An older schema is brought up to date.
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
        self._settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "autoinstall_known_extensions": False,
        }
        self._gate = Gate(self.path, wait_seconds)
        if create or 0 < self._check() < len(migrations()):
            self._migrate()

    def commit(self, batch: Batch, now: datetime | None = None) -> Committed:
        """Write one batch in one transaction, cursor included; the cursor moves nowhere else."""
        stages = rows.staged(batch)
        with self._writing(now) as transaction:
            transaction.stage(stages)
            return transaction.commit(batch)

    def commit_scores(self, scores: Sequence[Score], now: datetime | None = None) -> int:
        """Store scores; returns how many still fitted the text they were made of.

        They are shown at once where a post has no other. Those of an earlier model stay until ``switch_scores``.
        """
        if not scores:
            return 0
        with self._writing(now) as transaction:
            transaction.stage({"in_scores": rows.staged_scores(scores)})
            transaction.run("scores")
            return transaction.count("scored")

    def switch_scores(self, model_id: str, now: datetime | None = None) -> None:
        """Show the scores of ``model_id`` wherever they fit the text as it stands now, in one step."""
        with self._writing(now) as transaction:
            transaction.run("switched", model_id=model_id)

    def commit_annotations(self, annotations: Sequence[Annotation], now: datetime | None = None) -> int:
        """Store labels, in place of what the same annotator said before; returns how many still fitted their text."""
        with self._writing(now) as transaction:
            transaction.stage({"in_annotations": rows.staged_annotations(annotations)})
            transaction.run("annotations")
            return transaction.count("annotated")

    def commit_sample(self, name: str, method: str, draws: Sequence[Draw], now: datetime | None = None) -> None:
        """Store a sample under a name that no other has."""
        with self._writing(now) as transaction:
            transaction.stage({"in_samples": rows.staged_draws(draws)})
            transaction.run("samples", name=name, method=method)

    def commit_slices(self, unread: Gap, strata: Sequence[Stratum], slices: Sequence[Slice]) -> None:
        """Store what was drawn of a census under the stream that reads it; what was drawn before stays.

        Args:
            unread: of that stream, over the whole time that was drawn of.
        """
        with self._writing() as transaction:
            transaction.stage(rows.staged(Batch(unread.stream, gaps=(unread,))) | rows.staged_slices(strata, slices))
            transaction.run("slices", sample=unread.stream)
            transaction.run("gaps")

    def commit_groups(self, groups: Sequence[Grouped]) -> None:
        """Store which posts say the same, those whose text changed meanwhile left out."""
        with self._writing() as transaction:
            transaction.stage({"in_groups": rows.staged_groups(groups)})
            transaction.run("groups")

    def commit_rules(self, rules: Mapping[str, str], now: datetime | None = None) -> None:
        """Make a version of each topic whose rules (see ``collect.versions``) are not those of its newest one."""
        with self._writing(now) as transaction:
            transaction.stage({"in_rules": rows.staged_rules(rules)})
            transaction.run("rules")

    def commit_alerts(self, alerts: Sequence[Alert], messages: Sequence[Message], now: datetime | None = None) -> None:
        """Store alerts that began or changed together with what is to be told of it; what people wrote stays."""
        with self._writing(now) as transaction:
            transaction.stage(alerting.staged(alerts, messages))
            transaction.run("alerts")

    def answer_alert(self, alert: str, *, acknowledged: bool = False, until: datetime | None = None) -> bool:
        """Acknowledge an open alert or put it off; whether there is one of that id."""
        with self._writing() as transaction:
            transaction.run("alert_answer", id=alert, acknowledged=acknowledged, until=until)
            return transaction.count("answered") > 0

    def note_delivery(
        self, message: Message, step: Literal["begun", "sent", "failed", "given up"], fault: str = ""
    ) -> None:
        """A message is about to be sent, was, was not, or will not be."""
        with self._writing() as transaction:
            transaction.run("delivery", **asdict(message), step=step, fault=fault)

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
        found = self.read("cursor", stream=stream).to_pylist()
        return Cursor(stream, found[0]["value"], found[0]["event_at"]) if found else None

    def forget(
        self,
        what: Literal["author", "post"],
        platform: Platform,
        id: str,  # noqa: A002 - it is what the platform calls it
        handle: str = "",
        now: datetime | None = None,
    ) -> Proof:
        """Remove an author with everything, or one post, and take nothing of the kind in again; no event undoes it.

        Args:
            id: of the author or post; what is not stored is forgotten in advance.
            handle: one that the author is known by, beside those of the stored posts.
        """
        handle = handle.removeprefix("@")
        with self._writing(now) as transaction:
            transaction.run("forget", what=what, platform=platform, id=id, handle=handle)
            [row] = transaction.rows("forgetting")
            return Proof(**row)

    def plan_check(self, name: str, stream: str, most: int, now: datetime | None = None) -> None:
        """Begin a check of the next ``most`` ids of X behind the cursor of ``stream``; of none where none are left."""
        with self._writing(now) as transaction:
            transaction.run("plan_check", name=name, stream=stream, most=most)

    def tend(self, now: datetime | None = None) -> None:
        """Drop what need not be kept for ever; cheap, meant for every hour."""
        with self._writing(now) as transaction:
            transaction.run("tend")

    def read(self, query: str, **params: Any) -> pa.Table:
        """Run ``queries/<query>.sql`` on a read-only connection; times come back with the UTC zone."""
        with self.reading() as moment:
            return moment.read(query, **params)

    @contextmanager
    def reading(self) -> Iterator[Moment]:
        """Several reads of one moment: no commit comes between them, and the file is opened once (20 ms) for all."""
        with self._reading() as connection:
            yield Moment(connection)

    def snapshot(self, to: Path) -> Path:
        """Copy the file for a long read, without holding up the writer for longer than the copy."""
        with self._gate.read(), our_errors(self.path):
            _copy(self.path, to)
            wal = self.path.with_name(self.path.name + ".wal")
            if wal.exists():
                _copy(wal, to.with_name(to.name + ".wal"))
        return to

    def compact(self) -> None:
        """Rewrite the file so that what was removed is physically gone from it; others wait until that is done.

        Raises:
            DiskFull: there is no room for a copy; the file is as it was.
        """
        check_room(self.path, self.read("used_bytes")["n"][0].as_py())
        with self._gate.rewrite(), our_errors(self.path):
            rewrite(self.path, self._settings)

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.path.exists():
            raise NoDatabase(f"There is no {self.path}", "Collect first: monitor run, or try: monitor demo")
        with self._gate.read(), our_errors(self.path), self._open(read_only=True) as connection:
            yield connection

    @contextmanager
    def _writing(self, now: datetime | None = None) -> Iterator[Transaction]:
        with self._gate.write(), our_errors(self.path), self._open(read_only=False) as connection:
            connection.begin()
            try:
                yield Transaction(connection, now or datetime.now(UTC))
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
        if self.path.exists() and self._check() == len(migrations()):
            return
        with our_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._writing() as transaction:
            transaction.run("migrations")
            for number, name in enumerate(migrations(), start=1):
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
        if version > len(migrations()):
            raise SchemaTooNew(
                f"{self.path} was written by a newer version of Backlash Monitor "
                f"(its schema is number {version}, this program knows {len(migrations())})",
                "Upgrade this program: pip install --upgrade backlash-monitor",
            )
        return version


class Moment:
    """The store as it stands while ``Store.reading`` lasts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def read(self, query: str, **params: Any) -> pa.Table:
        """As ``Store.read``."""
        return with_zone(self._connection.execute(sql("queries", query), plain(params)).to_arrow_table())


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as written:
        try:
            _reflink(read.fileno(), written.fileno())
        except OSError:
            shutil.copyfileobj(read, written, 16 * 2**20)


def _reflink(source: int, target: int) -> None:
    import fcntl

    fcntl.ioctl(target, 0x40049409, source)  # FICLONE: a copy that shares blocks, where the file system can
