"""Mosaics of test images: which images they have, where, and what maps of them score."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from campare import cams, feasibility, localisation, mosaics
from campare.store import Store

LABELS = np.repeat(np.arange(6), [40, 30, 30, 20, 20, 1])


@pytest.mark.parametrize("cells", [2, 3])
def test_focus_has_half_of_its_cells_of_the_explained_class(cells: int) -> None:
    drawn = mosaics.draw(LABELS, mosaics.FOCUS, cells, 200, 1)
    own = LABELS[drawn.members] == drawn.classes[:, None]
    assert np.array_equal(own, drawn.inside)
    assert (own.sum(axis=1) == cells**2 // 2).all()
    assert all(len(set(row)) == cells**2 for row in drawn.members.tolist())
    assert 5 not in drawn.classes  # its one image cannot fill the cells


def test_the_grid_pointing_game_has_one_cell_of_each_class() -> None:
    drawn = mosaics.draw(LABELS, mosaics.GRID_POINTING, 2, 2000, 1)
    shown = LABELS[drawn.members]
    assert all(len(set(row)) == 4 for row in shown.tolist())
    assert np.array_equal(shown == drawn.classes[:, None], drawn.inside)
    assert (drawn.inside.sum(axis=1) == 1).all()
    # Every cell is equally often the one, and classes are explained as often as they have images.
    assert stats.chisquare(drawn.inside.sum(axis=0)).pvalue > 0.001
    counts = np.bincount(drawn.classes, minlength=6)
    expected = 2000 * np.bincount(LABELS) / len(LABELS)
    assert stats.chisquare(counts, expected).pvalue > 0.001


def test_the_same_seed_draws_the_same_mosaics_and_another_seed_others() -> None:
    first, again, other = (mosaics.draw(LABELS, mosaics.FOCUS, 2, 20, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.members, other.members)


@pytest.mark.parametrize("kind", mosaics.KINDS)
def test_masks_lie_on_the_cells_of_the_class(kind: str) -> None:
    images = np.broadcast_to(LABELS[:, None, None, None], (len(LABELS), 4, 5, 2)).astype(np.uint8)
    drawn = mosaics.draw(LABELS, kind, 2, 30, 0)
    grids = mosaics.assembled(images, drawn.members, 2)
    assert grids.shape == (30, 8, 10, 2)
    assert (grids[:, 3, 5, 0] == LABELS[drawn.members[:, 1]]).all()  # the upper right cell
    assert (grids[:, 4, 4, 1] == LABELS[drawn.members[:, 2]]).all()  # the lower left cell
    masks = mosaics.regions(drawn.inside, kind, 2, (4, 5))
    assert masks.names == (kind,)
    assert np.array_equal(masks.masks[:, 0], grids[..., 0] == drawn.classes[:, None, None])


class Bright(nn.Module):
    """The score of class k is the brightness of channel k: its map is known."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(4, 4, 1, bias=False)
        self.head = nn.Linear(4, 4, bias=False)
        for layer in (self.features, self.head):
            layer.weight.data.copy_(torch.eye(4).view_as(layer.weight))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean((2, 3)))


@pytest.mark.parametrize("kind", mosaics.KINDS)
def test_a_network_that_sees_its_class_alone_has_all_of_the_map_on_it(kind: str) -> None:
    label = np.repeat(np.arange(4), 6)
    images = np.zeros((24, 6, 6, 4), np.uint8)
    images[np.arange(24), 1:5, 1:5, label] = 200
    drawn = mosaics.draw(label, kind, 2, 25, 2)
    grids = mosaics.assembled(images, drawn.members, 2)
    network = Bright()
    settings: dict[str, Any] = {"mean": [0.0] * 4, "std": [1.0] * 4, "input_size": 12}
    batches = list(
        cams.compute(
            network, network.features, network.head, grids, targets=drawn.classes, **settings
        )
    )
    logit = np.concatenate([batch.logits for batch in batches])
    maps = np.concatenate([batch.maps for batch in batches])
    given = {"prediction": logit, "logit": logit, "label": drawn.classes}
    store = Store(maps=maps, index=np.arange(25), target=drawn.classes, attributes={}, **given)
    scores = localisation.measure(store, mosaics.regions(drawn.inside, kind, 2, (6, 6)))
    assert scores["energy"].to_numpy() == pytest.approx(np.ones(25))
    assert (scores["pointing"] == 1).all()
    # The map of another mosaic does not depend on this one.
    assert scores["energy_other"].mean() < 0.8
    # A constant map scores the share of the cells.
    blank = Store(
        maps=np.ones_like(maps), index=np.arange(25), target=drawn.classes, attributes={}, **given
    )
    flat = localisation.measure(blank, mosaics.regions(drawn.inside, kind, 2, (6, 6)))
    assert flat["energy"].to_numpy() == pytest.approx(drawn.inside.mean(axis=1))


@pytest.mark.parametrize(
    ("cells", "classes", "each", "message"),
    [
        (2, 3, 5, r"mosaics\.cells: 2, but .* 3 classes, .* needs 4; remove the key"),
        (3, 5, 5, r"mosaics\.cells: 3, but .* 5 classes, .* needs 9; set it to 2"),
        (2, 4, 1, r"mosaics\.cells: 2, but no class has 2 test images"),
    ],
)
def test_too_few_test_images_are_refused(cells: int, classes: int, each: int, message: str) -> None:
    images = feasibility.Images({(k, "test"): each for k in range(classes)}, size=8)
    problem, *_ = feasibility._mosaics(cells, images)
    assert re.search(message, problem)
    assert not [*feasibility._mosaics(2, feasibility.Images({(k, "test"): 2 for k in range(4)}, 8))]
