"""Agreement of variants of the maps: Kendall's W against scipy, its test by enumeration."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from campare import columns, variants

NAN = np.nan


@pytest.mark.parametrize("tied", [False, True])
def test_kendalls_w_is_friedmans_statistic(tied: bool) -> None:
    rng = np.random.default_rng(0)
    for m, n in ((3, 7), (4, 4), (5, 3)):
        values = rng.integers(4, size=(m, n)).astype(float) if tied else rng.normal(size=(m, n))
        values[0] = np.arange(n)
        expected = stats.friedmanchisquare(*values.T).statistic / (m * (n - 1))
        assert variants.concordance(values, 0).w == pytest.approx(expected)


@pytest.mark.parametrize(
    "values", [[[1, 2, 3], [1, 3, 2], [2, 1, 3]], [[1, 2, 2, 4], [4, 3, 2, 1]]]
)
def test_the_exact_test_enumerates_all_orders_of_all_rankings(values: list[list[float]]) -> None:
    ranks = np.array([stats.rankdata(row) for row in values])
    squares = [
        float(np.var(np.sum(drawn, axis=0)))
        for drawn in product(*(list(permutations(row)) for row in ranks.tolist()))
    ]
    expected = np.mean(np.array(squares) >= np.var(ranks.sum(axis=0)) - 1e-9)
    assert variants.concordance(values, 0).p == pytest.approx(expected)


def test_the_random_test_rejects_at_its_level_and_finds_equal_orders() -> None:
    rng = np.random.default_rng(1)
    p = [variants.concordance(rng.normal(size=(3, 6)), k).p for k in range(150)]
    assert stats.binom.ppf(0.001, 150, 0.05) <= np.sum(np.array(p) <= 0.05)
    assert np.sum(np.array(p) <= 0.05) <= stats.binom.ppf(0.999, 150, 0.05)
    found = variants.concordance(np.tile(np.arange(6), (3, 1)), 0)
    assert found.w == pytest.approx(1) and found.p <= 0.001


def test_w_needs_two_rankings_of_two_items_that_differ() -> None:
    assert np.isnan(variants.concordance([[1, 2, 3]], 0).w)
    assert np.isnan(variants.concordance([[1, 1], [2, 2]], 0).w)
    assert np.isnan(variants.concordance([[NAN, 1], [1, 2]], 0).w)
    assert variants.concordance([[1, 2, NAN], [1, 2, 3]], 0)[2:] == (2, 2)


def summary(shifts: dict[str, float], p: dict[str, float], floor: float) -> pd.DataFrame:
    rows = [
        {"augmentation": name, "reference": "baseline", "metric": "overlap_20", "floor": floor}
        | {"net": shift - 0.01, "tightening": 0.01}
        | {"shift": shift, "shift_low": shift - 0.01, "shift_high": shift + 0.02}
        | {"shift_p_holm": p.get(name, NAN)}
        for name, shift in shifts.items()
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def shifts() -> pd.DataFrame:
    names = "cutmix", "affine", "blur", "duplicated_originals"
    main = summary(
        dict(zip(names, (0.1, 0.05, 0.005, 0.2), strict=True)), dict.fromkeys(names, 0.04), 0.5
    )
    other = summary(
        dict(zip(names, (0.04, 0.06, -0.01, 0.0), strict=True)),
        {"cutmix": 0.2, "affine": 0.01, "blur": 0.03},
        0.25,
    )
    return variants.table({"main": main, "deep": other}, {"main": "Grad-CAM", "deep": "layer 1"})


def test_shifts_are_shares_of_the_noise_floor_of_their_variant(shifts: pd.DataFrame) -> None:
    row = shifts[(shifts["variant"] == "deep") & (shifts["augmentation"] == "affine")].iloc[0]
    assert row["relative_shift"] == pytest.approx(0.24)
    assert row["relative_shift_low"] == pytest.approx(0.2)
    assert row["rank"] == 1 and row["above_floor"]
    controls = shifts[shifts["augmentation"] == "duplicated_originals"]
    assert controls["rank"].isna().all()
    assert controls["above_floor"].isna().tolist() == [False, True]
    # A significant p of a negative shift is not above the noise floor.
    assert shifts["above_floor"].tolist()[4:7] == [False, True, False]


def test_agreement_counts_variants_and_names_those_that_differ(shifts: pd.DataFrame) -> None:
    found = variants.agreement(shifts).set_index("augmentation")
    assert found.loc["cutmix", ["variants", "tested", "above_floor"]].tolist() == [2, 2, 1]
    assert found.loc["cutmix", "different"] == "deep" and found.loc["affine", "different"] == ""
    assert found.loc["cutmix", ["rank_main", "rank_first", "rank_last"]].tolist() == [1, 1, 2]
    assert found["sign_consistent"].tolist()[:3] == [True, True, False]
    assert found.loc["blur", ["positive", "net_positive", "net_larger"]].tolist() == [1, 0, 0]
    assert found.loc["cutmix", "net_larger"] == 2
    assert found.loc["duplicated_originals", "tested"] == 1


def test_the_order_of_augmentations_is_compared_without_controls(shifts: pd.DataFrame) -> None:
    (row,) = variants.ranking(shifts, 0).itertuples()
    assert (row.variants, row.augmentations) == (2, 3)
    # Orders 1 2 3 and 2 1 3: Spearman's correlation is 0.5, W = (0.5 + 1)/2.
    assert row.kendall_w == pytest.approx(0.75)


def test_tables_have_the_columns_of_the_dictionary(shifts: pd.DataFrame) -> None:
    for name, table in (
        ("variants", shifts),
        ("variants_agreement", variants.agreement(shifts)),
        ("variants_ranking", variants.ranking(shifts, 0)),
    ):
        assert list(table) == list(columns.TABLES[name].columns)
