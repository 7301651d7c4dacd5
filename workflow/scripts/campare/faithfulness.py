"""Faithfulness of maps: deletion and insertion curves, and ROAD.

Pixels are removed or inserted in the order of the map, and the probability of the explained class
is recorded:

- `deletion`: the highest pixels are replaced by the mean colour of the training images; lower
  curves are better (Petsiuk et al. 2018, RISE, algorithm 1).
- `insertion`: the highest pixels are inserted into a blurred image; higher curves are better (the
  same).
- `road_most`, `road_least`: the highest, or the lowest, pixels are imputed from the pixels around
  them (noisy linear imputation), so that the outline of the removed pixels reveals less (Rong et
  al. 2022, ROAD, section 4.2). (least − most)/2 is pytorch-grad-cam's ROADCombined if no two pixels
  of a map are equal. Of equal pixels the library removes all or none, so a map that is zero on most
  of the image removes most of it at once; here exactly the share is removed, equal pixels in
  random order. Single images have differed by up to 0.18 for this reason.

A curve depends on two things: whether the map shows the pixels that matter, and how robust the
model is to images with removed pixels, which augmentation may change. Therefore every model also
has the curves of a random map, with random values at the resolution of its maps and processed in
the same way. The difference between the two measures the map.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor, nn

from campare import maps, statistics
from campare.cams import exact
from campare.design import BASELINE, Model
from campare.maps import Floats
from campare.preprocess import prepare
from campare.sizes import Size, pair
from campare.store import Store

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

OWN, RANDOM = "map", "random"
NOISE = 0.01  # standard deviation, in units of the training images' own; pytorch-grad-cam's value
# Weights of a pixel's neighbours in its imputed value (Rong et al. 2022, equation 4)
NEIGHBOURS = {(0, 1): 1 / 6, (1, 0): 1 / 6, (1, 1): 1 / 12, (1, -1): 1 / 12}


def sampled_rows(count: int, images: int, seed: int) -> Integers:
    """Rows of the test images that are measured, ascending: `images` of `count`, at most all."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    return np.sort(order[:images])


def ranks(shown: Floats, ties: Floats) -> Integers:
    """Place of every pixel when pixels are sorted by a map, highest first: int64 (N, H, W).

    Of equal values the one with the larger number in `ties` (N, H, W) comes first.
    """
    flat = (len(shown), -1)
    order = np.lexsort((-ties.reshape(flat), -shown.reshape(flat)), axis=1)
    return np.argsort(order, axis=1).reshape(shown.shape)


def pixel_count(share: float, pixels: int) -> int:
    """Number of pixels of a share: those at or above its percentile, as in pytorch-grad-cam."""
    return pixels - int(np.ceil(round((1 - share) * (pixels - 1), 9)))


def imputed(image: Tensor, missing: Mask) -> Tensor:
    """An image whose missing pixels are imputed: each is the weighted mean of its neighbours.

    Neighbours outside the image do not count. The values of all missing pixels are the solution of
    one linear system, without the noise of ROAD (`NEIGHBOURS`: the weights).

    Parameters
    ----------
    image
        float32 (C, H, W).
    missing
        bool (H, W); not all True.

    Returns
    -------
    float32 (C, H, W).
    """
    if not missing.any():
        return image
    system = _system(*missing.shape)[np.flatnonzero(missing)]
    unknown = missing.ravel()
    known = image.reshape(len(image), -1).numpy().astype(np.float64)[:, ~unknown].T
    solved = splu(
        system[:, unknown].tocsc(),
        permc_spec="MMD_AT_PLUS_A",  # the system is symmetric and positive definite
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    ).solve(-(system[:, ~unknown] @ known))
    filled = image.clone().reshape(len(image), -1)
    filled[:, torch.from_numpy(unknown)] = torch.from_numpy(solved.T.astype(np.float32))
    return filled.reshape(image.shape)


@lru_cache(maxsize=1)
def _system(height: int, width: int) -> Any:
    """Matrix (H·W, H·W) of the imputation: sums of neighbours' weights minus the weights."""
    place = np.arange(height * width).reshape(height, width)
    weights = sparse.csr_array((height * width, height * width))
    for (down, across), weight in NEIGHBOURS.items():
        first = place[: height - down, max(0, -across) : width - max(0, across)].ravel()
        second = place[down:, max(0, across) : width + min(0, across)].ravel()
        shape = (height * width, height * width)
        pairs = sparse.coo_array((np.full(len(first), weight), (first, second)), shape)
        weights = weights + pairs + pairs.T
    return sparse.csr_array(sparse.diags_array(weights.sum(axis=1)) - weights)


def measure(
    network: nn.Module,
    images: NDArray[np.uint8],
    store: Store,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    input_size: Size,
    steps: int,
    road: Sequence[float],
    blur: float,
    seed: int,
    batch_size: int,
    device: torch.device,
    others: Mapping[str, Floats] | None = None,
) -> Iterator[pd.DataFrame]:
    """Curves of a model's maps and of other maps, one batch of images after another.

    Parameters
    ----------
    network, mean, std, input_size
        As for `cams.compute`.
    images, store
        uint8 (N, H, W, C), and the rows of these images in the model's store.
    steps
        Number of equal steps of deletion and insertion.
    road
        Shares of the pixels that ROAD removes, each in (0, 1).
    blur
        Standard deviation of the blur with which insertion starts, as a share of the side of the
        input, or of its shorter side.
    seed
        Decides, with the position of an image in the data set, its random map, the order of pixels
        of equal value, and the noise of ROAD: the same for every model.
    others
        Name → other maps of the images, float32 (N, h, w). None: random maps, named `RANDOM`.

    Yields
    ------
    DataFrame
        index, map (`OWN`, or the name of the others), curve (one of the four above), share (of the
        pixels removed or inserted), probability (of the explained class).
    """
    network = network.to(device).eval()
    even = np.linspace(0, 1, steps + 1)
    size = pair(input_size)
    pixels = math.prod(size)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        index = store.index[rows]
        drawn = [_drawn(seed, i, size, store.maps.shape[1:], len(mean)) for i in index]
        ties, noise, random = (np.stack(parts) for parts in zip(*drawn, strict=True))
        batch = torch.from_numpy(images[rows]).to(device).permute(0, 3, 1, 2)
        targets = torch.from_numpy(store.target[rows]).to(device)
        with exact(device, gradient=False):
            inputs = prepare(batch, mean, std, input_size)
            blurred = _blurred(inputs, blur * min(size))
            compared = (
                {RANDOM: random}
                if others is None
                else {name: values[rows] for name, values in others.items()}
            )
            for name, coarse in ({OWN: store.maps[rows]} | compared).items():
                order = ranks(maps.show(coarse, size), ties)
                changes = {
                    "deletion": (even, _swap(inputs, torch.zeros_like(inputs), order)),
                    "insertion": (even, _swap(blurred, inputs, order)),
                    "road_most": (road, _fill(inputs, order, noise)),
                    "road_least": (road, _fill(inputs, pixels - 1 - order, noise)),
                }
                for curve, (shares, change) in changes.items():
                    for share in shares:
                        logits = network(change(pixel_count(share, pixels) if share else 0))
                        probability = logits.softmax(dim=1).gather(1, targets[:, None])[:, 0]
                        yield pd.DataFrame(
                            {
                                "index": index,
                                "map": name,
                                "curve": curve,
                                "share": share,
                                "probability": probability.cpu().numpy().astype(np.float64),
                            }
                        )


def _drawn(
    seed: int, index: int, size: tuple[int, int], extent: tuple[int, ...], channels: int
) -> tuple[Floats, Floats, Floats]:
    """Random numbers of an image: order of ties (H, W), noise (C, H, W) and map (h, w)."""
    generator = np.random.Generator(np.random.PCG64([seed, int(index)]))
    ties = generator.random(size, np.float32)
    noise = generator.standard_normal((channels, *size), np.float32)
    return ties, noise, generator.random(extent, np.float32)


def _swap(before: Tensor, after: Tensor, order: Integers) -> Callable[[int], Tensor]:
    """A function of `count`: `before` with its first `count` pixels in an order from `after`."""
    place = torch.from_numpy(order).to(before.device)[:, None]
    return lambda count: torch.where(place < count, after, before)


def _fill(inputs: Tensor, order: Integers, noise: Floats) -> Callable[[int], Tensor]:
    """A function of `count`: `inputs` with the first `count` pixels in an order imputed."""
    shown = inputs.cpu()

    def fill(count: int) -> Tensor:
        missing = order < count
        filled = torch.stack(
            [imputed(image, mask) for image, mask in zip(shown, missing, strict=True)]
        )
        grain = NOISE * torch.from_numpy(noise * missing[:, None])
        return (filled + grain).to(inputs.device)

    return fill


def _blurred(inputs: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of images (B, C, H, W), mirrored at the edges; `sigma` in pixels."""
    reach = min(int(np.ceil(3 * sigma)), min(inputs.shape[2:]) - 1)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32, device=inputs.device)
    weights = torch.exp(-(offsets**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    folded = inputs.flatten(0, 1)[:, None]
    folded = nn.functional.pad(folded, (reach, reach, reach, reach), "reflect")
    folded = nn.functional.conv2d(folded, weights[None, None, None])
    folded = nn.functional.conv2d(folded, weights[None, None, :, None])
    return folded.reshape(inputs.shape)


def by_model(models: Sequence[Model], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Faithfulness measures of every model's maps and of random maps, as means over images.

    `deletion` and `insertion` are areas under the curve (trapezoidal rule over the share); `road`
    is the mean of (least − most)/2 over its shares.

    Parameters
    ----------
    models, measured
        (augmentation, seed), and the tables of `measure` joined into one, of each.

    Returns
    -------
    DataFrame
        augmentation, seed, measure, images, mean, random (means over images), gain (mean difference
        of the two, signed so that positive means that the map is better than the random one),
        worse (share of the images with a negative gain).
    """
    return pd.DataFrame(
        {
            "augmentation": augmentation,
            "seed": seed,
            "measure": measure,
            "images": len(scores.gain),
            "mean": scores.own.mean(),
            "random": scores.random.mean(),
            "gain": scores.gain.mean(),
            "worse": (scores.gain < 0).mean(),
        }
        for (augmentation, seed), table in zip(models, measured, strict=True)
        for measure, scores in _scores(table).items()
    )


class _Scores(NamedTuple):
    """A measure of the model's maps, of the random maps, and the gain of the former, by image."""

    own: Doubles
    random: Doubles
    gain: Doubles


def _scores(table: pd.DataFrame) -> dict[str, _Scores]:
    """Measure → its scores, a value per image, in ascending order of the index."""
    own, random = (areas(table[table["map"] == name]) for name in (OWN, RANDOM))
    signs = {"deletion": -1, "insertion": 1, "road": 1}
    return {
        measure: _Scores(own[measure], random[measure], sign * (own[measure] - random[measure]))
        for measure, sign in signs.items()
    }


def areas(table: pd.DataFrame) -> dict[str, Doubles]:
    """Measure → its value for every image, from the curves of one kind of map.

    `deletion` and `insertion`: area under the curve; `road`, if the curves are there: mean of
    (least − most)/2. Images are in ascending order of the index.
    """

    def values(curve: str) -> pd.DataFrame:
        """A row per image, a column per share."""
        rows = table[table["curve"] == curve]
        return rows.pivot_table("probability", "index", "share")

    def area(curve: str) -> Doubles:
        curves = values(curve)
        return np.asarray(np.trapezoid(curves.to_numpy(), curves.columns.to_numpy(), axis=1))

    found = {curve: area(curve) for curve in ("deletion", "insertion")}
    if "road_most" in set(table["curve"]):
        road = (values("road_least") - values("road_most")).mean(axis=1).to_numpy() / 2
        found["road"] = road
    return found


def summary(
    models: Sequence[Model], measured: Sequence[pd.DataFrame], seed: int, *, paired: bool
) -> pd.DataFrame:
    """The measures of every augmentation over seeds, and differences of gain from the baselines.

    Parameters
    ----------
    models, measured
        As in `by_model`.
    seed
        Seed of the resampling.
    paired
        Whether an augmented model is compared with the baseline of its seed.

    Returns
    -------
    DataFrame
        augmentation, measure, seeds, images, mean, std, random, random_std (means and standard
        deviations over seeds); gain, gain_low, gain_high (95 %, over seeds and images:
        `statistics.mean`); worse; difference (gain minus that of the baselines), difference_low,
        difference_high (`statistics.difference_from_reference`).
    """
    arms: dict[str, dict[int, dict[str, _Scores]]] = {}
    for (augmentation, k), table in zip(models, measured, strict=True):
        arms.setdefault(augmentation, {})[k] = _scores(table)
    rows: list[dict[str, Any]] = []
    for augmentation, models_of in arms.items():
        for measure in next(iter(models_of.values())):
            of_seeds = [scores[measure] for scores in models_of.values()]
            gains, baselines = (
                {k: scores[measure].gain for k, scores in arm.items()}
                for arm in (models_of, arms.get(BASELINE, {}) if augmentation != BASELINE else {})
            )
            mean, random = (
                pd.Series([scores[which].mean() for scores in of_seeds]) for which in (0, 1)
            )
            stacked = np.stack(list(gains.values()))
            gain = statistics.mean(stacked, seed)
            difference = statistics.difference_from_reference(gains, baselines, seed, paired=paired)
            rows.append(
                {"augmentation": augmentation, "measure": measure}
                | {"seeds": len(models_of), "images": stacked.shape[1]}
                | {"mean": mean.mean(), "std": mean.std()}
                | {"random": random.mean(), "random_std": random.std()}
                | gain.columns("gain")
                | {"worse": (stacked < 0).mean()}
                | difference.columns("difference")
            )
    return pd.DataFrame(rows)


def mean_curves(models: Sequence[Model], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each curve averaged over images and then over seeds.

    Returns
    -------
    DataFrame
        augmentation, map, curve, share, probability (mean), std (over seeds), seeds.
    """
    keys = ["augmentation", "map", "curve", "share"]
    means = pd.concat(
        [
            table.groupby(["map", "curve", "share"], sort=False)["probability"]
            .mean()
            .reset_index()
            .assign(augmentation=augmentation)
            for (augmentation, _), table in zip(models, measured, strict=True)
        ]
    )
    grouped = means.groupby(keys, sort=False)["probability"]
    return grouped.agg(probability="mean", std="std", seeds="size").reset_index()
