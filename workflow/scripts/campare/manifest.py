"""Manifests: a CSV or Parquet file that lists images, a row each. This module reads their columns.

Rules read the names of the columns each time they are parsed; `manifest_images` reads the rows.
"""

from __future__ import annotations

import csv
from pathlib import Path

from campare.errors import CampareError, reading
from campare.messages import known

PATH, LABEL, SUBSET = "path", "label", "subset"
SUFFIXES = (".csv", ".parquet")
# The column with masks of the object, and the start of those with masks of other regions.
MASK, OBJECT = "mask", "object"
REMEDY = "correct or replace it"


def columns(file: Path) -> list[str]:
    """The names of the columns of a manifest, after a check that it can be one.

    Raises
    ------
    CampareError
        There is no such file; it is neither CSV nor Parquet, or cannot be read; `path` or `label`
        is missing; two columns have the same name or the masks of the same region.
    """
    if file.is_dir() or file.suffix.lower() not in SUFFIXES:
        raise CampareError(f"{file}: must be a file .csv or .parquet, which lists the images")
    if not file.is_file():
        raise CampareError(f"{file}: there is no such file")
    if file.suffix.lower() == ".parquet":
        import pyarrow.parquet

        with reading(file, "Parquet file", remedy=REMEDY):
            names = list(pyarrow.parquet.read_schema(file).names)
    else:
        with (
            reading(file, "CSV file", csv.Error, remedy=REMEDY),
            file.open(encoding="utf-8-sig", newline="") as lines,
        ):
            names = next(csv.reader(lines), [])
    for name in (PATH, LABEL):
        if name not in names:
            raise CampareError(
                f"{file}: has no column {name!r}; it has {', '.join(names) or 'none'}, and needs "
                f"{PATH} and {LABEL} (separated by commas in a CSV file)"
            )
    if twice := [name for name in names if names.count(name) > 1]:
        raise CampareError(f"{file}: has the column {twice[0]!r} twice; rename or remove one")
    if {MASK, f"{MASK}_{OBJECT}"} <= set(names):
        raise CampareError(f"{file}: mask and mask_object are the same region; remove one")
    return names


def regions(file: Path) -> dict[str, str]:
    """Region → column with its masks, of a manifest; {} if it has none or is not there."""
    names = columns(file) if file.is_file() else []
    return {
        OBJECT if name == MASK else name.removeprefix(f"{MASK}_"): name
        for name in names
        if name == MASK or name.startswith(f"{MASK}_")
    }


def check_group(file: Path, group: str) -> None:
    """Check that a manifest has a column of groups.

    Raises
    ------
    CampareError
        There is no such column, or it has another meaning; or as `columns`.
    """
    able = [
        name for name in columns(file) if name not in (PATH, LABEL, SUBSET, *regions(file).values())
    ]
    if group not in able:
        raise CampareError(
            f"split.group: {group!r} is not a column of groups of {file}; {known(group, able)}"
            if able
            else f"split.group: {file} has no column of groups, such as {group!r}; add it"
        )
