"""The data set `manifest`: what it reads, and one message for each mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from campare import config, data, manifest, manifest_images
from campare.errors import CampareError


def images(folder: Path, count: int = 12) -> pd.DataFrame:
    """A table of `count` grey images of two classes, and their masks, which are written."""
    (folder / "masks").mkdir(parents=True)
    random = np.random.default_rng(0)
    for row in range(count):
        pixels = random.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{row}.png")
        Image.fromarray(np.where(pixels > 128, np.uint8(255), np.uint8(0))).save(
            folder / "masks" / f"{row}.png"
        )
    rows = np.arange(count)
    return pd.DataFrame(
        {
            "path": [f"{row}.png" for row in rows],
            "label": np.array(["dog", "cat"])[rows % 2],
            "subset": np.where(rows < count // 2, "train", "test"),
            "patient": [f"p{row // 2}" for row in rows],
        }
    )


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    return images(tmp_path)


def write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


def load(file: Path, **changes: Any) -> data.Dataset:
    arguments = {"root": str(file), "size": None, "fit": "crop", "channels": None}
    return data.load("manifest", **arguments | changes)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
def test_images_classes_and_parts_are_those_of_the_rows(
    table: pd.DataFrame, tmp_path: Path, suffix: str
) -> None:
    dataset = load(write(table, tmp_path / "all.csv").rename(tmp_path / f"all{suffix}")
                   if suffix != ".parquet" else write(table, tmp_path / "all.parquet"))  # fmt: skip
    assert dataset.classes == ("cat", "dog") and dataset.regions is None
    assert [dataset.classes[label] for label in dataset.labels] == table["label"].tolist()
    assert dataset.part.tolist() == table["subset"].tolist()
    for row, image in enumerate(dataset.images):
        with Image.open(tmp_path / f"{row}.png") as picture:
            assert np.array_equal(image[..., 0], np.asarray(picture))


def test_a_manifest_is_the_image_folder_that_it_describes(tmp_path: Path) -> None:
    """Colour, sizes and masks, too."""
    random = np.random.default_rng(1)
    rows = []
    for part, name, number in np.ndindex(2, 2, 3):
        place = Path(["train", "test"][part], ["ape", "bee"][name], f"{number}.png")
        pixels = random.integers(0, 256, (9 + number, 12, 3), dtype=np.uint8)
        mask = (random.random(pixels.shape[:2]) < 0.5) & (number != 2)
        for path, content in ((place, pixels), ("masks" / place, mask)):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(tmp_path / path)
        rows.append((str(place), place.parts[1], place.parts[0], f"masks/{place}" * (number != 2)))
    table = pd.DataFrame(rows, columns=["path", "label", "subset", "mask"])
    arguments = {"size": 8, "fit": "pad", "channels": None}
    ours = load(write(table.sort_values(["subset", "path"], ascending=[False, True]),
                      tmp_path / "all.csv"), **arguments)  # fmt: skip
    folder = data.load("image_folder", root=str(tmp_path), **arguments)
    for name in ("images", "labels", "part"):
        assert np.array_equal(getattr(ours, name), getattr(folder, name)), name
    assert ours.regions and folder.regions and ours.classes == folder.classes
    assert ours.regions.names == folder.regions.names
    assert np.array_equal(ours.regions.masks, folder.regions.masks)


def test_masks_may_be_of_several_regions_and_beside_the_images(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "masks" / "3.png").rename(tmp_path / "3_mask.png")
    table["mask_eye"] = [f"masks/{row}.png" if row != 3 else "3_mask.png" for row in table.index]
    table["mask"] = ["masks/0.png", *[""] * 11]
    dataset = load(write(table, tmp_path / "all.csv"))
    assert dataset.regions and dataset.regions.names == ("eye", "object")
    assert dataset.regions.masks.any(axis=(2, 3)).tolist() == [
        [True, row == 0] for row in range(12)
    ]


def test_validation_images_are_training_images_until_the_split(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table.loc[:1, "subset"] = "validation"
    file = write(table, tmp_path / "all.csv")
    assert load(file).part.tolist() == ["train"] * 6 + ["test"] * 6
    given = manifest_images.subsets(file, manifest_images.rows(file))
    assert given.tolist() == ["validation"] * 2 + ["train"] * 4 + ["test"] * 6


def test_classes_that_are_numbers_are_in_numerical_order(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table["label"] = [10, 2, 1] * 4
    for suffix in ("csv", "parquet"):
        assert load(write(table, tmp_path / f"all.{suffix}")).classes == ("1", "2", "10")


def change(**values: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A function that sets the values of row 4, which is in line 6, in some columns."""

    def changed(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype(object)
        for name, value in values.items():
            if name not in table:
                table[name] = ""
            table.loc[4, name] = value
        return table

    return changed


WRONG: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (lambda t: t.drop(columns="path"), "has no column 'path'; it has label, subset, patient"),
    (lambda t: t.drop(columns="label"), "has no column 'label'"),
    (lambda t: t[:0], "lists no images"),
    (lambda t: t.assign(label="dog"), "label: has one class only, 'dog'"),
    (lambda t: t.assign(mask="", mask_object=""), "mask and mask_object are the same region"),
    (change(path=""), "{place}: path: empty"),
    (change(path="5.jpg"), "{place}: path: there is no file 5.jpg; paths are relative to"),
    (change(path="masks"), "{place}: path: there is no file masks"),
    (change(path="0.png", label="cat"), "{place}: path: 0.png is listed above with another label"),
    (change(path="../made.csv"), "{place}: path: there is no file"),
    (change(label=" "), "{place}: label: empty"),
    (change(subset=""), "{place}: subset: empty, while other rows have one"),
    (change(subset="eval"), "{place}: subset: 'eval'; must be one of train, validation, test"),
    (lambda t: t.assign(subset="train"), "subset: no row has 'test'"),
    (change(mask="masks/x.png"), "{place}: mask: there is no file masks/x.png"),
    (change(mask="big.png"), "big.png: 9×8 pixels, while .*4.png has 8×8"),
    (change(mask="4.png"), "4.png: not black and white"),
    (change(path="text.png"), "text.png: cannot be read as an image"),
    (change(patient=""), "{place}: patient: empty"),
    (change(patient="p5"), "line|row .*patient: 'p5' is in another subset in a row above"),
]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_mistake_is_one_message_with_its_row(
    table: pd.DataFrame,
    tmp_path: Path,
    suffix: str,
    wrong: Callable[[pd.DataFrame], pd.DataFrame],
    message: str,
) -> None:
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(tmp_path / "big.png")
    (tmp_path / "text.png").write_text("no image")
    file = write(wrong(table), tmp_path / f"all.{suffix}")
    place = f"{file}, line 6" if suffix == "csv" else f"{file}, row 5"
    with pytest.raises(CampareError) as caught:
        load(file)
        manifest_images.groups(file, manifest_images.rows(file), "patient")
    assert re.search(message.replace("{place}", re.escape(place)), str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'path'; it has none"),
        ("path;label\n0.png;dog\n", r"has no column 'path'.*separated by commas"),
        ("path,label\n0.png,dog,1\n", "line 2: has 3 values, and the header 2"),
        ('path,label,note\n0.png,dog,"a\nb"\n\n1.png,,\n', "line 5: label: empty"),
        ("path,label,label\n", "has the column 'label' twice"),
        ("path,label\n0.png,café\n".encode("latin-1"), "codec can't decode"),
        (b"PAR1", "not a readable"),
    ],
)
def test_a_file_in_another_format_is_named(tmp_path: Path, text: str | bytes, message: str) -> None:
    file = tmp_path / ("all.parquet" if text == b"PAR1" else "all.csv")
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(CampareError, match=message):
        load(file)


def test_one_bad_row_of_many_is_named(tmp_path: Path) -> None:
    images(tmp_path, 2)
    lines = ["path,label", *["0.png,dog"] * 100_000, "gone.png,cat", *["1.png,cat"] * 1000]
    (tmp_path / "all.csv").write_text("\n".join(lines))
    with pytest.raises(CampareError, match=r"all\.csv, line 100002: path: there is no file gone"):
        load(tmp_path / "all.csv")


def study(file: Path, **changes: Any) -> dict[str, Any]:
    return {
        "study": "own",
        "data": {"name": "manifest", "root": str(file)},
        "model": {"architecture": "small_cnn"},
        "augmentations": {},
        **changes,
    }


def test_the_config_check_finds_mistakes_before_any_job(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    file = write(table, tmp_path / "all.csv")
    complete = config.complete(study(file, split={"group": "patient"}), "own.yaml")
    assert complete["split"]["group"] == "patient" and "localisation" not in complete
    for changes, message in (
        ({"split": {"group": "pateint"}}, "split.group: 'pateint' is not a column of groups .*did "
         "you mean 'patient'"),
        ({"split": {"group": "label"}}, "split.group: 'label' is not a column of groups"),
        ({"split": {"group": "patient", "subset": {"train": 4}}}, "split.subset: .*cannot be"),
        ({"data": {"name": "digits"}, "split": {"group": "a"}}, "split.group: digits has no gr"),
        ({"data": {"name": "manifest", "root": "no.csv"}}, "data.root: no.csv: there is no such"),
        ({"data": {"name": "manifest"}}, "data.root: data: must be a file .csv or .parquet"),
        ({"localisation": {}}, "localisation: needs masks .*and manifest has none"),
    ):  # fmt: skip
        with pytest.raises(CampareError, match=f"^own.yaml: {message}"):
            config.complete(study(file, **changes), "own.yaml")
    table.drop(columns="label").to_csv(file)
    with pytest.raises(CampareError, match=r"^own.yaml: data.root: .*has no column 'label'"):
        config.complete(study(file), "own.yaml")


@pytest.mark.parametrize("palette", [True, False])
def test_masks_may_be_indices_of_a_palette_or_grey_levels(
    table: pd.DataFrame, tmp_path: Path, palette: bool
) -> None:
    """As those of PASCAL VOC: 0 is the background, 255 the border, others are classes."""
    indices = np.random.default_rng(1).choice(np.array([0, 3, 7, 255], np.uint8), (12, 8, 8))
    for row, each in enumerate(indices):
        image = Image.fromarray(each)
        if palette:
            image.putpalette(np.random.default_rng(2).integers(0, 256, 768).tolist())
        assert image.mode == ("P" if palette else "L")
        image.save(tmp_path / "masks" / f"{row}.png")
    names = [f"masks/{row}.png" for row in range(12)]
    table["mask"] = [*(f"{name}#7" for name in names[:11]), ""]
    table["mask_border"] = [f"{name}#255" for name in names]
    table["mask_any"] = [f"{name}#3+7" for name in names]
    dataset = load(write(table, tmp_path / "all.csv"))
    assert dataset.regions is not None and dataset.regions.names == ("object", "border", "any")
    found, border, both = dataset.regions.masks.swapaxes(0, 1)
    assert np.array_equal(found[:11], indices[:11] == 7) and not found[11].any()
    assert np.array_equal(border, indices == 255)
    assert np.array_equal(both, np.isin(indices, [3, 7]))
    for cell, text in [
        ("masks/0.png#5", r"masks/0.png: no pixel has the index 5; it has 0, 3, 7, 255"),
        ("masks/x.png#7", r"mask: there is no file masks/x.png"),
        ("rgb.png#7", r"rgb.png: .*indices need a palette or grey levels"),
    ]:
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "rgb.png")
        table["mask"] = [cell, *[""] * 11]
        with pytest.raises(CampareError, match=text):
            load(write(table, tmp_path / "all.csv"))


def test_masks_switch_localisation_on(table: pd.DataFrame, tmp_path: Path) -> None:
    file = write(table.assign(mask_eye="masks/0.png"), tmp_path / "all.csv")
    assert manifest.regions(file) == {"eye": "mask_eye"}
    assert "localisation" in config.complete(study(file), "own.yaml")
    assert "split" in (complete := config.complete(study(file), "own.yaml"))
    assert "group" not in complete["split"]  # a param of the split of finished studies
