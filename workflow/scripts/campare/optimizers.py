"""Optimizers in torch's functional form; the classes of `torch.optim` import the compiler (1 s).

Their state is plain tensors on the device of the parameter, step counts included.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from campare.checkpoints import Weights
from campare.finetuning import Group
from campare.settings import Settings


class Optimizer(ABC):
    """Steps of parameters along their gradients, all with the same learning rate.

    Attributes
    ----------
    learning_rate
        Of the next step. On CUDA it is a float32 tensor on the device if it changes, so that a
        recorded step reads the current one.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        learning_rate: float | Tensor,
        weight_decay: float,
    ) -> None:
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.buffers: dict[str, list[Tensor]] = {}

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step, without waiting for the device."""
        if isinstance(self.learning_rate, Tensor):
            self.learning_rate.fill_(rate)
        else:
            self.learning_rate = rate

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        used = [i for i, weight in enumerate(self.parameters) if weight.grad is not None]
        weights: list[Tensor] = [self.parameters[i] for i in used]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        buffers = {kind: [tensors[i] for i in used] for kind, tensors in self.buffers.items()}
        self._update(weights, gradients, buffers)

    @abstractmethod
    def _update(
        self, weights: list[Tensor], gradients: list[Tensor], buffers: dict[str, list[Tensor]]
    ) -> None: ...

    def state(self) -> Weights:
        """The tensors that a step changes, apart from the parameters."""
        return {
            f"{kind}/{i}": tensor
            for kind, tensors in self.buffers.items()
            for i, tensor in enumerate(tensors)
        }


class Adam(Optimizer):
    """`torch.optim.Adam`, fused; `decoupled`: the weight decay of `AdamW`."""

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        learning_rate: float | Tensor,
        weight_decay: float,
        *,
        decoupled: bool = False,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        self.decoupled = decoupled
        self.buffers = {
            "mean": [torch.zeros_like(weight) for weight in self.parameters],
            "square": [torch.zeros_like(weight) for weight in self.parameters],
            "step": [torch.zeros((), device=weight.device) for weight in self.parameters],
        }

    def _update(
        self, weights: list[Tensor], gradients: list[Tensor], buffers: dict[str, list[Tensor]]
    ) -> None:
        adam(
            weights,
            gradients,
            buffers["mean"],
            buffers["square"],
            [],
            buffers["step"],
            fused=True,
            decoupled_weight_decay=self.decoupled,
            amsgrad=False,
            maximize=False,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
        )


class SGD(Optimizer):
    """`torch.optim.SGD`, fused, without dampening; the weight decay is L2."""

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        learning_rate: float | Tensor,
        weight_decay: float,
        *,
        momentum: float,
        nesterov: bool,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        self.momentum, self.nesterov = momentum, nesterov
        # torch's first step sets the momentum to the gradient, as a step from zeros does.
        zeros = [torch.zeros_like(weight) for weight in self.parameters]
        self.buffers = {"momentum": zeros} if momentum else {}

    def _update(
        self, weights: list[Tensor], gradients: list[Tensor], buffers: dict[str, list[Tensor]]
    ) -> None:
        sgd(
            weights,
            gradients,
            [*buffers.get("momentum", [None] * len(weights))],
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=self.learning_rate,  # type: ignore[arg-type]
            dampening=0,
            nesterov=self.nesterov,
            maximize=False,
        )


class Muon(SGD):
    """`torch.optim.Muon`, of weights as matrices, (out, everything else): a row is a filter.

    The momentum of the gradients is made nearly orthogonal by five Newton-Schulz iterations, in
    bfloat16, before the step (Jordan et al., 2024, kellerjordan.github.io/posts/muon). The weight
    decay is decoupled. A learning rate on the device is not read, so that a step can be recorded.
    """

    COEFFICIENTS = (3.4445, -4.7750, 2.0315)
    ITERATIONS = 5
    LEAST_NORM = 1e-7

    def _update(
        self, weights: list[Tensor], gradients: list[Tensor], buffers: dict[str, list[Tensor]]
    ) -> None:
        momenta = buffers.get("momentum", gradients)
        for weight, gradient, buffer in zip(weights, gradients, momenta, strict=True):
            if self.momentum:
                buffer.lerp_(gradient, 1 - self.momentum)
            update = gradient.lerp(buffer, self.momentum) if self.nesterov else buffer
            step = _orthogonal(update.flatten(1)).view(weight.shape)
            scale = math.sqrt(max(1, weight.shape[0] / weight[0].numel()))
            weight.mul_(1 - self.learning_rate * self.weight_decay)
            if isinstance(self.learning_rate, Tensor):
                weight.sub_(step.to(weight.dtype) * (self.learning_rate * scale))
            else:
                weight.add_(step, alpha=-self.learning_rate * scale)


def _orthogonal(matrix: Tensor) -> Tensor:
    """Nearly U Vᵀ of the singular value decomposition U S Vᵀ, as bfloat16."""
    a, b, c = Muon.COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix.bfloat16() if wide else matrix.bfloat16().T
    x = x / x.norm().clamp(min=Muon.LEAST_NORM)
    for _ in range(Muon.ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.T


def make(settings: Settings, group: Group, learning_rate: float | Tensor) -> Optimizer:
    """The optimizer of a group; that of "muon" is SGD without weight decay for the other groups."""
    parameters, decay = group.parameters, settings.weight_decay
    if settings.optimizer in ("sgd", "muon"):
        kind = Muon if group.orthogonal else SGD
        if settings.optimizer == "muon" and not group.orthogonal:
            decay = 0
        momentum, nesterov = settings.momentum, settings.nesterov
        return kind(parameters, learning_rate, decay, momentum=momentum, nesterov=nesterov)
    return Adam(parameters, learning_rate, decay, decoupled=settings.optimizer == "adamw")
