"""Which parameters are trained, at which rate, and batch norms that are frozen or recalibrated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from campare import models
from campare.errors import CampareError
from campare.settings import Settings


@dataclass(frozen=True)
class Group:
    """Parameters that are trained alike.

    rate: learning rate, the highest one of a schedule. orthogonal: their steps are those of
    `optimizers.Muon`.
    """

    parameters: list[nn.Parameter]
    rate: float
    orthogonal: bool


def prepare(network: nn.Module, settings: Settings, shape: models.Shape) -> list[Group]:
    """Freeze the parameters that the settings name, and divide the others into groups.

    Parameters
    ----------
    network
        Its frozen parameters no longer require a gradient.
    shape
        (C, H, W) of a prepared image.

    Returns
    -------
    Groups by learning rate: of the head, of biases and other vectors, and of the other weights, the
    only ones of which Muon makes steps.

    Raises
    ------
    CampareError
        A prefix names no layer, nothing is left to train, or the network has no head, no bias or no
        batch norm that the settings name.
    """
    muon = settings.optimizer == "muon"
    rates = {"head": settings.head_learning_rate, "bias": settings.bias_learning_rate}
    needs_head = muon or settings.freeze == "all_but_head" or any(rates.values())
    head = head_name(network, shape) if needs_head else None
    names = [name for name, _ in network.named_parameters()]
    for name, parameter in network.named_parameters():
        if _frozen(name, settings, head):
            parameter.requires_grad_(False)
    _check_prefixes(network, settings)
    norms = batch_norms(network)
    for key, used in (
        ("model.freeze_batch_norm", settings.freeze_batch_norm),
        ("training.recalibrate_batch_norm", settings.recalibrate_batch_norm),
    ):
        if used and not norms:
            raise CampareError(f"{key}: {settings.architecture} has no batch norm; remove the key")
    if settings.freeze_batch_norm:
        for norm in norms:
            norm.requires_grad_(False)
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    if not trained:
        raise CampareError(
            f"model.freeze: all {len(names)} parameters are frozen; leave out the layers to train, "
            "or set it to all_but_head"
        )
    roles = {name: _role(name, parameter, head) for name, parameter in trained.items()}
    if rates["head"] and "head" not in roles.values():
        raise CampareError(
            f"training.head_learning_rate: the head, {head}, is frozen by model.freeze; remove one "
            "of them"
        )
    if rates["bias"] and "bias" not in roles.values():
        raise CampareError(
            "training.bias_learning_rate: no layer that is trained, apart from the head, has a "
            "bias or a norm; remove the key"
        )
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        rate = rates.get(roles[name]) or settings.learning_rate
        groups.setdefault((rate, muon and roles[name] == "weights"), []).append(parameter)
    return [Group(parameters, *key) for key, parameters in groups.items()]


def _role(name: str, parameter: nn.Parameter, head: str | None) -> str:
    """ "head", "bias" (a bias, or another vector, such as the scales of a norm) or "weights"."""
    if head is not None and within(name, head):
        return "head"
    return "bias" if parameter.ndim < 2 else "weights"


def head_name(network: nn.Module, shape: models.Shape) -> str:
    """Name of the classifier head: the linear layer that runs last in a forward pass.

    Raises
    ------
    CampareError
        The network has no linear layer, or does not run on images of this shape.
    """
    run: list[str] = []
    handles = [
        module.register_forward_hook(lambda *_, name=name: run.append(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear)
    ]
    try:
        models.check_forward(network, shape)
    finally:
        for handle in handles:
            handle.remove()
    if not run:
        raise CampareError(
            "model.architecture: the network has no linear layer, so no head, which model.freeze: "
            "all_but_head, training.head_learning_rate, bias_learning_rate and optimizer: muon "
            "need; choose another network, or name the layers to freeze"
        )
    return run[-1]


def within(name: str, prefix: str) -> bool:
    """Whether a dotted name is the prefix or a name below it."""
    return f"{name}.".startswith(f"{prefix}.")


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """The batch norms of a network."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def train_mode(network: nn.Module, *, freeze_batch_norm: bool) -> None:
    """Put a network into training mode, apart from batch norms if these are frozen."""
    network.train()
    if freeze_batch_norm:
        for norm in batch_norms(network):
            norm.eval()


@torch.no_grad()
def recalibrate(
    network: nn.Module, batches: Iterable[Tensor], forward: Callable[[nn.Module, Tensor], object]
) -> None:
    """Set the statistics of batch norms to the mean of those of some batches.

    As `torch.optim.swa_utils.update_bn`: in training mode, with cumulative averages (momentum
    None), from zero.
    """
    norms = batch_norms(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for images in batches:
        forward(network, images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _frozen(name: str, settings: Settings, head: str | None) -> bool:
    """Whether `settings.freeze` names a parameter."""
    if settings.freeze == "none":
        return False
    if settings.freeze == "all_but_head":
        return head is not None and not within(name, head)
    return any(within(name, prefix) for prefix in _prefixes(settings))


def _prefixes(settings: Settings) -> list[str]:
    freeze = settings.freeze
    if freeze in ("none", "all_but_head"):
        return []
    return [freeze] if isinstance(freeze, str) else list(freeze)


def _check_prefixes(network: nn.Module, settings: Settings) -> None:
    """Check that every prefix of `settings.freeze` names parameters."""
    names = [name for name, _ in network.named_parameters()]
    for prefix in _prefixes(settings):
        if not any(within(name, prefix) for name in names):
            top = ", ".join(dict.fromkeys(name.split(".")[0] for name in names))
            raise CampareError(
                f"model.freeze: no parameters of {settings.architecture} are in {prefix!r}; it is "
                f"none, all_but_head, or dotted names that begin with: {top}"
            )
