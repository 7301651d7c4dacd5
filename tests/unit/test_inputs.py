"""Input functions: the files of the models that a job is about, in the order of its params."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Wildcards

from campare import config
from campare.design import Design
from inputs import CAMS, Inputs, folder_digest, model_of, of_models

STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "seeds": [1, 2],
    "vary": ["augmentation", "init"],
    "augmentations": {"affine": {}, "cutmix": {}},
    "cam": {"variants": {"same": {"class": "baseline"}}},
    "controls": {"baselines": {"seeds": [11], "vary": ["init"]}},
}
SIMILARITIES = "<results>/{variant}similarity/{augmentation}/{seed}.parquet"


def inputs(**changes: Any) -> Inputs:
    return Inputs(Design(config.complete({**STUDY, **changes}, "study.yaml")), "study.yaml")


def wildcards(**values: str) -> Wildcards:
    return Wildcards(fromdict=values)


def test_other_wildcards_stay_and_a_variant_that_is_given_does_not() -> None:
    models = [("affine", 1), ("cutmix", 2)]
    pattern = "<results>/{variant}x/{augmentation}/{seed}.{suffix}"
    assert of_models(pattern, models) == [
        "<results>/{variant}x/affine/1.{suffix}",
        "<results>/{variant}x/cutmix/2.{suffix}",
    ]
    assert of_models(CAMS, models[:1], "") == ["<results>/cams/affine/1.h5"]
    assert of_models(CAMS, models[:1], "variants/same/") == [
        "<results>/variants/same/cams/affine/1.h5"
    ]


@pytest.mark.parametrize("variant", ["", "variants/same/"])
def test_every_augmented_model_has_a_table_of_the_variant(variant: str) -> None:
    assert inputs().augmented(SIMILARITIES)(wildcards(variant=variant)) == [
        f"<results>/{variant}similarity/{name}/{seed}.parquet"
        for name in ("affine", "cutmix")
        for seed in (1, 2)
    ]


def test_a_table_without_variants_asks_for_none() -> None:
    given = inputs().augmented("<results>/{augmentation}/{seed}.csv")(wildcards())
    assert given[0] == "<results>/affine/1.csv"


def test_without_augmentations_a_job_that_compares_them_says_which_key_is_empty() -> None:
    with pytest.raises(WorkflowError, match=r"study\.yaml: augmentations: empty, .*name some"):
        inputs(augmentations={}).augmented(SIMILARITIES)(wildcards(variant=""))


def test_maps_explain_what_the_baseline_predicts_only_where_a_variant_says_so() -> None:
    job = {"augmentation": "affine", "seed": "2"}
    assert inputs().explained(wildcards(variant="", **job)) == []
    assert inputs().explained(wildcards(variant="variants/same/", **job)) == [
        "<results>/variants/same/cams/baseline/1.h5"
    ]
    own = {"augmentation": "baseline", "seed": "1", "variant": "variants/same/"}
    assert inputs().explained(wildcards(**own)) == []


def test_models_stand_beside_their_baselines() -> None:
    of = inputs(reference="all")
    job = wildcards(augmentation="affine", variant="variants/same/")
    models, baselines = (of.compared([1, 2], side)(job) for side in (0, 1))
    cams = "<results>/variants/same/cams"
    assert list(zip(models, baselines, strict=True)) == [
        (f"{cams}/affine/1.h5", f"{cams}/baseline/11.h5"),
        (f"{cams}/affine/2.h5", f"{cams}/baseline/1.h5"),
        (f"{cams}/affine/2.h5", f"{cams}/baseline/11.h5"),
    ]


def test_each_model_of_the_pairs_is_read_once() -> None:
    assert inputs().pairs(wildcards(augmentation="affine", variant="")) == [
        f"<results>/cams/{model}.h5" for model in ("affine/1", "affine/2", "baseline/1",
                                                  "baseline/11")
    ]  # fmt: skip


def test_wildcards_name_a_model() -> None:
    assert model_of(wildcards(augmentation="affine", seed="12", variant="")) == ("affine", 12)


# Pictures of the user's own


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "shirt").mkdir()
    (tmp_path / "shirt" / "{x}.png").write_bytes(b"1")
    (tmp_path / "one.png").write_bytes(b"22")
    return tmp_path


def test_a_digest_of_pictures_stays_while_they_stay(pictures: Path) -> None:
    before = folder_digest(str(pictures))
    assert folder_digest(str(pictures)) == before
    (pictures / "shirt" / "deeper").mkdir()
    (pictures / "shirt" / "deeper" / "unread.png").write_bytes(b"3")
    assert folder_digest(str(pictures)) == before


@pytest.mark.parametrize("file", ["one.png", "shirt/{x}.png", "shirt/new.png"])
def test_a_picture_that_changes_or_comes_changes_the_digest(pictures: Path, file: str) -> None:
    before = folder_digest(str(pictures))
    (pictures / file).write_bytes(b"other")
    assert folder_digest(str(pictures)) != before


def test_a_picture_written_anew_changes_the_digest(pictures: Path) -> None:
    before = folder_digest(str(pictures))
    os.utime(pictures / "one.png", ns=(1, 1))
    assert folder_digest(str(pictures)) != before


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert folder_digest(str(tmp_path / "none")) == folder_digest(str(tmp_path / "empty"))


def test_a_folder_may_be_in_the_home(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(pictures.parent))
    assert folder_digest(f"~/{pictures.name}") == folder_digest(str(pictures))
