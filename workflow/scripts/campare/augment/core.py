"""Augmentations of batches, with random parameters for every image.

Images are uint8 (B, C, H, W) before and after. The result for an image depends only on (seed,
epoch, source index, copy, step of the composition), not on batch, order, number of threads or
device. Three rules ensure this:

- random numbers are a function of this key (`seeding`);
- parameters are computed in float64 and rounded to float32, which removes differences between
  devices in the last bit of sines or exponentials (MPS has no float64 and uses float32);
- pixels come from element-wise operations, whose rounding IEEE 754 defines, or from sums of
  integers that float32 represents exactly. No fused, reduced or vendor kernel rounds a pixel.

A step reads no value from the device, so that a GPU does not wait for the host, unless its entry
in the registry has `waits`. Use it outside autocast.

Geometry, defaults and rounding are those of torchvision (v2), with which the tests compare every
operation; deviations are stated in the functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from campare import registry, seeding, user_code
from campare.errors import CampareError


@dataclass(frozen=True)
class Batch:
    """Images uint8 (B, C, H, W) and targets float32 (B, K): shares of the classes, summing to 1."""

    images: Tensor
    targets: Tensor

    def of(self, source: Tensor) -> Batch:
        """The images at some positions, int64 (b,), and their targets."""
        return Batch(self.images[source], self.targets[source])

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def mean(self) -> Tensor:
        """Mean level of every channel over all images, rounded: uint8 (1, C, 1, 1)."""
        return mean_level([self.images])


def mean_level(parts: Iterable[Tensor]) -> Tensor:
    """Mean level of every channel over the images uint8 (b, C, H, W) of one part or more, rounded.

    uint8 (1, C, 1, 1).
    """
    totals, counts = zip(
        *((part.sum((0, 2, 3), dtype=torch.int64), part[:, :1].numel()) for part in parts),
        strict=True,
    )
    total, count = torch.stack(totals).sum(0), max(1, sum(counts))
    mean: Tensor = ((total + count // 2) // count).to(torch.uint8)
    return mean.view(1, -1, 1, 1)


class Pool(Protocol):
    """Training images from which partners are drawn: a `Batch`, or those of a training."""

    def __len__(self) -> int: ...

    def of(self, source: Tensor) -> Batch: ...

    @property
    def mean(self) -> Tensor: ...


def _unchanged(images: Tensor) -> Tensor:
    return images


class Draw:
    """The random numbers of one step for one batch, from a separate stream for each image."""

    _RESERVE = 32  # numbers generated at once: a few take as long as one

    def __init__(
        self,
        seed: int,
        epoch: int,
        source: Tensor,
        copy: Tensor,
        *,
        step: int,
        pool: Pool,
        prepare: Callable[[Tensor], Tensor] = _unchanged,
    ) -> None:
        self._key = seed, epoch, source, copy
        self._stream = step << 16
        self._pool, self._prepare = pool, prepare
        self._reserve = source.new_empty(len(source), 0)

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 1; 0 for copies that are drawn once."""
        return self._key[1]

    @property
    def pool_mean(self) -> Tensor:
        """Mean level of every channel over the training images: uint8 (1, C, 1, 1)."""
        return self._pool.mean

    def in_all_epochs(self) -> Draw:
        """The same streams without the epoch: an image has the same numbers in every epoch."""
        seed, _, source, copy = self._key
        step = self._stream >> 16
        return Draw(seed, 0, source, copy, step=step, pool=self._pool, prepare=self._prepare)

    def words(self, count: int) -> Tensor:
        """Words of a new stream: int64 (B, count)."""
        drawn = seeding.words(*self._key, count, stream=self._stream)
        self._stream += 1
        return drawn

    def _take(self, count: int) -> Tensor:
        if self._reserve.shape[1] < count:
            self._reserve = self.words(max(count, self._RESERVE))
        taken, self._reserve = self._reserve[:, :count], self._reserve[:, count:]
        return taken

    def uniform(self, low: float, high: float, *, count: int = 1) -> Tensor:
        """Numbers in [low, high): float64 (B, count), float32 on MPS."""
        wide = torch.float32 if self._reserve.device.type == "mps" else torch.float64
        return low + (high - low) * seeding.unit(self._take(count)).to(wide)

    def integers(self, high: int | Tensor) -> Tensor:
        """Integers from 0 to high − 1: int64 (B, 1); `high` may be a tensor (B, 1)."""
        return self._take(1) * high >> 32

    def chance(self, probability: float) -> Tensor:
        """True with this probability: bool (B, 1)."""
        return self.uniform(0.0, 1.0) < probability

    def noise(self, count: int) -> Tensor:
        """White noise, uniform on the odd numbers −255 to 255: float32 (B, count)."""
        drawn = self.words(-(-count // 4))
        octets = drawn[..., None].view(torch.uint8)[..., :4]  # a word is the lower half of an int64
        return octets.flatten(1)[:, :count].float() * 2 - 255

    def normal(self, count: int) -> Tensor:
        """Numbers from the standard normal distribution: float32 (B, count).

        They are 65,536 quantiles, up to ±4.3, drawn uniformly: unlike logarithms and sines, a table
        gives the same bits on every device.
        """
        drawn = self.words(-(-count // 2))
        halves = drawn[..., None].view(torch.int16)[..., :2].flatten(1)[:, :count]
        number = halves.to(torch.int32).bitwise_and_(0xFFFF)
        table = _normal_quantiles(number.device)
        return table.index_select(0, number.flatten()).view(number.shape)

    def partners(self) -> Batch:
        """A training image for each, drawn uniformly from the pool (possibly the image itself)."""
        drawn = self._pool.of(self.integers(len(self._pool))[:, 0])
        return Batch(self._prepare(drawn.images), drawn.targets)


class Augmenter:
    """One augmentation or several in turn, keyed by a seed.

    Parameters
    ----------
    steps
        (name in `registry.STEPS` or `file.py:function`, all its parameters), applied in turn;
        empty: images are not changed (baseline).
    seed
        The augmentation seed, 0 to 2³²−1.
    pool
        The training images from which partners (CutMix) are drawn, as they are stored.
    prepare
        Function that resizes pool images to the size of the batches.

    Raises
    ------
    CampareError
        Parameters contradict each other.
    """

    def __init__(
        self,
        steps: Sequence[tuple[str, Mapping[str, Any]]],
        seed: int,
        pool: Pool,
        prepare: Callable[[Tensor], Tensor] = _unchanged,
    ) -> None:
        for name, parameters in steps:
            registry.check_parameters(name, parameters)
        self._names = [name for name, _ in steps]
        self._steps = [
            (registry.entry(registry.STEPS, name).load(), dict(kept)) for name, kept in steps
        ]
        self._seed, self._pool, self._prepare = seed, pool, prepare

    def __call__(self, batch: Batch, source: Tensor, copy: Tensor, epoch: int) -> Batch:
        """The augmented batch; `source` (B,) and `copy` (B,) are the keys of its images.

        Both are int64 on the device of the images.

        Raises
        ------
        CampareError
            A function of the user does not return images and targets as it got them.
        """
        for step, (function, parameters) in enumerate(self._steps):
            draw = Draw(
                self._seed,
                epoch,
                source,
                copy,
                step=step,
                pool=self._pool,
                prepare=self._prepare,
            )
            before, batch = batch, function(batch, draw, **parameters)
            if user_code.is_reference(self._names[step]):
                _check_result(self._names[step], before, batch)
        return batch


def _check_result(name: str, before: Batch, batch: Any) -> None:
    """Check what a function of the user returns."""
    if not isinstance(batch, Batch):
        raise CampareError(
            f"{name}: returns {type(batch).__name__}; return a Batch, such as "
            "dataclasses.replace(batch, images=…)"
        )
    for part in ("images", "targets"):
        old, new = getattr(before, part), getattr(batch, part)
        if not isinstance(new, Tensor) or (new.shape, new.dtype) != (old.shape, old.dtype):
            what = f"{new.dtype} {tuple(new.shape)}" if isinstance(new, Tensor) else type(new)
            raise CampareError(
                f"{name}: returns {part} {what}; must be {old.dtype} {tuple(old.shape)}, as given"
            )


def beta(draw: Draw, alpha: float, other: float | None = None) -> Tensor:
    """Random numbers from Beta(alpha, other), float64 (B, 1), by interpolated quantiles.

    `other` is alpha if it is None.
    """
    other = alpha if other is None else other
    uniform = draw.uniform(0, 1)
    if alpha == other == 1:
        return uniform
    table = _beta_quantiles(alpha, other, uniform.dtype, uniform.device)
    position = uniform * (len(table) - 1)
    left = position.long()
    low, high = table[left], table[left + 1]
    return low + (high - low) * (position - left)


@cache
def _beta_quantiles(alpha: float, other: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Quantiles of Beta(alpha, other) at 4097 probabilities.

    Between them the error of the distribution function is less than 1/4096.
    """
    from scipy.special import betaincinv

    exact = betaincinv(alpha, other, torch.linspace(0, 1, 4097, dtype=torch.float64).numpy())
    return torch.from_numpy(exact).to(dtype).to(device)


@cache
def _normal_quantiles(device: torch.device) -> Tensor:
    """The middles of 65,536 equally probable parts of the standard normal distribution: float32."""
    from scipy.special import ndtri

    exact = ndtri((torch.arange(65536, dtype=torch.float64).numpy() + 0.5) / 65536)
    return torch.from_numpy(exact).float().to(device)


def as_float(parameters: Tensor) -> Tensor:
    return parameters.to(torch.float32)


def as_uint8(levels: Tensor) -> Tensor:
    """uint8 from float32 levels 0 to 255, via int16, which is four times as fast in torch."""
    return levels.to(torch.int16).to(torch.uint8)


def mix(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """a + (b − a)·share of float32 `a`; not `lerp`, whose rounding depends on the device."""
    return b.float().sub_(a).mul_(share).add_(a)


def choose(mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`torch.where` of bytes by bit operations, which is six times as fast on CPUs."""
    return (a ^ b).bitwise_and_(mask.to(torch.uint8).neg_()).bitwise_xor_(b)


def boxes(
    draw: Draw, area: int, longest: tuple[int, int], scale: Sequence[float], ratio: Sequence[float]
) -> tuple[Tensor, Tensor, Tensor]:
    """The first of ten random boxes that fits: first side, second side, whether one fits.

    int64, int64 and bool (B, 1). Shares of the `area` are uniform in `scale`, and ratios of first
    to second side log-uniform in `ratio`, as in torchvision. A box fits if its sides have 1 to
    `longest` pixels.
    """
    tries = 10
    areas = draw.uniform(*scale, count=tries) * area
    ratios = draw.uniform(math.log(ratio[0]), math.log(ratio[1]), count=tries).exp()
    first, second = (areas * ratios).sqrt().round().long(), (areas / ratios).sqrt().round().long()
    fits = (first > 0) & (first <= longest[0]) & (second > 0) & (second <= longest[1])
    number = torch.arange(tries, device=fits.device)
    chosen = torch.where(fits, number, tries - 1).amin(1, keepdim=True)
    return first.gather(1, chosen), second.gather(1, chosen), fits.any(1, keepdim=True)
