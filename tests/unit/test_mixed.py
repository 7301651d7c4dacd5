"""The mixed-effects reading against ANOVA, statsmodels' formulas and known truth."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from campare import mixed, shift

NAN = np.nan


def crossed(seed: int, pairs: int = 12, images: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = 0.5 * rng.normal(size=(pairs, 1)) + rng.normal(size=(1, images))
    return values + rng.normal(size=(pairs, images)) + 2


@pytest.mark.parametrize("unit", [1, 1e-4, 1e5])
def test_balanced_fit_is_the_analysis_of_variance(unit: float) -> None:
    """REML of a balanced two-way layout is the ANOVA estimate (Searle et al. 1992)."""
    y = crossed(0) * unit
    pairs, images = y.shape
    found = mixed.mean(y, 0)
    of_images = pairs * y.mean(axis=0).var(ddof=1)
    of_pairs = images * y.mean(axis=1).var(ddof=1)
    rest = ((y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()) ** 2).sum()
    rest /= (pairs - 1) * (images - 1)
    assert found.words == ""
    assert found.images == images
    assert found.estimate.mean == pytest.approx(y.mean())
    assert found.rest == pytest.approx(rest, rel=1e-3)
    assert found.image == pytest.approx((of_images - rest) / pairs, rel=1e-3)
    assert found.pair == pytest.approx((of_pairs - rest) / images, rel=1e-3)
    error = np.sqrt((of_images + of_pairs - rest) / y.size)
    assert found.estimate.high - found.estimate.mean == pytest.approx(1.959964 * error, rel=1e-3)
    assert found.estimate.mean - found.estimate.low == pytest.approx(1.959964 * error, rel=1e-3)


def test_undefined_values_are_left_out_as_statsmodels_formulas_do() -> None:
    y = crossed(1, 8, 20)
    y[np.random.default_rng(2).random(y.shape) < 0.2] = NAN
    kind = np.arange(8) % 2
    frame = pd.DataFrame(
        [(y[p, i], p, i, kind[p]) for p in range(8) for i in range(20)],
        columns=["y", "pair", "image", "kind"],
    ).dropna()
    theirs = MixedLM.from_formula(
        "y ~ 1 + kind",
        frame,
        groups=np.zeros(len(frame)),
        vc_formula={"image": "0 + C(image)", "pair": "0 + C(pair)"},
    ).fit(reml=True)
    ours = mixed.fit(y, np.stack([np.ones(8), kind], axis=1), [0, 1], 0)
    assert ours.estimate.mean == pytest.approx(theirs.fe_params["kind"], rel=1e-3)
    reach = 1.959964 * theirs.bse_fe["kind"]
    assert ours.estimate.high - ours.estimate.mean == pytest.approx(reach, rel=1e-3)
    np.testing.assert_allclose([ours.image, ours.pair], theirs.vcomp, rtol=1e-2)


def test_the_shift_is_that_of_the_pairs_and_finds_what_moved() -> None:
    rng = np.random.default_rng(3)
    arm = np.arange(9) >= 4
    maps = rng.normal(size=(30, 9)) + rng.normal(size=(9, 30, 9))
    maps[arm] += 1
    pairs = np.array(list(combinations(range(9), 2)))
    d = ((maps[pairs[:, 0]] - maps[pairs[:, 1]]) ** 2).mean(axis=2)
    found = mixed.shift(d, pairs, arm, 0)
    # The same number where all are defined, and no image is left out.
    assert found.estimate.mean == pytest.approx(shift.shift(d, pairs, arm, 0).shift.mean)
    assert 0 < found.estimate.low < 1 < found.estimate.high


def test_many_images_are_thinned_to_a_stated_number() -> None:
    y = crossed(4, 6, 500)
    found = mixed.mean(y, 0)
    assert found.images == 50
    assert found == mixed.mean(y, 0)
    assert found.estimate != mixed.mean(y, 1).estimate
    assert found.estimate.low < y.mean() < found.estimate.high


def test_images_without_effect_have_no_variance() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(size=(10, 1)) + rng.normal(size=(10, 20))
    y -= y.mean(axis=0)  # images differ less than by chance: the estimate is at the boundary
    found = mixed.mean(y, 0)
    assert found.words == ""
    assert found.image == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((4, 10), 0.1), "constant: nothing varies"),
        (np.full((4, 10), NAN), "too few pairs of models or images"),
        (np.random.default_rng(6).normal(size=(1, 10)), "too few pairs of models or images"),
        (np.random.default_rng(7).normal(size=(4, 1)), "too few pairs of models or images"),
    ],
)
def test_what_cannot_be_fitted_says_why(values: np.ndarray, words: str) -> None:
    found = mixed.mean(values, 0)
    assert found.words == words
    assert np.isnan([*found.estimate, found.image, found.pair, found.rest]).all()


def test_an_arm_of_one_model_has_no_shift() -> None:
    pairs = np.array(list(combinations(range(4), 2)))
    found = mixed.shift(crossed(8, 6, 20), pairs, np.arange(4) > 0, 0)
    assert found.words == "too few pairs of models or images"


def test_a_fit_that_does_not_converge_gives_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    real = MixedLM.fit

    def unfinished(model: MixedLM, **options: object) -> SimpleNamespace:
        result = real(model, **options)
        return SimpleNamespace(converged=False, cov_params=result.cov_params)

    monkeypatch.setattr(MixedLM, "fit", unfinished)
    found = mixed.mean(crossed(9), 0)
    assert found.words == "did not converge"
    assert np.isnan([*found.estimate, found.image, found.pair, found.rest]).all()
