"""What a spread can and cannot tell, in sentences that claim no more than was stored."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.analyse.spread import CURVE_HOURS, LARGE_ACCOUNTS, LARGE_POSTS, LEAST_TREES, Curve, Lead
from monitor.analyse.threads import Posts, Threads

SETTLED = 0.95  # share of resamples in which the first must stay first to be called so
_WHOLE = 0.95
ROUGH = 10  # trees of the first account below which its interval is a rough one


def alone(posts: Posts, found: Threads, hanging: int) -> str:
    """Why nothing can be told of who moved whom; empty where something can."""
    n = int(posts.is_within.sum())
    if n == 1:
        return "There is one post, and no stored one answers, quotes or reposts it."
    if not posts.authors.any():
        return f"All {n:,} posts are by one account: nobody else took anything up."
    if not len(found.children):
        cut = f" Posts that name one which is not stored: {found.cut:,}." if found.cut else ""
        return f"None of the {n:,} posts answers, quotes or reposts another stored post.{cut}"
    if not hanging:
        return "No stored post answers, quotes or reposts a relevant one."
    return ""


def headline(relevant: int, posts: int, hanging: int, trees: int, first: tuple[str, int, int] | None) -> str:
    """How much hangs on what.

    Args:
        relevant: posts; ``posts`` counts all, with reposts and what was said in their threads.
        first: name of the first account, posts of others that hang on its posts, and by how many accounts.
    """
    told = (
        f"{posts:,} posts and reposts were collected, {relevant:,} of them relevant posts. {hanging:,} answer, quote "
    )
    told += f"or repost a relevant one, directly or through others, in {_trees(trees)} of posts that hang together."
    if first is None:
        return f"{told} All of those are by the authors of these posts themselves."
    name, descendants, accounts = first
    others = f"{accounts:,} {'account' if accounts == 1 else 'accounts'}"
    return f"{told} Most came of the posts of {name}: {descendants:,} by {others}."


def leading(name: str, lead: Lead | None, trees: int, n_movers: int) -> str:
    """How sure it is that the first account is the first."""
    if lead is None:
        return f"How sure that is cannot be told: all of it stands in {_trees(trees)}, and {LEAST_TREES} are needed."
    share = lead.share
    span = f"95 % interval {_part(share.low)} to {_part(share.high)}"
    rough = f", a rough one from {_trees(lead.trees)}" if lead.trees < ROUGH else f" from {_trees(lead.trees)}"
    told = f"That is {_part(share.effect)} of all ({span}{rough}; rather too high, as the first was chosen)."
    if n_movers < 2:
        return told
    drawn = f"first in {lead.stays:.0%} of the cases when the trees are drawn anew"
    if lead.stays >= SETTLED:
        return f"{told} It stays {drawn}."
    return f"{told} Who is first is not settled: {name} stays {drawn}."


def _part(share: float) -> str:
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"


def pace(curve: Curve, depth: int, width: int) -> str:
    """How fast it came, and the shape of the tree."""
    half = curve.half_hours
    told = []
    if half is not None:
        long = f"{60 * half:.0f} min" if half < 1 else f"{half:.1f} h" if half < 48 else f"{half / 24:.1f} days"
        told.append(f"half of them within {long}")
    if curve.later:
        told.append(f"{curve.later:,} later than {CURVE_HOURS // 24} days")
    told.append(f"{depth:,} {'step' if depth == 1 else 'steps'} deep, up to {width:,} wide")
    return "; ".join(told)


def bridging(large: int, found: int) -> str:
    """What the accounts that join threads are."""
    if large < 2:
        few = f"at least {LARGE_POSTS} posts by {LARGE_ACCOUNTS} accounts"
        return f"Fewer than two large threads ({few}): nobody joins any."
    if not found:
        return f"No two of the {large:,} large threads have just one account in common."
    return f"Pairs of the {large:,} large threads that have this account in common and no other."


def notes(
    found: Threads, searched: int, sampled: int, unscored: int, collected: float, *, is_open: bool
) -> Sequence[str]:
    """What limits all that is told, the most important first."""
    told = ["Only stored posts are seen: who read a post and said nothing, or wrote where nobody collected, is not."]
    if found.cut:
        told.append(f"Posts that name a post which is not stored: {found.cut:,}. Their trees are cut there.")
    if collected < _WHOLE:
        told.append(f"Only {collected:.0%} of the time was collected: what hangs on what was lost is missing.")
    if searched:
        told.append(f"Survivors only: searched for or imported: {searched:,}. What was deleted before is missing.")
    if sampled:
        told.append(f"Read as a sample: {sampled:,}. Most of what hangs on these was not read: trees are too small.")
    if unscored:
        told.append(f"Posts that wait for their scores: {unscored:,}. They are followed, but not ranked.")
    if found.backwards:
        told.append(
            f"Posts older than what they answer, by their clocks: {found.backwards:,}. They count all the same."
        )
    if found.circular:
        told.append(f"Links that lead round in a circle: {found.circular:,}. They are left out.")
    if is_open:
        told.append("The window reaches beyond what was collected: more may come.")
    return told


def _trees(n: int) -> str:
    return f"{n:,} {'tree' if n == 1 else 'trees'}"
