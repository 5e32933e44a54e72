"""What SetFit makes of the shipped base with a few posts, on the held-out posts that ``bases`` takes.

Needs ``pip install setfit``.
"""

from __future__ import annotations

import sys
import time
from tempfile import TemporaryDirectory
from typing import Any

from monitor.classify.base import load_base
from monitor.classify.engine import ON_CPU
from monitor.classify.regression import lessons, told
from tests.benchmarks.bases import ALL, Figures, Posts, count, few_of, known_and_asked, pairs_of

ONLY_BY_NAME = True
STEPS, PAIRS = 25, 16  # of the tuning of a head, and the pairs in a step: minutes on two cores
ROUNDS = 20  # of two pairs for each post: what SetFit's authors tune on


def run(quick: bool) -> list[tuple[str, str, str]]:
    """A body and a regression for each head, tuned on pairs (https://arxiv.org/abs/2209.11055); and what it cost."""
    from setfit import SetFitModel
    from sklearn.linear_model import LogisticRegression

    known, asked = known_and_asked(quick)
    few, texts, questions = few_of(lessons(known)), _joined(known), _joined(asked)
    found, tuned, begun, steps = {}, 0.0, time.perf_counter(), 3 if quick else STEPS
    for head, (places, labels) in few.items():
        with TemporaryDirectory() as place:
            model = SetFitModel(_body(place), LogisticRegression())
            seconds = _tune(model, [texts[i] for i in places], labels.tolist(), steps, place)
        found[head] = model.predict_proba(questions, batch_size=ON_CPU, as_numpy=True)
        tuned += seconds
        print(f"{head}: {steps} steps in {seconds:.0f} s", file=sys.stderr, flush=True)
    table = Figures(asked)
    table.add("e5-small, SetFit", "4 x 21.3", count(few), told(found))
    table.print()
    pairs = len(few) * steps * PAIRS
    days = 2 * ROUNDS * ALL * len(few) * tuned / pairs / 86_400
    return [
        ("SetFit: tuning the four bodies", "", f"{pairs:,} pairs in {tuned:.0f} s"),
        ("SetFit: its row, held-out posts included", "", f"{time.perf_counter() - begun:.0f} s"),
        (f"SetFit, were it tuned on {2 * ROUNDS} pairs for each of {ALL:,} posts", "", f"{days:.1f} days"),
    ]


def _tune(model: Any, texts: list[str], labels: list[int], steps: int, place: str) -> float:
    """Seconds it took, the regression on the tuned body included."""
    from datasets import Dataset
    from setfit import Trainer, TrainingArguments

    settings = TrainingArguments(place, batch_size=PAIRS, max_steps=steps, save_strategy="no", report_to="none")
    begun = time.perf_counter()
    Trainer(model, args=settings, train_dataset=Dataset.from_dict({"text": texts, "label": labels})).train()
    return time.perf_counter() - begun


def _joined(posts: Posts) -> list[str]:
    return [f"{text}</s>{context}" if context else text for text, context in pairs_of(posts)]


def _body(place: str) -> Any:
    """The shipped base as sentence-transformers reads it, from a folder; it pools by the mean."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    base = load_base()
    words = base.encoder.embeddings.word_embeddings(torch.arange(base.encoder.config.vocab_size))
    base.encoder.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(words)
    base.encoder.save_pretrained(place)
    ends = [("<s>", base.bos), ("</s>", base.eos)]
    base.tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
    PreTrainedTokenizerFast(tokenizer_object=base.tokenizer, model_max_length=128, **names).save_pretrained(place)
    return SentenceTransformer(place, device="cpu")
