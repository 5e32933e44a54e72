"""``monitor score``: a JSONL file in, a JSONL file out, one line each, in order."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from monitor.classify.explain import explain
from monitor.classify.language import is_known
from monitor.classify.prediction import HEADS, Prediction, Text, unsure
from monitor.classify.scorer import Scorer, load
from monitor.codebook import codebook
from monitor.config import Classifier as Settings
from monitor.errors import MonitorError

STREAM = Path("-")
_AT_ONCE = 512  # lines


@dataclass(frozen=True, slots=True)
class Outcome:
    """``faults`` are (line number, reason) of the lines that could not be scored."""

    scored: int
    faults: tuple[tuple[int, str], ...]


def score_file(
    path: Path,
    out: Path,
    settings: Settings | None = None,
    scorer: Scorer | None = None,
    on_progress: Callable[[int], None] | None = None,
    is_explained: bool = False,
) -> Outcome:
    """Score each line of ``path`` ({"id", "text", "context"?, "platform"?, "lang"?}) into ``out``; - is stdin, stdout.

    ``is_explained`` adds the words that moved each score (``explain``): some fifty times the work.
    A line that cannot be scored gives {"id", "error"} in its place. ``on_progress`` is told how many lines each
    step did. ``out`` appears whole or not at all.

    Raises:
        MonitorError: ``path`` cannot be read or ``out`` not be written.
        ModelError: as ``load``.
    """
    faults: list[tuple[int, str]] = []
    lines = 0
    try:
        with _reading(path) as source, _writing(out) as target:
            judge, chosen = scorer or load(settings), settings or Settings()
            describe = partial(_row, judge, chosen.review_cost, is_explained)
            numbered = enumerate(source, 1)
            while part := list(islice(numbered, _AT_ONCE)):
                target.writelines(_scored(part, judge, describe, faults))
                lines += len(part)
                if on_progress is not None:
                    on_progress(len(part))
    except OSError as error:
        hint = "Check the paths, the permissions and the free space."
        raise MonitorError(f"{error.filename or out}: {error.strerror or error}", hint) from error
    return Outcome(lines - len(faults), tuple(faults))


def _scored(
    part: list[tuple[int, bytes]],
    scorer: Scorer,
    describe: Callable[[Text, Prediction], dict[str, Any]],
    faults: list[tuple[int, str]],
) -> Iterator[bytes]:
    read = [_read(line) for _, line in part]
    found = iter(scorer.score([text for _, text in read if isinstance(text, Text)]))
    for (number, _), (name, text) in zip(part, read, strict=True):
        if isinstance(text, str):
            faults.append((number, text))
            row = {"id": name, "error": text}
        else:
            row = {"id": name, **describe(text, next(found))}
        yield json.dumps(row).encode() + b"\n"


def _row(scorer: Scorer, review_cost: float, is_explained: bool, text: Text, found: Prediction) -> dict[str, Any]:
    row = as_json(found) | {"unsure": unsure(found, review_cost), "model": scorer.model_id}
    if not is_known(text.text, text.lang):
        row |= {"language": "unknown", "unsure": list(HEADS)}
    if is_explained:
        moved = explain(scorer, text)
        row["explain"] = {head: [[one.words, one.by] for one in moved[head]] for head in moved}
    return row


def _read(line: bytes) -> tuple[Any, Text | str]:
    """(id, text to score), or (id or None, why it cannot be scored)."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except (ValueError, RecursionError) as error:
        return None, f"no JSON: {error}"
    if not isinstance(row, dict):
        return None, "no JSON object"
    text, context, platform, lang = (row.get(name) for name in ("text", "context", "platform", "lang"))
    if not isinstance(text, str) or not text.strip():
        return row.get("id"), "no text"
    names = (platform,) if isinstance(platform, str) and platform.strip() else ()
    context, lang = (value if isinstance(value, str) else None for value in (context, lang))
    return row.get("id"), Text(text, context, names, lang)


def as_json(found: Prediction) -> dict[str, Any]:
    """A prediction under the names of the codebook."""
    book = codebook()
    return {
        "relevant": _short(found.relevant),
        "concern": {"expected": _short(found.expected_concern), "probs": [_short(p) for p in found.concern]},
        "removal": _named(book.removal, found.removal),
        "stance": _named(book.stance, found.stance),
    }


def _named(names: Iterable[str], probabilities: Iterable[float]) -> dict[str, float]:
    return {name: _short(p) for name, p in zip(names, probabilities, strict=True)}


def _short(probability: float) -> float:
    return round(probability, 6)


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    if path == STREAM:
        yield sys.stdin.buffer
        return
    with path.open("rb") as source:
        yield source


@contextmanager
def _writing(path: Path) -> Iterator[IO[bytes]]:
    if path == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing to replace
        with path.open("wb") as target:
            yield target
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as target:
            yield target
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
