"""Networks are torchvision's, their bits the seed's, their target layers the last maps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision.models import VisionTransformer, get_model, list_models
from torchvision.models.swin_transformer import SwinTransformer

from campare import models, registry
from campare.errors import CampareError

THESIS = ["efficientnet_b0", "resnet18", "densenet121"]
GENERATOR = torch.Generator().manual_seed(0)


def size_for(architecture: str) -> int:
    """The side of the pictures that a network is tried on."""
    return 28 if architecture == "two_conv" else 64


def pictures(count: int, channels: int, size: int) -> torch.Tensor:
    return torch.randn((count, channels, size, size), generator=GENERATOR)


def output(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    network.eval()
    with torch.inference_mode():
        result: torch.Tensor = network(inputs)
    return result


def network_of(architecture: str, seed: int = 0, channels: int = 3) -> nn.Module:
    return models.build(architecture, classes=10, channels=channels, seed=seed)


# Building.


@pytest.mark.parametrize("architecture", registry.ARCHITECTURES)
def test_bits_depend_on_the_seed_alone(architecture: str) -> None:
    torch.manual_seed(1)
    first = network_of(architecture, seed=5)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = network_of(architecture, seed=5)
    other = network_of(architecture, seed=6)
    assert torch.equal(torch.get_rng_state(), state)
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    weights = zip(first.parameters(), other.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in weights)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("architecture", registry.ARCHITECTURES)
def test_every_entry_gives_a_score_per_class(architecture: str, channels: int) -> None:
    network = models.build(architecture, classes=7, channels=channels, seed=0)
    assert network.training
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    scores = output(network, pictures(2, channels, size_for(architecture)))
    assert scores.shape == (2, 7)
    assert scores.isfinite().all()


@pytest.mark.parametrize("architecture", THESIS)
def test_weights_and_scores_are_torchvisions(architecture: str) -> None:
    ours = network_of(architecture, seed=3)
    torch.manual_seed(3)
    theirs = get_model(architecture, weights=None, num_classes=10)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, weight in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weight), name
    inputs = pictures(2, 3, 64)
    assert torch.equal(output(ours, inputs), output(theirs, inputs))


@pytest.mark.parametrize("architecture", THESIS)
def test_grey_pictures_are_seen_as_grey_rgb_pictures(architecture: str) -> None:
    grey = pictures(2, 1, 64)
    seen = output(network_of(architecture, channels=1), grey)
    as_rgb = output(network_of(architecture), grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(seen, as_rgb, rtol=1e-4, atol=1e-4 * float(as_rgb.abs().max()))


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "googlenet"])
def test_any_torchvision_classifier_can_be_named_and_trained(name: str) -> None:
    scores = network_of(name, channels=1)(pictures(2, 1, 64))
    assert scores.shape == (2, 10)


def test_an_unknown_architecture_is_answered_with_what_there_is() -> None:
    with pytest.raises(CampareError, match=r"'resnet19'.*small_cnn.*torchvision.*resnet34"):
        network_of("resnet19")


def test_the_posters_network_is_two_convolutions_and_a_linear_layer() -> None:
    layers = [m for m in network_of("two_conv", channels=1).modules() if not list(m.children())]
    weighted = [layer for layer in layers if list(layer.parameters())]
    assert [type(layer) for layer in weighted] == [nn.Conv2d, nn.Conv2d, nn.Linear]
    weights = sum(weight.numel() for layer in weighted for weight in layer.parameters())
    assert weights == (25 + 1) * 16 + (25 * 16 + 1) * 32 + (7 * 7 * 32 + 1) * 10


@pytest.mark.parametrize("side", [16, 32, 64])
def test_the_posters_network_says_what_size_it_is_for(side: int) -> None:
    with pytest.raises(CampareError, match=r"model\.input_size: two_conv needs 28 px.*small_cnn"):
        models.target_layer(network_of("two_conv"), None, (3, side, side))


# Target layers.


def map_of(architecture: str, size: int, channels: int = 3) -> tuple[str, torch.Tensor]:
    """The default target layer's name and output."""
    network = network_of(architecture, channels=channels).eval()
    name, layer = models.target_layer(network, None, (channels, size, size))
    assert network.get_submodule(name) is layer
    with models.detached(layer) as outputs:
        network(pictures(1, channels, size))
    return name, outputs[0]


@pytest.mark.parametrize(
    ("architecture", "size", "name", "extent"),
    [
        ("small_cnn", 32, "features", 8),
        ("small_cnn_wide", 32, "features", 8),
        ("two_conv", 28, "features", 7),
        ("fashion_cnn", 28, "features", 5),
        ("fashion_cnn_third", 28, "features", 3),
        ("resnet18_cifar", 32, "layer4.1", 4),
        ("cifar_cnn", 32, "blocks.2", 7),
        ("resnet18", 96, "layer4.1", 3),
    ],
)
def test_default_target_is_the_last_convolutional_block(
    architecture: str, size: int, name: str, extent: int
) -> None:
    found, output = map_of(architecture, size)
    assert found == name
    assert output.shape[2:] == (extent, extent)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_layer_of_cifar_cnn_whitens_patches(channels: int) -> None:
    network = network_of("cifar_cnn", channels=channels)
    images = pictures(64, channels, 32)
    images = images + images.roll(1, 3) + images[:, :1]  # neighbours and channels correlate
    with torch.no_grad():
        network.initialise(images)  # type: ignore[operator]
    filters = network.get_parameter("whitening.weight")
    responses = F.conv2d(images, filters).detach()
    count = 4 * channels
    torch.testing.assert_close(responses[:, :count], -responses[:, count:])
    rows = responses[:, :count].transpose(0, 1).flatten(1)
    products = rows @ rows.T / rows.shape[1]
    torch.testing.assert_close(products, torch.eye(count).to(products), rtol=0, atol=0.05)
    assert not filters.requires_grad


@pytest.mark.parametrize(
    ("architecture", "parameters"), [("fashion_cnn", 19_466), ("fashion_cnn_deep", 394_890)]
)
def test_decks_networks_have_the_decks_parameters(architecture: str, parameters: int) -> None:
    network = network_of(architecture, channels=1)
    assert sum(weight.numel() for weight in network.parameters()) == parameters


def test_decks_deeper_network_has_the_decks_extents() -> None:
    network = network_of("fashion_cnn_deep", channels=1).eval()
    outputs = models._outputs(network, (1, 28, 28))
    sizes = {output.name: tuple(output.size[1:]) for output in outputs}
    assert [sizes[f"features.{place}"] for place in (0, 2, 3, 5, 6, 8, 9, 11, 12)] == [
        *((16, 28, 28), (16, 14, 14)),
        *((32, 14, 14), (32, 7, 7)),
        *((64, 7, 7), (64, 3, 3)),
        *((128, 3, 3), (128, 1, 1)),
        (256, 1, 1),
    ]
    assert models.last_map(network, (1, 28, 28)) == "features.10"


def test_no_layer_with_extent_is_an_error() -> None:
    with pytest.raises(CampareError, match="single pixel"):
        models.last_map(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)), (1, 8, 8))


def test_densenets_target_is_what_is_pooled() -> None:
    """The ReLU after `features` is part of it."""
    network = network_of("densenet121").eval()
    _, layer = models.target_layer(network, None, (3, 64, 64))
    with models.detached(layer) as outputs:
        scores = network(pictures(2, 3, 64))
    assert outputs[0].min() == 0
    pooled = outputs[0].mean(dim=(2, 3))
    torch.testing.assert_close(network.classifier(pooled), scores)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("layer4.7", r"no layer 'layer4\.7'.*did you mean 'layer4\.\d'.*layer4\.1"),
        ("", "no layer ''"),
        ("fc", "'fc' is not a map"),
        (
            "avgpool",
            r"^cam\.target_layer: .*'avgpool' is a single pixel at 64 px \(.*input_size\)",
        ),
        ("layer4.1.relu", "runs 2 times.*set it to the block"),
    ],
)
def test_a_layer_that_gives_no_map_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(CampareError, match=complaint):
        models.target_layer(network_of("resnet18"), name, (3, 64, 64))


class Shared(nn.Module):
    """A network with one ReLU for all of its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 3)
        self.relu, self.classifier = nn.ReLU(), nn.Linear(8, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        maps = self.relu(self.second(self.relu(self.first(inputs))))
        return self.classifier(maps.mean(dim=(2, 3)))


def test_a_shared_activation_is_not_the_default_layer() -> None:
    assert models.target_layer(Shared(), None, (3, 16, 16))[0] == "second"


def test_a_named_layer_is_found() -> None:
    network = network_of("resnet18")
    found = models.target_layer(network, "layer3.0.conv1", (3, 64, 64))
    assert found == ("layer3.0.conv1", network.get_submodule("layer3.0.conv1"))


# Every torchvision classifier: the target layer at 224 px and its extent.
AT_224 = {
    ("features", 6): "alexnet",
    ("features.7.2", 7): "convnext_tiny convnext_small convnext_base convnext_large",
    ("features", 7): (
        "densenet121 densenet161 densenet169 densenet201 "
        "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn"
    ),
    ("features.8", 7): (
        "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 "
        "efficientnet_b5 efficientnet_b6 efficientnet_b7 efficientnet_v2_m efficientnet_v2_l"
    ),
    ("features.7", 7): "efficientnet_v2_s",
    ("inception5b", 7): "googlenet",
    ("Mixed_7c", 5): "inception_v3",
    ("blocks.3", 7): "maxvit_t",
    ("layers", 7): "mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3",
    ("features.18", 7): "mobilenet_v2",
    ("features.16", 7): "mobilenet_v3_large",
    ("features.12", 7): "mobilenet_v3_small",
    ("trunk_output.block4.block4-0", 7): (
        "regnet_x_8gf regnet_x_16gf regnet_x_32gf regnet_y_3_2gf regnet_y_8gf regnet_y_16gf "
        "regnet_y_32gf regnet_y_128gf"
    ),
    ("trunk_output.block4.block4-1", 7): (
        "regnet_x_1_6gf regnet_x_3_2gf regnet_y_800mf regnet_y_1_6gf"
    ),
    ("trunk_output.block4.block4-4", 7): "regnet_x_800mf",
    ("trunk_output.block4.block4-5", 7): "regnet_y_400mf",
    ("trunk_output.block4.block4-11", 7): "regnet_x_400mf",
    ("layer4.1", 7): "resnet18",
    ("layer4.2", 7): (
        "resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d "
        "wide_resnet50_2 wide_resnet101_2"
    ),
    ("conv5", 7): "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0",
    # Not `classifier.2`, class scores of every position, half of them zero.
    ("features.12", 13): "squeezenet1_0 squeezenet1_1",
    ("norm", 7): "swin_t swin_s swin_b swin_v2_t swin_v2_s swin_v2_b",
    ("encoder.layers.encoder_layer_11.ln_1", 14): "vit_b_16",
    ("encoder.layers.encoder_layer_11.ln_1", 7): "vit_b_32",
    ("encoder.layers.encoder_layer_23.ln_1", 14): "vit_l_16",
    ("encoder.layers.encoder_layer_23.ln_1", 7): "vit_l_32",
    ("encoder.layers.encoder_layer_31.ln_1", 16): "vit_h_14",
}
EVERY = {name: found for found, names in AT_224.items() for name in names.split()}
TRANSFORMERS = [name for name in EVERY if name.startswith("vit_")]
# The last ReLU, where 32 px are 2×2: a pooling to one position follows.
VGG_AT_32 = {
    **{"vgg11": 19, "vgg11_bn": 27, "vgg13": 23, "vgg13_bn": 33},
    **{"vgg16": 29, "vgg16_bn": 42, "vgg19": 35, "vgg19_bn": 51},
}
# What the others say at 32 px, if not that the last block is a single pixel and 40 px are enough.
SINGLE, NO_RUN = "the last block is a single pixel", "does not run on images of 32 px"
AT_32 = {
    **{name: (SINGLE, 64) for name in EVERY if name.startswith(("convnext", "densenet"))},
    **{"alexnet": (NO_RUN, 64), "inception_v3": (NO_RUN, 128), "maxvit_t": (NO_RUN, 224)},
    "googlenet": (SINGLE, 48),
}


@pytest.fixture
def shapes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are built and run for the shapes of their outputs, in a tenth of the time."""

    def unchanged(first: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        return first

    for name in [name for name in dir(nn.init) if name.endswith("_") and name[0] != "_"]:
        monkeypatch.setattr(nn.init, name, unchanged)
        if hasattr(nn.modules.activation, name):
            monkeypatch.setattr(nn.modules.activation, name, unchanged)
    for name in ("batch_norm", "layer_norm", "dropout", "gelu", "hardsigmoid", "hardswish"):
        monkeypatch.setattr(nn.functional, name, unchanged)
    for name in ("hardtanh", "relu", "silu"):
        monkeypatch.setattr(nn.functional, name, unchanged)


def shapes_of(architecture: str) -> nn.Module:
    return models.torchvision_classifier(architecture, 10, 3).to("meta").eval()


def extent_of(network: nn.Module, name: str | None, size: int) -> tuple[str, tuple[int, ...]]:
    """The target layer and its extent."""
    found, layer = models.target_layer(network, name, (3, size, size))
    sizes: list[torch.Size] = []
    handle = layer.register_forward_hook(lambda _, __, output: sizes.append(output.shape))
    network(torch.empty(1, 3, size, size, device=next(network.parameters()).device))
    handle.remove()
    return found, tuple(sizes[0][2:])


def test_the_table_has_every_classifier_of_torchvision() -> None:
    assert sorted(EVERY) == sorted(list_models(torchvision.models))
    assert sorted(EVERY) == sorted(registry.torchvision_classifiers())


@pytest.mark.usefixtures("shapes_alone")
@pytest.mark.parametrize("architecture", [name for name in EVERY if name not in TRANSFORMERS])
def test_every_classifier_has_a_map_or_says_why_not(architecture: str) -> None:
    network, (layer, side) = shapes_of(architecture), EVERY[architecture]
    if architecture in VGG_AT_32:
        expected = f"features.{VGG_AT_32[architecture]}"
        assert extent_of(network, None, 32) == (expected, (2, 2))
    else:
        why, enough = AT_32.get(architecture, (SINGLE, 40))
        message = rf"^model\.input_size: .*{why}.*; set it to {enough} or .*resnet18_cifar"
        with pytest.raises(CampareError, match=message):
            models.target_layer(network, None, (3, 32, 32))
    assert extent_of(network, None, 224) == (layer, (side, side))


@pytest.mark.parametrize("architecture", TRANSFORMERS)
def test_the_map_of_a_vision_transformer_is_its_tokens_before_the_last_attention(
    architecture: str,
) -> None:
    """The last block decides it; all of them would take seconds."""
    with torch.device("meta"):
        network = models.torchvision_classifier(architecture, 10, 3)
        network.encoder.layers = network.encoder.layers[-1:]
    network.to_empty(device="cpu")
    for name, weight in network.named_parameters():
        nn.init.constant_(weight, 1) if "ln" in name else nn.init.normal_(weight, std=0.05)
    layer, side = EVERY[architecture]
    message = r"^model\.input_size: .*does not run on images of 32 px.*; set it to 224"
    with pytest.raises(CampareError, match=message):
        models.target_layer(network, None, (3, 32, 32))
    assert extent_of(network, None, 224) == (layer, (side, side))


@pytest.mark.usefixtures("shapes_alone")
@pytest.mark.parametrize(
    ("architecture", "size", "name", "extent"),
    [
        ("alexnet", 63, "features.11", 3),
        ("convnext_tiny", 64, "features.7.2", 2),
        ("googlenet", 48, "inception5b", 2),
        ("inception_v3", 107, "Mixed_7c", 2),
        ("squeezenet1_0", 40, "features.12", 2),
        ("swin_t", 40, "norm", 2),
        ("swin_v2_t", 40, "norm", 2),
        ("vgg11", 64, "features", 2),
    ],
)
def test_smallest_sizes_with_a_map(architecture: str, size: int, name: str, extent: int) -> None:
    assert extent_of(shapes_of(architecture), None, size) == (name, (extent, extent))


@pytest.mark.usefixtures("shapes_alone")
@pytest.mark.parametrize(
    ("architecture", "size", "complaint"),
    [
        ("alexnet", 62, "does not run on images of 62 px"),
        ("inception_v3", 74, "does not run on images of 74 px"),
        ("inception_v3", 106, "single pixel"),
        ("maxvit_t", 192, "does not run on images of 192 px"),
        ("squeezenet1_1", 8, "does not run on images of 8 px"),
        ("swin_t", 16, "single pixel"),
        ("vgg11", 16, "does not run on images of 16 px"),
    ],
)
def test_smaller_ones_are_refused(architecture: str, size: int, complaint: str) -> None:
    with pytest.raises(CampareError, match=rf"^model\.input_size: .*{complaint}"):
        models.target_layer(shapes_of(architecture), None, (3, size, size))


@pytest.mark.parametrize("architecture", ["fashion_cnn", "fashion_cnn_deep"])
def test_own_networks_say_what_size_they_need(architecture: str) -> None:
    message = r"^model\.input_size: .* run on images of 8 px \(.*\); set it to \d\d or"
    with pytest.raises(CampareError, match=message):
        models.target_layer(network_of(architecture), None, (3, 8, 8))
    with pytest.raises(CampareError, match=message):
        models.check_forward(network_of(architecture), (3, 8, 8))


@pytest.mark.usefixtures("shapes_alone")
@pytest.mark.parametrize(
    ("architecture", "size", "name", "channels"),
    [
        ("swin_t", 64, "features.7.1.norm2", 3),
        ("swin_t", 64, "features.7", 3),
        ("swin_t", 64, "permute", 1),
        ("swin_t", 384, "features.0", 3),  # 96×96×96
        ("convnext_tiny", 64, "features.7.2.block.0", 1),
        ("convnext_tiny", 64, "features.7.2.block.5", 3),
        ("convnext_tiny", 384, "features.1.0.block.2", 3),  # 96×96×96
        ("maxvit_t", 224, "blocks.0.layers.0.layers.MBconv", 1),
        # 49 windows of 64 positions, 64 channels each.
        ("maxvit_t", 224, "blocks.0.layers.0.layers.grid_attention.partition_op", None),
        ("maxvit_t", 224, "blocks.0.layers.0.layers.window_attention.partition_op", None),
        ("vit_b_16", 224, "conv_proj", 1),
        ("vgg11", 32, "avgpool", None),  # 49 times the same position
    ],
)
def test_which_axis_has_the_channels(
    architecture: str, size: int, name: str, channels: int | None
) -> None:
    outputs = models._outputs(shapes_of(architecture), (3, size, size))
    assert [found.channels for found in outputs if found.name == name] == [channels]


class Attention(nn.Module):
    """What a transformer may have as layers: a map of pairs of tokens, and tokens of heads."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.pairs, self.heads = nn.Conv2d(3, 8, 4, 4), nn.Dropout(), nn.LayerNorm(4)
        self.classifier = nn.Linear(8, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(inputs).flatten(2).transpose(1, 2)
        heads = self.heads(tokens.unflatten(2, (2, 4)).transpose(1, 2))
        pairs = self.pairs((heads @ heads.transpose(2, 3)).softmax(dim=3))
        return self.classifier((pairs @ heads).transpose(1, 2).flatten(2).mean(dim=1))


@pytest.mark.parametrize("name", ["pairs", "heads"])
def test_axes_of_tokens_are_not_the_pictures(name: str) -> None:
    with pytest.raises(CampareError, match=f"'{name}' is not a map of the image.*patches"):
        models.target_layer(Attention(), name, (3, 32, 32))


def small_swin() -> nn.Module:
    torch.manual_seed(0)
    return SwinTransformer([2, 2], 8, [2, 2], [2, 4], [4, 4], num_classes=10).eval()


@pytest.mark.parametrize("name", [None, "features.2", "features.3.1.norm2"])
def test_channels_last_are_put_first_and_scores_stay(name: str | None) -> None:
    network, inputs = small_swin(), pictures(2, 3, 24)
    scores = output(network, inputs)
    seen: list[torch.Tensor] = []
    found = name or "norm"
    network.get_submodule(found).register_forward_hook(lambda _, __, output: seen.append(output))
    assert models.target_layer(small_swin(), name, (3, 24, 24))[0] == found
    _, layer = models.target_layer(network, name, (3, 24, 24))
    with models.detached(layer) as outputs:
        again = network(inputs)
    assert torch.equal(again, scores)
    assert outputs[0].shape == (2, 16, 6, 6)
    assert torch.equal(outputs[0], seen[-1].permute(0, 3, 1, 2))
    assert (models.head(network, layer, (3, 24, 24)) is not None) == (name is None)


# Tokens.


def small_vit() -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=10,
    ).eval()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "encoder.layers.encoder_layer_1.ln_1"),
        ("encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_0"),
    ],
)
def test_tokens_are_a_grid_without_the_class_token_and_scores_stay(
    name: str | None, expected: str
) -> None:
    network, inputs = small_vit(), pictures(2, 3, 32)
    nn.init.normal_(network.heads.head.weight)  # zero before training
    scores = output(network, inputs)
    seen: list[torch.Tensor] = []
    layer = network.get_submodule(expected)
    layer.register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    found, layer = models.target_layer(network, name, (3, 32, 32))
    assert found == expected
    with models.detached(layer) as outputs:
        # torch computes attention by another kernel if a gradient is needed.
        torch.testing.assert_close(network(inputs), scores)
    assert outputs[0].shape == (2, 16, 4, 4)
    for row, column in ((0, 0), (0, 3), (2, 1)):
        token = seen[-1][:, 1 + 4 * row + column]
        assert torch.equal(outputs[0][:, :, row, column], token)
    assert models.head(network, layer, (3, 32, 32)) is None
    nn.init.zeros_(network.heads.head.weight)
    assert models.head(network, layer, (3, 32, 32)) is None


@pytest.mark.parametrize("name", ["encoder", "encoder.layers.encoder_layer_1.mlp"])
def test_tokens_that_the_scores_do_not_depend_on_are_refused(name: str) -> None:
    message = rf"^cam\.target_layer: .*do not depend on .*'{name}'.*is .*encoder_layer_1\.ln_1"
    with pytest.raises(CampareError, match=message):
        models.target_layer(small_vit(), name, (3, 32, 32))


def test_the_last_map_of_a_vision_transformer_is_one_that_counts() -> None:
    network = small_vit()
    assert models.last_map(network, (3, 32, 32)) == "encoder.layers.encoder_layer_1.ln_1"


class Shuffled(nn.Module):
    """A network whose tokens, after a pooling of pairs, are no grid of its patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)
        self.classifier = nn.Linear(8, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(inputs).flatten(2).transpose(1, 2)
        return self.classifier(self.norm(tokens[:, ::2]).mean(dim=1))


def test_tokens_that_are_no_grid_are_refused() -> None:
    with pytest.raises(CampareError, match=r"^model\.architecture: .*not a grid of the image"):
        models.target_layer(Shuffled(), None, (3, 32, 32))


# timm.

# Name in timm: target layer and its extent at 224 px, number of tokens without a position, and
# whether a linear layer follows the pooling.
TIMM = {
    "resnet18": ("layer4.1", 7, True),
    "efficientnet_b0": ("bn2", 7, True),
    "convnext_pico": ("stages.3", 7, False),
    "swin_tiny_patch4_window7_224": ("norm", 7, True),
    "vit_tiny_patch16_224": ("blocks.11.norm1", 14, False),
    "deit_tiny_patch16_224": ("blocks.11.norm1", 14, False),
    "deit_tiny_distilled_patch16_224": ("blocks.11.norm1", 14, False),
    "vit_wee_patch16_reg1_gap_256": ("blocks.13", 16, False),
    "mobilenetv3_small_100": ("blocks.5.0", 7, False),
    "regnety_002": ("s4", 7, True),
}


@pytest.mark.parametrize("name", TIMM)
def test_networks_of_timm_have_their_target_layers(name: str) -> None:
    layer, side, linear = TIMM[name]
    size = 256 if "256" in name else 224
    network = models.build(f"timm:{name}", classes=10, channels=1, seed=0)
    found, module = models.target_layer(network, None, (1, size, size))
    with models.detached(module) as outputs:
        assert output(network, pictures(2, 1, size)).shape == (2, 10)
    assert (found, tuple(outputs[0].shape[2:])) == (layer, (side, side))
    assert (models.head(network, module, (1, size, size)) is not None) == linear


def test_networks_of_timm_are_timms_and_their_bits_the_seeds() -> None:
    import timm

    ours = network_of("timm:mobilenetv3_small_050.lamb_in1k", seed=3)
    torch.manual_seed(3)
    theirs = timm.create_model("mobilenetv3_small_050", num_classes=10)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, weight in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weight), name


def test_batch_norms_of_timm_with_an_activation_are_not_folded_away() -> None:
    network = network_of("timm:mobilenetv3_small_050")
    _, layer = models.target_layer(network, None, (3, 64, 64))
    inputs = pictures(2, 3, 64)
    before = output(network, inputs)
    models.fold_batch_norms(network, layer)
    torch.testing.assert_close(output(network, inputs), before)


# The linear head.


@pytest.mark.parametrize(
    "architecture",
    [
        # Neither averages its last maps.
        *(name for name in registry.ARCHITECTURES if name not in ("two_conv", "cifar_cnn")),
        *("mobilenet_v2", "shufflenet_v2_x0_5", "regnet_y_400mf"),
    ],
)
def test_pooling_and_a_linear_layer_are_recognised(architecture: str) -> None:
    network = network_of(architecture)
    _, layer = models.target_layer(network, None, (3, 64, 64))
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    assert models.head(network, layer, (3, 64, 64)) is last


@pytest.mark.parametrize(
    "architecture",
    ["two_conv", "cifar_cnn", "mobilenet_v3_small", "squeezenet1_1", "convnext_tiny"],
)
def test_anything_else_is_not(architecture: str) -> None:
    network, side = network_of(architecture), size_for(architecture)
    _, layer = models.target_layer(network, None, (3, side, side))
    assert models.head(network, layer, (3, side, side)) is None


@pytest.mark.parametrize("name", ["layer4.0", "layer4.1.bn2", "layer1.0"])
def test_an_earlier_layer_has_no_linear_head(name: str) -> None:
    network = network_of("resnet18")
    _, layer = models.target_layer(network, name, (3, 64, 64))
    assert models.head(network, layer, (3, 64, 64)) is None


def test_torchvisions_own_densenet_has_none_at_features() -> None:
    """A ReLU outside of any module lies between `features` and the pooling."""
    network = get_model("densenet121", weights=None, num_classes=10)
    assert models.head(network, network.features, (3, 64, 64)) is None


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(
    ("architecture", "name", "left"),
    [
        ("small_cnn", None, 0),
        ("resnet18", None, 0),
        ("efficientnet_b0", None, 0),
        # Its norms stand before the convolutions, and fold into what comes before them.
        ("densenet121", None, 121 - 59),
        # What the layer gives must stay: a convolution's output before its norm, and a norm's.
        ("resnet18", "layer4.1.conv2", 1),
        ("resnet18", "layer4.1.bn2", 1),
        ("small_cnn", "features.0", 1),
    ],
)
def test_batch_norms_fold_where_nobody_sees_it(
    architecture: str, name: str | None, left: int
) -> None:
    network = models.build(architecture, classes=5, channels=3, seed=0)
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                assert norm.running_mean is not None and norm.running_var is not None
                for values in (norm.weight, norm.running_var):
                    values.uniform_(0.5, 1.5)
                for values in (norm.bias, norm.running_mean):
                    values.uniform_(-0.1, 0.1)
    _, layer = models.target_layer(network, name, (3, 64, 64))
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def outputs() -> list[torch.Tensor]:
        seen: list[torch.Tensor] = []
        handle = layer.register_forward_hook(lambda _, __, output: seen.append(output.clone()))
        with torch.inference_mode():
            seen.append(network.eval()(inputs))
        handle.remove()
        return seen

    before, all_of_them = outputs(), norms(network)
    assert models.fold_batch_norms(network, layer) == all_of_them - left
    assert norms(network) == left
    for one, other in zip(before, outputs(), strict=True):
        assert (one - other).abs().max() <= 1e-5 * one.abs().max()


def test_a_convolution_that_others_read_keeps_its_batch_norm() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
            self.shared = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.convolution(x)
            x = x + self.norm(x)
            return self.shared(self.shared(x))

    network = Twice()
    assert models.fold_batch_norms(network, network.shared) == 0


def test_a_network_that_cannot_be_traced_is_left_alone() -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x) if x.sum() > 0 else x

    network = Branching()
    assert models.fold_batch_norms(network, network.layers) == 0
    assert norms(network) == 1


def test_looking_at_a_network_leaves_it_as_it_was() -> None:
    network = network_of("resnet18")
    network.layer1.eval()
    network.conv1.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    asking = [weight.requires_grad for weight in network.parameters()]
    _, layer = models.target_layer(network, None, (3, 64, 64))
    models.head(network, layer, (3, 64, 64))
    assert [module.training for module in network.modules()] == modes
    assert [weight.requires_grad for weight in network.parameters()] == asking
    assert all(torch.equal(network.state_dict()[name], t) for name, t in before.items())
    assert not any(module._forward_hooks for module in network.modules())


# Weights on disk.


def saved(path: Path, architecture: str = "small_cnn", channels: int = 3) -> nn.Module:
    network = network_of(architecture, seed=9, channels=channels)
    save_file(network.state_dict(), path, {"campare": json.dumps({"mean": [0.5]})})
    return network


def test_weights_come_back_with_what_was_noted(tmp_path: Path) -> None:
    path = tmp_path / "0.safetensors"
    network = saved(path)
    loaded, about = models.load(path, "small_cnn", classes=10, channels=3)
    assert about == {"mean": [0.5]}
    assert not loaded.training
    inputs = pictures(2, 3, 32)
    assert torch.equal(output(loaded, inputs), output(network, inputs))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_named(tmp_path: Path, share: float) -> None:
    path = tmp_path / "0.safetensors"
    saved(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CampareError, match=r"0\.safetensors.*move it away and run snakemake again"):
        models.load(path, "small_cnn", classes=10, channels=3)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"none\.safetensors"):
        models.load(tmp_path / "none.safetensors", "small_cnn", classes=10, channels=3)


def test_a_file_of_someone_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "0.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(CampareError, match=r"0\.safetensors"):
        models.load(path, "small_cnn", classes=10, channels=3)


@pytest.mark.parametrize(
    ("architecture", "classes", "channels"),
    [("small_cnn_wide", 10, 3), ("small_cnn", 11, 3), ("small_cnn", 10, 1)],
)
def test_weights_of_another_network_are_named(
    tmp_path: Path, architecture: str, classes: int, channels: int
) -> None:
    path = tmp_path / "0.safetensors"
    saved(path)
    with pytest.raises(CampareError, match=rf"0\.safetensors: not the weights of {architecture}"):
        models.load(path, architecture, classes=classes, channels=channels)
