"""Localisation scores agree with scikit-learn and with counting; ties and flat maps have a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from campare import localisation, maps, statistics
from campare.data import Regions
from campare.errors import CampareError
from campare.store import Store


def drawn(seed: int, levels: int, side: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Maps of a few levels, hence with ties, and masks with at least a pixel."""
    random = np.random.default_rng(seed)
    shown = random.integers(0, levels, (5, side, side)).astype(np.float32) / max(1, levels - 1)
    mask = random.random((5, side, side)) < random.random((5, 1, 1))
    mask[:, 0, 0] = True
    return shown, mask


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.integers(1, 60))
def test_average_precision_is_scikit_learns(seed: int, levels: int) -> None:
    shown, mask = drawn(seed, levels)
    expected = [
        average_precision_score(truth.ravel(), values.ravel())
        for truth, values in zip(mask, shown, strict=True)
    ]
    assert np.allclose(
        localisation.scored(shown, mask)["average_precision"], expected, rtol=1e-12, atol=0
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.integers(1, 60))
def test_other_scores_are_what_counting_gives(seed: int, levels: int) -> None:
    shown, mask = drawn(seed, levels)
    found = localisation.scored(shown, mask)
    for row, (values, inside) in enumerate(zip(shown.astype(np.float64), mask, strict=True)):
        assert np.isclose(found["pointing"][row], inside[values == values.max()].mean())
        energy = values[inside].sum() / values.sum() if values.any() else inside.mean()
        assert np.isclose(found["energy"][row], energy)
        size = inside.sum()
        cut = np.sort(values, axis=None)[-size]
        above, tied = values > cut, values == cut
        overlap = inside[above].sum() + inside[tied].mean() * (size - above.sum())
        assert np.isclose(found["iou"][row], overlap / (2 * size - overlap))


def test_ties_at_the_cut_count_as_they_would_on_average() -> None:
    """Breaking ties at random, the overlap is on average the one that is counted."""
    shown, mask = drawn(3, 3)
    random = np.random.default_rng(0)
    sizes = mask.sum(axis=(1, 2))
    overlaps = np.zeros(len(mask))
    for _ in range(4000):
        broken = shown + 1e-3 * random.random(shown.shape, np.float32)
        iou = localisation.scored(broken, mask)["iou"]
        overlaps += 2 * sizes * iou / (1 + iou) / 4000
    iou = localisation.scored(shown, mask)["iou"]
    assert np.allclose(overlaps, 2 * sizes * iou / (1 + iou), atol=0.06)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_map_that_is_the_same_everywhere_scores_chance(level: float) -> None:
    _, mask = drawn(0, 2)
    flat = np.full(mask.shape, level, np.float32)
    area = mask.mean(axis=(1, 2))
    for score, values in localisation.scored(flat, mask).items():
        assert np.allclose(values, localisation.chance(score, area)), score


def test_chance_is_what_maps_that_know_nothing_score() -> None:
    random = np.random.default_rng(0)
    shown = random.random((600, 20, 20), np.float32)
    mask = np.zeros(shown.shape, bool)
    mask[:, 3:11, 5:17] = True
    area = np.array([0.24])
    for score, values in localisation.scored(shown, mask).items():
        error = values.std() / np.sqrt(len(values))
        # Average precision of finitely many pixels is a little above the limit.
        bias = 0.01 if score == "average_precision" else 0
        expected = localisation.chance(score, area)[0]
        assert abs(values.mean() - expected) < 4 * error + bias, score


def test_map_on_the_mask_and_beside_it() -> None:
    mask = np.zeros((1, 6, 6), bool)
    mask[0, 1:3, 2:5] = True
    for shown, best in ((mask, 1.0), (~mask, 0.0)):
        found = localisation.scored(shown.astype(np.float32), mask)
        assert [found[score][0] for score in ("pointing", "energy", "iou")] == [best] * 3
    assert localisation.scored(mask.astype(np.float32), mask)["average_precision"][0] == 1


def test_full_mask_is_hit_and_empty_one_is_undefined() -> None:
    shown, _ = drawn(0, 9)
    full = localisation.scored(shown, np.ones(shown.shape, bool))
    empty = localisation.scored(shown, np.zeros(shown.shape, bool))
    for score in localisation.SCORES:
        assert np.allclose(full[score], 1), score
        assert np.isnan(empty[score]).all(), score


# Tables ------------------------------------------------------------------------------------


def stored(count: int, seed: int = 0, **changes: Any) -> Store:
    random = np.random.default_rng(seed)
    logit = random.random((count, 3)).astype(np.float32)
    columns = {
        "maps": random.standard_normal((count, 4, 4)).astype(np.float32),
        "prediction": logit,
        "logit": logit,
        "label": np.arange(count) % 3,
        "index": 10 + np.arange(count),
        "target": logit.argmax(axis=1),
        "attributes": {},
    }
    return Store(**columns | changes)


def half_marked(count: int = 12) -> Regions:
    """An object in every picture, and a cue in every second one."""
    masks = np.zeros((count, 2, 8, 8), bool)
    masks[:, 0, 2:6, 2:6] = True
    masks[::2, 1, 7:, :2] = True
    return Regions(("object", "cue"), masks)


def test_measured_are_the_maps_as_shown_on_the_regions_that_are_there() -> None:
    store, regions = stored(12), half_marked()
    table = localisation.measure(store, regions)
    assert table["region"].tolist() == ["object"] * 12 + ["cue"] * 6
    cue = table[table["region"] == "cue"]
    assert cue["index"].tolist() == [10, 12, 14, 16, 18, 20]
    assert (cue["area"] == 2 / 64).all()
    shown = maps.show(store.maps, (8, 8))
    assert np.allclose(cue["energy"], [one[7:, :2].sum() / one.sum() for one in shown[::2]])
    # The others' maps are of pictures without a cue.
    assert np.allclose(cue["energy_other"], [one[7:, :2].sum() / one.sum() for one in shown[1::2]])
    objects = table[table["region"] == "object"]
    assert np.allclose(objects["energy_other"], np.roll(objects["energy"], -1))
    assert (table["prediction"] == store.predicted[table["index"] - 10]).all()


def test_masks_that_are_all_black_are_refused() -> None:
    empty = Regions(("object",), np.zeros((12, 1, 8, 8), bool))
    with pytest.raises(CampareError, match=r"masks: no test image has any of object"):
        localisation.measure(stored(12), empty)


def test_few_images_without_a_region_do_not_lend_their_maps_to_all() -> None:
    few = np.arange(2, 40)
    assert localisation._lenders(few, 40).tolist() == [*range(3, 40), 2]
    assert localisation._lenders(np.array([0, 1, 3]), 6).tolist() == [2, 4, 5]


def test_large_pictures_are_ranked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = localisation.measure(stored(12), half_marked())
    monkeypatch.setattr(localisation, "BATCH", 100)
    pd.testing.assert_frame_equal(localisation.measure(stored(12), half_marked()), whole)


def test_constant_maps_are_counted() -> None:
    store = stored(12)
    store.maps[:4] = 0.5
    store.maps[4] = -1
    table = localisation.by_model([("baseline", 1)], [localisation.measure(store, half_marked())])
    assert table.loc[table["region"] == "object", "constant"].tolist() == [5] * 4
    assert table.loc[table["region"] == "cue", "constant"].tolist() == [3] * 4
    assert table["images"].tolist() == [12] * 4 + [6] * 4


MODELS = [("baseline", 1), ("baseline", 2), ("cutmix", 1), ("cutmix", 2)]


def measured(models: Sequence[tuple[str, int]] = MODELS) -> list[pd.DataFrame]:
    return [localisation.measure(stored(12, seed), half_marked()) for seed in range(len(models))]


@pytest.mark.parametrize("paired", [True, False])
def test_difference_is_from_the_baselines_with_its_interval_over_seeds_and_images(
    paired: bool,
) -> None:
    tables = measured()
    energy = np.stack(
        [table[table["region"] == "cue"]["energy"].to_numpy() for table in tables]
    ).reshape(2, 2, 6)
    baseline, cutmix = energy
    table = localisation.summary(MODELS, tables, 5, paired=paired)
    row = table[(table["region"] == "cue") & (table["score"] == "energy")]
    row = row.set_index("augmentation")
    expected = (
        statistics.mean(cutmix - baseline, 5)
        if paired
        else statistics.difference(cutmix, baseline, 5)
    )
    columns = ["difference", "difference_low", "difference_high"]
    assert row.loc["cutmix", columns].tolist() == list(expected)
    assert np.isclose(expected.mean, cutmix.mean() - baseline.mean())
    assert row.loc["baseline", columns].isna().all()
    assert row["seeds"].tolist() == [2, 2]
    assert row["images"].tolist() == [6, 6]
    assert np.isclose(row.loc["baseline", "mean"], baseline.mean())
    assert np.isclose(row.loc["cutmix", "std"], cutmix.mean(axis=1).std(ddof=1))
    assert np.allclose(row["chance"], 2 / 64)


def test_one_seed_has_a_difference_and_no_interval() -> None:
    few = MODELS[::2]
    table = localisation.summary(few, measured(few), 0, paired=True)
    cutmix = table[table["augmentation"] == "cutmix"]
    assert cutmix["difference"].notna().all()
    assert cutmix[["difference_low", "difference_high", "std"]].isna().all(axis=None)


def test_one_baseline_for_all_seeds_gives_no_interval() -> None:
    table = localisation.summary(MODELS[1:], measured(MODELS[1:]), 0, paired=False)
    cutmix = table[table["augmentation"] == "cutmix"]
    assert cutmix[["difference", "std"]].notna().all(axis=None)
    assert cutmix[["difference_low", "difference_high"]].isna().all(axis=None)


def test_groups_of_a_cue_are_told_apart() -> None:
    present = half_marked().masks[:, 1].any(axis=(1, 2))
    label = np.arange(12) % 3
    # The model says class 2 where it sees the cue, and is right elsewhere.
    predicted = np.where(present, 2, label)
    store = stored(12, logit=np.eye(3, dtype=np.float32)[predicted])
    images = localisation.with_and_without_cue(
        [("baseline", 1)], [store], [localisation.measure(store, half_marked())], "cue", present, 2
    )
    table = localisation.spurious(images).set_index("group")
    assert table.index.tolist() == list(localisation.GROUPS)
    assert table["images"].to_dict() == {
        "cue_class_with_cue": 2,
        "cue_class_without_cue": 2,
        "other_classes_with_cue": 4,
        "other_classes_without_cue": 4,
    }
    assert table["accuracy"].tolist() == [1, 1, 0, 1]
    assert table["cue_class_rate"].tolist() == [1, 1, 1, 0]
    assert table["energy"].notna().tolist() == [True, False, True, False]
    shown = maps.show(store.maps, (8, 8))[present & (label == 2)]
    expected = np.mean([one[7:, :2].sum() / one.sum() for one in shown])
    assert np.isclose(table.loc["cue_class_with_cue", "energy"], expected)


def test_summary_of_a_cue_keeps_measures_apart() -> None:
    present = half_marked().masks[:, 1].any(axis=(1, 2))
    stores = [stored(12, seed) for seed in range(4)]
    images = localisation.with_and_without_cue(MODELS, stores, measured(), "cue", present, 0)
    table = localisation.spurious(images)
    found = localisation.spurious_summary(images, 0, paired=True)
    row = found[(found["group"] == "cue_class_with_cue") & (found["measure"] == "energy")]
    mine = table[table["group"] == "cue_class_with_cue"].set_index(["augmentation", "seed"])[
        "energy"
    ]
    row = row.set_index("augmentation")
    assert np.isclose(row.loc["cutmix", "mean"], mine["cutmix"].mean())
    assert np.isclose(row.loc["cutmix", "difference"], (mine["cutmix"] - mine["baseline"]).mean())
    assert found.loc[found["measure"] != "energy", "chance"].isna().all()


def test_reliance_is_the_difference_of_the_shares_with_and_without_each_cue() -> None:
    present = half_marked().masks[:, 1].any(axis=(1, 2))
    stores = [stored(12, seed) for seed in range(4)]
    cues = {"cue": present, "other": np.arange(12) % 4 == 0}
    images = pd.concat(
        [
            localisation.with_and_without_cue(MODELS, stores, measured(), cue, shown, 0)
            for cue, shown in cues.items()
        ]
    )
    found = localisation.reliance(images, {"cue": "a", "other": "a"}, 0, paired=True)
    found = found.set_index(["augmentation", "cue"])
    label = np.arange(12) % 3
    of_model = {}
    for model, store in zip(MODELS, stores, strict=True):
        for cue, shown in cues.items():
            mine = store.predicted == 0
            with_cue, without = (mine[(label != 0) & on].mean() for on in (shown, ~shown))
            of_model[model, cue] = with_cue - without
    for cue in cues:
        arms = {
            arm: np.array([of_model[m, cue] for m in MODELS if m[0] == arm])
            for arm in ("baseline", "cutmix")
        }
        row = found.loc[("cutmix", cue)]
        assert row["mean"] == pytest.approx(arms["cutmix"].mean())
        assert row["difference"] == pytest.approx((arms["cutmix"] - arms["baseline"]).mean())
        assert row["images"] == 8
    summary = localisation.spurious_summary(images, 0, paired=True)
    assert summary.groupby("cue").size().to_dict() == {"cue": 24, "other": 24}


def test_class_of_a_cue_is_the_one_it_goes_with() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    present = np.array([True, False, True, True, False, False])
    assert localisation.class_of(labels, present, "cue") == 1
    with pytest.raises(CampareError, match=r"localisation.spurious: 'cue' is equally frequent"):
        localisation.class_of(labels, np.ones(6, bool), "cue")


def test_region_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(CampareError, match=r"no region 'mark'; they have: object, cue"):
        localisation.presence(half_marked(), "mark")
