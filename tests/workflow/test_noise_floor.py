"""A study with controls: what is trained, compared and tabulated beside the augmentations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open

from campare import config
from campare.design import Design
from tiny import TINY, Project, copy_project

pytestmark = pytest.mark.workflow

STUDY = TINY | {
    "split": {"subset": {"train": 200, "test": 40}},
    "vary": ["augmentation", "init", "order"],
    "reference": "disjoint",
    "controls": {
        "baselines": {"seeds": [11, 12], "vary": ["init", "order"]},
        "duplicated_originals": True,
        "matched_seeds": [1, 21],
        "uninformative": True,
    },
    "representations": {"images": 30, "neighbours": 3},
    "analysis": {"by_class": ["mad"]},
    "augmentations": {"affine": {}, "cutmix": {}},
    "training": {"epochs": 1},
    "similarity": {"metrics": ["mad", "pearson_native"]},
    "figures": {"dpi": 60, "formats": ["png", "svg"]},
}


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The controls of a tiny study, run once from nothing."""
    project = copy_project(tmp_path_factory.mktemp("controlled") / "project", STUDY)
    run = project.snakemake("controls", "representations", "results/tiny/figures/boxplot/mad.png")
    assert run.returncode == 0, run.stdout
    return project


def test_controls_train_the_models_of_the_design_and_no_others(tmp_path: Path) -> None:
    study = STUDY | {"controls": STUDY["controls"] | {"matched_seeds": [21, 22]}}
    project = copy_project(tmp_path / "project", study)
    models = Design(config.complete(study, "tiny.yaml")).models
    assert project.planned("all")["train"] == len(models)


def test_variants_of_the_maps_are_compared_in_one_table_and_figure(tmp_path: Path) -> None:
    study = STUDY | {
        "cam": {"variants": {"true_class": {"class": "true"}}, "epochs": [1]},
        "augmentations": {},
        "sweep": {"rotation": {"degrees": [10, 20]}},
    }
    planned = copy_project(tmp_path / "project", study).planned("all", "controls")
    assert (planned["tabulate_variants"], planned["plot_variants"]) == (1, 1)
    assert planned["tabulate_summary"] == planned["tabulate_equal_accuracy"] == 2
    # Epochs have maps and pairs, but one table and figure.
    assert planned["extract_cams"] == 3 * planned["train"] + 2  # the untrained network
    assert planned["measure_pairs"] == 3 * 4  # baselines, two strengths, duplicated originals
    for job in ("tabulate_during_training", "plot_during_training", "match_accuracy"):
        assert planned[job] == 1
    # The trends over the strengths of a sweep are of every variant.
    assert (planned["tabulate_dose_response"], planned["plot_dose_response"]) == (2, 2)


def settings(project: Project, model: str) -> dict[str, Any]:
    """What a weight file says of its training."""
    with safe_open(project.results / "models" / f"{model}.safetensors", "np") as file:
        return json.loads(file.metadata()["campare"])["settings"]


def test_further_baselines_differ_in_the_streams_that_vary_alone(controlled: Project) -> None:
    first, further = settings(controlled, "baseline/1"), settings(controlled, "baseline/12")
    streams = {"init_seed", "order_seed"}
    assert {key for key, value in first.items() if further[key] != value} == streams
    assert {further[key] for key in streams} == {12}


def test_duplicated_originals_differ_from_an_augmentation_in_the_transform_alone(
    controlled: Project,
) -> None:
    duplicated_originals, affine = (
        settings(controlled, "duplicated_originals/1"),
        settings(controlled, "affine/1"),
    )
    assert {key for key, value in affine.items() if duplicated_originals[key] != value} == {"steps"}
    assert duplicated_originals["steps"] == [] and duplicated_originals["copies"] == 1
    assert settings(controlled, "duplicated_originals/21")["init_seed"] == 21


def test_the_shift_by_class_has_that_of_all_images(controlled: Project) -> None:
    by_class, shift = (
        pd.read_csv(controlled.results / "tables" / f"{name}.csv").set_index("augmentation")
        for name in ("shift_by_class", "shift")
    )
    of_all = by_class[by_class["class"] == "all"]
    compared = shift[(shift["metric"] == "mad") & (shift["predictions"] == "any")]
    compared = compared[compared["reference"] == of_all["reference"].iloc[0]].loc[of_all.index]
    assert np.allclose(of_all["shift"], compared["shift"], rtol=1e-9)
    images = by_class[by_class["class"] != "all"].groupby("augmentation")["images"].sum()
    assert (images == 40).all()
    assert (controlled.results / "figures/shift_by_class/mad.png").exists()


def test_pairs_are_of_models_that_share_no_seed(controlled: Project) -> None:
    found = {
        path.stem: pd.read_parquet(path)
        for path in (controlled.results / "pairs").glob("*.parquet")
    }
    counts = {name: len(table) // 40 for name, table in found.items()}
    # Three baselines and two models each, and two step-matched models; (1, 1) shares its seed.
    assert counts == {
        "baseline": 3,
        "affine": 5 + 1 + 3,
        "cutmix": 5 + 1 + 3,
        "duplicated_originals": 5 + 1,
    }
    across = found["affine"][found["affine"]["a"] == "baseline"]
    assert ((across["seed_a"] == 1) & (across["seed_b"] == 1)).sum() == 0


def test_features_are_compared_in_the_same_pairs_as_maps(controlled: Project) -> None:
    for path in (controlled.results / "representation_pairs").glob("*.parquet"):
        features, maps = (
            pd.read_parquet(controlled.results / folder / path.name)
            for folder in ("representation_pairs", "pairs")
        )
        assert len(features) == len(maps) * 30 // 40
        both = features.merge(maps, on=["a", "seed_a", "b", "seed_b", "index"])
        assert len(both) == len(features)
        assert (both["prediction_a_x"] == both["prediction_a_y"]).all()
        churn = both["prediction_a_x"] != both["prediction_b_x"]
        assert (both["churn"] == churn).all()
    tables = controlled.results / "tables"
    changes = pd.read_csv(tables / "accuracy_change.csv").set_index(["augmentation", "reference"])
    calibration = pd.read_csv(tables / "calibration.csv").groupby("augmentation")["accuracy"].mean()
    for name in ("affine", "cutmix"):
        assert calibration[name] == pytest.approx(changes.loc[(name, "baseline"), "accuracy"])
    assert (controlled.results / "figures/representations/shift.png").exists()


def test_each_augmentation_is_compared_with_baselines_of_its_own(controlled: Project) -> None:
    for augmentation, seed in (("affine", 11), ("cutmix", 12)):
        table = pd.read_parquet(controlled.results / "similarity" / augmentation / "1.parquet")
        pairs = pd.read_parquet(controlled.results / "pairs" / f"{augmentation}.parquet")
        same = pairs[(pairs["seed_a"] == seed) & (pairs["seed_b"] == 1)]
        assert table["mad"].to_numpy() == pytest.approx(same["mad"].to_numpy())


def test_tables_agree_with_the_pairs_they_are_made_of(controlled: Project) -> None:
    tables = controlled.results / "tables"
    assert (tables / "mixed_model.csv").exists()
    key = ["metric", "augmentation", "reference", "predictions"]
    shift = pd.read_csv(tables / "shift.csv").set_index(key).sort_index()
    pairs = pd.read_parquet(controlled.results / "pairs" / "baseline.parquet")
    row = shift.loc[("mad", "affine", "baseline", "any")]
    assert row["floor"] == pytest.approx(pairs["mad"].mean())
    assert ("mad", "affine", "duplicated_originals", "equal") in shift.index
    assert shift["note"].str.startswith("too few models").all()
    summary = pd.read_csv(tables / "summary.csv")
    assert list(summary["augmentation"]) == ["affine", "cutmix", "duplicated_originals"]
    assert set(summary["metric"]) == {"mad"}
    chance = pd.read_csv(tables / "uninformative.csv")
    assert set(chance["level"]) == {"shuffled", "gaussian", "edges", "untrained"}
    distribution = pd.read_csv(tables / "distribution.csv")
    beside = distribution[distribution["pairs"] == "across seeds"]
    assert {"affine", "baseline", "duplicated_originals"} <= set(beside["augmentation"])
    # Like beside like: with the baselines of other seeds, whatever the reference.
    table = pd.read_parquet(controlled.results / "pairs" / "affine.parquet")
    across = table[table["a"] == "baseline"].groupby("index")["mad"].mean().median()
    row = beside[(beside["metric"] == "mad") & (beside["augmentation"] == "affine")]
    assert row["median"].item() == pytest.approx(across)
    assert (tables / "correlation_shared.csv").exists() and (tables / "clusters.csv").exists()


def test_the_untrained_network_is_the_first_baseline_before_training(controlled: Project) -> None:
    with h5py.File(controlled.results / "cams" / "untrained" / "1.h5") as store:
        assert store["attribution"].shape == (40, 1, 4, 4)
    assert settings(controlled, "untrained/1")["init_seed"] == 1


def test_figures_are_drawn_and_nothing_is_left_to_do(controlled: Project) -> None:
    figures = controlled.results / "figures"
    for name in ("summary/summary", "uninformative/mad", "clusters/all", "correlation_shared/mad"):
        assert (figures / f"{name}.png").exists()
    assert controlled.planned("controls") == {}


def test_every_column_is_in_the_data_dictionary(controlled: Project) -> None:
    assert controlled.undescribed() == []


def test_the_report_of_a_target_has_its_figures_and_no_answer(controlled: Project) -> None:
    run = controlled.snakemake("controls", "--report", "report.zip")
    assert run.returncode == 0, run.stdout
    with ZipFile(controlled.path / "report.zip") as report:
        page = report.read("report/report.html").decode()
    assert "results of the requested" in page and "System Message" not in page
    assert "figures/summary/summary.png" in page and "answer.html" not in page


def test_without_a_reference_augmentations_are_compared_with_each_other(tmp_path: Path) -> None:
    study = {key: value for key, value in STUDY.items() if key != "controls"}
    project = copy_project(tmp_path / "project", study | {"reference": "none"})
    jobs = project.planned()
    assert "measure_similarity" not in jobs
    assert (jobs["train"], jobs["measure_pairs"], jobs["plot_between"]) == (5, 2, 1)
    # One baseline is no floor.
    assert "tabulate_summary" not in jobs


def test_where_seeds_drive_other_streams_there_is_a_floor_and_no_summary(tmp_path: Path) -> None:
    controls = {"baselines": {"seeds": [11], "vary": ["order"]}}
    thesis = {"vary": ["augmentation"], "reference": "one", "controls": controls}
    jobs = copy_project(tmp_path / "project", STUDY | thesis).planned()
    assert jobs["measure_pairs"] == 3 and jobs["tabulate_shift"] == 1
    assert not {"tabulate_mixed_model", "tabulate_summary", "plot_summary"} & set(jobs)


def test_comparing_with_all_baselines_needs_further_ones(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", TINY | {"reference": "all"})
    run = project.snakemake("--dry-run")
    assert run.returncode != 0
    assert "reference: all needs 1 or more controls.baselines.seeds" in run.stdout


def test_the_plan_warns_of_too_few_networks_and_follows_the_pilot(controlled: Project) -> None:
    run = controlled.snakemake("plan")
    assert run.returncode == 0, run.stdout
    warning = "2 networks of each augmentation compared with 3 baselines cannot give p ≤ 0.05"
    assert f"warning: {warning}" in run.stdout and f"Warning: {warning}" in run.stdout
    # Three baselines are too few to estimate their variability.
    assert "median and range of the shipped studies" in run.stdout
    assert "times measured in this study" in run.stdout
    plan = pd.read_csv(controlled.results / "tables" / "plan.csv")
    assert set(plan["design"]) == {"study", "cheapest"}
    assert controlled.planned("plan") == {"plan": 1}  # only printed again
    pilot = controlled.results / "pairs" / "baseline.parquet"
    pilot.touch()
    assert controlled.planned("plan")["tabulate_plan"] == 1
