"""What SetFit makes of the shipped base with a few posts, on the held-out posts that ``bases`` takes.

Needs ``pip install setfit``.
"""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any

from monitor.classify.base import load_base
from monitor.classify.regression import heads_predictions, lessons
from tests.benchmarks.bases import Figures, Posts, few_of, pairs_of, share, split

ONLY_BY_NAME = True
STEPS, PAIRS = 40, 8  # of the tuning, and the pairs in a step: minutes on two cores
RATE = 1e-4  # of the tuning; SetFit's 2e-5 moves so small an encoder little in so few steps
LONGEST = 96  # tokens
ROUNDS = 20  # of two pairs for each post: what SetFit's authors tune on


def run(quick: bool) -> list[tuple[str, str, str]]:
    """A body tuned on pairs of posts (https://arxiv.org/abs/2209.11055), a regression for each head; and the cost.

    Two posts are a pair that belongs together where all of their labels agree: one body for all heads, as our model
    has, at a quarter of the cost of one for each.
    """
    from setfit import SetFitModel
    from sklearn.linear_model import LogisticRegression

    train = split("train")
    known, asked = share(train, 8 if quick else 6), share(split("heldout"), 8 if quick else 2)
    few = few_of(lessons(known))
    chosen = sorted({int(place) for places, _ in few.values() for place in places})
    posts = [known[place] for place in chosen]
    kinds = sorted({str(post.labels) for post in posts})
    begun, steps = time.perf_counter(), 1 if quick else STEPS
    with TemporaryDirectory() as place:
        model = SetFitModel(_body(place), LogisticRegression())
        tuning_seconds = _tune(model, _joined(posts), [kinds.index(str(post.labels)) for post in posts], steps)
    taught = dict(zip(chosen, model.encode(_joined(posts)), strict=True))
    given, found = model.encode(_joined(asked)), {}
    for head, (places, labels) in few.items():
        fitted = LogisticRegression(max_iter=500).fit([taught[int(i)] for i in places], labels)
        found[head] = fitted.predict_proba(given)
    pairs, table = steps * PAIRS, Figures(asked)
    table.add(f"e5-small, SetFit, {pairs:,} pairs", "21.3", len(posts), heads_predictions(found))
    table.print()
    hours = 2 * ROUNDS * len(train) * tuning_seconds / pairs / 3600
    return [
        ("SetFit: tuning", "", f"{pairs:,} pairs in {tuning_seconds:.0f} s of a core"),
        ("SetFit: its row, held-out posts included", "", f"{time.perf_counter() - begun:.0f} s"),
        (f"SetFit on {2 * ROUNDS} pairs for each of {len(train):,} posts, estimated", "", f"{hours:.0f} h of a core"),
    ]


def _tune(model: Any, texts: list[str], labels: list[int], steps: int) -> float:
    """Seconds of all threads it took."""
    from datasets import Dataset
    from setfit import Trainer, TrainingArguments

    with TemporaryDirectory() as place:
        settings = TrainingArguments(
            place, batch_size=PAIRS, max_steps=steps, body_learning_rate=RATE, save_strategy="no", report_to="none"
        )
        posts = Dataset.from_dict({"text": texts, "label": labels})
        begun = time.process_time()
        Trainer(model, args=settings, train_dataset=posts).train()
        return time.process_time() - begun


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
    PreTrainedTokenizerFast(tokenizer_object=base.tokenizer, model_max_length=LONGEST, **names).save_pretrained(place)
    return SentenceTransformer(place, device="cpu")
