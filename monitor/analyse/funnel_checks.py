"""What may be wrong with a removal funnel: each check says in words what it found."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.analyse.coverage import ENOUGH, Coverage, shortfall
from monitor.records import Diagnostic


def coverage(names: Sequence[str], by_stream: Sequence[Sequence[Coverage]], collected: Sequence[float]) -> Diagnostic:
    """Whether each stretch was collected.

    Args:
        names: of the stretches, "" where there is one only.
        by_stream: of each stretch; empty where nothing was ever collected live.
        collected: shares of each stretch outside all gaps.
    """
    texts = []
    for name, streams, share in zip(names, by_stream, collected, strict=True):
        text = shortfall(streams)
        if not text and share < ENOUGH:
            how_much = f"Only {share:.0%}" if share else "Nothing"
            text = f"{how_much} of this time was collected; what is missing is not zero."
        if text:
            texts.append(f"{name.capitalize()}: {text[0].lower()}{text[1:]}" if name else text)
    if not texts:
        return Diagnostic("coverage", True, f"At least {ENOUGH:.0%} of the time was collected.")
    also = ["The counts do not compare."] if len(names) > 1 else []
    return Diagnostic("coverage", False, " ".join([*texts, *also]))


def survivors(searched: int, posts: int) -> Diagnostic:
    """Whether posts were found only afterwards, when those of many who left were gone."""
    if not searched:
        return Diagnostic("survivors only", True, "All posts were collected live.")
    told = (
        f"{searched:,} of {posts:,} posts were searched for or imported later, so only what was still there was found"
    )
    return Diagnostic("survivors only", False, f"{told}: authors who left and deleted their posts are missing.")


def known_before(days: float, needed: float) -> Diagnostic:
    """Whether enough of the time before was collected to tell who is new."""
    if days < needed:
        text = f"{days:,.1f} days before were collected: who spoke of leaving earlier counts as new."
        return Diagnostic("known before", None, text)
    text = f"What was said in the {days:,.0f} days before is known, so that who spoke of it then is not new."
    return Diagnostic("known before", True, text)


def read_whole(*, is_sampled: bool) -> Diagnostic:
    """Whether posts stand for others that nobody read."""
    if not is_sampled:
        return Diagnostic("all posts read", True, "No sample stands for others.")
    text = "Of some hours a sample was read; authors cannot be weighted and are those of what was read: too few."
    return Diagnostic("all posts read", False, text)


def scored(waiting: int) -> Diagnostic:
    """Whether posts wait for their scores."""
    if not waiting:
        return Diagnostic("scored", True, "Every post has its scores.")
    return Diagnostic("scored", False, f"{unscored(waiting)} and not counted.")


def unscored(n: int) -> str:
    """In words: 3 posts are not scored yet."""
    return f"{n:,} {'post is' if n == 1 else 'posts are'} not scored yet"
