"""Input functions: the files of the models that a job reads, in the order of its params."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Wildcards

from campare import config, user_code
from campare.design import Design
from inputs import (
    CAMS,
    Inputs,
    array_listing,
    decisive,
    file_digest,
    folder_digest,
    image_listing,
    model_of,
    of_models,
    with_digest,
)

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


def test_a_model_of_other_origin_has_its_file_and_the_settings_of_its_arm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a", "b", "c"):
        Path(name).write_bytes(b"PK")
    Path("mine.py").write_text("def net(classes, channels, width=4):\n    pass\n")
    user_code.use(tmp_path)
    study = {
        "study": "tiny",
        "data": {"name": "digits"},
        "model": {"architecture": "mine.py:net", "parameters": {"width": 8}},
        "trained": {
            "baseline": ["~/a", "b"],
            "x": {"files": ["c"], "architecture": "small_cnn", "normalise": "imagenet"},
        },
    }
    ours = Inputs(Design(config.complete(study, "study.yaml")), "study.yaml")
    plain, other = (
        wildcards(augmentation=arm, seed=str(seed)) for arm, seed in (("baseline", 1), ("x", 101))
    )
    assert [ours.imported(model) for model in (plain, other)] == [str(tmp_path / "a"), "c"]
    assert [ours.of_arm("normalise")(model) for model in (plain, other)] == ["training", "imagenet"]
    assert [ours.parameters(model) for model in (plain, other)] == [{"width": 8}, None]
    assert ours.design.initial["architecture_parameters"] == {"width": 8}
    user_code.use("")


def test_other_wildcards_are_kept_and_a_given_variant_is_replaced() -> None:
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


def test_a_pattern_without_variant_needs_no_wildcard() -> None:
    paths = inputs().augmented("<results>/{augmentation}/{seed}.csv")(wildcards())
    assert paths[0] == "<results>/affine/1.csv"


def test_comparisons_without_augmentations_are_refused() -> None:
    with pytest.raises(
        WorkflowError, match=r"study\.yaml: augmentations: empty, .*name at least one"
    ):
        inputs(augmentations={}).augmented(SIMILARITIES)(wildcards(variant=""))


def test_maps_explain_the_baselines_prediction_only_in_such_a_variant() -> None:
    job = {"augmentation": "affine", "seed": "2"}
    assert inputs().explained(wildcards(variant="", **job)) == []
    assert inputs().explained(wildcards(variant="variants/same/", **job)) == [
        "<results>/variants/same/cams/baseline/1.h5"
    ]
    own = {"augmentation": "baseline", "seed": "1", "variant": "variants/same/"}
    assert inputs().explained(wildcards(**own)) == []


def test_models_are_paired_with_their_baselines() -> None:
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
    assert inputs().in_pairs(CAMS)(wildcards(augmentation="affine", variant="")) == [
        f"<results>/cams/{model}.h5" for model in ("affine/1", "affine/2", "baseline/1",
                                                  "baseline/11")
    ]  # fmt: skip


def test_wildcards_name_a_model() -> None:
    assert model_of(wildcards(augmentation="affine", seed="12", variant="")) == ("affine", 12)


# The user's own images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shirt").mkdir()
    (tmp_path / "shirt" / "{x}.png").write_bytes(b"1")
    (tmp_path / "one.png").write_bytes(b"22")
    return tmp_path


def test_the_digest_of_a_folder_is_stable(folder: Path) -> None:
    before = folder_digest(str(folder))
    assert folder_digest(str(folder)) == before
    (folder / "shirt" / "deeper").mkdir()
    (folder / "shirt" / "deeper" / "unread.png").write_bytes(b"3")
    assert folder_digest(str(folder)) == before


@pytest.mark.parametrize("file", ["one.png", "shirt/{x}.png", "shirt/new.png"])
def test_a_changed_or_new_image_changes_the_digest(folder: Path, file: str) -> None:
    before = folder_digest(str(folder))
    (folder / file).write_bytes(b"other")
    assert folder_digest(str(folder)) != before


def test_a_rewritten_image_changes_the_digest(folder: Path) -> None:
    before = folder_digest(str(folder))
    os.utime(folder / "one.png", ns=(1, 1))
    assert folder_digest(str(folder)) != before


def test_a_missing_folder_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert folder_digest(str(tmp_path / "none")) == folder_digest(str(tmp_path / "empty"))


def test_a_folder_may_be_in_the_home_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert folder_digest(f"~/{folder.name}") == folder_digest(str(folder))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("train/a/1.png", "train/b/2.PNG", "train/b/caf\udce9.jpg", "test/a/.hidden.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"123")
    return tmp_path / "images"


@pytest.mark.parametrize("change", ["add", "remove", "rename", "exchange", "move"])
def test_images_that_are_added_removed_or_exchanged_change_the_listing(
    change: str, images: Path, tmp_path: Path
) -> None:
    before, first = image_listing(str(images), ""), images / "train/a/1.png"
    if change == "add":
        (images / "test/a/3.webp").write_bytes(b"123")
    elif change == "exchange":
        first.write_bytes(b"1234")
    elif change == "remove":
        first.unlink()
    else:
        first.rename(first.with_name("4.png") if change == "rename" else images / "train/b/1.png")
    assert image_listing(str(images), "") != before


def test_times_other_files_and_the_place_of_the_folder_do_not_change_the_listing(
    images: Path, tmp_path: Path
) -> None:
    before = image_listing(str(images), "")
    os.utime(images / "train/a/1.png", (1, 1))
    (images / "train/a/Thumbs.db").write_bytes(b"123")
    (images / "train/.cache").mkdir()
    (images / "train/.cache/1.png").write_bytes(b"123")
    assert image_listing(str(images), "") == before
    images.rename(tmp_path / "moved")
    assert image_listing(f"{tmp_path / 'moved'}/", "") == before


def test_of_many_images_the_sizes_of_some_are_compared(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inputs.STATED", 1)
    before = image_listing(str(images), "")
    (images / "train/b/2.PNG").write_bytes(b"1234")
    assert image_listing(str(images), "") == before
    (images / "train/a/1.png").write_bytes(b"1234")
    assert image_listing(str(images), "") != before


def test_without_the_folder_the_listing_is_the_recorded_one(tmp_path: Path) -> None:
    recorded = tmp_path / ".data_listing"
    assert image_listing(str(tmp_path / "none"), recorded) == ""
    recorded.write_text("abc")
    assert image_listing(str(tmp_path / "none"), recorded) == "abc"


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".parquet"])
@pytest.mark.parametrize("large", [False, True])
def test_content_of_files_of_arrays_decides_not_their_place_or_date(
    suffix: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file that is not read whole, blocks at equal distances and the last one."""
    monkeypatch.setattr("inputs.BLOCK", 4)
    monkeypatch.setattr("inputs.READ", 16 if large else 64)
    path, content = tmp_path / f"a{suffix}", bytearray(range(42))
    path.write_bytes(content)
    before = array_listing(str(path), "")
    os.utime(path, (1, 1))
    (tmp_path / "moved").mkdir()
    moved = path.rename(tmp_path / "moved" / path.name)
    assert array_listing(str(moved), "") == before
    seen = set()
    for place in range(42):
        changed = content.copy()
        changed[place] ^= 1
        moved.write_bytes(changed)
        if array_listing(str(moved), "") != before:
            seen.add(place)
    blocks = (0, 3, 6, 9, 10) if large else range(11)
    assert seen == {4 * block + byte for block in blocks for byte in range(4)} & {*range(42)}
    moved.write_bytes(content + b"1")
    assert array_listing(str(moved), "") != before


def test_added_parquet_files_change_the_listing(tmp_path: Path) -> None:
    (tmp_path / "train-1.parquet").write_bytes(b"123")
    before = array_listing(str(tmp_path), "")
    (tmp_path / "train-2.parquet").write_bytes(b"")
    assert array_listing(str(tmp_path), "") != before
    assert array_listing(str(tmp_path / "*-1.parquet"), "") == before


def test_without_files_of_arrays_the_listing_is_the_recorded_one(tmp_path: Path) -> None:
    recorded = tmp_path / ".data_listing"
    assert array_listing(str(tmp_path / "none.npz"), recorded) == ""
    recorded.write_text("abc")
    assert array_listing(str(tmp_path / "none.npz"), recorded) == "abc"


def test_the_content_of_a_file_of_weights_decides_not_its_path_or_date(tmp_path: Path) -> None:
    first, moved, other = (tmp_path / name for name in ("first", "moved", "other"))
    first.write_bytes(b"weights")
    moved.write_bytes(b"weights")
    other.write_bytes(b"others")
    os.utime(other, (0, 0))
    settings = [with_digest({"epochs": 2, "weights": str(p)}) for p in (first, moved, other)]
    compared = [{key: each[key] for key in decisive(each)} for each in settings]
    assert compared[0] == compared[1] != compared[2]
    assert compared[0] == {"epochs": 2, "weights_sha256": hashlib.sha256(b"weights").hexdigest()}
    assert settings[0]["weights"] == str(first)
    file_digest.cache_clear()


@pytest.mark.parametrize("settings", [{"epochs": 2}, {"epochs": 2, "weights": "published"}])
def test_without_a_file_of_weights_there_is_no_digest(settings: dict[str, Any]) -> None:
    assert with_digest(settings) == settings
    assert decisive(settings) == list(settings)
