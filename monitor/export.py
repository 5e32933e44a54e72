"""Posts leave the store as a file: pseudonymous authors, ids only for X, one bounded part at a time.

A Bluesky post's id carries its author's id, so post ids are pseudonyms too. The same key gives the same pseudonyms,
which keeps threads and repeated exports linkable. Of X posts only the id goes out, as X's terms ask.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from monitor.codebook import codebook

Format = Literal["csv", "parquet"]
LIMIT = 200_000  # rows of one file; the server holds it in memory for the download, about 1 kB a row

_ID_ONLY = ("x",)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Exported:
    """``is_cut``: there were more posts than ``LIMIT``. ``is_keyed``: the pseudonyms come back in the next export."""

    path: Path
    rows: int
    is_cut: bool
    is_keyed: bool


def export(
    parts: Iterable[pa.Table],
    to: Path,
    form: Format,
    key: str | None,
    *,
    is_synthetic: bool = False,
    limit: int = LIMIT,
) -> Exported:
    """Write ``parts`` (tables of ``views.parts``) to one file.

    Args:
        key: secret for pseudonyms; None takes a random one that is forgotten afterwards.
    """
    secret = (key or secrets.token_hex(32)).encode()
    rows, is_cut = 0, False
    with _writer(to, form) as write:
        for part in parts:
            is_cut = rows + part.num_rows > limit
            taken = part.slice(0, limit - rows)
            write(_exported(taken, secret, is_synthetic, form))
            rows += taken.num_rows
            if is_cut:
                break
    return Exported(to, rows, is_cut, key is not None)


def schema() -> pa.Schema:
    """The columns of an exported file."""
    text, time = pa.string(), pa.timestamp("us", "UTC")
    return pa.schema(
        [
            *((name, text) for name in ("platform", "post", "author", "kind", "reply_to", "quote_of")),
            ("lang", text),
            ("source", text),  # the first that found it
            ("sources", text),  # all kinds that found it: live, search, import
            *((name, time) for name in ("observed_at", "created_at", "edited_at")),
            ("rules", text),
            ("versions", text),
            ("text", text),
            ("context", text),
            *((name, pa.int64()) for name in ("likes", "reposts", "replies", "quotes")),
            ("measured_at", time),
            ("sample_weight", pa.float64()),
            ("text_group", text),
            ("relevant", pa.float64()),
            ("concern", pa.float64()),
            ("concern_label", pa.int64()),
            ("removal_label", text),
            ("stance_label", text),
            *((f"{label}_{value}", pa.float64()) for label, values in _labels().items() for value in values),
            ("model_id", text),
            ("is_synthetic", pa.bool_()),
        ]
    )


def pseudonym(secret: bytes, platform: str, name: str | None) -> str | None:
    """A stable stand-in for an id: the first 80 bits of HMAC-SHA256 in hexadecimal."""
    if name is None:
        return None
    return hmac.new(secret, f"{platform} {name}".encode(), hashlib.sha256).hexdigest()[:20]


def text_group(number: int) -> str:
    """A group as people and spreadsheets see it: no number, lest it is rounded."""
    return f"t{number:016x}"


def _labels() -> dict[str, tuple[object, ...]]:
    book = codebook()
    return {"concern": book.concern, "removal": book.removal, "stance": book.stance}


def _exported(part: pa.Table, secret: bytes, is_synthetic: bool, form: Format) -> pa.Table:
    columns = schema()
    rows = [_row(row, secret, is_synthetic) for row in part.to_pylist()]
    if form == "csv":
        rows = [{name: _harmless(value) for name, value in row.items()} for row in rows]
    return pa.Table.from_pylist(rows, schema=columns)


def _row(row: dict[str, Any], secret: bytes, is_synthetic: bool) -> dict[str, Any]:
    platform = row["platform"]
    if platform in _ID_ONLY:
        return {"platform": platform, "post": row["post_id"], "is_synthetic": is_synthetic}
    ids = {"post": "post_id", "author": "author_id", "reply_to": "reply_to", "quote_of": "quote_of"}
    probs = {
        f"{label}_{value}": p
        for label, values in _labels().items()
        for value, p in zip(values, row[f"{label}_probs"] or (), strict=False)
    }
    hidden = {name: pseudonym(secret, platform, row[field]) for name, field in ids.items()}
    group = None if row["text_group"] is None else text_group(row["text_group"])
    return {
        **row,
        **probs,
        **hidden,
        "text_group": group,
        "sources": " ".join(row["sources"]),
        "rules": " ".join(row["matched"]),
        "versions": " ".join(row["versions"] or ()) or None,
        "is_synthetic": is_synthetic,
    }


def _harmless(value: Any) -> Any:
    """A spreadsheet runs a cell that begins like a formula; a quote in front keeps it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


@contextmanager
def _writer(to: Path, form: Format) -> Iterator[Callable[[pa.Table], None]]:
    made = pyarrow.csv.CSVWriter if form == "csv" else pyarrow.parquet.ParquetWriter
    with made(str(to), schema()) as writer:
        yield writer.write_table
