"""Maps are pytorch-grad-cam's and captum's, whatever way they are computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_grad_cam.ablation_layer import AblationLayerVit
from torch import nn
from torchvision.models import VisionTransformer, get_model
from torchvision.models.swin_transformer import SwinTransformer

from campare import cams, maps, models, registry
from campare.errors import CampareError
from campare.preprocess import prepare
from campare.store import Store
from library import METHODS, SIGNLESS, apart, explained, settled

THESIS = ["efficientnet_b0", "resnet18", "densenet121"]
GRADIENT = ["gradcam", "gradcam++", "xgradcam", "layercam", "hirescam", "eigengradcam"]
MEAN, STD = (0.5, 0.4, 0.6), (0.2, 0.3, 0.25)


def pictures(count: int, size: int, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth random pictures, uint8 (N, S, S, C)."""
    coarse = np.random.default_rng(0).random((count, channels, 6, 6), np.float32) * 255
    smooth = nn.functional.interpolate(torch.from_numpy(coarse), (size, size), mode="bicubic")
    return smooth.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def prepared(images: NDArray[np.uint8], size: int) -> torch.Tensor:
    """What the network is shown, in the layout campare uses: then rounding is the same."""
    channels = images.shape[3]
    inputs = prepare(
        torch.from_numpy(images).permute(0, 3, 1, 2), MEAN[:channels], STD[:channels], size
    )
    return inputs.contiguous(memory_format=torch.channels_last)


def network_of(
    architecture: str, images: NDArray[np.uint8], size: int, name: str | None = None
) -> tuple[nn.Module, nn.Module, nn.Linear | None]:
    """A network, its target layer and its head."""
    channels = images.shape[3]
    network = models.build(architecture, classes=10, channels=channels, seed=0)
    network = settled(network, prepared(images, size)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _, layer = models.target_layer(network, name, (channels, size, size))
    return network, layer, models.head(network, layer, (channels, size, size))


def computed(
    network: nn.Module,
    layer: nn.Module,
    head: nn.Linear | None,
    images: NDArray[np.uint8],
    size: int,
    **options: Any,
) -> cams.Batch:
    """All batches in one; batch norms as they are, so that the network can be used again."""
    channels = images.shape[3]
    about = {"mean": MEAN[:channels], "std": STD[:channels], "input_size": size}
    options = {"fold_batch_norm": False, **about, **options}
    batches = list(cams.compute(network, layer, head, images, **options))
    return cams.Batch(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


def assert_shown(
    coarse: NDArray[np.float32],
    expected: NDArray[np.float32],
    tolerance: float = 1e-5,
    method: str = "gradcam",
) -> None:
    assert (expected.max(axis=(1, 2)) > 0.5).any(), "maps of zeros prove nothing"
    assert apart(method, coarse, expected) <= tolerance


# Parity.


@pytest.mark.parametrize("architecture", THESIS)
def test_thesis_architectures_equal_the_library(architecture: str) -> None:
    images, size = pictures(4, 80), 96
    network, layer, head = network_of(architecture, images, size)
    assert head is not None
    for method in GRADIENT[:5]:
        expected = explained(method, network, layer, prepared(images, size))
        found = computed(network, layer, head, images, size, method=method)
        # XGrad-CAM divides by a channel's sum, which EfficientNet's SiLU brings near zero: there
        # the library differs from itself by as much, with another number of threads.
        divides = method == "xgradcam" and architecture == "efficientnet_b0"
        assert_shown(found.maps, expected, 1e-4 if divides else 1e-5)


@pytest.mark.parametrize("method", ["gradcam", "layercam"])
@pytest.mark.parametrize("architecture", THESIS)
def test_folded_batch_norms_move_no_more_than_rounding(architecture: str, method: str) -> None:
    images, size = pictures(4, 80), 96
    network, layer, head = network_of(architecture, images, size)
    expected = explained(method, network, layer, prepared(images, size))
    plain = computed(network, layer, head, images, size, method=method)
    folded = computed(network, layer, head, images, size, method=method, fold_batch_norm=True)
    assert_shown(folded.maps, expected, 4e-5)
    scale = np.abs(plain.logits).max()
    np.testing.assert_allclose(folded.logits, plain.logits, rtol=0, atol=2e-5 * scale)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_equals_the_library(method: str, channels: int) -> None:
    images, size = pictures(5, 16, channels), 32
    network, layer, head = network_of("small_cnn", images, size)
    expected = explained(method, network, layer, prepared(images, size))
    found = computed(network, layer, head, images, size, method=method).maps
    assert_shown(found, expected, method=method)


@pytest.mark.parametrize("method", SIGNLESS)
def test_the_sign_of_a_component_does_not_come_from_lapack(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, size = pictures(5, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    plain = computed(network, layer, head, images, size, method=method).maps

    def flipped(*given: Any, **options: Any) -> tuple[Any, ...]:
        u, s, vt = svd(*given, **options)
        return -u, s, -vt

    svd = np.linalg.svd
    monkeypatch.setattr(np.linalg, "svd", flipped)
    again = computed(network, layer, head, images, size, method=method).maps
    np.testing.assert_array_equal(again, plain)


@pytest.mark.parametrize("method", SIGNLESS)
def test_equivalent_networks_give_a_component_the_same_sign(method: str) -> None:
    """Channels in another order and three times as large, the class weights to match."""
    images, size = pictures(16, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    assert head is not None
    plain = computed(network, layer, head, images, size, method=method)
    order = torch.from_numpy(np.random.default_rng(3).permutation(head.in_features))
    layer.register_forward_hook(lambda _, __, output: 3 * output[:, order])
    with torch.no_grad():
        head.weight.copy_(head.weight[:, order] / 3)
    other = computed(network, layer, head, images, size, method=method)
    np.testing.assert_allclose(other.logits, plain.logits, rtol=0, atol=1e-4)
    factor = 3 if method == "eigencam" else 1
    np.testing.assert_allclose(other.maps, factor * plain.maps, rtol=0, atol=1e-4)


def test_a_component_is_high_where_what_is_decomposed_is() -> None:
    rising = torch.arange(6.0).reshape(1, 2, 3)
    wide = torch.tensor([[-1.0, 0.0, 0.0], [0.0, 0.0, 3.0]])[None]  # farthest from zero: 3
    for component, channels, expected in (
        (rising - 2.5, [rising, rising], rising - 2.5),
        (2.5 - rising, [rising, rising], rising - 2.5),
        (2.5 - rising, [-rising, -rising], 2.5 - rising),
        (wide, [rising, -rising], wide),  # channels that cancel
        (-wide, [rising, -rising], wide),
        (torch.zeros(1, 2, 3), [torch.ones(1, 2, 3)], torch.zeros(1, 2, 3)),
    ):
        found = cams._directed(component, torch.stack(channels, dim=1))
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("method", SIGNLESS)
@pytest.mark.parametrize("level", [0.0, 0.7])
def test_the_component_of_constant_activations_is_zero(method: str, level: float) -> None:
    images, size = pictures(2, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    layer.register_forward_hook(lambda _, __, output: torch.full_like(output, level))
    found = computed(network, layer, head, images, size, method=method).maps
    assert (maps.show(found, (size, size)) == 0).all()


def last_to_first(output: torch.Tensor) -> torch.Tensor:
    """The library's `reshape_transform` for a layer with its channels last."""
    return output.permute(0, 3, 1, 2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [None, "features.3.1.norm2"])
def test_every_method_equals_the_library_where_channels_are_last(
    name: str | None, method: str
) -> None:
    images, size = pictures(3, 24), 24
    torch.manual_seed(0)
    network = SwinTransformer([2, 2], 8, [2, 2], [2, 4], [4, 4], num_classes=10).eval()
    options: dict[str, Any] = {"reshape_transform": last_to_first}
    if method == "ablationcam":
        options["ablation_layer"] = AblationLayerVit()
    theirs = network.get_submodule(name or "norm")
    expected = explained(method, network, theirs, prepared(images, size), **options)
    _, layer = models.target_layer(network, name, (3, size, size))
    head = models.head(network, layer, (3, size, size))
    assert (head is None) == (name is not None)
    found = computed(network, layer, head, images, size, method=method).maps
    assert_shown(found, expected, method=method)


@pytest.mark.parametrize(
    ("architecture", "size", "asked", "name", "channels_last"),
    [
        ("swin_t", 64, None, "norm", True),
        ("swin_v2_t", 64, "features.7.1", "features.7.1", True),
        ("convnext_tiny", 64, None, "features.7.2", False),
        ("convnext_tiny", 64, "features.7.2.block.5", "features.7.2.block.5", True),
        ("squeezenet1_1", 64, None, "features.12", False),
    ],
)
def test_other_families_equal_the_library(
    architecture: str, size: int, asked: str | None, name: str, channels_last: bool
) -> None:
    images, methods = pictures(2, size), ("gradcam", "layercam")
    network = models.build(architecture, classes=10, channels=3, seed=0)
    network = settled(network, prepared(images, size))
    options = {"reshape_transform": last_to_first} if channels_last else {}
    theirs = network.get_submodule(name)
    expected = {
        method: explained(method, network, theirs, prepared(images, size), **options)
        for method in methods
    }
    found, layer = models.target_layer(network, asked, (3, size, size))
    assert found == name
    head = models.head(network, layer, (3, size, size))
    for method in methods:
        maps_of = computed(network, layer, head, images, size, method=method).maps
        assert_shown(maps_of, expected[method])


def tokens_to_map(output: torch.Tensor) -> torch.Tensor:
    """The library's `reshape_transform` for tokens of a square image after the prefix tokens."""
    side = math.isqrt(output.shape[1])
    image = output[:, output.shape[1] - side**2 :]
    return image.reshape(len(output), side, side, -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_equals_the_library_on_tokens(method: str) -> None:
    images, size = pictures(3, 32), 32
    torch.manual_seed(0)
    network = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=10,
    ).eval()  # fmt: skip
    nn.init.normal_(network.heads.head.weight)  # zero before training
    theirs: nn.Module = network.encoder.layers[-1].ln_1
    options = {"reshape_transform": tokens_to_map}
    name, layer = models.target_layer(network, None, (3, size, size))
    assert name == "encoder.layers.encoder_layer_1.ln_1"
    if method == "ablationcam":  # on tokens the library ablates the class token's channel too
        theirs, options = layer, {}
    expected = explained(method, network, theirs, prepared(images, size), **options)
    found = computed(network, layer, None, images, size, method=method).maps
    assert found.shape == (3, 4, 4)
    # Without a gradient torch has another kernel for attention, which rounds differently.
    assert_shown(found, expected, 1e-4 if method == "scorecam" else 1e-5, method)


@pytest.mark.parametrize("method", ["gradcam", "layercam"])
@pytest.mark.parametrize(
    ("name", "theirs", "transform"),
    [
        ("resnet18", "layer4.1", None),
        ("efficientnet_b0", "bn2", None),
        ("convnext_pico", "stages.3.blocks.1", None),
        ("swin_tiny_patch4_window7_224", "norm", last_to_first),
        ("vit_tiny_patch16_224", "blocks.11.norm1", tokens_to_map),
        ("deit_tiny_distilled_patch16_224", "blocks.11.norm1", tokens_to_map),
        ("mobilenetv3_small_100", "blocks.5.0", None),
        ("regnety_002", "s4.b7", None),
    ],
)
def test_networks_of_timm_equal_the_library(
    name: str, theirs: str, transform: Callable[[torch.Tensor], torch.Tensor] | None, method: str
) -> None:
    images, size = pictures(2, 224), 224
    network = models.build(f"timm:{name}", classes=10, channels=3, seed=0)
    network = settled(network, prepared(images, size)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    options = {} if transform is None else {"reshape_transform": transform}
    layer = network.get_submodule(theirs)
    expected = explained(method, network, layer, prepared(images, size), **options)
    _, layer = models.target_layer(network, None, (3, size, size))
    head = models.head(network, layer, (3, size, size))
    found = computed(network, layer, head, images, size, method=method).maps
    assert_shown(found, expected)


def test_cam_needs_pooling_of_the_tokens() -> None:
    images, size = pictures(1, 224), 224
    network, layer, head = network_of("timm:vit_tiny_patch16_224", images, size)
    with pytest.raises(CampareError, match=r"cam\.method.*global average pooling"):
        computed(network, layer, head, images, size, method="cam")


def test_any_class_can_be_explained() -> None:
    images, size = pictures(6, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    targets = np.array([3, 1, 4, 1, 5, 9])
    expected = explained("gradcam", network, layer, prepared(images, size), targets)
    found = computed(network, layer, head, images, size, targets=targets, batch_size=4)
    assert_shown(found.maps, expected)
    np.testing.assert_array_equal(found.targets, targets)


@pytest.mark.parametrize("method", ["gradcam", "layercam", "hirescam", "gradcam++"])
@pytest.mark.parametrize(
    ("architecture", "name"), [("resnet18", "layer3.0"), ("mobilenet_v3_small", None)]
)
def test_the_gradient_route_equals_the_library(
    architecture: str, name: str | None, method: str
) -> None:
    images, size = pictures(3, 64), 64
    network, layer, head = network_of(architecture, images, size, name)
    assert head is None
    expected = explained(method, network, layer, prepared(images, size))
    assert_shown(computed(network, layer, head, images, size, method=method).maps, expected)


@pytest.mark.parametrize("architecture", ["small_cnn_wide", *THESIS])
def test_both_routes_agree(architecture: str) -> None:
    images, size = pictures(3, 64), 64
    network, layer, head = network_of(architecture, images, size)
    assert head is not None
    known = computed(network, layer, head, images, size)
    differentiated = computed(network, layer, None, images, size)
    scale = np.abs(known.maps).max()
    np.testing.assert_allclose(known.maps, differentiated.maps, rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(known.logits, differentiated.logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ["small_cnn", *THESIS])
def test_signed_maps_equal_captums(architecture: str) -> None:
    from captum.attr import LayerGradCam

    images, size = pictures(3, 64), 64
    network, layer, head = network_of(architecture, images, size)
    unlikely = computed(network, layer, head, images, size).logits.argmin(axis=1)
    found = computed(network, layer, head, images, size, targets=unlikely)
    network.requires_grad_(True)
    explainer = LayerGradCam(network, layer)
    attributed = explainer.attribute(prepared(images, size), torch.from_numpy(unlikely))
    expected = attributed[:, 0].detach().numpy()
    assert found.maps.min() < 0
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.maps, expected, rtol=0, atol=1e-5 * scale)


def test_a_layer_that_is_written_over_keeps_its_own_output() -> None:
    """The SiLU after EfficientNet's last batch norm works in place; the library then reads it."""
    images, size = pictures(3, 64), 64
    network, layer, head = network_of("efficientnet_b0", images, size, "features.8.1")
    assert head is None
    found = {m: computed(network, layer, head, images, size, method=m).maps for m in GRADIENT[:5]}
    for module in network.modules():
        assert not getattr(module, "inplace", False)
    for method, coarse in found.items():
        assert_shown(coarse, explained(method, network, layer, prepared(images, size)))


def test_torchvisions_own_densenet_is_not_sound_in_the_library() -> None:
    """Which definition holds here: activations and gradients after the ReLU, as they are pooled.

    The library, at torchvision's `features` on the CPU, takes activations after the in-place
    ReLU but gradients before it: every channel's weight is cut to its share of positive places.
    """
    images, size = pictures(3, 64), 64
    network, layer, head = network_of("densenet121", images, size)
    assert head is not None
    stock = get_model("densenet121", weights=None, num_classes=10).eval()
    stock.load_state_dict(network.state_dict())
    stock = stock.to(memory_format=torch.channels_last)
    inputs = prepared(images, size)
    theirs = explained("gradcam", stock, stock.features, inputs)

    ours = computed(network, layer, head, images, size)
    with models.detached(layer) as outputs:
        network(inputs)
    activations = outputs[0].detach().numpy()
    weights = head.weight.detach().numpy()[ours.targets] / activations[0, 0].size
    shares = (activations > 0).mean(axis=(2, 3))
    cut = np.einsum("bk,bkhw->bhw", weights * shares, activations).astype(np.float32)
    assert_shown(cut, theirs)
    assert np.abs(maps.show(ours.maps, (size, size)) - theirs).max() > 1e-3


# Definitions.


def test_gradcam_is_the_cam_of_the_class_weights_over_its_positions() -> None:
    images, size = pictures(4, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    gradcam = computed(network, layer, head, images, size)
    cam = computed(network, layer, head, images, size, method="cam")
    np.testing.assert_allclose(cam.maps, 64 * gradcam.maps, rtol=1e-5, atol=1e-6)


def test_the_mean_of_a_cam_and_the_bias_make_the_score() -> None:
    """Zhou et al. 2016, equation 2: the score is the sum of the map, here over h·w."""
    images, size = pictures(4, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    assert head is not None
    cam = computed(network, layer, head, images, size, method="cam", targets=np.full(4, 7))
    scores = cam.maps.mean(axis=(1, 2)) + float(head.bias[7])
    np.testing.assert_allclose(scores, cam.logits[:, 7], rtol=0, atol=1e-5)


def test_cam_needs_pooling_and_a_linear_layer() -> None:
    images, size = pictures(2, 64), 64
    network, layer, head = network_of("mobilenet_v3_small", images, size)
    with pytest.raises(CampareError, match=r"cam\.method.*global average pooling"):
        computed(network, layer, head, images, size, method="cam")


def test_an_unknown_method_is_answered_with_what_there_is() -> None:
    images, size = pictures(2, 32), 32
    network, layer, head = network_of("small_cnn", images, size)
    with pytest.raises(CampareError, match=r"cam\.method.*gradcamm.*gradcam\+\+.*ablationcam"):
        computed(network, layer, head, images, size, method="gradcamm")


def test_the_registry_names_the_methods_tested_here() -> None:
    assert set(registry.CAM_METHODS) == {*METHODS, "cam", "input_gradient"}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("architecture", "size"), [("small_cnn", 24), ("two_conv", 28), ("mobilenet_v3_small", 64)]
)
def test_input_gradients_are_captums_saliency(architecture: str, size: int, channels: int) -> None:
    from captum.attr import Saliency

    images = pictures(5, 20, channels)
    network, layer, head = network_of(architecture, images, size)
    targets = np.array([3, 1, 4, 1, 5])
    found = computed(
        network, layer, head, images, size, method="input_gradient", targets=targets, batch_size=2
    )
    inputs = prepared(images, size).requires_grad_()
    attributed = Saliency(network).attribute(inputs, torch.from_numpy(targets), abs=True)
    expected = attributed.amax(dim=1).detach().numpy()
    assert found.maps.shape == (5, size, size)
    assert found.maps.dtype == np.float32
    np.testing.assert_allclose(found.maps, expected, rtol=0, atol=1e-5 * expected.max())
    np.testing.assert_allclose(found.logits, network(inputs).detach().numpy(), atol=1e-5)
    np.testing.assert_array_equal(found.targets, targets)


def test_input_gradients_of_a_linear_network_are_its_weights() -> None:
    images = pictures(3, 8, 1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    weights = network[1].weight.detach().numpy()
    found = computed(network, network[0], None, images, 8, method="input_gradient")
    expected = np.abs(weights[found.targets]).reshape(3, 8, 8)
    np.testing.assert_allclose(found.maps, expected, rtol=1e-6)


# How it is computed.


@pytest.mark.parametrize("method", [*METHODS, "cam"])
def test_maps_are_float32_of_the_layers_extent(method: str) -> None:
    images, size = pictures(3, 8), 16
    network, layer, head = network_of("small_cnn", images, size)
    found = computed(network, layer, head, images, size, method=method)
    assert [part.dtype for part in found] == [np.float32, np.float32, np.int64]
    assert [part.shape for part in found] == [(3, 4, 4), (3, 10), (3,)]
    assert np.isfinite(found.maps).all()


@pytest.mark.parametrize("route", ["known", "differentiated"])
def test_training_precision_does_not_reach_the_maps(route: str) -> None:
    images, size = pictures(3, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    head = head if route == "known" else None
    plain = computed(network, layer, head, images, size)
    with torch.autocast("cpu", torch.bfloat16):
        under_autocast = computed(network, layer, head, images, size)
    for a, b in zip(plain, under_autocast, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("route", ["known", "differentiated"])
def test_nothing_below_the_layer_is_differentiated(route: str) -> None:
    images, size = pictures(3, 32), 32
    network, layer, head = network_of("resnet18_cifar", images, size)
    head = head if route == "known" else None
    asked: list[bool] = []
    layer.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].requires_grad))
    computed(network, layer, head, images, size, method="layercam")
    assert asked == [False]
    assert all(weight.grad is None for weight in network.parameters())


def test_only_one_batch_is_computed_at_a_time() -> None:
    images, size = pictures(7, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    sizes: list[int] = []
    network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    batches = cams.compute(
        network, layer, head, images, mean=MEAN, std=STD, input_size=size, batch_size=3
    )
    assert sizes == []
    assert [len(next(batches).maps) for _ in range(2)] == [3, 3]
    assert sizes == [3, 3]
    assert len(next(batches).maps) == 1
    assert next(batches, None) is None


def test_batch_size_moves_no_more_than_rounding() -> None:
    images, size = pictures(7, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    whole = computed(network, layer, head, images, size, batch_size=7)
    parts = computed(network, layer, head, images, size, batch_size=2)
    np.testing.assert_allclose(parts.maps, whole.maps, rtol=0, atol=1e-6)
    np.testing.assert_allclose(parts.logits, whole.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", ["gradcam", "eigencam", "input_gradient"])
def test_two_runs_give_the_same_bits(method: str) -> None:
    images, size = pictures(5, 16), 32
    runs = []
    for _ in range(2):
        network, layer, head = network_of("small_cnn", images, size)
        runs.append(computed(network, layer, head, images, size, method=method))
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_predicted_classes_are_those_of_the_logits() -> None:
    images, size = pictures(5, 16), 32
    network, layer, head = network_of("small_cnn", images, size)
    found = computed(network, layer, head, images, size)
    np.testing.assert_array_equal(found.targets, found.logits.argmax(axis=1))
    with torch.no_grad():
        expected = network(prepared(images, size)).numpy()
    np.testing.assert_allclose(found.logits, expected, rtol=0, atol=1e-5)


# Which class is explained.

LABELS, INDEX = np.array([2, 0, 1]), np.array([10, 11, 15])


def baseline_store(index: NDArray[np.int64]) -> Store:
    logit = np.array([[1, 2, 0], [5, 2, 0], [1, 2, 9]], np.float32)
    empty = np.empty((3, 1, 1), np.float32)
    return Store(empty, logit, logit, LABELS, index, LABELS, {})


@pytest.mark.parametrize(
    ("policy", "expected"), [("predicted", None), ("true", LABELS), ("baseline", [1, 0, 2])]
)
def test_class_policy(policy: str, expected: object) -> None:
    chosen = cams.chosen_classes(policy, LABELS, INDEX, baseline_store(INDEX))
    if expected is None:
        assert chosen is None
    else:
        np.testing.assert_array_equal(chosen, expected)


def test_the_baseline_explains_its_own_prediction() -> None:
    assert cams.chosen_classes("baseline", LABELS, INDEX, None) is None


def test_a_baseline_store_of_other_images_is_refused() -> None:
    with pytest.raises(CampareError, match="other images"):
        cams.chosen_classes("baseline", LABELS, INDEX, baseline_store(INDEX + 1))


def test_scripts_run_networks_in_exact_float32() -> None:
    """In `cams.exact`, and not with torch's own context, in which a GPU uses TF32."""
    for script in Path(cams.__file__).parents[1].glob("*.py"):
        assert "inference_mode" not in script.read_text(), script.name
