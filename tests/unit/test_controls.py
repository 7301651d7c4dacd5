"""Tables of pairs of models: every kind is where it belongs, and the noise floor is taken off."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from campare import analysis, clustering, controls, shift, statistics

IMAGES = 30
BASELINES = [("baseline", seed) for seed in (1, 11, 12, 13, 14, 15)]
SEEDS = (1, 2, 3, 4, 5, 6)
MATCHED = ("duplicated_originals", "longer_training")


def look(augmentation: str, seed: int, moved: float) -> np.ndarray:
    """What stands for a model's maps: a place for every image, moved by its augmentation."""
    rng = np.random.default_rng([ord(augmentation[0]), seed])
    return rng.normal(moved, 1, IMAGES)


def pairs(moved: dict[str, float]) -> tuple[dict[str, pd.DataFrame], list[tuple[str, int]]]:
    """The pairs of some augmentations, as measure_pairs writes them."""
    models = [*BASELINES, *((name, seed) for name in moved for seed in SEEDS)]
    looks = {(name, seed): look(name, seed, moved.get(name, 0)) for name, seed in models}
    # What a model predicts goes with its map.
    guesses = {
        model: (place > moved.get(model[0], 0) - 1.2).astype(int) for model, place in looks.items()
    }

    def rows(a: tuple[str, int], b: tuple[str, int]) -> pd.DataFrame:
        far = np.abs(looks[a] - looks[b])
        return pd.DataFrame(
            {"a": a[0], "seed_a": a[1], "b": b[0], "seed_b": b[1], "index": 3 * np.arange(IMAGES)}
            | {"label": 0, "prediction_a": guesses[a], "prediction_b": guesses[b]}
            | {"constant_a": looks[a] > 2.5, "constant_b": looks[b] > 2.5}
            | {"mad": far, "pearson": np.where(far > 3, np.nan, 1 - far)}
        )

    tables = {"baseline": pd.concat([rows(a, b) for a, b in combinations(BASELINES, 2)])}
    for name in moved:
        own = [(name, seed) for seed in SEEDS]
        others = BASELINES
        if name not in MATCHED:
            others = [*BASELINES, *(model for model in models if model[0] in MATCHED)]
        across = [(a, b) for a, b in product(others, own) if a[1] != b[1]]
        tables[name] = pd.concat([rows(a, b) for a, b in [*across, *combinations(own, 2)]])
    return tables, models


def test_distances_are_those_of_the_tables_whichever_way_they_are_read() -> None:
    tables, models = pairs({"affine": 1.0})
    found, places = controls.distances(list(tables.values()), models, "mad")
    assert places.tolist() == [list(pair) for pair in combinations(range(12), 2)]
    for far, (i, j) in zip(found, places, strict=True):
        (a, seed_a), (b, seed_b) = models[i], models[j]
        if {a, b} == {"baseline", "affine"} and seed_a == seed_b:
            assert np.isnan(far).all()
        else:
            gap = look(a, seed_a, float(a == "affine")) - look(b, seed_b, float(b == "affine"))
            np.testing.assert_allclose(far, np.abs(gap))
    alike, _ = controls.distances(list(tables.values()), models, "pearson")
    some = ~np.isnan(alike)
    np.testing.assert_allclose(alike[some], found[some])  # 1 - (1 - far)


def test_kinds_are_means_over_their_pairs_with_what_is_missing_counted() -> None:
    tables, _ = pairs({"affine": 1.0})
    found = controls.kinds(tables, ["mad", "pearson"]).set_index(["metric", "augmentation", "kind"])
    assert list(found.loc["mad"].index) == [
        ("baseline", "baselines"), ("affine", "with_baseline"), ("affine", "within"),
    ]  # fmt: skip
    assert found.loc["mad"]["pairs"].to_list() == [15, 35, 15]
    assert found.loc["mad"]["models"].to_list() == [6, 12, 6]
    assert (found["images"] == IMAGES).all()
    table = tables["affine"]
    across = table[table["a"] == "baseline"]
    row = found.loc[("pearson", "affine", "with_baseline")]
    assert row["mean"] == pytest.approx(across["pearson"].mean())
    assert row["undefined"] == across["pearson"].isna().sum() > 0
    constant = sum(int((look("affine", seed, 1.0) > 2.5).sum()) for seed in SEEDS)
    assert found.loc[("mad", "affine", "within"), "constant"] == constant > 0


def test_shifts_are_found_where_maps_moved_and_cover_zero_where_they_did_not() -> None:
    tables, models = pairs({"affine": 1.5, "cutmix": 0.0, "duplicated_originals": 0.0})
    found = controls.shifts(tables, models, ["mad", "pearson"], "", 0)
    table = found.set_index(["metric", "reference", "predictions", "augmentation"]).sort_index()
    arms = [tables["baseline"], tables["affine"]]
    far, places = controls.distances(arms, models[:12], "pearson")
    expected = shift.shift(far, places, np.arange(12) >= 6, 0, identical=1.0)
    row = table.loc[("pearson", "baseline", "any", "affine")]
    for name in ("net", "tightening", "shift", "noise_corrected_similarity"):
        np.testing.assert_array_equal(
            row[[name, f"{name}_low", f"{name}_high"]].astype(float), getattr(expected, name)
        )
    assert row["shift"] == pytest.approx(row["between"] - (row["within"] + row["floor"]) / 2)
    assert row["relative_shift"] == pytest.approx(row["shift"] / row["floor"])
    assert row["shift_low"] > 0 and row["shift_p_holm"] <= 0.05
    for name in ("cutmix", "duplicated_originals"):
        still = table.loc[("mad", "baseline", "any", name)]
        assert still["shift_low"] < 0 < still["shift_high"] and still["shift_p_holm"] > 0.05
    assert table.loc["mad"]["noise_corrected_similarity"].isna().all()  # it is no similarity
    # The augmentations are one family, the controls another.
    p = table.loc[("mad", "baseline", "any")]["shift_p"]
    np.testing.assert_allclose(
        table.loc[("mad", "baseline", "any")]["shift_p_holm"][["affine", "cutmix"]],
        statistics.holm(p[["affine", "cutmix"]]),
    )
    assert (
        table.loc[("mad", "baseline", "any", "duplicated_originals"), "shift_p_holm"]
        == p["duplicated_originals"]
    )


def test_augmentations_are_compared_with_step_matched_models_directly() -> None:
    """Where more steps alone move the maps as far, that reference alone shows no shift."""
    tables, models = pairs({"affine": 1.5, "cutmix": 0.0, "duplicated_originals": 1.5})
    found = controls.shifts(tables, models, ["mad"], "", 0)
    table = found[found["predictions"] == "any"].set_index(["reference", "augmentation"])
    assert set(table.index) == {
        ("baseline", "affine"), ("baseline", "cutmix"), ("baseline", "duplicated_originals"),
        ("duplicated_originals", "affine"), ("duplicated_originals", "cutmix"),
    }  # fmt: skip
    assert table.loc[("baseline", "affine"), "shift_low"] > 0
    assert table.loc[("duplicated_originals", "affine"), "shift_low"] < 0
    assert table.loc[("duplicated_originals", "cutmix"), "shift_low"] > 0
    rows = tables["affine"]
    across = rows[(rows["a"] == "duplicated_originals")]
    assert table.loc[("duplicated_originals", "affine"), "between"] == pytest.approx(
        across.groupby(["seed_a", "seed_b"])["mad"].mean().mean()
    )


def test_a_study_of_controls_alone_has_shifts_and_gains() -> None:
    tables, models = pairs({"duplicated_originals": 0.0})
    found = controls.shifts(tables, models, ["mad"], "", 0)
    assert (
        found[["augmentation", "reference"]].to_numpy().tolist()
        == [["duplicated_originals", "baseline"]] * 2
    )
    gains = controls.accuracy_changes(
        rights(baseline=0.7, duplicated_originals=0.7), ["duplicated_originals"], 0
    )
    assert gains["reference"].to_list() == ["baseline"]
    assert len(controls.summary(gains, found, "mad")) == 1


def test_of_equal_predictions_the_images_are_those_in_which_both_models_agree() -> None:
    tables, models = pairs({"affine": 1.5})
    found = controls.shifts(tables, models, ["mad"], "", 0).set_index("predictions")
    rows = tables["affine"]
    across = rows[rows["a"] == "baseline"]
    agree = across["prediction_a"] == across["prediction_b"]
    assert found.loc["equal", "agreement"] == pytest.approx(agree.mean())
    assert 0.1 < agree.mean() < 0.95
    by_pair = across[agree].groupby(["seed_a", "seed_b"])["mad"].mean()
    assert found.loc["equal", "between"] == pytest.approx(by_pair.mean())
    assert found.loc["any", "between"] == pytest.approx(
        across.groupby(["seed_a", "seed_b"])["mad"].mean().mean()
    )


def test_the_mixed_model_agrees_on_the_estimate() -> None:
    tables, models = pairs({"affine": 1.5})
    first = controls.shifts(tables, models, ["mad"], "", 0)
    second = controls.mixed_models(tables, models, "mad", 0)
    assert second["augmentation"].to_list() == ["affine"]
    assert second["shift"][0] == pytest.approx(first["shift"][0], abs=0.02)
    assert second["low"][0] > 0 and second["images"][0] == IMAGES and second["note"][0] == ""


def test_where_streams_differ_there_is_no_shift_but_the_reason() -> None:
    tables, models = pairs({"affine": 1.5})
    found = controls.shifts(tables, models, ["mad"], "streams differ", 0)
    unknown = [
        "net",
        "tightening",
        "shift",
        "shift_low",
        "relative_shift",
        "shift_p_holm",
        "superiority",
    ]
    assert found[[*unknown, "superiority"]].isna().all(axis=None)
    assert found["note"].to_list() == ["streams differ"] * 2
    assert found[["between", "within", "floor"]].notna().all(axis=None)


def test_one_baseline_is_no_floor() -> None:
    tables, models = pairs({"affine": 1.5})
    alone = tables["affine"]
    alone = alone[(alone["a"] != "baseline") | (alone["seed_a"] == 11)]
    found = controls.shifts({"affine": alone}, [BASELINES[1], *models[6:]], ["mad"], "", 0)
    assert found[["shift", "shift_low", "shift_p", "floor"]].isna().all(axis=None)


def test_augmentations_are_compared_with_each_other_less_what_each_does() -> None:
    moved = {"affine": 0.0, "blur": 0.0, "cutmix": 2.0}
    tables, models = pairs(moved)
    looks = {model: look(*model, moved.get(model[0], 0)) for model in models}
    for a, b in combinations(moved, 2):
        across = [
            tables["baseline"].iloc[:IMAGES].assign(
                a=a, seed_a=i, b=b, seed_b=j, mad=np.abs(looks[a, i] - looks[b, j])
            )
            for i, j in product(SEEDS, SEEDS)
            if i != j
        ]  # fmt: skip
        tables[a] = pd.concat([tables[a], *across])
    own = {name: table for name, table in tables.items() if name != "baseline"}
    found = controls.between(own, models, ["mad"], 0)
    found = found.set_index(["augmentation_a", "augmentation_b"])
    assert list(found.index) == list(combinations(moved, 2))
    assert (found["pairs"] == 30).all()
    assert found.loc[("affine", "cutmix"), "p_holm"] <= 0.05
    assert found.loc[("affine", "blur"), "p_holm"] > 0.05
    np.testing.assert_allclose(
        found["shift"], found["between"] - (found["within_a"] + found["within_b"]) / 2
    )


def rights(**shares: float) -> dict[tuple[str, int], np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        (name, seed): rng.random(200) < share for name, share in shares.items() for seed in SEEDS
    }


def test_gains_are_differences_of_accuracy_with_both_samples_in_the_interval() -> None:
    correct = rights(baseline=0.7, affine=0.9, cutmix=0.7)
    correct = {(name, seed + 10 * (name == "baseline")): v for (name, seed), v in correct.items()}
    found = controls.accuracy_changes(correct, [], 0).set_index("augmentation")
    ours, base = (
        np.stack([values for (arm, _), values in correct.items() if arm == name]).astype(float)
        for name in ("affine", "baseline")
    )
    row = found.loc["affine"]
    assert row["accuracy_change"] == pytest.approx(ours.mean() - base.mean())
    expected = statistics.difference(ours, base, 0)
    assert (row["accuracy_change_low"], row["accuracy_change_high"]) == pytest.approx(
        (expected.low, expected.high)
    )
    assert row["accuracy_change_low"] > 0.1 and found.loc["cutmix", "accuracy_change_low"] < 0
    test = statistics.difference_test(ours.mean(1), base.mean(1), 0, paired=False)
    assert row["accuracy_change_p"] == test.p <= 0.05
    np.testing.assert_allclose(
        found["accuracy_change_p_holm"], statistics.holm(found["accuracy_change_p"])
    )


def test_gains_of_equal_seeds_are_paired_and_their_signs_tested_where_there_are_enough() -> None:
    correct = rights(baseline=0.7, affine=0.9)
    found = controls.accuracy_changes(correct, [], 0)
    assert found["accuracy_change_p"].to_list() == [2 / 64]
    ours, base = (
        np.stack([values for (arm, _), values in correct.items() if arm == name]).astype(float)
        for name in ("affine", "baseline")
    )
    assert found["accuracy_change_low"][0] == pytest.approx(statistics.mean(ours - base, 0).low)
    # Six pairs are too few for two tests by signs: all labels are permuted.
    found = controls.accuracy_changes(rights(baseline=0.7, affine=0.9, cutmix=0.95), [], 0)
    assert found["accuracy_change_p"].to_list() == [2 / 924, 2 / 924]


def test_arms_share_seeds_if_all_models_do_and_they_are_enough() -> None:
    first, second = ([(name, seed) for seed in range(6)] for name in ("baseline", "affine"))
    found = controls.sharing_seeds(first, second[::-1], 1)
    assert found == [(5, 6), (4, 7), (3, 8), (2, 9), (1, 10), (0, 11)]
    assert controls.sharing_seeds(first, second[:5], 1) == []
    assert controls.sharing_seeds(first, second, 2) == []  # two tests need seven


def test_gains_are_from_step_matched_models_too() -> None:
    found = controls.accuracy_changes(
        rights(baseline=0.7, affine=0.9, duplicated_originals=0.9), ["duplicated_originals"], 0
    )
    found = found.set_index(["augmentation", "reference"])
    assert list(found.index) == [
        ("affine", "baseline"),
        ("duplicated_originals", "baseline"),
        ("affine", "duplicated_originals"),
    ]
    assert found.loc[("affine", "baseline"), "accuracy_change"] > 0.1
    assert abs(found.loc[("affine", "duplicated_originals"), "accuracy_change"]) < 0.1


def test_the_summary_has_both_answers_from_one_reference_and_counts_what_is_tested() -> None:
    tables, models = pairs({"affine": 1.5, "cutmix": 0.0, "duplicated_originals": 0.0})
    shifts = controls.shifts(tables, models, ["mad", "pearson"], "", 0)
    correct = rights(baseline=0.7, affine=0.9, cutmix=0.7, duplicated_originals=0.7)
    gains = controls.accuracy_changes(correct, ["duplicated_originals"], 0)
    found = controls.summary(gains, shifts, "pearson").set_index("augmentation")
    assert found["reference"].to_dict() == {
        "affine": "duplicated_originals",
        "cutmix": "duplicated_originals",
        "duplicated_originals": "baseline",
    }
    assert found["significant"].to_list() == [2, 0, 0]
    assert found["tested"].to_list() == [2, 2, 2]
    chosen = shifts[shifts["metric"] == "pearson"].set_index(["augmentation", "predictions"])
    chosen = chosen[chosen["reference"] == found["reference"].reindex(
        chosen.index.get_level_values(0)
    ).to_numpy()]  # fmt: skip
    for prefix, predictions in (("", "any"), ("equal_", "equal")):
        rows = chosen.xs(predictions, level=1).loc[found.index]
        for name in ("shift", "shift_low", "shift_p_holm"):
            np.testing.assert_array_equal(found[prefix + name], rows[name])
    by_both = gains.set_index(["augmentation", "reference"])["accuracy_change"]
    np.testing.assert_array_equal(
        found["accuracy_change"], by_both[list(zip(found.index, found["reference"], strict=True))]
    )


def test_a_reference_of_too_few_models_is_not_that_of_the_summary() -> None:
    tables, models = pairs({"affine": 1.5, "duplicated_originals": 0.0})
    models = [model for model in models if model[0] != "duplicated_originals" or model[1] == 1]
    tables["duplicated_originals"] = tables["duplicated_originals"][
        tables["duplicated_originals"]["seed_b"] == 1
    ]
    tables["duplicated_originals"] = tables["duplicated_originals"][
        tables["duplicated_originals"]["b"] == "duplicated_originals"
    ]
    tables["duplicated_originals"] = tables["duplicated_originals"][
        tables["duplicated_originals"]["a"] == "baseline"
    ]
    shifts = controls.shifts(tables, models, ["mad"], "", 0)
    gains = controls.accuracy_changes(
        rights(baseline=0.7, affine=0.9, duplicated_originals=0.7), ["duplicated_originals"], 0
    )
    found = controls.summary(gains, shifts, "mad").set_index("augmentation")
    assert found.loc["affine", "reference"] == "baseline"
    # Of nothing tested nothing is significant, and nothing is not.
    assert found.loc["duplicated_originals", "tested"] == 0 and np.isnan(
        found.loc["duplicated_originals", "significant"]
    )
    assert "too few models" in found.loc["duplicated_originals", "note"]


def similarity(rng: np.random.Generator, baselines: int) -> pd.DataFrame:
    index = np.tile(np.arange(IMAGES), baselines)
    return pd.DataFrame({"index": index, "label": 0, "mad": rng.random(len(index))})


def test_measured_values_are_means_over_baselines_in_their_places() -> None:
    rng = np.random.default_rng(0)
    models = [(name, seed) for name in ("affine", "cutmix") for seed in (1, 2, 3)]
    tables = [similarity(rng, 2).assign(msd=k) for k, _ in enumerate(models)]
    found = controls.measured(models, tables, ["mad", "msd"])
    assert found.shape == (2, 2, 3, IMAGES)
    np.testing.assert_array_equal(found[1, :, :, 0], [[0, 1, 2], [3, 4, 5]])
    by_hand = tables[4]["mad"].to_numpy().reshape(2, IMAGES).mean(axis=0)
    np.testing.assert_allclose(found[0, 1, 1], by_hand)


def test_clusters_name_what_is_joined_in_the_order_of_the_leaves() -> None:
    rng = np.random.default_rng(1)
    two = rng.standard_normal((2, IMAGES))
    values = two[[0, 1, 0, 1]][None, :, None] + 0.1 * rng.standard_normal((1, 4, 2, IMAGES))
    found, _ = clustering.clusters(values, 0, 20)
    table = controls.clusters({"mad": found}, ["a", "b", "c", "d"])
    assert {frozenset(members.split(" + ")) for members in table["members"][:2]} == {
        frozenset("ac"), frozenset("bd"),
    }  # fmt: skip
    last = table.iloc[-1]
    assert last["members"] == f"{last['first']} + {last['second']}"
    assert sorted(last["members"].split(" + ")) == ["a", "b", "c", "d"]
    assert (table["support"] == 1).all() and (table["resamples"] == 20).all()
    assert table["distance"].is_monotonic_increasing


def test_an_augmentation_left_out_of_the_tree_is_in_no_cluster() -> None:
    values = np.random.default_rng(2).standard_normal((1, 3, 2, IMAGES))
    values[0, 1] = 7.0
    found, _ = clustering.clusters(values, 0, 5)
    table = controls.clusters({"mad": found}, ["a", "b", "c"])
    assert table["members"].to_list() == ["a + c"]


def test_correlations_and_counts_keep_their_pairs() -> None:
    maps = np.arange(18.0).reshape(2, 3, 3)
    table = controls.correlations(maps, ["mad", "all"], ["a", "b", "c"])
    wide = table.set_index(["metric", "augmentation_a", "augmentation_b"])["pearson"]
    assert wide["all", "b", "c"] == maps[1, 1, 2]
    counts = clustering.Counts(
        np.array([2, 0, 1]), 1.0, np.array([0.1, 1, 0.5]), np.array([0.2] * 3)
    )
    found = controls.counted({"strongest": counts, "weakest": counts}, ["a", "b", "c"])
    assert found["count"].to_list() == [2, 0, 1] * 2
    assert found[["augmentation_a", "augmentation_b"]].agg("".join, axis=1).to_list() == [
        "ab", "ac", "bc",
    ] * 2  # fmt: skip


def test_shared_baselines_make_augmentations_correlate_that_do_nothing() -> None:
    tables, _ = pairs({"affine": 0.0, "cutmix": 0.0})
    own = {name: tables[name] for name in ("affine", "cutmix")}
    together = controls.shared(own, [11], ["mad"])
    by_hand = np.mean(
        [np.abs(look("baseline", 11, 0) - look("affine", seed, 0)) for seed in SEEDS], axis=0
    )
    rows = together[together["augmentation"] == "affine"]
    np.testing.assert_allclose(rows["mad"], by_hand)
    alone = pd.concat(
        [
            controls.shared({"affine": own["affine"]}, [11], ["mad"]),
            controls.shared({"cutmix": own["cutmix"]}, [12], ["mad"]),
        ]
    )
    r = [
        analysis.correlation(table, ["mad"]).set_index(["augmentation_a", "augmentation_b"])
        .loc[("affine", "cutmix"), "pearson"]
        for table in (together, alone)
    ]  # fmt: skip
    assert r[0] > 0.5 > r[1] + 0.1
