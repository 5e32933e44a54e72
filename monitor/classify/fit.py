"""The training loop: adapters and heads on a frozen base; the same seed gives the same weights."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
    from monitor.classify.model import Classifier

IGNORED = -100  # a label that does not count: concern, removal, stance of an irrelevant post
SORTED_BATCHES = 12  # batches drawn together and sorted by length, so that little is padded


def fit(
    base: Base, posts: Sequence[CorpusPost], recipe: Recipe, on_step: Callable[[int, int, float], None] | None = None
) -> Classifier:
    """Train on ``posts``; ``on_step(step, steps, loss)`` reports progress. The model comes back merged."""
    import torch

    from monitor.classify.model import Classifier

    torch.manual_seed(recipe.seed)
    model = Classifier(base, recipe.rank, recipe.dropout).train()
    loss_of, batches = _Loss(posts, recipe), list(_batches(base, posts, recipe))
    optimiser, schedule = _optimiser(model, recipe, len(batches))
    mean = _Mean(model, recipe.keep)
    for step, (windows, rows) in enumerate(batches, 1):
        optimiser.zero_grad()
        loss = loss_of(model(*tensors(windows, base.pad)), rows)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        mean.update(model)
        if on_step is not None:
            on_step(step, len(batches), loss.item())
    mean.into(model)
    return model.eval()


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
    names = (post.platform,) if post.platform and chance.random() >= recipe.named else ()
    text, context = prepare(post.text, names), prepare(post.context or "", names)
    return (text.lower(), context.lower()) if chance.random() < recipe.lowered else (text, context)


class _Loss:
    """Sum of the four heads' losses; the last three only over relevant posts."""

    def __init__(self, posts: Sequence[CorpusPost], recipe: Recipe) -> None:
        import torch

        book, labels = codebook(), [post.labels for post in posts]
        self.smoothing, self.functional = recipe.smoothing, torch.nn.functional
        self.relevant = torch.tensor([[float(found.relevant)] for found in labels])
        self.concern = torch.tensor([[float(found.concern > k) for k in book.concern[:-1]] for found in labels])
        self.removal = torch.tensor([_target(found.removal, book.removal, found.relevant) for found in labels])
        self.stance = torch.tensor([_target(found.stance, book.stance, found.relevant) for found in labels])
        self.removal_weights = _weights(self.removal.tolist(), len(book.removal), recipe.balance)
        self.stance_weights = _weights(self.stance.tolist(), len(book.stance), recipe.balance)

    def __call__(self, raw: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        entropy, binary = self.functional.cross_entropy, self.functional.binary_cross_entropy_with_logits
        smooth, relevant = self.smoothing, self.relevant[rows]
        loss = binary(raw[:, 0:1], relevant * (1 - smooth) + smooth / 2)
        if not relevant.any():
            return loss
        chosen = relevant[:, 0] > 0
        concern = self.concern[rows][chosen] * (1 - smooth) + smooth / 2
        loss = loss + binary(raw[chosen, 1:4], concern) * 2
        for part, target, weights in (
            (raw[:, 4:9], self.removal, self.removal_weights),
            (raw[:, 9:12], self.stance, self.stance_weights),
        ):
            loss = loss + entropy(part, target[rows], weights, ignore_index=IGNORED, label_smoothing=smooth)
        return loss


def _target(value: str, values: Sequence[str], is_relevant: int) -> int:
    return values.index(value) if is_relevant else IGNORED


def _weights(targets: Sequence[int], classes: int, balance: float) -> torch.Tensor:
    import torch

    counts = Counter(target for target in targets if target != IGNORED)
    total = sum(counts.values())
    return torch.tensor([(total / classes / max(1, counts[i])) ** balance for i in range(classes)])


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
