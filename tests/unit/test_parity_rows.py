"""Agreement on the sign of principal components in the benchmark, against numpy."""

from __future__ import annotations

import numpy as np

import parity


def test_correlations_are_numpys_of_every_two_networks_without_constant_maps() -> None:
    maps = list(np.random.default_rng(0).random((3, 4, 2, 5)).astype(np.float32))
    maps[1][2] = 0.5  # the third image of the second network
    expected = [
        np.corrcoef(maps[a][image].ravel(), maps[b][image].ravel())[0, 1]
        for a, b in ((0, 1), (0, 2), (1, 2))
        for image in range(4)
        if not (image == 2 and 1 in (a, b))
    ]
    np.testing.assert_allclose(parity.correlations(maps), expected, atol=1e-6)


def test_the_value_farthest_from_zero_becomes_positive() -> None:
    maps = np.array([[[-3.0, 2.0]], [[-1.0, 2.0]]], np.float32)
    np.testing.assert_array_equal(parity.farthest(maps), [[[3.0, -2.0]], [[-1.0, 2.0]]])
