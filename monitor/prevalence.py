"""The join of store and analysis where shares are corrected for the classifier's errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from monitor.analyse.powered import LEAST_LABELLED, powered
from monitor.analyse.prevalence import Scored, adjusted, between_slices, emq, percent
from monitor.classify.confusion import CLEAR, read_confusions
from monitor.classify.release import RELEASE
from monitor.codebook import Labels, codebook
from monitor.config import Classifier
from monitor.errors import ModelError, TooFewPosts
from monitor.records import Confusion, Diagnostic, Estimate, Outcome, Window
from monitor.store import scored
from monitor.store.views import Reader, Scope

_FAR, _NEAR = 1.5, 0.001  # how far outside of an interval another method may be: on held-out posts hardly any is
_MOST_LATE = 0.02  # of a window's posts that came after a sample was drawn: they had no chance
SAID = {"relevant": "about the terms", "concern2": "clearly worried (concern 2 or more)"}


@dataclass(frozen=True, slots=True)
class Corrected:
    """The share of an outcome among ``posts`` collected posts (weighted; relevant or not).

    ``labelled`` is the share that the labels, uncorrected, show; None without posts. ``basis`` says what it rests on:
    "labels of people", "held-out posts", or "" where it could not be corrected; then ``why`` says what is missing.
    """

    outcome: Outcome
    labelled: float | None
    posts: float
    basis: str
    why: str = ""

    @property
    def counts(self) -> tuple[float, float, float] | None:
        """How many posts, and the interval's ends."""
        found = self.outcome.estimate
        return None if found is None else (found.effect * self.posts, found.low * self.posts, found.high * self.posts)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled posts of a sample in a window: what each person said, and the chance of being drawn and labelled."""

    sample: str
    labels: tuple[tuple[Labels, ...], ...]
    rows: tuple[dict[str, Any], ...]
    chances: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A share by PACC; and by ACC and EMQ, which see other sides of the same scores."""

    estimate: Estimate
    counted: Estimate
    likeliest: float

    @property
    def check(self) -> Diagnostic:
        """Whether they agree, as they should where the classifier errs on these posts as on held-out ones."""
        one = self.estimate
        least, most = (one.effect + _FAR * (end - one.effect) for end in (one.low, one.high))
        passed = all(least - _NEAR <= share <= most + _NEAR for share in (self.counted.effect, self.likeliest))
        text = f"ACC finds {percent(self.counted.effect)} and EMQ {percent(float(self.likeliest))}"
        return Diagnostic("other methods", passed, text)


def names() -> tuple[str, ...]:
    """The outcomes, as ``monitor sample --for`` takes them."""
    return ("relevant", "concern2", *codebook().removal[1:])


def corrected(store: Reader, scope: Scope, window: Window, settings: Classifier | None = None) -> tuple[Corrected, ...]:
    """Relevance, concern of 2 or more and each removal stage among the posts of a window, corrected.

    From labels of people where a random sample of these posts has ``LEAST_LABELLED`` or more of them, else from how
    the release errs on held-out posts. Where neither is known, no estimate and the reason.
    """
    rows = scored.sums(store, scope, window).to_pylist()
    scored_rows = [row for row in rows if row["model_id"] is not None]
    waiting = sum(row["n"] for row in rows if row["model_id"] is None)
    if not scored_rows:
        why = f"Cannot tell: no post of {waiting:,} is scored yet." if waiting else "Cannot tell: no posts."
        return tuple(Corrected(Outcome(_title(name), None, why), None, 0.0, "") for name in names())
    note = f" {waiting:,} posts wait for their scores and are not counted." if waiting else ""
    errs, why = _confusions([row["model_id"] for row in scored_rows], settings or Classifier())
    slices = scored.slices(store, scope, window).to_pylist()
    sums = {outcome: _sums(scored_rows, slices, outcome) for outcome in (*SAID, "removal")}
    held = _adjusted(sums, errs, scored.scores(store, scope, window).to_pylist() if errs else ())
    sample = labelled(store, scope, window, sums["removal"].weight)
    return tuple(_one(name, sums, sample, held, why, note) for name in names())


def labelled(store: Reader, scope: Scope, window: Window, posts: float) -> Labelled | None:
    """The sample with most labelled posts in the window, of those that were drawn of the whole of it."""
    found = scored.sampled_labels(store, scope, window, codebook().version).to_pylist()
    parts: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = {}
    for row in found:
        parts.setdefault(row["sample"], {}).setdefault((row["platform"], row["post_id"]), []).append(row)
    fit = [_settled(name, list(by.values())) for name, by in parts.items() if _covers(list(by.values()), posts)]
    return max(fit, key=lambda one: len(one.labels), default=None)


def _covers(drawn: Sequence[list[dict[str, Any]]], posts: float) -> bool:
    """Whether the posts that a sample stands for are as many as there are: else it was drawn of others, or earlier."""
    first = [rows[0] for rows in drawn]
    if first[0]["late"] > _MOST_LATE:
        return False
    stands = sum(row["weight"] / row["chance"] for row in first)
    squares = sum((row["weight"] / row["chance"]) ** 2 * (1 - row["chance"]) for row in first)
    return bool(abs(stands - posts) <= 3 * float(squares) ** 0.5 + 0.02 * posts)


def _settled(name: str, drawn: Sequence[list[dict[str, Any]]]) -> Labelled:
    """Posts are labelled in random order, so those that are labelled are a random part of the sample."""
    kept: list[tuple[tuple[Labels, ...], dict[str, Any], float]] = []
    for rows in drawn:
        if labels := tuple(_labels(row) for row in rows if row["annotator"] is not None):
            row = rows[0]
            kept.append((labels, row, row["chance"] * row["labelled"] / row["drawn"]))
    labels_of, rows_of, chances = zip(*kept, strict=True) if kept else ((), (), ())
    return Labelled(name, tuple(labels_of), tuple(rows_of), tuple(chances))


def _labels(row: dict[str, Any]) -> Labels:
    return Labels(int(row["relevant"]), int(row["concern"]), row["removal"], row["stance"])


def _confusions(models: Sequence[str], settings: Classifier) -> tuple[dict[str, Confusion], str]:
    """By outcome; or why there are none."""
    if len(models) > 1:
        return {}, f"these posts were scored by {len(models)} models (monitor status says when that is over)"
    folder = Path(settings.model) if settings.model else RELEASE
    try:
        found = {one.outcome: one for one in read_confusions(models[0], folder)}
    except ModelError as error:
        return {}, str(error)
    return found, "" if found else f"how {models[0]} errs on held-out posts is not known (monitor evaluate --keep)"


def _adjusted(
    sums: Mapping[str, Scored], errs: Mapping[str, Confusion], scores: Sequence[dict[str, Any]]
) -> dict[str, Held | str]:  # fmt: skip
    """By name of the outcome: what held-out posts make of it, or why there is nothing."""
    found: dict[str, Held | str] = {}
    for outcome, confusion in errs.items():
        keys = ("none", *names()[2:]) if outcome == "removal" else ("", outcome)
        try:
            estimates, counts = adjusted(sums[outcome], confusion), adjusted(sums[outcome], confusion, "ACC")
        except (TooFewPosts, ValueError) as error:
            found |= dict.fromkeys(keys, str(error))
            continue
        own = [row for row in scores if row["outcome"] == outcome]
        held = [float(sum(row)) for row in confusion.matrix]
        shares = emq([row["scores"] for row in own], [n / sum(held) for n in held], [row["weight"] for row in own])
        found |= {key: Held(*one) for key, *one in zip(keys, estimates, counts, shares, strict=True)}
    return found


def _sums(rows: Sequence[dict[str, Any]], slices: Sequence[dict[str, Any]], outcome: str) -> Scored:
    weight = sum(row["weight"] for row in rows)
    labels, scores = (
        tuple(sum(by) for by in zip(*(_by_class(row[column], row["weight"]) for row in rows), strict=True))
        for column in (f"{outcome}_label", f"{outcome}_score")
    )
    between = between_slices(
        [row["weight"] for row in slices],
        [row["posts"] for row in slices],
        [_by_class(row[outcome], row["posts"]) for row in slices],
        [label / weight for label in labels],
        weight,
    )
    n, squares = (sum(row[column] for row in rows) for column in ("n", "squares"))
    return Scored(n, weight, squares, labels, scores, tuple(between.tolist()))


def _by_class(found: Any, total: float) -> tuple[float, ...]:
    """Of an outcome with two classes the second is stored."""
    return tuple(found) if isinstance(found, list) else (total - found, found)


def _one(
    name: str,
    by: Mapping[str, Scored],
    sample: Labelled | None,
    held: Mapping[str, Held | str],
    why: str,
    note: str,
) -> Corrected:
    outcome, k = ("removal", codebook().removal.index(name)) if name not in SAID else (name, 1)
    sums = by[outcome]
    share = sums.labels[k] / sums.weight
    by_held, basis = held.get(name, why), "held-out posts"
    found, made = (by_held, ()) if isinstance(by_held, str) else (by_held.estimate, (by_held.check,))
    if sample is not None and len(sample.labels) >= LEAST_LABELLED:
        scores = [
            row[f"{outcome}_score"][k] if outcome == "removal" else row[f"{outcome}_score"] for row in sample.rows
        ]
        weights = [row["weight"] for row in sample.rows]
        # Where people disagree, a post counts in part: leaving it out would leave out what is hard to tell.
        told = [mean(float(_holds(name, one)) for one in labels) for labels in sample.labels]
        try:
            found, made = powered(sums, k, told, scores, weights, sample.chances), ()
            basis = "labels of people"
        except TooFewPosts as error:
            found = str(error)
    if isinstance(found, str):
        text = f"Uncorrected: the labels show {share:.1%} of {sums.weight:,.0f} posts, because {found}.{note}"
        return Corrected(Outcome(_title(name), None, text), share, sums.weight, "", found)
    failed = "".join(f" But {one.text}: the classifier may err otherwise here." for one in made if not one.passed)
    text = _sentence(name, found, share, sums, basis, sample) + failed + note
    return Corrected(Outcome(_title(name), found, text, made), share, sums.weight, basis)


def _sentence(name: str, found: Estimate, share: float, sums: Scored, basis: str, sample: Labelled | None) -> str:
    n = sums.weight
    by = f"by {found.n:,} labels of sample '{sample.sample}'" if basis == "labels of people" and sample else ""
    by = by or "for the errors the classifier makes on held-out posts"
    counts = f"{found.effect * n:,.0f} ({found.low * n:,.0f} to {found.high * n:,.0f}) of {n:,.0f} posts"
    what = SAID.get(name, f"removal {name}").capitalize()
    return f"{what}: {found.text}, {counts}, corrected {by}; the labels alone show {share:.1%}."


def _holds(name: str, labels: Labels) -> bool:
    if name == "relevant":
        return bool(labels.relevant)
    return labels.concern >= CLEAR if name == "concern2" else labels.removal == name


def _title(name: str) -> str:
    return {"relevant": "relevant", "concern2": "concern 2+"}.get(name, f"removal: {name}")
