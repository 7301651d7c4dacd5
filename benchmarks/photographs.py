"""Make photographs of Fashion-MNIST's test images, for `own_images` (docs/fashion.md).

    PYTHONPATH=workflow/scripts python benchmarks/photographs.py results/fashion/data.h5 FOLDER

Writes the first 20 test images of each class, unchanged to FOLDER/originals/<class>/<position>.png,
and as a photograph of a dark garment on white to FOLDER/photographs/<class>/<position>.jpg: eight
times as large, inverted, off the centre of an off-white sheet, with noise, compressed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from campare import data

EACH = 20
LARGER, SHEET, PAPER, NOISE, QUALITY = 8, 400, 240, 2.0, 85  # times, pixels, level, levels, JPEG


def photograph(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """An image (H, W), light on black, as a photograph of a sheet (SHEET, SHEET) with noise."""
    height, width = (LARGER * side for side in image.shape)
    large = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    sheet = np.full((SHEET, SHEET), float(PAPER))
    top, left = random.integers(0, (SHEET - height, SHEET - width), endpoint=True)
    sheet[top : top + height, left : left + width] -= PAPER / 255 * np.asarray(large, float)
    noisy = sheet + random.normal(0, NOISE, sheet.shape)
    return np.rint(noisy.clip(0, 255)).astype(np.uint8)


def main(source: str, folder: str) -> None:
    dataset = data.read(source)
    random = np.random.default_rng(0)
    for label, name in enumerate(dataset.classes):
        tested = np.flatnonzero((dataset.labels == label) & (dataset.part == "test"))
        for place in tested[:EACH]:
            image = np.asarray(dataset.images[place, :, :, 0])
            for kind, made, suffix in (
                ("originals", image, "png"),
                ("photographs", photograph(image, random), "jpg"),
            ):
                path = Path(folder) / kind / name.replace("/", "-") / f"{place}.{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(made).save(path, quality=QUALITY)


if __name__ == "__main__":
    main(*sys.argv[1:])
