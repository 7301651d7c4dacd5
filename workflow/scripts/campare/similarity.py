"""How far two models' maps are apart, image by image.

Metrics are functions of a batch of pairs (`Pairs`), one entry in the registry each. Yours may be
plain numpy, for instance

    def cosine(pairs: Pairs) -> Doubles:
        p, q = pairs.p.shown, pairs.q.shown
        return (p * q).sum((1, 2)) / np.sqrt((p**2).sum((1, 2)) * (q**2).sum((1, 2)))

What several metrics need of a map (pixels, ranks, probabilities) is computed when the first asks
for it, once per model, and the baseline's once for all models. P is the baseline, Q the other.

The loops over pixels are compiled for the CPU (`kernels`); on any other device torch does them
(`kernels_torch`), on tensors. What a metric of yours sees are arrays all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from campare import kernels, maps, memory, registry
from campare.errors import CampareError
from campare.kernels import Doubles, Floats, Integers
from campare.statistics import corrected_overlap
from campare.store import Store

Columns = dict[str, NDArray[Any]]

# Pixels of a chunk of maps: few enough for the cache, many enough to hide Python's overhead. A
# device is kept busy by more, which takes 70 MB of each model's, and more while it is ranked.
CHUNK, DEVICE_CHUNK = 1 << 18, 1 << 22


Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801, a decorator
    """A property that is computed when it is first asked for.

    `functools.cached_property`, but for the lock that all instances share until Python 3.12: with
    it, threads that work on different pairs wait for each other.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, _: type | None = None) -> Value:
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


@dataclass(frozen=True)
class Axis:
    """One axis of a bilinear resize, positions that are mixed alike taken together.

    sources, shares: (d, 2), what each distinct position is mixed of; counts: int (d,), how many
    positions it stands for; place: (size,), the distinct position of each.
    """

    sources: NDArray[np.int64]
    shares: Floats
    counts: NDArray[np.int64]
    place: NDArray[np.int64]

    @classmethod
    def of(cls, n: int, size: int) -> Axis:
        """From n to `size` pixels as `maps.interpolation` says."""
        mixing, place, counts = np.unique(
            maps.interpolation(n, size), axis=0, return_inverse=True, return_counts=True
        )
        first = (mixing != 0).argmax(axis=1)
        second = np.minimum(first + 1, n - 1)
        row = np.arange(len(mixing))
        shares = np.stack([mixing[row, first], mixing[row, second] * (second > first)], axis=1)
        return cls(np.stack([first, second], axis=1), shares, counts, place)


@dataclass(frozen=True)
class Grid:
    """The pixels of shown maps."""

    rows: Axis
    columns: Axis

    @classmethod
    def of(cls, native: tuple[int, int], size: tuple[int, int] | None) -> Grid:
        """Maps of (height, width) `native` shown at `size`; None leaves them as they are."""
        rows, columns = (Axis.of(n, s) for n, s in zip(native, size or native, strict=True))
        return cls(rows, columns)

    @lazy
    def weight(self) -> Integers:
        """int32 (d,): how often each distinct pixel occurs."""
        return np.outer(self.rows.counts, self.columns.counts).ravel().astype(np.int32)

    @property
    def pixels(self) -> int:
        """N, all pixels of a map."""
        return len(self.rows.place) * len(self.columns.place)

    def whole(self, distinct: Floats) -> Floats:
        """Every pixel in its place: (n, d) to (n, height, width)."""
        image = distinct.reshape(-1, len(self.rows.counts), len(self.columns.counts))
        return image[:, self.rows.place[:, None], self.columns.place]


@dataclass(frozen=True)
class Side:
    """One model's side of n pairs: native maps float32 (n, h, w), logits float32 (n, classes).

    `device` is where `distinct` and `order` are computed and kept: "cpu", arrays, or torch's name
    of a device, tensors.
    """

    maps: Floats
    logit: Floats
    grid: Grid
    device: str = "cpu"

    @lazy
    def kernels(self) -> Any:
        """The loops over pixels for the device."""
        if self.device == "cpu":
            return kernels
        from campare import kernels_torch

        return kernels_torch

    @lazy
    def shown(self) -> Floats:
        """float32 (n, height, width) in [0, 1], as `maps.show` gives them to within 1e-6."""
        return self.grid.whole(_array(self.distinct))

    @lazy
    def ranks(self) -> Floats:
        """float32 (n, height, width): rank of each pixel in its map, 1 to N, ties averaged."""
        _, _, ranks = self.order
        return (self.grid.whole(_array(ranks)) + np.float32(self.grid.pixels + 1)) * np.float32(0.5)

    @lazy
    def log_probability(self) -> Doubles:
        """float64 (n, classes): log-softmax of the logits."""
        shifted = self.logit.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        log: Doubles = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return log

    @lazy
    def distinct(self) -> Floats:
        """float32 (n, d): the distinct pixels, each standing for `grid.weight` of them."""
        rows, columns = self.grid.rows, self.grid.columns
        maps = self.maps if self.device == "cpu" else self.kernels.bring(self.maps, self.device)
        shown: Floats = self.kernels.show(
            maps, rows.sources, rows.shares, columns.sources, columns.shares
        )
        return shown

    @lazy
    def mass(self) -> Doubles:
        """float64 (n, d): pixels over the sum of all; NaN on a map that is zero everywhere."""
        pixels = _array(self.distinct).astype(np.float64)
        total = (pixels * self.grid.weight).sum(axis=1, keepdims=True)
        shares: Doubles = np.full(pixels.shape, np.nan)
        np.divide(pixels, total, out=shares, where=total > 0)
        return shares

    @lazy
    def order(self) -> tuple[Floats, Integers, Floats]:
        """The distinct pixels sorted, the pixels up to each, and centred ranks: `kernels.rank`."""
        order: tuple[Floats, Integers, Floats] = self.kernels.rank(self.distinct, self.grid.weight)
        return order

    @lazy
    def filled(self) -> dict[float, _Mask]:
        """Masks of `overlap`, by their share."""
        return {}

    @lazy
    def constant(self) -> NDArray[np.bool_]:
        """(n,): maps that are zero everywhere, as a constant one is when it is shown."""
        empty: NDArray[np.bool_] = ~_array(self.distinct.any(axis=1))
        return empty

    @lazy
    def native(self) -> Side:
        """The same maps at their own resolution."""
        return Side(self.maps, self.logit, Grid.of(self.maps.shape[1:], None), self.device)


@dataclass(frozen=True)
class Pairs:
    """n pairs of maps of the same images: `p` the baseline's, `q` the other model's."""

    p: Side
    q: Side
    epsilon: float

    @lazy
    def distances(self) -> Doubles:
        """float64 (n, 2): Σ |p − q| and Σ (p − q)² over all pixels."""
        p, q = self.p, self.q
        sums: Doubles = p.kernels.distances(p.distinct, q.distinct, p.grid.weight)
        return sums

    @lazy
    def native(self) -> Pairs:
        """The same pairs at the maps' own resolution."""
        return Pairs(self.p.native, self.q.native, self.epsilon)


def overlap(pairs: Pairs, share: float) -> dict[str, Doubles]:
    """Overlap rate of the top `share` per cent: |A ∩ B| / |A ∪ B| of fuzzy masks.

    A mask is the highest pixels, as many as the share says. Those of one value that compete for
    its last places are members by their part of them (as in `localisation.scored`), and what two
    masks have in common is the lesser of a pixel's memberships, what they have together the
    greater: so identical maps give 1, and 1 means identical masks. (The product in place of the
    lesser, the value to be expected where ties are broken at random, gives identical maps less.)

    A pixel where a map is zero, its lowest value, is in no mask. Filled up with such pixels, the
    masks of any two maps that are zero almost everywhere would be nearly the same. So a mask may
    be smaller than its share: both areas are recorded, as parts of the image. NaN where a map is
    zero everywhere, as a constant one is when it is shown.
    """
    return _overlap(pairs, _filled(pairs.p, share), _filled(pairs.q, share))


def overlap_ties(pairs: Pairs, share: float) -> dict[str, Doubles]:
    """Overlap rate of the top `share` per cent by the thesis (section 5.1): |A ∩ B| / |A ∪ B|.

    A mask is all pixels at or above the value of the (100 − share)th percentile, numpy's with
    linear interpolation between order statistics, ties included. So where more than 100 − share
    per cent of a map are zero its mask is the whole image, and two such maps overlap by 1 wherever
    they look. Both areas are recorded, as parts of the image in (0, 1].
    """
    return _overlap(pairs, _with_ties(pairs.p, share), _with_ties(pairs.q, share))


def overlap_corrected(pairs: Pairs, share: float) -> Doubles:
    """`overlap` beyond what masks like these share by chance: `statistics.corrected_overlap`."""
    a, b = _filled(pairs.p, share), _filled(pairs.q, share)
    rate, area_baseline, area = _overlap(pairs, a, b).values()
    return corrected_overlap(rate, area_baseline, area, _expected(a, b, pairs.p.grid.pixels))


class _Mask(NamedTuple):
    """The masks of n maps: pixels above `cut` are whole members, those at it by `part`, in [0, 1].

    above, reached: float64 (n,), how many pixels are above the cut, and how many at or above it;
    size: float64 (n,), sum of all memberships.
    """

    cut: Any
    part: Doubles
    above: Doubles
    reached: Doubles
    size: Doubles


def _with_ties(side: Side, share: float) -> _Mask:
    """Masks of at least the share."""
    cut = side.kernels.cut(*side.order[:2], share)
    above, reached = side.kernels.reach(*side.order[:2], cut).T.astype(np.float64)
    return _Mask(cut, np.ones(len(above)), above, reached, reached)


def _filled(side: Side, share: float) -> _Mask:
    """Masks of exactly the share, or of what is above zero where that is less."""
    if share not in side.filled:
        cut, pixels = side.kernels.fill(*side.order[:2], share), side.grid.pixels
        above, reached = side.kernels.reach(*side.order[:2], cut).T.astype(np.float64)
        # All pixels reach the cut where it is zero, and nowhere else.
        part = np.where(reached < pixels, (pixels * share / 100 - above) / (reached - above), 0)
        size = part * reached + (1 - part) * above
        side.filled[share] = _Mask(cut, part, above, reached, size)
    return side.filled[share]


def _overlap(pairs: Pairs, a: _Mask, b: _Mask) -> dict[str, Doubles]:
    """Their overlap rate, and the area of each as a part of the image."""
    p, q, pixels = pairs.p, pairs.q, pairs.p.grid.pixels
    counts = p.kernels.shared(p.distinct, q.distinct, p.grid.weight, a.cut, b.cut, a.part, b.part)
    common = _common(a, b, *counts.T)
    with np.errstate(invalid="ignore"):
        rate = common / (a.size + b.size - common)
    rate[np.minimum(a.size, b.size) == 0] = np.nan
    return {"": rate, "_area_baseline": a.size / pixels, "_area": b.size / pixels}


def _common(a: _Mask, b: _Mask, reached: Doubles, half: Doubles, above: Doubles) -> Doubles:
    """Sum over pixels of the lesser membership, from how many reach both cuts (`kernels.shared`).

    The lesser is `low` or more where both are reached, `high` or more where the cut of the lower
    part is passed too, and 1 where both are passed.
    """
    low, high = np.minimum(a.part, b.part), np.maximum(a.part, b.part)
    common: Doubles = low * reached + (high - low) * half + (1 - high) * above
    return common


def _expected(a: _Mask, b: _Mask, pixels: int) -> Doubles:
    """What two masks have in common on average where their pixels are shuffled, of the image."""
    half = np.where(a.part <= b.part, a.above * b.reached, a.reached * b.above)
    return _common(a, b, a.reached * b.reached, half, a.above * b.above) / pixels**2


def pearson(pairs: Pairs) -> Doubles:
    """Pearson correlation of the pixels (thesis, section 5.1); NaN where a map is constant."""
    return _correlation(pairs, pairs.p.distinct, pairs.q.distinct)


def spearman(pairs: Pairs) -> Doubles:
    """Pearson correlation of average ranks (thesis, section 5.1); NaN where a map is constant."""
    return _correlation(pairs, pairs.p.order[2], pairs.q.order[2])


def mad(pairs: Pairs) -> Doubles:
    """Mean absolute difference of the pixels (thesis, section 5.1), in [0, 1].

    Near 0 where both maps are zero almost everywhere, wherever they look; 0 where both are empty.
    """
    return pairs.distances[:, 0] / pairs.p.grid.pixels


def msd(pairs: Pairs) -> Doubles:
    """Mean squared difference of the pixels (thesis, section 5.1), in [0, 1], as `mad`."""
    return pairs.distances[:, 1] / pairs.p.grid.pixels


def kl(pairs: Pairs) -> Doubles:
    """Divergence of the maps as distributions, Σ Q·log(ε + Q/(ε + P)) (Tang et al., eq. 2), nats.

    P and Q are the shown maps, each over its sum. NaN where one is zero everywhere, as a constant
    map is when it is shown.
    """
    terms = _divergence(pairs.p.mass, pairs.q.mass, pairs.epsilon)
    divergence: Doubles = (terms * pairs.p.grid.weight).sum(axis=1)
    return divergence


def entropy(pairs: Pairs) -> dict[str, Doubles]:
    """Shannon entropy −Σ p·log p of each shown map over its sum (Tang et al., equation 3), nats.

    0 where one pixel has everything, log N where N share it alike; NaN where a map is zero
    everywhere, as a constant map is when it is shown.
    """

    def measured(side: Side) -> Doubles:
        nats: Doubles = (special.entr(side.mass) * side.grid.weight).sum(axis=1)
        return nats

    return _of_each(pairs, measured)


def entropy_histogram(pairs: Pairs) -> dict[str, Doubles]:
    """Shannon entropy of how often each of 256 levels of equal width occurs in a map, nats.

    The other reading of Tang et al.'s equation 3: where the pixels lie does not count, only their
    values. A constant map has one level, and the entropy 0.
    """

    def measured(side: Side) -> Doubles:
        levels = np.minimum(_array(side.distinct) * 256, 255).astype(np.int64)
        bins = levels + 256 * np.arange(len(levels))[:, None]
        weight = np.broadcast_to(side.grid.weight, bins.shape)
        counts = np.bincount(bins.ravel(), weight.ravel(), 256 * len(levels))
        nats: Doubles = special.entr(counts.reshape(-1, 256) / side.grid.pixels).sum(axis=1)
        return nats

    return _of_each(pairs, measured)


def class_kld(pairs: Pairs) -> Doubles:
    """Divergence of the class probabilities, Σ Q·log(ε + Q/(ε + P)), nats.

    The formula is equation 2 of Tang et al.; the thesis (section 5.1) leaves out the inner ε.
    """
    p, q = np.exp(pairs.p.log_probability), np.exp(pairs.q.log_probability)
    divergence: Doubles = _divergence(p, q, pairs.epsilon).sum(axis=1)
    return divergence


def _divergence(p: Doubles, q: Doubles, epsilon: float) -> Doubles:
    """Each term of Σ Q·log(ε + Q/(ε + P))."""
    terms: Doubles = q * np.log(epsilon + q / (epsilon + p))
    return terms


def _of_each(pairs: Pairs, measure: Callable[[Side], Doubles]) -> dict[str, Doubles]:
    """A quantity of one map, for the model's and for the baseline's."""
    return {"": measure(pairs.q), "_baseline": measure(pairs.p)}


def _correlation(pairs: Pairs, p: Floats, q: Floats) -> Doubles:
    """Pearson correlation of (n, d) and (n, d), weighted."""
    of_p, of_q, of_pp, of_qq, of_pq = pairs.p.kernels.products(p, q, pairs.p.grid.weight).T
    n = pairs.p.grid.pixels
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(of_pp - of_p * of_p / n) * np.sqrt(of_qq - of_q * of_q / n)
        r: Doubles = (of_pq - of_p * of_q / n) / spread
    return np.where(spread > 0, np.clip(r, -1, 1), np.nan)


def _array(values: Any) -> NDArray[Any]:
    """What a `Side` keeps on its device, as an array."""
    array: NDArray[Any] = values if isinstance(values, np.ndarray) else values.cpu().numpy()
    return array


def measure(name: str, pairs: Pairs) -> dict[str, Doubles]:
    """One metric as a study names it: its column, and any it records beside it.

    Raises
    ------
    CampareError
        Unknown metric, or one that does not give a value per pair.
    """
    function = registry.metric(name).load()
    share = registry.overlap_share(name)
    at = pairs.native if registry.is_native(name) else pairs
    values = function(at) if share is None else function(at, share)
    columns = {
        f"{name}{suffix}": np.asarray(column, np.float64)
        for suffix, column in (values if isinstance(values, Mapping) else {"": values}).items()
    }
    for column, values_of in columns.items():
        if values_of.shape != (len(pairs.p.maps),):
            raise CampareError(
                f"metric {column}: gives an array of shape {values_of.shape} for "
                f"{len(pairs.p.maps)} pairs; return one value per pair"
            )
    return columns


def table(
    baseline: Store,
    model: Store,
    metrics: Sequence[str],
    size: tuple[int, int] | None,
    epsilon: float,
    threads: int = 1,
    device: str = "cpu",
    *,
    one_split: bool = True,
) -> pd.DataFrame:
    """All metrics of one model against the baseline: `tables` of one."""
    (measured,) = tables(
        baseline, [model], metrics, size, epsilon, threads, device, one_split=one_split
    )
    return measured


def tables(
    baseline: Store,
    models: Sequence[Store],
    metrics: Sequence[str],
    size: tuple[int, int] | None,
    epsilon: float,
    threads: int = 1,
    device: str = "cpu",
    *,
    one_split: bool = True,
) -> list[pd.DataFrame]:
    """All metrics of models against their baseline, which is prepared once for all of them.

    Parameters
    ----------
    metrics
        Names as in a study, such as overlap_20.
    size
        (height, width) the maps are shown at; None measures at their own resolution.
    epsilon
        ε of the divergences.
    threads
        The work is cut in the same chunks whatever their number, so results do not depend on it.
        One is enough for a device.
    device
        "cpu", or torch's name of another device, which adds sums up in another order.
    one_split
        Whether all models are of one split; False where each seed trains on images of its own.

    Returns
    -------
    list of DataFrame
        A row per image: index, label, baseline_prediction, prediction (int64), then float64
        columns per metric. NaN is undefined.

    Raises
    ------
    CampareError
        The stores do not describe the same images; a metric is unknown.
    """
    for model in models:
        _check(baseline, model, one_split)

    def work(sides: Sequence[Side]) -> list[Columns]:
        p, *others = sides
        return [
            {k: v for name in metrics for k, v in measure(name, Pairs(p, q, epsilon)).items()}
            for q in others
        ]

    return [
        pd.DataFrame(
            {
                "index": model.index,
                "label": model.label,
                "baseline_prediction": baseline.predicted,
                "prediction": model.predicted,
                **columns,
            }
        )
        for model, columns in zip(
            models, _in_chunks((baseline, *models), size, threads, device, work), strict=True
        )
    ]


def between(
    models: Sequence[Store],
    pairs: Sequence[tuple[int, int]],
    metrics: Sequence[str],
    size: tuple[int, int] | None,
    epsilon: float,
    threads: int = 1,
    device: str = "cpu",
    *,
    one_split: bool = True,
) -> list[pd.DataFrame]:
    """All metrics of pairs of models, neither of which comes first.

    A metric that is not symmetric is the mean of both ways.

    Parameters
    ----------
    models
        Each is prepared once for all its pairs.
    pairs
        Two places in `models` each.
    metrics, size, epsilon, threads, device, one_split
        As in `tables`.

    Returns
    -------
    list of DataFrame
        One per pair, a row per image: index, label, prediction_a, prediction_b (int64),
        constant_a, constant_b (bool, maps that are zero everywhere), then the metrics (float64).
        NaN is undefined.

    Raises
    ------
    CampareError
        As in `tables`.
    """
    for a, b in pairs:
        _check(models[a], models[b], one_split)

    def work(sides: Sequence[Side]) -> list[Columns]:
        compared: list[Columns] = []
        for a, b in pairs:
            p, q = sides[a], sides[b]
            ways = Pairs(p, q, epsilon), Pairs(q, p, epsilon)
            columns: Columns = {"constant_a": p.constant, "constant_b": q.constant}
            for name in metrics:
                there, *back = ways if not registry.metric(name).symmetric else ways[:1]
                values = [measure(name, way)[name] for way in (there, *back)]
                columns[name] = np.mean(values, axis=0)
            compared.append(columns)
        return compared

    return [
        pd.DataFrame(
            {
                "index": models[a].index,
                "label": models[a].label,
                "prediction_a": models[a].predicted,
                "prediction_b": models[b].predicted,
                **columns,
            }
        )
        for (a, b), columns in zip(
            pairs, _in_chunks(models, size, threads, device, work), strict=True
        )
    ]


def _in_chunks(
    models: Sequence[Store],
    size: tuple[int, int] | None,
    threads: int,
    device: str,
    work: Callable[[Sequence[Side]], list[Columns]],
) -> list[Columns]:
    """What `work` says of the models' maps, a chunk of images at a time: columns per comparison."""
    memory.keep_freed()
    grid = Grid.of(models[0].maps.shape[1:], size)
    step = max(1, (CHUNK if device == "cpu" else DEVICE_CHUNK) // grid.pixels)

    def chunk(start: int) -> list[Columns]:
        rows = slice(start, start + step)
        return work([Side(model.maps[rows], model.logit[rows], grid, device) for model in models])

    with ThreadPoolExecutor(threads) as pool:
        chunks = list(pool.map(chunk, range(0, len(models[0].maps), step)))
    return [
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in zip(*chunks, strict=True)
    ]


def _check(baseline: Store, model: Store, one_split: bool) -> None:
    """Refuse two stores whose rows are not the same images, seen the same way."""
    a, b = (s.attributes for s in (baseline, model))
    where = " and ".join(f"{s['augmentation']} {s['seed']}" for s in (a, b))
    where, remedy = f"maps of {where}", "make the older ones again"
    for name in ("study", *(["split_sha256"] if one_split else []), "input_size"):
        if a[name] != b[name]:
            raise CampareError(f"{where}: {name} differs, {a[name]} and {b[name]}; {remedy}")
    for name in ("index", "label"):
        if not np.array_equal(getattr(baseline, name), getattr(model, name)):
            raise CampareError(f"{where}: not the same images, {name} differs; {remedy}")
    for name in ("maps", "logit"):
        shapes = [getattr(s, name).shape[1:] for s in (baseline, model)]
        if shapes[0] != shapes[1]:
            raise CampareError(
                f"{where}: shapes of {name} differ, {shapes[0]} and {shapes[1]}; {remedy}"
            )
