"""Maps that know nothing: they are what they say, and keep the store's other columns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from campare import uninformative
from campare.store import Store


def store(shape: tuple[int, int, int]) -> Store:
    rng = np.random.default_rng(0)
    n = shape[0]
    logit = rng.standard_normal((n, 3)).astype(np.float32)
    return Store(
        maps=rng.standard_normal(shape).astype(np.float32),
        prediction=logit,
        logit=logit,
        label=np.arange(n) % 3,
        index=5 * np.arange(n),
        target=np.arange(n) % 2,
        attributes={},
    )


def test_shuffled_maps_are_all_of_another_image() -> None:
    found, own = uninformative.shuffled(store((30, 2, 2)), 1), store((30, 2, 2))
    source = [int(np.flatnonzero((own.maps == one).all(axis=(1, 2)))[0]) for one in found.maps]
    assert sorted(source) == list(range(30))
    assert all(k != place for place, k in enumerate(source))
    np.testing.assert_array_equal(found.logit, own.logit[source])
    np.testing.assert_array_equal(found.label, own.label)
    np.testing.assert_array_equal(found.maps, uninformative.shuffled(own, 1).maps)
    assert not np.array_equal(found.maps, uninformative.shuffled(own, 2).maps)


@pytest.mark.parametrize("extent", [(7, 7), (8, 6)])
def test_the_gaussian_is_centred_and_a_quarter_of_the_side_wide(extent: tuple[int, int]) -> None:
    found = uninformative.gaussian(store((4, *extent))).maps
    assert found.shape == (4, *extent)
    assert (found == found[0]).all()
    np.testing.assert_allclose(found[0], found[0][::-1, ::-1], rtol=1e-6)
    height, width = extent
    y, x = np.mgrid[:height, :width] + 0.5
    r2 = ((y / height - 0.5) ** 2 + (x / width - 0.5) ** 2) / 0.25**2
    np.testing.assert_allclose(found[0], np.exp(-r2 / 2), rtol=1e-6)


def test_edges_are_sobels_and_lie_where_the_picture_changes() -> None:
    images = np.zeros((2, 16, 16, 3), np.uint8)
    images[0, :, 8:] = 200  # an upright edge in the middle
    found = uninformative.edges(store((2, 4, 4)), images).maps
    assert found.dtype == np.float32
    assert not found[1].any()
    assert (found[0][:, 1:3] > 0).all() and not found[0][:, [0, 3]].any()
    grey = images[0].mean(axis=2)
    sobel = np.hypot(*(ndimage.sobel(grey, axis, mode="nearest") for axis in (0, 1)))
    cells = sobel.reshape(4, 4, 4, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(found[0], cells, rtol=1e-6)


@pytest.mark.parametrize(("n", "size"), [(32, 8), (32, 7), (8, 8), (8, 28)])
def test_averaging_keeps_the_mean_and_is_that_of_the_pixels_in_a_cell(n: int, size: int) -> None:
    matrix = uninformative.averaging(n, size)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    values = np.random.default_rng(0).random(n)
    assert (matrix @ values).mean() == pytest.approx(values.mean())
    fine = np.repeat(values, size).reshape(size, n).mean(axis=1)
    np.testing.assert_allclose(matrix @ values, fine)
