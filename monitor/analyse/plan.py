"""What reading some of the posts would say of all of them: how wide the interval of a share would be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Posts are read in short stretches of time, and neighbours are more alike than posts drawn one by one.
DESIGN_EFFECT = 1.2
_Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Planned:
    """A sample of ``posts``, worth ``size`` posts drawn one by one from endless ones (infinite for a census)."""

    posts: int
    size: float

    def interval(self, share: float) -> tuple[float, float]:
        """The 95 % interval (Wilson 1927) that a share of ``share``, 0 to 1, in the sample would have."""
        if math.isinf(self.size):
            return share, share
        pull = _Z**2 / self.size
        middle = (share + pull / 2) / (1 + pull)
        half = _Z * math.sqrt(share * (1 - share) / self.size + pull / (4 * self.size)) / (1 + pull)
        return max(0.0, middle - half), min(1.0, middle + half)


def planned(counts: ArrayLike, posts: int) -> Planned:
    """A sample stratified by hours, in proportion to how many posts each has; quiet neighbours share a stratum.

    The variance of the share is summed over strata, each less what was read of it (finite population; Cochran 1977,
    5.6): sum of W_h^2 (1 - n_h / N_h) / n_h, in which W_h is the stratum's part of all posts.

    Args:
        counts: posts in each hour, shape (hours,).
        posts: to be read in all; at least 2 are taken of each stratum, so there may be a few more.
    """
    hourly = np.asarray(counts, np.float64)
    total = float(hourly.sum())
    if posts >= total:
        return Planned(int(total), math.inf)
    sizes = _strata(hourly, 2 * total / max(posts, 1))
    drawn = np.minimum(sizes, np.maximum(2, np.diff(np.round(np.cumsum(sizes) * posts / total), prepend=0.0)))
    variance = DESIGN_EFFECT * float(((sizes / total) ** 2 * (1 - drawn / sizes) / drawn).sum())
    return Planned(int(drawn.sum()), 1 / variance if variance > 0 else math.inf)


def _strata(hourly: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Posts in each stratum: hours that follow each other until there are ``least``; what is left joins the last."""
    sizes, held = [], 0.0
    for posts in hourly:
        held += posts
        if held >= least:
            sizes.append(held)
            held = 0.0
    if held and sizes:
        sizes[-1] += held
    return np.array(sizes or [held])
