"""Does a map lie where the object is? Maps as shown against regions whose pixels are known.

Four scores of a map in [0, 1] and a mask of the share `a` of the picture, each 1 at best:

- `pointing`: whether the highest value lies in the mask (Zhang et al. 2018, section 4.2, here
  without their tolerance of 15 pixels). Of several highest pixels, the share in the mask.
- `energy`: share of the map's sum that lies in the mask (Wang et al. 2020, section 4.3).
- `iou`: intersection over union of the mask and as many of the highest pixels as it has. Where
  pixels of one value compete for the last places, each gets its share of them.
- `average_precision`: of the pixels as ranked by the map, ties at once (scikit-learn's).

Chance, what a map that knows nothing scores, is `a` for pointing, energy and (in the limit of many
pixels) average precision, and a/(2 − a) for `iou`, the value at the overlap to be expected. A map
that is the same everywhere says nothing: by these rules for ties it scores just that, and so, by
rule, does a map that is zero everywhere, whose energy would be 0/0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import maps, registry, statistics
from campare.data import Regions
from campare.design import BASELINE, Model
from campare.errors import CampareError
from campare.maps import Floats
from campare.store import Store

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCORES = tuple(registry.LOCALISATION)
DIFFERENCE = ("difference", "difference_low", "difference_high")
MEASURES = ("accuracy", "cue_class_rate", "energy")
BATCH = 1 << 21  # pixels ranked at once
# How a picture may go with a spurious region: of its class or of another, with it or without.
GROUPS = ("own_with", "own_without", "other_with", "other_without")


def scored(shown: Floats, mask: Mask) -> dict[str, Doubles]:
    """All `SCORES` of maps and masks.

    Parameters
    ----------
    shown
        float32 (N, H, W), ≥ 0, as `maps.show` gives them.
    mask
        bool (N, H, W). Where a mask is empty, every score is NaN.

    Returns
    -------
    dict
        Score → float64 (N,) in [0, 1].
    """
    values, inside = shown.reshape(len(shown), -1), mask.reshape(len(mask), -1)
    pixels = values.shape[1]
    order = np.argsort(-values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    hits = np.take_along_axis(inside, order, axis=1)
    # Of each pixel's group of equal values: its last place, and pixels of the mask up to there.
    places = np.broadcast_to(np.arange(pixels), ranked.shape)
    ends = np.concatenate(
        [ranked[:, 1:] != ranked[:, :-1], np.ones((len(ranked), 1), bool)], axis=1
    )
    last = np.minimum.accumulate(np.where(ends, places, pixels)[:, ::-1], axis=1)[:, ::-1]
    reached = np.cumsum(hits, axis=1)
    reached_there = np.take_along_axis(reached, last, axis=1).astype(np.float64)

    rows, size = np.arange(len(values)), inside.sum(axis=1)
    total = values.sum(axis=1, dtype=np.float64)
    # What lies before the group of the pixel in the mask's last place, and in that group
    group_end = last[rows, np.maximum(size - 1, 0)]
    group_start = (ranked > ranked[rows, group_end][:, None]).sum(axis=1)
    before = np.where(group_start > 0, reached[rows, group_start - 1], 0)
    tied = (reached[rows, group_end] - before) / (group_end + 1 - group_start)
    overlap = before + tied * (size - group_start)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = {
            "pointing": reached_there[:, 0] / (last[:, 0] + 1),
            "energy": np.where(
                total > 0,
                np.where(inside, values, 0).sum(axis=1, dtype=np.float64) / total,
                size / pixels,
            ),
            "iou": overlap / (2 * size - overlap),
            "average_precision": (hits * reached_there / (last + 1)).sum(axis=1) / size,
        }
    return {name: np.where(size > 0, score, np.nan) for name, score in scores.items()}


def chance(score: str, area: Doubles) -> Doubles:
    """What maps that know nothing score on masks of this share of the picture."""
    return area / (2 - area) if score == "iou" else area


def measure(store: Store, regions: Regions) -> pd.DataFrame:
    """Where the maps of one model lie, of every test image and region.

    A second chance level are maps of other images, which have the model's habits (to look at the
    centre, or at corners) and have not seen this image: of images without the region where a tenth
    or more of all lack it, else of the next image that has it.

    Parameters
    ----------
    store
        Of one model, N images.
    regions
        Of these images, in the same order; maps are shown at the masks' resolution.

    Returns
    -------
    DataFrame
        A row per image and region that it has: index, label, prediction, region, area (share of
        the picture), constant (the map is the same everywhere), every score, and every score of
        another image's map as <score>_other.

    Raises
    ------
    CampareError
        No image has any of the regions.
    """
    if not regions.masks.any():
        raise CampareError(
            f"masks: no test image has any of {', '.join(regions.names)}; a mask is white where "
            "its region is"
        )
    parts = []
    for place, name in enumerate(regions.names):
        masks = regions.masks[:, place]
        rows = np.flatnonzero(masks.any(axis=(1, 2)))
        lenders = _lenders(rows, len(masks))
        step = max(1, BATCH // masks[0].size)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            mask = masks[some]
            shown = maps.show(store.maps[some], mask.shape[1:])
            other = maps.show(store.maps[lenders[start : start + step]], mask.shape[1:])
            parts.append(
                pd.DataFrame(
                    {
                        "index": store.index[some],
                        "label": store.label[some],
                        "prediction": store.predicted[some],
                        "region": name,
                        "area": mask.mean(axis=(1, 2)),
                        "constant": np.ptp(shown, axis=(1, 2)) == 0,
                        **scored(shown, mask),
                        **{f"{key}_other": value for key, value in scored(other, mask).items()},
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _lenders(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Of each row that has a region, another: in turn those that lack it, if many do, or the next.

    A few that lack it would lend their maps to all, and be no sample of the model's habits.
    """
    without = np.setdiff1d(np.arange(count), rows)
    many = 10 * len(without) >= count
    return np.resize(without, len(rows)) if many else np.roll(rows, -1)


def by_model(models: Sequence[Model], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mean scores of every model.

    Parameters
    ----------
    models, measured
        (augmentation, seed), and what `measure` gives of each.

    Returns
    -------
    DataFrame
        augmentation, seed, region, score, images (that have the region), constant (maps of those
        that are the same everywhere), mean, chance, other (mean of other images' maps).
    """
    rows = []
    for (augmentation, seed), table in zip(models, measured, strict=True):
        for region, group in table.groupby("region", sort=False):
            for score in SCORES:
                rows.append(
                    {
                        "augmentation": augmentation,
                        "seed": seed,
                        "region": region,
                        "score": score,
                        "images": len(group),
                        "constant": int(group["constant"].sum()),
                        "mean": group[score].mean(),
                        "chance": chance(score, group["area"].to_numpy()).mean(),
                        "other": group[f"{score}_other"].mean(),
                    }
                )
    return pd.DataFrame(rows)


def summary(
    models: Sequence[Model], measured: Sequence[pd.DataFrame], seed: int, *, paired: bool
) -> pd.DataFrame:
    """Scores of every augmentation, and how far it moves them from the baselines'.

    Parameters
    ----------
    models, measured
        As in `by_model`.
    seed
        Of the resampling.
    paired
        Whether seeds pair a model with a baseline.

    Returns
    -------
    DataFrame
        augmentation, region, score, seeds, images, constant (mean number per model), mean, std
        (over seeds), chance, other; difference from the baselines with difference_low and
        difference_high, its interval (`statistics.gained`).
    """
    table = _joined(models, measured)
    rows = []
    for region, images in table.groupby("region", sort=False):
        for score in SCORES:
            for group, over_seeds in _over_seeds(images, score, seed, paired=paired):
                about = {
                    "region": region,
                    "score": score,
                    "constant": group["constant"].sum() / over_seeds["seeds"],
                    "chance": chance(score, group["area"].to_numpy()).mean(),
                    "other": group[f"{score}_other"].mean(),
                }
                rows.append(over_seeds | about)
    counts, over = ["seeds", "images", "constant", "mean", "std"], ["chance", "other"]
    return pd.DataFrame(rows)[["augmentation", "region", "score", *counts, *over, *DIFFERENCE]]


def _joined(models: Sequence[Model], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables of all models as one, with their augmentation and seed."""
    return pd.concat(
        [
            table.assign(augmentation=augmentation, seed=seed)
            for (augmentation, seed), table in zip(models, tables, strict=True)
        ]
    )


def _over_seeds(
    images: pd.DataFrame, column: str, seed: int, *, paired: bool
) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
    """The rows of each augmentation; its name, counts, and what a column is over its seeds.

    `images` has augmentation, seed and a row per image, the same images under every model.
    """
    groups = dict(iter(images.groupby("augmentation", sort=False)))
    arms = {
        name: {k: own[column].to_numpy() for k, own in group.groupby("seed", sort=False)}
        for name, group in groups.items()
    }
    for name, own in arms.items():
        by_seed = pd.Series([values.mean() for values in own.values()])
        baselines = arms.get(BASELINE, {}) if name != BASELINE else {}
        gained = statistics.gained(own, baselines, seed, paired=paired)
        about = {"augmentation": name, "seeds": len(own), "images": len(groups[name]) // len(own)}
        scores = {"mean": by_seed.mean(), "std": by_seed.std(), **gained.columns("difference")}
        yield groups[name], {**about, **scores}


def cued(
    models: Sequence[Model],
    stores: Sequence[Store],
    measured: Sequence[pd.DataFrame],
    region: str,
    present: Mask,
    own: int,
) -> pd.DataFrame:
    """What a region that goes with one class in training does to every test image.

    Parameters
    ----------
    models, stores, measured
        (augmentation, seed), its store, and what `measure` gives of it.
    region, present
        The region, and which test images have it, bool (N,) in the stores' order.
    own
        The class it goes with.

    Returns
    -------
    DataFrame
        augmentation, seed, group (`GROUPS`), a row per model and image; accuracy and cue_class_rate
        (whether it is classified rightly, and as `own`, 1 or 0), energy (share of the map on the
        region; NaN where there is none), chance (the region's area).
    """
    tables = []
    for store, table in zip(stores, measured, strict=True):
        measures = table[table["region"] == region].set_index("index")[["energy", "area"]]
        energy, area = measures.reindex(store.index).to_numpy().T
        mine = store.label == own
        members = (mine & present, mine & ~present, ~mine & present, ~mine & ~present)
        columns = {
            "group": np.select(members, GROUPS, ""),
            "accuracy": (store.predicted == store.label).astype(np.float64),
            "cue_class_rate": (store.predicted == own).astype(np.float64),
            "energy": energy,
            "chance": area,
        }
        tables.append(pd.DataFrame(columns))
    return _joined(models, tables)


def spurious(images: pd.DataFrame) -> pd.DataFrame:
    """What `cued` gives, by model.

    Returns
    -------
    DataFrame
        augmentation, seed, group (those that have images), images; means of accuracy,
        cue_class_rate, energy and chance.
    """
    grouped = _ordered(images).groupby(["augmentation", "seed", "group"], sort=False)
    means = grouped[[*MEASURES, "chance"]].mean()
    means.insert(0, "images", grouped.size())
    return means.reset_index()


def spurious_summary(images: pd.DataFrame, seed: int, *, paired: bool) -> pd.DataFrame:
    """What `cued` gives, over seeds.

    Returns
    -------
    DataFrame
        augmentation, group, measure (`MEASURES`), seeds, images, mean, std over seeds, chance (of
        energy); difference, difference_low, difference_high as in `summary`.
    """
    rows = []
    for group, members in _ordered(images).groupby("group", sort=False):
        for measure in MEASURES:
            for part, over_seeds in _over_seeds(members, measure, seed, paired=paired):
                area = part["chance"].mean() if measure == "energy" else np.nan
                rows.append(over_seeds | {"group": group, "measure": measure, "chance": area})
    counts = ["seeds", "images", "mean", "std", "chance"]
    return pd.DataFrame(rows)[["augmentation", "group", "measure", *counts, *DIFFERENCE]]


def _ordered(images: pd.DataFrame) -> pd.DataFrame:
    """By group in the order of `GROUPS`, else as they were."""
    places = images["group"].map(GROUPS.index)
    return images.iloc[np.argsort(places, kind="stable")]


def presence(regions: Regions, region: str) -> Mask:
    """Which pictures have a region, bool (N,).

    Raises
    ------
    CampareError
        No region has this name.
    """
    if region not in regions.names:
        raise CampareError(
            f"localisation.spurious: the pictures have no region {region!r}; they have: "
            f"{', '.join(regions.names)}"
        )
    masks = regions.masks[:, regions.names.index(region)]
    return np.asarray(masks.any(axis=(1, 2)))


def class_of(labels: NDArray[np.int64], present: Mask, region: str) -> int:
    """The class that a region goes with: the one of whose training images most have it.

    Parameters
    ----------
    labels, present
        Of the training images: int64 (N,), and whether they have the region.

    Raises
    ------
    CampareError
        No class stands out, since all or none of its images have the region in each.
    """
    shares = np.bincount(labels, present) / np.maximum(np.bincount(labels), 1)
    if np.ptp(shares) == 0:
        raise CampareError(
            f"localisation.spurious: {region!r} is as frequent in one class of training images as "
            "in another, and goes with none; name a region that goes with one class, or take the "
            "key out"
        )
    return int(shares.argmax())
