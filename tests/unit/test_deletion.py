"""In-domain single deletion: cells, ranks, networks whose parts are known, and the fine-tuning."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import stats
from torch import nn

from campare import config, deletion
from campare.augment.core import Augmenter, Batch
from campare.design import Design
from campare.plots import truth
from campare.settings import Settings

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("side", "cells"), [(8, 4), (32, 4), (30, 4), (7, 3)])
def test_cells_divide_the_image_without_gap_or_overlap(side: int, cells: int) -> None:
    maps = RANDOM.random((3, side, side)).astype(np.float32)
    sums = deletion.by_cell(maps, cells)
    assert sums.shape == (3, cells**2)
    assert sums.sum(axis=1) == pytest.approx(maps.sum(axis=(1, 2)), rel=1e-5)
    edges = deletion.edges(side, cells)
    first, last = edges[1], edges[2]
    assert sums[:, 1] == pytest.approx(maps[:, :first, first:last].sum(axis=(1, 2)), rel=1e-5)


def test_rank_correlation_is_that_of_scipy_and_undefined_if_constant() -> None:
    a, b = RANDOM.integers(0, 5, (20, 16)), RANDOM.normal(size=(20, 16))
    expected = [stats.spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    assert deletion.rank_correlation(a, b) == pytest.approx(expected)
    assert np.isnan(deletion.rank_correlation(np.ones((1, 4)), b[:1, :4])).all()


def test_the_augmentation_deletes_each_cell_equally_often_and_is_the_measured_one() -> None:
    images = torch.full((4000, 1, 10, 10), 200, dtype=torch.uint8)
    pool = Batch(torch.zeros(2, 1, 10, 10, dtype=torch.uint8), torch.eye(2))
    augmenter = Augmenter([("delete_cell", {"cells": 3, "fill": None})], 0, pool)
    batch = Batch(images, torch.ones(4000, 1))
    index = torch.arange(4000)
    hidden = (augmenter(batch, index, torch.ones_like(index), 1).images == 0).numpy()[:, 0]
    sums = deletion.by_cell(hidden.astype(np.float32), 3)
    sizes = deletion.by_cell(np.ones((1, 10, 10), np.float32), 3)
    assert ((sums == 0) | (sums == sizes)).all()
    assert ((sums > 0).sum(axis=1) == 1).all()
    assert stats.chisquare((sums > 0).sum(axis=0)).pvalue > 0.001


def test_cells_are_filled_with_the_colour_of_the_augmentation() -> None:
    images = RANDOM.integers(0, 256, (50, 6, 6, 3), dtype=np.uint8)
    pool = Batch(torch.from_numpy(images).permute(0, 3, 1, 2), torch.eye(50))
    assert torch.equal(deletion.fill_colour(images), pool.mean.flatten())


class Sum(nn.Module):
    """The score of class 1 is the mean of the image, through a convolution of one pixel."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 1, 1, bias=False)
        self.head = nn.Linear(1, 2, bias=False)
        self.features.weight.data.fill_(1.0)
        self.head.weight.data.copy_(torch.tensor([[0.0], [sign]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean((2, 3)))


def measured(network: nn.Module, **changes: Any) -> pd.DataFrame:
    images = np.kron(
        RANDOM.permuted(np.tile(np.arange(0, 240, 15), (6, 1)), axis=1).reshape(6, 4, 4),
        np.ones((3, 3)),
    ).astype(np.uint8)[..., None]
    settings: dict[str, Any] = {
        "mean": [0.0], "std": [1.0], "input_size": 12, "cells": 4, "method": "gradcam",
        "target_layer": "features", "batch_size": 4, "fold_batch_norm": True,
    }  # fmt: skip
    return deletion.measure(
        network, images, np.ones(6, np.int64), torch.zeros(1, dtype=torch.uint8),
        device=torch.device("cpu"), **settings | changes,
    )  # fmt: skip


def test_a_network_that_adds_pixels_has_a_perfect_score() -> None:
    """The fall without a cell is then the cell's brightness, which is its Grad-CAM."""
    table = measured(Sum(1.0))
    # Cells are as bright as their neighbours let the bilinear enlargement show them.
    assert table["correlation"].to_numpy() == pytest.approx(np.ones(6))
    assert (table["correct"] == 1).all()
    assert (table["fall"] > 0).all()
    # The last cell is 1/16 of the image, and each of brightness b lowers the score by b/16.
    assert table["fall"].to_numpy() == pytest.approx(
        np.full(6, np.arange(0, 240, 15).mean() / 255 / 16), rel=1e-5
    )


def test_a_map_that_is_zero_has_no_score_and_is_counted() -> None:
    table = measured(Sum(-1.0))
    assert table["correlation"].isna().all()
    models = [("baseline", 1), ("baseline", 2)]
    every = [measured(Sum(1.0)).assign(network="trained"), table.assign(network="trained")]
    found = deletion.by_model(models, every)
    assert found["undefined"].tolist() == [0, 1]
    assert found["mean"].tolist() == pytest.approx([1, np.nan], nan_ok=True)


def tables(*others: str) -> tuple[list[tuple[str, int]], list[pd.DataFrame]]:
    models = [(name, seed) for name in ("baseline", "affine", *others) for seed in (1, 2, 3)]
    every = []
    for name, _ in models:
        parts = [
            pd.DataFrame(
                {"network": network, "index": np.arange(40)}
                | {"correlation": RANDOM.normal(centre, 0.1, 40)}
                | {"fall": 1.0, "correct": 1.0, "correct_deleted": 0.9}
            )
            for network, centre in (("trained", 0.2), ("finetuned", 0.5 + 0.2 * (name == "affine")))
        ]
        every.append(pd.concat(parts, ignore_index=True))
    return models, every


def test_summary_compares_each_kind_of_network_with_the_baselines_of_its_kind() -> None:
    rows = deletion.summary(*tables(), 0, paired=False).set_index(["augmentation", "network"])
    changed = rows.loc["affine", "finetuned"]
    assert changed["difference"] == pytest.approx(0.2, abs=0.05)
    assert changed["difference_low"] > 0.1
    same = rows.loc["affine", "trained"]
    assert same["difference_low"] < 0 < same["difference_high"]
    assert np.isnan(rows.loc["baseline", "finetuned"]["difference"])
    assert changed["accuracy_deleted"] == pytest.approx(0.9)


def drawn() -> Figure:
    # As many as the default study has: two panels next to each other.
    names = ["cutmix", "elastic", "equalize", "mixup", "gaussian_blur", "random_crop"]
    names.append("duplicated_originals")
    models, every = tables(*names)
    return truth.single_deletion(
        deletion.by_model(models, every), deletion.summary(models, every, 0, paired=False)
    )


def test_figure_has_a_panel_for_each_kind_of_network() -> None:
    figure = drawn()
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 2
    figure.draw_without_rendering()
    for panel in panels:
        shown = [text for text in panel.findobj(Text) if text.get_text() and text.get_visible()]
        boxes = [text.get_window_extent().padded(-1) for text in shown]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_fine_tuning_starts_from_the_model_without_its_augmentation() -> None:
    study = {
        "study": "small",
        "data": {"name": "digits"},
        "model": {"architecture": "small_cnn"},
        "augmentations": {"affine": {}},
        "training": {"epochs": 10, "learning_rate": 0.01, "schedule": "one_cycle", "warmup": 3},
        "single_deletion": {"epochs": 5, "cells": 3},
    }
    design = Design(config.complete(study, "study.yaml"))
    settings = design.finetuning(("affine", 1))
    assert settings["steps"] == [["delete_cell", {"cells": 3, "fill": None}]]
    assert (settings["epochs"], settings["probability"], settings["copies"]) == (5, 0.5, 0)
    assert settings["learning_rate"] == pytest.approx(0.001)
    assert settings["warmup"] == pytest.approx(1.5)
    frame = pd.DataFrame({"index": range(64), "subset": "train"})
    assert Settings.of(settings, frame).keep == "last"
