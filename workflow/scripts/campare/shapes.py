"""Generated images with known regions: shapes on a cluttered background, one shape per class.

Masks of every image show the object, a distractor that is independent of the class, and a cue
that may be correlated with it. Only the shape determines the class: colour, texture, position,
rotation and area have the same distribution in all classes.

All numbers come from PCG64 and from +, −, ×, ÷ and √, which IEEE 754 rounds exactly: the same
settings give the same bytes on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from campare.data import Dataset, Regions

Floats = NDArray[np.float32]

SIDE = 48  # pixels, if the study sets no size
CELLS = 14  # of the mosaic in the background
CHUNK = 250  # images drawn at once; an image's numbers depend on its chunk and place in it
# The cue's colour; all other hues differ from it by a sixth of a turn or more.
MAGENTA = (1.0, 0.0, 1.0)


def _disc(u: Floats, v: Floats) -> Floats:
    return np.sqrt(u * u + v * v) - 1


def _square(u: Floats, v: Floats) -> Floats:
    return np.maximum(np.abs(u), np.abs(v)) - 1


def _triangle(u: Floats, v: Floats) -> Floats:
    # Three lines at distance 1; √3/2 = 0.8660…
    edges = np.maximum(np.abs(u) * np.float32(0.8660254) + v * np.float32(0.5), -v)
    outside: Floats = edges - 1
    return outside


def _star(u: Floats, v: Floats) -> Floats:
    """A pentagram of five lines at distance 1: the points inside at least four of them."""
    # cos and sin of 18° and 54°, the components of the normals
    c18, s18, c54, s54 = map(np.float32, (0.95105652, 0.30901699, 0.58778525, 0.80901699))
    across = np.abs(u)
    highest = second = None
    for distance in (
        v,
        across * c18 + v * s18,
        -across * c18 + v * s18,
        across * c54 - v * s54,
        -across * c54 - v * s54,
    ):
        if highest is None or second is None:
            highest, second = distance, np.full_like(distance, -np.inf)
        else:
            second = np.maximum(second, np.minimum(highest, distance))
            highest = np.maximum(highest, distance)
    assert second is not None
    return second - 1


def _cross(u: Floats, v: Floats) -> Floats:
    far, near = np.maximum(np.abs(u), np.abs(v)), np.minimum(np.abs(u), np.abs(v))
    outside: Floats = np.maximum(far - 1, near - np.float32(1 / 3))
    return outside


def _ring(u: Floats, v: Floats) -> Floats:
    return np.abs(np.sqrt(u * u + v * v) - np.float32(0.75)) - np.float32(0.25)


# Class → the signed distance of a point (u, v) from the shape, negative inside, and the area of the
# shape, both in the units of the shape.
KINDS: dict[str, tuple[Callable[[Floats, Floats], Floats], float]] = {
    "disc": (_disc, 3.14159265),
    "square": (_square, 4.0),
    "triangle": (_triangle, 5.19615242),
    "star": (_star, 11.7557050),
    "cross": (_cross, 20 / 9),
    "ring": (_ring, 2.35619449),
}


@dataclass(frozen=True)
class _Chunk:
    """Images being painted: colours float32 (n, 3, S, S) in [0, 1], and positions of pixels."""

    colours: Floats
    x: Floats  # (1, 1, S), pixel centres, 0 to 1
    y: Floats  # (1, S, 1)
    draw: Callable[..., Floats]  # uniform numbers in [0, 1), float32 (n, *shape)


def shapes(
    *,
    root: str | None,
    size: int | None,
    fit: str,
    channels: int | None,
    train: int,
    test: int,
    scale: Sequence[float],
    contrast: float,
    texture: float,
    clutter: float,
    noise: float,
    cue_class: str,
    cue_share: float,
    seed: int,
) -> Dataset:
    """Generate the data set; `root` and `fit` have no effect.

    The classes are `KINDS`, in turn. The object lies at a random position inside the image. The
    distractor, a blob with the same mean area and the same patterns, lies at another position,
    mostly beside the object; the object hides it where they overlap.

    With `cue_share` > 0, a magenta square lies in the lower left corner of this share of the
    training images of `cue_class`, and of no other training image. In the test part it lies in a
    random half of the images of *every* class, so that it is independent of the class and four
    groups of images can be compared (cue and class: both, either one, or neither). The cue hides
    the pixels under it; nothing else in an image depends on it, or on its share.

    Parameters
    ----------
    size, channels
        Side S of the images, pixels (None: `SIDE`); 1 for grey levels, else RGB.
    train, test
        Number of images of each part. A smaller part has the first images of a larger one.
    scale
        Range of the side of a square with the object's area, as a share of S.
    contrast
        Opacity of object and distractor, (0, 1].
    texture
        Opacity of their patterns, [0, 1].
    clutter
        Opacity of the mosaic over the plain background, [0, 1].
    noise
        Largest change of a colour by noise, for each pixel and channel, as a share of 255.
    seed
        0 to 2³²−1.

    Returns
    -------
    Dataset
        With the regions object, distractor and, if `cue_share` > 0, cue. A region has the pixels
        of which it covers more than half.
    """
    side = size or SIDE
    cued = list(KINDS).index(cue_class)
    images = np.empty((train + test, side, side, 1 if channels == 1 else 3), np.uint8)
    masks = np.zeros((train + test, 3, side, side), bool)
    parts = (("train", 0, train), ("test", train, test))
    for place, (part, first, count) in enumerate(parts):
        for chunk in range(-(-count // CHUNK)):
            start = chunk * CHUNK
            rows = slice(first + start, first + min(start + CHUNK, count))
            generator = np.random.Generator(np.random.PCG64([seed, place, chunk]))
            labels = (start + np.arange(CHUNK)) % len(KINDS)
            colours, regions = _painted(
                generator, labels, side, scale, contrast, texture, clutter, noise
            )
            kept = slice(rows.stop - rows.start)
            images[rows] = _levels(colours[kept], channels)
            masks[rows, :2] = regions[kept]
        if cue_share > 0:
            draws = np.random.Generator(np.random.PCG64([seed, place, 2**32 - 1])).random(count)
            marked = _marked(draws, cued if part == "train" else None, cue_share)
            _mark(images[first : first + count], masks[first : first + count], marked)
    names = ("object", "distractor", "cue")[: 3 if cue_share > 0 else 2]
    return Dataset(
        images,
        np.concatenate([np.arange(count) % len(KINDS) for _, _, count in parts]),
        tuple(KINDS),
        np.repeat(np.array([part for part, _, _ in parts], "U5"), [train, test]),
        Regions(names, masks[:, : len(names)]),
    )


def _marked(draws: NDArray[np.float64], cued: int | None, share: float) -> NDArray[np.bool_]:
    """Which images of a part have the cue: a share of class `cued`, or half of every class (None).

    They are those with the lowest draws; so a larger share includes the images of a smaller one.
    """
    labels = np.arange(len(draws)) % len(KINDS)
    marked = np.zeros(len(draws), bool)
    for kind in range(len(KINDS)) if cued is None else (cued,):
        members = np.flatnonzero(labels == kind)
        number = round((0.5 if cued is None else share) * len(members))
        marked[members[np.argsort(draws[members], kind="stable")[:number]]] = True
    return marked


def _mark(images: NDArray[np.uint8], masks: NDArray[np.bool_], marked: NDArray[np.bool_]) -> None:
    """Paint the cue on the marked images; its pixels then belong to no other region."""
    side = images.shape[1]
    wide, margin = max(2, side // 8), max(1, side // 32)
    place = (slice(side - margin - wide, side - margin), slice(margin, margin + wide))
    colour = np.array(MAGENTA, np.float32).reshape(1, 3, 1, 1)
    images[(marked, *place)] = _levels(colour, images.shape[3])[0, 0, 0]
    masks[(marked, slice(None), *place)] = False
    masks[(marked, 2, *place)] = True


def _painted(
    generator: np.random.Generator,
    labels: NDArray[np.int64],
    side: int,
    scale: Sequence[float],
    contrast: float,
    texture: float,
    clutter: float,
    noise: float,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Colours float32 (n, 3, S, S) in [0, 1], and masks of object and distractor (n, 2, S, S)."""
    count = len(labels)

    def draw(*shape: int) -> Floats:
        return generator.random((count, *shape), np.float32)

    centres = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    canvas = _Chunk(
        np.empty((count, 3, side, side), np.float32),
        centres[None, None],
        centres[None, :, None],
        draw,
    )
    # The numbers drawn, and their order, do not depend on the settings of difficulty.
    sides = np.float32(scale[0]) + np.float32(scale[1] - scale[0]) * draw(2)
    middle, beside = _places(draw, sides)
    _paint_ground(canvas, np.float32(clutter))
    outlines = (_blob(canvas, beside, sides[:, 1]), _shape(canvas, middle, sides[:, 0], labels))
    covers = []
    for outline, centre, extent in zip(outlines, (beside, middle), sides.T[::-1], strict=True):
        cover = np.clip(np.float32(0.5) - outline * np.float32(side), 0, 1)
        pattern = _pattern(canvas, centre, extent, np.float32(texture))
        _paint(canvas, cover * np.float32(contrast), pattern)
        covers.append(cover > 0.5)
    colours = canvas.colours
    colours += np.float32(noise) * (2 * draw(3, side, side) - 1)
    blob, shape = covers
    return np.clip(colours, 0, 1), np.stack([shape, blob & ~shape], axis=1)


def _places(draw: Callable[..., Floats], sides: Floats) -> tuple[Floats, Floats]:
    """Centres (n, 2) of object and distractor, both inside the image.

    The distractor has the one of six random positions that is farthest from the object.
    """
    # The star has the largest distance from its centre, 0.944 sides of the square of its area.
    reach = np.float32(0.95) * sides
    free = 1 - 2 * reach
    middle = reach[:, :1] + free[:, :1] * draw(2)
    tries = reach[:, 1, None, None] + free[:, 1, None, None] * draw(6, 2)
    apart = ((tries - middle[:, None]) ** 2).sum(axis=2)
    return middle, tries[np.arange(len(tries)), apart.argmax(axis=1)]


def _turned(draw: Callable[..., Floats]) -> tuple[Floats, Floats]:
    """Cosine and sine (n, 1, 1) of a random angle: the direction to a random point in a square."""
    point = 2 * draw(2) - 1 + np.float32(1e-6)
    length = np.sqrt((point * point).sum(axis=1, keepdims=True))
    cosine, sine = (point / length).T
    return cosine[:, None, None], sine[:, None, None]


def _local(canvas: _Chunk, centre: Floats, unit: Floats) -> tuple[Floats, Floats]:
    """Rotated coordinates (n, S, S) about a centre, in units of length `unit` (n,)."""
    cosine, sine = _turned(canvas.draw)
    x = (canvas.x - centre[:, :1, None]) / unit[:, None, None]
    y = (canvas.y - centre[:, 1:, None]) / unit[:, None, None]
    return cosine * x + sine * y, cosine * y - sine * x


def _shape(canvas: _Chunk, centre: Floats, extent: Floats, labels: NDArray[np.int64]) -> Floats:
    """Signed distance of each pixel from its shape (n, S, S), in sides of the image."""
    areas = np.array([area for _, area in KINDS.values()], np.float32)
    sides: Floats = np.sqrt(areas)
    unit: Floats = extent / sides[labels]
    u, v = _local(canvas, centre, unit)
    outside: Floats = np.empty_like(u)
    for kind, (function, _) in enumerate(KINDS.values()):
        rows = labels == kind
        outside[rows] = function(u[rows], v[rows])
    outside *= unit[:, None, None]
    return outside


def _blob(canvas: _Chunk, centre: Floats, extent: Floats) -> Floats:
    """Signed distance from a blob of about the area extent²: where three charges sum to over 1."""
    u, v = _local(canvas, centre, extent)
    offsets = np.float32(0.55) * (canvas.draw(3, 2) - np.float32(0.5))
    charges = np.float32(0.03) + np.float32(0.07) * canvas.draw(3)
    total = np.float32(0)
    for charge, (x, y) in zip(charges.T, offsets.transpose(1, 2, 0), strict=True):
        du, dv = u - x[:, None, None], v - y[:, None, None]
        total = total + charge[:, None, None] / (du * du + dv * dv + np.float32(1e-4))
    # 1/√total is the distance from a single charge in units of its radius, here about 0.45.
    outside: Floats = (1 / np.sqrt(total) - 1) * np.float32(0.45) * extent[:, None, None]
    return outside


def _colour(hue: Floats, saturation: Floats, value: Floats) -> Floats:
    """RGB of hue (turns), saturation and value in [0, 1], (n,): float32 (n, 3)."""
    wheel = np.array([0, 4, 2], np.float32)
    turned = (6 * hue[:, None] + wheel) % np.float32(6)
    pure = np.clip(np.abs(turned - 3) - 1, 0, 1)
    rgb: Floats = value[:, None] * (1 - saturation[:, None] * (1 - pure))
    return rgb


def _hue(draw: Callable[..., Floats]) -> Floats:
    """Random hues that differ by a sixth of a turn or more from magenta's, 5/6."""
    return draw() * np.float32(2 / 3)


def _paint_ground(canvas: _Chunk, clutter: np.float32) -> None:
    """Paint the background: a plain colour with linear shading, under a mosaic of random cells."""
    draw = canvas.draw
    plain = _colour(
        _hue(draw), np.float32(0.35) * draw(), np.float32(0.3) + np.float32(0.4) * draw()
    )
    slope = np.float32(0.5) * (draw(2) - np.float32(0.5))
    shade = slope[:, :1, None] * (canvas.x - np.float32(0.5)) + slope[:, 1:, None] * (
        canvas.y - np.float32(0.5)
    )
    sites = draw(CELLS, 2) * np.float32(1.2) - np.float32(0.1)
    tints = np.stack(
        [
            _colour(
                _hue(draw), np.float32(0.8) * draw(), np.float32(0.15) + np.float32(0.8) * draw()
            )
            for _ in range(CELLS)
        ],
        axis=1,
    )
    near = np.full(canvas.colours[:, 0].shape, np.inf, np.float32)
    cell = np.zeros(near.shape, np.int8)
    for number, (x, y) in enumerate(sites.transpose(1, 2, 0)):
        du, dv = canvas.x - x[:, None, None], canvas.y - y[:, None, None]
        distance = du * du + dv * dv
        closer = distance < near
        np.minimum(near, distance, out=near)
        cell[closer] = number
    rows = np.arange(len(cell))[:, None, None]
    for channel in range(3):
        base = plain[:, channel, None, None]
        mosaic = tints[rows, cell, channel]
        canvas.colours[:, channel] = base + clutter * (mosaic - base) + shade


def _pattern(canvas: _Chunk, centre: Floats, extent: Floats, texture: np.float32) -> Floats:
    """A plain colour, or one with stripes, checks or dots of another: float32 (n, 3, S, S)."""
    draw = canvas.draw
    u, v = _local(canvas, centre, extent * (np.float32(0.22) + np.float32(0.2) * draw()))
    sharp = np.float32(3)
    stripes, rungs = (
        np.clip(
            np.float32(0.5)
            + sharp * (np.abs(t - np.floor(t) - np.float32(0.5)) - np.float32(0.25)),
            0,
            1,
        )
        for t in (u, v)
    )
    # Weights of stripes, rungs and their product in: one colour, stripes, checks, dots
    kinds = np.array([[0, 0, 0], [1, 0, 0], [1, 1, -2], [0, 0, 1]], np.float32)
    share = kinds[(4 * draw()).astype(np.int64)][:, :, None, None]
    second = share[:, 0] * stripes + share[:, 1] * rungs + share[:, 2] * (stripes * rungs)
    hue = _hue(draw)
    low, high = np.float32(0.5), np.float32(0.45)
    first = _colour(hue, low + high * draw(), low + high * draw())
    other = _colour(
        (hue + np.float32(0.2) + np.float32(0.26) * draw()) % np.float32(2 / 3),
        np.float32(0.9) * draw(),
        np.float32(0.1) + np.float32(0.9) * draw(),
    )
    start, step = first[:, :, None, None], (other - first)[:, :, None, None]
    painted: Floats = start + texture * (step * second[:, None])
    return painted


def _paint(canvas: _Chunk, opacity: Floats, colours: Floats) -> None:
    canvas.colours[...] += opacity[:, None] * (colours - canvas.colours)


def _levels(colours: Floats, channels: int | None) -> NDArray[np.uint8]:
    """Colours (n, 3, S, S) in [0, 1] as uint8 (n, S, S, 3), or (n, S, S, 1) for one channel."""
    levels: NDArray[np.uint8] = np.rint(colours * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    if channels != 1:
        return levels
    red, green, blue = levels.astype(np.int64).transpose(3, 0, 1, 2)
    # With the weights of Pillow
    levels = ((red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16).astype(np.uint8)
    return levels[..., None]
