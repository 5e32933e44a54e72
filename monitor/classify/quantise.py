"""A converted network with its large products in 8 bits: twice as fast as in float32 where a processor has VNNI."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.classify.corpus import read_posts
from monitor.classify.engine import arrays, batches
from monitor.classify.evaluate import as_text
from monitor.classify.quiet import openvino
from monitor.classify.scorer import prepared
from monitor.classify.tokens import Tokens

if TYPE_CHECKING:
    from monitor.classify.base import Base

EVERY = 2  # of the calibration posts: some 300 show the ranges of activations
SMOOTH = 0.85  # how much of the outliers moves from activations into weights; .7 and .95 change scores more


def quantised(network: Any, base: Base) -> Any:
    """The OpenVINO model ``network`` with the encoder's linear layers in int8, scaled by posts of the shipped corpus.

    Source: Xiao et al. 2023 (SmoothQuant), by NNCF. Attention and heads stay in float32: quantising what goes into
    attention changes four labels in a hundred, and saves nothing.
    """
    openvino()  # first: it keeps NNCF's telemetry out as well
    with _bars_on_the_terminal():
        import nncf

        nncf.set_log_level(logging.ERROR)
        given = _examples(base)
        return nncf.quantize(
            network,
            nncf.Dataset(given, list),
            subset_size=len(given),
            preset=nncf.QuantizationPreset.MIXED,
            model_type=nncf.ModelType.TRANSFORMER,
            ignored_scope=nncf.IgnoredScope(
                patterns=["__module.whole.*", "aten::matmul.*"], types=["ScaledDotProductAttention"], validate=False
            ),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                disable_bias_correction=True,
                smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=SMOOTH),
            ),
        )


def _examples(base: Base) -> Sequence[Any]:
    posts = [post for post in read_posts() if post.split == "calibration"][::EVERY]
    found = Tokens(base).windows([prepared(as_text(post)) for post in posts])
    windows = [window for part in found for window in part]
    return [arrays([windows[i] for i in rows], base.pad) for rows in batches(windows, 8)]


@contextmanager
def _bars_on_the_terminal() -> Iterator[None]:
    """NNCF draws its progress on stdout, which belongs to results; on a terminal stderr may show it."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(sys.stderr if sys.stderr.isatty() else nowhere):
        yield
