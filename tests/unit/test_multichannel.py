"""Images with another number of channels than one or three: read, augmented, trained on, drawn."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import jinja2
import numpy as np
import pytest
import torch
import yaml
from torch import nn
from torchvision.models import get_model

import early_checks
from campare import (
    config,
    data,
    display,
    duplicates,
    explorer_images,
    models,
    multichannel,
    pretrained,
    registry,
    user_code,
    virelay,
)
from campare.augment import Augmenter, Batch
from campare.errors import CampareError
from campare.preprocess import normalisation

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(5)
LEVELS = RNG.integers(0, 4096, (12, 20, 30, 5), dtype=np.uint16)
LABELS = np.arange(12) % 2
WINDOW = [0, 4095]
MINE = """
import numpy as np
from campare.data import Dataset


def spectral(root, channels: int = 6):
    images = np.random.default_rng(0).integers(0, 256, (12, 20, 30, channels), dtype=np.uint8)
    return Dataset(images, np.arange(12) % 2, ("a", "b"), None)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, images=LEVELS, labels=LABELS)
    return path


def read(path: Path, **changed: Any) -> data.Dataset:
    settings: dict[str, Any] = {"size": None, "fit": "crop", "channels": None, **changed}
    return data.load("arrays", root=str(path), **settings)


def study(path: Path | str, **changed: Any) -> dict[str, Any]:
    """A study of arrays; a changed key is written with __ in place of dots."""
    made: dict[str, Any] = {
        "study": "s",
        "data": {"name": "arrays", "root": str(path)},
        "model": {"architecture": "small_cnn", "input_size": 16},
        "augmentations": {"affine": {}},
    }
    for key, value in changed.items():
        *above, last = key.split("__")
        place = made
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    return made


@pytest.mark.parametrize("count", [2, 4, 5, 17])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_channels_are_kept_and_resized_as_those_of_rgb_images(
    tmp_path: Path, count: int, fit: str
) -> None:
    images = RNG.integers(0, 256, (4, 20, 30, count), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=LABELS[:4])
    found = read(tmp_path / "set.npz", size=12, fit=fit).images
    assert found.shape == (4, 12, 12, count)
    of_rgb = np.stack([data._pixels(image[..., [0, 1, 1]], "RGB", 12, fit)[0] for image in images])
    assert np.array_equal(found[..., :2], of_rgb[..., :2])
    square = images[:, :20, :20]
    np.savez(tmp_path / "set.npz", images=square, labels=LABELS[:4])
    assert np.array_equal(read(tmp_path / "set.npz").images, square)


def test_equal_channels_do_not_become_grey(tmp_path: Path) -> None:
    images = np.repeat(RNG.integers(0, 256, (4, 8, 8, 1), dtype=np.uint8), 4, axis=3)
    np.savez(tmp_path / "set.npz", images=images, labels=LABELS[:4])
    assert np.array_equal(read(tmp_path / "set.npz", channels=4).images, images)


def test_a_window_for_all_channels_or_for_each(file: Path) -> None:
    one = read(file, size=20, window=WINDOW)
    expected = np.rint(LEVELS / 4095 * 255).astype(np.uint8)
    assert np.array_equal(one.images, read_bytes(expected))
    high = [100, 1000, 2000, 4000, 4095]
    each = read(file, size=20, window=[[10, top] for top in high])
    share = (LEVELS - 10.0) / (np.array(high) - 10)
    assert np.array_equal(each.images, read_bytes(np.rint(255 * share.clip(0, 1))))


def read_bytes(levels: np.ndarray) -> np.ndarray:
    """Levels (N, 20, 30, C) as they are resized to 20×20: their middle columns."""
    return levels[:, :, 5:25].astype(np.uint8)


def test_the_config_check_completes_such_studies_and_leaves_others_as_they_were(
    file: Path, tmp_path: Path
) -> None:
    complete = config.complete(study(file, data__window=WINDOW), "s")["data"]
    assert complete["channels"] == 5 and complete["shown"] == [0, 1, 2]
    assert config.complete(study(file, data__shown=[4]), "s")["data"]["shown"] == [4]
    for number in (1, 2, 3):
        path = tmp_path / f"{number}.npz"
        np.savez(path, images=LEVELS[..., :number], labels=LABELS)
        complete = config.complete(study(path, data__window=[WINDOW] * number), "s")["data"]
        assert complete["channels"] == (2 if number == 2 else None)
        assert complete.get("shown") == ([0] if number == 2 else None)
    assert "shown" not in config.complete({**study(""), "data": {"name": "digits"}}, "s")["data"]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "channels": ({"data__channels": 3}, r"data.channels: 3, but the images of .*set.npz have 5"),
    "shown": (
        {"data__shown": [0, 5, 1]},
        r"data.shown: \[0, 5, 1\]: there is no channel 5; .*0 to 4",
    ),
    "two shown": ({"data__shown": [0, 1]}, r"data.shown: \[0, 1\]: 2 channels; write \[r, g, b\]"),
    "a number": ({"data__shown": 1}, r"data.shown: 1; must be \[r, g, b\] or \[c\]"),
    "windows": ({"data__window": [WINDOW] * 4}, "data.window: 4 windows, .* have 5 channel"),
    "window": (
        {"data__window": [WINDOW] * 4 + [[9, 1]]},
        r"data.window: \[9, 1\] is not \[low, hig",
    ),
    "no window": ({"data__window": [1, 2, 3]}, r"data.window: \[1, 2, 3\]; must be \[low, high\]"),
    "grayscale": ({"augmentations__grayscale": {}}, "augmentations.grayscale: .* have 5 channels"),
    "composed": (
        {"augmentations__x": {"compose": ["affine", "color_jitter"]}},
        "augmentations.x: color_jitter: .*set saturation: 0 and hue: 0",
    ),
    "sweep": (
        {"sweep__color_jitter": {"contrast": [0.1, 0.2]}},
        "sweep.color_jitter: color_jitter",
    ),
    "transforms": (
        {"robustness__transforms": {"x": {"use": "color_jitter"}}},
        "robustness.transforms.x: color_jitter",
    ),
    "weights": (
        {"model__weights": "published", "model__architecture": "resnet18"},
        "model.weights: published weights are of networks for RGB images",
    ),
    "normalise": ({"model__normalise": "imagenet"}, "model.normalise: imagenet .*with 5 numbers"),
    "means": (
        {"model__normalise": {"mean": [0.5] * 3, "std": [1] * 3}},
        r"model.normalise.mean: 3 value\(s\); write 5",
    ),
    "photographs": ({"own_images__folder": "photos"}, "own_images: photographs are grey"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_needs_grey_or_rgb_images_is_refused(file: Path, fault: str) -> None:
    changed, text = FAULTS[fault]
    with pytest.raises(CampareError, match=f"^s.yaml: {text}"):
        config.complete(study(file, **changed), "s.yaml")


def test_other_sources_have_grey_or_rgb_images(file: Path) -> None:
    digits = {"name": "digits", "channels": 5}
    with pytest.raises(CampareError, match=r"data.channels: 5: images of digits are grey or RGB"):
        config.complete({**study(file), "data": digits}, "s.yaml")
    with pytest.raises(CampareError, match=r"data.channels: 5, but .* have 1 channels; remove the"):
        data.check_channels(5, 1, "x")


def test_a_function_of_the_user_with_the_number_in_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    user_code.use(tmp_path)
    try:
        found = data.load("mine.py:spectral", root=None, size=10, fit="pad", channels=6)
        assert found.images.shape == (12, 10, 10, 6)
        for wrong in (None, 1, 5):
            with pytest.raises(
                CampareError, match=r"data.channels: .*have 6 channels; set it to 6"
            ):
                data.load("mine.py:spectral", root=None, size=10, fit="pad", channels=wrong)
        own = {"name": "mine.py:spectral", "channels": 6}
        complete = config.complete({**study(""), "data": own}, "s.yaml")["data"]
        assert complete["shown"] == [0, 1, 2]
        with pytest.raises(CampareError, match=r"augmentations.grayscale: .* have 6 channels"):
            config.complete({**study("", augmentations__grayscale={}), "data": own}, "s.yaml")
    finally:
        user_code.use("")


# Not the same for each channel: noise for every value, and what depends on grey levels.
OTHERWISE = {
    *("gaussian_noise", "color_jitter", "grayscale", "jpeg", "saliencymix"),
    *("rand_augment", "trivial_augment_wide", "auto_augment", "augmix"),
}


def augmented(name: str, images: np.ndarray, **changed: Any) -> np.ndarray:
    entry = registry.AUGMENTATIONS[name]
    parameters = {key: value.default for key, value in entry.parameters.items()} | changed
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    batch = Batch(pixels, torch.eye(2)[LABELS])
    keys = torch.arange(len(images))
    made = Augmenter([(name, parameters)], 1, batch)(batch, keys, torch.ones_like(keys), 1)
    return made.images.permute(0, 2, 3, 1).numpy()


BYTES = (LEVELS >> 4).astype(np.uint8)[:, :, :20]


@pytest.mark.parametrize("name", [n for n in registry.AUGMENTATIONS if n not in OTHERWISE])
def test_augmentations_change_each_channel_as_those_of_rgb_images(name: str) -> None:
    found = augmented(name, BYTES)
    assert found.shape == BYTES.shape
    assert np.array_equal(found[..., :3], augmented(name, BYTES[..., :3]))
    assert np.array_equal(found[..., 2:], augmented(name, BYTES[..., 2:]))


@pytest.mark.parametrize("name", sorted(OTHERWISE - {"grayscale"}))
def test_other_augmentations_take_any_number_of_channels(name: str) -> None:
    changed = {"saturation": 0, "hue": 0} if name == "color_jitter" else {}
    for count in (2, 5):
        images = np.ascontiguousarray(BYTES[..., :count])
        found = augmented(name, images, **changed)
        assert found.shape == images.shape
        assert not np.array_equal(found, images)


@pytest.mark.parametrize(
    "architecture", ["small_cnn", "two_conv", "cifar_cnn", "resnet18_cifar", "timm:resnet10t"]
)
def test_networks_have_the_channels_of_the_images(architecture: str) -> None:
    network = models.build(architecture, classes=3, channels=5, seed=0).eval()
    side = 28 if architecture == "two_conv" else 32
    assert network(torch.randn(2, 5, side, side)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "spread"),
    [
        ("resnet18", math.sqrt(2 / (64 * 49))),  # Kaiming's, fan out: the same for any number
        ("densenet121", math.sqrt(2 / (8 * 49))),  # fan in: of 8 channels
        ("squeezenet1_1", math.sqrt(2 / (8 * 9))),  # fan in, uniform
    ],
)
def test_first_convolutions_have_torchvisions_initial_weights(name: str, spread: float) -> None:
    constructor = nn.Conv2d.__init__
    network = models.build(name, classes=3, channels=8, seed=0)
    assert nn.Conv2d.__init__ is constructor
    plain = get_model(name, weights=None, num_classes=3)
    ours, theirs = (
        [m.weight for m in each.modules() if isinstance(m, nn.Conv2d)] for each in (network, plain)
    )
    assert ours[0].shape == (theirs[0].shape[0], 8, *theirs[0].shape[2:])
    assert [w.shape for w in ours[1:]] == [w.shape for w in theirs[1:]]
    assert ours[0].std().item() == pytest.approx(spread, rel=0.05)
    per_channel = ours[0].detach().std(dim=(0, 2, 3))
    torch.testing.assert_close(per_channel, torch.full((8,), spread), rtol=0.1, atol=0)


def test_weights_for_other_channels_are_refused() -> None:
    theirs = models.build("small_cnn", classes=3, channels=3, seed=1).state_dict()
    ours = models.build("small_cnn", classes=3, channels=5, seed=0)
    with pytest.raises(
        CampareError, match=r"sees images with 3 channel.*have 5; use a network for"
    ):
        pretrained.fit_exactly(ours, theirs, "small_cnn", classes=3, source="x.pt")
    with pytest.raises(CampareError, match=r"model.weights: x.pt: .*16×3×3×3 instead of 16×5×3×3"):
        pretrained.fit(ours, theirs, "small_cnn", classes=3, source="x.pt")


def test_normalisation_has_a_mean_and_a_deviation_for_each_channel() -> None:
    mean, std = normalisation("training", BYTES)
    assert np.allclose(mean, (BYTES / 255).mean(axis=(0, 1, 2)))
    assert np.allclose(std, (BYTES / 255).std(axis=(0, 1, 2)))
    with pytest.raises(CampareError, match=r"3 values, but the images have 5 channel"):
        normalisation("imagenet", BYTES)


def test_figures_show_three_channels_or_one() -> None:
    assert np.array_equal(display.displayed(BYTES), BYTES[..., :3])
    assert np.array_equal(display.displayed(BYTES[..., :2]), BYTES[..., :1])
    assert np.array_equal(display.displayed(BYTES, [4, 1, 0]), BYTES[..., [4, 1, 0]])
    assert np.array_equal(display.displayed(BYTES, [3]), BYTES[..., 3:4])
    for number in (1, 3):
        images = BYTES[..., :number]
        assert display.displayed(images) is images
    dataset = data.Dataset(BYTES, LABELS, ("a", "b"), np.full(12, ""))
    shown = display.of(dataset, [4, 1, 0]).images
    assert shown.shape == (12, 20, 20, 3) and len(shown) == 12
    assert np.array_equal(shown[np.array([3, 5])], BYTES[[3, 5]][..., [4, 1, 0]])
    grey = data.Dataset(BYTES[..., :1], LABELS, ("a", "b"), np.full(12, ""))
    assert display.of(grey) is grey


def test_pages_of_images_have_the_channels_shown(tmp_path: Path) -> None:
    """The explorer's sheets and ViRelAy's images are those of an RGB data set."""
    dataset = data.Dataset(BYTES, LABELS, ("a", "b"), np.full(12, ""))
    shown, rgb = display.of(dataset, [4, 1, 0]).images, np.ascontiguousarray(BYTES[..., [4, 1, 0]])
    index = np.array([1, 4, 7])
    assert explorer_images.sheets(shown, index) == explorer_images.sheets(rgb, index)
    for images, name in ((shown, "a.h5"), (rgb, "b.h5")):
        virelay.write_images(tmp_path / name, images, LABELS, index)
    with h5py.File(tmp_path / "a.h5") as a, h5py.File(tmp_path / "b.h5") as b:
        assert np.array_equal(a["data"][()], b["data"][()])


def test_near_duplicates_are_found_in_the_mean_of_the_channels() -> None:
    images = np.repeat(np.repeat(BYTES[:, ::5, ::5], 8, axis=1), 8, axis=2)
    brighter = images[:1] // 2 + 60
    hashes = duplicates.perceptual_hashes(np.concatenate([images, brighter]))
    bits = np.bitwise_count(hashes[:-1] ^ hashes[-1])
    assert bits[0] <= 2 and bits[1:].min() > 10


def test_a_random_transform_that_needs_rgb_images_is_refused_before_training(file: Path) -> None:
    dataset = data.Dataset(BYTES, LABELS, ("a", "b"), np.full(12, ""))
    grey = study(file, augmentations={"grey": {"torchvision": {"name": "RandomGrayscale"}}})
    with pytest.raises(CampareError, match=r"augmentations.grey: torchvision's RandomGrayscale: "):
        early_checks.check_transforms(dataset, grey)
    flip = study(file, augmentations={"flip": {"torchvision": {"name": "RandomHorizontalFlip"}}})
    early_checks.check_transforms(dataset, flip)


@pytest.mark.parametrize(
    "kind",
    ["overlays", "sheets", "examples", "sets", "extremes", "dose_response", "masks", "hybrid"],
)
def test_captions_name_the_channels_that_are_shown(kind: str) -> None:
    caption = jinja2.Template((ROOT / "workflow" / "report" / f"{kind}.rst").read_text("utf-8"))
    given = {"models": [1], "threshold": 0.9, "mistakes": 3, "spline": None, "seed": 1}
    text = "Images are shown by their channels"
    plain = caption.render(snakemake=SimpleNamespace(params=SimpleNamespace(**given)))
    assert text not in plain and "\n\n\n" not in plain
    params = SimpleNamespace(**given, shown_as=multichannel.caption([5, 3, 0]))
    shown = SimpleNamespace(params=params)
    named = " ".join(caption.render(snakemake=shown).split())
    assert f"{text} 5, 3, 0, counted from 0, as red, green and blue." in named


def test_the_study_of_the_documentation_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "data.md").read_text("utf-8").split("### Other numbers of channels")[1]
    text = page.split("```yaml\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    images = np.repeat(LEVELS[:, :, :20], 2, axis=3)[..., :6]
    np.savez("data/spectral.npz", images=images, labels=LABELS, group=np.arange(12))
    assert config.complete(yaml.safe_load(text), "s.yaml")["data"]["channels"] == 6
