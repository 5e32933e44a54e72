"""Engine files: a release converted once on the user's machine, kept by content, read again without torch.

Importing torch and transformers takes longer than scoring the first hundred posts, so a program that only scores does
without them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from monitor.classify.quiet import openvino
from monitor.classify.release import WEIGHTS
from monitor.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT = 1  # of the files; another one is another engine
GRAPH, WEIGHTS_OF_GRAPH, TOKENIZER, TOKENS = "engine.xml", "engine.bin", "tokenizer.json", "tokens.json"
KEPT = 4  # engines of earlier releases and versions that are not thrown away
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Built:
    """A converted network and what its texts are cut with."""

    graph: Path
    tokenizer: Tokenizer
    bos: int
    eos: int
    pad: int
    positions: int


def built(release: Path, card: dict[str, Any], on_build: Callable[[str], None] = _log.info, bits: int = 32) -> Built:
    """The engine of a release; made now, and ``on_build`` told so, where this machine has none that can be read.

    ``bits`` is 32 or 8: of the encoder's weights and what they are multiplied with.

    Raises:
        ModelError: as ``load_release``, or there is no room for it.
    """
    folder = _folder(release, card, bits)
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or a damaged one
        on_build(f"Preparing the classifier for this machine; once, some {20 if bits == 32 else 40} s")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        _make(release, folder, bits)
        return _read(folder)
    except (OSError, RuntimeError) as error:  # OpenVINO says RuntimeError where a disk is full
        hint = "Free some space, or set XDG_CACHE_HOME to another folder."
        raise ModelError(f"{folder} cannot be made: {error}", hint) from error


def _folder(release: Path, card: dict[str, Any], bits: int) -> Path:
    from platformdirs import user_cache_path

    try:
        weights = hashlib.sha256((release / WEIGHTS).read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{release / WEIGHTS} is missing: {error}", "Install the package again.") from error
    made_of = [FORMAT, weights, card["base"]["digest"], metadata.version("openvino")]
    made_of += [metadata.version("nncf")] if bits == 8 else []
    digest = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]
    return user_cache_path("backlash-monitor") / "engines" / digest


def _make(release: Path, folder: Path, bits: int) -> None:
    """Whole or not at all, whoever else is at it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(mkdtemp(dir=folder.parent, prefix="."))
    try:
        _convert(release, part, bits)
        part.chmod(0o755)
        part.replace(folder)
    except BaseException as fault:
        shutil.rmtree(part, ignore_errors=True)
        if not (isinstance(fault, OSError) and (folder / GRAPH).exists()):  # else somebody was faster
            raise
    _tidy(folder.parent)


def _convert(release: Path, into: Path, bits: int) -> None:
    import torch

    ov = openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    from monitor.classify.engine import tensors
    from monitor.classify.release import load_release
    from monitor.classify.tokens import Window

    model, base, _ = load_release(release)
    texts = [(base.bos, *range(5, 20), base.eos), (base.bos, 5, 6, base.eos)]  # one padded, so that no mask is left out
    example = tensors([Window(text, len(text) - 1) for text in texts], base.pad)
    # Not openvino.convert_model, which reports its use over the network.
    with torch.inference_mode(), warnings.catch_warnings(action="ignore"), _without_log("transformers"):
        decoder = TorchScriptPythonDecoder(model, example_input=example)
    frontend = FrontEndManager().load_by_framework("pytorch")
    network = frontend.convert(frontend.load(decoder))
    if bits == 8:
        from monitor.classify.quantise import quantised

        network = quantised(network, base)
    # Not in 16 bits: that would move scores by 0.002.
    ov.save_model(network, into / GRAPH, compress_to_fp16=False)
    base.tokenizer.save(str(into / TOKENIZER))
    numbers = {name: getattr(base, name) for name in ("bos", "eos", "pad", "positions")} | {"bytes": _bytes(into)}
    (into / TOKENS).write_text(json.dumps(numbers), "utf-8")


@contextmanager
def _without_log(name: str) -> Iterator[None]:
    """Remarks on how a library is traced say nothing to an operator."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _tidy(folder: Path) -> None:
    """Each engine takes 100 MB."""
    engines = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime)
    for old in engines[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _read(folder: Path) -> Built:
    """Whole, as its own sum says: a power cut may leave a file of the right name and half its bytes.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is missing or damaged.
    """
    from tokenizers import Tokenizer

    numbers = json.loads((folder / TOKENS).read_text("utf-8"))
    if numbers.pop("bytes") != _bytes(folder):
        raise ValueError("cut off")
    return Built(folder / GRAPH, Tokenizer.from_str((folder / TOKENIZER).read_text("utf-8")), **numbers)


def _bytes(folder: Path) -> list[int]:
    return [folder.joinpath(name).stat().st_size for name in (GRAPH, WEIGHTS_OF_GRAPH, TOKENIZER)]
