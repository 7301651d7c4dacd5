"""Embeddings of maps: principal components, and the spectral analysis of Lapuschkin et al. (2019).

In the spectral analysis (SpRAy) maps are the nodes of a graph with an edge between each map and its
nearest neighbours. The embedding has the eigenvectors of the graph's normalised Laplacian that
belong to its smallest eigenvalues (Ng, Jordan and Weiss 2002; von Luxburg 2007). The steps are
those of CoRelAy's `SpectralClustering`: Euclidean distance, symmetric nearest neighbours, symmetric
normalised Laplacian, rows of length 1, k-means.

S. Lapuschkin et al. Unmasking Clever Hans predictors and assessing what machines really learn.
Nature Communications 10, 1096 (2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

NEIGHBOURS = 10  # of each map in the graph
VALUES = 16  # eigenvalues of an embedding
LANDMARKS = 5000  # points of large studies that are embedded exactly
DENSE = 600  # nodes up to which all eigenvalues are computed, which takes less than a second


@dataclass(frozen=True)
class Principal:
    """The first two principal components of points.

    places: float64 (N, 2); explained: share of the variance that each of the two explains;
    directions: float64 (2, D), each one standard deviation long; mean: float64 (D,).
    """

    places: Doubles
    explained: list[float]
    directions: Doubles
    mean: Doubles


def principal(points: Doubles) -> Principal:
    """The principal components of points, float64 (N, D); zero if all points are equal."""
    from sklearn.decomposition import PCA

    places, explained = np.zeros((len(points), 2)), [0.0, 0.0]
    directions = np.zeros((2, points.shape[1]))
    if min(points.shape) >= 2 and points.std(0).any():
        solver = "covariance_eigh" if points.shape[1] <= 1000 else "randomized"
        analysis = PCA(2, svd_solver=solver, random_state=0)
        places = analysis.fit_transform(points)
        explained = [float(share) for share in analysis.explained_variance_ratio_]
        directions = analysis.components_ * np.sqrt(analysis.explained_variance_)[:, None]
    return Principal(places, explained, directions, points.mean(0))


@dataclass(frozen=True)
class Spectrum:
    """The smallest eigenvalues of a graph's normalised Laplacian, with their eigenvectors.

    values: float64 (k,), ascending, in [0, 2]; one is 0 for each connected part of the graph.
    vectors: float64 (N, k), orthonormal columns, each with a positive entry of largest magnitude.
    degrees: float64 (N,), sums of the weights of the edges of each node; 0 for a single node.
    """

    values: Doubles
    vectors: Doubles
    degrees: Doubles

    @property
    def rows(self) -> Doubles:
        """The embedding for clusters: the vectors, each row scaled to length 1."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        scaled: Doubles = self.vectors / np.where(lengths > 0, lengths, 1)
        return scaled

    @property
    def plane(self) -> Doubles:
        """Laplacian eigenmaps (Belkin and Niyogi 2003): float64 (N, 2), without the constant.

        As in scikit-learn, the vectors are divided by the square roots of the degrees.
        """
        scaled = self.vectors[:, 1:3] / np.sqrt(np.maximum(self.degrees, 1e-12))[:, None]
        return np.pad(scaled, ((0, 0), (0, 2 - scaled.shape[1])))


def spectrum(points: NDArray[np.floating[Any]], count: int = VALUES) -> Spectrum:
    """The smallest `count` eigenvalues of the graph of nearest neighbours; all N if N < `count`.

    Parameters
    ----------
    points
        float (N, D), N ≥ 1.
    """
    from scipy.linalg import eigh
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import eigsh

    graph = neighbours(points)
    degrees = np.asarray(graph.sum(axis=1), np.float64).ravel()
    inverse = 1 / np.sqrt(np.where(degrees > 0, degrees, 1))
    # Identity minus Laplacian: its largest eigenvalues are found faster than the smallest of the
    # Laplacian.
    affinity = diags_array(inverse) @ graph @ diags_array(inverse)
    size = len(degrees)
    kept = min(count, size)
    if size <= DENSE:
        largest, vectors = eigh(affinity.toarray(), subset_by_index=(size - kept, size - 1))
    else:
        start = np.random.default_rng(0).uniform(0.5, 1, size)  # so that two runs are equal
        largest, vectors = eigsh(affinity, kept, which="LA", v0=start)
    order = np.argsort(-largest, kind="stable")
    vectors = vectors[:, order]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(kept)])
    return Spectrum(1 - largest[order], vectors * signs, degrees)


def eigenmaps(points: Doubles, most: int = LANDMARKS) -> Doubles:
    """The plane of Laplacian eigenmaps of many points: float64 (N, 2).

    At most `most` points, evenly spaced in their order, are embedded. Each of the others is placed
    by Nyström's formula (Bengio et al. 2004): the mean of the places of its nearest embedded
    points, divided by 1 − λ of each axis.
    """
    from sklearn.neighbors import NearestNeighbors

    chosen = np.arange(0, len(points), -(-len(points) // most))
    found = spectrum(points[chosen], 3)
    places = np.zeros((len(points), 2))
    places[chosen] = found.plane
    others = np.setdiff1d(np.arange(len(points)), chosen)
    if others.size:
        search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(chosen)), algorithm="brute")
        near = search.fit(points[chosen]).kneighbors(points[others], return_distance=False)
        places[others] = found.plane[near].mean(axis=1) / np.maximum(1 - found.values[1:3], 0.1)
    return places


def neighbours(points: NDArray[np.floating[Any]]) -> Any:
    """The symmetric graph of nearest neighbours: sparse (N, N), weights ½ (one-sided) or 1."""
    from sklearn.neighbors import kneighbors_graph

    count = min(NEIGHBOURS, len(points) - 1)
    if count < 1:
        from scipy.sparse import csr_array

        return csr_array((len(points), len(points)))
    one_sided = kneighbors_graph(points, count, mode="connectivity", include_self=False)
    return (one_sided + one_sided.T) / 2


def clusters(embedding: Doubles, count: int) -> NDArray[np.int64]:
    """k-means clusters of an embedding: int64 (N,), numbered from 0 by descending size.

    Fewer than `count` clusters if there are fewer different rows.
    """
    from sklearn.cluster import KMeans

    # Equal rows may differ in the last bits.
    distinct = len(np.unique(embedding.round(9), axis=0))
    found = KMeans(min(count, distinct), n_init=10, random_state=0).fit_predict(embedding)
    sizes = np.bincount(found)
    place = np.empty(len(sizes), np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    numbered: NDArray[np.int64] = place[found]
    return numbered
