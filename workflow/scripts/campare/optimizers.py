"""Optimizers in torch's functional form, whose state is plain tensors."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.optim.adam import adam

from campare.checkpoints import Weights


class Adam:
    """torch's Adam in its functional form; `torch.optim.Adam` imports the compiler (one second).

    All tensors, including the step counts, are on the device of their parameter.
    """

    def __init__(
        self, parameters: Iterable[torch.nn.Parameter], learning_rate: float, weight_decay: float
    ) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.parameters = list(parameters)
        self.means = [torch.zeros_like(weight) for weight in self.parameters]
        self.squares = [torch.zeros_like(weight) for weight in self.parameters]
        self.steps = [torch.zeros((), device=weight.device) for weight in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        rows = zip(self.parameters, self.means, self.squares, self.steps, strict=True)
        used = [(row[0], row[0].grad, *row[1:]) for row in rows if row[0].grad is not None]
        weights, gradients, means, squares, steps = (
            list(column) for column in zip(*used, strict=True)
        )
        adam(
            weights,
            gradients,
            means,
            squares,
            [],
            steps,
            fused=True,
            amsgrad=False,
            maximize=False,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
        )

    def state(self) -> Weights:
        """The tensors that a step changes, apart from the parameters."""
        kinds = {"mean": self.means, "square": self.squares, "step": self.steps}
        return {f"{kind}/{i}": t for kind, tensors in kinds.items() for i, t in enumerate(tensors)}
