"""Which words moved a score: each is left out in turn, and the text scored again (occlusion).

What is told is what is so: without this word the score would be lower (or higher) by so much. Gradients are quicker and
say less. Checked by a deletion test: leaving out the named words moves a score more than leaving out others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.classify.prediction import HEADS, Prediction, Text
from monitor.classify.scorer import Scorer, prepared
from monitor.codebook import codebook
from monitor.text import normalise

MOST_PARTS = 80  # of one text; longer ones are taken in runs of words
LEAST = 0.01  # a smaller move is not told

# Scripts that are written without spaces: every two characters count as a word.
_PART = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Moved:
    """``by``: how much lower the score is without ``words`` (negative: higher)."""

    words: str
    by: float


def explain(scorer: Scorer, item: Text, most: int = 5) -> dict[str, list[Moved]]:
    """For each head the words of the text that moved its score most, strongest first.

    The scores are P(relevant), the expected concern (0 to 3), P(removal is not none), and P(critical) minus
    P(supportive). Words are those that the model read (its normal form of the text).
    """
    text, context = prepared(item)
    spans = _spans(text)
    shorter = [normalise(text[:start] + text[end:]) for start, end in spans]
    whole, *others = scorer.score_prepared([(text, context), *((part, context) for part in shorter)])
    scores = _scores(whole)
    moves = [{head: scores[head] - value for head, value in _scores(other).items()} for other in others]
    return {
        head: sorted(
            (
                Moved(text[start:end], round(move[head], 4))
                for (start, end), move in zip(spans, moves, strict=True)
                if abs(move[head]) >= LEAST
            ),
            key=lambda moved: -abs(moved.by),
        )[:most]
        for head in HEADS
    }


def _spans(text: str) -> Sequence[tuple[int, int]]:
    parts = [found.span() for found in _PART.finditer(text)]
    run = -(-len(parts) // MOST_PARTS) or 1
    return [(parts[i][0], parts[min(i + run, len(parts)) - 1][1]) for i in range(0, len(parts), run)]


def _scores(found: Prediction) -> dict[str, float]:
    book = codebook()
    stance = dict(zip(book.stance, found.stance, strict=True))
    return {
        "relevant": found.relevant,
        "concern": found.expected_concern,
        "removal": 1 - found.removal[book.removal.index("none")],
        "stance": stance["critical"] - stance["supportive"],
    }
