"""Engines turn token windows into raw outputs: OpenVINO on CPUs, torch on GPUs and wherever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.classify.prediction import OUTPUTS
from monitor.classify.quiet import openvino
from monitor.classify.tokens import Window

if TYPE_CHECKING:
    from torch import Tensor

    from monitor.classify.model import Classifier

TOKENS = 8192  # in one batch, padding included
ON_CPU, ON_GPU = 8, 128  # texts in one batch: more of them fall out of a CPU's cache, fewer leave a GPU idle
CPU_INFO = Path("/proc/cpuinfo")  # of Linux
_VNNI = {"avx512_vnni", "avx_vnni"}  # flags there; avx512_4vnniw is for 16 bits

Arrays = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]


class Engine(Protocol):
    """Windows in, raw outputs (n, 12) out, in the same order; a row may not depend on its neighbours by 1e-3."""

    def run(self, windows: Sequence[Window]) -> NDArray[np.float32]: ...


class TorchEngine:
    """The merged network in eval mode on ``device``: "cpu" or "cuda"; ``batch_size`` 0 is what suits it."""

    def __init__(self, model: Classifier, pad: int, batch_size: int = 0, device: str = "cpu") -> None:
        self._model, self._pad = model.eval().to(device), pad
        self._batch_size = batch_size or (ON_CPU if device == "cpu" else ON_GPU)
        self._device = device

    def run(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        import torch

        found = np.empty((len(windows), OUTPUTS), np.float32)
        with torch.inference_mode():
            for rows in batches(windows, self._batch_size):
                given = (value.to(self._device) for value in tensors([windows[i] for i in rows], self._pad))
                found[rows] = self._model(*given).cpu().numpy()
        return found


class OpenVinoEngine:
    """The converted network in the file ``path``; ``threads`` 0 takes all cores.

    ``hint`` is "f32" or "bf16": of everything that the file does not hold in 8 bits.
    """

    def __init__(self, path: Path, pad: int, batch_size: int = 0, threads: int = 0, hint: str = "f32") -> None:
        ov = openvino()
        # Said always: by itself OpenVINO takes bfloat16 where the processor has it, which changes one label in 800.
        hints = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        settings = hints | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
        self._compiled = ov.Core().compile_model(path, "CPU", settings)
        self._pad, self._batch_size = pad, batch_size or ON_CPU

    def run(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        found = np.empty((len(windows), OUTPUTS), np.float32)
        for rows in batches(windows, self._batch_size):
            given = arrays([windows[i] for i in rows], self._pad)
            found[rows] = self._compiled(list(given))[0]
        return found


def batches(windows: Sequence[Window], batch_size: int) -> Iterator[list[int]]:
    """Indices of windows of like length, so that little is padded; fewer at a time where they are long."""
    rows: list[int] = []
    for i in sorted(range(len(windows)), key=lambda i: len(windows[i].ids)):
        if rows and (len(rows) == batch_size or (len(rows) + 1) * len(windows[i].ids) > TOKENS):
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def arrays(windows: Sequence[Window], pad: int) -> Arrays:
    """(ids, mask, text mask), each (n, longest)."""
    lengths = np.array([[len(window.ids)] for window in windows])
    places = np.arange(int(lengths.max()))
    ids = np.full((len(windows), len(places)), pad, np.int64)
    for row, window in zip(ids, windows, strict=True):
        row[: len(window.ids)] = window.ids
    return ids, places < lengths, places < np.array([[window.text_length] for window in windows])


def tensors(windows: Sequence[Window], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """``arrays`` as torch has them."""
    import torch

    ids, mask, text_mask = (torch.from_numpy(value) for value in arrays(windows, pad))
    return ids, mask, text_mask


def has_vnni() -> bool:
    """Whether the processor multiplies 8-bit numbers faster than float32; known on Linux only."""
    try:
        return not _VNNI.isdisjoint(CPU_INFO.read_text("utf-8", "replace").split())
    except OSError:
        return False


def has_gpu() -> bool:
    """Whether there is an NVIDIA GPU with its driver; told without importing torch."""
    return Path("/dev/nvidiactl").exists()
