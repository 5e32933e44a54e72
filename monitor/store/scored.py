"""Labels and scores of a window's posts as sums, and what people said of samples of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.records import Window
from monitor.store.views import Reader, Scope

if TYPE_CHECKING:
    import pyarrow as pa


def sums(store: Reader, scope: Scope, window: Window) -> pa.Table:
    """Sums of labels and scores over a window, a row for each model; see ``window_scored.sql``."""
    return store.read("window_scored", start=window.start, end=window.end, **scope.params())


def scores(store: Reader, scope: Scope, window: Window) -> pa.Table:
    """The calibrated scores of a window's posts, and how many have them; see ``window_scores.sql``."""
    return store.read("window_scores", start=window.start, end=window.end, **scope.params())


def slices(store: Reader, scope: Scope, window: Window) -> pa.Table:
    """Labels by the slice of time in which a sample read posts of a window; see ``window_slices.sql``."""
    return store.read("window_slices", start=window.start, end=window.end, **scope.params())


def sampled_labels(store: Reader, scope: Scope, window: Window, codebook: str) -> pa.Table:
    """The posts of samples within a window and what people said of them; see ``sampled_labels.sql``."""
    return store.read("sampled_labels", start=window.start, end=window.end, codebook=codebook, **scope.params())
