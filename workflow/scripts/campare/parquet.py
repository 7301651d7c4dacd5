"""Images and labels from Parquet files as Hugging Face publishes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from campare.data import Dataset, Files
from campare.data_files import matching
from campare.errors import CampareError, reading
from campare.levels import Window
from campare.messages import known
from campare.sizes import Size
from campare.stacking import Item, occurring, stacked
from campare.subsets import NAMES, parts

SUFFIXES = (".parquet",)
ROWS = 64  # rows that are read at a time
Label = int | str


def parquet(
    *,
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
    image: str,
    label: str,
    window: Window | None = None,
) -> Dataset:
    """A data set from Parquet files in the layout of Hugging Face.

    Column `image` has encoded images, as bytes or as a struct of `bytes` and `path`; column `label`
    has integers, whose names the metadata of the schema may have, or text. `root` is a file, a
    folder or a pattern. Files whose names begin with train, validation or test are of that subset
    (`subsets.parts`). Rows are read in batches, in the order of the files' names.

    Raises
    ------
    CampareError
        Files or columns are missing, damaged or of other types; an image has no bytes; a label is
        missing; images cannot be decoded or differ in size.
    """
    files = matching(root or "data", SUFFIXES, several=True)
    names = _names(files, image, label)
    rows = [_count(file) for file in files]
    subsets = _subsets(files)
    stack = stacked(
        (item for file in files for item in _items(file, image, label, names)),
        sum(rows),
        size=size,
        fit=fit,
        channels=channels,
        window=window,
    )
    positions, classes = _labels(stack.extras, names)
    return Dataset(
        stack.images,
        positions,
        classes,
        np.repeat(subsets, rows),
        None,
        Files(_folder(files), stack.paths, (), stack.deepest),
    )


def _folder(files: Sequence[Path]) -> Path:
    """The deepest folder that contains all files."""
    return next(place for place in files[0].parents if all(place in f.parents for f in files))


def _subsets(files: Sequence[Path]) -> NDArray[np.str_]:
    """The part of each file: "train" or "test", or all "" if the images have to be split."""
    begin = [file.stem.replace("_", "-").split("-")[0].lower() for file in files]
    named = [name for name in begin if name in NAMES]
    if not named:
        return np.full(len(files), "", dtype="U5")
    if len(named) < len(files):
        other = next(f for f, name in zip(files, begin, strict=True) if name not in NAMES)
        raise CampareError(
            f"{other}: its name does not begin with train, validation or test, and those of other "
            "files do; rename it, or move it away"
        )
    return parts(begin, "data.root")


def _count(file: Path) -> int:
    with _reading(file):
        count: int = pq.read_metadata(file).num_rows
    return count


def _reading(file: Path) -> Any:
    return reading(file, "Parquet file", pa.ArrowException, remedy="download or write it again")


def _names(files: Sequence[Path], image: str, label: str) -> list[str] | None:
    """Names of the classes by label; None if the files do not have them. Checks the columns."""
    found: dict[Path, list[str] | None] = {}
    for file in files:
        with _reading(file):
            schema = pq.read_schema(file)
        for key, column in (("image", image), ("label", label)):
            if column not in schema.names:
                raise CampareError(
                    f"{file}: has no column {column}; set data.parameters.{key} to the column of "
                    f"the {key}s; {known(column, schema.names)}"
                )
        _check_types(file, image, schema.field(image).type, label, schema.field(label).type)
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about.get("info", {}).get("features", {})
        found[file] = features.get(label, {}).get("names")
    first = found[files[0]]
    for file, names in found.items():
        if names != first:
            raise CampareError(
                f"{file}: its classes are not those of {files[0].name}; use files of one data set"
            )
    return first


def _check_types(file: Path, image: str, kind: Any, label: str, of_label: Any) -> None:
    fields = {kind.field(place).name for place in range(kind.num_fields)}
    if not (_is_bytes(kind) or (pa.types.is_struct(kind) and "bytes" in fields)):
        raise CampareError(
            f"{file}: column {image} has the type {kind}; campare reads encoded images: bytes, or "
            "a struct of bytes and path"
        )
    if not (pa.types.is_integer(of_label) or _is_text(of_label) or pa.types.is_boolean(of_label)):
        raise CampareError(
            f"{file}: column {label} has the type {of_label}; labels are integers or text"
        )


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _items(
    file: Path, image: str, label: str, names: Sequence[str] | None
) -> Iterator[Item[Label]]:
    """The images of a file, each with its label."""
    rows = (row for batch in _batches(file, image, label) for row in batch)
    for number, (content, of_image) in enumerate(rows):
        place = file.parent / f"{file.name}[{number}]"
        checked = _label(place, of_image, names)
        yield place, partial(_image, _bytes(place, content), checked)


def _batches(file: Path, image: str, label: str) -> Iterator[Iterator[tuple[Any, Any]]]:
    """Images and labels of a file, some rows at a time."""
    with _reading(file), pq.ParquetFile(file) as opened:
        for group in range(opened.num_row_groups):  # Arrow keeps all groups that it is given
            batches = opened.iter_batches(ROWS, [group], columns=[image, label])
            for batch in batches:
                images, labels = batch.column(image).to_pylist(), batch.column(label).to_pylist()
                yield zip(images, labels, strict=True)


def _bytes(place: Path, content: Any) -> bytes:
    """The bytes of an encoded image, from the row or the file that the row names."""
    named = None
    if isinstance(content, dict):
        named, content = content.get("path"), content["bytes"]
    if content:
        return bytes(content)
    if named and (file := place.parent / named).is_file():
        return bytes(file.read_bytes())
    where = f"only the path {named}, which does not exist in its folder" if named else "neither"
    raise CampareError(
        f"{place}: the image has no bytes ({where}); write the Parquet with the images' bytes "
        "(datasets: embed_external_files)"
    )


def _label(place: Path, label: Any, names: Sequence[str] | None) -> Label:
    """A label, checked."""
    if label is None or label == "":
        raise CampareError(f"{place}: its label is empty; remove the row, or add the label")
    if isinstance(label, str):
        return label
    if label < 0 or (names is not None and label >= len(names)):
        allowed = f"0 to {len(names) - 1}" if names else "0 or more"
        raise CampareError(
            f"{place}: its label is {label}; must be {allowed} (published test files often have "
            "no labels; leave such a file out)"
        )
    return int(label)


def _image(content: bytes, label: Label) -> tuple[Image.Image, Label, None]:
    return Image.open(BytesIO(content)), label, None


def _labels(
    labels: Sequence[Any], names: Sequence[str] | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels int64 (N,) and names of classes; classes of text are sorted."""
    if isinstance(labels[0], str):
        listed = sorted(set(labels)) if names is None else list(names)
        position = {name: place for place, name in enumerate(listed)}
        return occurring([position[label] for label in labels], listed)
    listed = [str(label) for label in range(max(labels) + 1)] if names is None else list(names)
    return occurring(labels, listed)
