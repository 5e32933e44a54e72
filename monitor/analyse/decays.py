"""How fast an outcry falls, and how a share moves as it does, from counts in blocks of six hours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.records import Estimate, Outcome

Values = NDArray[np.float64]

BLOCK_HOURS = 6
_LEVEL, _LEAST_BLOCKS, _LEAST_POSTS = 0.95, 4, 30


def half_lives(posts: Values, collected: Values, peak: int, at: int, end: int) -> tuple[Outcome, Outcome]:
    """The hours in which volume halves, fitted from peak to response and from response to the end.

    A quasi-Poisson regression of blocks of six hours on time, with a daily rhythm where two days are seen (McCullagh
    and Nelder 1989), intervals by Student's t.
    """
    return (
        _half_life("half-life before", posts[peak:at], collected[peak:at]),
        _half_life("half-life after", posts[at:end], collected[at:end]),
    )


def share(name: str, part: Values, posts: Values, peak: int, at: int, end: int) -> Outcome:
    """The share of ``part`` in ``posts`` after the response less what its own trend since the peak would have given.

    A quasi-binomial regression of blocks of six hours on the logarithm of the time since the peak; the trend goes on
    without the response. The effect is in shares, 0.1 for ten points.
    """
    found, whole = _blocks(part[peak:at]), _blocks(posts[peak:at])
    late, later = _blocks(part[at:end]), _blocks(posts[at:end])
    if min(whole.sum(), later.sum()) < _LEAST_POSTS:
        told = f"{whole.sum():,.0f} posts before and {later.sum():,.0f} after"
        return Outcome(name, None, f"Cannot tell how the share moved: {told}, and {_LEAST_POSTS} of each are needed.")
    if (blocks := int((whole > 0).sum())) < _LEAST_BLOCKS:
        told = f"posts stand in {blocks} blocks of {BLOCK_HOURS} h between peak and response"
        return Outcome(name, None, f"Cannot tell how the share moved: {told}, and {_LEAST_BLOCKS} are needed.")
    if found.sum() in (0, whole.sum()):
        return Outcome(name, None, "Cannot tell how the share moved: before it, all posts are of one kind.")
    ahead = (at - peak) / BLOCK_HOURS + np.arange(len(later))
    since, after = _trend(np.arange(len(whole), dtype=float)), _trend(ahead)
    kept = whole > 0
    fitted = _glm(np.stack([found, whole - found], axis=1)[kept], since[kept], "binomial")
    expected = 1 / (1 + np.exp(-after @ fitted.params))
    weight = later / later.sum()
    slope = (weight * expected * (1 - expected)) @ after
    noise = fitted.scale * float((weight**2 * expected * (1 - expected) / np.maximum(later, 1)).sum())
    half = _quantile(fitted.df_resid) * math.sqrt(float(slope @ fitted.cov_params() @ slope) + noise)
    foreseen, came = float(weight @ expected), float(late.sum() / later.sum())
    effect = came - foreseen
    text = (
        f"{came:.0%} after it, {foreseen:.0%} ({max(0, foreseen - half):.0%} to {min(1, foreseen + half):.0%}) foreseen"
    )
    estimate = Estimate(
        effect, effect - half, effect + half, _LEVEL, "quasi-binomial trend", int(whole.sum() + later.sum()), text
    )
    return Outcome(name, estimate, _told(estimate, text))


def _told(estimate: Estimate, text: str) -> str:
    if estimate.low <= 0 <= estimate.high:
        return f"{text} from its trend since the peak: no sign that the response moved it."
    return f"{text} from its trend since the peak: {'higher' if estimate.effect > 0 else 'lower'} than foreseen."


def _half_life(name: str, posts: Values, collected: Values) -> Outcome:
    whole, seen = _blocks(posts), _blocks(collected) / BLOCK_HOURS
    kept = seen > 0.5
    if kept.sum() < _LEAST_BLOCKS or whole.sum() < _LEAST_POSTS:
        told = f"{whole.sum():,.0f} posts in {kept.sum() * BLOCK_HOURS} hours"
        return Outcome(name, None, f"Cannot tell a half-life: {told} are too few.")
    hour = (np.arange(len(whole)) + 0.5) * BLOCK_HOURS
    columns = [np.ones(len(hour)), hour]
    if kept.sum() >= 8:
        columns += [np.cos(2 * np.pi * hour / 24), np.sin(2 * np.pi * hour / 24)]
    fitted = _glm(whole[kept], np.stack(columns, axis=1)[kept], "poisson", np.log(seen[kept]))
    rate, half = -float(fitted.params[1]), _quantile(fitted.df_resid) * float(fitted.bse[1])
    if rate - half <= 0:
        least = f"at least {math.log(2) / (rate + half):.0f} h" if rate + half > 0 else "it was rising"
        return Outcome(name, None, f"No half-life can be told: {least}.")
    life, low, high = (float(math.log(2) / value) for value in (rate, rate + half, rate - half))
    text = f"{life:.0f} h ({low:.0f} to {high:.0f})"
    estimate = Estimate(life, low, high, _LEVEL, "quasi-Poisson trend", int(whole.sum()), text)
    return Outcome(name, estimate, f"Volume halved in {text}.")


def _glm(counts: Values, design: Values, family: str, offset: Values | None = None) -> Any:
    import statsmodels.api as sm

    chosen = sm.families.Binomial() if family == "binomial" else sm.families.Poisson()
    fitted = sm.GLM(counts, design, chosen, offset=offset).fit()
    # Never less noise than pure chance has: few blocks may lie close to the line by luck.
    return sm.GLM(counts, design, chosen, offset=offset).fit(scale=max(1.0, fitted.pearson_chi2 / fitted.df_resid))


def _quantile(free: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + _LEVEL) / 2, free))


def _trend(blocks: NDArray[Any]) -> Values:
    return np.stack([np.ones(len(blocks)), np.log1p(blocks)], axis=1)


def _blocks(values: Values) -> Values:
    """Sums over blocks of six hours; a last block that is not whole is left out."""
    whole = len(values) // BLOCK_HOURS * BLOCK_HOURS
    return np.asarray(np.asarray(values[:whole], np.float64).reshape(-1, BLOCK_HOURS).sum(axis=1))
