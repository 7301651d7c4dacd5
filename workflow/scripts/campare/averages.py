"""The exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """A copy of a network whose weights are the exponential moving average of the network's.

    After the first step it equals the network; after each further step, average ← decay · average +
    (1 - decay) · network. Batch-norm statistics (floating-point buffers) are averaged like
    weights, so that they belong to the averaged network; integer buffers are copied. This is
    `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn` and `use_buffers`.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights of the network after a step, 1 for the first."""
        pairs = [*zip(_tensors(self.network), _tensors(network), strict=True)]
        means = [(mean, new) for mean, new in pairs if step > 1 and mean.is_floating_point()]
        for mean, new in pairs:
            if step == 1 or not mean.is_floating_point():
                mean.copy_(new)
        if means:
            averages, current = (list(column) for column in zip(*means, strict=True))
            torch._foreach_lerp_(averages, current, 1 - self.decay)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
