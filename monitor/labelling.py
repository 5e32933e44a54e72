"""The join of store and classifier where people label: samples drawn, posts shown, labels gathered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from monitor.analyse.powered import chance_weights
from monitor.classify.agreement import settled
from monitor.classify.corpus import CorpusPost
from monitor.classify.prepare import names_of
from monitor.classify.sample import draw
from monitor.codebook import Labels, codebook
from monitor.config import Config, Topic
from monitor.errors import MonitorError
from monitor.records import Annotation, Draw, Window
from monitor.store import Store

Method = Literal["uncertainty", "random"]
Target = Literal["relevant", "concern2", "considering", "committed", "done", "blocked"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample: ``n`` posts out of ``of``."""

    name: str
    n: int
    of: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post that an annotator has yet to label; without what the model or others say of it."""

    platform: str
    post_id: str
    text: str
    context: str | None
    lang: str | None
    revision: int


def draw_sample(
    store: Store,
    n: int,
    method: Method,
    name: str = "",
    topics: Sequence[str] | None = None,
    window: Window | None = None,
    seed: int | None = None,
    target: Target | None = None,
) -> Drawn:
    """Draw ``n`` scored posts and store them under ``name``; by default the method and the time.

    "uncertainty" draws a post with a chance in proportion to how much the model doubts its labels; "random" all with
    the same. ``target`` draws those whose labels make the interval of its share narrowest, whatever the method. The
    chance is always stored with each post.

    Raises:
        MonitorError: nothing to draw from, or the name is taken.
    """
    name = name or f"{target or method}-{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
    if name in samples(store):
        raise MonitorError(f"There is a sample '{name}' already", "Choose another --name.")
    bounds = {"start": window.start if window else None, "end": window.end if window else None}
    frame = store.read("sampling_frame", topics=list(topics) if topics else None, **bounds)
    if frame.num_rows == 0:
        raise MonitorError("No scored post meets this", "Collect first: monitor run, or widen the window.")
    if target:
        weights = chance_weights(frame[target].to_numpy(), frame["weight"].to_numpy())
    else:
        weights = frame["doubt"].to_numpy() if method == "uncertainty" else np.ones(frame.num_rows)
    chosen, probabilities = draw(weights, n, seed)
    posts = frame.select(["platform", "post_id"]).take(chosen).to_pylist()
    draws = [Draw(probability=float(p), **post) for post, p in zip(posts, probabilities, strict=True)]
    store.commit_sample(name, f"for {target}" if target else method, draws)
    return Drawn(name, len(draws), frame.num_rows)


def samples(store: Store) -> dict[str, int]:
    """Names of all samples and how many posts each has, newest first."""
    return {row["name"]: row["n"] for row in store.read("samples").to_pylist()}


def next_to_label(store: Store, sample: str, annotator: str, skip: int = 0) -> tuple[Waiting | None, int]:
    """The first post of a sample that ``annotator`` has not labelled, after ``skip``, and how many such there are."""
    found = store.read("to_label", sample=sample, annotator=annotator, codebook=codebook().version)
    rows = found.slice(skip, 1).to_pylist()
    return (Waiting(**rows[0]) if rows else None), found.num_rows


def annotate(store: Store, post: Waiting, annotator: str, labels: Labels, note: str = "") -> bool:
    """Store what ``annotator`` says of ``post``; False where it was edited or removed meanwhile.

    Raises:
        MonitorError: the labels break the codebook.
    """
    check(labels)
    given = {name: getattr(labels, name) for name in ("relevant", "concern", "removal", "stance")}
    row = Annotation(
        post.platform,  # type: ignore[arg-type]  # the store holds no other platform
        post.post_id,
        annotator,
        codebook=codebook().version,
        revision=post.revision,
        note=note,
        **given,
    )
    return store.commit_annotations([row]) == 1


def check(labels: Labels) -> None:
    """Refuse labels that cannot stand together.

    Raises:
        MonitorError: an irrelevant post with other labels, or concern under the floor of its removal stage.
    """
    if not labels.relevant and labels != Labels(0, 0, "none", "neutral"):
        raise MonitorError("An irrelevant post has concern 0, removal none and stance neutral", "See the codebook.")
    least = codebook().least_concern.get(labels.removal, 0)
    if labels.concern < least:
        raise MonitorError(f"Removal '{labels.removal}' means concern {least} or more", "See the codebook.")


def judgements(store: Store) -> dict[str, dict[str, Labels]]:
    """Post -> annotator -> labels, of posts as they stand now."""
    return _by_post(_annotations(store))


@dataclass(frozen=True, slots=True)
class Gathered:
    """Labelled posts to learn from, and how many were left out: not settled, or X posts that may not be used."""

    posts: tuple[CorpusPost, ...]
    unsettled: int
    not_allowed: int


def gather(store: Store, config: Config) -> Gathered:
    """Every labelled post with the labels that most annotators gave it.

    X's terms forbid training on its posts without an agreement, so they stay out unless ``[x] may_train``.
    """
    annotations = _annotations(store)
    rows = {_key(row): row for row in annotations}
    posts, unsettled, not_allowed = [], 0, 0
    for key, by in _by_post(annotations).items():
        row, labels = rows[key], settled(by)
        if row["platform"] == "x" and not config.x.may_train:
            not_allowed += 1
        elif labels is None:
            unsettled += 1
        else:
            posts.append(_post(key, row, labels, config.topics))
    return Gathered(tuple(posts), unsettled, not_allowed)


def _annotations(store: Store) -> list[dict[str, object]]:
    found: list[dict[str, object]] = store.read("annotations", codebook=codebook().version).to_pylist()
    return found


def _by_post(annotations: Sequence[dict[str, object]]) -> dict[str, dict[str, Labels]]:
    found: dict[str, dict[str, Labels]] = defaultdict(dict)
    for row in annotations:
        found[_key(row)][str(row["annotator"])] = _labels(row)
    return dict(found)


def _key(row: dict[str, object]) -> str:
    return f"{row['platform']} {row['post_id']}"


def _post(key: str, row: dict[str, object], labels: Labels, topics: Sequence[Topic]) -> CorpusPost:
    names = names_of(topics, row["matched"])  # type: ignore[arg-type]
    return CorpusPost(
        id=key,
        text=str(row["text"]),
        context=None if row["context"] is None else str(row["context"]),
        lang=str(row["lang"] or "und"),
        platform=names[0] if names else "",
        aliases=names[1:],
        persona=str(row["author_id"]),  # whom it must not be split from
        split="train",
        labels=labels,
        writer="labelled here",
    )


def _labels(row: dict[str, object]) -> Labels:
    return Labels(int(row["relevant"]), int(row["concern"]), str(row["removal"]), str(row["stance"]))  # type: ignore[call-overload]
