"""Metrics of the similarity or distance of two models' maps, image by image.

A metric is a function of a batch of pairs (`Pairs`) with an entry in the registry. It may be plain
numpy, for instance

    def cosine(pairs: Pairs) -> Doubles:
        p, q = pairs.p.shown, pairs.q.shown
        return (p * q).sum((1, 2)) / np.sqrt((p**2).sum((1, 2)) * (q**2).sum((1, 2)))

Values that several metrics need (pixels, ranks, probabilities) are computed on first use, once per
model, and once for all models in the case of the baseline. P is the baseline, Q the other model.

Loops over pixels are compiled for the CPU (`kernels`); on other devices torch runs them on tensors
(`kernels_torch`). In both cases the attributes `shown`, `ranks` and `log_probability` are arrays.
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

# Pixels of a chunk of maps: few enough for the cache, many enough to hide Python's overhead. Other
# devices need more for full use: 70 MB for each model, and more while maps are ranked.
CHUNK, DEVICE_CHUNK = 1 << 18, 1 << 22


Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801, a decorator
    """A property that is computed on first use and kept.

    Like `functools.cached_property`, but without the lock that all instances share before Python
    3.12, because of which threads that work on different pairs would wait for each other.
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
    """One axis of a bilinear resize, in which equal positions are stored once.

    sources, shares: (d, 2), the two source pixels of each distinct position, and their weights.
    counts: int (d,), the number of positions that are equal to it. place: (size,), the distinct
    position of each position.
    """

    sources: NDArray[np.int64]
    shares: Floats
    counts: NDArray[np.int64]
    place: NDArray[np.int64]

    @classmethod
    def of(cls, n: int, size: int) -> Axis:
        """The resize from n to `size` pixels by `maps.interpolation`."""
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
    """The pixels of maps as shown: the resize of both axes."""

    rows: Axis
    columns: Axis

    @classmethod
    def of(cls, native: tuple[int, int], size: tuple[int, int] | None) -> Grid:
        """The grid of maps of (height, width) `native` shown at `size`; None: at `native`."""
        rows, columns = (Axis.of(n, s) for n, s in zip(native, size or native, strict=True))
        return cls(rows, columns)

    @lazy
    def weight(self) -> Integers:
        """int32 (d,): how often each distinct pixel occurs."""
        return np.outer(self.rows.counts, self.columns.counts).ravel().astype(np.int32)

    @property
    def pixels(self) -> int:
        """N, the number of pixels of a map."""
        return len(self.rows.place) * len(self.columns.place)

    def expanded(self, distinct: Floats) -> Floats:
        """All pixels from the distinct ones: (n, d) to (n, height, width)."""
        image = distinct.reshape(-1, len(self.rows.counts), len(self.columns.counts))
        return image[:, self.rows.place[:, None], self.columns.place]


@dataclass(frozen=True)
class MapBatch:
    """Maps and logits of one model for n images.

    maps: float32 (n, h, w), as stored. logit: float32 (n, classes). device: where `distinct` and
    `order` are computed and kept; "cpu" (arrays), or torch's name of another device (tensors).
    """

    maps: Floats
    logit: Floats
    grid: Grid
    device: str = "cpu"

    @lazy
    def kernels(self) -> Any:
        """The module with the loops over pixels for the device."""
        if self.device == "cpu":
            return kernels
        from campare import kernels_torch

        return kernels_torch

    @lazy
    def shown(self) -> Floats:
        """float32 (n, height, width) in [0, 1]: equal to `maps.show` to within 1e-6."""
        return self.grid.expanded(_array(self.distinct))

    @lazy
    def ranks(self) -> Floats:
        """float32 (n, height, width): rank of each pixel in its map, 1 to N, ties averaged."""
        _, _, ranks = self.order
        centred, size = self.grid.expanded(_array(ranks)), np.float32(self.grid.pixels + 1)
        return (centred + size) * np.float32(0.5)

    @lazy
    def log_probability(self) -> Doubles:
        """float64 (n, classes): log-softmax of the logits."""
        shifted = self.logit.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        log: Doubles = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return log

    @lazy
    def distinct(self) -> Floats:
        """float32 (n, d): the distinct pixels, each of which occurs `grid.weight` times."""
        rows, columns = self.grid.rows, self.grid.columns
        maps = self.maps if self.device == "cpu" else self.kernels.bring(self.maps, self.device)
        shown: Floats = self.kernels.show(
            maps, rows.sources, rows.shares, columns.sources, columns.shares
        )
        return shown

    @lazy
    def mass(self) -> Doubles:
        """float64 (n, d): pixels divided by their sum; NaN for a map that is zero everywhere."""
        pixels = _array(self.distinct).astype(np.float64)
        total = (pixels * self.grid.weight).sum(axis=1, keepdims=True)
        shares: Doubles = np.full(pixels.shape, np.nan)
        np.divide(pixels, total, out=shares, where=total > 0)
        return shares

    @lazy
    def order(self) -> tuple[Floats, Integers, Floats]:
        """Sorted distinct pixels, cumulative counts and centred ranks, from `kernels.rank`."""
        order: tuple[Floats, Integers, Floats] = self.kernels.rank(self.distinct, self.grid.weight)
        return order

    @lazy
    def masks(self) -> dict[float, _Mask]:
        """Share in per cent → masks of `overlap`, for those computed so far."""
        return {}

    @lazy
    def constant(self) -> NDArray[np.bool_]:
        """bool (n,): maps that are zero everywhere, as every constant map is when it is shown."""
        empty: NDArray[np.bool_] = ~_array(self.distinct.any(axis=1))
        return empty

    @lazy
    def native(self) -> MapBatch:
        """The same maps at their own resolution."""
        return MapBatch(self.maps, self.logit, Grid.of(self.maps.shape[1:], None), self.device)


@dataclass(frozen=True)
class Pairs:
    """n pairs of maps of the same images: `p` of the baseline, `q` of the other model."""

    p: MapBatch
    q: MapBatch
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
    """Overlap rate |A ∩ B| / |A ∪ B| of the fuzzy masks of the top `share` per cent of two maps.

    A mask contains the `share` per cent highest pixels. Pixels of equal value that compete for the
    last places are partial members, with equal memberships (as in `localisation.scored`). The
    intersection is the sum of the smaller memberships, the union that of the larger ones.
    Therefore identical maps have the value 1, and 1 means identical masks. (With products, which
    are the expected values if ties are broken at random, identical maps would have less than 1.)

    Pixels with the value zero, the lowest one, belong to no mask. Otherwise the masks of any two
    maps that are zero almost everywhere would be nearly identical. So a mask may be smaller than
    its share; the areas of both are returned as `_area_baseline` and `_area`, as shares of the
    image. NaN if a map is zero everywhere, as every constant map is when it is shown.
    """
    return _overlap(pairs, _filled(pairs.p, share), _filled(pairs.q, share))


def overlap_ties(pairs: Pairs, share: float) -> dict[str, Doubles]:
    """Overlap rate |A ∩ B| / |A ∪ B| of the top `share` per cent as in the thesis (section 5.1).

    A mask contains all pixels at or above the (100 − share)th percentile (numpy's, with linear
    interpolation between order statistics), including ties. So if more than 100 − share per cent of
    a map are zero, its mask is the whole image, and two such maps have an overlap of 1, whatever
    their other pixels. The areas of both masks are returned, as shares of the image in (0, 1].
    """
    return _overlap(pairs, _with_ties(pairs.p, share), _with_ties(pairs.q, share))


def overlap_corrected(pairs: Pairs, share: float) -> Doubles:
    """`overlap` corrected for chance, given the two masks (`statistics.corrected_overlap`)."""
    a, b = _filled(pairs.p, share), _filled(pairs.q, share)
    rate, area_baseline, area = _overlap(pairs, a, b).values()
    return corrected_overlap(rate, area_baseline, area, _expected(a, b, pairs.p.grid.pixels))


class _Mask(NamedTuple):
    """Fuzzy masks of n maps: membership is 1 above `cut`, `part` in [0, 1] at it, and 0 below.

    above, reached: float64 (n,), numbers of pixels above, and at or above the cut. size: float64
    (n,), sum of all memberships.
    """

    cut: Any
    part: Doubles
    above: Doubles
    reached: Doubles
    size: Doubles


def _with_ties(batch: MapBatch, share: float) -> _Mask:
    """Masks of all pixels at or above the percentile: at least the share."""
    cut = batch.kernels.cut(*batch.order[:2], share)
    above, reached = batch.kernels.reach(*batch.order[:2], cut).T.astype(np.float64)
    return _Mask(cut, np.ones(len(above)), above, reached, reached)


def _filled(batch: MapBatch, share: float) -> _Mask:
    """Masks of exactly the share, or of all pixels above zero if these are fewer."""
    if share not in batch.masks:
        cut, pixels = batch.kernels.fill(*batch.order[:2], share), batch.grid.pixels
        above, reached = batch.kernels.reach(*batch.order[:2], cut).T.astype(np.float64)
        # All pixels reach the cut if and only if it is zero.
        part = np.where(reached < pixels, (pixels * share / 100 - above) / (reached - above), 0)
        size = part * reached + (1 - part) * above
        batch.masks[share] = _Mask(cut, part, above, reached, size)
    return batch.masks[share]


def _overlap(pairs: Pairs, a: _Mask, b: _Mask) -> dict[str, Doubles]:
    """The overlap rate of two masks, and the area of each as a share of the image."""
    p, q, pixels = pairs.p, pairs.q, pairs.p.grid.pixels
    counts = p.kernels.shared(p.distinct, q.distinct, p.grid.weight, a.cut, b.cut, a.part, b.part)
    common = _common(a, b, *counts.T)
    with np.errstate(invalid="ignore"):
        rate = common / (a.size + b.size - common)
    rate[np.minimum(a.size, b.size) == 0] = np.nan
    return {"": rate, "_area_baseline": a.size / pixels, "_area": b.size / pixels}


def _common(a: _Mask, b: _Mask, reached: Doubles, half: Doubles, above: Doubles) -> Doubles:
    """Sum over pixels of the smaller membership, from the counts of `kernels.shared`.

    The smaller membership is at least `low` at pixels that reach both cuts, at least `high` if the
    pixel is also above the cut of the mask with the lower `part`, and 1 above both cuts.
    """
    low, high = np.minimum(a.part, b.part), np.maximum(a.part, b.part)
    common: Doubles = low * reached + (high - low) * half + (1 - high) * above
    return common


def _expected(a: _Mask, b: _Mask, pixels: int) -> Doubles:
    """Expected intersection of two masks with permuted pixels, as a share of the image."""
    half = np.where(a.part <= b.part, a.above * b.reached, a.reached * b.above)
    return _common(a, b, a.reached * b.reached, half, a.above * b.above) / pixels**2


def pearson(pairs: Pairs) -> Doubles:
    """Pearson correlation of the pixels (thesis, section 5.1); NaN if a map is constant."""
    return _correlation(pairs, pairs.p.distinct, pairs.q.distinct)


def spearman(pairs: Pairs) -> Doubles:
    """Pearson correlation of average ranks (thesis, section 5.1); NaN if a map is constant."""
    return _correlation(pairs, pairs.p.order[2], pairs.q.order[2])


def mad(pairs: Pairs) -> Doubles:
    """Mean absolute difference of the pixels (thesis, section 5.1), in [0, 1].

    It is near 0 if both maps are zero almost everywhere, whatever their other pixels.
    """
    return pairs.distances[:, 0] / pairs.p.grid.pixels


def msd(pairs: Pairs) -> Doubles:
    """Mean squared difference of the pixels (thesis, section 5.1), in [0, 1]; see `mad`."""
    return pairs.distances[:, 1] / pairs.p.grid.pixels


def kl(pairs: Pairs) -> Doubles:
    """Divergence of the maps as distributions, Σ Q·log(ε + Q/(ε + P)) (Tang et al., eq. 2), nats.

    P and Q are the shown maps, each divided by its sum. NaN if a map is zero everywhere, as every
    constant map is when it is shown.
    """
    terms = _divergence(pairs.p.mass, pairs.q.mass, pairs.epsilon)
    divergence: Doubles = (terms * pairs.p.grid.weight).sum(axis=1)
    return divergence


def entropy(pairs: Pairs) -> dict[str, Doubles]:
    """Shannon entropy −Σ p·log p of each shown map divided by its sum (Tang et al., eq. 3), nats.

    0 if a single pixel is not zero, log N if N pixels are equal and the others zero. NaN if a map
    is zero everywhere, as every constant map is when it is shown.
    """

    def measured(batch: MapBatch) -> Doubles:
        nats: Doubles = (special.entr(batch.mass) * batch.grid.weight).sum(axis=1)
        return nats

    return _of_each(pairs, measured)


def entropy_histogram(pairs: Pairs) -> dict[str, Doubles]:
    """Shannon entropy of a map's histogram of 256 bins of equal width, nats.

    Another reading of Tang et al.'s equation 3, which depends on the values of the pixels only. A
    constant map has the entropy 0.
    """

    def measured(batch: MapBatch) -> Doubles:
        levels = np.minimum(_array(batch.distinct) * 256, 255).astype(np.int64)
        bins = levels + 256 * np.arange(len(levels))[:, None]
        weight = np.broadcast_to(batch.grid.weight, bins.shape)
        counts = np.bincount(bins.ravel(), weight.ravel(), 256 * len(levels))
        nats: Doubles = special.entr(counts.reshape(-1, 256) / batch.grid.pixels).sum(axis=1)
        return nats

    return _of_each(pairs, measured)


def class_kld(pairs: Pairs) -> Doubles:
    """Divergence of the class probabilities, Σ Q·log(ε + Q/(ε + P)), nats.

    The formula is equation 2 of Tang et al.; the thesis (section 5.1) has no inner ε.
    """
    p, q = np.exp(pairs.p.log_probability), np.exp(pairs.q.log_probability)
    divergence: Doubles = _divergence(p, q, pairs.epsilon).sum(axis=1)
    return divergence


def _divergence(p: Doubles, q: Doubles, epsilon: float) -> Doubles:
    """The terms of Σ Q·log(ε + Q/(ε + P)), in the shape of P and Q."""
    terms: Doubles = q * np.log(epsilon + q / (epsilon + p))
    return terms


def _of_each(pairs: Pairs, measure: Callable[[MapBatch], Doubles]) -> dict[str, Doubles]:
    """A quantity of single maps, for the model's ("") and the baseline's maps ("_baseline")."""
    return {"": measure(pairs.q), "_baseline": measure(pairs.p)}


def _correlation(pairs: Pairs, p: Floats, q: Floats) -> Doubles:
    """Pearson correlations (n,) of the rows of p and q (n, d), weighted by `grid.weight`."""
    of_p, of_q, of_pp, of_qq, of_pq = pairs.p.kernels.products(p, q, pairs.p.grid.weight).T
    n = pairs.p.grid.pixels
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(of_pp - of_p * of_p / n) * np.sqrt(of_qq - of_q * of_q / n)
        r: Doubles = (of_pq - of_p * of_q / n) / spread
    return np.where(spread > 0, np.clip(r, -1, 1), np.nan)


def _array(values: Any) -> NDArray[Any]:
    """Values on any device, as an array."""
    array: NDArray[Any] = values if isinstance(values, np.ndarray) else values.cpu().numpy()
    return array


def measure(name: str, pairs: Pairs) -> dict[str, Doubles]:
    """A metric by its name in a study: its column, and its further columns.

    Returns
    -------
    dict
        Column → float64 (n,).

    Raises
    ------
    CampareError
        The metric is unknown, or does not return one value per pair.
    """
    function = registry.metric(name).load()
    share = registry.overlap_share(name)
    resolved = pairs.native if registry.is_native(name) else pairs
    values = function(resolved) if share is None else function(resolved, share)
    columns = {
        f"{name}{suffix}": np.asarray(column, np.float64)
        for suffix, column in (values if isinstance(values, Mapping) else {"": values}).items()
    }
    for column, array in columns.items():
        if array.shape != (len(pairs.p.maps),):
            raise CampareError(
                f"metric {column}: returns an array of shape {array.shape} for "
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
    """All metrics of one model against the baseline: `tables` for a single model."""
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
        Number of threads. Chunks do not depend on it, so neither do results. One is enough for
        devices other than the CPU.
    device
        "cpu", or torch's name of another device, on which sums are added in another order.
    one_split
        Whether all models have the same split; False if each seed trains on its own images.

    Returns
    -------
    list of DataFrame
        A row per image: index, label, baseline_prediction, prediction (int64), then float64
        columns per metric, NaN if undefined.

    Raises
    ------
    CampareError
        The stores are not of the same images; a metric is unknown.
    """
    for model in models:
        _check(baseline, model, one_split)

    def measured(batches: Sequence[MapBatch]) -> list[Columns]:
        p, *others = batches
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
            models, _in_chunks((baseline, *models), size, threads, device, measured), strict=True
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
    """All metrics of unordered pairs of models.

    A metric that is not symmetric is averaged over both orders.

    Parameters
    ----------
    models
        Stores of all models; each is prepared once for all its pairs.
    pairs
        Pairs of places in `models`.
    metrics, size, epsilon, threads, device, one_split
        As in `tables`.

    Returns
    -------
    list of DataFrame
        One per pair, a row per image: index, label, prediction_a, prediction_b (int64),
        constant_a, constant_b (bool, maps that are zero everywhere), then the metrics (float64),
        NaN if undefined.

    Raises
    ------
    CampareError
        As in `tables`.
    """
    for a, b in pairs:
        _check(models[a], models[b], one_split)

    def measured(batches: Sequence[MapBatch]) -> list[Columns]:
        compared: list[Columns] = []
        for a, b in pairs:
            p, q = batches[a], batches[b]
            orders = Pairs(p, q, epsilon), Pairs(q, p, epsilon)
            columns: Columns = {"constant_a": p.constant, "constant_b": q.constant}
            for name in metrics:
                used = orders[:1] if registry.metric(name).symmetric else orders
                columns[name] = np.mean([measure(name, order)[name] for order in used], axis=0)
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
            pairs, _in_chunks(models, size, threads, device, measured), strict=True
        )
    ]


def _in_chunks(
    models: Sequence[Store],
    size: tuple[int, int] | None,
    threads: int,
    device: str,
    measure_chunk: Callable[[Sequence[MapBatch]], list[Columns]],
) -> list[Columns]:
    """Columns of each comparison, from `measure_chunk` of one chunk of images after another."""
    memory.keep_freed()
    grid = Grid.of(models[0].maps.shape[1:], size)
    step = max(1, (CHUNK if device == "cpu" else DEVICE_CHUNK) // grid.pixels)

    def chunk(start: int) -> list[Columns]:
        rows = slice(start, start + step)
        batches = [MapBatch(model.maps[rows], model.logit[rows], grid, device) for model in models]
        return measure_chunk(batches)

    with ThreadPoolExecutor(threads) as pool:
        chunks = list(pool.map(chunk, range(0, len(models[0].maps), step)))
    return [
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in zip(*chunks, strict=True)
    ]


def _check(baseline: Store, model: Store, one_split: bool) -> None:
    """Check that the rows of two stores are of the same images, and made in the same way."""
    a, b = (s.attributes for s in (baseline, model))
    where = " and ".join(
        s.source or f"maps of {s.attributes['augmentation']} {s.attributes['seed']}"
        for s in (baseline, model)
    )
    remedy = "remake the older ones"
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
