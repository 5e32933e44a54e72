"""The training loop: adapters and heads on a frozen base; the same seed gives the same weights on the same CPU."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from monitor.classify.corpus import CorpusPost
from monitor.classify.engine import tensors
from monitor.classify.prepare import prepare
from monitor.classify.recipe import Recipe
from monitor.classify.tokens import Tokens, Window
from monitor.codebook import codebook

if TYPE_CHECKING:
    import torch

    from monitor.classify.base import Base
    from monitor.classify.checkpoint import Checkpoint
    from monitor.classify.model import Classifier

NETWORK = 3  # of the network and what is kept of a training: another number starts afresh
OnStep = Callable[[int, int, float], None]
IGNORED = -100  # a label that does not count: concern, removal, stance of an irrelevant post
SORTED_BATCHES = 60  # batches drawn together and sorted by length, so that little is padded


def fit(
    base: Base,
    posts: Sequence[CorpusPost],
    recipe: Recipe,
    on_step: OnStep | None = None,
    checkpoint: Checkpoint | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
) -> Classifier:
    """Train on ``posts``; ``on_step(step, steps, loss)`` reports progress, ``checkpoint`` keeps it over a kill,
    ``start`` are the adapters and heads to go on from.

    On a GPU where torch finds one. Arithmetic is bfloat16 where the hardware multiplies it, the trained weights are
    float32. The model comes back on the CPU, unmerged, its frozen layers in bfloat16 if they were trained so.
    """
    import torch

    from monitor.classify.model import Classifier, halved

    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    is_halved = _has_bfloat16(device)
    model = Classifier(base, recipe.rank, recipe.dropout).train()
    model.load_state_dict(start or {}, strict=False)
    model = (halved(model) if is_halved else model).to(device)
    loss_of, batches = _Loss(posts, recipe, device), list(_batches(base, posts, recipe))
    run = _Run(model, recipe, len(batches))
    if checkpoint is not None and (state := checkpoint.load()):
        run.restore(state)
    for step, (windows, rows) in enumerate(batches[run.step :], run.step + 1):
        given = (value.to(device) for value in tensors(windows, base.pad))
        with torch.autocast(device, torch.bfloat16, enabled=is_halved):
            raw = model(*given)
        loss = loss_of(raw.float(), rows)
        run.take(loss)
        if on_step is not None:
            on_step(step, len(batches), loss.item())
        if checkpoint is not None and step % max(1, len(batches) // recipe.epochs) == 0:
            checkpoint.save(run.state())
    run.mean.into(model)
    return model.cpu().eval()


class _Run:
    """Everything that moves while a model is trained."""

    def __init__(self, model: Classifier, recipe: Recipe, steps: int) -> None:
        self.step, self._model = 0, model
        self._optimiser, self._schedule = _optimiser(model, recipe, steps)
        self.mean = _Mean(model, recipe.keep)

    def take(self, loss: torch.Tensor) -> None:
        import torch

        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimiser.step()
        self._schedule.step()
        self.mean.update(self._model)
        self.step += 1

    def state(self) -> dict[str, Any]:
        import torch

        return {
            "step": self.step,
            "weights": {name: value for name, value in self._model.named_parameters() if value.requires_grad},
            "mean": self.mean.values,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "chance": torch.get_rng_state(),
            "chance of the GPU": torch.cuda.get_rng_state_all(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        import torch

        self.step = self.mean.steps = state["step"]
        self.mean.values = {name: state["mean"][name].to(value.device) for name, value in self.mean.values.items()}
        self._model.load_state_dict(state["weights"], strict=False)
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["chance"])
        torch.cuda.set_rng_state_all(state["chance of the GPU"][: torch.cuda.device_count()])


def _has_bfloat16(device: str) -> bool:
    """Whether the hardware multiplies bfloat16 itself. A CPU with AVX2 alone is 8 to 80 times slower with it."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def _batches(base: Base, posts: Sequence[CorpusPost], recipe: Recipe) -> Iterator[tuple[list[Window], list[int]]]:
    chance, tokens = random.Random(recipe.seed), Tokens(base)  # noqa: S311 - no secret, only an order
    for _ in range(recipe.epochs):
        # A long post is trained on by one of its windows, a different one each time.
        windows = [chance.choice(found) for found in tokens.windows([_seen(post, recipe, chance) for post in posts])]
        order = list(range(len(posts)))
        chance.shuffle(order)
        drawn = recipe.batch_size * SORTED_BATCHES
        epoch: list[list[int]] = []
        for start in range(0, len(order), drawn):
            part = sorted(order[start : start + drawn], key=lambda i: len(windows[i].ids))
            epoch += [part[i : i + recipe.batch_size] for i in range(0, len(part), recipe.batch_size)]
        chance.shuffle(epoch)
        yield from (([windows[i] for i in rows], rows) for rows in epoch)


def _seen(post: CorpusPost, recipe: Recipe, chance: random.Random) -> tuple[str, str]:
    names = post.names if post.platform and chance.random() >= recipe.named else ()
    text, context = prepare(post.text, names), prepare(post.context or "", names)
    return (text.lower(), context.lower()) if chance.random() < recipe.lowered else (text, context)


class _Loss:
    """Sum of the four heads' losses; the last three only over relevant posts."""

    def __init__(self, posts: Sequence[CorpusPost], recipe: Recipe, device: str) -> None:
        import torch

        book, labels = codebook(), [post.labels for post in posts]
        self.smoothing, self.functional = recipe.smoothing, torch.nn.functional
        of = partial(torch.tensor, device=device)
        self.relevant = of([[float(found.relevant)] for found in labels])
        self.concern = of([[float(found.concern > k) for k in book.concern[:-1]] for found in labels])
        self.reached = of([[float(found.concern >= k) for k in book.concern[:-1]] for found in labels])
        removal = [_target(found.removal, book.removal, found.relevant) for found in labels]
        stance = [_target(found.stance, book.stance, found.relevant) for found in labels]
        self.removal, self.stance = of(removal), of(stance)
        self.removal_weights = of(_weights(removal, len(book.removal), recipe.balance))
        self.stance_weights = of(_weights(stance, len(book.stance), recipe.balance))

    def __call__(self, raw: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        entropy, binary = self.functional.cross_entropy, self.functional.binary_cross_entropy_with_logits
        smooth, relevant = self.smoothing, self.relevant[rows]
        loss = binary(raw[:, 0:1], relevant * (1 - smooth) + smooth / 2)
        if not relevant.any():
            return loss
        chosen = relevant[:, 0] > 0
        concern = self.concern[rows][chosen] * (1 - smooth) + smooth / 2
        each = binary(raw[chosen, 1:4], concern, weight=self.reached[rows][chosen], reduction="sum")
        loss = loss + each / chosen.sum()
        for part, target, weights in (
            (raw[:, 4:9], self.removal, self.removal_weights),
            (raw[:, 9:12], self.stance, self.stance_weights),
        ):
            loss = loss + entropy(part, target[rows], weights, ignore_index=IGNORED, label_smoothing=smooth)
        return loss


def _target(value: str, values: Sequence[str], is_relevant: int) -> int:
    return values.index(value) if is_relevant else IGNORED


def _weights(targets: Sequence[int], classes: int, balance: float) -> list[float]:
    counts = Counter(target for target in targets if target != IGNORED)
    total = sum(counts.values())
    return [(total / classes / max(1, counts[i])) ** balance for i in range(classes)]


def _optimiser(model: Classifier, recipe: Recipe, steps: int) -> tuple[torch.optim.Optimizer, Any]:
    import torch

    named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    adapters = [value for name, value in named if name.startswith("encoder.")]
    heads = [value for name, value in named if not name.startswith("encoder.")]
    groups = [{"params": adapters, "lr": recipe.adapter_rate}, {"params": heads, "lr": recipe.head_rate}]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    warm = max(1, round(recipe.warm_up * steps))

    def rate(step: int) -> float:
        return (step + 1) / warm if step < warm else max(0.0, (steps - step) / max(1, steps - warm))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, rate)


class _Mean:
    """The running mean of the trained weights: calmer than the last step's, at no cost when scoring."""

    def __init__(self, model: Classifier, keep: float) -> None:
        self.keep = keep
        self.values = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
        self.steps = 0

    def update(self, model: Classifier) -> None:
        self.steps += 1
        keep = min(self.keep, self.steps / (self.steps + 10))
        for name, value in model.named_parameters():
            if name in self.values:
                self.values[name].lerp_(value.detach(), 1 - keep)

    def into(self, model: Classifier) -> None:
        model.load_state_dict(self.values, strict=False)
