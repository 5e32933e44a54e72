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
from monitor.classify.prediction import OUTPUTS

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
    """Token ids -> raw outputs: relevance (1), concern (3), removal (5), stance (3), in this order.

    Concern output k is the logit of P(concern > k | concern >= k), a head of its own (CORN,
    https://arxiv.org/abs/2111.08851): what tells anger from criticism is not what tells criticism from a question.
    Every output looks for cues of its own in the text (per-label attention, https://arxiv.org/abs/1802.05695): one
    "might" or "!!!" among fifty tokens decides a label, and a plain mean drowns it.
    """

    def __init__(self, base: Base, rank: int = RANK, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = base.encoder.requires_grad_(False)
        _adapt(self.encoder, rank)
        self.beside = nn.Parameter(torch.zeros(base.width))  # added to the tokens of the context
        self.look = nn.Parameter(torch.zeros(OUTPUTS, base.width))  # what each output looks for in the text
        self.found = nn.Parameter(torch.zeros(OUTPUTS, base.width))  # and what it makes of what it found
        self.whole = nn.Linear(2 * base.width, OUTPUTS)  # and of the whole text and context
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor, text_mask: Tensor) -> Tensor:
        """(batch, length) ids with masks of all tokens and of the text's -> (batch, 12)."""
        states, context_mask = self._read(ids, mask, text_mask), mask & ~text_mask
        match = states @ self.look.t() / math.sqrt(states.shape[-1])
        weights = match.masked_fill(~text_mask.unsqueeze(-1), -1e4).softmax(1)
        cues = self.dropout(weights.transpose(1, 2) @ states)
        whole = self.dropout(torch.cat([_mean(states, text_mask), _mean(states, context_mask)], dim=1))
        return cast(Tensor, self.whole(whole) + (cues * self.found).sum(-1))

    def _read(self, ids: Tensor, mask: Tensor, text_mask: Tensor) -> Tensor:
        """The encoder's states (batch, length, width) of text and context, read together."""
        embedder: Any = self.encoder.get_input_embeddings()  # type: ignore[operator]
        words = embedder(ids) + (mask & ~text_mask).unsqueeze(-1) * self.beside
        return cast(Tensor, self.encoder(inputs_embeds=words, attention_mask=mask.long()).last_hidden_state)


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp_min(1)


def _adapt(module: nn.Module, rank: int) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Adapted(child, rank))
        else:
            _adapt(child, rank)


def halved(model: Classifier) -> Classifier:
    """Frozen layers in bfloat16: half the bytes to read in each step of training."""
    for module in model.modules():
        if isinstance(module, Adapted):
            module.linear.to(torch.bfloat16)
    return model


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
