"""The network: one frozen encoder with low-rank adapters, and four heads over the pooled text.

Import this module only inside functions: it needs torch.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from monitor.classify.base import Base
from monitor.codebook import codebook

RANK, SCALE = 8, 2.0


class Adapted(nn.Module):
    """A frozen linear layer plus a trained product of two thin ones (LoRA, https://arxiv.org/abs/2106.09685)."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        plain = cast(Tensor, self.linear(x)).flatten(0, -2)
        thin = functional.linear(x, self.down).flatten(0, -2)
        return torch.addmm(plain, thin, self.up.t(), alpha=SCALE).view(*x.shape[:-1], -1)

    def merged(self) -> nn.Linear:
        """One linear layer that computes the same."""
        with torch.no_grad():
            self.linear.weight += self.up @ self.down * SCALE
        return self.linear


class Classifier(nn.Module):
    """Token ids -> raw outputs: relevance (1), concern above 0, 1, 2 (3), removal (5), stance (3), in this order.

    The concern outputs share one direction and differ by ordered cut points (CORAL,
    https://arxiv.org/abs/1901.07884), so P(concern > k) can only fall with k.
    """

    def __init__(self, base: Base, rank: int = RANK, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = base.encoder.requires_grad_(False)
        _adapt(self.encoder, rank)
        book = codebook()
        self.beside = nn.Parameter(torch.zeros(base.width))  # added to the tokens of the context
        self.dropout = nn.Dropout(dropout)
        self.relevant = nn.Linear(2 * base.width, 1)
        self.concern = nn.Linear(2 * base.width, 1, bias=False)
        self.first_cut = nn.Parameter(torch.tensor([-1.0]))
        self.cut_steps = nn.Parameter(torch.zeros(len(book.concern) - 2))
        self.removal = nn.Linear(2 * base.width, len(book.removal))
        self.stance = nn.Linear(2 * base.width, len(book.stance))

    def forward(self, ids: Tensor, mask: Tensor, text_mask: Tensor) -> Tensor:
        """(batch, length) ids with masks of all tokens and of the text's -> (batch, 12)."""
        pooled = self.dropout(self.pool(ids, mask, text_mask))
        steps = functional.softplus(self.cut_steps)
        cuts = torch.cat([self.first_cut, self.first_cut + steps.cumsum(0)])
        outputs = [self.relevant(pooled), self.concern(pooled) - cuts, self.removal(pooled), self.stance(pooled)]
        return torch.cat(outputs, dim=1)

    def pool(self, ids: Tensor, mask: Tensor, text_mask: Tensor) -> Tensor:
        """Mean over the text's tokens beside the mean over the context's (zeros without one)."""
        context_mask = mask & ~text_mask
        embedder: Any = self.encoder.get_input_embeddings()  # type: ignore[operator]
        words = embedder(ids) + context_mask.unsqueeze(-1) * self.beside
        states = self.encoder(inputs_embeds=words, attention_mask=mask.long()).last_hidden_state
        return torch.cat([_mean(states, text_mask), _mean(states, context_mask)], dim=1)


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp_min(1)


def _adapt(module: nn.Module, rank: int) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Adapted(child, rank))
        else:
            _adapt(child, rank)


def merge(module: nn.Module) -> None:
    """Fold every adapter into its layer: scoring then costs what the plain encoder costs."""
    for name, child in module.named_children():
        if isinstance(child, Adapted):
            setattr(module, name, child.merged())
        else:
            merge(child)


def trained(model: Classifier) -> dict[str, Tensor]:
    """What a release ships: adapters and heads, fp16."""
    return {name: value.detach().half().contiguous() for name, value in model.named_parameters() if value.requires_grad}
