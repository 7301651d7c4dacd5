"""Networks by name, their target layers, and their weights on disk."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from difflib import get_close_matches
from functools import partial
from itertools import chain, repeat, takewhile
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from campare import registry, user_code
from campare.errors import ANEW, CampareError, reading
from campare.sizes import written

# The largest number of tokens without a position before those of the image.
MOST_PREFIX = 16

Shape = tuple[int, int, int]  # (C, H, W) of one prepared image
Answer = TypeVar("Answer")


def build(
    architecture: str,
    *,
    classes: int,
    channels: int,
    seed: int,
    parameters: Mapping[str, Any] | None = None,
) -> nn.Module:
    """A network with random initial weights.

    Parameters
    ----------
    architecture
        A name of `registry.ARCHITECTURES`, of any other torchvision classifier, `timm:<name>` with
        a name of timm, which may end with a tag of weights, or `file.py:function`.
    classes
        Number of classes, and of scores of the last layer.
    channels
        Of the images. For grey images, torchvision's networks have a first convolution for
        one channel, whose weights are the sums of those for RGB; so a grey image gives the same
        output as an RGB image with three equal channels. For other numbers than 1 and 3, their
        first convolution is made for this number, with the network's own distribution of initial
        weights. timm's networks are built for the number of channels.
    seed
        Decides all initial weights. torch's global random state is neither read nor changed.
    parameters
        Parameters of a function in a file of the user.

    Returns
    -------
    A float32 network on the CPU, in training mode: (B, channels, H, W) -> (B, classes). If it has a
    method `initialise`, training calls it once before the first step with some prepared training
    images, float32 (N, channels, H, W), on the CPU and without gradients: up to 5,000 that the
    initial weights' seed chooses, fewer if they are large. It may set weights and buffers from
    them, such as a whitening first convolution; it must be deterministic.

    Raises
    ------
    CampareError
        Unknown architecture; a function of the user returns no network.
    """
    make = _maker(architecture, parameters or {})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = make(classes, channels)
    if not isinstance(network, nn.Module):
        raise CampareError(
            f"{architecture}: returns {type(network).__name__}; must return a torch.nn.Module"
        )
    return network


def _maker(architecture: str, parameters: Mapping[str, Any]) -> Callable[[int, int], nn.Module]:
    """The function (classes, channels) -> network of an architecture."""
    if user_code.is_reference(architecture):
        own = registry.entry(registry.ARCHITECTURES, architecture).load()
        return partial(own, **parameters)
    registry.check_architecture(architecture)
    if architecture in registry.ARCHITECTURES:
        return registry.ARCHITECTURES[architecture].load()
    if name := registry.timm_name(architecture):
        return partial(timm_classifier, name)
    return partial(torchvision_classifier, architecture)


def load(
    path: str | Path, architecture: str, *, classes: int, channels: int
) -> tuple[nn.Module, dict[str, Any]]:
    """A trained network in evaluation mode, and the metadata that `train.train` returned.

    Parameters
    ----------
    path
        Safetensors file written by `checkpoints.save`.

    Raises
    ------
    CampareError
        The file is missing or truncated, not a model of campare, or of another architecture.
    """
    from safetensors import SafetensorError, safe_open

    with reading(path, "weights", SafetensorError), safe_open(path, framework="pt") as file:
        about = json.loads((file.metadata() or {}).get("campare", ""))
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network = build(
        architecture,
        classes=classes,
        channels=channels,
        seed=0,
        parameters=about.get("settings", {}).get("architecture_parameters"),
    )
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise CampareError(
            f"{path}: not the weights of {architecture} for {classes} classes and {channels} "
            f"channels; {ANEW}"
        ) from error
    return network.eval(), about


# Architectures: functions (classes, channels) -> network, one entry in the registry each.


def small_cnn(classes: int, channels: int) -> nn.Module:
    """Three convolutions, the first two of stride 2; maps at a quarter of the input size."""
    return _small(classes, channels, widths=(16, 32, 64), depths=(1, 1, 1))


def small_cnn_wide(classes: int, channels: int) -> nn.Module:
    """Five convolutions, twice as wide; maps at a quarter of the input size."""
    return _small(classes, channels, widths=(32, 64, 128), depths=(1, 2, 2))


def resnet18_cifar(classes: int, channels: int) -> nn.Module:
    """ResNet-18 with the stem of He et al. (2016, section 4.2) for images of about 32 px."""
    network = torchvision_classifier("resnet18", classes, channels)
    network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network


def two_conv(classes: int, channels: int) -> nn.Module:
    """Two convolutions and a linear layer on all positions, not on their average, for 28 px.

    The network returns scores without softmax. Maps, after the second pooling, are 7×7.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 16, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )
    return nn.Sequential(
        OrderedDict(
            features=features, flatten=_Flatten(7), classifier=nn.Linear(32 * 7 * 7, classes)
        )
    )


class _Flatten(nn.Flatten):
    """Maps of `side` × `side` as vectors; other sizes raise CampareError."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        if maps.shape[2:] != (self.side, self.side):
            raise CampareError(
                f"model.input_size: two_conv needs {4 * self.side} px; set it to {4 * self.side}, "
                "or choose an architecture for any size, such as small_cnn"
            )
        return super().forward(maps)


def fashion_cnn(classes: int, channels: int, *, width: int = 32) -> nn.Module:
    """The network in the listing of Suresh and Kaushik: convolutions of 32 and 64 with max-pooling.

    19,466 parameters for one channel and ten classes; maps of 5×5 for 28×28 images. Initial
    weights are torch's, not Keras's.
    """
    return _plain(classes, channels, widths=(width, 2 * width), padding=0, pooled=2)


def fashion_cnn_wide(classes: int, channels: int) -> nn.Module:
    """`fashion_cnn` with twice as many channels."""
    return fashion_cnn(classes, channels, width=64)


def fashion_cnn_third(classes: int, channels: int) -> nn.Module:
    """`fashion_cnn` with a third convolution of 64: its maps are 3×3 for 28×28 images.

    The listing of Suresh and Kaushik does not have it, but their CAM code enlarges maps by 28/3.
    """
    return _plain(classes, channels, widths=(32, 64, 64), padding=0, pooled=2)


def fashion_cnn_deep(classes: int, channels: int) -> nn.Module:
    """The deeper network of Suresh and Kaushik, whose pooled features are the input of an SVM.

    394,890 parameters for one channel and ten classes. For 28×28 images the output of its last
    convolution has one position; the last larger map, 3×3, has 128 channels.
    """
    return _plain(classes, channels, widths=(16, 32, 64, 128, 256), padding=1, pooled=4)


def torchvision_classifier(name: str, classes: int, channels: int) -> nn.Module:
    """A torchvision classifier with random weights; a DenseNet gets `_explicit_relu`."""
    import torchvision
    from torchvision.models import DenseNet

    # By default two networks have auxiliary outputs in training.
    auxiliary = {"googlenet", "inception_v3"}
    options = {"aux_logits": False, "init_weights": True} if name in auxiliary else {}
    with nullcontext() if channels in (1, 3) else _first_convolution_for(channels):
        network: nn.Module = torchvision.models.get_model(
            name, weights=None, num_classes=classes, **options
        )
    if channels == 1:
        _see_grey(network)
    return _explicit_relu(network) if isinstance(network, DenseNet) else network


def timm_classifier(name: str, classes: int, channels: int) -> nn.Module:
    """A classifier of timm with random weights; `name` may end with a tag of weights."""
    import timm

    network: nn.Module = timm.create_model(
        name, pretrained=False, num_classes=classes, in_chans=channels
    )
    return network


efficientnet_b0 = partial(torchvision_classifier, "efficientnet_b0")
resnet18 = partial(torchvision_classifier, "resnet18")
densenet121 = partial(torchvision_classifier, "densenet121")


def _small(
    classes: int, channels: int, *, widths: tuple[int, ...], depths: tuple[int, ...]
) -> nn.Module:
    """Stages of 3×3 convolution, batch norm and ReLU; the first two begin with stride 2."""
    layers: list[nn.Module] = []
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for layer in range(depth):
            stride = 2 if stage < 2 and layer == 0 else 1
            convolution = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
    return _pooled(nn.Sequential(*layers), nn.Linear(channels, classes))


def _plain(
    classes: int, channels: int, *, widths: tuple[int, ...], padding: int, pooled: int
) -> nn.Module:
    """3×3 convolutions with bias and ReLU; 2×2 max-pooling follows each of the first `pooled`."""
    layers: list[nn.Module] = []
    for place, width in enumerate(widths):
        layers += [nn.Conv2d(channels, width, 3, padding=padding), nn.ReLU(inplace=True)]
        if place < pooled:
            layers.append(nn.MaxPool2d(2))
        channels = width
    return _pooled(nn.Sequential(*layers), nn.Linear(channels, classes))


def _pooled(features: nn.Module, classifier: nn.Linear) -> nn.Module:
    """A network of features, global average pooling and one linear layer."""
    return nn.Sequential(
        OrderedDict(
            features=features,
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=classifier,
        )
    )


def _explicit_relu(network: nn.Module) -> nn.Module:
    """The DenseNet with the ReLU that follows `features` as the last layer of `features`.

    torchvision applies this ReLU in place, outside any module. pytorch-grad-cam at `features` takes
    the gradient before the ReLU; its activations are those before the ReLU on CUDA, where they are
    copied, and those after it on the CPU, where they are overwritten. Here the last block ends with
    its ReLU, as the last blocks of ResNet and EfficientNet end with their activation: the output
    of the target layer `features` is what is pooled, on any device. Names and shapes of the
    weights are torchvision's.
    """
    features, classifier = network.features, network.classifier
    assert isinstance(features, nn.Sequential) and isinstance(classifier, nn.Linear)
    features.add_module("relu5", nn.ReLU())
    return _pooled(features, classifier)


@contextmanager
def _first_convolution_for(channels: int) -> Iterator[None]:
    """While a network is built, its first convolution of RGB images is one for `channels`.

    torchvision's networks have no argument for it, and draw initial weights from distributions of
    their own, some of which depend on the number of channels.
    """
    original = nn.Conv2d.__init__
    found = False

    def initialise(self: nn.Conv2d, in_channels: int, *arguments: Any, **options: Any) -> None:
        nonlocal found
        if in_channels == 3 and not found:
            found, in_channels = True, channels
        original(self, in_channels, *arguments, **options)

    nn.Conv2d.__init__ = initialise  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Conv2d.__init__ = original  # type: ignore[method-assign]


def _see_grey(network: nn.Module) -> None:
    """Replace the first convolution by one for a single channel, its weights summed over RGB."""
    name, first = next(
        (name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    )
    grey = nn.Conv2d(
        1,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    with torch.no_grad():
        grey.weight.copy_(first.weight.sum(dim=1, keepdim=True))
        if first.bias is not None and grey.bias is not None:
            grey.bias.copy_(first.bias)
    network.set_submodule(name, grey)


# Target layers.


class _SizeError(CampareError):
    """The network does not run at this image size, or its last map is a single position."""


def target_layer(
    network: nn.Module, name: str | None, shape: Shape, *, key: str = "cam.target_layer"
) -> tuple[str, nn.Module]:
    """The target layer: its dotted name, and a module with its output as (B, K, h, w).

    The module is the layer itself, unless the layer has its channels last (Swin, the inside of a
    ConvNeXt block) or gives tokens (vision transformers). Then the network is changed: the layer is
    followed by a module with the output (B, K, h, w), which is returned, and by the inverse
    operation. Class, distillation and register tokens are not in the map; they must come first.

    Parameters
    ----------
    name
        As in `network.named_modules()`, such as `layer4.1`. None: the last convolutional block,
        `features.8` of EfficientNet-B0, `layer4.1` of ResNet-18, `features` of the small networks
        and of DenseNet (with its final ReLU), `norm` of Swin. In any network it is the last map of
        a forward pass before the pooling to one vector. In a vision transformer with a class token
        it is the input of the last attention, `blocks.11.norm1` in timm.
    shape
        (C, H, W) of a prepared image.
    key
        Config key of `name`, for messages.

    Raises
    ------
    CampareError
        The network does not run at this size, or classifies tokens that are not a grid of the
        image; there is no such layer, its output is not a map, or a map of 1×1, or tokens that the
        class scores do not depend on, or it runs more than once.
    """
    name, output = _at_size(partial(_found, network, name, key), shape)
    if output.channels == 1:
        return name, network.get_submodule(name)
    if output.grid:
        as_map = _TokensAsMap(network.get_submodule(name), output.grid)
        network.set_submodule(name, as_map)
        return name, as_map.map
    return name, _channels_first(network, name)


def set_batch_norm_momentum(network: nn.Module, momentum: float) -> None:
    """Set the weight of the newest batch in the running statistics of all batch norms."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum


def check_forward(network: nn.Module, shape: Shape) -> None:
    """Raise CampareError if the network does not run on images (C, H, W)."""
    _at_size(partial(_run, network), shape)


def last_map(network: nn.Module, shape: Shape) -> str:
    """Dotted name of the last layer whose output has more than one position.

    Unlike the last block of `target_layer` it may be followed by convolutions of one position.

    Raises
    ------
    CampareError
        The network does not run at this size, or all outputs have one position.
    """

    def last(shape: Shape) -> str:
        maps = [output for output in _outputs(network, shape) if output.is_map]
        if not maps:
            raise _SizeError(_single_pixel("every layer", shape))
        return _last_tokens(network, maps, shape) if maps[-1].grid else maps[-1].name

    return _at_size(last, shape)


def head(network: nn.Module, layer: nn.Module, shape: Shape) -> nn.Linear | None:
    """The linear layer that follows global average pooling of the layer's output; None otherwise.

    With weights W of shape (classes, K), the gradient of the score of class c with respect to
    channel k of the layer's output is then W[c, k]/(h·w) at every position, and no backward pass is
    needed. This is tested on two random images, by the gradient of what the linear layer gets,
    since its own weights may be zero before training; it differs if there is a ReLU, a batch norm
    or a second linear layer in between.
    """
    results: list[tuple[nn.Linear, torch.Tensor, torch.Tensor]] = []

    def keep(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        assert isinstance(module, nn.Linear)
        results.append((module, inputs[0], output))

    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_hook(keep) for module in linear]
    try:
        with _frozen(network), torch.enable_grad(), detached(layer) as activations:
            scores = network(_images(network, 2, shape))
            if not results or results[-1][2] is not scores:
                return None
            last, features, _ = results[-1]
            direction = torch.linspace(-1, 1, features.numel()).to(features).view_as(features)
            # A sum, since for `grad_outputs` torch imports sympy, for a third of a second.
            (gradient,) = torch.autograd.grad((features * direction).sum(), activations[-1])
    finally:
        for handle in handles:
            handle.remove()
    expected = direction / gradient[0, 0].numel()
    if expected.shape != gradient.shape[:2]:
        return None
    error = (gradient - expected[:, :, None, None]).abs().max()
    return last if error <= 1e-5 * expected.abs().max() else None


def fold_batch_norms(network: nn.Module, layer: nn.Module) -> int:
    """Fold batch norms into the convolutions before them, in place.

    In evaluation mode a batch norm scales and shifts each channel, which can be part of the
    convolution's weights and bias. The outputs of the network and of `layer` stay the same up to
    rounding, and one pass over every map is saved. A batch norm is not folded if the output of the
    convolution is also used elsewhere, or leaves `layer`, or is that of `layer`; if either runs
    more than once; or if torch.fx cannot trace the network.

    Returns
    -------
    Number of folded batch norms.
    """
    network.eval()
    try:
        nodes = list(fx.symbolic_trace(network).graph.nodes)
    except Exception:  # raised by the network's code at a tensor without values
        return 0
    modules = dict(network.named_modules())
    inside = set(layer.modules()) - {layer}
    runs = Counter(node.target for node in nodes if node.op == "call_module")
    folded = 0
    for node in nodes:
        norm = modules[node.target] if node.op == "call_module" else None
        # Not subclasses: timm's include an activation function.
        if type(norm) is not nn.BatchNorm2d or not norm.track_running_stats:
            continue
        before = node.args[0]
        convolution = modules[before.target] if before.op == "call_module" else None
        if (
            type(convolution) is not nn.Conv2d
            or len(before.users) > 1
            or runs[before.target] > 1
            or runs[node.target] > 1
            or layer in (convolution, norm)
            or (convolution in inside) != (norm in inside)
        ):
            continue
        # In float64, so that only the result is rounded.
        convolution.double(), norm.double()
        joint = fuse_conv_bn_weights(
            convolution.weight,
            convolution.bias,
            norm.running_mean,  # type: ignore[arg-type]
            norm.running_var,  # type: ignore[arg-type]
            norm.eps,
            norm.weight,
            norm.bias,
        )
        convolution.weight, convolution.bias = (nn.Parameter(t.detach().float()) for t in joint)
        network.set_submodule(node.target, nn.Identity())
        folded += 1
    return folded


@contextmanager
def detached(layer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Detach the layer's output, so that gradients are computed down to it only.

    The list receives the output of each call, a leaf that requires a gradient. The network
    continues with a copy of it, which later layers may change in place.
    """
    outputs: list[torch.Tensor] = []

    def keep(_: nn.Module, __: object, output: torch.Tensor) -> torch.Tensor:
        leaf = output.detach().requires_grad_()
        outputs.append(leaf)
        return leaf.clone()

    handle = layer.register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode without gradients of weights; its state is restored."""
    training = {module: module.training for module in network.modules()}
    requires = {weight: weight.requires_grad for weight in network.parameters()}
    network.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, mode in training.items():
            module.training = mode
        for weight, required in requires.items():
            weight.requires_grad_(required)


def _images(network: nn.Module, count: int, shape: Shape) -> torch.Tensor:
    """Random images (count, C, H, W), always the same ones, on the network's device."""
    generator = torch.Generator().manual_seed(0)
    place = next(network.parameters())
    return torch.randn((count, *shape), generator=generator).to(place)


class _Output(NamedTuple):
    """The output of a layer for one image.

    channels: the axis of the channels, 1 in (1, K, h, w), 3 in (1, h, w, K), and 2 in tokens
    (1, P + h·w, K); None if the output is not a map of the image. grid: (h, w) of tokens, which
    follow P tokens of no position (class, distillation and register tokens).
    """

    name: str
    size: torch.Size
    channels: int | None
    grid: tuple[int, int] | None = None

    @property
    def is_map(self) -> bool:
        """Whether the output is a map of more than one position."""
        return self.channels is not None and self.size.numel() > self.size[self.channels]

    @property
    def is_single(self) -> bool:
        """Whether the output has one position."""
        return len(self.size) == 4 and self.size.numel() == max(self.size)


def _outputs(network: nn.Module, shape: Shape) -> list[_Output]:
    """The outputs of all layers, in the order in which the layers finish.

    A second image, twice as wide, shows which axes are those of the image. If the network runs at
    one size only, a batch of two images shows which layers depend on the image. Tokens have the
    grid of the map before them, as the convolution that makes patches of an image gives it.
    """
    with _sizes(network) as own:
        _run(network, shape)
    # A network for one size only runs up to the layer that needs it.
    with _sizes(network) as wide, suppress(CampareError):
        _run(network, (shape[0], shape[1], 2 * shape[2]))
    with _sizes(network) as two:
        if len(wide) < len(own):
            _run(network, shape, count=2)
    outputs: list[_Output] = []
    grid: tuple[int, int] | None = None
    for (name, size), of_wide, of_two in zip(own, _padded(wide), _padded(two), strict=False):
        largest = max(grid or shape[1:])
        layer = network.get_submodule(name)
        channels = _channels(layer, size, of_wide, of_two, largest, shape)
        output = _Output(name, size, channels)
        if output.is_map:
            grid = (size[2], size[3]) if channels == 1 else (size[1], size[2])
        elif grid and _are_tokens(size, of_wide, of_two, grid):
            output = _Output(name, size, 2, grid)
        outputs.append(output)
    return outputs


def _padded(sizes: list[tuple[str, torch.Size]]) -> Iterator[torch.Size | None]:
    """The sizes, then None without end."""
    return chain((size for _, size in sizes), repeat(None))


@contextmanager
def _sizes(network: nn.Module) -> Iterator[list[tuple[str, torch.Size]]]:
    """A list that receives every layer's name and output size as it finishes."""
    sizes: list[tuple[str, torch.Size]] = []

    def note(name: str, _: nn.Module, __: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            sizes.append((name, output.shape))

    handles = [
        module.register_forward_hook(partial(note, name))
        for name, module in network.named_modules()
        if name
    ]
    try:
        yield sizes
    finally:
        for handle in handles:
            handle.remove()


def _run(network: nn.Module, shape: Shape, count: int = 1) -> None:
    """Run the network on `count` images; raise `_SizeError` if that fails."""
    try:
        with _frozen(network), torch.inference_mode():
            network(_images(network, count, shape))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:  # sizes do not fit
        reason = str(error).strip().partition("\n")[0]
        raise _SizeError(
            f"this network does not run on images of {_pixels(shape)} ({reason})"
        ) from error


def _at_size(ask: Callable[[Shape], Answer], shape: Shape) -> Answer:
    """The result of `ask`; if it raises `_SizeError`, an error that suggests a size that works."""
    try:
        return ask(shape)
    except _SizeError as error:
        small = "choose a network for small images (small_cnn, resnet18_cifar)"
        for size in _larger(shape):
            with suppress(_SizeError):
                ask((shape[0], *size))
                remedy = f"set it to {written(size)} or {small}"
                break
        else:
            remedy = small
        raise CampareError(f"model.input_size: {error}; {remedy}") from error


def _larger(shape: Shape) -> Iterator[tuple[int, int]]:
    """Larger sizes (height, width): of about the aspect ratio of an image, then squares."""
    _, tall, wide = shape
    least = min(tall, wide)
    sides = [side for side in (*range(16, 64, 8), *range(64, 385, 32)) if side > least]
    for side in sides:
        yield -(-side * tall // (8 * least)) * 8, -(-side * wide // (8 * least)) * 8
    if tall != wide:
        yield from ((side, side) for side in sides)


def _pixels(shape: Shape) -> str:
    """The size of an image in messages, such as "32 px", "40 × 64 px"."""
    _, height, width = shape
    return f"{height} px" if height == width else f"{height} × {width} px"


def _like_image(height: int, width: int, shape: Shape) -> bool:
    """Whether a map has the aspect ratio of the image (C, H, W), up to a pixel if H ≠ W."""
    _, tall, wide = shape
    return abs(height * wide - width * tall) <= (max(tall, wide) if tall != wide else 0)


def _channels(
    layer: nn.Module,
    size: torch.Size,
    wide: torch.Size | None,
    two: torch.Size | None,
    largest: int,
    shape: Shape,
) -> int | None:
    """The axis of the channels in a layer's output, see `_Output`; None for tokens.

    Parameters
    ----------
    size, wide, two
        Sizes of the output for an image and, if the network runs so far, for an image of twice the
        width; if it does not, for two images. In a map of the image one axis grows with the width,
        after that of the height.
    largest
        Extent of the map before, or of the image. An attention of all pairs of tokens exceeds it.
    shape
        (C, H, W) of the image.
    """
    if len(size) != 4 or size[0] != 1:
        return None
    grown = [axis for axis in range(4) if wide is not None and wide[axis] != size[axis]]
    if not grown:  # unknown, or a fixed extent, as after adaptive pooling
        convolves = any(isinstance(inner, nn.Conv2d) for inner in layer.modules())
        if convolves and (size[2] == size[3] or _like_image(size[2], size[3], shape)):
            return 1
        # The size is the same for two images if it is a table, such as one of position biases.
        is_unknown = wide is None and two is not None and two[0] == 2
        is_last = _like_image(size[1], size[2], shape) and max(size[1:3]) <= largest
        return 3 if is_unknown and is_last and size[3] != size[1] else None
    if grown == [2] and _like_image(size[1], size[2], shape):
        return 3
    return 1 if grown == [3] else None


def _are_tokens(
    size: torch.Size, wide: torch.Size | None, two: torch.Size | None, grid: tuple[int, int]
) -> bool:
    """Whether an output is (1, P + h·w, K) with this grid (h, w); sizes as in `_channels`."""
    height, width = grid
    if len(size) != 3 or size[0] != 1 or not 0 <= size[1] - height * width <= MOST_PREFIX:
        return False
    if wide is None:
        return two is not None and two[0] == 2
    return wide == torch.Size((1, size[1] + height * width, size[2]))


def _found(network: nn.Module, name: str | None, key: str, shape: Shape) -> tuple[str, _Output]:
    """The target layer's name and output, see `target_layer`."""
    outputs = _outputs(network, shape)
    if name is None:
        name = _last_block(network, outputs, shape)
    maps = list(dict.fromkeys(output.name for output in outputs if output.is_map))
    candidates = f"layers with a map, the last ones: {', '.join(maps[-8:])}"
    if not name or name not in dict(network.named_modules()):
        close = get_close_matches(name, maps, n=1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise CampareError(f"{key}: no layer {name!r}; {meant}{candidates}")
    runs = [output for output in outputs if output.name == name]
    if len(runs) != 1:
        raise CampareError(
            f"{key}: {name!r} runs {len(runs)} times in a forward pass, not once; set it to "
            f"the block that contains it; {candidates}"
        )
    if runs[0].is_single:
        raise CampareError(
            f"{key}: {_single_pixel(repr(name), shape)} (model.input_size); {candidates}"
        )
    if not runs[0].is_map:
        raise CampareError(f"{key}: the output of {name!r} is not a map of the image; {candidates}")
    if runs[0].grid and name not in (reaching := _reaching(network, outputs, shape)):
        last = f"; the last such layer is {reaching[-1]}" if reaching else ""
        raise CampareError(
            f"{key}: the class scores do not depend on the image's tokens in the output of "
            f"{name!r}, only on the class token{last}"
        )
    return name, runs[0]


def _last_block(network: nn.Module, outputs: list[_Output], shape: Shape) -> str:
    """The name of the block whose output is the last map of a forward pass."""
    layers = [network.get_submodule(output.name) for output in outputs]
    # Buffers count: an SVM in place of the linear layer has no parameters.
    weighted = [
        bool([*layer.parameters(recurse=False), *layer.buffers(recurse=False)]) for layer in layers
    ]
    # The classifier, and layers that change no value. By name: torchvision takes long to import.
    end = max((place for place, has_weights in enumerate(weighted) if has_weights), default=0)
    idle = [type(layer).__name__ in {"Dropout", "Identity", "Permute"} for layer in layers]
    # Not an activation that other layers share, of which a hook would see several outputs.
    runs = Counter(output.name for output in outputs)
    last = max(
        (
            at
            for at in range(end)
            if outputs[at].is_map and not idle[at] and runs[outputs[at].name] == 1
        ),
        default=-1,
    )
    after = range(last + 1, len(outputs))
    tokens = any(
        outputs[at].grid is None and len(outputs[at].size) == 3 and outputs[at].size[1] > 1
        for at in after
    )
    if tokens and not any(output.is_single for output in outputs):
        raise CampareError(
            "model.architecture: this network classifies tokens that are not a grid of the image; "
            "choose another network, or name a layer before them as cam.target_layer"
        )
    to_pooling = takewhile(lambda at: not isinstance(layers[at], nn.AdaptiveAvgPool2d), after)
    if last < 0 or any(weighted[at] and outputs[at].is_single for at in to_pooling):
        raise _SizeError(
            f"{_single_pixel('the last block', shape)} (cam.target_layer can be an earlier layer)"
        )
    if outputs[last].grid:
        return _last_tokens(network, outputs[: last + 1], shape)
    return _innermost(network, outputs[last].name)


def _innermost(network: nn.Module, name: str) -> str:
    """The last block of a layer that is a sequence of blocks, as long as this is one of blocks.

    `features` of EfficientNet is the same tensor as its last block, `features.8`.
    """
    while isinstance(block := network.get_submodule(name), nn.Sequential):
        child, module = list(block.named_children())[-1]
        if not list(module.children()):
            break
        name = f"{name}.{child}"
    return name


def _last_tokens(network: nn.Module, outputs: list[_Output], shape: Shape) -> str:
    """The name of the last of these layers whose tokens of the image decide the class scores.

    If tokens are averaged, it is the last norm or block. If a class token is read, the other tokens
    have no effect after they were keys and values of the last attention: it is the norm before that
    attention, `norm1` of the last block in most networks, as pytorch-grad-cam recommends.
    """
    # Not parts of blocks, such as the linear layer of keys and values.
    whole = [
        output
        for output in outputs
        if "Norm" in type(layer := network.get_submodule(output.name)).__name__
        or any(layer.children())
    ]
    reaching = _reaching(network, whole, shape)
    if not reaching:
        raise CampareError(
            "model.architecture: the class scores of this network depend on no grid of tokens; "
            "choose another network"
        )
    return _innermost(network, reaching[-1])


def _reaching(network: nn.Module, outputs: list[_Output], shape: Shape) -> list[str]:
    """The layers with tokens of the image on which the class scores depend."""
    grids = {output.name: output.grid for output in outputs if output.grid}
    tokens: dict[str, torch.Tensor] = {}
    linear: list[tuple[torch.Tensor, torch.Tensor]] = []

    def keep(name: str, _: nn.Module, __: object, output: torch.Tensor) -> None:
        tokens[name] = output

    def note(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        linear.append((inputs[0], output))

    handles = [
        network.get_submodule(name).register_forward_hook(partial(keep, name)) for name in grids
    ]
    handles += [
        module.register_forward_hook(note)
        for module in network.modules()
        if isinstance(module, nn.Linear)
    ]
    try:
        with _frozen(network), torch.enable_grad():
            result = network(_images(network, 1, shape).requires_grad_())
            if linear and linear[-1][1] is result:
                result = linear[-1][0]  # the weights of the classifier may be zero before training
            direction = torch.linspace(-1, 1, result.numel()).to(result).view_as(result)
            gradients = torch.autograd.grad(
                (result * direction).sum(), list(tokens.values()), allow_unused=True
            )
    finally:
        for handle in handles:
            handle.remove()
    of_image = {
        name: gradient[:, gradient.shape[1] - math.prod(grids[name] or ()) :]
        for name, gradient in zip(tokens, gradients, strict=True)
        if gradient is not None
    }
    return [name for name, gradient in of_image.items() if bool(gradient.any())]


def _single_pixel(layer: str, shape: Shape) -> str:
    return f"the map of {layer} is a single pixel at {_pixels(shape)}"


def _channels_first(network: nn.Module, name: str) -> nn.Module:
    """Add a permutation to (B, K, h, w), and its inverse, after a layer with output (B, h, w, K).

    Returns
    -------
    The first permutation.
    """
    there, back = _Permute(0, 3, 1, 2), _Permute(0, 2, 3, 1)
    network.set_submodule(name, nn.Sequential(network.get_submodule(name), there, back))
    return there


class _TokensAsMap(nn.Module):
    """A layer with tokens (B, P + h·w, K) as output, which `map` receives as (B, K, h, w).

    The P tokens without a position come first. They pass by `map`, so gradients at `map` are those
    of the image's tokens.
    """

    def __init__(self, layer: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.layer = layer
        self.grid = grid
        self.map = nn.Identity()

    def forward(self, *inputs: Any, **options: Any) -> torch.Tensor:
        tokens: torch.Tensor = self.layer(*inputs, **options)
        positions = self.grid[0] * self.grid[1]
        prefix, image = tokens.tensor_split([tokens.shape[1] - positions], dim=1)
        channels_first = image.transpose(1, 2)
        image = self.map(channels_first.reshape(*channels_first.shape[:2], *self.grid))
        return torch.cat([prefix, image.flatten(2).transpose(1, 2)], dim=1)


class _Permute(nn.Module):
    """`torch.permute` as a layer."""

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.permute(self.axes)
