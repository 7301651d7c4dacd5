"""Embeddings of maps: known clusters are found, as by scikit-learn, and twice the same."""

from __future__ import annotations

import numpy as np
import pytest

from campare import embedding


def blobs(count: int, sizes: tuple[int, ...] = (40, 30, 20)) -> np.ndarray:
    """Points in groups far from each other, the largest group first."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return 50 * np.eye(len(sizes), count)[groups] + random.normal(size=(len(groups), count))


def test_an_eigenvalue_is_zero_for_each_separate_group() -> None:
    found = embedding.spectrum(blobs(5))
    assert (found.values[:3] < 1e-9).all()
    assert (found.values[3:] > 0.01).all()
    assert (np.diff(found.values) >= -1e-12).all()


def test_clusters_are_the_groups_by_size() -> None:
    found = embedding.spectrum(blobs(5))
    clusters = embedding.clusters(found.rows[:, :3], 3)
    assert clusters.tolist() == [0] * 40 + [1] * 30 + [2] * 20


@pytest.mark.parametrize("size", [200, embedding.DENSE + 100], ids=["dense", "sparse"])
def test_eigenvectors_solve_the_eigenvalue_problem(size: int) -> None:
    points = np.random.default_rng(1).normal(size=(size, 4))
    found = embedding.spectrum(points)
    graph = embedding.neighbours(points).toarray()
    np.testing.assert_array_equal(graph, graph.T)
    assert set(np.unique(graph)) == {0, 0.5, 1}
    degrees = graph.sum(axis=1)
    laplacian = np.eye(size) - graph / np.sqrt(np.outer(degrees, degrees))
    np.testing.assert_allclose(laplacian @ found.vectors, found.vectors * found.values, atol=1e-7)
    smallest = np.linalg.eigvalsh(laplacian)[: embedding.VALUES]
    np.testing.assert_allclose(found.values, smallest, atol=1e-7)
    again = embedding.spectrum(points)
    np.testing.assert_array_equal(found.vectors, again.vectors)


def test_the_plane_is_that_of_scikit_learn() -> None:
    from sklearn.manifold import spectral_embedding

    points = np.random.default_rng(2).normal(size=(150, 3))
    ours = embedding.spectrum(points).plane
    theirs = spectral_embedding(
        embedding.neighbours(points).toarray(), n_components=2, random_state=0
    )
    for own, other in zip(ours.T, theirs.T, strict=True):
        assert abs(np.corrcoef(own, other)[0, 1]) == pytest.approx(1, abs=1e-6)
        assert np.abs(own).max() == pytest.approx(np.abs(other).max(), rel=1e-4)


@pytest.mark.parametrize("points", [np.zeros((1, 4)), np.eye(2, 4), np.ones((40, 4))], ids=len)
def test_few_or_equal_points_have_an_embedding(points: np.ndarray) -> None:
    found = embedding.spectrum(points)
    count = min(embedding.VALUES, len(points))
    assert found.vectors.shape == (len(points), count)
    assert found.plane.shape == (len(points), 2)
    assert np.isfinite(found.rows).all()
    assert np.isfinite(found.plane).all()
    clusters = embedding.clusters(found.rows, 5)
    assert clusters.min() == 0
    assert set(clusters) == set(range(clusters.max() + 1))
    assert np.isfinite(embedding.principal(points).places).all()


def test_points_beyond_the_landmarks_are_placed_by_their_neighbours() -> None:
    angle = np.random.default_rng(3).uniform(0, 2 * np.pi, 900)
    points = np.column_stack([np.cos(angle), np.sin(angle)])
    whole, placed = embedding.eigenmaps(points), embedding.eigenmaps(points, most=300)
    np.testing.assert_array_equal(embedding.eigenmaps(points, most=300), placed)
    # The eigenmaps of a circle are the circle, turned or mirrored.
    for places in (whole, placed):
        turned, *_ = np.linalg.lstsq(points, places, rcond=None)
        error = np.linalg.norm(points @ turned - places) / np.linalg.norm(places)
        assert error < 0.25, error
    landmarks = np.arange(0, 900, 3)
    np.testing.assert_allclose(placed[landmarks], embedding.spectrum(points[landmarks], 3).plane)
