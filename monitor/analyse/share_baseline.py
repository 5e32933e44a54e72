"""What share of posts is usual, and how seldom so many among ``n`` are above it by chance: a beta-binomial baseline.

Fitted as ``baseline`` fits counts: by moments, with far buckets down-weighted (Noufaily et al. 2013). The
extra-binomial variation is that of Williams (1982, Applied Statistics 31:144): n p (1 - p) (1 + (n - 1) rho).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.analyse.baseline import ROUNDS, Values, down_weighted

_LEAST, _MOST = 1e-6, 0.9  # correlation


@dataclass(frozen=True, slots=True)
class ShareBaseline:
    """The usual ``share``, and the correlation ``rho`` of two posts of one bucket."""

    share: float
    rho: float

    def chance(self, counts: Values, n: Values) -> Values:
        """How likely so many or more of ``n`` are where nothing happens."""
        from scipy.stats import betabinom

        return np.where(n > 0, betabinom.sf(np.asarray(counts) - 1, np.maximum(n, 1), *parameters(self)), 1.0)

    def usual(self, n: int, level: float = 0.95) -> tuple[int, int]:
        """Between which counts a bucket of ``n`` lies with probability ``level``."""
        above = tails(np.array([self.share]), np.array([self.rho]), n)[0]
        low = int((above > (1 + level) / 2).sum()) - 1
        return max(low, 0), int((above > (1 - level) / 2).sum()) - 1


def fitted(counts: Values, n: Values) -> ShareBaseline:
    """The baseline of one history of buckets, those without posts left out."""
    share, rho = fit_many(counts[None].astype(np.float64), n.astype(np.float64))
    found = ShareBaseline(float(share[0]), float(rho[0]))
    again = fit_many(simulated(found, n, 16, np.random.default_rng(1)), n.astype(np.float64))[1]
    ratio = float(np.clip(found.rho / max(float(np.mean(again)), _LEAST), 0.5, 2.0))
    return ShareBaseline(found.share, min(found.rho * ratio, _MOST))


def simulated(baseline: ShareBaseline, n: Values, replicates: int, generator: np.random.Generator) -> Values:
    """Quiet histories, shape (replicates, buckets)."""
    p = generator.beta(*parameters(baseline), (replicates, len(n)))
    return generator.binomial(n.astype(np.int64), p).astype(np.float64)


def fit_many(counts: Values, n: Values) -> tuple[Values, Values]:
    """Shares and correlations, both (replicates,), of counts (replicates, buckets) among ``n`` (buckets,)."""
    counts, n = counts[:, n > 0], n[n > 0]
    weights = np.ones(counts.shape)
    for left in reversed(range(ROUNDS)):
        share = ((weights * counts).sum(1) + 0.5) / ((weights * n).sum(1) + 1)
        rho = _correlation(counts, n, share, weights)
        if left:
            spread = np.sqrt(_variance(n, share, rho))
            weights = down_weighted((counts - n * share[:, None]) / spread)
    return share, rho


def tails(share: Values, rho: Values, n: int) -> Values:
    """P(Y >= k) for k = 0 to n, shape (replicates, n + 1)."""
    from scipy.special import betaln, gammaln

    k = np.arange(n + 1)
    a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    log = choose + betaln(k + a[:, None], n - k + b[:, None]) - betaln(a, b)[:, None]
    return np.asarray(np.minimum(np.cumsum(np.exp(log)[:, ::-1], axis=1)[:, ::-1], 1.0))


def parameters(baseline: ShareBaseline) -> tuple[float, float]:
    """Of the beta distribution of a bucket's share."""
    size = (1 - baseline.rho) / baseline.rho
    return baseline.share * size, (1 - baseline.share) * size


def _variance(n: Values, share: Values, rho: Values) -> Values:
    return n * (share * (1 - share))[:, None] * (1 + (n - 1) * rho[:, None])


def _correlation(counts: Values, n: Values, share: Values, weights: Values) -> Values:
    """Where Pearson's statistic equals its degrees of freedom, by bisection."""
    freedom = np.maximum(weights.sum(1) - 1, 1.0)
    squares = weights * (counts - n * share[:, None]) ** 2
    low, high = np.full(len(counts), np.log(_LEAST)), np.full(len(counts), np.log(_MOST))
    for _ in range(24):
        middle = (low + high) / 2
        is_narrow = (squares / _variance(n, share, np.exp(middle))).sum(1) > freedom
        low, high = np.where(is_narrow, middle, low), np.where(is_narrow, high, middle)
    return np.asarray(np.exp((low + high) / 2))
