"""Data sets come out as documented arrays; what is wrong with the files is named."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import threading
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from campare import data
from campare.errors import CampareError

Picture = NDArray[np.uint8]
CIFAR10_CLASSES = [f"class {number}" for number in range(10)]


def load(name: str, root: Path | None = None, **changes: Any) -> data.Dataset:
    given = {"size": None, "fit": "crop", "channels": None, **changes}
    folder = None if root is None else str(root)
    if name == "image_folder":
        return data.image_folder(root=folder, **given)  # as it reads: not only squares
    return data.load(name, root=folder, **given)


def picture(seed: int, height: int = 6, width: int = 6, channels: int = 3) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def save(pixels: Picture, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path, **options)
    return path


def only(tmp_path: Path, picture: Image.Image, suffix: str, **options: Any) -> Picture:
    """How a single picture is read: from a folder of two classes that both hold it."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir(exist_ok=True)
        picture.save(tmp_path / name / f"one{suffix}", **options)
    found = load("image_folder", tmp_path, channels=3).images
    assert np.array_equal(found[0], found[1])
    return found[0]


# Embedded and downloaded data sets ---------------------------------------------------------


def test_unknown_data_set_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CampareError, match=r"'digit'.*digits, mnist"):
        load("digit")


def test_digits_are_scaled_to_the_full_range_and_rounded() -> None:
    from sklearn.datasets import load_digits

    found, original = load("digits"), load_digits()
    assert found.images.shape == (1797, 8, 8, 1)
    assert found.images.dtype == np.uint8
    assert {int(level) for level in np.unique(found.images)} == {
        int(level * 255 / 16 + 0.5) for level in range(17)
    }
    assert np.array_equal(np.rint(found.images[..., 0] / 255 * 16), original.images)
    assert np.array_equal(found.labels, original.target)
    assert found.labels.dtype == np.int64
    assert found.classes == tuple("0123456789")
    assert set(found.part) == {""}


def test_size_and_channels_hold_for_every_data_set() -> None:
    found = load("digits", size=12, channels=3).images
    grey = load("digits", size=12).images
    assert found.shape == (1797, 12, 12, 3)
    assert np.array_equal(found, np.repeat(grey, 3, axis=3))
    assert np.array_equal(load("digits", size=8).images, load("digits").images)


def idx(array: NDArray[np.uint8]) -> bytes:
    """The file format of MNIST."""
    header = [2048 + array.ndim, *array.shape]
    return b"".join(number.to_bytes(4, "big") for number in header) + array.tobytes()


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, NDArray[np.uint8]]:
    """A tiny MNIST under tmp_path, whose checksums are expected."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 7), ("t10k", 4)):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, count, dtype=np.uint8)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, array in arrays.items():
        (raw / name).write_bytes(idx(array))
        monkeypatch.setitem(data._MNIST, f"MNIST/raw/{name}", md5(raw / name))
    return arrays


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.mark.usefixtures("offline")
def test_mnist_is_read_from_its_raw_files(
    tmp_path: Path, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    found = load("mnist", tmp_path)
    images = [mnist["train-images-idx3-ubyte"], mnist["t10k-images-idx3-ubyte"]]
    labels = [mnist["train-labels-idx1-ubyte"], mnist["t10k-labels-idx1-ubyte"]]
    assert np.array_equal(found.images, np.concatenate(images)[..., None])
    assert np.array_equal(found.labels, np.concatenate(labels))
    assert found.labels.dtype == np.int64
    assert list(found.part) == ["train"] * 7 + ["test"] * 4
    assert found.classes == tuple("0123456789")


@pytest.mark.parametrize("damage", [lambda old: old[:-1], lambda old: old[:-1] + b"?", bytes])
def test_damaged_mnist_file_is_named_and_kept(
    tmp_path: Path, mnist: dict[str, NDArray[np.uint8]], damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    changed = b"" if damage is bytes else damage(path.read_bytes())
    path.write_bytes(changed)
    with pytest.raises(CampareError, match=r"t10k-images-idx3-ubyte: truncated or altered"):
        load("mnist", tmp_path)
    assert path.read_bytes() == changed


@pytest.mark.usefixtures("offline")
def test_archives_laid_in_place_are_unpacked_offline(
    tmp_path: Path, mnist: dict[str, NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import MNIST

    resources = []
    for name in mnist:
        path = tmp_path / "MNIST" / "raw" / name
        packed = path.with_name(f"{name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        resources.append((packed.name, md5(packed)))
    monkeypatch.setattr(MNIST, "resources", resources)
    assert len(load("mnist", tmp_path).images) == 11


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("mnist", data._MNIST),
        ("fashion_mnist", data._FASHION_MNIST),
        ("cifar10", ["cifar-10-batches-py/data_batch_5", "cifar-10-batches-py/batches.meta"]),
    ],
)
def test_absent_and_offline_says_what_to_put_where(
    tmp_path: Path, name: str, files: list[str]
) -> None:
    with pytest.raises(CampareError) as caught:
        load(name, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}: ")
    assert "\n" not in message
    assert all(file in message for file in files)


@pytest.mark.usefixtures("offline")
def test_pictures_that_are_no_squares_need_a_size(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(picture(0, height=6, width=8), tmp_path / name / "1.png")
    message = r"data\.size: the images have 6 × 8 .* data\.fit .* \[6, 8\]"
    with pytest.raises(CampareError, match=message):
        data.load("image_folder", root=str(tmp_path), size=None, fit="crop", channels=None)
    loaded = data.load("image_folder", root=str(tmp_path), size=6, fit="pad", channels=None)
    assert loaded.images.shape == (2, 6, 6, 3)


def test_default_root_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CampareError, match=r"^data: MNIST is missing"):
        load("mnist")
    with pytest.raises(CampareError, match=r"^pictures: no such folder"):
        load("image_folder", Path("pictures"))


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny CIFAR-10 archive on a local server; yields the archive."""
    from torchvision.datasets import CIFAR10

    served = tmp_path / "server"
    served.mkdir()
    contents: dict[str, Any] = {"batches.meta": {"label_names": CIFAR10_CLASSES}}
    for number, name in enumerate(["data_batch_1", "data_batch_2", "test_batch"]):
        rows = np.random.default_rng(number).integers(0, 256, (3, 3072), dtype=np.uint8)
        contents[name] = {"data": rows, "labels": [number, 9, 0]}
    sums = {}
    archive = served / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in contents.items():
            packed = pickle.dumps(content)
            sums[name] = hashlib.md5(packed).hexdigest()
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(packed)
            tar.addfile(entry, io.BytesIO(packed))
    train = [[name, sums[name]] for name in ("data_batch_1", "data_batch_2")]
    monkeypatch.setattr(CIFAR10, "train_list", train)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setitem(CIFAR10.meta, "md5", sums["batches.meta"])
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{server.server_port}/{archive.name}")
        yield archive
        server.shutdown()


def test_cifar10_is_downloaded_once_and_read(tmp_path: Path, cifar10: Path) -> None:
    first = load("cifar10", tmp_path / "root")
    assert first.images.shape == (9, 32, 32, 3)
    rows = np.random.default_rng(1).integers(0, 256, (3, 3072), dtype=np.uint8)
    assert np.array_equal(first.images[3], rows[0].reshape(3, 32, 32).transpose(1, 2, 0))
    assert list(first.labels) == [0, 9, 0, 1, 9, 0, 2, 9, 0]
    assert list(first.part) == ["train"] * 6 + ["test"] * 3
    assert first.classes == tuple(CIFAR10_CLASSES)

    cifar10.unlink()
    assert np.array_equal(load("cifar10", tmp_path / "root").images, first.images)
    batch = tmp_path / "root" / "cifar-10-batches-py" / "data_batch_2"
    batch.write_bytes(batch.read_bytes()[:-10])
    with pytest.raises(CampareError, match="data_batch_2: truncated or altered"):
        load("cifar10", tmp_path / "root")


def test_altered_download_is_refused(tmp_path: Path, cifar10: Path) -> None:
    cifar10.write_bytes(cifar10.read_bytes()[:-1] + b"?")
    with pytest.raises(CampareError, match="cannot be downloaded"):
        load("cifar10", tmp_path / "root")
    assert not list((tmp_path / "root").rglob("*batch*"))


def test_rgb_data_set_can_be_read_as_grey(tmp_path: Path, cifar10: Path) -> None:
    colour = load("cifar10", tmp_path).images
    grey = load("cifar10", tmp_path, channels=1).images
    assert grey.shape == (9, 32, 32, 1)
    luma = colour @ np.array([0.299, 0.587, 0.114])  # ITU-R 601
    assert np.abs(grey[..., 0] - luma).max() <= 0.51


# Image folders -----------------------------------------------------------------------------


def test_folders_with_parts_are_read_in_order(tmp_path: Path) -> None:
    expected = []
    for part, count in (("train", 3), ("test", 2)):
        for name in ("Zebra", "ant", "bee"):
            for number in range(count):
                pixels = picture(len(expected))
                expected.append((pixels, name, part))
                save(pixels, tmp_path / part / name / f"{number}.png")
    found = load("image_folder", tmp_path)
    assert found.classes == ("Zebra", "ant", "bee")
    assert np.array_equal(found.images, [pixels for pixels, _, _ in expected])
    assert [found.classes[label] for label in found.labels] == [name for _, name, _ in expected]
    assert list(found.part) == [part for _, _, part in expected]
    assert found.images.dtype == np.uint8
    assert found.labels.dtype == np.int64


def test_folder_without_parts_is_to_be_split(tmp_path: Path) -> None:
    for name in ("test", "b"):  # a class may be called test
        save(picture(0), tmp_path / name / "1.png")
    found = load("image_folder", tmp_path)
    assert found.classes == ("b", "test")
    assert list(found.part) == ["", ""]


def test_what_is_no_picture_is_ignored(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(picture(0), tmp_path / name / "photo.PNG")
        for stray in (".DS_Store", "Thumbs.db", "notes.txt", "._photo.png"):
            (tmp_path / name / stray).write_text("no picture")
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".cache").mkdir()
    assert len(load("image_folder", tmp_path).images) == 2


BASE = picture(1, 5, 4)
GREY = picture(2, 5, 4, 1)
ALPHA = picture(3, 5, 4, 1)
DEEP = np.random.default_rng(4).integers(0, 65536, (5, 4, 1), dtype=np.uint16)
PALETTE = picture(5, 8, 1)[:, 0]
INDEX = GREY[..., 0] % 8


def palette() -> Image.Image:
    indexed = Image.fromarray(INDEX).convert("L")
    indexed.putpalette(PALETTE.tobytes())
    return indexed


def on_white(pixels: Picture) -> NDArray[np.float64]:
    share = ALPHA / 255
    return pixels * share + 255 * (1 - share)


@pytest.mark.parametrize(
    ("opened", "suffix", "expected"),
    [
        pytest.param(Image.fromarray(BASE), ".png", BASE, id="RGB"),
        pytest.param(Image.fromarray(BASE), ".bmp", BASE, id="RGB in BMP"),
        pytest.param(Image.fromarray(GREY[..., 0]), ".png", GREY, id="L"),
        pytest.param(Image.fromarray(GREY[..., 0] > 127), ".png", (GREY > 127) * 255, id="1"),
        pytest.param(palette(), ".gif", PALETTE[INDEX], id="P"),
        pytest.param(
            Image.fromarray(np.concatenate([GREY, ALPHA], 2)), ".png", on_white(GREY), id="LA"
        ),
        pytest.param(
            Image.fromarray(np.concatenate([BASE, ALPHA], 2)), ".png", on_white(BASE), id="RGBA"
        ),
        pytest.param(
            Image.fromarray(np.concatenate([BASE, 0 * GREY], 2), mode="CMYK"),
            ".tif",
            255 - BASE.astype(int),
            id="CMYK",
        ),
        pytest.param(Image.fromarray(DEEP[..., 0]), ".png", DEEP / 257, id="I;16"),
        pytest.param(
            Image.frombytes("I;16B", (4, 5), DEEP.astype(">u2").tobytes()),
            ".tif",
            DEEP / 257,
            id="I;16B",
        ),
        pytest.param(Image.fromarray(DEEP[..., 0].astype(np.int32)), ".pgm", DEEP / 257, id="I"),
    ],
)
def test_every_mode_becomes_rgb(
    tmp_path: Path, opened: Image.Image, suffix: str, expected: NDArray[Any]
) -> None:
    found = only(tmp_path, opened, suffix)
    assert found.shape == (5, 4, 3)
    tolerance = 0 if expected.dtype.kind in "iu" else 1 if expected.max() > 255 else 0.51
    assert np.abs(found - np.broadcast_to(expected, found.shape)).max() <= tolerance


def test_transparent_colour_of_a_palette_is_white(tmp_path: Path) -> None:
    found = only(tmp_path, palette(), ".png", transparency=int(INDEX[0, 0]))
    expected = np.where(np.equal(INDEX, INDEX[0, 0])[..., None], 255, PALETTE[INDEX])
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a, 2).swapaxes(0, 1)),
        (8, np.rot90),
    ],
)
def test_exif_orientation_is_applied(
    tmp_path: Path, orientation: int, upright: Callable[[Picture], Picture]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(only(tmp_path, Image.fromarray(BASE), ".png", exif=exif), upright(BASE))


def with_exif(path: Path, *entries: tuple[int, int, int, bytes], extra: bytes = b"") -> None:
    """A JPEG picture with EXIF tags as they stand: (tag, type, count, value or its offset)."""
    packed = io.BytesIO()
    Image.fromarray(np.repeat(BASE, 8, axis=0)).save(packed, "JPEG", quality=95)
    tags = b"".join(struct.pack("<HHL", *entry[:3]) + entry[3] for entry in entries)
    tiff = b"II*\0" + struct.pack("<LH", 8, len(entries)) + tags + bytes(4) + extra
    segment = b"Exif\0\0" + tiff
    header = b"\xff\xe1" + struct.pack(">H", len(segment) + 2)
    path.write_bytes(packed.getvalue()[:2] + header + segment + packed.getvalue()[2:])


@pytest.mark.parametrize(
    ("wrong", "extra"),
    [
        pytest.param((0x011A, 10, 1, struct.pack("<L", 38)), struct.pack("<ll", -1, 0), id="below"),
        pytest.param((0x0103, 2, 4, b"abc\0"), b"", id="text for a number"),
    ],
)
def test_one_wrong_exif_tag_does_not_matter(
    tmp_path: Path, wrong: tuple[int, int, int, bytes], extra: bytes
) -> None:
    two_classes(tmp_path)
    with_exif(
        tmp_path / "a" / "1.png", (0x0112, 3, 1, struct.pack("<HH", 6, 0)), wrong, extra=extra
    )
    save(picture(0, 4, 40), tmp_path / "b" / "1.png")  # as the other is, once it is upright
    assert load("image_folder", tmp_path).images.shape == (2, 4, 40, 3)


def test_exif_that_cannot_be_read_is_no_orientation(tmp_path: Path) -> None:
    note = PngInfo()
    note.add_text("Raw profile type exif", "no hexadecimal\n\n\nnumbers")
    assert np.array_equal(only(tmp_path, Image.fromarray(BASE), ".png", pnginfo=note), BASE)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A piece of a PNG file."""
    checksum = struct.pack(">L", zlib.crc32(kind + body))
    return struct.pack(">L", len(body)) + kind + body + checksum


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (b"zTXt", b"Raw profile type xmp\0\0"),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
        (b"iCCP", b"large\0\0"),
    ],
)
def test_long_texts_in_a_picture_do_not_matter(tmp_path: Path, kind: bytes, head: bytes) -> None:
    two_classes(tmp_path)
    path = tmp_path / "b" / "1.png"
    plain = path.read_bytes()
    path.write_bytes(plain[:33] + chunk(kind, head + zlib.compress(bytes(3_000_000))) + plain[33:])
    assert np.array_equal(load("image_folder", tmp_path).images[1], picture(7))


def test_picture_of_180_megapixels_is_read(tmp_path: Path) -> None:
    two_classes(tmp_path)
    Image.new("1", (20_000, 9_000), 1).save(tmp_path / "b" / "1.png")
    found = load("image_folder", tmp_path, size=4, channels=1)
    assert (found.images[1] == 255).all()


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_largest_level_of_16_bits_is_known(tmp_path: Path, kind: int, channels: int) -> None:
    two_classes(tmp_path)
    levels = np.random.default_rng(0).integers(0, 4096, (6, 6, channels)).astype(">u2")
    levels[0, 0] = 4095
    levels[..., channels - 1 :] |= 0xF000 * (channels in (2, 4))  # opaque
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    header = struct.pack(">LLBBBBB", 6, 6, 16, kind, 0, 0, 0)
    (tmp_path / "b" / "1.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    files = load("image_folder", tmp_path).files
    assert files is not None
    assert files.deepest == 4095


@pytest.mark.parametrize("pixels", [DEEP[..., 0].astype(np.float32), DEEP[..., 0] * np.int32(2)])
def test_pixels_of_unknown_range_are_refused(tmp_path: Path, pixels: NDArray[Any]) -> None:
    with pytest.raises(CampareError, match=r"one\.tif: cannot be read as an image \(pixels"):
        only(tmp_path, Image.fromarray(pixels), ".tif")


@pytest.mark.parametrize(
    ("colour", "channels", "expected"),
    [(False, None, 1), (True, None, 3), (False, 3, 3), (True, 1, 1)],
)
def test_channels(tmp_path: Path, colour: bool, channels: int | None, expected: int) -> None:
    save(GREY, tmp_path / "a" / "1.png")
    save(np.repeat(GREY, 3, axis=2), tmp_path / "b" / "1.png")  # grey, stored as RGB
    save(BASE if colour else GREY, tmp_path / "b" / "2.png")
    images = load("image_folder", tmp_path, channels=channels).images
    assert images.shape == (3, 5, 4, expected)
    assert np.array_equal(images[1], np.repeat(GREY, expected, axis=2))


@pytest.mark.parametrize(("height", "width"), [(40, 20), (20, 40), (20, 20), (10, 30)])
def test_crop_is_resize_and_centre_crop(tmp_path: Path, height: int, width: int) -> None:
    from torchvision.transforms.v2 import CenterCrop, Compose, Resize

    shown = Image.fromarray(picture(6, height, width))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shown.save(tmp_path / name / "1.png")
    found = load("image_folder", tmp_path, size=10, fit="crop").images[0]
    expected = np.asarray(Compose([Resize(10), CenterCrop(10)])(shown))
    assert np.abs(found.astype(int) - expected).max() <= 1  # rounding between the two passes


@pytest.mark.parametrize(("height", "width"), [(40, 20), (20, 40), (20, 20), (15, 40), (1, 90)])
def test_pad_keeps_the_whole_picture_on_black(tmp_path: Path, height: int, width: int) -> None:
    for name in ("a", "b"):
        save(np.full((height, width, 3), 200, np.uint8), tmp_path / name / "1.png")
    found = load("image_folder", tmp_path, size=10, fit="pad", channels=3).images[0]
    assert found.shape == (10, 10, 3)
    lit = found[..., 0] > 0
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    longer = max(height, width)
    assert len(rows) == max(1, round(10 * height / longer))
    assert len(columns) == max(1, round(10 * width / longer))
    assert abs(rows[0] - (9 - rows[-1])) <= 1
    assert abs(columns[0] - (9 - columns[-1])) <= 1
    assert (found[np.ix_(rows, columns)] == 200).all()


def test_many_photographs_keep_their_order(tmp_path: Path) -> None:
    for number in range(40):  # noise, large enough as a file to be read by several threads
        pixels = picture(number, 100, 100) // 8 + np.uint8(5 * number)
        save(pixels, tmp_path / f"{number % 2}" / f"{number:02}.bmp")
    assert (tmp_path / "0" / "00.bmp").stat().st_size > 20_000
    images = load("image_folder", tmp_path, size=8).images
    order = [*range(0, 40, 2), *range(1, 40, 2)]
    means = images.mean(axis=(1, 2, 3))
    assert np.abs(means - (5 * np.array(order) + 15.5)).max() < 2.4


def two_classes(root: Path) -> None:
    for name in ("a", "b"):
        save(picture(7), root / name / "1.png")


def test_pictures_of_different_sizes_need_data_size(tmp_path: Path) -> None:
    two_classes(tmp_path)
    save(picture(0, 6, 9), tmp_path / "b" / "wide.png")
    with pytest.raises(CampareError, match=r"wide\.png: 9×6 .*1\.png has 6×6; set data\.size"):
        load("image_folder", tmp_path)
    assert load("image_folder", tmp_path, size=6).images.shape == (3, 6, 6, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tif", ".webp"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6])
def test_truncated_picture_is_named(tmp_path: Path, suffix: str, kept: float) -> None:
    two_classes(tmp_path)
    broken = save(picture(0, 40, 40), tmp_path / "b" / f"broken{suffix}")
    content = broken.read_bytes()
    broken.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CampareError, match=rf"broken\{suffix}: cannot be read as an image"):
        load("image_folder", tmp_path, size=6)


def test_picture_that_is_none_is_named(tmp_path: Path) -> None:
    two_classes(tmp_path)
    (tmp_path / "a" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(CampareError, match=r"gone\.jpg: cannot be opened \(No such file"):
        load("image_folder", tmp_path)


def test_all_pictures_that_are_none_are_named_at_once(tmp_path: Path) -> None:
    for number in range(24):
        path = save(picture(number), tmp_path / "ab"[number % 2] / f"{number:02}.png")
        if number < 12:
            path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(CampareError) as caught:
        load("image_folder", tmp_path)
    first, *named, more = str(caught.value).splitlines()
    assert first == "12 files cannot be used:"
    assert [line.split(":")[0][-8:] for line in named] == [
        *(f"a/{number:02}.png" for number in range(0, 12, 2)),
        *(f"b/{number:02}.png" for number in range(1, 8, 2)),
    ]
    assert more == "  and 2 more, listed in the job's log"
    assert [note.split(":")[0][-8:] for note in caught.value.__notes__] == ["b/09.png", "b/11.png"]
    with pytest.raises(CampareError, match="6 files cannot be used"):
        data.photographs(tmp_path / "a")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, r"\(Permission denied\); make it readable"),
        (errno.EIO, r"\(Input/output error\); the image may be intact"),
    ],
)
def test_picture_that_cannot_be_opened_is_not_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    two_classes(tmp_path)
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(CampareError, match=said) as caught:
        load("image_folder", tmp_path)
    assert "remove" not in str(caught.value)


def nothing(root: Path) -> None:
    root.rmdir()


def a_file(root: Path) -> None:
    root.rmdir()
    root.write_text("")


def no_class_folder(root: Path) -> None:
    save(picture(0), root / "1.png")


def one_class(root: Path) -> None:
    save(picture(0), root / "a" / "1.png")


def empty_class(root: Path) -> None:
    two_classes(root)
    (root / "c").mkdir()
    (root / "c" / "notes.txt").write_text("")


def nested(root: Path) -> None:
    two_classes(root / "train")
    two_classes(root / "val")


def third_part(root: Path) -> None:
    for part in ("train", "test", "validation"):
        two_classes(root / part)


def class_only_in_train(root: Path) -> None:
    two_classes(root / "train")
    two_classes(root / "test")
    save(picture(0), root / "train" / "c" / "1.png")


def class_only_in_test(root: Path) -> None:
    two_classes(root / "train")
    two_classes(root / "test")
    save(picture(0), root / "test" / "c" / "1.png")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "root: no such folder; set data.root"),
        (a_file, "root: no such folder; set data.root"),
        (no_class_folder, r"root: has 0 class folder\(s\); put the images of each class"),
        (one_class, r"root: has 1 class folder\(s\)"),
        (empty_class, "root/c: this class folder has no images"),
        (nested, "root/train/a: a folder inside a class folder"),
        (third_part, "root/validation: only train and test are allowed here"),
        (class_only_in_train, "root: only one of train and test has the class 'c'"),
        (class_only_in_test, "root: only one of train and test has the class 'c'"),
    ],
)
def test_each_wrong_layout_has_its_message(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    make(root)
    with pytest.raises(CampareError, match=message):
        load("image_folder", root)


def renamed(path: Path, name: bytes) -> None:
    path.rename(path.with_name(os.fsdecode(name)))


def test_class_whose_name_is_not_utf8_is_refused_in_words(tmp_path: Path) -> None:
    two_classes(tmp_path)
    renamed(tmp_path / "b", b"caf\xe9")
    with pytest.raises(CampareError, match=r"caf\\xe9: .* is not UTF-8.*rename"):
        load("image_folder", tmp_path)


def test_picture_whose_name_is_not_utf8_is_read_and_named(tmp_path: Path) -> None:
    two_classes(tmp_path)
    renamed(tmp_path / "b" / "1.png", b"\xe91.png")
    assert len(load("image_folder", tmp_path).images) == 2
    (tmp_path / "b" / "2.png").write_bytes(b"")
    renamed(tmp_path / "b" / "2.png", b"\xe92.png")
    with pytest.raises(CampareError, match=r"b/\\xe92\.png: cannot be read"):
        load("image_folder", tmp_path)


def test_unicode_form_of_a_class_does_not_matter(tmp_path: Path) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    for place in (Path("train") / composed, Path("test") / apart):
        save(picture(0), tmp_path / place / "1.png")
        save(picture(0), tmp_path / place.with_name("cafz") / "1.png")
    found = load("image_folder", tmp_path)
    assert found.classes == ("cafz", composed)
    assert list(found.labels) == [0, 1, 0, 1]
    save(picture(0), tmp_path / "train" / apart / "2.png")
    with pytest.raises(CampareError, match="a second folder of this name"):
        load("image_folder", tmp_path)


# Masks beside the pictures of an image folder ------------------------------------------------


def blot(seed: int, height: int = 6, width: int = 6) -> Picture:
    """A mask, neither empty nor full."""
    drawn = np.random.default_rng(seed).integers(0, 2, (height, width, 1), dtype=np.uint8)
    drawn[0, 0], drawn[-1, -1] = 0, 1
    return 255 * drawn


def masked_folder(root: Path, regions: tuple[str, ...], parts: tuple[str, ...]) -> list[Picture]:
    """Pictures with their masks, returned (R, H, W) in the order in which they are read."""
    expected = []
    for part in parts:
        for name in ("a", "b"):
            for number in (1, 2):
                place, seed = Path(part) / name / f"{number}.png", 10 * len(expected)
                save(picture(seed), root / place.with_suffix(".bmp"))
                masks = [blot(seed + place) for place in range(max(1, len(regions)))]
                for region, mask in zip(regions or ("",), masks, strict=True):
                    save(mask, root / "masks" / region / place)
                expected.append(np.stack(masks)[..., 0] > 0)
    return expected


@pytest.mark.parametrize("parts", [("train", "test"), ("",)])
@pytest.mark.parametrize("regions", [(), ("cue", "object")])
def test_masks_of_an_image_folder_are_read_in_its_order(
    tmp_path: Path, regions: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    expected = masked_folder(tmp_path, regions, parts)
    found = load("image_folder", tmp_path)
    assert found.classes == ("a", "b")
    assert found.regions is not None
    assert found.regions.names == (regions or ("object",))
    assert found.regions.masks.dtype == np.bool_
    assert np.array_equal(found.regions.masks, expected)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_mask_of_a_turned_picture_is_upright(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a", "b"):
        save(picture(0, 4, 7), tmp_path / name / f"1{suffix}", exif=exif)
        save(blot(1, 7, 4), tmp_path / "masks" / name / "1.png")
    found = load("image_folder", tmp_path)
    assert found.images.shape == (2, 7, 4, 3)
    assert found.regions is not None
    assert np.array_equal(found.regions.masks[0, 0], blot(1, 7, 4)[..., 0] > 0)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_masks_are_brought_to_size_as_the_pictures_are(tmp_path: Path, fit: str) -> None:
    white = np.zeros((30, 50, 1), np.uint8)
    white[3:20, 10:45] = 255
    for name in ("a", "b"):
        save(np.repeat(white, 3, axis=2), tmp_path / name / "1.png")
        save(white // 255, tmp_path / "masks" / name / "1.png")  # 1 is white as well
    found = load("image_folder", tmp_path, size=16, fit=fit)
    assert found.regions is not None
    assert np.array_equal(found.regions.masks[:, 0], found.images[..., 0] > 127)
    assert found.regions.masks.any()


def test_mask_of_a_turned_photograph_is_of_its_upright_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a", "b"):
        save(picture(0, 8, 12), tmp_path / name / "1.jpg", exif=exif)
        save(blot(0, 12, 8), tmp_path / "masks" / name / "1.png")
    found = load("image_folder", tmp_path)
    assert found.regions is not None
    assert np.array_equal(found.regions.masks[0, 0], blot(0, 12, 8)[..., 0] > 0)


def test_class_called_masks_is_a_class(tmp_path: Path) -> None:
    for name in ("masks", "no_masks"):
        save(picture(0), tmp_path / name / "1.png")
    found = load("image_folder", tmp_path)
    assert found.classes == ("masks", "no_masks")
    assert found.regions is None


def missing(root: Path) -> None:
    (root / "masks" / "test" / "b" / "2.png").unlink()


def of_its_namesake(root: Path) -> None:
    """The mask 2.png then belongs to the picture 2.png, and 2.bmp has none."""
    save(picture(0), root / "test" / "b" / "2.png")


def larger(root: Path) -> None:
    save(blot(0, 6, 7), root / "masks" / "test" / "b" / "2.png")


def grey(root: Path) -> None:
    save(picture(0, channels=1), root / "masks" / "test" / "b" / "2.png")


def broken(root: Path) -> None:
    (root / "masks" / "test" / "b" / "2.png").write_text("no picture")


def twice(root: Path) -> None:
    for suffix in (".gif", ".tif"):
        save(blot(0), root / "masks" / "test" / "b" / f"2{suffix}")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, r"masks/test/b/2.png: missing, the mask of .*test/b/2.bmp"),
        (of_its_namesake, r"masks/test/b/2.png: missing, the mask of .*test/b/2.bmp"),
        (larger, r"masks/test/b/2.png: 7×6 pixels, while .*test/b/2.bmp has 6×6"),
        (grey, r"masks/test/b/2.png: not black and white \(it has the grey level \d+\)"),
        (broken, r"masks/test/b/2.png: cannot be read as an image"),
        (twice, r"masks/test/b: 2.gif and 2.png and 2.tif may each be the mask of .*2.bmp"),
    ],
)
def test_each_wrong_mask_is_named(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    masked_folder(tmp_path, (), ("train", "test"))
    spoil(tmp_path)
    with pytest.raises(CampareError, match=message):
        load("image_folder", tmp_path)


# The data file -----------------------------------------------------------------------------


@pytest.fixture
def small() -> data.Dataset:
    return data.Dataset(
        np.stack([picture(number) for number in range(5)]),
        np.array([0, 1, 1, 0, 2]),
        ("zèbre", "a/b", "2"),
        np.array(["train", "test", "train", "test", "train"]),
    )


def test_what_is_written_is_read(tmp_path: Path, small: data.Dataset) -> None:
    data.write(small, tmp_path / "new" / "data.h5")
    found = data.read(tmp_path / "new" / "data.h5")
    for name in ("images", "labels", "part"):
        written, read = getattr(small, name), getattr(found, name)
        assert np.array_equal(written, read)
        assert written.dtype == read.dtype
    assert found.classes == small.classes


def test_names_of_many_classes_fit(tmp_path: Path, small: data.Dataset) -> None:
    many = replace(small, classes=tuple(f"espèce {number}" for number in range(5_000)))
    data.write(many, tmp_path / "data.h5")
    assert data.read(tmp_path / "data.h5").classes == many.classes


def known(dataset: data.Dataset) -> data.Dataset:
    """The same data set with two regions, whose width fills no whole byte."""
    masks = np.random.default_rng(0).random((5, 2, 6, 6)) > 0.5
    return replace(dataset, regions=data.Regions(("objet", "cue"), masks))


def test_regions_are_written_and_read(tmp_path: Path, small: data.Dataset) -> None:
    dataset = known(small)
    data.write(dataset, tmp_path / "data.h5")
    assert dataset.regions is not None
    for rows in (np.arange(5), np.array([1, 4])):
        found = data.read_regions(tmp_path / "data.h5", rows)
        assert found is not None
        assert found.names == ("objet", "cue")
        assert found.masks.dtype == np.bool_
        assert np.array_equal(found.masks, dataset.regions.masks[rows])
    assert np.array_equal(data.read(tmp_path / "data.h5").images, small.images)


def test_data_file_without_regions_is_what_it_was(tmp_path: Path, small: data.Dataset) -> None:
    data.write(small, tmp_path / "data.h5")
    with h5py.File(tmp_path / "data.h5") as file:
        assert set(file) == {"images", "label", "part", "classes"}
        assert not set(file.attrs)
    assert data.read_regions(tmp_path / "data.h5", np.arange(5)) is None


def test_masks_that_do_not_fit_their_pictures_are_refused(
    tmp_path: Path, small: data.Dataset
) -> None:
    data.write(known(small), tmp_path / "data.h5")
    with h5py.File(tmp_path / "data.h5", "r+") as file:
        del file["masks"]
        file["masks"] = np.zeros((5, 1, 6, 1), np.uint8)
    with pytest.raises(
        CampareError, match=r"data.h5: not a readable data file \(its masks do not fit"
    ):
        data.read_regions(tmp_path / "data.h5", np.arange(5))


def test_the_same_data_set_gives_the_same_bytes(tmp_path: Path, small: data.Dataset) -> None:
    for name in ("one.h5", "two.h5"):
        data.write(small, tmp_path / name)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    with h5py.File(tmp_path / "one.h5") as file:  # no clock times, which two quick writes share
        assert not any(h5py.h5g.get_objinfo(file[name].id).mtime for name in file)


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 0.999))
def test_truncated_data_file_is_named(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "data.h5"
    data.write(load("digits"), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CampareError, match=r"data\.h5: not a readable data file .* move it away"):
        data.read(path)


def test_missing_data_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"data\.h5: cannot be read"):
        data.read(tmp_path / "data.h5")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images", None),
        ("images", np.zeros((5, 6, 6, 3), np.float32)),
        ("images", np.zeros((5, 6, 6), np.uint8)),
        ("images", np.zeros((4, 6, 6, 3), np.uint8)),
        ("images", np.zeros((5, 6, 6, 0), np.uint8)),
        ("label", np.zeros(4, np.int64)),
        ("label", np.full(5, 3)),
        ("label", np.full(5, -1)),
        ("label", np.zeros(5)),
        ("part", np.full(5, "val", "S5")),
        ("part", np.full(6, "test", "S5")),
    ],
)
def test_foreign_hdf5_is_refused(
    tmp_path: Path, small: data.Dataset, name: str, value: NDArray[Any] | None
) -> None:
    path = tmp_path / "data.h5"
    data.write(small, path)
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value
    with pytest.raises(CampareError, match=r"data\.h5: .*move it away and run snakemake"):
        data.read(path)


# Statistics --------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(
        st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])
    ),
    seed=st.integers(0, 99),
)
def test_channel_statistics_are_numpys(shape: tuple[int, int, int, int], seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    mean, std = data.channel_statistics(images)
    pixels = images.reshape(-1, shape[3]) / 255
    spread = pixels.std(axis=0)
    assert mean.dtype == std.dtype == np.float64
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(std, np.where(spread > 1e-9, spread, 1), rtol=0, atol=1e-12)


def test_constant_channel_has_deviation_one() -> None:
    images = np.stack([np.full((4, 4), level, np.uint8) for level in (0, 7, 255)], axis=-1)
    mean, std = data.channel_statistics(np.stack([images] * 3))
    np.testing.assert_allclose(mean, [0, 7 / 255, 1], rtol=0, atol=1e-15)
    assert std.tolist() == [1, 1, 1]
