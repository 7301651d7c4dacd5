"""Shown maps are pytorch-grad-cam's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from campare import maps

EXTENTS = [(1, 1), (1, 5), (2, 3), (7, 7), (14, 9), (32, 32)]
SIZES = [(224, 224), (33, 17), (7, 7), (5, 64), (1, 1)]


def library(coarse: NDArray[np.float32], size: tuple[int, int] | None) -> NDArray[np.float32]:
    """What BaseCAM makes of a method's maps, by its own functions."""
    from pytorch_grad_cam.base_cam import BaseCAM
    from pytorch_grad_cam.utils.image import scale_cam_image

    scaled = scale_cam_image(np.maximum(coarse, 0), size[::-1] if size else None)
    shown: NDArray[np.float32] = BaseCAM.aggregate_multi_layers(None, [scaled[:, None]])
    return shown


def coarse_maps(extent: tuple[int, int], scale: float) -> NDArray[np.float32]:
    """Signed random maps, and an all-zero, an all-negative, a constant and a one-pixel map."""
    random = np.random.default_rng(0).normal(scale=scale, size=(12, *extent)).astype(np.float32)
    random[0] = 0
    random[1] = -np.abs(random[1])
    random[2] = scale
    random[3] = 0
    random[3, -1, -1] = scale
    return random


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e4])
@pytest.mark.parametrize("size", [*SIZES, None])
@pytest.mark.parametrize("extent", EXTENTS)
def test_equals_the_library(
    extent: tuple[int, int], size: tuple[int, int] | None, scale: float
) -> None:
    coarse = coarse_maps(extent, scale)
    shown = maps.show(coarse, size)
    assert shown.dtype == np.float32
    assert shown.shape == (12, *(size or extent))
    np.testing.assert_allclose(shown, library(coarse, size), rtol=0, atol=1e-6)


finite = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9)), elements=finite)
)
def test_lies_in_0_to_1_and_equals_the_library_for_any_map(coarse: NDArray[np.float32]) -> None:
    shown = maps.show(coarse, (20, 31))
    assert shown.min() >= 0
    assert shown.max() <= 1
    np.testing.assert_allclose(shown, library(coarse, (20, 31)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, -2.0, 3.0])
@pytest.mark.parametrize("size", [(9, 12), None])
def test_a_map_without_a_highest_place_is_zero(value: float, size: tuple[int, int] | None) -> None:
    assert not maps.show(np.full((1, 4, 4), value, np.float32), size).any()


def test_a_map_does_not_depend_on_the_others() -> None:
    coarse = coarse_maps((7, 7), 1.0)
    alone = np.concatenate([maps.show(one[None], (50, 60)) for one in coarse])
    np.testing.assert_array_equal(maps.show(coarse, (50, 60)), alone)


def test_leaves_its_argument_alone() -> None:
    coarse = coarse_maps((3, 3), 1.0)
    before = coarse.copy()
    maps.show(coarse, (8, 8))
    np.testing.assert_array_equal(coarse, before)


@pytest.mark.parametrize(("n", "size"), [(7, 224), (8, 32), (5, 5), (1, 9), (9, 4), (3, 1)])
def test_interpolation_is_torchs_and_opencvs(n: int, size: int) -> None:
    import cv2

    matrix = maps.interpolation(n, size)
    line = np.random.default_rng(0).normal(size=n).astype(np.float32)
    by_torch = torch.nn.functional.interpolate(
        torch.from_numpy(line)[None, None], size, mode="linear", align_corners=False
    )
    np.testing.assert_allclose(matrix @ line, by_torch[0, 0].numpy(), rtol=0, atol=1e-6)
    by_opencv = cv2.resize(line[None], (size, 1))
    np.testing.assert_allclose(matrix @ line, by_opencv[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=0, atol=1e-6)
    assert (matrix >= 0).all()


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_splined_is_the_decks_zoom_of_features_then_weights(order: int) -> None:
    from scipy.ndimage import zoom

    random = np.random.default_rng(0)
    features = random.normal(size=(5, 5, 8))
    weights = random.normal(size=8)
    deck = np.dot(zoom(features, (28 / 5, 28 / 5, 1), order=order), weights)
    coarse = (features @ weights).astype(np.float32)[None]
    expected = (deck - deck.min()) / (deck.max() - deck.min())
    assert maps.splined(coarse, (28, 28), order)[0] == pytest.approx(expected, abs=1e-5)


def test_splined_of_a_constant_map_is_zero() -> None:
    assert not maps.splined(np.full((2, 3, 3), -4.0, np.float32), (7, 7), 2).any()
