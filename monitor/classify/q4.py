"""Weights in 4-bit blocks (ggml's Q4_0): 32 values share one fp16 scale, each is (nibble - 8) * scale.

A tensor ``name`` of shape (rows, columns) is kept as ``name.q4``, uint8 (rows, columns / 2), and ``name.scale``,
float16 (rows, columns / 32). In a block byte j holds value j in its low and value j + 16 in its high nibble.
Source: https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c (read 2026-11-22).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
_BYTES = BLOCK // 2 + 2  # what one block takes in ggml's own layout: the scale, then 16 bytes


def split_blocks(raw: NDArray[np.uint8], rows: int) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """ggml's interleaved blocks as (nibbles, scales); no value changes."""
    blocks = raw.reshape(-1, _BYTES)
    scales = np.ascontiguousarray(blocks[:, :2]).view(np.float16)
    return blocks[:, 2:].reshape(rows, -1).copy(), scales.reshape(rows, -1).copy()


def unpack(nibbles: NDArray[np.uint8], scales: NDArray[np.float16]) -> NDArray[np.float32]:
    """The float32 values, shape (rows, columns)."""
    blocks = nibbles.reshape(-1, BLOCK // 2)
    values = np.empty((len(blocks), BLOCK), np.float32)
    values[:, : BLOCK // 2] = blocks & 15
    values[:, BLOCK // 2 :] = blocks >> 4
    values -= 8
    values *= scales.reshape(-1, 1).astype(np.float32)
    return values.reshape(len(nibbles), -1)


def pack(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Quantise (rows, columns) as ggml does: the largest value of a block, with its sign, becomes nibble 0."""
    blocks = values.reshape(-1, BLOCK).astype(np.float32)
    largest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)]
    scales = (largest / -8).astype(np.float16)
    divisor = np.where(scales == 0, 1, scales).astype(np.float32)[:, None]
    levels = np.clip(np.floor(blocks / divisor + 8.5), 0, 15).astype(np.uint8)
    nibbles = levels[:, : BLOCK // 2] | (levels[:, BLOCK // 2 :] << 4)
    return nibbles.reshape(len(values), -1), scales.reshape(len(values), -1)
