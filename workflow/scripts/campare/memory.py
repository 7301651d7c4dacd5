"""Memory of training jobs: the limit for images, settings of the allocator."""

from __future__ import annotations

import ctypes

# Bytes of the images of a subset that a job without a GPU keeps in memory (`training_images`).
RESIDENT = 1 << 29

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1  # glibc's malloc.h


def keep_freed() -> None:
    """Make glibc keep freed blocks of any size for the next request.

    By default it returns every block above 32 MB to the system, and the next batch needs new pages:
    half the time of EfficientNet-B0's forward pass on the CPU, for 64 images of 224 px. With other
    C libraries nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
