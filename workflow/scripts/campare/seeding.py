"""Random numbers that belong to an image, not to a moment; and switches that fix torch's bits.

A generator that steps through a sequence gives an image other numbers when batch size, order or
worker changes. Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3")
is a function instead: (key, counter) → four 32-bit words. Key (seed, epoch) and counter (source,
copy, block, stream) therefore say all there is to say about a number.
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
    """Philox4x32-10 of int64 tensors that hold words (0 to 2³²−1) and broadcast together.

    Returns four int64 tensors of words. Integers alone: the same bits on any device.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        # 32 × 32 bits overflow int64, which wraps: the low word is right, and so is the high one
        # after the shift, once the sign bits are masked off. c1 and c3 stay unmasked until the end
        # because only their low words ever matter.
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

    `source` (B,) and `copy` (B,) are int64; seed, epoch and stream lie in 0 to 2³²−1. Numbers of
    another stream are independent. `device` defaults to that of `source`.
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
    """Words as float32 in [0, 1): their upper 24 bits, which float32 holds exactly."""
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
    """Make torch give the same bits run after run, on `threads` threads.

    Call it before anything runs on CUDA: cuBLAS reads its workspace setting once. The number of
    threads is part of a result, because sums are split among them.
    """
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.set_num_threads(threads)
    # The same switch as `use_deterministic_algorithms`, which imports the compiler (1.2 s).
    torch.set_deterministic_debug_mode("error")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    # Filling every new tensor with NaN first costs time; nothing here reads unwritten memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
