"""Tables and figures of the stage robustness: changes as those of the accuracy, means by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colorbar import Colorbar
from test_plots_names import shown
from torch import nn

from campare import columns, controls, robustness
from campare.design import Model
from campare.plots import robustness as plots

MODELS: list[Model] = [
    *(("baseline", seed) for seed in (1, 11, 12, 13, 14, 15)),
    *(("affine", seed) for seed in (1, 2, 3)),
    *(("cutmix", seed) for seed in (1, 2, 3)),
    *(("duplicated_originals", seed) for seed in (21, 22, 23, 24)),
]
MATCHED = ["duplicated_originals"]


def test_changes_are_those_of_the_accuracy() -> None:
    random = np.random.default_rng(0)
    correct = {model: random.random(50) < 0.7 for model in MODELS}
    expected = controls.accuracy_changes(correct, MATCHED, 0)
    found = pd.DataFrame(controls.changes(correct, MATCHED, 0))
    names = {"mean": "accuracy", "reference_mean": "reference_accuracy"}
    names |= {c: f"accuracy_{c}" for c in controls.CHANGED if c.startswith("change")}
    found = found.rename(columns=names)[[c for c in expected if not c.startswith("g")]]
    pd.testing.assert_frame_equal(found, expected[list(found)])


def test_undefined_values_are_left_out_of_changes() -> None:
    values = {model: np.array([0.2, np.nan, 0.6]) for model in MODELS}
    values["affine", 1] = np.array([0.5, 0.9, 0.7])
    row = controls.changes(values, [], 0)[0]
    assert row["augmentation"] == "affine"
    assert row["mean"] == pytest.approx((0.7 + 0.4 + 0.4) / 3)
    assert row["reference_mean"] == pytest.approx(0.4)


def predictions(seed: int) -> pd.DataFrame:
    """Predictions for 12 images under two corruptions at two severities; label 0 is correct."""
    random = np.random.default_rng(seed)
    kinds = [("none", 0), ("fog", 1), ("fog", 5), ("snow", 1), ("snow", 5)]
    return pd.DataFrame(
        [
            {"corruption": name, "severity": severity, "index": 3 * image, "label": 0}
            | {"prediction": int(random.random() < 0.1 * (1 + severity))}
            for name, severity in kinds
            for image in range(12)
        ]
    )


MEASURED = [predictions(place) for place in range(len(MODELS))]


def test_accuracy_under_each_corruption() -> None:
    found = robustness.corruption_accuracy(MODELS, MEASURED)
    assert list(found) == list(columns.TABLES["corruption_accuracy"].columns)
    first = MEASURED[0]
    chosen = first[(first["corruption"] == "snow") & (first["severity"] == 5)]
    row = found[(found["corruption"] == "snow") & (found["severity"] == 5)].iloc[0]
    assert row["accuracy"] == (chosen["prediction"] == 0).mean()
    assert (row["augmentation"], row["seed"], row["images"]) == ("baseline", 1, 12)


def test_changes_of_each_corruption_of_their_mean_and_of_the_loss() -> None:
    found = robustness.corruption_changes(MODELS, MEASURED, MATCHED, 0)
    assert list(found) == list(columns.TABLES["corruption_change"].columns)
    assert list(found["corruption"].unique()) == ["none", "all", "loss", "fog", "snow"]
    rows = found[(found["augmentation"] == "cutmix") & (found["reference"] == "baseline")]
    mean = rows.set_index("corruption")["mean"]
    accuracy = robustness.corruption_accuracy(MODELS, MEASURED)
    own = accuracy[accuracy["augmentation"] == "cutmix"].groupby("corruption")["accuracy"].mean()
    for name in ("none", "fog", "snow"):
        assert mean[name] == pytest.approx(own[name])
    assert mean["all"] == pytest.approx((own["fog"] + own["snow"]) / 2)
    assert mean["loss"] == pytest.approx(mean["none"] - mean["all"])


def followed(place: int) -> pd.DataFrame:
    """Comparisons of the maps of 10 images under two transforms."""
    random = np.random.default_rng(place)
    return pd.DataFrame(
        [
            {"transform": transform, "index": 2 * image, "map": kind, "prediction": image % 3}
            | {"transformed_prediction": int(random.integers(3)), "valid": 0.9}
            | {
                "overlap_20": base + 0.1 * random.random(),
                "pearson": np.nan if image == 4 else base,
            }
            for transform, far in (("flipped", 0.2), ("rotated", 0.5))
            for kind, base in (("own", far), ("other", 0.1))
            for image in range(10)
        ]
    )


FOLLOWED = [followed(place) for place in range(len(MODELS))]
METRICS = ["overlap_20", "pearson"]


def test_equivariance_of_each_model() -> None:
    found = robustness.equivariance(MODELS, FOLLOWED, METRICS)
    assert list(found) == list(columns.TABLES["equivariance"].columns)
    key = ["augmentation", "seed", "transform", "metric"]
    row = found.set_index(key).loc[("affine", 2, "rotated", "pearson")]
    assert (row["mean"], row["other"], row["undefined"], row["valid"]) == (0.5, 0.1, 1, 0.9)
    row = found.set_index(key).loc[("affine", 2, "rotated", "prediction")]
    table = FOLLOWED[MODELS.index(("affine", 2))]
    table = table[(table["transform"] == "rotated") & (table["map"] == "own")]
    assert row["mean"] == (table["prediction"] == table["transformed_prediction"]).mean()
    assert np.isnan(row["other"])


def test_changes_of_the_equivariance() -> None:
    found = robustness.equivariance_changes(MODELS, FOLLOWED, METRICS, MATCHED, 0)
    assert list(found) == list(columns.TABLES["equivariance_change"].columns)
    rows = found.set_index(["transform", "metric", "augmentation", "reference"]).sort_index()
    means = rows["mean"]
    for metric in METRICS:
        both = [means[t, metric, "cutmix", "baseline"] for t in ("flipped", "rotated")]
        assert means["all", metric, "cutmix", "baseline"] == pytest.approx(np.mean(both))
    row = rows.loc[("flipped", "overlap_20", "duplicated_originals", "baseline")]
    assert (row["models"], row["reference_models"], row["images"]) == (4, 6, 10)
    assert 0 < row["change_p_holm"] <= 1


def test_predictions_are_those_of_the_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5))
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype(np.uint8)
    found = robustness.predicted(
        network, images, mean=[0.4] * 3, std=[0.2] * 3, input_size=8, batch_size=3
    )
    inputs = (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - 0.4) / 0.2
    np.testing.assert_array_equal(found, network(inputs).argmax(1))


# Figures


def figures() -> dict[str, object]:
    accuracy = robustness.corruption_accuracy(MODELS, MEASURED)
    change = robustness.corruption_changes(MODELS, MEASURED, MATCHED, 0)
    models = robustness.equivariance(MODELS, FOLLOWED, METRICS)
    changes = robustness.equivariance_changes(MODELS, FOLLOWED, METRICS, MATCHED, 0)
    reference = "duplicated_originals"
    return {
        "accuracy": plots.accuracy(accuracy, change, reference),
        "change": plots.change(accuracy, change, reference),
        "overlap_20": plots.equivariance(models, changes, "overlap_20", reference),
        "prediction": plots.equivariance(models, changes, "prediction", reference),
    }


def test_texts_are_inside_the_figures_and_do_not_overlap() -> None:
    for name, figure in figures().items():
        figure.draw_without_rendering()  # type: ignore[attr-defined]
        boxes = [(t.get_text(), t.get_window_extent().padded(-1)) for t in shown(figure)]
        for text, box in boxes:
            inside = figure.bbox.count_contains(  # type: ignore[attr-defined]
                [(box.x0, box.y0), (box.x1, box.y1)]
            )
            assert inside == 2, (name, text)
        turned = {t.get_text() for t in shown(figure) if t.get_rotation() == 45}
        upright = [(text, box) for text, box in boxes if text not in turned]
        for (a, box), (b, other) in combinations(upright, 2):
            assert not box.overlaps(other), (name, a, b)


def test_figures_of_a_study_without_augmentations() -> None:
    models, measured, moved = MODELS[:1], MEASURED[:1], FOLLOWED[:1]
    accuracy = robustness.corruption_accuracy(models, measured)
    change = robustness.corruption_changes(models, measured, [], 0)
    assert change.empty
    plots.accuracy(accuracy, change, "baseline")
    plots.change(accuracy, change, "baseline")
    changes = robustness.equivariance_changes(models, moved, METRICS, [], 0)
    table = robustness.equivariance(models, moved, METRICS)
    plots.equivariance(table, changes, "pearson", "baseline")


def test_cells_have_the_change_from_the_reference_of_the_study() -> None:
    accuracy = robustness.corruption_accuracy(MODELS, MEASURED)
    change = robustness.corruption_changes(MODELS, MEASURED, MATCHED, 0)
    axes = plots.change(accuracy, change, "duplicated_originals").axes[0]
    key = ["corruption", "augmentation", "reference"]
    rows = change.set_index(key)["change"]
    texts = [text.get_text().rstrip("∗") for text in axes.texts]
    expected = [
        rows[kind, name, reference]
        for kind in ("none", "all", "loss", "fog", "snow")
        for name, reference in (
            ("affine", "duplicated_originals"),
            ("cutmix", "duplicated_originals"),
            ("duplicated_originals", "baseline"),
        )
    ]
    assert [float(text.replace("−", "-")) for text in texts] == pytest.approx(
        [100 * value for value in expected], abs=0.051
    )
    assert isinstance(axes.images[0].colorbar, Colorbar)
