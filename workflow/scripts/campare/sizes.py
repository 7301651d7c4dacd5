"""Sizes of images: the side of a square, or height and width."""

from __future__ import annotations

from collections.abc import Sequence

# Pixels: a number is the side of a square, a pair is (height, width).
Size = int | Sequence[int]


def pair(size: Size) -> tuple[int, int]:
    """Height and width of a size."""
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def shape(size: Size) -> str:
    """Whether a size is "square", "wide" (wider than high) or "tall"."""
    height, width = pair(size)
    return "square" if height == width else "wide" if width > height else "tall"


def text(size: Size) -> str:
    """A size in sentences, such as "40 × 64 pixels", height first as in the config."""
    height, width = pair(size)
    return f"{height} × {width} pixels"


def written(size: Size) -> str:
    """A size as the config has it: "32", "[40, 64]"."""
    height, width = pair(size)
    return str(height) if height == width else f"[{height}, {width}]"
