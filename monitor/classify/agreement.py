"""How far people who labelled the same posts agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from monitor.classify.prediction import HEADS
from monitor.codebook import Labels, codebook


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha of one head, over ``n`` posts with two annotators or more; ``same``: share of equal pairs.

    ``alpha`` is None where nothing can be said: too few posts, or all bear the same label.
    """

    head: str
    n: int
    same: float | None
    alpha: float | None


def agreement(judged: Mapping[str, Mapping[str, Labels]]) -> list[Agreement]:
    """One row for each head. ``judged``: post -> annotator -> labels.

    Alpha by the package krippendorff (Krippendorff 2019, chapter 12): ordinal for concern, nominal for the others.
    """
    shared = {post: by for post, by in judged.items() if len(by) > 1}
    return [_row(head, shared) for head in HEADS]


def _row(head: str, shared: Mapping[str, Mapping[str, Labels]]) -> Agreement:
    names = sorted({name for by in shared.values() for name in by})
    table = np.array(
        [[_value(head, by[name]) if name in by else np.nan for by in shared.values()] for name in names], np.float64
    )
    pairs = [a == b for by in shared.values() for a, b in combinations([_value(head, one) for one in by.values()], 2)]
    return Agreement(head, len(shared), float(np.mean(pairs)) if pairs else None, _alpha(head, table))


def _alpha(head: str, table: np.ndarray) -> float | None:
    import krippendorff

    if table.size == 0 or len(np.unique(table[~np.isnan(table)])) < 2:
        return None
    level: Literal["ordinal", "nominal"] = "ordinal" if head == "concern" else "nominal"
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement=level))


def _value(head: str, labels: Labels) -> int:
    book = codebook()
    values: dict[str, Sequence[object]] = {"removal": book.removal, "stance": book.stance}
    given = getattr(labels, head)
    return values[head].index(given) if head in values else int(given)


def settled(by: Mapping[str, Labels]) -> Labels | None:
    """The labels most annotators of one post gave; None where no judgement has more voices than another."""
    voices = [tuple(getattr(one, head) for head in HEADS) for one in by.values()]
    counts = sorted(((voices.count(voice), voice) for voice in set(voices)), reverse=True, key=lambda pair: pair[0])
    if len(counts) > 1 and counts[0][0] == counts[1][0]:
        return None
    return Labels(*counts[0][1])
