"""Sanity checks of maps: values of Quantus 0.6.0, definitions, randomised networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from scipy import stats
from torch import nn

from campare import cifar_cnn, models, sanity, similarity
from campare.plots import sanity as figures
from campare.store import Store

# Scores of Quantus 0.6.0 with torch 2.15 for `network()`, the images and classes of `SAMPLE`, and
# as explanation the Grad-CAM of the second convolution after its ReLU, bilinearly enlarged to
# 12×12 px: as `maps.show` makes it for the similarities, signed for entropy and for noisy copies.
QUANTUS: dict[str, Any] = {
    "mprt": {  # similarity_func=correlation_spearman, layer_order="top_down", seed=42
        "7": [np.nan, 0.809105, np.nan, -0.042272, 0.714919],
        "3": [-0.161624, 0.154269, np.nan, 0.297673, -0.016539],
        "0": [-0.232565, 0.253382, np.nan, 0.479999, 0.540393],
    },
    # discrete_entropy, n_bins=20, layer_order="bottom_up", seed=42
    "emprt": [-0.022677, 0.066126, 0.06124, 0.001419, 0.003865],
    "random_logit": [0.604086, 0.798802, np.nan, np.nan, 0.78752],  # num_classes=4, seed=42
    # Pixel (3, 4) of maps averaged by SmoothMPRT.explain_smooth_batch_numpy, nr_samples=4,
    # noise_magnitude=0.1, numpy's seed 3; in place of quantus.explain, which it calls whatever
    # explain_func is, the function of the maps.
    "smooth": [0.166641, -0.047813, -0.160985, -0.011676, 0.055704],
}


def network() -> nn.Module:
    layers = [nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    made = nn.Sequential(*layers, nn.Linear(8, 4))
    random = np.random.RandomState(7)
    made.load_state_dict(
        {
            name: torch.tensor(random.normal(0, 0.5, tuple(tensor.shape)).astype(np.float32))
            for name, tensor in made.state_dict().items()
        }
    )
    return made.eval()


SAMPLE = np.random.RandomState(1).normal(size=(5, 1, 12, 12)).astype(np.float32)
TARGETS = np.array([0, 1, 2, 3, 1])
# Prepared inputs: these settings leave them as they are.
AS_THEY_ARE = {"mean": [0.0], "std": [1 / 255]}


def explainer(**changes: Any) -> sanity.Explainer:
    settings: dict[str, Any] = {
        "images": SAMPLE.transpose(0, 2, 3, 1).copy(),
        "index": np.arange(5),
        **AS_THEY_ARE,
        "input_size": 12,
        "method": "gradcam",
        "target_layer": "4",
        "batch_size": 2,
        "fold_batch_norm": True,
        "device": torch.device("cpu"),
        "noise": 0.1,
        "samples": 2,
        "seed": 0,
    }
    return sanity.Explainer(**settings | changes)


class Fresh(sanity.Explainer):
    """`prepare` divides in place, which images that are float32 already must survive."""

    def _run(self, ready: Any, targets: Any, images: Any, mean: Any, std: Any) -> Any:
        return super()._run(ready, targets, images.copy(), mean, std)


def fresh(**changes: Any) -> sanity.Explainer:
    return Fresh(**vars(explainer(**changes)))


def store(maps: Any = None, classes: int = 4) -> Store:
    attributes = {
        "study": "s",
        "split_sha256": "x",
        "input_size": 12,
        "augmentation": "a",
        "seed": 1,
    }
    blank = np.zeros((5, 6, 6), np.float32) if maps is None else maps
    logit = np.zeros((5, classes), np.float32)
    return Store(blank, logit, logit, TARGETS, np.arange(5), TARGETS, attributes)


def quantus_random(made: nn.Module) -> dict[str, torch.Tensor]:
    """The state after Quantus has given every layer random weights with seed 42."""
    for layer in made.modules():
        if hasattr(layer, "reset_parameters"):
            torch.manual_seed(43)
            layer.reset_parameters()
    return made.state_dict()


def compare(**changes: Any) -> Callable[..., list[pd.DataFrame]]:
    settings = {"metrics": ["spearman"], "size": (12, 12), "epsilon": 1e-7}
    return partial(similarity.tables, **settings | changes)


def measured(**changes: Any) -> pd.DataFrame:
    arguments: dict[str, Any] = {"points": 10, "bins": 20} | changes
    return pd.concat(
        sanity.measure(
            lambda seed: network(),
            network().state_dict(),
            quantus_random(network()),
            store(),
            fresh(),
            compare(),
            **arguments,
        ),
        ignore_index=True,
    )


def test_cascade_and_entropy_are_those_of_quantus() -> None:
    table = measured()
    cascade = table[(table["check"] == "mprt") & (table["randomised"] > 0)]
    assert list(cascade["layer"].unique()) == ["7", "3", "0"]
    for name, expected in QUANTUS["mprt"].items():
        found = cascade.loc[cascade["layer"] == name, "spearman"].to_numpy()
        np.testing.assert_allclose(found, expected, atol=2e-5)
    rise = sanity._final(table, "emprt", "")
    np.testing.assert_allclose(rise, QUANTUS["emprt"], atol=2e-6)


def test_map_of_another_class_is_that_of_quantus() -> None:
    random = np.random.RandomState(42)
    others = [[k for k in range(4) if k != target] for target in TARGETS]
    drawn = [rest[at] for rest, at in zip(others, random.randint(0, 3, 5), strict=True)]
    made = fresh()
    ready = made.ready(network())
    own, other = (made.maps(ready, np.array(of)) for of in (TARGETS, drawn))
    (table,) = compare()(store(own), [store(other)])
    np.testing.assert_allclose(table["spearman"], QUANTUS["random_logit"], atol=2e-5)


def test_mean_map_of_noisy_images_is_that_of_quantus(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.RandomState(3)
    extent = SAMPLE.max((1, 2, 3), keepdims=True) - SAMPLE.min((1, 2, 3), keepdims=True)
    drawn = [random.randn(*SAMPLE.shape) for _ in range(3)] + [np.zeros(SAMPLE.shape)]
    noisy = [torch.tensor(SAMPLE + e * 0.1 * extent, dtype=torch.float32) for e in drawn]
    monkeypatch.setattr(sanity, "noised", lambda inputs, index, noise, sample, seed: noisy[sample])
    made = fresh(samples=4)
    smooth = made.smooth(made.ready(network()), TARGETS)
    enlarge = sanity.maps.interpolation(6, 12)
    found = (enlarge @ smooth @ enlarge.T)[:, 3, 4]
    np.testing.assert_allclose(found, QUANTUS["smooth"], atol=1e-6)


def test_noise_is_gaussian_and_depends_on_image_and_sample_only() -> None:
    inputs = torch.rand(6, 3, 20, 20) * torch.arange(1, 7).view(-1, 1, 1, 1)
    index = np.array([4, 9, 2, 7, 1, 3])
    noise = sanity.noised(inputs, index, 0.5, 3, 0) - inputs
    extent = inputs.amax((1, 2, 3)) - inputs.amin((1, 2, 3))
    unit = (noise / (0.5 * extent.view(-1, 1, 1, 1))).numpy()
    assert stats.kstest(unit.ravel(), "norm").pvalue > 0.01
    alone = sanity.noised(inputs[2:3], index[2:3], 0.5, 3, 0)
    assert torch.equal(alone, inputs[2:3] + noise[2:3]) or torch.allclose(
        alone, inputs[2:3] + noise[2:3], atol=1e-6
    )
    for other in (sanity.noised(inputs, index, 0.5, 4, 0), sanity.noised(inputs, index, 0.5, 3, 1)):
        assert abs(np.corrcoef((other - inputs).ravel(), noise.ravel())[0, 1]) < 0.05


def test_entropy_is_that_of_scipy_and_ignores_scale_and_offset() -> None:
    maps = np.random.default_rng(0).normal(size=(4, 9, 9)).astype(np.float32)
    expected = [stats.entropy(np.histogram(each, 15)[0]) for each in maps.astype(np.float64)]
    assert sanity.entropy(maps, 9, 15) == pytest.approx(expected)
    assert sanity.entropy(4 * maps + 1, 9, 15) == pytest.approx(expected, abs=0.05)
    assert (sanity.entropy(np.ones_like(maps), 9, 15) == 0).all()
    assert np.isnan(sanity.relative_rise([0.0], [1.0])).all()
    assert sanity.relative_rise([2.0], [3.0]) == pytest.approx([0.5])


def test_other_classes_are_even_and_never_the_explained_one() -> None:
    targets = np.repeat(np.arange(4), 2000)
    others = sanity.other_classes(targets, 4, np.arange(8000), 0)
    assert not (others == targets).any()
    for k in range(4):
        counts = np.bincount(others[targets == k], minlength=4)
        assert stats.chisquare(np.delete(counts, k)).pvalue > 0.001


@pytest.mark.parametrize(
    ("architecture", "first", "last", "count"),
    [
        ("small_cnn", "classifier", "features.0", 4),
        ("resnet18", "fc", "conv1", 21),
        ("timm:vit_tiny_patch16_224", "head", "network", 51),
        ("timm:convnext_atto", "head.fc", "stem.0", 41),
    ],
)
def test_layers_run_from_the_classifier_to_the_image_and_hold_all_tensors(
    architecture: str, first: str, last: str, count: int
) -> None:
    side = 224 if "vit" in architecture else 64
    made = models.build(architecture, classes=5, channels=3, seed=0).eval()
    found = sanity.layers(made, (3, side, side))
    assert (found[0].name, found[-1].name) == (first, last)
    tensors = [tensor for layer in found for tensor in layer.tensors]
    assert sorted(tensors) == sorted(made.state_dict())
    assert len(found) == count


def test_batch_norms_belong_to_the_convolution_before_them() -> None:
    made = models.build("small_cnn", classes=5, channels=3, seed=0).eval()
    of_first = sanity.layers(made, (3, 32, 32))[-1].tensors
    assert {"features.0.weight", "features.1.running_mean"} <= {*of_first}


def test_random_weights_are_new_in_every_layer() -> None:
    """Also where an architecture starts with zeros or identities, as cifar_cnn does."""

    def build(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made = cifar_cnn.cifar_cnn(4, 3)
        nn.init.zeros_(made.head.weight)  # type: ignore[arg-type]
        return made

    one, again, other = (sanity.random_weights(build, seed, 5) for seed in (0, 0, 1))
    initial = build(seed=5).state_dict()
    weights = [name for name, _ in build(seed=0).named_parameters() if initial[name].ndim > 1]
    assert "head.weight" in weights
    for name in weights:
        assert torch.equal(one[name], again[name])
        for state in (other, initial):
            assert (one[name] != state[name]).all(), name
        spread = one[name].std() * one[name][0].numel() ** 0.5
        assert 0.4 < spread < 2, name  # as torch draws them, 1/√3, or as the architecture does
    assert not torch.equal(one["head.weight"], sanity.random_weights(build, 0, 6)["head.weight"])


@pytest.mark.parametrize(
    ("total", "points", "expected"),
    [(4, 10, [1, 2, 3, 4]), (82, 4, [1, 28, 55, 82]), (5, 1, [5]), (3, 2, [1, 3])],
)
def test_copies_are_evenly_spaced(total: int, points: int, expected: list[int]) -> None:
    assert sanity.counts(total, points) == expected


def test_labels_of_training_images_are_permuted_and_those_of_the_test_are_not() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 500)
    split = pd.DataFrame({"index": np.arange(450), "label": labels[:450]})
    split["subset"] = np.repeat(["train", "validation", "test"], [300, 50, 100])
    permuted = sanity.permuted_labels(labels, split, 0)
    assert (permuted[350:] == labels[350:]).all()
    assert 0.02 < (permuted[:350] == labels[:350]).mean() < 0.2
    assert np.array_equal(np.bincount(permuted[:350]), np.bincount(labels[:350]))
    assert not np.array_equal(permuted, sanity.permuted_labels(labels, split, 1))


def test_a_network_that_is_not_randomised_keeps_its_maps_and_overflow_is_undefined() -> None:
    state = network().state_dict()
    same = pd.concat(
        sanity.measure(
            lambda seed: network(), state, state, store(), fresh(samples=0), compare(),
            points=10, bins=20, permuted=state,
        )
    )  # fmt: skip
    assert "smprt" not in set(same["check"])
    kept = same[same["check"].isin(["mprt", "permuted_labels"])]["spearman"].dropna()
    assert kept.to_numpy() == pytest.approx(np.ones(len(kept)))
    huge = {name: torch.full_like(tensor, 1e38) for name, tensor in state.items()}
    made = fresh()
    overflown = network()
    overflown.load_state_dict(huge)
    assert not made.maps(made.ready(overflown), TARGETS).any()


def tables(seeds: int = 2) -> tuple[list[tuple[str, int]], list[pd.DataFrame]]:
    """Measurements of three models with two layers, similarities between 0 and 1."""
    random = np.random.default_rng(0)
    models_of = [(name, seed) for name in ("baseline", "affine", "cutmix") for seed in range(seeds)]
    every = []
    for name, _ in models_of:
        rows = [
            ("mprt", 0, "", 1.0), ("other_image", 0, "", 0.3), ("random_logit", 0, "", 0.2),
            ("permuted_labels", 0, "", 0.35), ("mprt", 1, "head", 0.6), ("smprt", 1, "head", 0.7),
            ("mprt", 2, "conv", 0.4 if name == "affine" else 0.3), ("smprt", 2, "conv", 0.3),
        ]  # fmt: skip
        parts = [
            pd.DataFrame(
                {"check": check, "randomised": count, "layer": layer, "index": np.arange(30)}
                | {"entropy": 4 - count + random.normal(0, 0.1, 30)}
                | {"pearson": value + random.normal(0, 0.05, 30)}
            )
            for check, count, layer, value in rows
        ]
        every.append(pd.concat(parts, ignore_index=True))
    return models_of, every


def test_summary_has_the_checks_their_reference_and_their_difference_from_the_baseline() -> None:
    found = sanity.summary(*tables(), ["pearson"], 0, paired=False)
    assert list(found["check"].unique()) == [
        "emprt", "mprt", "smprt", "random_logit", "permuted_labels", "other_image",
    ]  # fmt: skip
    rows = found.set_index(["augmentation", "check"])
    affine = rows.loc["affine", "mprt"]
    assert affine["mean"] == pytest.approx(0.4, abs=0.03)
    assert affine["above"] == pytest.approx(0.1, abs=0.03)
    assert affine["above_low"] < affine["above"] < affine["above_high"]
    assert affine["difference_low"] > 0
    assert rows.loc["cutmix", "emprt"]["mean"] == pytest.approx(-0.5, abs=0.02)
    assert np.isnan(rows.loc["baseline", "mprt"]["difference"])
    layers = sanity.by_layer(*tables(), ["pearson"], 0)
    assert list(layers[["check", "randomised", "layer"]].drop_duplicates().to_numpy().tolist()) == [
        ["mprt", 1, "head"], ["mprt", 2, "conv"], ["smprt", 1, "head"], ["smprt", 2, "conv"],
    ]  # fmt: skip


def drawn() -> Figure:
    models_of, every = tables()
    layers = sanity.by_layer(models_of, every, ["pearson"], 0)
    summary = sanity.summary(models_of, every, ["pearson"], 0, paired=False)
    return figures.checks(layers, summary, "pearson")


@pytest.mark.parametrize("seeds", [1, 3])
def test_figure_shows_every_check_of_every_augmentation(seeds: int) -> None:
    models_of, every = tables(seeds)
    layers = sanity.by_layer(models_of, every, ["pearson"], 0)
    summary = sanity.summary(models_of, every, ["pearson"], 0, paired=False)
    figure = figures.checks(layers, summary, "pearson")
    titles = [axes.get_title(loc) for axes in figure.axes for loc in ("left", "center")]
    assert len([title for title in titles if title]) == 5
    first, second, _, *similarities = figure.axes
    assert first.get_ylim() == second.get_ylim()
    for axes in similarities:  # all points are within the axes, which have one scale
        assert axes.get_xlim() == similarities[0].get_xlim()
        low, high = axes.get_xlim()
        points = np.concatenate([np.ravel(line.get_xdata()) for line in axes.lines])
        assert low < points.min() and points.max() < high
    without = summary[summary["check"] != "permuted_labels"]
    fewer = figures.checks(layers[layers["check"] == "mprt"], without, "pearson")
    assert len(fewer.axes) == 3


@pytest.mark.parametrize("count", [2, 4, 7])
def test_the_legend_of_the_figure_is_within_it(count: int) -> None:
    names = ["baseline", "horizontal_flip", "mixup", "duplicated_originals"]
    names = [*names, *(f"an_augmentation_with_a_long_name_{k}" for k in range(3))][:count]
    table = pd.DataFrame([(name, "mprt", "pearson", 2) for name in names])
    table.columns = ["augmentation", "check", "metric", "randomised"]
    table = table.assign(mean=0.5, low=0.4, high=0.6)
    others = pd.concat([table.assign(check=check) for check in ("random_logit", "other_image")])
    figure = figures.checks(table, others, "pearson")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
