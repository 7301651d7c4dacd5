"""Data sets from Parquet files in the layout of Hugging Face."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from campare import config, data
from campare import parquet as module
from campare.errors import CampareError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
LABELS = [0, 1, 0, 1, 1, 0]
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def png(pixels: NDArray[Any]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


ROWS = [{"bytes": png(image), "path": f"{n}.png"} for n, image in enumerate(IMAGES)]


def saved(
    path: Path,
    images: Any = None,
    labels: Any = LABELS,
    kind: pa.DataType = STRUCT,
    names: list[str] | None = None,
    columns: tuple[str, str] = ("image", "label"),
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {columns[1]: {"names": names, "_type": "ClassLabel"}} if names else {}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    arrays = [pa.array(ROWS if images is None else images, kind), pa.array(labels)]
    table = pa.table(dict(zip(columns, arrays, strict=True))).replace_schema_metadata(about)
    pq.write_table(table, path)
    return path


def read(root: Path | str, **changes: Any) -> data.Dataset:
    settings = {"size": None, "fit": "crop", "channels": None, "image": "image", "label": "label"}
    return data.load("parquet", root=str(root), **settings | changes)


@pytest.mark.parametrize("rows", [1, 4, 64])
def test_one_file_is_read_in_batches(
    tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", rows)
    path = saved(tmp_path / "set.parquet", names=["cat", "dog"])
    dataset = read(path)
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.labels.tolist() == LABELS and dataset.classes == ("cat", "dog")
    assert set(dataset.part) == {""}
    assert dataset.files is not None and dataset.files.images[4].name == "set.parquet[4]"


def test_bytes_text_labels_and_other_columns(tmp_path: Path) -> None:
    content = [row["bytes"] for row in ROWS]
    path = saved(tmp_path / "a.parquet", content, ["b", "a"] * 3, pa.binary(), None, ("img", "y"))
    dataset = read(path, image="img", label="y")
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.classes == ("a", "b") and dataset.labels.tolist() == [1, 0] * 3


@pytest.mark.parametrize("root", ["", "data", "data/*.parquet", "data/t*-0000?-of-2.parquet"])
def test_files_of_subsets_in_a_folder_or_pattern(tmp_path: Path, root: str) -> None:
    for name in ("train-00000-of-2", "train-00001-of-2", "test-00000-of-2"):
        saved(tmp_path / "data" / f"{name}.parquet")
    (tmp_path / "README.md").touch()
    dataset = read(tmp_path / root)
    assert dataset.part.tolist() == ["test"] * 6 + ["train"] * 12
    assert np.array_equal(dataset.images, np.concatenate([IMAGES] * 3))


def test_validation_is_the_test_without_one_and_training_with_one(tmp_path: Path) -> None:
    saved(tmp_path / "train-0.parquet")
    saved(tmp_path / "validation-0.parquet")
    assert read(tmp_path).part.tolist() == ["train"] * 6 + ["test"] * 6
    saved(tmp_path / "test-0.parquet")
    assert read(tmp_path).part.tolist() == ["test"] * 6 + ["train"] * 12


def test_path_without_bytes_is_read_beside_the_file(tmp_path: Path) -> None:
    for n, image in enumerate(IMAGES):
        (tmp_path / f"{n}.png").write_bytes(png(image))
    path = saved(tmp_path / "a.parquet", [{"bytes": None, "path": f"{n}.png"} for n in range(6)])
    assert np.array_equal(read(path).images, IMAGES)


def test_16_bits_and_window(tmp_path: Path) -> None:
    deep = RNG.integers(0, 4096, (6, 8, 8), dtype=np.uint16)
    rows = [{"bytes": png(image), "path": None} for image in deep]
    path = saved(tmp_path / "a.parquet", rows)
    plain = read(path)
    assert np.array_equal(plain.images[..., 0], (deep.astype(int) * 255 + 32767) // 65535)
    assert plain.files is not None and plain.files.deepest == deep.max()
    shown = read(path, window=[0, 4095])
    assert np.array_equal(shown.images[..., 0], np.rint(deep / 4095 * 255))


def test_size_and_fit_are_those_of_image_files(tmp_path: Path) -> None:
    wide = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    rows = [{"bytes": png(wide), "path": None}] * 6
    path = saved(tmp_path / "a.parquet", rows)
    with pytest.raises(CampareError, match=r"input, model\.input_size, is square"):
        read(path)
    expected, _ = data._pixels(wide, "RGB", 10, "pad")
    assert np.array_equal(read(path, size=10, fit="pad").images[5], expected)


def changed(row: int, value: Any) -> list[Any]:
    return [value if n == row else each for n, each in enumerate(ROWS)]


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no bytes": (
        {"images": changed(4, {"bytes": None, "path": "gone.png"})},
        ["[4]: the image has no bytes (only the path gone.png"],
    ),
    "null": ({"images": changed(2, None)}, ["[2]: the image has no bytes"]),
    "not an image": (
        {"images": changed(3, {"bytes": b"no image", "path": None})},
        ["[3]: cannot be read as an image"],
    ),
    "sizes": (
        {"images": changed(5, {"bytes": png(IMAGES[0, :4]), "path": None})},
        ["[5]: 8×4 pixels", "data.size"],
    ),
    "no column": ({"columns": ("img", "label")}, ["no column image", "data.parameters.image"]),
    "no label": ({"columns": ("image", "lable")}, ["no column label", "did you mean 'lable'"]),
    "label null": ({"labels": [0, 1, None, 0, 0, 1]}, ["[2]: its label is empty"]),
    "label empty": ({"labels": ["a", "", *"abab"]}, ["[1]: its label is empty"]),
    "hidden": ({"labels": [-1] * 6, "names": ["a", "b"]}, ["[0]: its label is -1", "0 to 1"]),
    "beyond": ({"labels": [0, 1, 2, 0, 0, 0], "names": ["a", "b"]}, ["[2]: its label is 2"]),
    "real": ({"labels": [0.5] * 6}, ["column label has the type double"]),
    "pixels": (
        {"images": [[1, 2]] * 6, "kind": pa.list_(pa.int64())},
        ["column image has the type list", "encoded images"],
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_one_message(tmp_path: Path, fault: str) -> None:
    content, texts = BAD[fault]
    path = saved(tmp_path / "set.parquet", **content)
    with pytest.raises(CampareError) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text
    for part in texts:
        assert part in text


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "train-0.parquet", names=["a", "b"])
    saved(tmp_path / "test-0.parquet", names=["b", "a"])
    with pytest.raises(CampareError, match=r"train-0\.parquet: its classes are not those of test"):
        read(tmp_path)
    saved(tmp_path / "test-0.parquet", names=["a", "b"])
    saved(tmp_path / "more.parquet", names=["a", "b"])
    with pytest.raises(CampareError, match=r"more\.parquet: its name does not begin with train"):
        read(tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_truncated_file_is_named(tmp_path: Path, kept: float) -> None:
    path = saved(tmp_path / "set.parquet")
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CampareError, match=r"set\.parquet: not a readable Parquet file"):
        read(path)


def test_config_checks_that_there_are_files(tmp_path: Path) -> None:
    study: dict[str, Any] = {
        "study": "s",
        "data": {"name": "parquet", "root": str(tmp_path)},
        "model": {"architecture": "small_cnn", "input_size": 16},
        "seeds": [1],
        "augmentations": {"affine": {}},
        "training": {"epochs": 1},
    }
    with pytest.raises(CampareError, match=r"study\.yaml: data\.root: .* has no files \.parquet"):
        config.complete(study, "study.yaml")
    saved(tmp_path / "train-0.parquet")
    parameters = config.complete(study, "study.yaml")["data"]["parameters"]
    assert parameters == {"image": "image", "label": "label"}
    study["data"]["parameters"] = {"label": "fine_label"}
    assert config.complete(study, "s")["data"]["parameters"]["label"] == "fine_label"
