"""Common corruptions against the package imagecorruptions and the authors' code."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from campare import config, corruptions
from campare.errors import CampareError

# An image and its corruptions at severity 3 by imagecorruptions 1.1.2 after numpy.random.seed(17),
# with numpy 1.23, scikit-image 0.20, scipy 1.10 and OpenCV 4.7. Changed in the package:
# `multichannel=True` to `channel_axis=-1`, the enlarged image cut at its centre, and numpy's legacy
# generator in scikit-image's random_noise.
REFERENCE = Path(__file__).with_name("corruptions.npz")
needs_photographs = pytest.mark.skipif(
    corruptions.frost_folder() is None, reason="imagecorruptions is not installed"
)
WITHOUT_FROST = [name for name in corruptions.CORRUPTIONS if name != "frost"]
EVERY = [*WITHOUT_FROST, pytest.param("frost", marks=needs_photographs)]


@pytest.mark.parametrize("name", WITHOUT_FROST)
def test_corruptions_are_those_of_imagecorruptions(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corruptions, "SMALL", 0)  # the package has the parameters of ImageNet-C
    with np.load(REFERENCE) as file:
        image, expected = file["image"], file[f"{name}_3"]
    found = corruptions.corrupted(image, name, 3, np.random.RandomState(17))
    assert found.dtype == np.uint8
    # Rounding differs by one level where a value is a whole number but for its last bit.
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.005


def picture(side: int = 32, channels: int = 3) -> np.ndarray:
    with np.load(REFERENCE) as file:
        whole = np.resize(file["image"], (32, 32, 3))[:side, :side]
    return np.concatenate([whole, 255 - whole], axis=2)[..., :channels]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(("side", "channels"), [(32, 1), (28, 3), (9, 3), (8, 1), (16, 5)])
def test_images_of_any_size_and_number_of_channels(name: str, side: int, channels: int) -> None:
    image = picture(side, channels)
    for severity in corruptions.SEVERITIES:
        random = np.random.RandomState(0)
        found = corruptions.corrupted(image, name, severity, random)
        assert found.shape == image.shape and found.dtype == np.uint8


@pytest.mark.parametrize("name", ["pixelate", "jpeg_compression", "snow", "glass_blur", "contrast"])
def test_each_of_five_channels_is_corrupted_as_a_grey_image(name: str) -> None:
    image = picture(24, 5)
    found = corruptions.corrupted(image, name, 3, np.random.RandomState(4))
    for channel in range(5):
        grey = np.ascontiguousarray(image[..., channel : channel + 1])
        alone = corruptions.corrupted(grey, name, 3, np.random.RandomState(4))
        assert np.array_equal(found[..., channel : channel + 1], alone)


def test_small_images_have_the_parameters_of_cifar_and_the_affine_map_of_its_authors() -> None:
    image = picture() / 255.0
    found = corruptions.elastic_transform(image, np.random.RandomState(3), 0, 0, 0.08)
    # make_cifar_c.py of the authors, elastic_transform at severity 1, in which nothing else acts
    points = np.float32([[26, 26], [26, 6], [6, 6]])
    moved = points + np.random.RandomState(3).uniform(-2.56, 2.56, (3, 2)).astype(np.float32)
    matrix = cv2.getAffineTransform(points, moved)
    expected = cv2.warpAffine(
        image.astype(np.float32), matrix, (32, 32), borderMode=cv2.BORDER_REFLECT_101
    )
    # OpenCV rounds positions to 1/32 pixel.
    assert np.abs(found - expected).max() < 0.02
    whole = corruptions.corrupted(picture(), "elastic_transform", 1, np.random.RandomState(3))
    assert np.abs(whole / 255.0 - expected).max() < 0.03


@pytest.mark.parametrize("name", WITHOUT_FROST)
def test_stronger_corruptions_change_images_more(name: str) -> None:
    image = np.stack([picture()] * 3)
    index = np.arange(3)
    weak, strong = (
        np.abs(corruptions.batch(image, index, name, severity, 0) - image.astype(int)).mean()
        for severity in (1, 5)
    )
    # CIFAR-10-C's affine map is the largest at severity 1.
    assert strong > weak or name == "elastic_transform"


def test_random_numbers_of_an_image_depend_on_its_key_alone() -> None:
    image = np.stack([picture()] * 3)
    index = np.array([7, 2**31, 9])
    every = corruptions.batch(image, index, "impulse_noise", 2, 5)
    alone = corruptions.batch(image[:1], index[2:], "impulse_noise", 2, 5)
    np.testing.assert_array_equal(alone[0], every[2])
    others = [
        corruptions.batch(image, index, "impulse_noise", 2, 6),
        corruptions.batch(image, index, "impulse_noise", 3, 5),
        every[::-1],
    ]
    for other in others:
        assert not np.array_equal(other, every)


def test_sets_are_written_and_read(tmp_path: Path) -> None:
    images, index = np.stack([picture(16)] * 4), np.array([1, 3, 5, 8])
    path = tmp_path / "corrupted.h5"
    corruptions.write(images, index, ["fog", "snow"], [1, 4], 2, path)
    sets, each = corruptions.read(path)
    assert sets.names == ["none", "fog", "fog", "snow", "snow"]
    assert sets.severities == [0, 1, 4, 1, 4]
    np.testing.assert_array_equal(sets.index, index)
    found = list(each)
    np.testing.assert_array_equal(found[0], images)
    np.testing.assert_array_equal(found[4], corruptions.batch(images, index, "snow", 4, 2))


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "corrupted.h5"
    with h5py.File(path, "w") as file:
        file["index"] = [1]
    with pytest.raises(CampareError, match=r"corrupted\.h5"):
        corruptions.read(path)


@pytest.fixture
def package_frost() -> Callable[..., np.ndarray]:
    """The package's frost(x, severity), without the rest of its module, which does not import."""
    folder = corruptions.frost_folder()
    assert folder is not None
    source = (folder.parent / "corruptions.py").read_text()
    (function,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "frost"
    )
    names = {
        "__name__": "",
        "np": np,
        "cv2": cv2,
        "resource_filename": lambda _, path: str(folder.parent / path),
    }
    exec(ast.unparse(function), names)
    return names["frost"]


@needs_photographs
@pytest.mark.parametrize("sides", [(32, 32), (200, 224), (420, 300), (640, 700)])
def test_frost_is_that_of_imagecorruptions(
    sides: tuple[int, int],
    package_frost: Callable[..., np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(corruptions, "SMALL", 0)  # the package has the parameters of ImageNet-C
    image = cv2.resize(picture(), sides[::-1])
    for severity in corruptions.SEVERITIES:
        for seed in range(4 if max(sides) < 300 else 1):
            np.random.seed(seed)  # noqa: NPY002
            expected = np.uint8(package_frost(image, severity)).astype(int)
            found = corruptions.corrupted(image, "frost", severity, np.random.RandomState(seed))
            assert np.abs(found - expected).max() <= 1


@needs_photographs
def test_frost_of_small_images_is_that_of_cifar() -> None:
    folder, image = corruptions.frost_folder(), picture()
    assert folder is not None
    parameters = [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)]
    drawn = set()
    for seed in range(12):
        for severity, (kept, opacity) in enumerate(parameters, 1):
            # make_cifar_c.py of the authors
            random = np.random.RandomState(seed)
            name = sorted(corruptions.PHOTOGRAPHS)[random.randint(5)]
            layer = cv2.resize(cv2.imread(str(folder / name)), (0, 0), fx=0.2, fy=0.2)
            top, left = random.randint(layer.shape[0] - 32), random.randint(layer.shape[1] - 32)
            part = layer[top : top + 32, left : left + 32, ::-1]
            expected = np.uint8((kept * image + opacity * part).clip(0, 255)).astype(int)
            found = corruptions.corrupted(image, "frost", severity, np.random.RandomState(seed))
            assert np.abs(found - expected).max() <= 1
            drawn.add(name)
    assert drawn == set(corruptions.PHOTOGRAPHS)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """In the place of imagecorruptions: none, or a package without its photographs."""

    def place(installed: bool) -> Path:
        origin = str(tmp_path / "__init__.py")
        spec = ModuleSpec(corruptions.PACKAGE, None, origin=origin) if installed else None
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
        return tmp_path / "frost"

    corruptions._photographs.cache_clear()
    yield place
    corruptions._photographs.cache_clear()


def test_frost_without_its_photographs_is_refused_with_the_config(
    package: Callable[..., Path],
) -> None:
    study = {"study": "s", "data": {"name": "digits"}, "model": {"architecture": "small_cnn"}}
    study |= {"augmentations": {}, "seeds": [1]}
    package(installed=False)
    plain = config.complete(study | {"robustness": {}}, "s.yaml")
    assert plain["robustness"]["corruptions"] == WITHOUT_FROST  # whatever is installed
    asked = study | {"robustness": {"corruptions": ["fog", "frost"]}}
    with pytest.raises(CampareError, match=r"s\.yaml: robustness\.corruptions: frost .*==1\.1\.2`"):
        config.complete(asked, "s.yaml")
    package(installed=True)
    assert config.complete(asked, "s.yaml")["robustness"]["corruptions"] == ["fog", "frost"]


def test_other_photographs_are_refused(package: Callable[..., Path]) -> None:
    folder, random = package(installed=True), np.random.RandomState(0)
    with pytest.raises(CampareError, match=r"frost1\.png: missing"):
        corruptions.corrupted(picture(), "frost", 1, random)
    folder.mkdir()
    cv2.imwrite(str(folder / "frost1.png"), picture())
    with pytest.raises(CampareError, match=r"frost1\.png: not the file .*--force-reinstall"):
        corruptions.corrupted(picture(), "frost", 1, random)
    package(installed=False)
    with pytest.raises(CampareError, match="imagecorruptions is not installed"):
        corruptions.corrupted(picture(), "frost", 1, random)
