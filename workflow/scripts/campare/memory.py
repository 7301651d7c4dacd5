"""How this process asks the system for memory."""

from __future__ import annotations

import ctypes

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1  # glibc's malloc.h


def keep_freed() -> None:
    """Let glibc keep freed blocks, however large, for the next request.

    By default it gives every block above 32 MB back to the system, and the next batch faults in
    its pages anew: half the time of EfficientNet-B0's forward pass on the CPU, 64 images of
    224 px. No other C library has the switch, and there nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
