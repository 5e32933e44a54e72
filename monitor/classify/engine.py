"""Engines turn token windows into raw outputs. Today torch on the CPU; another one needs only ``run``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.classify.prediction import OUTPUTS
from monitor.classify.tokens import Window

if TYPE_CHECKING:
    from torch import Tensor

    from monitor.classify.model import Classifier

TOKENS = 4096  # in one batch, padding included


class Engine(Protocol):
    """Windows in, raw outputs (n, 12) out, in the same order; a row may not depend on its neighbours by 1e-3."""

    def run(self, windows: Sequence[Window]) -> NDArray[np.float32]: ...


class TorchEngine:
    """The merged network in eval mode, windows sorted by length so that little is padded."""

    def __init__(self, model: Classifier, pad: int, batch_size: int = 32) -> None:
        self.model, self.pad, self.batch_size = model.eval(), pad, batch_size

    def run(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        import torch

        found = np.empty((len(windows), OUTPUTS), np.float32)
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
        with torch.inference_mode():
            for rows in self._batches(order, windows):
                found[rows] = self.model(*tensors([windows[i] for i in rows], self.pad)).numpy()
        return found

    def _batches(self, order: Sequence[int], windows: Sequence[Window]) -> Iterator[list[int]]:
        """Rows of rising length, fewer at a time where they are long, so that memory stays flat."""
        rows: list[int] = []
        for i in order:
            if rows and (len(rows) == self.batch_size or (len(rows) + 1) * len(windows[i].ids) > TOKENS):
                yield rows
                rows = []
            rows.append(i)
        if rows:
            yield rows


def tensors(windows: Sequence[Window], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """(ids, mask, text mask), each (n, longest)."""
    import torch

    longest = max(len(window.ids) for window in windows)
    places = torch.arange(longest)
    ids: Any = [list(window.ids) + [pad] * (longest - len(window.ids)) for window in windows]
    mask = places < torch.tensor([[len(window.ids)] for window in windows])
    text_mask = places < torch.tensor([[window.text_length] for window in windows])
    return torch.tensor(ids), mask, text_mask
