"""Tables as files: CSV, or Parquet for many rows. Equal tables give equal bytes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Generic, TypeVar

import pandas as pd

from campare.atomic import replacing
from campare.errors import reading

Key = TypeVar("Key", bound=Hashable)


class Tables(Mapping[Key, pd.DataFrame], Generic[Key]):
    """Tables that are read when they are used, because all together may not fit into memory.

    The table of the last key stays in memory, and those of some further keys.
    """

    def __init__(
        self,
        paths: Mapping[Key, str | Path],
        columns: Sequence[str] | None = None,
        kept: Iterable[Key] = (),
    ) -> None:
        """Name the files.

        Parameters
        ----------
        paths
            Key → file.
        columns
            As in `read`.
        kept
            Keys whose tables stay in memory once they have been read.
        """
        self._paths, self._columns, self._kept = dict(paths), columns, set(kept)
        self._read: dict[Key, pd.DataFrame] = {}

    def __getitem__(self, key: Key) -> pd.DataFrame:
        if key not in self._read:
            self._read = {k: table for k, table in self._read.items() if k in self._kept}
            self._read[key] = read(self._paths[key], columns=self._columns)
        return self._read[key]

    def __contains__(self, key: object) -> bool:
        return key in self._paths

    def __iter__(self) -> Iterator[Key]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def optional(path: str | Path | None) -> pd.DataFrame | None:
    """A table, if a path is given."""
    return None if path is None else read(path)


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
