"""How fast posts are scored, beside transformers' own pipeline with the same weights, and from a cold start."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

TARGET = 15
ENGINES = {
    "OpenVINO f32": {"engine": "openvino", "precision": "f32"},
    "OpenVINO bf16": {"engine": "openvino", "precision": "bf16"},
    "OpenVINO int8": {"engine": "openvino", "precision": "int8"},
    "torch": {"engine": "torch"},
}


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Rounds of pipeline, torch and OpenVINO in turn on the same held-out posts; ratios are medians over rounds."""
    posts = _posts(96 if quick else 240)
    judges = _judges()
    seconds: dict[str, list[float]] = {name: [] for name in judges}
    for _ in range(2 if quick else 5):
        for name, judge in judges.items():
            seconds[name].append(_timed(judge, posts))
    peaks = [_gemm_peak() for _ in range(3)]
    rows = []
    for name in ENGINES:
        ratio = statistics.median(p / s for p, s in zip(seconds["pipeline"], seconds[name], strict=True))
        rate = len(posts) / statistics.median(seconds[name])
        share = _work(posts) / statistics.median(seconds[name]) / statistics.median(peaks)
        said = f"{ratio:.1f} x ({rate:.0f} posts/s; {share:.0%} of the float32 GEMM peak)"
        rows.append((f"scoring with {name}, to transformers.pipeline", f"at least {TARGET} x", said))
    found = {name: _scorer(name).score(_texts(posts)) for name in ENGINES}
    flipped = _flipped(found["torch"], found["OpenVINO f32"])
    rows.append(("labels that differ between torch and OpenVINO f32", "0 %", f"{flipped:.1%} of {4 * len(posts):,}"))
    rows += _cost_of("OpenVINO bf16", quick) + _cost_of("OpenVINO int8", quick)
    starts = [_started() for _ in range(2 if quick else 5)]
    first = statistics.median(start for start, _ in starts)
    rows.append(("monitor score, process start to first result", "under 3 s", f"{first:.2f} s"))
    rows.append(("monitor score, memory", "under 700 MB", f"{max(memory for _, memory in starts):.0f} MB"))
    return rows


def _posts(n: int) -> Sequence[Any]:
    from monitor.classify.corpus import read_corpus

    held_out = read_corpus().split("heldout")
    return held_out[:: len(held_out) // n][:n]


def _judges() -> dict[str, Callable[[Sequence[Any]], object]]:
    def scored(name: str) -> Callable[[Sequence[Any]], object]:
        return lambda posts: _scorer(name).score(_texts(posts))

    return {"pipeline": _pipeline(), **{name: scored(name) for name in ENGINES}}


def _texts(posts: Sequence[Any]) -> list[Any]:
    from monitor.classify.evaluate import as_text

    return [as_text(post) for post in posts]


def _scorer(name: str) -> Any:
    """One that remembers nothing of the round before."""
    from monitor.classify import load
    from monitor.config import Classifier

    if name not in _LOADED:
        _LOADED[name] = load(Classifier(**ENGINES[name]))  # type: ignore[arg-type]
    scorer = _LOADED[name]
    return type(scorer)(scorer.model_id, scorer.engine, scorer.tokens, scorer.temperatures)


_LOADED: dict[str, Any] = {}


def _pipeline() -> Callable[[Sequence[Any]], object]:
    """The merged encoder under a plain sequence head of as many outputs, one text at a time."""
    from transformers import BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    from monitor.classify.evaluate import as_text
    from monitor.classify.prediction import OUTPUTS
    from monitor.classify.release import load_release
    from monitor.classify.scorer import prepared

    model, base, _ = load_release()
    encoder = model.encoder
    encoder.config.num_labels = OUTPUTS
    whole = BertForSequenceClassification(encoder.config).eval()
    words = encoder.embeddings.word_embeddings
    whole.bert.load_state_dict(encoder.state_dict(), strict=False)
    whole.bert.embeddings.word_embeddings = words
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=base.tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=512
    )
    classify = pipeline("text-classification", model=whole, tokenizer=tokenizer, device="cpu", top_k=None)

    def judge(posts: Sequence[Any]) -> object:
        texts = [prepared(as_text(post)) for post in posts]
        joined = [f"<s>{text}</s>{context}</s>" if context else f"<s>{text}</s>" for text, context in texts]
        return classify(joined, batch_size=1, truncation=True)

    return judge


def _timed(judge: Callable[[Sequence[Any]], object], posts: Sequence[Any]) -> float:
    judge(posts[:4])  # what a first call prepares is not its speed
    begun = time.perf_counter()
    judge(posts)
    return time.perf_counter() - begun


def _work(posts: Sequence[Any]) -> float:
    """Floating-point operations that the encoder's layers need for the posts, without padding."""
    from monitor.classify.evaluate import as_text
    from monitor.classify.release import load_release
    from monitor.classify.scorer import prepared

    model, _, _ = load_release()
    weights = sum(value.numel() for name, value in model.encoder.named_parameters() if ".layer." in name)
    windows = _scorer("OpenVINO f32").tokens.windows([prepared(as_text(post)) for post in posts])
    return 2.0 * weights * sum(len(window.ids) for found in windows for window in found)


def _gemm_peak(side: int = 2048) -> float:
    """Floating-point operations a second of a large float32 product, best of three."""
    import torch

    left, right = torch.randn(side, side), torch.randn(side, side)
    best = 0.0
    for _ in range(3):
        begun = time.perf_counter()
        left @ right
        best = max(best, 2 * side**3 / (time.perf_counter() - begun))
    return best


def _cost_of(name: str, quick: bool) -> list[tuple[str, str, str]]:
    """What an engine loses to float32 on the held-out posts."""
    from monitor.classify.corpus import read_corpus
    from monitor.classify.evaluate import figures

    posts = read_corpus().split("heldout")[:: 4 if quick else 1]
    exact, coarse = (_scorer(each).score(_texts(posts)) for each in ("OpenVINO f32", name))
    before, after = figures(posts, exact), figures(posts, coarse)
    named = ("relevance_f1", "concern_kappa", "removal_f1", "stance_f1")
    lost = {each: (before[each] or 0) - (after[each] or 0) for each in named}
    worst = max(lost, key=lambda each: lost[each])
    about = f"{len(posts):,} held-out posts"
    return [
        (f"labels that {name} changes", "at most 2 %", f"{100 * _flipped(exact, coarse):.2f} % of 4 on {about}"),
        (f"figure that {name} costs most", "at most 0.005", f"{max(0, lost[worst]):.4f} ({worst})"),
    ]


def _flipped(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Share of the labels on which two lists of predictions differ."""
    from monitor.codebook import decide

    both = [[decide(p.relevant, p.concern, p.removal, p.stance) for p in found] for found in (one, other)]
    names = ("relevant", "concern", "removal", "stance")
    return float(np.mean([getattr(a, n) != getattr(b, n) for a, b in zip(*both, strict=True) for n in names]))


def _started() -> tuple[float, float]:
    """Seconds from the start of the process to the first line, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "one.jsonl"
        source.write_text(json.dumps({"id": 1, "text": "deleted my tracks over the AI clause"}) + "\n")
        code = (
            "import sys; from monitor.cli import main\n"
            "try: main()\n"
            "finally: print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
        )
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code, "score", str(source)], check=True, capture_output=True, text=True
        )
        return time.perf_counter() - begun, int(done.stderr.split()[-1]) / 1024
