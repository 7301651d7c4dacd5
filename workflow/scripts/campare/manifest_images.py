"""The data set `manifest`: the images that a CSV or Parquet file lists, with classes and masks."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import data
from campare.errors import CampareError, reading
from campare.levels import Window
from campare.manifest import LABEL, PATH, REMEDY, SUBSET, columns, regions
from campare.sizes import Size
from campare.split import SUBSETS


def manifest(
    *,
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
    window: Window | None = None,
) -> data.Dataset:
    """The images that the file `root` lists.

    It is CSV (UTF-8, commas) or Parquet, with a row per image and the columns

    - `path`: the image file, relative to the folder of the manifest;
    - `label`: the name of its class;
    - `subset`, optional: train, validation or test, for all images;
    - `mask`, optional: the file with the mask of the object; `mask_<region>`: that of another
      region; both of the size of the image, black and white; empty for an image that does not have
      the region. `file.png#7`, or `file.png#1+2`, means the pixels with these indices of its
      palette, or these grey levels.

    Other columns are ignored; `split.group` may name one. Images keep the order of the rows and are
    read as in `data.image_folder`. Classes are sorted by name, or by number if all are numbers.

    Raises
    ------
    CampareError
        A column or value is missing or wrong; a file is missing or cannot be read; a mask has
        another size than its image. The message names the first such row.
    """
    file = Path(root or "").expanduser()
    table = rows(file)
    classes, labels = _classes(table[LABEL])
    if len(classes) < 2:
        raise CampareError(f"{file}: label: has one class only, {classes[0]!r}; needs two or more")
    paths = _files(file, table, PATH)
    _check_twice(file, table)
    images, deepest = data._stacked(paths, size, fit, channels, window)
    return data.Dataset(
        images,
        labels,
        classes,
        np.array([PART[name] for name in subsets(file, table)], "U5"),
        _regions(file, table, paths, images.shape[1:3], size, fit),
        data.Files(_root(file, paths), tuple(paths), (), deepest),
    )


# The parts of a data set; validation images are among those of training until it is split.
PART = {"train": "train", "validation": "train", "test": "test", "": ""}


def rows(file: Path) -> pd.DataFrame:
    """All rows of a manifest as text without spaces around it, "" for missing values.

    The index is the line of each row in a CSV file, its number, from 1, in Parquet.

    Raises
    ------
    CampareError
        It cannot be read, has no rows, or has an empty path or label.
    """
    names = columns(file)
    with reading(file, "manifest", csv.Error, remedy=REMEDY):
        table = _parquet(file, names) if _is_parquet(file) else _csv(file)
    if table.empty:
        raise CampareError(f"{file}: lists no images; add a row for each")
    for name in (PATH, LABEL):
        refuse(file, table, table[name] == "", f"{name}: empty")
    return table


def subsets(file: Path, table: pd.DataFrame) -> NDArray[np.str_]:
    """The subset of each row as the manifest has it, all "" if it has none.

    Raises
    ------
    CampareError
        Some rows have none; there are others than those of `split.SUBSETS`; training or test
        images are missing.
    """
    if SUBSET not in table or (table[SUBSET] == "").all():
        return np.full(len(table), "", "U10")
    given = table[SUBSET]
    refuse(
        file, table, given == "", f"{SUBSET}: empty, while other rows have one; fill all or none"
    )
    known = ", ".join(SUBSETS)
    refuse(
        file, table, ~given.isin(SUBSETS), f"{SUBSET}: {{value!r}}; must be one of {known}", given
    )
    for name in ("train", "test"):
        if not (given == name).any():
            raise CampareError(
                f"{file}: {SUBSET}: no row has {name!r}; mark these images, or remove the column, "
                "and the images are split"
            )
    return given.to_numpy("U10")


def groups(file: Path, table: pd.DataFrame, column: str) -> NDArray[np.str_]:
    """The group of each row.

    Raises
    ------
    CampareError
        A row has no group, or a group is in two of the manifest's subsets.
    """
    refuse(file, table, table[column] == "", f"{column}: empty; split.group needs all groups")
    if SUBSET in table:
        first = table.groupby(column)[SUBSET].transform("first")
        refuse(
            file,
            table,
            table[SUBSET] != first,
            f"{column}: {{value!r}} is in another subset in a row above; a group must be in one",
            table[column],
        )
    return table[column].to_numpy(str)


def refuse(
    file: Path,
    table: pd.DataFrame,
    wrong: pd.Series | NDArray[np.bool_],
    what: str,
    values: pd.Series | None = None,
) -> None:
    """Raise an error that names the first of the rows that are wrong, if there are any.

    `what` may contain {value!r}, that row's entry in `values`.
    """
    if not (found := np.flatnonzero(wrong)).size:
        return
    said = what if values is None else what.format(value=values.iloc[found[0]])
    more = f" (and {len(found) - 1:,} more rows)" if len(found) > 1 else ""
    place = "row" if _is_parquet(file) else "line"
    raise CampareError(f"{file}, {place} {table.index[found[0]]}: {said}{more}")


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _parquet(file: Path, names: Sequence[str]) -> pd.DataFrame:
    import pyarrow.parquet

    read = pyarrow.parquet.read_table(file, columns=list(names))
    table = pd.DataFrame(
        {
            name: ["" if v is None or v != v else str(v).strip() for v in read[name].to_pylist()]
            for name in names
        },
        dtype=object,
    )
    return table.set_axis(range(1, len(table) + 1))


def _csv(file: Path) -> pd.DataFrame:
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        header = next(reader)
        found, lines = [], []
        start = reader.line_num + 1  # a row may go over several lines
        for row in reader:
            if row and len(row) != len(header):
                raise CampareError(
                    f"{file}, line {start}: has {len(row)} values, and the header {len(header)}; "
                    "put a value with a comma into double quotes"
                )
            if row:
                found.append([value.strip() for value in row])
                lines.append(start)
            start = reader.line_num + 1
    return pd.DataFrame(found, lines, header, dtype=object)


def _classes(names: pd.Series) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The classes in order, and the position int64 (N,) of each row's class."""
    named = names.map(lambda name: normalize("NFC", name))
    found = list(named.unique())
    numbers = all(name.isdecimal() for name in found)
    classes = sorted(found, key=(lambda name: (int(name), name)) if numbers else None)
    position = {name: label for label, name in enumerate(classes)}
    return tuple(classes), named.map(position).to_numpy(np.int64)


def _files(file: Path, table: pd.DataFrame, column: str) -> list[Path]:
    """The files that a column names, all of which exist; the manifest's folder for "" (no mask)."""
    given = table[column]
    paths = [file.parent / Path(name).expanduser() for name in given]
    missing = [name != "" and not path.is_file() for name, path in zip(given, paths, strict=True)]
    where = f"paths are relative to {file.parent}"
    refuse(file, table, np.array(missing), f"{column}: there is no file {{value}}; {where}", given)
    return paths


def _check_twice(file: Path, table: pd.DataFrame) -> None:
    """Check that no file is listed with two classes or in two subsets."""
    for column in (name for name in (LABEL, SUBSET) if name in table):
        first = table.groupby(PATH)[column].transform("first")
        what = f"{PATH}: {{value}} is listed above with another {column}; keep one of the rows"
        refuse(file, table, table[column] != first, what, table[PATH])


def _root(file: Path, paths: Sequence[Path]) -> Path:
    """The folder to which messages relate the names of images."""
    if all(path.is_relative_to(file.parent) for path in paths):
        return file.parent
    return Path(os.path.commonpath([path.absolute() for path in paths]))


def _regions(
    file: Path,
    table: pd.DataFrame,
    images: Sequence[Path],
    shape: tuple[int, ...],
    size: Size | None,
    fit: str,
) -> data.Regions | None:
    """The masks that the manifest names, None if it names none; (H, W) = `shape`."""
    named = regions(file)
    if not named:
        return None
    masks = np.zeros((len(table), len(named), *shape), bool)
    for region, column in enumerate(named.values()):
        names, indices = _with_indices(file, table[column])
        paths = _files(file, table.assign(**{column: names}), column)
        present = np.flatnonzero(table[column] != "")

        def place(
            row: int,
            region: int = region,
            paths: Sequence[Path] = paths,
            indices: Sequence[Sequence[int]] = indices,
        ) -> None:
            masks[row, region] = data.read_mask(paths[row], images[row], size, fit, indices[row])

        data._each(place, [int(row) for row in present])
    return data.Regions(tuple(named), masks)


def _with_indices(file: Path, given: pd.Series) -> tuple[list[str], list[tuple[int, ...]]]:
    """Names of files of masks without their indices (`file.png#1+2`), and the indices of each."""
    names: list[str] = []
    indices: list[tuple[int, ...]] = []
    for name in given:
        marked = re.fullmatch(r"(.+)#(\d+(?:\+\d+)*)", name)
        if marked is None or (file.parent / name).is_file():
            names.append(name)
            indices.append(())
        else:
            names.append(marked[1])
            indices.append(tuple(map(int, marked[2].split("+"))))
    return names, indices
