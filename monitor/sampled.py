"""A sample of X's past: drawn from what X counts, read by a collector, and what it says of all posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.analyse.sampling import design, draw
from monitor.analyse.shares import estimate_share
from monitor.collect.x_sample import stream_of, stream_of_topic, unread
from monitor.config import Topic
from monitor.errors import MonitorError, TooFewPosts
from monitor.records import Estimate, Slice, Window
from monitor.store import Store
from monitor.store.queries import drawn_slices, overlapping

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Finding:
    """What a sample says of one thing: ``estimate``, or why there is none."""

    name: str
    estimate: Estimate | None
    text: str


def drawn(store: Store, topic: Topic, window: Window, hourly: ArrayLike, posts: int) -> tuple[str, list[Slice]]:
    """The sample of that size, drawn now or when it was asked for first, and its stream.

    Args:
        window: whole hours.
        hourly: posts that X counts in each of them, shape (hours,).

    Raises:
        MonitorError: the size buys no sample, an hour is not counted (-1), or another sample of the topic has some of
            the time.
    """
    stream = stream_of(topic, window, posts)
    kept = drawn_slices(store, stream)
    if not kept:
        _check(store, topic, window, np.asarray(hourly))
        plan = design(hourly, posts)
        store.commit_slices(unread(stream, window, posts), plan.strata, draw(plan, window.start))
        kept = drawn_slices(store, stream)  # another program may have been first
    return stream, kept


def _check(store: Store, topic: Topic, window: Window, hourly: NDArray[Any]) -> None:
    if uncounted := int((hourly < 0).sum()):
        raise MonitorError(
            f"{uncounted:,} of {hourly.size:,} hours are not counted for {topic.name}, so nothing is drawn",
            "No post of them could be drawn, and a draw is for good. The same command counts the rest first.",
        )
    for other in overlapping(store, stream_of_topic(topic), window):
        times = [f"{at:%Y-%m-%dT%H:%MZ}" for at in (other.window.start, other.window.end)]
        size = other.posts or "N"
        raise MonitorError(
            f"A sample of {topic.name} from {times[0]} to {times[1]} stands already ({other.sample})",
            "Two samples of one time would each count as all of its posts. Go on with that one, under the rules that "
            f"it was drawn for: --since {times[0]} --until {times[1]} --sample {size}; or sample another time.",
        )


def findings(store: Store, topic: Topic, stream: str) -> list[Finding]:
    """The shares of relevant posts among all that were found, and of removal talk among relevant ones."""
    with store.reading() as moment:
        strata = moment.read("strata", sample=stream)
        posts = moment.read("sampled_posts", sample=stream, platform="x", topic=topic.name)
    column = {name: posts[name].to_numpy() for name in posts.column_names}
    is_scored, is_relevant = column["scored"].astype(bool), column["relevant"].astype(bool)
    shares = (
        ("relevant", column["relevant"], is_scored),
        ("removal talk among relevant posts", column["leaving"], is_relevant),
    )
    return [
        _finding(name, values[among], {other: of[among] for other, of in column.items()}, strata)
        for name, values, among in shares
    ]


def _finding(name: str, values: ArrayLike, posts: dict[str, NDArray[Any]], strata: pa.Table) -> Finding:
    counted, number = (strata[column].to_numpy() for column in ("posts", "drawn"))
    weights = posts["weight"]
    # X counts more than the rules match; an interval by X's number would be too narrow.
    sizes = counted * min(1.0, weights.sum() / max(1, counted.sum()))
    try:
        found = estimate_share(
            np.asarray(values, np.float64), weights, posts["stratum"], sizes, units=posts["slice"], drawn=number
        )
    except TooFewPosts as error:
        return Finding(name, None, f"{name}: cannot tell. {error.message}.")
    return Finding(name, found, f"{name}: {found.text}")
