"""Random numbers keyed by image, and settings that make torch deterministic.

With a sequential generator, the numbers of an image would depend on batch size, order and worker.
Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is a function
(key, counter) → four 32-bit words. Here a number depends only on the key (seed, epoch) and the
counter (source, copy, block, stream).
"""

from __future__ import annotations

import os

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10


def philox(
    counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox4x32-10 of int64 tensors of words (0 to 2³²−1), which are broadcast together.

    Returns four int64 tensors of words, which are equal on all devices (integer arithmetic).
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        # The product of 32 × 32 bits wraps in int64: its low word is correct, and so is its high
        # word after the shift and masking of the sign bits. c1 and c3 are masked at the end only,
        # because only their low words are used.
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = ((p1 >> 32) ^ c1 ^ k0) & _WORD, p1, ((p0 >> 32) ^ c3 ^ k1) & _WORD, p0
        k0, k1 = (k0 + _WEYL[0]) & _WORD, (k1 + _WEYL[1]) & _WORD
    return c0, c1 & _WORD, c2, c3 & _WORD


def words(
    seed: int,
    epoch: int,
    source: Tensor,
    copy: Tensor,
    count: int,
    *,
    stream: int = 0,
    device: torch.device | str | None = None,
) -> Tensor:
    """`count` random 32-bit words for each image: int64 (B, count), 0 to 2³²−1.

    `source` (B,) and `copy` (B,) are int64; seed, epoch and stream lie in 0 to 2³²−1. Streams are
    independent of each other. `device` defaults to that of `source`.
    """
    source = source.to(device)
    blocks = torch.arange(-(-count // 4), device=source.device)
    counter = (
        source[:, None],
        copy.to(device)[:, None],
        blocks,
        torch.full_like(blocks[:1], stream),
    )
    return torch.stack(philox(counter, (seed, epoch)), dim=-1).flatten(1)[:, :count]


def unit(words: Tensor) -> Tensor:
    """Words as float32 in [0, 1), from their upper 24 bits, which float32 represents exactly."""
    return (words >> 8).to(torch.float32) * 2.0**-24


def uniforms(
    seed: int,
    epoch: int,
    source: Tensor,
    copy: Tensor,
    count: int,
    *,
    stream: int = 0,
    device: torch.device | str | None = None,
) -> Tensor:
    """`count` uniform numbers in [0, 1) for each image: float32 (B, count); see `words`."""
    return unit(words(seed, epoch, source, copy, count, stream=stream, device=device))


def deterministic(threads: int) -> None:
    """Make torch deterministic with `threads` threads.

    It must be called before any use of CUDA, because cuBLAS reads its workspace setting once.
    Results depend on the number of threads, because sums are split among them.
    """
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.set_num_threads(threads)
    # The same switch as `use_deterministic_algorithms`, which imports the compiler (1.2 s).
    torch.set_deterministic_debug_mode("error")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    # Filling every new tensor with NaN takes time; no code here reads uninitialised memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
