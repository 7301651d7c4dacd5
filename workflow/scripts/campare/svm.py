"""Support vector classifiers: fitted by scikit-learn, stored as arrays, evaluated in torch.

A classifier of K classes consists of K(K − 1)/2 two-class classifiers, as in libsvm. Its decision
function is implemented in torch, so that it can be the last layer of a network, with gradients.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from campare import atomic, checkpoints, feasibility
from campare.errors import CampareError, reading

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

CACHE = 1000  # MB of kernel values that libsvm keeps; results do not depend on it
CHUNK = 1000  # vectors evaluated at once


@dataclass(frozen=True, eq=False)
class Vectors:
    """Training and test vectors of a classifier.

    x: float32 or uint8 (N, D); label, index: int64 (N,), true class and position in the data
    set; training: bool (N,), whether a vector is for training or for the test.
    """

    x: NDArray[Any]
    label: Integers
    index: Integers
    training: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SVM:
    """A support vector classifier as float64 arrays.

    A vector x is standardised first, (x − mean)/scale, with mean and scale (D,). The margin of the
    two-class SVM of classes i < j, in the order of `itertools.combinations`, is
    Σ_s coefficient[s, ij]·k(x, s) + intercept[ij], over the S support vectors (S, D), positive for
    class i. k is x·s, or exp(−gamma·|x − s|²) for the kernel "rbf".
    """

    kernel: str
    c: float
    gamma: float
    classes: int
    mean: Doubles
    scale: Doubles
    support: Doubles
    coefficient: Doubles
    intercept: Doubles


def search(
    vectors: Vectors,
    *,
    kernels: Sequence[str],
    c: Sequence[float],
    folds: int,
    images: int | None,
    seed: int,
    key: str,
    adapts: Collection[str] = (),
) -> pd.DataFrame:
    """Cross-validated accuracy of every kernel with every penalty, on the same stratified folds.

    Parameters
    ----------
    images
        Number of training vectors, stratified by class; None: all.
    key
        Config key of the settings, such as "hybrid.svm", for messages.
    adapts
        Which of "folds" and "search_images" (`images`) are defaults, which are adapted if there are
        too few vectors.

    Returns
    -------
    DataFrame
        kernel, c, accuracy, std (mean and standard deviation over folds), images, chosen (True for
        the highest accuracy, the first of equals).

    Raises
    ------
    CampareError
        A class has fewer vectors than there are folds, or `images` is out of range.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    if "search_images" in adapts and images is not None:
        images = images if images <= _most(vectors) else None
    rows = drawn(vectors, images, seed, f"{key}.search_images")
    x, y = _exact(vectors.x[rows]), vectors.label[rows]
    fewest = np.unique(y, return_counts=True)[1].min()
    if "folds" in adapts:
        folds = max(2, min(folds, fewest))
    if fewest < folds:
        raise CampareError(feasibility.too_many_folds(key, folds, fewest, len(y)))
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    rows_of = []
    for kernel in kernels:
        for penalty in c:
            pipeline = make_pipeline(_scaler(x), _svc(kernel, penalty))
            accuracy = cross_val_score(pipeline, x, y, cv=parts, error_score="raise")
            rows_of.append((kernel, penalty, accuracy.mean(), accuracy.std(ddof=1), len(y)))
    table = pd.DataFrame(rows_of, columns=["kernel", "c", "accuracy", "std", "images"])
    return table.assign(chosen=table.index == table["accuracy"].argmax())


def fit(vectors: Vectors, *, kernel: str, c: float, images: int | None, seed: int, key: str) -> SVM:
    """Fit a classifier to the training vectors, or to `images` of them, stratified by class.

    Features are standardised (scikit-learn's StandardScaler); uint8 grey levels are divided by 255.
    gamma is scikit-learn's "scale", 1 / (D · variance of all values).

    Raises
    ------
    CampareError
        `images` is out of range.
    """
    rows = drawn(vectors, images, seed, f"{key}.images")
    x, y = _exact(vectors.x[rows]), vectors.label[rows]
    scaler = _scaler(x)
    svc = _svc(kernel, c).fit(scaler.fit_transform(x), y)
    pairs = list(combinations(range(len(svc.classes_)), 2))
    # Row j − 1 of dual_coef_ has the coefficients of class i's vectors against class j, row i those
    # of class j's against i. For two classes scikit-learn's sign is the opposite.
    sign = -1 if len(pairs) == 1 else 1
    of = np.repeat(np.arange(len(svc.classes_)), svc.n_support_)
    coefficient = np.zeros((len(of), len(pairs)))
    for place, (i, j) in enumerate(pairs):
        coefficient[of == i, place] = sign * svc.dual_coef_[j - 1, of == i]
        coefficient[of == j, place] = sign * svc.dual_coef_[i, of == j]
    return SVM(
        kernel=kernel,
        c=float(c),
        gamma=float(svc._gamma),
        classes=len(svc.classes_),
        mean=np.zeros(x.shape[1]) if x.dtype == np.uint8 else scaler.mean_,
        scale=np.full(x.shape[1], 255.0) if x.dtype == np.uint8 else scaler.scale_,
        support=np.asarray(svc.support_vectors_, np.float64),
        coefficient=coefficient,
        intercept=sign * np.asarray(svc.intercept_, np.float64),
    )


def drawn(vectors: Vectors, images: int | None, seed: int, key: str) -> Integers:
    """Rows of `images` training vectors, stratified by class; None: all.

    Raises
    ------
    CampareError
        There are too few vectors, or too few for every class; `key` is the config key in the
        message.
    """
    from sklearn.model_selection import train_test_split

    rows = np.flatnonzero(vectors.training)
    if images is None or images == len(rows):
        return rows
    classes = len(np.unique(vectors.label[rows]))
    if not classes <= images <= _most(vectors):
        raise CampareError(feasibility.out_of_range(key, images, len(rows), classes))
    labels = vectors.label[rows]
    chosen, _ = train_test_split(rows, train_size=images, stratify=labels, random_state=seed)
    return np.sort(chosen)


def _most(vectors: Vectors) -> int:
    """The largest number of training vectors that leaves one of every class."""
    return int(vectors.training.sum()) - len(np.unique(vectors.label[vectors.training]))


def decide(classifier: SVM, values: NDArray[Any]) -> Doubles:
    """Decision values of vectors (N, D): float64 (N, classes); the highest is the prediction."""
    decision = Decision(classifier)
    with torch.inference_mode():
        parts = [
            decision(torch.from_numpy(values[start : start + CHUNK])).numpy()
            for start in range(0, len(values), CHUNK)
        ]
    return np.concatenate(parts)


class Decision(nn.Module):
    """A classifier as a layer: (B, D) of any numeric type -> float64 (B, classes).

    The value of a class is scikit-learn's decision function of shape "ovr": the number of two-class
    classifiers that vote for it plus, to break ties, the sum of their margins, scaled to ±1/3.
    The scaling would change the gradient differently for each image, and votes have no gradient;
    the gradient is therefore that of the unscaled sum of margins, for a linear classifier a weight
    vector.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    support: torch.Tensor
    coefficient: torch.Tensor
    intercept: torch.Tensor
    sides: torch.Tensor

    def __init__(self, classifier: SVM) -> None:
        super().__init__()
        self.kernel = classifier.kernel
        self.gamma = classifier.gamma
        for name in ("mean", "scale", "support", "coefficient", "intercept"):
            self.register_buffer(name, torch.from_numpy(getattr(classifier, name)))
        pairs = list(combinations(range(classifier.classes), 2))
        sides = torch.zeros(len(pairs), classifier.classes, dtype=torch.float64)
        for place, (i, j) in enumerate(pairs):
            sides[place, i], sides[place, j] = 1, -1
        self.register_buffer("sides", sides)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Decision values: float64 (B, classes)."""
        margins = self.margins(vectors)
        total = margins @ self.sides
        with torch.no_grad():
            won = torch.where(margins >= 0, 1.0, -1.0).to(margins)
            votes = (won @ self.sides + len(self.sides.T) - 1) / 2
            value = votes + total / (3 * (total.abs() + 1))
        return value + (total - total.detach())

    def margins(self, vectors: torch.Tensor) -> torch.Tensor:
        """float64 (B, K(K − 1)/2): margins of the two-class classifiers, positive for the first."""
        x = (vectors.to(self.mean) - self.mean) / self.scale
        products = x @ self.support.T
        if self.kernel == "rbf":
            squares = (x**2).sum(1, keepdim=True) + (self.support**2).sum(1) - 2 * products
            products = torch.exp(-self.gamma * squares)
        return products @ self.coefficient + self.intercept


def with_head(network: nn.Module, top: nn.Module) -> nn.Module:
    """Replace the last linear layer of a network by `top`; the network itself is changed.

    With `nn.Identity` the output is the pooled features, with a `Decision` it is that of a CNN+SVM.

    Raises
    ------
    CampareError
        The network has no linear layer.
    """
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not names:
        raise CampareError(
            "hybrid.network: has no linear layer that an SVM could replace; choose another network"
        )
    network.set_submodule(names[-1], top)
    return network


# Files.


def save(classifier: SVM, path: str | Path, about: Mapping[str, Any]) -> None:
    """Write a classifier as safetensors, with numbers, text and `about` in the header."""
    values = {field.name: getattr(classifier, field.name) for field in fields(classifier)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    plain = {name: value for name, value in values.items() if name not in arrays}
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    checkpoints.save(Path(path), tensors, {"classifier": plain, **about})


def load(path: str | Path) -> SVM:
    """Read a classifier that `save` wrote.

    Raises
    ------
    CampareError
        The file is missing or truncated, or not a classifier.
    """
    from safetensors import SafetensorError, safe_open

    with reading(path, "SVM", SafetensorError), safe_open(path, framework="np") as file:
        plain = json.loads((file.metadata() or {}).get("campare", ""))["classifier"]
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return SVM(**plain, **arrays)


def write_vectors(vectors: Vectors, path: str | Path) -> None:
    """Write vectors as HDF5, an array per field."""
    with atomic.replacing(path) as aside:
        atomic.reserve(aside, vectors.x.nbytes + (1 << 20))
        with h5py.File(aside, "w") as file:
            for field in fields(vectors):
                file[field.name] = getattr(vectors, field.name)


def read_vectors(path: str | Path) -> Vectors:
    """Read vectors that `write_vectors` wrote.

    Raises
    ------
    CampareError
        The file is missing or truncated, or has other contents.
    """
    with reading(path, "vectors"), h5py.File(path, "r") as file:
        return Vectors(**{field.name: file[field.name][...] for field in fields(Vectors)})


def _exact(values: NDArray[Any]) -> NDArray[Any]:
    """Grey levels unchanged, features as float64: scikit-learn would standardise in float32."""
    return values if values.dtype == np.uint8 else values.astype(np.float64)


def _scaler(x: NDArray[Any]) -> Any:
    """The transformer that standardises features, or divides uint8 levels by 255."""
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return FunctionTransformer(_shares) if x.dtype == np.uint8 else StandardScaler()


def _shares(levels: NDArray[np.uint8]) -> Doubles:
    return levels / 255


def _svc(kernel: str, c: float) -> Any:
    from sklearn.svm import SVC

    return SVC(kernel=kernel, C=c, gamma="scale", cache_size=CACHE, break_ties=True)
