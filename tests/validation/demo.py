"""Corrected shares of the demo's invented case against the labels that it was written with.

The simulations of ``prevalence`` let the classifier err on posts as it errs on held-out ones. Here it errs as it does.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from monitor.codebook import Labels, codebook
from monitor.demo.play import open_store, play
from monitor.labelling import draw_sample
from monitor.prevalence import Corrected, corrected, names
from monitor.records import Annotation, Window
from monitor.store import Store
from monitor.store.views import Filter, Scope, parts

LABELLED = 200
WINDOW = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
Row = tuple[str, str, str]


def run(replicates: int = 1) -> list[Row]:
    """Rows of (what, measured, wanted): by held-out posts, then by labels that a random sample was given. Once."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "demo.duckdb")
        play(store, lambda *_: None)
        planted = planted_labels()
        known = {post: planted[text] for post, text in _texts(store).items() if text in planted}
        by_held = corrected(store, Scope(), WINDOW)
        draw_sample(store, LABELLED, "random", "drawn", seed=1)
        _label(store, known)
        by_people = corrected(store, Scope(), WINDOW)
        return [*_rows(by_held, known, "held-out posts"), *_rows(by_people, known, f"{LABELLED} labels")]


def planted_labels() -> dict[str, Labels]:
    """The labels that the case was written with, by text."""
    folder = resources.files("monitor.demo") / "data"
    rows = [json.loads(line) for name in ("posts", "quotes") for line in (folder / f"{name}.jsonl").open()]
    return {row["text"]: Labels(*row["labels"]) for row in rows}


def _texts(store: Store) -> dict[str, str]:
    """Of scored posts, by id; edited ones have another text than was labelled, and are left out of what is known."""
    found = parts(store, Scope(), Filter(relevance=None))
    return {row["post_id"]: row["text"] for part in found for row in part.to_pylist()}


def _label(store: Store, known: dict[str, Labels]) -> None:
    version = codebook().version
    rows = store.read("to_label", sample="drawn", annotator="writer", codebook=version).to_pylist()
    given = [(row, known[row["post_id"]]) for row in rows if row["post_id"] in known]
    store.commit_annotations([
        Annotation(
            "bluesky", row["post_id"], "writer", one.relevant, one.concern, one.removal, one.stance, version,
            revision=row["revision"],
        )
        for row, one in given
    ])  # fmt: skip


def _rows(found: tuple[Corrected, ...], known: dict[str, Labels], basis: str) -> Iterator[Row]:
    held = 0
    for name, one in zip(names(), found, strict=True):
        share = sum(_holds(name, labels) for labels in known.values()) / len(known)
        estimate = one.outcome.estimate
        assert estimate is not None
        assert one.labelled is not None
        is_held = estimate.low <= share <= estimate.high
        held += is_held
        text = f"planted {share:.1%}; {estimate.text} by {basis}; labels alone {one.labelled:.1%}"
        yield f"{one.outcome.name}, {'held' if is_held else 'missed'}", text, ""
    yield f"intervals that hold what was planted, by {basis}", f"{held} of {len(found)}", ""


def _holds(name: str, labels: Labels) -> bool:
    return {"relevant": bool(labels.relevant), "concern2": labels.concern >= 2}.get(name, labels.removal == name)
