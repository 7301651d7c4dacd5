"""Class activation maps, computed in batches, without a backward pass below the target layer.

Grad-CAM weights the channels of the target layer's output A by the gradient of the explained
class's score, averaged over positions. The gradient depends on the layers after the target layer:

- global average pooling and one linear layer: the gradient is known (`models.head`), and a map
  takes a forward pass and a weighted sum;
- other layers: a backward pass from the score to A.

For the other methods, A and the gradient are computed here, and pytorch-grad-cam's formula is
applied to one image at a time, which bounds memory. Only `input_gradient` takes the gradient back
to the image. Maps are computed in float32 whatever the precision of training, since bfloat16 is
too inexact for them.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from campare import devices, memory, models, registry, user_code
from campare.data import Rows
from campare.errors import ANEW, CampareError
from campare.pooling import pool_deterministically
from campare.preprocess import prepare
from campare.sizes import Size
from campare.store import Store

NO_HEAD = (
    "cam.method: cam needs global average pooling and one linear layer after the target layer; "
    "choose gradcam, or the last convolutional block of such a network"
)


class Batch(NamedTuple):
    """Maps and scores of consecutive images.

    maps: float32 (b, h, w), signed, unnormalised, at the target layer's resolution;
    logits: float32 (b, classes); targets: int64 (b,), the classes explained.
    """

    maps: NDArray[np.float32]
    logits: NDArray[np.float32]
    targets: NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """Arguments of a CAM method: a batch with its activations.

    inputs: float32 (b, C, H, W), prepared; activations: float32 (b, K, h, w), the output of
    `layer`, or the inputs themselves for a method of the input; logits: float32 (b, classes);
    targets: int64 (b,); head: `models.head` of `layer`.
    """

    network: nn.Module
    layer: nn.Module
    head: nn.Linear | None
    inputs: torch.Tensor
    activations: torch.Tensor
    logits: torch.Tensor
    targets: torch.Tensor

    @cached_property
    def gradients(self) -> torch.Tensor:
        """float32 (b, K, h, w): gradient of each image's target score at the activations."""
        if self.head is not None:
            height, width = self.activations.shape[2:]
            weights = self.head.weight[self.targets] / (height * width)
            return weights[:, :, None, None].expand_as(self.activations)
        # In evaluation mode images do not interact: the gradient of the sum is that of each image.
        chosen = F.one_hot(self.targets, self.logits.shape[1]).to(self.logits)
        # A sum, because torch imports sympy for `grad_outputs`, which takes a third of a second.
        (gradients,) = torch.autograd.grad((self.logits * chosen).sum(), self.activations)
        return gradients


def compute(
    network: nn.Module,
    layer: nn.Module,
    head: nn.Linear | None,
    images: NDArray[np.uint8] | Rows,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    input_size: Size,
    method: str = "gradcam",
    targets: NDArray[np.integer[Any]] | None = None,
    batch_size: int = 32,
    fold_batch_norm: bool = True,
    device: torch.device | str = "cpu",
) -> Iterator[Batch]:
    """Maps and scores of images, one batch after another; only one batch is in memory.

    Parameters
    ----------
    network, layer, head
        From `models.load`, `models.target_layer` and `models.head`. The network is changed: moved
        to the device, frozen and folded. A method of the input uses the network only.
    images
        uint8 (N, H, W, C).
    mean, std, input_size
        As in training; see `preprocess.prepare`.
    method
        A name of `registry.CAM_METHODS`, or `file.py:function`.
    targets
        (N,) classes to explain; None explains each image's predicted class.
    fold_batch_norm
        Whether to use `models.fold_batch_norms`: faster; maps differ by rounding (docs/parity.md).

    Raises
    ------
    CampareError
        The method is unknown, or not possible with this network.
    """
    own = user_code.is_reference(method)
    if not own and method not in registry.CAM_METHODS:
        known = ", ".join(registry.CAM_METHODS)
        raise CampareError(f"cam.method: unknown method {method!r}; known: {known}")
    entry = registry.entry(registry.CAM_METHODS, method)
    explain: Callable[[View], torch.Tensor] = entry.load()
    if entry.of == "input":
        head = None
    memory.keep_freed()
    if fold_batch_norm:
        models.fold_batch_norms(network, layer)
    device = torch.device(device)
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    network.to(device, memory_format=layout)  # type: ignore[call-overload]
    network.eval().requires_grad_(False)
    if head is None:
        _spare_outputs(network)
        if device.type == "cuda":
            pool_deterministically(network)
    centre = torch.tensor(mean, dtype=torch.float32, device=device)
    spread = torch.tensor(std, dtype=torch.float32, device=device)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        batch = torch.from_numpy(images[rows]).to(device).permute(0, 3, 1, 2)
        inputs = prepare(batch, centre, spread, input_size).contiguous(memory_format=layout)
        with exact(device, gradient=head is None):
            if entry.of == "input":
                activations = inputs.requires_grad_()
                logits = network(inputs)
            else:
                activations, logits = _forward(network, layer, head, inputs)
            chosen = logits.argmax(dim=1)
            if targets is not None:
                chosen = torch.as_tensor(targets[rows], dtype=torch.int64, device=device)
            view = View(network, layer, head, inputs, activations, logits, chosen)
            maps = explain(view)
            if own:
                _check_maps(method, maps, len(inputs))
        arrays = (part.detach().cpu().numpy() for part in (maps, logits, chosen))
        yield Batch(*arrays)


def _check_maps(method: str, maps: Any, images: int) -> None:
    """Check what a function of the user returns."""
    if not isinstance(maps, torch.Tensor) or maps.ndim != 3 or len(maps) != images:
        what = f"a tensor {tuple(maps.shape)}" if isinstance(maps, torch.Tensor) else type(maps)
        raise CampareError(
            f"{method}: returns {what} for {images} images; must be a tensor (b, h, w)"
        )
    if maps.dtype != torch.float32:
        raise CampareError(f"{method}: returns {maps.dtype}; must be torch.float32")


def chosen_classes(
    policy: str, labels: NDArray[np.int64], index: NDArray[np.int64], baseline: Store | None
) -> NDArray[np.int64] | None:
    """The classes to explain by the policy `cam.class`; None: each image's predicted class.

    Parameters
    ----------
    policy
        "predicted", "true" or "baseline".
    labels, index
        (N,) true classes, and positions in the data set.
    baseline
        The baseline's store, for the policy "baseline"; None for the baseline itself.

    Raises
    ------
    CampareError
        The baseline's store has other images.
    """
    if policy == "true":
        return labels
    if policy == "predicted" or baseline is None:
        return None
    if not np.array_equal(baseline.index, index):
        raise CampareError(f"the baseline's CAM store has other images; {ANEW}")
    return baseline.predicted


@contextlib.contextmanager
def exact(device: torch.device, *, gradient: bool) -> Iterator[None]:
    """Context with float32 without TF32 or autocast, and with gradients only if `gradient`."""
    with (
        torch.autocast(device.type, enabled=False),
        devices.convolutions(tf32=False),
        torch.enable_grad() if gradient else torch.inference_mode(),
    ):
        yield


def _forward(
    network: nn.Module, layer: nn.Module, head: nn.Linear | None, inputs: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The layer's output (b, K, h, w), and the logits (b, classes)."""
    if head is None:
        with models.detached(layer) as outputs:
            logits = network(inputs)
    else:
        outputs = []
        handle = layer.register_forward_hook(lambda _, __, output: outputs.append(output))
        try:
            logits = network(inputs)
        finally:
            handle.remove()
    return outputs[-1], logits


def _spare_outputs(network: nn.Module) -> None:
    """Prevent activation functions from overwriting the output of the layer before them."""
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]


# CAM methods: functions of a view with an entry in the registry; float32 (b, h, w), signed.


def gradcam(view: View) -> torch.Tensor:
    """Σ_k α_k A_k, α_k the mean of the gradient over positions (Selvaraju et al. 2017, eq. 1–2).

    The ReLU of their equation 2 is applied in `maps.show`.
    """
    weights = (
        view.gradients[:, :, 0, 0] if view.head is not None else view.gradients.mean(dim=(2, 3))
    )
    return torch.einsum("bk,bkhw->bhw", weights, view.activations)


def cam(view: View) -> torch.Tensor:
    """Σ_k w_k A_k, w the weights of the explained class (Zhou et al. 2016, eq. 2).

    It is h·w times the Grad-CAM of the same layer, with its h·w positions.
    """
    if view.head is None:
        raise CampareError(NO_HEAD)
    return torch.einsum("bk,bkhw->bhw", view.head.weight[view.targets], view.activations)


def input_gradient(view: View) -> torch.Tensor:
    """max_c |∂score/∂x_c| at every pixel x of the prepared input (Simonyan et al. 2013, section 3).

    It is not negative, since the sign of the effect on the score is lost.
    """
    return view.gradients.abs().amax(dim=1)


def _library(name: str) -> Callable[[View], torch.Tensor]:
    """A method with the formula of pytorch-grad-cam's class `name`, before normalisation."""

    def method(view: View) -> torch.Tensor:
        import pytorch_grad_cam
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        library = getattr(pytorch_grad_cam, name)(view.network, [view.layer])
        library.activations_and_grads.release()  # activations and gradients are those of `view`
        activations = view.activations.detach().cpu().numpy()
        gradients = view.gradients.cpu().numpy() if library.uses_gradients else None
        maps = []
        for i, target in enumerate(view.targets.tolist()):
            one = slice(i, i + 1)
            with contextlib.redirect_stderr(io.StringIO()):  # a progress bar for each image
                maps.append(
                    library.get_cam_image(
                        view.inputs[one],
                        view.layer,
                        [ClassifierOutputTarget(target)],
                        activations[one],
                        None if gradients is None else gradients[one],
                        False,
                    )
                )
        return torch.from_numpy(np.concatenate(maps).astype(np.float32))

    return method


gradcam_plus_plus = _library("GradCAMPlusPlus")
xgradcam = _library("XGradCAM")
layercam = _library("LayerCAM")
hirescam = _library("HiResCAM")
scorecam = _library("ScoreCAM")
ablationcam = _library("AblationCAM")


def eigencam(view: View) -> torch.Tensor:
    """First principal component of the activations (Muhammad and Yeasin 2020); see `_directed`."""
    return _directed(_library("EigenCAM")(view), view.activations)


def eigengradcam(view: View) -> torch.Tensor:
    """First principal component of activation × gradient; see `_directed`."""
    return _directed(_library("EigenGradCAM")(view), view.activations * view.gradients)


def _directed(maps: torch.Tensor, decomposed: torch.Tensor) -> torch.Tensor:
    """Principal components (b, h, w) with a defined sign.

    The sign of a singular vector is arbitrary; the library takes that of LAPACK's algorithm. Here
    the map correlates positively with the sum of `decomposed` (b, K, h, w) over channels: in
    Eigen-CAM it is high where the layer is active, in Eigen-Grad-CAM where the activations increase
    the score of the class. If the correlation is zero, the value farthest from zero is positive.
    (Seg-Eigen-CAM, Chung and Ying 2025, equation 13, uses the last rule only, by which two networks
    agree on the sign less often; see docs/parity.md.)
    """
    total = decomposed.detach().cpu().double().sum(dim=1)
    along = (maps * (total - total.mean(dim=(1, 2), keepdim=True))).sum(dim=(1, 2))
    farthest = maps.amax(dim=(1, 2)) + maps.amin(dim=(1, 2))
    against = torch.where(along == 0, farthest, along) < 0
    return torch.where(against[:, None, None], -maps, maps)
