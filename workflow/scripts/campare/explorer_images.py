"""The images of the explorer, in sheets of PNG or JPEG, and the masks of their regions."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from campare.explorer import text_of

# Limits of the size of a page: pixels of all images, and of a side.
PIXELS = 100_000_000
SIDE = 320
SHEET = 1024  # pixels of a side of a sheet of images, if one image is not larger
LOSSLESS = 2_000_000  # pixels of all images; more are compressed as JPEG


def sheets(images: NDArray[np.uint8], index: NDArray[np.int64]) -> tuple[dict[str, Any], list[str]]:
    """Images in sheets of PNG or JPEG, and how to find an image in them.

    Parameters
    ----------
    images
        uint8 (M, H, W, C), of the whole data set; may be mapped from a file.
    index
        (N,) positions of the images shown; they are reduced if all together have more than `PIXELS`
        pixels.

    Returns
    -------
    layout
        height and width of an image, cell (height and width of its place in a sheet), columns and
        rows of a sheet, type, and `original`, the size before reduction.
    texts
        Sheets as base64, images row by row.
    """
    count, original = len(index), images.shape[1:3]
    reduction = min(1.0, math.sqrt(PIXELS / (count * math.prod(original))), SIDE / max(original))
    height, width = (max(1, int(side * reduction)) for side in original)
    lossless = count * height * width <= LOSSLESS
    # JPEG compresses blocks of 8 × 8 pixels, which must not belong to two images.
    cell = (height, width) if lossless else (-height // 8 * -8, -width // 8 * -8)
    rows, columns = (max(1, SHEET // side) for side in cell)
    texts = []
    for start in range(0, count, rows * columns):
        part = np.asarray(images[index[start : start + rows * columns]])
        if (height, width) != original:
            part = np.stack([_reduced(image, (width, height)) for image in part])
        texts.append(_sheet(part, cell, columns, lossless))
    layout = {
        "height": height,
        "width": width,
        "cell": list(cell),
        "columns": columns,
        "rows": rows,
        "original": list(original),
        "type": "image/png" if lossless else "image/jpeg",
        "sheets": len(texts),
    }
    return layout, texts


def region_bits(masks: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Masks of regions as bits, in the size of the images of a page.

    Parameters
    ----------
    masks
        bool (N, regions, H, W).
    size
        Height and width of the images; the nearest pixel of a mask is taken.
    """
    rows, columns = (
        (np.arange(side) + 0.5) * whole / side
        for side, whole in zip(size, masks.shape[2:], strict=True)
    )
    return np.packbits(masks[:, :, rows.astype(int)[:, None], columns.astype(int)])


def _reduced(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image (H, W, C) in another (width, height)."""
    small = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).resize(size)
    return np.asarray(small).reshape(size[1], size[0], image.shape[2])


def _sheet(images: NDArray[np.uint8], cell: tuple[int, int], columns: int, lossless: bool) -> str:
    """A sheet of images, row by row, as base64 of a PNG or JPEG file."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    edges = (0, rows * columns - count), (0, cell[0] - height), (0, cell[1] - width), (0, 0)
    padded = np.pad(images, edges, mode="edge")
    whole = padded.reshape(rows, columns, *cell, channels).swapaxes(1, 2)
    pixels = whole.reshape(rows * cell[0], columns * cell[1], channels)
    picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    file = io.BytesIO()
    if lossless:
        picture.save(file, "PNG", optimize=True)
    else:
        picture.save(file, "JPEG", quality=90, subsampling=0, optimize=True)
    return text_of(file.getvalue())
