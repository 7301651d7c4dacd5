"""Recipes in the benchmark: all sides are the same training, operations are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import library
import recipes
from campare import checkpoints, user_code
from campare.augment import Augmenter, Batch
from campare.errors import CampareError
from campare.settings import Settings
from recipes import BASELINE, Recipe

CPU = torch.device("cpu")
PICTURES, LABELS = library.pictures(8, 32), np.arange(8) % 4


@pytest.fixture(autouse=True)
def no_files_of_the_recipes_afterwards() -> Iterator[None]:
    yield
    user_code.use("")


@pytest.fixture
def weights_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file under the name of the weights that config/finetune.yaml has."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    torch.save({"w": torch.zeros(1)}, "data/efficientnet-lite0-57934424.pth")


def few(name: str) -> Settings:
    """Two epochs of one batch, small networks."""
    settings = replace(Recipe.read(name).settings, epochs=2, batch_size=8, threads=1, device="cpu")
    if name == "cifar10":
        return settings
    own = {"architecture": "small_cnn", "weights": None, "batch_norm_momentum": None}
    return replace(settings, **own, input_size=32)


def trained(settings: Settings) -> dict[str, dict[str, torch.Tensor]]:
    return {
        "ours": recipes.ours(settings, PICTURES, LABELS)[0],
        "plain": recipes.plain(settings, PICTURES, LABELS, CPU)()[0],
        "bare": recipes.bare(settings, PICTURES, LABELS, CPU)[0],
    }


@pytest.mark.parametrize("name", ["cifar10", "finetune"])
def test_all_sides_start_from_the_same_weights(name: str, weights_there: None) -> None:
    rates = {"learning_rate": 0, "head_learning_rate": None, "bias_learning_rate": None}
    settings = replace(few(name), **rates)
    first = recipes.start(settings, PICTURES).state_dict()
    for weights in trained(settings).values():
        for key, value in first.items():
            if "running" not in key and "batches" not in key:
                assert torch.equal(weights[key], value), key


@pytest.mark.parametrize("name", ["cifar10", "finetune"])
def test_all_sides_are_the_same_training(name: str, weights_there: None) -> None:
    settings = replace(few(name), steps=(), probability=None)
    before = recipes.start(settings, PICTURES).state_dict()
    ours, *others = trained(settings).values()
    for name in before:
        moved = (ours[name] - before[name]).double().norm()
        # Muon computes in bfloat16, which amplifies the rounding of another order of sums.
        allowed = 0.003 if "running" in name else 0.1 if settings.optimizer == "muon" else 1e-4
        for weights in others:
            assert (weights[name] - ours[name]).double().norm() <= allowed * moved, name


def test_both_augmentations_draw_from_the_same_images() -> None:
    settings = Recipe.read("cifar10").settings
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    image, n = torch.from_numpy(picture).permute(0, 3, 1, 2), 3000
    pool = Batch(image, torch.eye(10)[:1])
    augmenter = Augmenter(settings.steps, 0, pool, lambda images: images)
    many = Batch(image.expand(n, -1, -1, -1).contiguous(), pool.targets.expand(n, -1).contiguous())
    drawn = augmenter(many, torch.arange(n), torch.ones(n, dtype=torch.long), 1).images
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in recipes.normalisation("training", picture))
    transform = recipes.transform(settings, picture)
    torch.manual_seed(0)
    shown = torch.stack([transform(image[0]) for _ in range(n)])
    theirs = ((shown * std + mean) * 255).round().to(torch.uint8)
    counts = [
        pd.Series([one.numpy().tobytes() for one in images]).value_counts()
        for images in (drawn, theirs)
    ]
    # 2 · 9 · 9 images, each about 18 times.
    assert set(counts[0].index) == set(counts[1].index)
    assert len(counts[0]) == 162
    for count in counts:
        assert ((count - n / 162) ** 2 / (n / 162)).sum() < 161 + 5 * (2 * 161) ** 0.5


def test_the_operations_of_cifar_cnn_are_those_of_its_layers() -> None:
    image, step = recipes.operations(few("cifar10"))
    # Outputs (channels, side) and inputs per output of each convolution; the head.
    layers = [(48, 31, 216), (48, 15, 432), (128, 15, 432), (128, 7, 1152), (192, 7, 1152)]
    layers += [(192, 7, 1728)]
    trained = sum(2 * out * side**2 * fan for out, side, fan in layers) + 2 * 192 * 10
    # The first layer's weights are fixed, and its inputs need no gradient.
    assert image == 3 * trained + 2 * 24 * 31**2 * 12
    assert image == pytest.approx(0.3689e9, rel=1e-4)
    # Five iterations: three products of a matrix (out, fan), one or two with its smaller side.
    sizes = [(min(out, fan), max(out, fan)) for out, _, fan in layers]
    assert step == sum(5 * (2 * 2 * a * a * b + 2 * a**3) for a, b in sizes)


@pytest.mark.parametrize("groups", [1, 4, 8])
@pytest.mark.parametrize("needed", [True, False])
def test_a_convolutions_gradients_cost_as_much_as_its_output(groups: int, needed: bool) -> None:
    layer = torch.nn.Conv2d(8, 16, 3, groups=groups)
    images = torch.zeros(2, 8, 7, 7, requires_grad=needed)
    mapping = {torch.ops.aten.convolution_backward: recipes.grouped_backward}
    with recipes.FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        layer(images).sum().backward()
    forward = 2 * (2 * 16 * 5 * 5) * (8 // groups * 9)
    assert counter.get_total_flops() == (3 if needed else 2) * forward


def test_operations_of_a_training_have_all_images_and_steps() -> None:
    recipe = Recipe.read("cifar10")
    image, step = recipes.operations(recipe.settings)
    epochs = recipe.settings.epochs
    assert recipe.steps == epochs * 90
    assert recipe.operations.total == 45_000 * epochs * image + 90 * epochs * step


def test_a_recipe_without_its_weights_is_named_and_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipes, "BATCHES", {"finetune": 1})
    monkeypatch.setattr(recipes, "MEASURED", tmp_path / "none.csv")
    assert list(recipes.rows(1, CPU)) == []
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("recipe_finetune is not trained: finetune.yaml: model.weights: there is")


def test_accuracies_of_a_study_are_checked_against_its_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "_test_images", lambda results: (PICTURES, LABELS))
    monkeypatch.setattr(recipes, "accuracy_of_six_views", lambda *of: 0.95)
    design = Recipe.read("cifar10").design
    results = tmp_path / "cifar10"
    (results / "tables").mkdir(parents=True)
    models = [("flip_and_shift", 1), (BASELINE, 11), ("affine", 1)]
    rows = [f"{arm},{seed},0.9" for arm, seed in models]
    table = "\n".join(["augmentation,seed,accuracy", *rows])
    (results / "tables" / "performance.csv").write_text(table)

    def write(**changes: object) -> None:
        for arm, seed in models:
            path = results / "models" / arm / f"{seed}.safetensors"
            path.parent.mkdir(parents=True, exist_ok=True)
            used = recipes.asdict(Settings(**design.training((arm, seed)))) | changes
            checkpoints.save(path, {"w": torch.zeros(1)}, {"settings": used})
            pd.DataFrame({"epoch": [1, 2], "seconds": [30, 60]}).to_csv(path.with_suffix(".csv"))

    write(precision="bfloat16")
    found = recipes.accuracies(results, "here")
    assert found["augmentation"].tolist() == ["flip_and_shift", BASELINE]
    assert found["minutes"].tolist() == [1.5, 1.5]
    assert found["precision"].tolist() == ["bfloat16"] * 2
    write(momentum=0.7)
    with pytest.raises(CampareError, match="other settings: momentum"):
        recipes.accuracies(results, "here")
    with pytest.raises(CampareError, match="no recipe"):
        recipes.accuracies(tmp_path, "here")


def test_accuracies_are_rows_beside_their_goals() -> None:
    table = pd.DataFrame(
        {
            "recipe": ["cifar10"] * 3,
            "augmentation": ["flip_and_shift"] * 2 + [BASELINE],
            "machine": ["m"] * 3,
            "test_accuracy": [0.9, 0.945, 0.84],
            "test_accuracy_six_views": [0.9, np.nan, np.nan],
        }
    )
    with_, views, without = recipes.accuracy_rows("cifar10", table)
    assert (views.name, views.n, views.ratio) == ("recipe_cifar10_accuracy_six_views", 1, 1)
    assert (with_.name, with_.n, with_.goal) == ("recipe_cifar10_accuracy", 2, 1)
    assert (with_.low, with_.ratio, with_.high) == pytest.approx((1, 1.025, 1.05))
    assert (without.name, without.ratio) == ("recipe_cifar10_accuracy_baseline", 1)


def test_networks_without_a_goal_have_no_row() -> None:
    table = pd.read_csv(recipes.MEASURED)
    (row,) = recipes.accuracy_rows("finetune", table)
    assert row.name == "recipe_finetune_accuracy"
    assert {"baseline", "cutmix"} < set(table.loc[table["recipe"] == "finetune", "augmentation"])


def test_six_views_are_those_of_airbench() -> None:
    images = torch.from_numpy(PICTURES).permute(0, 3, 1, 2).double() / 255
    weights = torch.randn(3 * 32 * 32, 4, dtype=torch.double, generator=torch.manual_seed(0))

    def network(x: torch.Tensor) -> torch.Tensor:
        return (x.flatten(1) @ weights).tanh()

    def mirrored(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * network(x) + 0.5 * network(x.flip(-1))

    padded = torch.nn.functional.pad(images, (1,) * 4, "reflect")
    shifted = torch.stack([mirrored(padded[:, :, k : k + 32, k : k + 32]) for k in (0, 2)]).mean(0)
    expected = 0.5 * mirrored(images) + 0.5 * shifted
    torch.testing.assert_close(recipes.six_views(network, images), expected)
