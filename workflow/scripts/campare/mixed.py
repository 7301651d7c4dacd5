"""A second reading of the means, by a linear mixed-effects model.

Where `statistics` and `shift` resample and permute, this assumes: a value is what its kind
of pair gives, plus what its image adds, plus what its pair of models adds, plus a rest, the last
three normal and independent. Where both agree on an estimate, it depends on neither's assumptions.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from campare.shift import SHIFT
from campare.statistics import QUANTILE, Interval

# Crossed effects make every value depend on every other: the matrices are dense, and the time goes
# with values × (images + pairs)². This many images at most, and values.
IMAGES, VALUES = 50, 3_000


class Mixed(NamedTuple):
    """An estimate, the variances beside it, of how many images; words where there was no fit.

    Without a fit the estimate and the variances are NaN.
    """

    estimate: Interval
    image: float
    pair: float
    rest: float
    images: int
    words: str


def mean(values: ArrayLike, seed: int) -> Mixed:
    """The mean of values (pairs, images), each row a model compared with its baseline."""
    return fit(values, np.ones((len(np.asarray(values)), 1)), [1], seed)


def shift(distances: ArrayLike, pairs: ArrayLike, augmented: ArrayLike, seed: int) -> Mixed:
    """The shift of `shift.shift`, of the same arguments.

    That pairs with a model in common are more alike than others is not in the model, so its
    interval is too narrow where maps are shifted.
    """
    kind = np.asarray(augmented, bool)[np.asarray(pairs)].sum(axis=1)
    return fit(distances, np.eye(len(SHIFT))[kind], SHIFT, seed)


def fit(values: ArrayLike, design: ArrayLike, contrast: ArrayLike, seed: int) -> Mixed:
    """A sum of fixed effects of pairs, images and pairs being crossed random effects, by REML.

    The interval is Wald's, ±1.96 standard errors: it takes no account of how few pairs there are.
    More than 50 images, or 3,000 values, are thinned to so many images, drawn at random.

    Parameters
    ----------
    values
        float (pairs, images); NaN is left out.
    design, contrast
        float (pairs, k) of full rank, the fixed effects of each pair; (k,), the sum wanted of them.
    """
    y, x, sought = (np.asarray(a, np.float64) for a in (values, design, contrast))
    some = ~np.isnan(y).all(axis=1)
    y, x = y[some], x[some]
    defined = np.flatnonzero(~np.isnan(y).all(axis=0))
    most = min(IMAGES, max(2, VALUES // max(1, len(y))))
    if len(defined) > most:
        chosen = np.random.default_rng(seed).choice(defined, most, replace=False)
        defined = np.sort(chosen)
    y = y[:, defined]
    if len(defined) < 2 or len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return _without(len(defined), "too few pairs of models or images")
    pair, image = np.nonzero(~np.isnan(y))
    distances = y[pair, image]
    centre, scale = distances.mean(), distances.std()
    if not scale > 1e-12 * abs(centre):
        return _without(len(defined), "constant: nothing varies")
    effects = VCSpec(
        ["image", "pair"],
        [[[f"{kind}{k}" for k in range(n)]] for kind, n in zip("ip", y.shape[::-1], strict=True)],
        [[np.eye(y.shape[1])[image]], [np.eye(len(y))[pair]]],
    )
    # In units of their spread, in which the optimiser's steps and tolerances are meant. Where a
    # variance is zero, statsmodels' first choice (BFGS) takes minutes and gives up.
    model = MixedLM(distances / scale, x[pair], np.zeros(len(distances)), exog_vc=effects)
    try:
        with warnings.catch_warnings():
            # A variance of zero is an answer, of which statsmodels warns; of the rest `converged`.
            warnings.simplefilter("ignore")
            result = model.fit(reml=True, method=["lbfgs", "powell"])
            error = np.sqrt(sought @ result.cov_params()[: len(sought), : len(sought)] @ sought)
    except np.linalg.LinAlgError:
        return _without(len(defined), "singular: no fit")
    if not (result.converged and np.isfinite(error)):
        return _without(len(defined), "did not converge")
    estimate = float(sought @ result.fe_params * scale)
    reach = float(stats.norm.ppf(QUANTILE) * error * scale)
    image_variance, pair_variance, rest = np.array([*result.vcomp, result.scale]) * scale**2
    return Mixed(
        Interval(estimate, estimate - reach, estimate + reach),
        float(image_variance),
        float(pair_variance),
        float(rest),
        len(defined),
        "",
    )


def _without(images: int, words: str) -> Mixed:
    nothing = np.nan
    return Mixed(Interval(nothing, nothing, nothing), nothing, nothing, nothing, images, words)
