"""Linear mixed-effects models of the distances, as a check of `statistics` and `shift`.

Model of a value of pair p and image i: y = fixed effect of the kind of pair + u_i + v_p + e, with
independent normal random effects u (image), v (pair of models) and residuals e. `statistics` and
`shift` resample and permute instead; an estimate on which both agree depends on neither's
assumptions.
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

# With crossed effects the matrices are dense, and the time is proportional to values × (images +
# pairs)². The largest numbers of images and of values:
IMAGES, VALUES = 50, 3_000


class Mixed(NamedTuple):
    """An estimate, the variance components, the number of images, and why there is no fit.

    image, pair, rest: variances of u, v and e. Without a fit, estimate and variances are NaN and
    `words` says why.
    """

    estimate: Interval
    image: float
    pair: float
    rest: float
    images: int
    words: str


def mean(values: ArrayLike, seed: int) -> Mixed:
    """The mean of values (pairs, images), a row for each model compared with its baseline."""
    return fit(values, np.ones((len(np.asarray(values)), 1)), [1], seed)


def shift(distances: ArrayLike, pairs: ArrayLike, augmented: ArrayLike, seed: int) -> Mixed:
    """The shift E of `shift.shift`, from the same arguments, with its 95 % interval.

    The model ignores that pairs with a model in common are correlated, so its interval is too
    narrow if the maps are shifted.
    """
    kind = np.asarray(augmented, bool)[np.asarray(pairs)].sum(axis=1)
    return fit(distances, np.eye(len(SHIFT))[kind], SHIFT, seed)


def fit(values: ArrayLike, design: ArrayLike, contrast: ArrayLike, seed: int) -> Mixed:
    """A contrast of fixed effects by REML, with images and pairs as crossed random effects.

    The 95 % interval is Wald's, estimate ± 1.96 standard errors, which does not account for a small
    number of pairs. If there are more than 50 images, or 3,000 values, a random sample of images is
    used.

    Parameters
    ----------
    values
        float (pairs, images); NaN is left out.
    design
        float (pairs, k) of full rank: the design matrix of the fixed effects.
    contrast
        float (k,): weights of the fixed effects in the estimate.
    """
    y, x, weights = (np.asarray(a, np.float64) for a in (values, design, contrast))
    defined_pairs = ~np.isnan(y).all(axis=1)
    y, x = y[defined_pairs], x[defined_pairs]
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
    # The optimiser's steps and tolerances suit distances in units of their standard deviation. If a
    # variance is zero, statsmodels' default (BFGS) fails after minutes.
    model = MixedLM(distances / scale, x[pair], np.zeros(len(distances)), exog_vc=effects)
    try:
        with warnings.catch_warnings():
            # statsmodels warns of a variance of zero, which is a valid estimate; other failures
            # are in `converged`.
            warnings.simplefilter("ignore")
            result = model.fit(reml=True, method=["lbfgs", "powell"])
            covariance = result.cov_params()[: len(weights), : len(weights)]
            error = np.sqrt(weights @ covariance @ weights)
    except np.linalg.LinAlgError:
        return _without(len(defined), "singular: no fit")
    if not (result.converged and np.isfinite(error)):
        return _without(len(defined), "did not converge")
    estimate = float(weights @ result.fe_params * scale)
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
    """The result if there is no fit; `words`: why."""
    return Mixed(Interval(np.nan, np.nan, np.nan), np.nan, np.nan, np.nan, images, words)
