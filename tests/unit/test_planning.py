"""The plan of a study: its comparisons, other designs, costs, and the text."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import save_file

from campare import columns, config, needs, planning, power
from campare.design import Design
from campare.planning import Costs
from campare.power import Comparison

ROOT = Path(__file__).parents[2]
STUDY = {
    "study": "digits",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn", "input_size": 32},
    "seeds": [1, 2, 3],
    "vary": ["init", "order", "augmentation"],
    "reference": "all",
    "controls": {"baselines": {"seeds": [11, 12, 13, 14, 15, 16, 17], "vary": ["init", "order"]}},
    "augmentations": {"affine": {}, "cutmix": {}},
    "similarity": {"metrics": ["overlap_20", "mad"]},
}


def design(**changes: Any) -> Design:
    study = {key: value for key, value in {**STUDY, **changes}.items() if value is not None}
    return Design(config.complete(study, "study.yaml"))


def costs(**measured: dict[str, float]) -> Costs:
    absent = Path("absent")
    return Costs(lambda of: needs.Needs(of, absent, absent, 0), measured)


def pairs(networks: int, dimensions: int = 100, images: int = 3) -> pd.DataFrame:
    """Pairs of baselines whose maps are points, with the overlap rate as similarity."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((networks, images, dimensions)) / np.sqrt(dimensions)
    rows = [
        {"a": "baseline", "seed_a": a, "b": "baseline", "seed_b": b, "index": image}
        | {"overlap_20": 1 - 0.25 * ((points[a, image] - points[b, image]) ** 2).sum()}
        for a, b in combinations(range(networks), 2)
        for image in range(images)
    ]
    return pd.DataFrame(rows)


def test_comparisons_of_a_study_are_those_that_are_tested() -> None:
    matched = {"duplicated_originals": True, "matched_seeds": [21, 22, 23, 24]}
    (first, second) = planning.families(design(controls={**STUDY["controls"], **matched}))  # type: ignore[dict-item]
    # The first baseline shares its seed with the first network of each augmentation.
    assert first == planning.Family("baseline", Comparison(3, 8, 1), 2)
    assert second == planning.Family("duplicated_originals", Comparison(3, 4), 2)
    seeds = list(range(1, 9))
    (paired,) = planning.families(design(seeds=seeds, reference="paired", controls={}))
    assert paired.comparison == Comparison(8, 8, 8, swapped=True)
    (others,) = planning.families(design(reference="none", controls={}))
    assert others.reference == "other augmentations" and others.tests == 1
    assert not list(planning.families(design(controls=None, reference="one")))


def test_a_family_that_is_not_comparable_says_why() -> None:
    further = {"baselines": {"seeds": [11, 12, 13, 14, 15, 16, 17], "vary": ["init"]}}
    study = design(controls=further, reference="one")
    (family,) = planning.families(study)
    assert family.note.startswith("seeds of baselines drive init")
    table = planning.table(study, costs(), None, "overlap_20", 0)
    assert set(table["design"]) == {"study"} and table["detectable"].isna().all()
    assert "Not tested: seeds of baselines" in planning.text(table, study, "")


def test_a_study_that_cannot_reach_significance_is_warned_of() -> None:
    assert planning.warnings(design()) == []
    few = design(controls={"baselines": {"seeds": [11, 12], "vary": ["init", "order"]}})
    (message,) = planning.warnings(few)
    assert message == (
        "3 networks of each augmentation compared with 3 baselines cannot give p ≤ 0.05: the "
        "smallest possible p-value after Holm's correction over 2 augmentations is 0.2"
    )
    matched = {"duplicated_originals": True, "matched_seeds": list(range(21, 29))}
    assert (
        planning.warnings(
            design(
                controls={"baselines": {"seeds": [11, 12], "vary": ["init", "order"]}, **matched}
            )
        )
        == []
    )
    (message,) = planning.warnings(design(seeds=[1]))
    assert message.endswith("is undefined, because each arm needs two networks")


@pytest.mark.parametrize("name", ["config", "evidence", "cifar10-evidence"])
def test_other_designs_of_shipped_studies_have_the_stated_numbers(name: str) -> None:
    path = ROOT / "config" / f"{name}.yaml"
    study = config.complete(yaml.safe_load(path.read_text()), name)
    for models, references in ((2, 5), (7, 12)):
        other = Design(planning.alternative(study, models, references))
        assert len(other.models) == len(set(other.models))
        for family in planning.families(other):
            assert family.comparison[:2] == (models, references)
            assert not family.note


def test_the_pilot_is_used_if_it_has_four_baselines() -> None:
    found, source = planning.variability(pairs(8), "overlap_20")
    assert (source, found.networks) == ("pilot", 8)
    assert found.floor == pytest.approx(0.5, rel=0.1)
    expected = 1 / np.sqrt(3 * 100)  # three images of independent maps
    assert found.low < expected < found.high
    usual, source = planning.variability(pairs(3), "overlap_20")
    assert source == "shipped studies" and usual.low < usual.relative < usual.high
    assert planning.variability(None, "overlap_20")[0] == usual
    assert np.isnan(planning.variability(None, "own.py:metric")[0].relative)


def test_the_cheapest_design_detects_the_shift_and_a_cheaper_one_does_not() -> None:
    study, cost = design(), costs()
    chosen = planning.cheapest(study, cost, 0.03, 0.035, 0)
    assert chosen is not None
    (family,) = planning.families(chosen)
    n, m = family.comparison[:2]
    assert power.detectable(family.comparison, 0.035, 2, 0) <= 0.03
    networks = len(chosen.models)
    assert networks == 2 * n + m
    for fewer in (
        Comparison(n - 1, m + 1, 1),
        Comparison(n, m - 1, 1),
        Comparison(n + 1, m - 4, 1),
    ):
        assert not power.detectable(fewer, 0.035, 2, 0) <= 0.03
    assert planning.cheapest(study, cost, 1e-6, 0.035, 0) is None


def test_measured_times_replace_estimates() -> None:
    estimated = costs().of(design())
    one = costs().per_network(design())
    measured = costs(train={"baseline": 0.5}, cams={"baseline": 0.25})
    hours = measured.per_network(design())
    assert hours["baseline"] == pytest.approx(0.75)
    # An augmented network takes twice the steps.
    assert hours["affine"] > 1.2 and one["affine"] > one["baseline"]
    of = measured.of(design())
    total = 8 * hours["baseline"] + 3 * hours["affine"] + 3 * hours["cutmix"]
    assert (of.networks, of.hours) == (14, pytest.approx(total))
    assert of.memory == estimated.memory > 1


def test_networks_with_a_known_change_are_part_of_the_plan() -> None:
    changes = {"seeds": [21, 22, 23, 24], "label_noise": [0.2], "untrained_layers": [1]}
    study, plain = design(known_changes=changes), design()
    hours = costs().per_network(study)
    assert hours["unchanged"] == hours["label_noise_0p2"] == hours["baseline"]
    assert 0 < hours["untrained_layers_1"] < hours["baseline"]
    cost, without = costs().of(study), costs().of(plain)
    assert (cost.networks, without.networks) == (14 + 3 * 4, 14)
    added = 4 * (2 * hours["baseline"] + hours["untrained_layers_1"])
    assert cost.hours == pytest.approx(without.hours + added)


def test_the_text_has_the_plan_and_where_its_numbers_are_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "SHIFTS", (0.05, 0.1))
    table = planning.table(design(), costs(), pairs(8), "overlap_20", 0)
    assert list(table) == list(columns.TABLES["plan"].columns)
    own = table[table["design"] == "study"]
    assert list(own["metric"]) == ["overlap_20", "mad"]
    assert list(own["variability"]) == ["pilot", "shipped studies"]
    cheap = table[table["design"] == "cheapest"]
    assert (cheap["detectable"] <= cheap["target_shift"]).all() and len(cheap) == 2
    text = planning.text(table, design(), planning.basis(["train", "cams"], {"train": 100}))
    assert "14 networks" in text and "times measured in this study" in text
    assert "from the 8 baselines of this study (pilot)" in text
    share = 100 * own["detectable"].iloc[0]
    assert f"| {share:.1f} (" in text
    assert planning.basis(["cams"], {"train": 9}).startswith("times of training: upper estimates")
    assert "training and maps: upper" in planning.basis([], None)
    assert "50,000 training" in planning.basis([], None)


def test_the_plan_of_a_study_without_comparison_says_so() -> None:
    study = design(controls=None, reference="one")
    table = planning.table(study, costs(), None, "overlap_20", 0)
    assert table.empty
    assert "no map shift is tested" in planning.text(table, study, "")


def test_imported_models_have_no_other_design(tmp_path: Path) -> None:
    trained = {}
    for arm, number in (("baseline", 8), ("affine", 3)):
        trained[arm] = [str(tmp_path / f"{arm}{k}.safetensors") for k in range(number)]
        for file in trained[arm]:
            save_file({"weight": np.zeros(1, np.float32)}, file)
    study = {**STUDY, "trained": trained}
    for key in ("seeds", "vary", "augmentations", "reference"):
        del study[key]
    study["controls"] = {}
    of = Design(config.complete(study, "study.yaml"))
    table = planning.table(of, costs(), None, "overlap_20", 0)
    assert set(table["design"]) == {"study"} and (table["models"] == 3).all()
