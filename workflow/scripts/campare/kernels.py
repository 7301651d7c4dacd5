"""Compiled loops over pixels for the similarity metrics: a batch of maps in, one row per map out.

A bilinear resize repeats the outermost rows and columns, so many pixels of a shown map occur twice
or more: a quarter of them for 7×7 maps at 224×224. All loops run over the distinct pixels, with
their numbers of occurrences `weight`, int32 (d,); N is the sum of the weights.

Functions are compiled once per machine and then read from the cache next to this file. They release
the GIL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int32]

LOW = np.uint64(0xFFFFFFFF)


def compiled(*fastmath: str) -> Callable[[Function], Function]:
    """Numba's decorator with LLVM's fast-math options for floats."""
    decorator = numba.njit(cache=True, nogil=True, fastmath=set(fastmath))
    return cast("Callable[[Function], Function]", decorator)


@compiled()
def show(
    maps: Floats,
    rows: NDArray[np.int64],
    row_shares: Floats,
    columns: NDArray[np.int64],
    column_shares: Floats,
) -> Floats:
    """The distinct pixels of `maps.show`: ReLU, min–max, bilinear resize, min–max.

    Parameters
    ----------
    maps
        float32 (n, h, w).
    rows, row_shares
        (dy, 2): the two source rows of each row, and their weights.
    columns, column_shares
        (dx, 2): the same for columns.

    Returns
    -------
    float32 (n, dy·dx) in [0, 1].
    """
    n, height, width = maps.shape
    dy, dx = len(rows), len(columns)
    shown = np.empty((n, dy * dx), np.float32)
    coarse = np.empty((height, width), np.float32)
    wide = np.empty((height, dx), np.float32)
    for k in range(n):
        for i in range(height):
            for j in range(width):
                value = maps[k, i, j]
                coarse[i, j] = value if value > 0 else 0  # no -0.0, whose bits are not a zero's
        _stretch(coarse)
        for i in range(height):
            for j in range(dx):
                wide[i, j] = (
                    coarse[i, columns[j, 0]] * column_shares[j, 0]
                    + coarse[i, columns[j, 1]] * column_shares[j, 1]
                )
        fine = shown[k].reshape(dy, dx)
        for i in range(dy):
            above, below = wide[rows[i, 0]], wide[rows[i, 1]]
            for j in range(dx):
                fine[i, j] = above[j] * row_shares[i, 0] + below[j] * row_shares[i, 1]
        _stretch(fine)
    return shown


@compiled()
def _stretch(values: Floats) -> None:
    """(value − min)/(max − min + 1e-7) in place, for (height, width)."""
    # First by column, which vectorises.
    least, most = values[0].copy(), values[0].copy()
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            least[j], most[j] = min(least[j], values[i, j]), max(most[j], values[i, j])
    low = least.min()
    scale = np.float32(1e-7) + (most.max() - low)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] = (values[i, j] - low) / scale


@compiled()
def rank(values: Floats, weight: Integers) -> tuple[Floats, Integers, Floats]:
    """Sort the pixels of each map, and rank them with average ranks over ties.

    This is a radix sort in three passes over the bits of the floats, whose order is that of the
    floats if none is negative. Zeros, of which ReLU makes many, come first and are not sorted.

    Parameters
    ----------
    values
        float32 (n, d), not negative, finite.

    Returns
    -------
    ordered
        float32 (n, d), each row ascending.
    upto
        int32 (n, d): number of pixels with at most this value, from 1 to N.
    ranks
        float32 (n, d), in the order of `values`: twice the average rank minus N + 1; so their
        weighted mean is 0, and all are 0 for a constant map. Exact up to N = 2²⁴.
    """
    n, d = values.shape
    pixels = weight.sum()
    ordered = np.empty((n, d), np.float32)
    upto = np.empty((n, d), np.int32)
    ranks = np.empty((n, d), np.float32)
    here, there = np.empty(d, np.uint64), np.empty(d, np.uint64)
    low, middle, high = np.empty(1024, np.int32), np.empty(1024, np.int32), np.empty(4096, np.int32)
    for k in range(n):
        bits = values[k].view(np.uint32)
        absent, zeros = _places(bits, weight, low, middle, high)
        m = d - absent
        _first_pass(bits, here, low)
        _pass(here[:m], there, middle, np.uint64(42))
        _pass(there[:m], here, high, np.uint64(52))
        ordered[k][:absent] = 0
        upto[k][:absent] = zeros
        ranks[k][:] = zeros - pixels
        _rank(here[:m], zeros, pixels, weight, ordered[k][absent:], upto[k][absent:], ranks[k])
    return ordered, upto, ranks


@compiled()
def _places(
    bits: NDArray[np.uint32], weight: Integers, low: Integers, middle: Integers, high: Integers
) -> tuple[int, int]:
    """Start positions of each value of the three digits (10, 10 and 12 bits), without zeros.

    Returns
    -------
    Number of zeros among the distinct pixels, and among all pixels.
    """
    low[:], middle[:], high[:] = 0, 0, 0
    absent, zeros = 0, 0
    for i in range(bits.size):
        key = bits[i]
        if key == 0:
            absent += 1
            zeros += weight[i]
            continue
        low[key & np.uint32(1023)] += np.int32(1)
        middle[key >> np.uint32(10) & np.uint32(1023)] += np.int32(1)
        high[key >> np.uint32(20)] += np.int32(1)
    for counts in (low, middle, high):
        place = np.int32(0)
        for digit in range(counts.size):
            count = counts[digit]
            counts[digit] = place
            place += count
    return absent, zeros


@compiled()
def _first_pass(bits: NDArray[np.uint32], target: NDArray[np.uint64], places: Integers) -> None:
    """Entries (key, pixel) sorted by the lowest digit, without zeros."""
    for i in range(bits.size):
        key = bits[i]
        if key != 0:
            place = places[key & np.uint32(1023)]
            target[np.uint64(place)] = np.uint64(key) << np.uint64(32) | np.uint64(i)
            places[key & np.uint32(1023)] = place + np.int32(1)


@compiled()
def _pass(
    source: NDArray[np.uint64], target: NDArray[np.uint64], places: Integers, shift: np.uint64
) -> None:
    """Stable sort by the digit at `shift`."""
    mask = np.uint64(places.size - 1)
    for i in range(source.size):
        entry = source[i]
        place = places[entry >> shift & mask]
        target[np.uint64(place)] = entry
        places[entry >> shift & mask] = place + np.int32(1)


@compiled()
def _rank(
    entries: NDArray[np.uint64],
    below: int,
    pixels: int,
    weight: Integers,
    ordered: Floats,
    upto: Integers,
    ranks: Floats,
) -> None:
    """Ranks from the sorted entries (key, pixel), in an upward and a downward pass."""
    keys = ordered.view(np.uint32)
    start = total = np.int32(below)
    last = np.uint32(0)
    for i in range(entries.size):
        key = np.uint32(entries[i] >> np.uint64(32))
        start = start if key == last else total
        last = key
        total += weight[entries[i] & LOW]
        keys[i] = key
        upto[i] = start
    # In the downward pass, `upto` changes from the number of pixels below a run of equal keys to
    # the number up to its end.
    end = total
    for back in range(entries.size):
        here = np.uint64(entries.size - 1 - back)
        start = upto[here]
        # Ranks start + 1 … end: twice their mean is start + end + 1.
        ranks[entries[here] & LOW] = np.float32(start + end - np.int32(pixels))
        upto[here] = end
        end = end if here > 0 and keys[here] == keys[here - np.uint64(1)] else start


@compiled()
def cut(ordered: Floats, upto: Integers, share: float) -> Floats:
    """The smallest pixel value at or above the percentile 100 − share.

    The percentile is numpy's: linear interpolation between order statistics, in float64.

    Returns
    -------
    float32 (n,), a value of each map: comparisons with it and with the percentile select the same
    pixels.
    """
    n, d = ordered.shape
    cuts = np.empty(n, np.float32)
    for k in range(n):
        last = upto[k, d - 1] - 1
        place = last * ((100 - share) / 100)
        under = int(np.floor(place))
        t = place - under
        a = np.float64(ordered[k, np.searchsorted(upto[k], under, side="right")])
        b = np.float64(ordered[k, np.searchsorted(upto[k], min(under + 1, last), side="right")])
        percentile = a + (b - a) * t if t < 0.5 else b - (b - a) * (1 - t)
        cuts[k] = a if percentile <= a else b
    return cuts


@compiled()
def fill(ordered: Floats, upto: Integers, share: float) -> Floats:
    """The pixel value at which the highest pixels reach `share` per cent of the map.

    Returns
    -------
    float32 (n,), a value of each map: fewer than `share` per cent of the pixels are above it, and
    at least `share` per cent are above or at it.
    """
    n, d = ordered.shape
    cuts = np.empty(n, np.float32)
    for k in range(n):
        pixels = upto[k, d - 1]
        below = int(np.floor(pixels - pixels * share / 100))
        cuts[k] = ordered[k, np.searchsorted(upto[k], below, side="right")]
    return cuts


@compiled()
def reach(ordered: Floats, upto: Integers, cuts: Floats) -> Integers:
    """Numbers of pixels above a value of each map, and at or above it.

    Returns
    -------
    int32 (n, 2).
    """
    n, d = ordered.shape
    counts = np.empty((n, 2), np.int32)
    for k in range(n):
        first = np.searchsorted(ordered[k], cuts[k])
        counts[k, 0] = upto[k, d - 1] - upto[k, first]
        counts[k, 1] = upto[k, d - 1] - (upto[k, first - 1] if first > 0 else 0)
    return counts


@compiled()
def shared(
    p: Floats,
    q: Floats,
    weight: Integers,
    p_cut: Floats,
    q_cut: Floats,
    p_part: Doubles,
    q_part: Doubles,
) -> Integers:
    """Numbers of pixels in two fuzzy masks.

    Parameters
    ----------
    p_part, q_part
        float64 (n,): membership of the pixels at the cut.

    Returns
    -------
    int32 (n, 3): pixels at or above both cuts; above the cut of the mask with the lower part (p if
    equal) and at or above the other cut; above both cuts.
    """
    n, d = p.shape
    counts = np.empty((n, 3), np.int32)
    for k in range(n):
        lower = p_part[k] <= q_part[k]
        a, b = (p[k], q[k]) if lower else (q[k], p[k])
        a_cut, b_cut = (p_cut[k], q_cut[k]) if lower else (q_cut[k], p_cut[k])
        reached = half = over = np.int32(0)
        for i in range(d):
            reached += weight[i] if (a[i] >= a_cut) & (b[i] >= b_cut) else np.int32(0)
            half += weight[i] if (a[i] > a_cut) & (b[i] >= b_cut) else np.int32(0)
            over += weight[i] if (a[i] > a_cut) & (b[i] > b_cut) else np.int32(0)
        counts[k, 0], counts[k, 1], counts[k, 2] = reached, half, over
    return counts


# Sums in any order, so that they vectorise: deterministic on a machine, for any number of threads.
@compiled("reassoc", "contract", "nnan", "nsz")
def products(p: Floats, q: Floats, weight: Integers) -> Doubles:
    """Sums of p, q, p², q² and pq over all pixels, in float64.

    Returns
    -------
    float64 (n, 5).
    """
    n, d = p.shape
    sums = np.empty((n, 5))
    for k in range(n):
        a, b = p[k], q[k]
        of_a = of_b = of_aa = of_bb = of_ab = 0.0
        for i in range(d):
            x, y = np.float64(a[i]), np.float64(b[i])
            wx, wy = weight[i] * x, weight[i] * y
            of_a += wx
            of_b += wy
            of_aa += wx * x
            of_bb += wy * y
            of_ab += wx * y
        sums[k, 0], sums[k, 1], sums[k, 2], sums[k, 3], sums[k, 4] = of_a, of_b, of_aa, of_bb, of_ab
    return sums


@compiled("reassoc", "contract", "nnan", "nsz")
def distances(p: Floats, q: Floats, weight: Integers) -> Doubles:
    """Sums of |p − q| and (p − q)² over all pixels, in float64.

    Returns
    -------
    float64 (n, 2).
    """
    n, d = p.shape
    sums = np.empty((n, 2))
    for k in range(n):
        a, b = p[k], q[k]
        absolute = squared = 0.0
        for i in range(d):
            gap = np.float64(a[i]) - np.float64(b[i])
            absolute += weight[i] * abs(gap)
            squared += weight[i] * gap * gap
        sums[k, 0], sums[k, 1] = absolute, squared
    return sums
