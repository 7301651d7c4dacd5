"""What a GPU computes: equal bytes each time, and the CPU's results within rounding.

`CAMPARE_TEST_DEVICE=cpu` runs the tests themselves without a GPU.
"""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_faithfulness
import torch
from numpy.typing import NDArray
from test_cams import THESIS, computed, network_of, pictures, prepared
from test_recipes import Study, few_digits
from test_similarity import EPSILON, METRICS, kinds, make
from test_train import settings

from campare import devices, explain, registry, seeding, similarity, store, train, user_code
from campare.augment import Augmenter, Batch
from campare.checkpoints import Weights
from campare.settings import Settings
from library import METHODS, apart, explained

DEVICE = os.environ.get("CAMPARE_TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="no GPU"),
]

PRECISIONS = ("float32", "tf32", "bfloat16")
RECIPES: dict[str, dict[str, Any]] = {
    "adam": {"augmentation": "affine", "gradient_clip": 0.5},
    "adamw": {"augmentation": "cutmix_mixed", "optimizer": "adamw", "schedule": "cosine"},
    "one_cycle": {
        "augmentation": "cutmix", "copies": 0, "probability": 0.7, "sampling": "balanced",
        "optimizer": "sgd", "nesterov": True, "schedule": "one_cycle", "ema": 0.9,
        "label_smoothing": 0.2, "batch_size": 25, "architecture": "cifar_cnn", "input_size": 32,
    },
    "muon": {
        "augmentation": "shift", "optimizer": "muon", "schedule": "linear",
        "architecture": "cifar_cnn", "input_size": 32, "probability": 1, "copies": 0,
    },
    "weighted": {
        "augmentation": "rand_augment", "loss": "binary_cross_entropy", "warmup": 0.5,
        "class_weights": "balanced", "architecture": "resnet18_cifar", "batch_size": 50,
    },
    "random_depth": {
        "augmentation": "color_jitter", "architecture": "gpu_networks.py:random_depth",
        "input_size": 32,
    },
    "frozen": {
        "architecture": "timm:test_efficientnet", "input_size": 64, "freeze": "all_but_head",
        "copies": 0, "optimizer": "sgd",
    },
    "recalibrated": {
        "architecture": "timm:test_resnet", "input_size": 64, "copies": 0,
        "recalibrate_batch_norm": 2, "head_learning_rate": 0.02,
    },
    "attention": {
        "architecture": "timm:test_vit", "input_size": 160, "copies": 0, "epochs": 1,
        "learning_rate": 1e-3,
    },
    "pooled": {"architecture": "gpu_networks.py:pooled", "copies": 0},
}  # fmt: skip
# One batch size, so that cuDNN loads kernels of few shapes.
THESIS_RECIPE = {
    "architecture": "efficientnet_b0", "input_size": 32, "copies": 0, "epochs": 1, "batch_size": 60,
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Study:
    return few_digits()


@pytest.fixture(autouse=True)
def deterministic() -> None:
    seeding.deterministic(1)
    user_code.use(Path(__file__).parent)


def recipe(name: str, **changes: Any) -> Settings:
    return settings(**{"learning_rate": 5e-3, **RECIPES[name], "device": DEVICE, **changes})


def trained(own: Settings, study: Study, folder: Path, **options: Any) -> Weights:
    """The weights after training in a folder of its own."""
    folder.mkdir(exist_ok=True)
    given = {"name": "a/1", "checkpoint": folder / "checkpoint", "code": []}
    weights, *_ = train.train(own, *study, progress=lambda _: None, **given, **options)
    return weights


def assert_equal(found: Weights, expected: Weights) -> None:
    different = [name for name, value in found.items() if not torch.equal(value, expected[name])]
    apart = {name: float((found[name].double() - expected[name].double()).abs().max())
             for name in different}  # fmt: skip
    assert not different, f"{len(different)} of {len(found)} tensors: {apart}"


# Training.


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", RECIPES)
def test_training_twice_gives_equal_weights(
    name: str, precision: str, study: Study, tmp_path: Path
) -> None:
    own = recipe(name, precision=precision)
    expected = trained(own, study, tmp_path / "once")
    assert_equal(trained(own, study, tmp_path / "twice"), expected)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", RECIPES)
def test_a_cuda_graph_trains_equal_weights(
    name: str, precision: str, study: Study, tmp_path: Path
) -> None:
    own = recipe(name, precision=precision)
    expected = trained(own, study, tmp_path / "steps")
    graph = dataclasses.replace(own, cuda_graph=True)
    assert_equal(trained(graph, study, tmp_path / "graph"), expected)


def test_a_cuda_graph_trains_equal_weights_of_the_thesis(study: Study, tmp_path: Path) -> None:
    own = settings(**THESIS_RECIPE, precision="bfloat16", device=DEVICE)
    expected = trained(own, study, tmp_path / "steps")
    graph = dataclasses.replace(own, cuda_graph=True)
    assert_equal(trained(graph, study, tmp_path / "graph"), expected)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("name", ["adam", "one_cycle", "random_depth"])
def test_a_stopped_training_continues_with_equal_weights(
    name: str, graph: bool, study: Study, tmp_path: Path
) -> None:
    own = recipe(name, precision="bfloat16", cuda_graph=graph)
    expected = trained(own, study, tmp_path / "whole")
    asked = iter([False, False, False, True])
    with pytest.raises(train.Stopped):
        trained(own, study, tmp_path / "parts", stopping=lambda: next(asked))
    assert_equal(trained(own, study, tmp_path / "parts"), expected)


def digest(folder: Path) -> str:
    """SHA-256 of trained weights; runs in a process of its own."""
    own = recipe("one_cycle", precision="bfloat16", cuda_graph=True, epochs=3)
    values = hashlib.sha256()
    for name, tensor in trained(own, few_digits(), folder).items():
        values.update(name.encode() + tensor.numpy().tobytes())
    return values.hexdigest()


def test_two_processes_that_share_a_gpu_train_the_weights_of_one(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        found = list(pool.map(digest, [tmp_path / "a", tmp_path / "b"]))
    assert found == [digest(tmp_path / "alone")] * 2


@pytest.mark.parametrize("name", ["adam", "one_cycle"])
def test_a_gpu_learns_what_the_cpu_learns(name: str, study: Study, tmp_path: Path) -> None:
    """The losses of the first steps agree; later ones may not, because rounding errors grow."""
    losses = []
    for device in ("cpu", DEVICE):
        own = recipe(name, device=device, epochs=1, batch_size=60)
        (tmp_path / device).mkdir(exist_ok=True)
        given = {"name": "a/1", "checkpoint": tmp_path / device / "checkpoint", "code": []}
        _, _, history = train.train(own, *study, progress=lambda _: None, **given)
        losses.append(history["train_loss"][0])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


# Augmentation.


@pytest.mark.parametrize("size", [(3, 32, 32), (1, 28, 28)], ids=str)
@pytest.mark.parametrize("name", registry.AUGMENTATIONS)
def test_an_augmentation_gives_the_images_of_the_cpu(name: str, size: tuple[int, int, int]) -> None:
    """Of a thousand values, at most one is another level: where a rounding decides."""
    parameters = registry.AUGMENTATIONS[name].parameters
    steps = [(name, {key: value.default for key, value in parameters.items()})]
    images = torch.from_numpy(pictures(64, size[1], size[0])).permute(0, 3, 1, 2).contiguous()
    results = []
    for device in ("cpu", DEVICE):
        batch = Batch(images.to(device), torch.eye(10, device=device)[torch.arange(64) % 10])
        keys = torch.arange(64, device=device)
        changed = Augmenter(steps, 3, batch)(batch, keys, torch.ones_like(keys), 1)
        results.append((changed.images.cpu().int(), changed.targets.cpu()))
    (expected, targets), (found, of_found) = results
    assert torch.allclose(of_found, targets, rtol=0, atol=1e-6)
    gap = (found - expected).abs()
    share, images_apart = float((gap > 0).float().mean()), int(gap.flatten(1).any(1).sum())
    assert share <= 1e-3, (
        f"{share:.3%} of the values in {images_apart} of {len(gap)} images; {(gap > 1).sum()} "
        f"values by more than one level, at most {gap.max()}"
    )


# Maps.


def on_both(
    architecture: str, method: str, size: int = 64, **options: Any
) -> tuple[NDArray[np.uint8], Any, Any]:
    """Images, and their maps on the CPU and on the device, of the classes predicted on the CPU."""
    images = pictures(5, size)
    network, layer, head = network_of(architecture, images, size)
    expected = computed(network, layer, head, images, size, method=method, **options)
    network, layer, head = network_of(architecture, images, size)
    given = {"targets": expected.targets, "device": DEVICE, **options}
    found = computed(network, layer, head, images, size, method=method, **given)
    return images, expected, found


def assert_close(found: Any, expected: Any, tolerance: float = 1e-4) -> None:
    """Maps and scores, as shares of the largest value of each map."""
    largest = np.abs(expected.maps).max(axis=(1, 2), keepdims=True)
    gap = np.abs(found.maps - expected.maps) / largest
    assert gap.max() <= tolerance, gap.max()
    assert_close_scores(found, expected, tolerance)


def assert_close_scores(found: Any, expected: Any, tolerance: float) -> None:
    scale = np.abs(expected.logits).max()
    np.testing.assert_allclose(found.logits, expected.logits, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("method", registry.CAM_METHODS)
def test_maps_are_those_of_the_cpu(method: str) -> None:
    _, expected, found = on_both("small_cnn", method, 32)
    assert_close(found, expected)


OTHERS = [*THESIS, "cifar_cnn", "alexnet", "timm:test_resnet"]


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
@pytest.mark.parametrize("architecture", OTHERS)
def test_maps_of_other_networks_are_those_of_the_cpu(architecture: str, method: str) -> None:
    _, expected, found = on_both(architecture, method, fold_batch_norm=True)
    assert_close(found, expected, 2e-4)


@pytest.mark.parametrize("architecture", OTHERS)
def test_input_gradients_of_other_networks_are_those_of_the_cpu(architecture: str) -> None:
    """A unit whose input rounds to another side of ReLU's zero changes the gradient it sees.

    So do two algorithms on the CPU: DenseNet-121's maps with and without oneDNN are 0.041 apart in
    a pixel, and correlate at 0.998. On an H200 their median gap to the CPU's was 0.0002.
    """
    _, expected, found = on_both(architecture, "input_gradient", fold_batch_norm=True)
    assert_close_scores(found, expected, 2e-4)
    pairs = zip(found.maps, expected.maps, strict=True)
    correlations = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in pairs]
    gap = np.abs(found.maps - expected.maps) / expected.maps.max(axis=(1, 2), keepdims=True)
    about = f"correlations {correlations}; gaps: median {np.median(gap)}, largest {gap.max()}"
    assert min(correlations) > 0.99 and np.median(gap) <= 1e-3, about


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_the_librarys_on_the_same_device(method: str) -> None:
    images, _, found = on_both("small_cnn", method, 32)
    network, layer, _ = network_of("small_cnn", images, 32)
    inputs = prepared(images, 32).to(DEVICE)
    with devices.convolutions(tf32=False):
        theirs = explained(method, network.to(DEVICE), layer, inputs, found.targets)
    assert apart(method, found.maps, theirs) <= 1e-4


def test_a_store_is_that_of_the_cpu(tmp_path: Path) -> None:
    images, size = pictures(9, 32), 32
    (tmp_path / "file").write_bytes(b"weights")
    stores = []
    for device in ("cpu", DEVICE):
        network, *_ = network_of("resnet18_cifar", images, size)
        given = dict.fromkeys(explain.RECORDED, "x")
        given |= {"input_size": size, "seed": 1, "threads": 1, "method": "gradcam"}
        given |= {"target_layer": None, "batch_size": 4, "fold_batch_norm": True}
        explain.into_store(
            tmp_path / f"{device}.h5",
            network,
            {"mean": [0.5, 0.4, 0.6], "std": [0.2, 0.3, 0.25]},
            images,
            np.arange(9),
            np.arange(9),
            settings=given,
            baseline=None,
            device=torch.device(device),
            weights=[str(tmp_path / "file")],
            split=str(tmp_path / "file"),
            with_progress=lambda batches: batches,
        )
        stores.append(store.read(tmp_path / f"{device}.h5"))
    expected, found = stores
    np.testing.assert_array_equal(found.predicted, expected.predicted)
    np.testing.assert_allclose(found.logit, expected.logit, rtol=1e-3, atol=1e-4)
    largest = np.abs(expected.maps).max()
    np.testing.assert_allclose(found.maps, expected.maps, rtol=0, atol=1e-4 * largest)
    assert found.attributes["device"] == DEVICE


# Comparison.


@pytest.mark.parametrize("size", [None, (32, 32)])
def test_similarities_are_those_of_the_compiled_loops(size: tuple[int, int] | None) -> None:
    rng = np.random.default_rng(0)
    logits = [rng.standard_normal((19, 3)).astype(np.float32) for _ in range(3)]
    baseline, *models = (make(kinds(rng, 7, 7), each) for each in logits)
    device = "cpu:0" if DEVICE == "cpu" else DEVICE  # the loops in torch, on the CPU, too
    found, expected = (
        similarity.tables(baseline, models, METRICS, size, EPSILON, 1, where)
        for where in (device, "cpu")
    )
    for table, of_cpu in zip(found, expected, strict=True):
        for name in METRICS:
            np.testing.assert_allclose(table[name], of_cpu[name], rtol=1e-9, atol=1e-11)


def test_faithfulness_is_that_of_the_cpu() -> None:
    expected = test_faithfulness.measured()
    found = test_faithfulness.measured(device=torch.device(DEVICE))
    assert found.drop(columns="probability").equals(expected.drop(columns="probability"))
    np.testing.assert_allclose(found["probability"], expected["probability"], rtol=0, atol=1e-4)
