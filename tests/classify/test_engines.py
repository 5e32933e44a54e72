"""Both engines give the same; the built one is made once and needs no torch."""

import os
import subprocess
import sys

import numpy as np
import pytest

from monitor.classify import Text, built, engine, load
from monitor.classify.engine import OpenVinoEngine, TorchEngine
from monitor.classify.quiet import openvino
from monitor.config import Classifier
from monitor.errors import ModelError

TEXTS = ["deleted my tracks, AI terms", "new song out", "AI clause " * 40, "規約 AI", "😡"]
ITEMS = [Text(text, context) for text in TEXTS for context in (None, "AI clause in the terms", "x " * 200)]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "backlash-monitor" / "engines"


def in_float32(release) -> Classifier:
    """Whatever the processor: 8 bits take longer to build."""
    return Classifier(model=str(release), precision="f32")


def test_both_engines_give_the_same_scores(tiny_release):
    by_torch = load(Classifier(model=str(tiny_release), engine="torch"))
    by_openvino = load(Classifier(model=str(tiny_release), engine="openvino", precision="f32", batch_size=4))
    assert isinstance(by_torch.engine, TorchEngine)
    assert isinstance(by_openvino.engine, OpenVinoEngine)
    for one, other in zip(by_torch.score(ITEMS), by_openvino.score(ITEMS), strict=True):
        pair = [(found.relevant, *found.concern, *found.removal, *found.stance) for found in (one, other)]
        assert np.allclose(*pair, atol=1e-3)


@pytest.mark.parametrize(("precision", "within"), [("bf16", 0.03), ("int8", 0.06)])
def test_a_coarser_engine_gives_nearly_the_same_scores_whatever_else_is_in_the_batch(tiny_release, precision, within):
    exact = load(in_float32(tiny_release))
    coarse = load(Classifier(model=str(tiny_release), precision=precision))
    together = coarse.score(ITEMS)
    of_both = [
        np.array([(found.relevant, *found.concern, *found.removal, *found.stance) for found in scored])
        for scored in (exact.score(ITEMS), together)
    ]
    assert np.abs(of_both[0] - of_both[1]).mean() < within  # random weights, so single scores may move far
    coarse._kept.clear()
    for item, other in zip(ITEMS, together, strict=True):
        [alone] = coarse.score([item])
        assert np.allclose((alone.relevant, *alone.removal), (other.relevant, *other.removal), atol=1e-3)


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """One with the flags that a test names."""

    def has(flags: str) -> None:
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {flags} sse4_2\n")

    monkeypatch.setattr(engine, "CPU_INFO", tmp_path / "cpuinfo")
    return has


def test_8_bits_are_chosen_for_a_fast_processor_and_building_them_says_nothing_on_stdout(
    tiny_release, cache, processor, capfd
):
    """Results go there: NNCF draws its bars on stdout."""
    told = []
    processor("avx2")
    load(Classifier(model=str(tiny_release)), told.append)
    processor("avx2 avx512_vnni")
    load(Classifier(model=str(tiny_release)), told.append)
    load(Classifier(model=str(tiny_release), precision="int8"), told.append)
    assert [message[-4:] for message in told] == ["20 s", "40 s"]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("flags", "is_fast"), [("avx512_vnni", True), ("avx_vnni", True), ("avx2", False), ("avx512_4vnniw", False)]
)
def test_a_fast_processor_is_known_by_its_flags(processor, flags, is_fast):
    assert not engine.has_vnni()  # where there is no such file
    processor(flags)
    assert engine.has_vnni() is is_fast


def test_an_engine_is_built_once_and_told(tiny_release, cache):
    told = []
    for _ in range(2):
        load(in_float32(tiny_release), told.append)
    assert len(told) == 1
    assert len(list(cache.iterdir())) == 1


def scoring_alone(release, say: str) -> str:
    """What a process of its own, which has scored one text, says."""
    code = (
        "import os, sys\nforks = []\nos.register_at_fork(before=lambda: forks.append(1))\n"
        "from monitor.classify import Text, load\nfrom monitor.config import Classifier\n"
        f"load(Classifier(model={str(release)!r}, precision='f32')).score([Text('AI terms')])\nprint({say})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_built_engine_scores_without_torch(tiny_release, cache):
    load(in_float32(tiny_release))
    assert scoring_alone(tiny_release, "{'torch', 'transformers'} & set(sys.modules)") == "set()"


def test_nothing_is_reported_to_anybody(tiny_release, cache):
    """Importing openvino as it comes forks a process that sends to Google Analytics."""
    assert scoring_alone(tiny_release, "len(forks), sys.modules['openvino_telemetry']") == "0 None"


def test_a_build_that_was_killed_leaves_nothing_that_is_taken_for_an_engine(tiny_release, cache, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(openvino(), "save_model", killed)
        with pytest.raises(KeyboardInterrupt):
            load(in_float32(tiny_release))
    assert list(cache.iterdir()) == []
    (cache / ".left").mkdir()  # what a power cut leaves
    load(in_float32(tiny_release))
    assert len([path for path in cache.iterdir() if not path.name.startswith(".")]) == 1


@pytest.mark.parametrize("name", ["engine.bin", "tokens.json", "tokenizer.json"])
def test_a_damaged_engine_is_built_again(tiny_release, cache, name):
    first = load(in_float32(tiny_release)).score(ITEMS[:1])
    [engine] = cache.iterdir()
    (engine / name).write_bytes((engine / name).read_bytes()[:10])
    told = []
    assert load(in_float32(tiny_release), told.append).score(ITEMS[:1]) == first
    assert len(told) == 1


def test_old_engines_are_thrown_away(tiny_release, cache, monkeypatch):
    for number in range(built.KEPT + 2):
        monkeypatch.setattr(built, "FORMAT", number)
        load(in_float32(tiny_release))
    assert len(list(cache.iterdir())) == built.KEPT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_said(tiny_release, cache):
    cache.parent.parent.mkdir()
    cache.parent.parent.chmod(0o500)
    with pytest.raises(ModelError, match="cache"):
        load(in_float32(tiny_release))


def test_a_cache_that_is_no_folder_is_said(tiny_release, cache):
    cache.parent.parent.write_text("a file")
    with pytest.raises(ModelError) as caught:
        load(in_float32(tiny_release))
    assert "XDG_CACHE_HOME" in caught.value.hint
