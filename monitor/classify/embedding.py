"""A word embedding that stays in its 4-bit blocks and dequantises only the rows it is asked for.

Import this module only inside functions: it needs torch. It saves 100 MB and the time to unpack them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monitor.classify.q4 import BLOCK


class BlockEmbedding(nn.Module):
    """Looks up rows of (rows, width / 2) nibbles and (rows, width / 32) scales, as ``q4.unpack`` would."""

    nibbles: Tensor
    scales: Tensor

    def __init__(self, nibbles: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.register_buffer("nibbles", nibbles, persistent=False)
        self.register_buffer("scales", scales, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """(...) ids -> (..., width) float32."""
        blocks = self.nibbles[ids].view(*ids.shape, -1, BLOCK // 2)
        values = torch.cat([blocks & 15, blocks >> 4], dim=-1).float() - 8
        return (values * self.scales[ids].float().unsqueeze(-1)).flatten(-2)
