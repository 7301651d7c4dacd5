"""Tables as files: CSV, or Parquet for many rows. Equal tables give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pandas as pd

from campare.atomic import replacing
from campare.errors import reading


def write(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table without its row labels; CSV floats keep every digit.

    Raises
    ------
    CampareError
        The disk is full or the folder cannot be written.
    """
    with replacing(path) as aside:
        if aside.suffix == ".parquet":
            table.to_parquet(aside, index=False)
        else:
            table.to_csv(aside, index=False, lineterminator="\n")


def read(
    path: str | Path, text: Sequence[str] = (), columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a table that `write` wrote; columns in `text` as text, even if a class is called 7.

    Parameters
    ----------
    columns
        Those of a Parquet file that are read; None: all.

    Raises
    ------
    CampareError
        The file is missing, truncated or not a table.
    """
    with reading(path, "table"):
        if Path(path).suffix == ".parquet":
            return pd.read_parquet(path, columns=None if columns is None else [*columns])
        lines = Path(path).read_text(encoding="utf-8")
        if not lines.endswith("\n"):
            raise ValueError("truncated, its last line is incomplete")
        # Only empty fields are missing values: a class or an augmentation may be called "None".
        return pd.read_csv(
            StringIO(lines), keep_default_na=False, na_values=[""], dtype=dict.fromkeys(text, str)
        )
