"""Deletion, insertion and ROAD are the library's where it has them, and what they say elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_grad_cam.metrics.road import (
    NoisyLinearImputer,
    ROADCombined,
    ROADLeastRelevantFirst,
    ROADMostRelevantFirst,
)
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from torch import nn

from campare import faithfulness, maps, models
from campare.preprocess import prepare
from campare.store import Store

SIDE = 16
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
PERCENTILES = [10, 20, 30, 40, 50, 60, 70, 80, 90]
SHARES = [round(1 - percentile / 100, 2) for percentile in PERCENTILES]
CPU = torch.device("cpu")


def network() -> nn.Module:
    return models.build("small_cnn", classes=4, channels=3, seed=0).eval()


def pictures(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def stored(count: int = 5, **changes: Any) -> Store:
    random = np.random.default_rng(1)
    columns = {
        "maps": random.random((count, 4, 4)).astype(np.float32),
        "prediction": np.zeros((count, 4), np.float32),
        "logit": np.zeros((count, 4), np.float32),
        "label": np.zeros(count, np.int64),
        "index": 7 * np.arange(count),
        "target": np.arange(count) % 4,
        "attributes": {},
    }
    return Store(**columns | changes)


def measured(net: nn.Module | None = None, store: Store | None = None, **changes: Any) -> Any:
    given = {
        "mean": MEAN, "std": STD, "input_size": SIDE, "steps": 4, "road": [0.25, 0.75], "blur": 0.1,
        "seed": 0, "batch_size": 3, "device": CPU,
    } | changes  # fmt: skip
    found = faithfulness.measure(net or network(), pictures(), store or stored(), **given)
    return pd.concat(found, ignore_index=True)


# ROAD ----------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.02, 0.98), height=st.integers(3, 9))
def test_imputation_is_the_librarys(seed: int, share: float, height: int) -> None:
    random = np.random.default_rng(seed)
    image = torch.from_numpy(random.random((3, height, 8)).astype(np.float32))
    missing = random.random((height, 8)) < share
    missing[0, 0] = False
    expected = NoisyLinearImputer(noise=0)(image, torch.from_numpy(~missing).float())
    found = faithfulness.imputed(image, missing)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.equal(found[:, ~torch.from_numpy(missing)], image[:, ~torch.from_numpy(missing)])


def test_nothing_missing_changes_nothing() -> None:
    image = torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(faithfulness.imputed(image, np.zeros((5, 5), bool)), image)


def test_colour_of_one_pixel_fills_a_picture_that_lacks_all_others() -> None:
    missing = np.ones((4, 6), bool)
    missing[2, 3] = False
    image = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0))
    filled = faithfulness.imputed(image, missing)
    assert torch.allclose(filled, image[:, 2, 3, None, None].expand_as(filled), atol=1e-5)


def test_road_is_the_librarys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without noise, which the library draws from torch's own generator."""
    monkeypatch.setattr(faithfulness, "NOISE", 0)
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    # As large as the pictures: enlarged maps have ties, which the library takes all at once.
    full = np.random.default_rng(2).random((5, SIDE, SIDE)).astype(np.float32)
    net, store = network(), stored(maps=full)
    inputs = prepare(torch.from_numpy(pictures()).permute(0, 3, 1, 2), MEAN, STD, SIDE)
    shown = maps.show(store.maps, (SIDE, SIDE))
    targets = [ClassifierOutputSoftmaxTarget(int(target)) for target in store.target]
    table = measured(net, store, road=SHARES)
    for curve, metric in (
        ("road_most", ROADMostRelevantFirst),
        ("road_least", ROADLeastRelevantFirst),
    ):
        for percentile, share in zip(PERCENTILES, SHARES, strict=True):
            expected = metric(percentile)(inputs, shown, targets, net, return_diff=False)
            row = table[(table["map"] == "map") & (table["curve"] == curve)]
            found = row[row["share"] == share].sort_values("index")["probability"]
            # The highest value of a shown map is 1 and its lowest 0, each in a single pixel.
            assert np.allclose(found, expected, atol=2e-5), (curve, percentile)
    combined = ROADCombined(PERCENTILES)(inputs, shown, targets, net)
    (row,) = (
        faithfulness.by_model([("baseline", 1)], [table]).query("measure == 'road'").itertuples()
    )
    assert np.isclose(row.mean, combined.mean(), atol=2e-5)


# Deletion and insertion -----------------------------------------------------------------------


class Sum(nn.Module):
    """Class 0 for what lies left, class 1 for what lies right: what a pixel counts is known."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        half = inputs.shape[3] // 2
        left, right = inputs[..., :half], inputs[..., half:]
        return torch.stack([left.square().mean((1, 2, 3)), right.square().mean((1, 2, 3))], dim=1)


def test_curves_begin_and_end_where_they_must() -> None:
    net, store = network(), stored()
    table = measured(net, store).set_index(["map", "curve", "share", "index"])["probability"]
    table = table.sort_index()
    inputs = prepare(torch.from_numpy(pictures()).permute(0, 3, 1, 2), MEAN, STD, SIDE)
    with torch.no_grad():
        rows = torch.arange(5), torch.from_numpy(store.target)
        whole = net(inputs).softmax(1)[rows].numpy()
        blank = net(torch.zeros_like(inputs)).softmax(1)[rows].numpy()
    for name in ("map", "random"):
        assert np.allclose(table[name, "deletion", 0.0], whole, atol=1e-6)
        assert np.allclose(table[name, "deletion", 1.0], blank, atol=1e-6)
        assert np.allclose(table[name, "insertion", 1.0], whole, atol=1e-6)


def test_map_of_what_counts_beats_its_opposite_and_a_random_one() -> None:
    """The class explained lives in the left half."""
    left = np.zeros((5, 4, 4), np.float32)
    left[:, :, :2] = 1
    target = np.zeros(5, np.int64)
    means = {
        name: faithfulness.by_model(
            [("baseline", 1)], [measured(Sum(), stored(maps=found, target=target), steps=16)]
        ).set_index("measure")
        for name, found in (("right", left), ("wrong", 1 - left))
    }
    for measure in ("deletion", "insertion", "road"):
        good, bad = means["right"].loc[measure], means["wrong"].loc[measure]
        assert good["gain"] > 0 > bad["gain"], measure
        assert good["worse"] < 0.5 < bad["worse"], measure
        assert good["random"] == bad["random"], measure


def test_pixels_go_in_order_of_the_map_and_ties_at_random() -> None:
    shown = np.array([[[0.5, 1.0], [0.0, 0.5]]], np.float32)
    ties = np.array([[[0.1, 0.0], [0.0, 0.9]]], np.float32)
    assert faithfulness.ranks(shown, ties).tolist() == [[[2, 0], [3, 1]]]
    flat = np.zeros((1, 30, 30), np.float32)
    random = np.random.default_rng(0).random((1, 30, 30), np.float32)
    order = faithfulness.ranks(flat, random)
    assert sorted(order.ravel()) == list(range(900))
    assert np.array_equal(order.ravel(), np.argsort(np.argsort(-random.ravel())))


@pytest.mark.parametrize("level", [0.0, -1.0, 2.0])
def test_constant_map_is_a_random_order_of_pixels(level: float) -> None:
    table = measured(store=stored(maps=np.full((5, 4, 4), level, np.float32)))
    assert table["probability"].between(0, 1).all()


def test_blur_keeps_the_mean_of_a_constant_and_spreads_a_point() -> None:
    constant = torch.full((1, 3, SIDE, SIDE), 0.7)
    assert torch.allclose(faithfulness._blurred(constant, 1.6), constant, atol=1e-6)
    point = torch.zeros(1, 1, 33, 33)
    point[0, 0, 16, 16] = 1
    spread = faithfulness._blurred(point, 2.0)[0, 0].numpy()
    offsets = np.arange(33) - 16
    assert np.isclose(spread.sum(), 1, atol=1e-5)
    assert np.isclose((spread.sum(axis=0) * offsets**2).sum(), 4, rtol=0.05)


def test_random_maps_belong_to_an_image_and_not_to_its_batch() -> None:
    full = np.random.default_rng(2).random((5, SIDE, SIDE)).astype(np.float32)  # without ties
    one, two = (measured(store=stored(maps=full), batch_size=size) for size in (1, 5))
    keys = ["map", "curve", "share", "index"]
    one, two = (table.sort_values(keys, ignore_index=True) for table in (one, two))
    assert np.allclose(one["probability"], two["probability"], atol=1e-6)
    other = measured(store=stored(maps=full), seed=1).sort_values(keys, ignore_index=True)
    mine = one["map"] == "map"
    deleted = one["curve"] == "deletion"
    assert np.allclose(one[mine & deleted]["probability"], other[mine & deleted]["probability"])
    assert not np.allclose(one[~mine]["probability"], other[~mine]["probability"])


def test_images_are_drawn_by_their_seed() -> None:
    rows = faithfulness.sampled_rows(100, 10, 3)
    assert len(set(rows)) == 10
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, faithfulness.sampled_rows(100, 10, 4))
    assert faithfulness.sampled_rows(5, 10, 0).tolist() == list(range(5))


# Tables ----------------------------------------------------------------------------------------


def test_tables_average_over_images_and_then_over_seeds() -> None:
    tables = [measured(), measured(seed=1)]
    found = [("cutmix", 1), ("cutmix", 2)]
    means = faithfulness.by_model(found, tables)
    assert means["images"].tolist() == [5] * 6
    line = tables[0].query("map == 'map' and curve == 'deletion'")
    line = line.groupby("share")["probability"].mean()
    area = np.trapezoid(line, line.index)
    assert np.isclose(means.query("measure == 'deletion' and seed == 1")["mean"].item(), area)
    table = faithfulness.summary(found, tables, 0, paired=False).set_index("measure")
    gains = means.query("measure == 'road'")["gain"]
    assert np.isclose(table.loc["road", "gain"], gains.mean())
    assert table.loc["road", "gain_low"] < gains.mean() < table.loc["road", "gain_high"]
    assert table[["difference", "difference_low", "difference_high"]].isna().all(axis=None)
    curves = faithfulness.mean_curves(found, tables)
    assert (curves["seeds"] == 2).all()
    row = curves.query("map == 'map' and curve == 'deletion' and share == 0.5")
    expected = [t.query("map == 'map' and curve == 'deletion' and share == 0.5") for t in tables]
    assert np.isclose(
        row["probability"].item(), np.mean([e["probability"].mean() for e in expected])
    )


def test_gain_is_set_beside_the_baselines() -> None:
    models = [("baseline", 1), ("baseline", 2), ("cutmix", 1), ("cutmix", 2)]
    table, random = measured(), np.random.default_rng(0)
    tables = [table.assign(probability=random.random(len(table))) for _ in models]
    gains = faithfulness.by_model(models, tables).set_index(["measure", "augmentation", "seed"])
    for paired in (True, False):
        table = faithfulness.summary(models, tables, 0, paired=paired)
        table = table.set_index(["measure", "augmentation"])
        for measure in ("deletion", "insertion", "road"):
            means = gains["gain"][measure].groupby("augmentation").mean()
            row = table.loc[(measure, "cutmix")]
            assert np.isclose(row["difference"], means["cutmix"] - means["baseline"])
            assert row["difference_low"] < row["difference"] < row["difference_high"]
            assert np.isnan(table.loc[(measure, "baseline"), "difference"])
