"""Localisation scores: maps as shown, compared with masks of the object and other regions.

Four scores of a map and a mask that covers the share `a` of the image. All lie in [0, 1], and 1 is
best:

- `pointing`: whether the highest value lies in the mask (Zhang et al. 2018, section 4.2, without
  their tolerance of 15 pixels); the share in the mask if several pixels have the highest value.
- `energy`: share of the map's sum that lies in the mask (Wang et al. 2020, section 4.3).
- `iou`: intersection over union of the mask and the equal number of highest pixels. Pixels of equal
  value that compete for the last places are partial members.
- `average_precision` of the pixels ranked by the map, with tied pixels at one threshold, as in
  scikit-learn.

The chance level, that of a map independent of the mask, is `a` for pointing, energy and (in the
limit of many pixels) average precision, and a/(2 − a) for `iou`, the value at the expected overlap.
A constant map has exactly these scores by the rules for ties. A map that is zero everywhere, whose
energy would be 0/0, is assigned them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import maps, registry, statistics
from campare.data import Regions
from campare.design import BASELINE, Model
from campare.errors import CampareError
from campare.maps import Floats
from campare.performance import ALL
from campare.store import Store

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCORES = tuple(registry.LOCALISATION)
DIFFERENCE = ("difference", "difference_low", "difference_high")
MEASURES = ("accuracy", "cue_class_rate", "energy")
OBJECT = "object"
BATCH = 1 << 21  # pixels ranked at once
# Groups of test images: of the class that a spurious region (cue) occurs with in training, or not;
# with or without this region.
GROUPS = (
    "cue_class_with_cue",
    "cue_class_without_cue",
    "other_classes_with_cue",
    "other_classes_without_cue",
)


def scored(shown: Floats, mask: Mask) -> dict[str, Doubles]:
    """All `SCORES` of maps and masks.

    Parameters
    ----------
    shown
        float32 (N, H, W), ≥ 0, maps as `maps.show` returns them.
    mask
        bool (N, H, W). All scores of an empty mask are NaN.

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
    # Of the group of equal values of each pixel: its last place, and the pixels of the mask so far.
    places = np.broadcast_to(np.arange(pixels), ranked.shape)
    ends = np.concatenate(
        [ranked[:, 1:] != ranked[:, :-1], np.ones((len(ranked), 1), bool)], axis=1
    )
    last = np.minimum.accumulate(np.where(ends, places, pixels)[:, ::-1], axis=1)[:, ::-1]
    reached = np.cumsum(hits, axis=1)
    reached_there = np.take_along_axis(reached, last, axis=1).astype(np.float64)

    rows, size = np.arange(len(values)), inside.sum(axis=1)
    total = values.sum(axis=1, dtype=np.float64)
    # Pixels of the mask before the group that has the last of `size` places, and in that group.
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
    """Chance level of a score, for masks that cover the share `area` of the image."""
    return area / (2 - area) if score == "iou" else area


def measure(store: Store, regions: Regions) -> pd.DataFrame:
    """Scores of the maps of one model, for every test image and region.

    A second chance level is the score of the map of another image, which has what all maps of the
    model have in common, such as a bias to the centre, but does not depend on this image. The other
    images are those without the region, if they are a tenth or more of all, and otherwise the next
    image that has the region.

    Parameters
    ----------
    store
        Maps of one model for N images.
    regions
        Regions of these images, in the same order; maps are shown at the masks' resolution.

    Returns
    -------
    DataFrame
        A row per image and region that it has: index, label, prediction, region, area (share of
        the image), constant (whether all values of the map are equal), every score, and
        <score>_other, the score of another image's map.

    Raises
    ------
    CampareError
        No image has any of the regions.
    """
    if not regions.masks.any():
        raise CampareError(
            f"masks: no test image has any of {', '.join(regions.names)}; save masks that are "
            "white in the region"
        )
    parts = []
    for place, name in enumerate(regions.names):
        masks = regions.masks[:, place]
        rows = np.flatnonzero(masks.any(axis=(1, 2)))
        lenders = _lenders(rows, len(masks))
        step = max(1, BATCH // masks[0].size)
        for start in range(0, len(rows), step):
            chunk = rows[start : start + step]
            mask = masks[chunk]
            shown = maps.show(store.maps[chunk], mask.shape[1:])
            other = maps.show(store.maps[lenders[start : start + step]], mask.shape[1:])
            parts.append(
                pd.DataFrame(
                    {
                        "index": store.index[chunk],
                        "label": store.label[chunk],
                        "prediction": store.predicted[chunk],
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
    """For each row with a region, the row whose map is used for the second chance level.

    These are the rows without the region in turn, if they are a tenth or more of all, else the next
    row with it: a few rows are no representative sample of the model's maps.
    """
    without = np.setdiff1d(np.arange(count), rows)
    many = 10 * len(without) >= count
    return np.resize(without, len(rows)) if many else np.roll(rows, -1)


def by_model(models: Sequence[Model], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mean scores of every model.

    Parameters
    ----------
    models, measured
        (augmentation, seed), and the result of `measure`, of each.

    Returns
    -------
    DataFrame
        augmentation, seed, region, score, images (with the region), constant (number of constant
        maps among them), mean, chance (mean chance level), other (mean of <score>_other).
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
    """Scores of every augmentation over seeds, and their differences from the baselines.

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
        augmentation, region, score, seeds, images, constant (mean number per model), mean, std
        (over seeds), chance, other; difference (mean minus that of the baselines), difference_low,
        difference_high (95 %, over seeds and images: `statistics.difference_from_reference`).
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


def by_class(
    models: Sequence[Model],
    measured: Sequence[pd.DataFrame],
    classes: Sequence[str],
    seed: int,
    *,
    paired: bool,
) -> pd.DataFrame:
    """The energy of the maps on each region, by class of the test images.

    Parameters
    ----------
    models, measured, seed, paired
        As in `summary`.
    classes
        Names of the classes, by label.

    Returns
    -------
    DataFrame
        augmentation, region, class ("all", then those with images); seeds, images, mean, std (over
        seeds), chance; difference, difference_low, difference_high as in `summary`.
    """
    rows: list[dict[str, Any]] = []
    for region, images in _joined(models, measured).groupby("region", sort=False):
        groups = {ALL: images}
        labels = images["label"].to_numpy()
        groups |= {classes[label]: images[labels == label] for label in np.unique(labels)}
        for name, own in groups.items():
            about = {"region": region, "class": name}
            for group, over_seeds in _over_seeds(own, "energy", seed, paired=paired):
                area = chance("energy", group["area"].to_numpy()).mean()
                rows.append(over_seeds | about | {"chance": area})
    columns = ["augmentation", "region", "class", "seeds", "images", "mean", "std", "chance"]
    return pd.DataFrame(rows)[[*columns, *DIFFERENCE]]


def values_of(
    models: Sequence[Model], measured: Sequence[pd.DataFrame], region: str, score: str
) -> dict[Model, Doubles]:
    """A score of the maps of every model on one region: model → (images with the region,).

    Parameters
    ----------
    models, measured
        As in `by_model`.
    """
    return {
        model: table.loc[table["region"] == region, score].to_numpy(np.float64)
        for model, table in zip(models, measured, strict=True)
    }


def main_region(measured: pd.DataFrame) -> str:
    """The region that figures of one region show: the object, or the first that there is."""
    regions = list(measured["region"].unique())
    return OBJECT if OBJECT in regions else str(regions[0])


def _joined(models: Sequence[Model], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables of all models as one table, with columns augmentation and seed."""
    return pd.concat(
        [
            table.assign(augmentation=augmentation, seed=seed)
            for (augmentation, seed), table in zip(models, tables, strict=True)
        ]
    )


def _over_seeds(
    images: pd.DataFrame, column: str, seed: int, *, paired: bool
) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
    """The rows of each augmentation, and a dict of its counts, mean, std and difference.

    images: a row per model and image, with augmentation, seed and `column`; the same images for
    every model.
    """
    groups = dict(iter(images.groupby("augmentation", sort=False)))
    arms = {
        name: {k: rows[column].to_numpy() for k, rows in group.groupby("seed", sort=False)}
        for name, group in groups.items()
    }
    for name, arm in arms.items():
        by_seed = pd.Series([values.mean() for values in arm.values()])
        baselines = arms.get(BASELINE, {}) if name != BASELINE else {}
        difference = statistics.difference_from_reference(arm, baselines, seed, paired=paired)
        about = {"augmentation": name, "seeds": len(arm), "images": len(groups[name]) // len(arm)}
        scores = {"mean": by_seed.mean(), "std": by_seed.std(), **difference.columns("difference")}
        yield groups[name], {**about, **scores}


def with_and_without_cue(
    models: Sequence[Model],
    stores: Sequence[Store],
    measured: Sequence[pd.DataFrame],
    region: str,
    present: Mask,
    cue_class: int,
) -> pd.DataFrame:
    """Predictions and energy of every test image, for a region correlated with a class in training.

    Parameters
    ----------
    models, stores, measured
        (augmentation, seed), store, and result of `measure`, of each.
    region, present
        The region, and which test images have it: bool (N,), in the stores' order.
    cue_class
        The class that the region occurs with in training.

    Returns
    -------
    DataFrame
        A row per model and image: cue (`region`), group (`GROUPS`); accuracy and cue_class_rate
        (1 or 0: whether the prediction is correct, and whether it is `cue_class`), energy
        (share of the map in the region; NaN without it), chance (area of the region);
        augmentation, seed.
    """
    tables = []
    for store, table in zip(stores, measured, strict=True):
        measures = table[table["region"] == region].set_index("index")[["energy", "area"]]
        energy, area = measures.reindex(store.index).to_numpy().T
        of_class = store.label == cue_class
        members = (
            *(of_class & present, of_class & ~present),
            *(~of_class & present, ~of_class & ~present),
        )
        columns = {
            "cue": region,
            "group": np.select(members, GROUPS, ""),
            "accuracy": (store.predicted == store.label).astype(np.float64),
            "cue_class_rate": (store.predicted == cue_class).astype(np.float64),
            "energy": energy,
            "chance": area,
        }
        tables.append(pd.DataFrame(columns))
    return _joined(models, tables)


def spurious(images: pd.DataFrame) -> pd.DataFrame:
    """Means of results of `with_and_without_cue`, of one or more cues, by model and group.

    Returns
    -------
    DataFrame
        augmentation, seed, cue, group (only groups with images), images; means of accuracy,
        cue_class_rate, energy and chance.
    """
    grouped = _ordered(images).groupby(["augmentation", "seed", "cue", "group"], sort=False)
    means = grouped[[*MEASURES, "chance"]].mean()
    means.insert(0, "images", grouped.size())
    return means.reset_index()


def spurious_summary(images: pd.DataFrame, seed: int, *, paired: bool) -> pd.DataFrame:
    """Means by augmentation and group, with differences from the baselines.

    Parameters
    ----------
    images
        Results of `with_and_without_cue`, of one or more cues.

    Returns
    -------
    DataFrame
        augmentation, cue, group, measure (`MEASURES`), seeds, images, mean, std (over seeds),
        chance (of energy); difference, difference_low, difference_high as in `summary`.
    """
    rows = []
    for (cue, group), members in _ordered(images).groupby(["cue", "group"], sort=False):
        for measure in MEASURES:
            for part, over_seeds in _over_seeds(members, measure, seed, paired=paired):
                area = part["chance"].mean() if measure == "energy" else np.nan
                about = {"cue": cue, "group": group, "measure": measure, "chance": area}
                rows.append(over_seeds | about)
    counts = ["seeds", "images", "mean", "std", "chance"]
    return pd.DataFrame(rows)[["augmentation", "cue", "group", "measure", *counts, *DIFFERENCE]]


def reliance(
    images: pd.DataFrame, classes: Mapping[str, str], seed: int, *, paired: bool
) -> pd.DataFrame:
    """Reliance on every cue, with differences from the baselines.

    The reliance on a cue is the share of the images of other classes with the cue that are
    predicted as its class, minus the share of those without it; 0: the cue has no effect. Cues are
    drawn independently in the test images, so that the reliance on one does not depend on how often
    others occur, and an augmentation that lowers it for one cue may raise it for another (Li et al.
    2023, "A Whac-A-Mole dilemma", CVPR).

    Parameters
    ----------
    images
        Results of `with_and_without_cue`, of one or more cues.
    classes
        Cue → name of its class.

    Returns
    -------
    DataFrame
        augmentation, cue, cue_class, seeds, images (of other classes), mean, std (over seeds);
        difference, difference_low, difference_high as in `summary`.
    """
    others = images[images["group"].isin(GROUPS[2:])]
    rows = []
    for cue, of_cue in others.groupby("cue", sort=False):
        # The mean over images of these values is the difference of the two shares.
        shown = (of_cue["group"] == GROUPS[2]).to_numpy()
        by_model = of_cue.assign(shown=shown).groupby(["augmentation", "seed"])["shown"]
        share = by_model.transform("mean").to_numpy()
        with np.errstate(divide="ignore"):
            weights = np.where(shown, 1 / share, -1 / (1 - share))
        signed = of_cue.assign(reliance=of_cue["cue_class_rate"] * weights)
        for _, over_seeds in _over_seeds(signed, "reliance", seed, paired=paired):
            rows.append(over_seeds | {"cue": cue, "cue_class": classes[str(cue)]})
    counts = ["seeds", "images", "mean", "std"]
    return pd.DataFrame(rows)[["augmentation", "cue", "cue_class", *counts, *DIFFERENCE]]


def _ordered(images: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by cue and, in the order of `GROUPS`, by group; otherwise in their order."""
    cues = {cue: place for place, cue in enumerate(dict.fromkeys(images["cue"]))}
    places = len(GROUPS) * images["cue"].map(cues) + images["group"].map(GROUPS.index)
    return images.iloc[np.argsort(places, kind="stable")]


def presence(regions: Regions, region: str) -> Mask:
    """Which images have a region, bool (N,).

    Raises
    ------
    CampareError
        No region has this name.
    """
    if region not in regions.names:
        raise CampareError(
            f"localisation.spurious: the images have no region {region!r}; they have: "
            f"{', '.join(regions.names)}"
        )
    masks = regions.masks[:, regions.names.index(region)]
    return np.asarray(masks.any(axis=(1, 2)))


def class_of(labels: NDArray[np.int64], present: Mask, region: str) -> int:
    """The class that a region goes with: the one with the largest share of images that have it.

    Parameters
    ----------
    labels, present
        int64 (N,) and bool (N,): class of each training image, and whether it has the region.

    Raises
    ------
    CampareError
        The share is the same in all classes.
    """
    shares = np.bincount(labels, present) / np.maximum(np.bincount(labels), 1)
    if np.ptp(shares) == 0:
        raise CampareError(
            f"localisation.spurious: {region!r} is equally frequent in all classes of training "
            "images; name a region that is correlated with a class, or remove the key"
        )
    return int(shares.argmax())
