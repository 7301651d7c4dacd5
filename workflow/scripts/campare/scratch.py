"""Arrays that may be larger than memory: above a limit they lie in a file without a name.

The system writes its pages to the disk and drops them from memory as it needs; the space is free
again as soon as the array is, also if the process is killed.
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from campare.errors import CampareError

# Bytes above which an array lies in a file.
LIMIT = 1 << 28
# Bytes that are copied at a time.
STEP = 1 << 26
_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def folder(path: str | Path) -> Iterator[None]:
    """Let large arrays that are made in this block lie in files of this folder."""
    before = _folder.set(Path(path))
    try:
        yield
    finally:
        _folder.reset(before)


def empty(shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    """An array without defined content, as numpy.empty; outside of `folder` always in memory.

    Raises
    ------
    CampareError
        The disk has not enough space, or the folder cannot be written.
    """
    size, place = math.prod(shape) * np.dtype(dtype).itemsize, _folder.get()
    if place is None or size <= LIMIT:
        return np.empty(shape, dtype)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as file:
            # Now, since a full disk would later end the process (SIGBUS).
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return np.memmap(file, dtype, "r+", shape=tuple(shape))
    except OSError as error:
        denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        raise CampareError(
            f"{place}: cannot hold {size / 1e9:,.1f} GB of images ({error.strerror}); "
            f"{'make it writable' if denied else 'free some space'}"
        ) from error


def copied(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous copy of an array, as `empty` places it."""
    copy = empty(array.shape, array.dtype)
    for part in parts(array):
        copy[part] = array[part]
    return copy


def parts(array: NDArray[Any]) -> Iterator[slice]:
    """Slices of the first axis, of about STEP bytes."""
    return slices(len(array), math.prod(array.shape[1:]) * array.itemsize)


def slices(count: int, size: int) -> Iterator[slice]:
    """Slices of `count` rows of `size` bytes, of about STEP bytes."""
    step = max(1, STEP // max(1, size))
    return (slice(first, first + step) for first in range(0, count, step))
