"""Numbers as one plain sentence that claims no more than they say."""

from __future__ import annotations

from monitor.analyse.coverage import shortfall
from monitor.analyse.series import LEAST_FOR_INTERVAL, Side, change, differ

WHOLE = 0.95  # share of a window that collection must have covered for its counts to be compared
_SAME = 0.05  # relative change in volume below which "about as many"


def before_after(title: str, before: Side, after: Side, days: float) -> str:
    """What differed between the ``days`` before an event and those after; a difference, not a cause."""
    span = "day" if days == 1 else f"{days:g} days"
    waiting = before.unscored + after.unscored
    if before.posts + after.posts == 0 and waiting:
        told = f"{_counted(waiting)} collected in the {span} before and after “{title}”, and not scored yet."
        return " ".join([told, *shortfalls(before, after)])
    if before.posts + after.posts == 0:
        told = f"No relevant posts were collected in the {span} before or after “{title}”."
        return " ".join([told, *shortfalls(before, after)])
    parts = [
        _volume(title, before, after, span),
        _concern(before, after),
        _removal(before, after),
        f"{waiting:,} more {'waits for its score' if waiting == 1 else 'wait for their scores'}." if waiting else "",
        _coverage(before, after),
    ]
    return " ".join(part for part in parts if part)


def shortfalls(before: Side, after: Side) -> list[str]:
    """A sentence for each of the two windows of which a source collected too little; none where both have enough."""
    told = (("Before", shortfall(before.sources)), ("After", shortfall(after.sources)))
    return [f"{when}: {text[0].lower()}{text[1:]}" for when, text in told if text]


def _volume(title: str, before: Side, after: Side, span: str) -> str:
    relative = change(before.posts, after.posts)
    start = f"In the {span} after “{title}” {_posts(after.posts)} collected"
    if shortfalls(before, after):
        return f"{start}, and {before.posts:,} in the {span} before: too little was collected to compare them."
    if relative is None:
        return f"{start}, and none in the {span} before."
    if abs(relative) < _SAME:
        return f"{start}, about as many as the {before.posts:,} in the {span} before."
    if relative >= 1:
        how = f"{after.posts / before.posts:.1f} times the {before.posts:,}"
    else:
        how = f"{abs(relative):.0%} {'more' if relative > 0 else 'fewer'} than the {before.posts:,}"
    return f"{start}, {how} in the {span} before."


def _concern(before: Side, after: Side) -> str:
    if before.concern is None or after.concern is None:
        return ""
    if min(before.posts, after.posts) < LEAST_FOR_INTERVAL:
        return "That is too few to compare mean concern."
    figures = f"{before.concern:.2f} before and {after.concern:.2f} after, on the scale from 0 to 3"
    if not differ(before, after):
        return f"Mean concern shows no clear difference: {figures}."
    return f"Mean concern {'rose' if after.concern > before.concern else 'fell'}: {figures}."


def _removal(before: Side, after: Side) -> str:
    done, was = after.removal["done"], before.removal["done"]
    aims, aimed = after.leaving - done, before.leaving - was
    gone = f"{done:,} said they had removed content or left ({was:,} before)"
    return f"{gone}, {aims:,} meant to or could not ({aimed:,} before)."


def _posts(n: int) -> str:
    return f"{n:,} relevant {'post was' if n == 1 else 'posts were'}"


def _counted(n: int) -> str:
    return f"{n:,} {'post was' if n == 1 else 'posts were'}"


def _coverage(before: Side, after: Side) -> str:
    if sentences := shortfalls(before, after):
        return " ".join(sentences)
    short = [(name, s.collected) for name, s in (("before", before), ("after", after)) if s.collected < WHOLE]
    if not short and min(before.watched, after.watched) < WHOLE:
        live = f"{before.watched:.0%} of the time before and {after.watched:.0%} after"
        return f"Only {live} was watched live; what was searched for or imported may be incomplete."
    if not short:
        return ""
    told = " and ".join(f"{share:.0%} of the time {name}" for name, share in short)
    return f"Collection covered only {told}, so the counts do not compare as they stand."
