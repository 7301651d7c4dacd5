"""What jobs ask for: bounds measured work from above, and grows with the study."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from campare import config, needs, registry
from campare.design import Design


def test_sizes_of_the_subsets_are_read_anew_when_the_split_changes(tmp_path: Path) -> None:
    split = tmp_path / "split.csv"
    assert needs.sizes(split) == needs.USUAL
    split.write_text("index,label,subset\n0,1,train\n1,1,test\n2,0,train\n")
    assert needs.sizes(split)["train"] == 2
    split.write_text("index,label,subset\n0,1,train\n1,1,test\n")
    os.utime(split, ns=(1, 1))
    assert needs.sizes(split)["train"] == 1


@pytest.mark.parametrize(
    ("images", "epochs", "architecture", "input_size", "threads", "measured"),
    [
        # measured with one thread: the default study, and 5,400 CIFAR-10 images with a copy each
        (2_156, 10, "small_cnn", 32, 1, 7 / 60),
        (10_800, 30, "small_cnn_wide", 32, 1, 6),
    ],
)
def test_training_ends_within_the_time_asked_for(
    images: int, epochs: int, architecture: str, input_size: int, threads: int, measured: float
) -> None:
    cost = registry.gmacs(architecture, input_size)
    assert measured < needs.training_minutes(images, epochs, cost, threads, 0) < 90


def test_more_images_epochs_and_a_larger_network_ask_for_more_and_a_gpu_for_less() -> None:
    small, large = (registry.gmacs(name, 224) for name in ("efficientnet_b0", "efficientnet_b7"))
    asked = needs.training_minutes(90_000, 30, small, 4, 1)
    assert asked < needs.training_minutes(180_000, 30, small, 4, 1)
    assert asked < needs.training_minutes(90_000, 60, small, 4, 1)
    assert asked < needs.training_minutes(90_000, 30, large, 4, 1)
    assert asked < needs.training_minutes(90_000, 30, small, 4, 0)
    assert asked > needs.explaining_minutes(10_000, 3, small, 4, 1)


def test_a_network_of_timm_costs_what_torchvisions_does_or_a_usual_one() -> None:
    assert registry.gmacs("timm:resnet50.a1_in1k", 224) == registry.gmacs("resnet50", 224) > 4
    assert registry.gmacs("timm:convnext_pico", 112) == registry.USUAL_GMACS / 4


def test_memory_covers_what_was_measured(tmp_path: Path) -> None:
    data = tmp_path / "data.h5"
    data.write_bytes(bytes(1_000_000))
    few = needs.network_memory(data, 0, 32, 32, 0)
    assert 800 < few < 2_000
    assert few < needs.network_memory(data, 60_000, 32, 32, 0)
    assert few < needs.network_memory(data, 0, 32, 224, 0)
    assert needs.table_memory(10_000) < needs.table_memory(10_000_000)


# Of the jobs of a study

STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "efficientnet_b0", "input_size": 224},
    "vary": ["augmentation", "init"],
    "reference": "all",
    "augmentations": {"affine": {}, "cutmix": {}},
    "controls": {
        "baselines": {"seeds": [11, 12], "vary": ["init"]},
        "duplicated_originals": True,
        "longer_training": True,
    },
    "faithfulness": {"images": 100},
    "representations": {},
    "mosaics": {},
    "sanity": {"permuted_labels": 20},
    "single_deletion": {},
    "map_exchange": {},
    "robustness": {},
}
# A job of each kind, by its wildcards.
KINDS: dict[str, dict[str, str]] = {
    name: {}
    for name in (
        *("load", "split_data", "fit_svm", "pixels", "table", "statistics", "map_other"),
        *("compare_uninformative", "explore", "train_permuted", "corrupt"),
    )
} | {
    name: {"augmentation": "affine", "seed": "1", "variant": ""}
    for name in (
        *("train", "augment", "map", "compare", "compare_pairs", "localise"),
        *("test_faithfulness", "represent", "map_mosaics", "check_sanity"),
        *("finetune", "delete_cells", "exchange_maps"),
        *("test_corruptions", "test_transforms"),
    )
}


def of_study(folder: Path, gpu: int = 0, **changes: Any) -> needs.Needs:
    """Where neither data nor split is there yet."""
    complete = config.complete({**copy.deepcopy(STUDY), **changes}, "study.yaml")
    return needs.Needs(Design(complete), folder / "data.h5", folder / "split.csv", gpu)


def need(of: needs.Needs, kind: str, **wildcards: str) -> needs.Need:
    asked: needs.Need = getattr(of, kind)(KINDS[kind] | wildcards)
    return asked


def test_networks_of_fewer_images_take_as_long_as_the_baseline(tmp_path: Path) -> None:
    """They are trained for as many steps, in more epochs."""
    controls = {"baselines": {"seeds": [11, 12, 13], "vary": ["init"]}}
    of = of_study(
        tmp_path,
        vary=["init"],
        reference="all",
        controls=controls,
        known_changes={"training_images": [0.25]},
        training={"epochs": 1000},
    )
    baseline = need(of, "train", augmentation="baseline").minutes
    fewer = need(of, "train", augmentation="training_images_0p25").minutes
    assert fewer == pytest.approx(baseline, rel=0.02)


def test_kinds_are_those_that_jobs_name(tmp_path: Path) -> None:
    public = {
        name
        for name, value in vars(needs.Needs).items()
        if callable(value) and not name.startswith("_")
    }
    assert public == KINDS.keys()
    root = Path(needs.__file__).parents[2]
    texts = [path.read_text() for path in (root / "rules").rglob("*.smk")]
    named = {kind for text in texts for kind in re.findall(r"(?:sized\(|\bkind=)\"(\w+)\"", text)}
    assert public == named | {"table"}  # what tables and figures are where they do not say


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gpu", [0, 1])
def test_a_job_asks_for_whole_minutes_and_megabytes(kind: str, gpu: int, tmp_path: Path) -> None:
    asked = need(of_study(tmp_path, gpu), kind)
    assert all(isinstance(value, int) for value in asked)
    assert asked.minutes >= needs.START
    assert asked.memory >= needs.PYTHON / 1e6


def test_a_set_with_copies_asks_for_more_time_and_the_long_baseline_too(tmp_path: Path) -> None:
    of = of_study(tmp_path)
    plain, bent, twice, long = (
        need(of, "train", augmentation=name)
        for name in ("baseline", "affine", "duplicated_originals", "longer_training")
    )
    assert plain.minutes < bent.minutes == twice.minutes
    assert long.minutes == bent.minutes
    assert need(of_study(tmp_path, augmenting={"copies": 3}), "train").minutes > bent.minutes


def test_augmenting_in_place_asks_for_what_the_baseline_does(tmp_path: Path) -> None:
    of = of_study(tmp_path, augmenting={"mode": "in_place"}, reference="one", controls={})
    assert need(of, "train", augmentation="affine") == need(of, "train", augmentation="baseline")


def test_training_asks_for_all_epochs_and_for_batches_of_recalibration(tmp_path: Path) -> None:
    def minutes(**training: int) -> int:
        of = of_study(tmp_path, reference="one", controls={}, training=training)
        return need(of, "train", augmentation="baseline").minutes

    assert minutes(early_stopping=2) == minutes()
    assert minutes() < minutes(recalibrate_batch_norm=200)
    # An epoch has no more batches.
    assert minutes(recalibrate_batch_norm=10**6) == minutes(recalibrate_batch_norm=10**5)


def test_copies_that_are_kept_ask_for_memory(tmp_path: Path) -> None:
    drawn, kept = (
        need(of_study(tmp_path, augmenting={"resample": when}), "train")
        for when in ("each_epoch", "once")
    )
    assert drawn.memory < kept.memory
    assert drawn.minutes == kept.minutes


def test_a_candidate_architecture_asks_for_what_it_is(tmp_path: Path) -> None:
    of = of_study(tmp_path)
    own, other = (
        of.train({"architecture": name}).minutes for name in ("efficientnet_b0", "densenet121")
    )
    assert own == need(of, "train", augmentation="baseline").minutes
    assert own < other


def test_steps_of_an_epoch_decide_the_size_of_a_batch(tmp_path: Path) -> None:
    few, many = (
        need(
            of_study(tmp_path, reference="one", controls={}, training={"steps_per_epoch": steps}),
            "train",
        ).memory
        for steps in (100, 10_000)
    )
    assert few > many


def test_the_dearest_variant_decides_what_mapping_asks_for(tmp_path: Path) -> None:
    plain = need(of_study(tmp_path), "map")
    dear = of_study(tmp_path, cam={"variants": {"scores": {"method": "scorecam"}}})
    assert need(dear, "map", variant="").minutes > 10 * plain.minutes
    assert need(dear, "map").memory == plain.memory


def test_more_baselines_and_seeds_ask_for_more_comparisons(tmp_path: Path) -> None:
    of = of_study(tmp_path)
    one = of_study(tmp_path, reference="one")
    more = of_study(tmp_path, seeds=[1, 2, 3, 4, 5, 6, 7])
    assert need(one, "compare").minutes < need(of, "compare").minutes
    assert need(of, "compare").minutes < need(more, "compare").minutes
    assert need(one, "table").memory < need(of, "table").memory < need(more, "table").memory


def test_the_explorer_asks_for_the_tables_and_maps_at_the_input_size(tmp_path: Path) -> None:
    of = of_study(tmp_path)
    small = of_study(tmp_path, model={"architecture": "small_cnn", "input_size": 32})
    assert need(small, "explore").memory < need(of, "explore").memory
    # Ten thousand maps of 224 × 224 float32 three times, more than the tables; those of all models,
    # reduced to 240 million values, as float32 three times; metrics and logits.
    maps = 3 * 4 * (10_000 * 224**2 + 240_000_000) / 1e6
    numbers = 24 * 10_000 * len(of.design.models) * (8 + len(of.design.metrics)) / 1e6
    assert need(of, "explore").memory == pytest.approx(of._table_memory + maps + numbers, abs=2)


def test_statistics_of_more_augmentations_ask_for_the_pairs_of_one(tmp_path: Path) -> None:
    many = {f"arm{k}": {"use": "affine"} for k in range(40)}
    few = need(of_study(tmp_path), "statistics").memory
    pairs = needs.table_memory(10_000 * 40 * 10)  # with all pairs it would grow by more
    assert few < need(of_study(tmp_path, augmentations=many), "statistics").memory < few + pairs


def test_pairs_are_those_of_the_augmentation(tmp_path: Path) -> None:
    of = of_study(tmp_path)
    asked = {name: need(of, "compare_pairs", augmentation=name) for name in ("baseline", "affine")}
    assert len(of.design.pairs_of("baseline")) < len(of.design.pairs_of("affine"))
    assert asked["baseline"].minutes < asked["affine"].minutes
    assert asked["baseline"].memory < asked["affine"].memory < need(of, "statistics").memory


def test_faithfulness_asks_for_its_images_and_shares(tmp_path: Path) -> None:
    few = need(of_study(tmp_path), "test_faithfulness")
    more = need(of_study(tmp_path, faithfulness={"images": 1000}), "test_faithfulness")
    once = need(
        of_study(tmp_path, faithfulness={"images": 100, "road": [0.5]}), "test_faithfulness"
    )
    assert once.minutes < few.minutes < more.minutes
    # Holes are filled on the CPU, of two maps from both ends.
    on_gpu = need(of_study(tmp_path, 1), "test_faithfulness")
    assert on_gpu.minutes > needs.START + needs.imputing_minutes(4 * 9 * 100, 224**2)


def test_files_that_are_there_are_measured(tmp_path: Path) -> None:
    of = of_study(tmp_path)
    usual = need(of, "train"), need(of, "map")
    (tmp_path / "data.h5").write_bytes(bytes(1000))
    (tmp_path / "split.csv").write_text("index,label,subset\n0,1,train\n1,1,test\n")
    for before, kind in zip(usual, ("train", "map"), strict=True):
        assert need(of, kind).minutes == needs.START + 1 < before.minutes
        assert need(of, kind).memory < before.memory


def test_images_with_many_channels_ask_for_more_memory(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=np.zeros((4, 8, 8, 30), np.uint8), labels=[0, 1, 0, 1])
    usual = of_study(tmp_path)
    many = of_study(tmp_path, data={"name": "arrays", "root": str(tmp_path / "set.npz")})
    for kind in ("train", "map", "check_sanity", "represent"):
        assert need(many, kind).memory > need(usual, kind).memory, kind
        assert need(many, kind).minutes == need(usual, kind).minutes, kind
    assert need(many, "explore") == need(usual, "explore")  # of maps


def test_a_gpu_asks_for_less_time(tmp_path: Path) -> None:
    for kind in ("train", "map", "test_faithfulness"):
        assert need(of_study(tmp_path, 1), kind).minutes < need(of_study(tmp_path), kind).minutes
