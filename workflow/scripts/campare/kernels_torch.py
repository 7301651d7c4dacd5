"""The loops over pixels of `kernels` in torch, for devices with float64 (CUDA).

Functions have the same names, arguments and results as in `kernels`, with tensors for the maps.
Pixels, ranks and counts are equal bit for bit; sums, in float64, are added in another order. Tests
check this on the CPU; no GPU has run them yet.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from campare.kernels import Doubles, Floats, Integers


def bring(maps: Floats, device: str) -> Tensor:
    """Stored maps float32 (n, h, w) on the device."""
    return torch.from_numpy(np.ascontiguousarray(maps)).to(device)


def show(
    maps: Tensor,
    rows: NDArray[np.int64],
    row_shares: Floats,
    columns: NDArray[np.int64],
    column_shares: Floats,
) -> Tensor:
    """float32 (n, h, w) -> float32 (n, dy·dx) in [0, 1], as `kernels.show`."""
    arrays = rows, row_shares, columns, column_shares
    y, of_y, x, of_x = (torch.from_numpy(array).to(maps.device) for array in arrays)
    coarse = _stretched(torch.where(maps > 0, maps, 0))
    wide = coarse[:, :, x[:, 0]] * of_x[:, 0] + coarse[:, :, x[:, 1]] * of_x[:, 1]
    fine = wide[:, y[:, 0]] * of_y[:, :1] + wide[:, y[:, 1]] * of_y[:, 1:]
    return _stretched(fine).flatten(1)


def _stretched(maps: Tensor) -> Tensor:
    """(value − min)/(max − min + 1e-7) of each map (n, h, w)."""
    above_min = maps - maps.amin((1, 2), keepdim=True)
    return above_min / (above_min.amax((1, 2), keepdim=True) + 1e-7)


def rank(values: Tensor, weight: Integers) -> tuple[Tensor, Tensor, Tensor]:
    """Sorted pixels float32 (n, d), cumulative counts int32, ranks float32, as `kernels.rank`."""
    weights = _on_device(weight, values)
    ordered, place = values.sort(dim=1)
    reached = weights[place].cumsum(1, dtype=torch.int32)
    first = torch.searchsorted(ordered, ordered)
    last = torch.searchsorted(ordered, ordered, right=True) - 1
    upto = reached.gather(1, last)
    before = reached.gather(1, first) - weights[place.gather(1, first)]
    doubled = (before + upto - reached[:, -1:]).float()
    return ordered, upto, torch.empty_like(values).scatter_(1, place, doubled)


def cut(ordered: Tensor, upto: Tensor, share: float) -> Tensor:
    """float32 (n,): smallest value at or above the percentile 100 − share, as `kernels.cut`."""
    last = upto[:, -1] - 1
    position = last.double() * ((100 - share) / 100)
    under = position.floor()
    t = position - under
    places = torch.stack([under.int(), torch.minimum(under.int() + 1, last)], dim=1)
    ends = torch.searchsorted(upto, places, right=True)
    a, b = ordered.gather(1, ends).double().unbind(1)
    percentile = torch.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t))
    return torch.where(percentile <= a, a, b).float()


def fill(ordered: Tensor, upto: Tensor, share: float) -> Tensor:
    """float32 (n,): the value at which the highest pixels reach the share, as `kernels.fill`."""
    pixels = upto[:, -1:].double()
    below = (pixels - pixels * share / 100).floor().int()
    return ordered.gather(1, torch.searchsorted(upto, below, right=True))[:, 0]


def reach(ordered: Tensor, upto: Tensor, cuts: Tensor) -> Integers:
    """int32 (n, 2): numbers of pixels above a value, and at or above it, as `kernels.reach`."""
    first = torch.searchsorted(ordered, cuts[:, None].contiguous())
    below = torch.where(first > 0, upto.gather(1, (first - 1).clamp(min=0)), 0)
    counts = upto[:, -1:] - torch.cat([upto.gather(1, first), below], dim=1)
    above_and_reached: Integers = counts.cpu().numpy()
    return above_and_reached


def shared(
    p: Tensor,
    q: Tensor,
    weight: Integers,
    p_cut: Tensor,
    q_cut: Tensor,
    p_part: Doubles,
    q_part: Doubles,
) -> Integers:
    """int32 (n, 3): numbers of pixels at or above both cuts, as `kernels.shared`."""
    weights = _on_device(weight, p)
    lower = torch.from_numpy(p_part <= q_part).to(p.device)[:, None]
    reaches = p >= p_cut[:, None], q >= q_cut[:, None]
    passes = p > p_cut[:, None], q > q_cut[:, None]
    half = torch.where(lower, passes[0] & reaches[1], reaches[0] & passes[1])
    masks = reaches[0] & reaches[1], half, passes[0] & passes[1]
    counts = [(mask * weights).sum(1, dtype=torch.int32) for mask in masks]
    table: Integers = torch.stack(counts, dim=1).cpu().numpy()
    return table


def products(p: Tensor, q: Tensor, weight: Integers) -> Doubles:
    """float64 (n, 5): sums of p, q, p², q² and pq over all pixels."""
    a, b = p.double(), q.double()
    return _sums(weight, a, b, a * a, b * b, a * b)


def distances(p: Tensor, q: Tensor, weight: Integers) -> Doubles:
    """float64 (n, 2): sums of |p − q| and (p − q)² over all pixels."""
    gap = p.double() - q.double()
    return _sums(weight, gap.abs(), gap * gap)


def _sums(weight: Integers, *terms: Tensor) -> Doubles:
    """Weighted sums of terms float64 (n, d), as columns: float64 (n, terms)."""
    weights = _on_device(weight, terms[0])
    sums: Doubles = torch.stack([(x * weights).sum(1) for x in terms], dim=1).cpu().numpy()
    return sums


def _on_device(weight: Integers, values: Tensor) -> Tensor:
    """Weights int32 (d,) of the pixels, on the device of `values`."""
    return torch.from_numpy(weight).to(values.device)
