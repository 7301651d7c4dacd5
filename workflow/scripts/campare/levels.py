"""Grey levels of any kind as 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Window = Sequence[float] | Sequence[Sequence[float]]
SET = "set data.window: [low, high], the levels that become black and white"


def to_bytes(values: NDArray[Any], window: Window | None = None) -> NDArray[np.uint8]:
    """Grey levels as uint8, of the same shape.

    With a window [low, high], levels are mapped linearly, low to 0 and high to 255, rounded, and
    levels outside it become 0 or 255. With a list of them, each channel, along the last axis of
    `values`, has its own. Without one, 8 bits stay as they are, 16 bits become
    round(255 v / 65535), true and false 255 and 0, and real numbers from 0 to 1 round(255 v).

    Raises
    ------
    ValueError
        There are NaN or infinite values; or, without a window, real numbers outside of 0 to 1, or
        integers of another type.
    """
    real = values.dtype.kind == "f"
    if values.dtype.kind not in "buif":
        raise ValueError(f"has values of the type {values.dtype}; save them as numbers")
    if real and not np.isfinite(values).all():
        raise ValueError(f"has {np.count_nonzero(~np.isfinite(values)):,} values NaN or infinite")
    if window is not None:
        low, high = np.asarray(window, np.float64).T
        share = (values.astype(np.float64) - low) / (high - low)
        return np.asarray(np.rint(255 * share.clip(0, 1)), np.uint8)
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint16:
        return np.asarray((values.astype(np.int64) * 255 + 32767) // 65535, np.uint8)
    if not real:
        raise ValueError(
            f"has values of the type {values.dtype}, from {values.min()} to {values.max()}; {SET}, "
            "or save them as uint8 or uint16"
        )
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(
            f"has real numbers from {values.min():g} to {values.max():g}, and not from 0 to 1; "
            f"{SET}"
        )
    return np.rint(255 * values.astype(np.float64)).astype(np.uint8)
