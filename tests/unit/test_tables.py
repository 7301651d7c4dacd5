"""Tables keep every digit, and a damaged file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from campare import tables
from campare.errors import CampareError


@pytest.fixture
def table() -> pd.DataFrame:
    values = np.random.default_rng(0).standard_normal(50) * 10.0 ** np.arange(-25, 25)
    values[3] = np.nan
    return pd.DataFrame({"name": ["None", "NA", "a,b", '"', "é"] * 10, "n": range(50), "x": values})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_comes_back_to_the_last_bit(
    suffix: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / f"t.{suffix}"
    tables.write(table, path)
    pd.testing.assert_frame_equal(tables.read(path), table, check_exact=True)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_same_table_is_the_same_bytes(suffix: str, table: pd.DataFrame, tmp_path: Path) -> None:
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    tables.write(table, first)
    tables.write(table.copy(), second)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("damage", ["empty", "truncated", "foreign"])
def test_a_damaged_table_is_named(damage: str, table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tables.write(table, path)
    whole = path.read_bytes()
    contents = {"empty": b"", "truncated": whole[:-100], "foreign": b"hello" * 100}
    path.write_bytes(contents[damage])
    with pytest.raises(CampareError, match=f"{path}: not a readable table .* run snakemake again"):
        tables.read(path)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n3,4,5\n", b"\xff\xfe\x00"])
def test_a_damaged_csv_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CampareError, match=str(path)):
        tables.read(path)


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tables.write(pd.DataFrame({"a": [1], "b": [2.0], "c": ["x"]}), path)
    assert list(tables.read(path, columns=["c", "a"])) == ["c", "a"]
