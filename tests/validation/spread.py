"""The first account's share of what spread: does its interval hold the truth, and is who is called settled the first?

Trees are drawn from a population in which each account's share is known; their sizes are geometric, or so heavy-tailed
(Pareto, exponent 1.5) that one tree may hold half of all. The first is chosen by what was drawn, as the product does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from monitor.analyse.spread import lead
from monitor.analyse.spread_words import SETTLED
from monitor.analyse.threads import Reached

_TREES = 150
_SHARES: dict[str, Sequence[float]] = {
    "one account of .3": (0.3,),
    "one of .3, two of .1": (0.3, 0.1, 0.1),
    "three of .15, .14 and .13": (0.15, 0.14, 0.13),
    "ten of .05": (0.05,) * 10,
    "ten of .02": (0.02,) * 10,
}


def run(replicates: int) -> Iterator[tuple[str, str, str]]:
    """A row for each population."""
    for is_heavy in (False, True):
        for name, shares in _SHARES.items():
            yield _row(f"{name}, {'heavy-tailed' if is_heavy else 'geometric'} trees", shares, is_heavy, replicates)


def _row(name: str, shares: Sequence[float], is_heavy: bool, replicates: int) -> tuple[str, str, str]:
    rng = np.random.default_rng(3)
    held, wrong, over = 0, 0, 0.0
    for _ in range(replicates):
        heavy, light = np.minimum(3 * rng.pareto(1.5, _TREES), 2000).astype(int), rng.geometric(0.15, _TREES)
        sizes = 1 + (heavy if is_heavy else light)
        who = np.repeat(rng.choice(len(shares) + 1, _TREES, p=[*shares, 1 - sum(shares)]), sizes)
        members = [np.flatnonzero(who == account) for account in range(len(shares))]
        order = sorted(range(len(shares)), key=lambda account: -len(members[account]))
        reached = [Reached(account, members[account][:1], members[account], 1, 1) for account in order]
        found = lead(np.ones(len(who), bool), np.repeat(np.arange(_TREES), sizes), reached)
        truth = shares[order[0]]
        held += found.share.low <= truth <= found.share.high
        over += found.share.effect - truth
        wrong += len(shares) > 1 and found.stays >= SETTLED and (truth < max(shares) or shares.count(truth) > 1)
    told = f"{held / replicates:.1%} hold the truth; {over / replicates:+.3f} too high"
    return name, f"{told}; {wrong / replicates:.1%} settled wrongly", "95 %; 0; at most 5 %"
