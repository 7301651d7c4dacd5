"""SVMs decide as scikit-learn's SVC does, also in torch and after a file; their maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from campare import cams, models, svm
from campare.errors import CampareError

KERNELS = ["linear", "rbf"]


def vectors(classes: int = 10, kind: type = np.float32) -> svm.Vectors:
    """Digits as vectors, a third of them for the test."""
    bunch = load_digits()
    some = bunch.target < classes
    values, label = bunch.data[some], bunch.target[some].astype(np.int64)
    index = np.arange(len(label))
    scale = 1 / 16 if kind == np.float32 else 1
    return svm.Vectors((values * scale).astype(kind), label, index, index % 3 > 0)


def pipeline(kernel: str, c: float = 1.0) -> object:
    return make_pipeline(StandardScaler(), SVC(kernel=kernel, C=c, break_ties=True))


def fitted(found: svm.Vectors, kernel: str) -> svm.SVM:
    return svm.fit(found, kernel=kernel, c=1, images=None, seed=0, key="svm")


@pytest.mark.parametrize("kernel", KERNELS)
def test_decision_is_scikit_learns(kernel: str) -> None:
    found = vectors()
    values = found.x.astype(np.float64)
    reference = pipeline(kernel).fit(values[found.training], found.label[found.training])
    classifier = fitted(found, kernel)
    ours = svm.decide(classifier, found.x)
    assert ours.dtype == np.float64
    assert ours == pytest.approx(reference.decision_function(values), abs=1e-9)
    assert np.array_equal(ours.argmax(axis=1), reference.predict(values))
    reference.steps[-1][1].decision_function_shape = "ovo"
    margins = svm.Decision(classifier).margins(torch.from_numpy(values)).numpy()
    assert margins == pytest.approx(reference.decision_function(values), abs=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_of_two_classes_as_well(kernel: str) -> None:
    found = vectors(classes=2)
    values = found.x.astype(np.float64)
    reference = pipeline(kernel).fit(values[found.training], found.label[found.training])
    classifier = fitted(found, kernel)
    assert np.array_equal(svm.decide(classifier, found.x).argmax(axis=1), reference.predict(values))
    margins = svm.Decision(classifier).margins(torch.from_numpy(values))[:, 0].numpy()
    assert margins == pytest.approx(-reference.decision_function(values), abs=1e-9)


def test_pixels_are_divided_by_255_and_no_more() -> None:
    found = vectors(kind=np.uint8)
    levels = found.x / 255
    reference = SVC(kernel="rbf", C=1, break_ties=True).fit(
        levels[found.training], found.label[found.training]
    )
    ours = svm.decide(fitted(found, "rbf"), found.x)
    assert ours == pytest.approx(reference.decision_function(levels), abs=1e-9)


def test_search_is_scikit_learns_grid_search() -> None:
    found = vectors()
    table = svm.search(found, kernels=KERNELS, c=[0.01, 1], folds=3, images=None, seed=4, key="svm")
    values = found.x[found.training].astype(np.float64)
    reference = GridSearchCV(
        pipeline("rbf"),
        {"svc__kernel": KERNELS, "svc__C": [0.01, 1]},
        cv=StratifiedKFold(3, shuffle=True, random_state=4),
    ).fit(values, found.label[found.training])
    expected = dict(
        zip(
            ((p["svc__kernel"], p["svc__C"]) for p in reference.cv_results_["params"]),
            reference.cv_results_["mean_test_score"],
            strict=True,
        )
    )
    for row in table.itertuples():
        assert row.accuracy == pytest.approx(expected[row.kernel, row.c], abs=1e-12)
    best = table[table["chosen"]]
    assert len(best) == 1
    assert best["accuracy"].item() == table["accuracy"].max()


def test_images_are_drawn_by_class_from_the_training_part() -> None:
    found = vectors()
    rows = svm.drawn(found, 200, seed=1, key="svm.images")
    assert len(set(rows)) == 200
    assert found.training[rows].all()
    assert set(np.bincount(found.label[rows])) <= {19, 20, 21}
    assert np.array_equal(rows, svm.drawn(found, 200, seed=1, key="svm.images"))
    assert not np.array_equal(rows, svm.drawn(found, 200, seed=2, key="svm.images"))
    everyone = svm.drawn(found, None, seed=1, key="svm.images")
    assert np.array_equal(everyone, np.flatnonzero(found.training))


@pytest.mark.parametrize("images", [5, 100_000])
def test_impossible_number_of_images_is_named(images: int) -> None:
    with pytest.raises(CampareError, match=rf"svm\.images: {images}; must lie between 10, the"):
        svm.drawn(vectors(), images, seed=0, key="svm.images")


def test_class_smaller_than_the_folds_is_named() -> None:
    with pytest.raises(CampareError, match=r"svm\.folds: 30"):
        svm.search(vectors(), kernels=["linear"], c=[1], folds=30, images=100, seed=0, key="svm")


def test_defaults_give_way_in_a_small_study() -> None:
    found = vectors(classes=2)
    few = np.flatnonzero(found.training)[:10]
    small = svm.Vectors(
        *(getattr(found, name)[few] for name in ("x", "label", "index", "training"))
    )
    rarest = int(np.bincount(small.label).min())
    common: dict = {"kernels": ["linear"], "c": [1], "seed": 0, "key": "svm"}
    table = svm.search(
        small, folds=rarest + 1, images=6000, adapts=["folds", "search_images"], **common
    )
    assert list(table["images"]) == [10]
    expected = svm.search(small, folds=rarest, images=None, **common)
    assert table.equals(expected)
    with pytest.raises(CampareError, match=r"svm\.search_images: 6000"):
        svm.search(small, folds=2, images=6000, adapts=["folds"], **common)


@pytest.mark.parametrize("kernel", KERNELS)
def test_file_gives_the_machine_back_and_the_same_bytes_twice(kernel: str, tmp_path: Path) -> None:
    found = vectors()
    classifier = fitted(found, kernel)
    for name in ("a", "b"):
        svm.save(fitted(found, kernel), tmp_path / name, {"images": 3})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded = svm.load(tmp_path / "a")
    assert np.array_equal(svm.decide(loaded, found.x), svm.decide(classifier, found.x))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"half"])
def test_unreadable_machine_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "svm.safetensors"
    path.write_bytes(content)
    with pytest.raises(CampareError, match=r"svm\.safetensors: not a readable SVM .* move it away"):
        svm.load(path)


def test_weights_of_a_network_are_no_machine(tmp_path: Path) -> None:
    from campare.checkpoints import save

    save(tmp_path / "x.safetensors", {"weight": torch.zeros(2)}, {"epoch": 1})
    with pytest.raises(CampareError, match="not a readable SVM"):
        svm.load(tmp_path / "x.safetensors")


def test_vectors_come_back_from_their_file(tmp_path: Path) -> None:
    found = vectors(kind=np.uint8)
    svm.write_vectors(found, tmp_path / "v.h5")
    again = svm.read_vectors(tmp_path / "v.h5")
    for name in ("x", "label", "index", "training"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
        assert getattr(again, name).dtype == getattr(found, name).dtype
    (tmp_path / "v.h5").write_bytes((tmp_path / "v.h5").read_bytes()[:300])
    with pytest.raises(CampareError, match=r"v\.h5: not a readable vectors"):
        svm.read_vectors(tmp_path / "v.h5")


# Maps ----------------------------------------------------------------------------------------


def network_and_features(
    architecture: str = "fashion_cnn",
) -> tuple[torch.nn.Module, np.ndarray, svm.Vectors]:
    """A network, random pictures of 28 × 28, and vectors of their pooled features."""
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28, 1), dtype=np.uint8)
    network = models.build(architecture, classes=4, channels=1, seed=0).eval()
    network = svm.with_head(network, torch.nn.Identity())
    with torch.inference_mode():
        features = network(torch.from_numpy(images).permute(0, 3, 1, 2) / 255).numpy()
    label = np.arange(60) % 4
    return network, images, svm.Vectors(features, label, np.arange(60), np.ones(60, bool))


def explained(network: torch.nn.Module, images: np.ndarray, layer: str | None = None) -> cams.Batch:
    shape = (1, 28, 28)
    _, module = models.target_layer(network, layer, shape)
    head = models.head(network, module, shape)
    parts = cams.compute(
        network, module, head, images, mean=[0.0], std=[1.0], input_size=28, batch_size=7
    )
    return cams.Batch(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def test_map_of_a_linear_machine_is_the_cam_of_its_weights() -> None:
    network, images, found = network_and_features()
    classifier = fitted(found, "linear")
    network.set_submodule("classifier", svm.Decision(classifier))
    ours = explained(network, images)
    # By hand: the sum of the margins of a class is linear in the pooled features.
    weights = classifier.support.T @ classifier.coefficient @ svm.Decision(classifier).sides.numpy()
    weights /= classifier.scale[:, None]
    with torch.inference_mode():
        pictures = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        activations = network.features(pictures).numpy()
    expected = np.einsum("kb,bkhw->bhw", weights[:, ours.targets], activations) / 25
    assert ours.maps == pytest.approx(expected, rel=1e-4, abs=1e-6 * float(np.abs(expected).max()))
    assert np.array_equal(ours.targets, svm.decide(classifier, found.x).argmax(axis=1))


def test_map_of_an_rbf_machine_on_the_deeper_network_is_pytorch_grad_cams() -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network, images, found = network_and_features("fashion_cnn_deep")
    network.set_submodule("classifier", svm.Decision(fitted(found, "rbf")))
    images = images[:8]
    ours = explained(network, images, models.last_map(network, (1, 28, 28)))
    assert ours.maps.shape == (8, 3, 3)
    network.requires_grad_(True)
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    with GradCAM(network, [network.features[10]]) as library:
        targets = [ClassifierOutputTarget(int(target)) for target in ours.targets]
        library(pictures, targets)
        activations = library.activations_and_grads.activations[0].numpy()
        gradients = library.activations_and_grads.gradients[0].numpy()
    expected = (gradients.mean(axis=(2, 3), keepdims=True) * activations).sum(axis=1)
    assert ours.maps == pytest.approx(expected, rel=1e-4, abs=1e-6 * float(np.abs(expected).max()))


def test_gradient_of_an_rbf_machine_is_that_of_finite_differences() -> None:
    found = vectors()
    decision = svm.Decision(fitted(found, "rbf"))
    x = torch.from_numpy(found.x[:5].astype(np.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(decision(x)[:, 3].sum(), x)
    step = 1e-6
    for feature in (10, 20, 42):
        shift = torch.zeros_like(x)
        shift[:, feature] = step
        with torch.no_grad():
            ahead, behind = (
                (decision.margins(x + sign * shift) @ decision.sides)[:, 3] for sign in (1, -1)
            )
        expected = (ahead - behind) / (2 * step)
        assert gradient[:, feature].numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_network_without_a_linear_layer_cannot_be_topped() -> None:
    with pytest.raises(CampareError, match=r"hybrid\.network: has no linear layer"):
        svm.with_head(torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3)), torch.nn.Identity())
