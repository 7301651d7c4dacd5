"""Features and predictions of two networks compared, and the calibration of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.neighbors import NearestNeighbors
from torch import nn

from campare import calibration, controls, features, registry, representations
from campare.design import Model
from campare.errors import CampareError
from campare.plots import representations as figures
from campare.store import Store

RANDOM = np.random.default_rng(0)


def orthogonal(d: int) -> np.ndarray:
    return np.linalg.qr(RANDOM.normal(size=(d, d)))[0]


def centred_kernel_alignment(x: np.ndarray, y: np.ndarray) -> float:
    """Debiased linear CKA by the sums of Song et al. (2012), equation 5, as they are written."""

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        k, m, n, one = k.copy(), m.copy(), len(k), np.ones(len(k))
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
        total = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        return (total - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))

    k, m = x @ x.T, y @ y.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def ours(x: np.ndarray, y: np.ndarray) -> float:
    a, b = representations.u_centred(x), representations.u_centred(y)
    return float(representations.cka(a, b).mean())


@pytest.mark.parametrize(("n", "d", "e"), [(4, 3, 2), (12, 40, 3), (50, 8, 200)])
def test_cka_is_that_of_the_unbiased_estimator_of_hsic(n: int, d: int, e: int) -> None:
    x = RANDOM.normal(size=(n, d)) + 3
    y = RANDOM.normal(size=(n, e)) + x[:, :1]
    assert ours(x, y) == pytest.approx(centred_kernel_alignment(x, y), abs=1e-9)
    assert ours(x, x) == pytest.approx(1)
    turned = 2.5 * x @ orthogonal(d) + RANDOM.normal(size=d)  # rotated, scaled, moved
    assert ours(turned, y) == pytest.approx(ours(x, y), abs=1e-12)


def test_cka_of_many_images_is_that_of_features() -> None:
    """For many more images than features the bias vanishes: Kornblith et al. (2019), section 3."""
    x = RANDOM.normal(size=(3000, 4))
    y = x @ RANDOM.normal(size=(4, 3)) + RANDOM.normal(size=(3000, 3))
    x, y = x - x.mean(0), y - y.mean(0)
    of_features = np.linalg.norm(y.T @ x) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    assert ours(x, y) == pytest.approx(of_features, abs=2e-3)


def test_independent_features_have_no_cka_however_wide() -> None:
    values = [ours(RANDOM.normal(size=(40, 400)), RANDOM.normal(size=(40, 400))) for _ in range(60)]
    assert stats.ttest_1samp(values, 0).pvalue > 0.01
    assert np.abs(np.mean(values)) < 0.02  # the biased estimator gives about 0.9


def test_equal_features_of_all_images_have_no_geometry() -> None:
    for constant in (np.zeros((9, 5)), np.full((9, 5), 0.1), np.full((9, 5), -7e5)):
        assert np.isnan(representations.u_centred(constant)).all()
        assert representations.nearest(constant, 3).shape == (9, 3)


def test_nearest_neighbours_are_scikit_learns() -> None:
    x = RANDOM.normal(size=(60, 7)) + 2
    x -= x.mean(axis=0)
    found = (
        NearestNeighbors(n_neighbors=5, metric="cosine").fit(x).kneighbors(return_distance=False)
    )
    assert np.array_equal(representations.nearest(x, 5), np.sort(found, axis=1))


def test_shared_neighbours_are_a_share_of_sets() -> None:
    first, second = (representations.nearest(RANDOM.normal(size=(50, 30)), 6) for _ in range(2))
    expected = [len(set(a) & set(b)) / 6 for a, b in zip(first, second, strict=True)]
    assert representations.shared_neighbours(first, second) == pytest.approx(expected)
    many = [
        representations.shared_neighbours(*(
            representations.nearest(RANDOM.normal(size=(50, 30)), 6) for _ in range(2)
        )).mean()
        for _ in range(80)
    ]  # fmt: skip
    assert np.mean(many) == pytest.approx(6 / 49, abs=4 * np.std(many) / np.sqrt(80))


def test_jensen_shannon_is_scipys_also_for_certain_predictions() -> None:
    p, q = RANDOM.dirichlet([0.3] * 5, 40), RANDOM.dirichlet([0.3] * 5, 40)
    p[0], q[0] = np.eye(5)[0], np.eye(5)[1]
    p[1], q[1] = np.eye(5)[2], np.eye(5)[2]
    assert representations.jensen_shannon(p, q) == pytest.approx(
        jensenshannon(p, q, base=2, axis=1) ** 2, abs=1e-12
    )
    assert representations.jensen_shannon(p, q)[:2] == pytest.approx([1, 0])


def scores(logit: np.ndarray, label: np.ndarray) -> Store:
    n = len(logit)
    share = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    return Store(
        maps=np.zeros((n, 2, 2), np.float32),
        prediction=share.astype(np.float32),
        logit=logit.astype(np.float32),
        label=label,
        index=np.arange(n),
        target=label,
        attributes={},
    )


def arms(change: float) -> tuple[list[Model], dict[str, pd.DataFrame]]:
    """Ten networks of which three have, besides their own noise, other features and logits."""
    random = np.random.default_rng(5)
    label = np.arange(60) % 4
    common, other = random.normal(size=(2, 60, 12))
    models = {}
    for name, seeds in (("baseline", range(7)), ("affine", range(10, 13))):
        for seed in seeds:
            x = common + change * other * (name == "affine") + 0.7 * random.normal(size=(60, 12))
            x = x @ np.linalg.qr(random.normal(size=(12, 12)))[0]  # networks differ by a rotation
            logit = 3 * np.eye(4)[label] + common[:, :4] + random.normal(size=(60, 4))
            logit += change * other[:, :4] * (name == "affine")
            models[name, seed] = (
                representations.represent([x, x[:, ::-1]], np.arange(60), 5),
                scores(logit, label),
            )
    names = list(models)
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]
    rows = pd.concat(representations.between(models, pairs), ignore_index=True)
    augmented = rows["b"] == "affine"
    return names, {"baseline": rows[~augmented], "affine": rows[augmented]}


@pytest.mark.parametrize("change", [0.0, 1.0])
def test_a_planted_change_of_features_is_found_and_none_is_not(change: float) -> None:
    models, pairs = arms(change)
    measures = list(registry.REPRESENTATIONS)
    table = controls.shifts(pairs, models, measures, "", 0)
    table = table[table["predictions"] == controls.ANY].set_index("metric")
    assert list(table.index) == measures
    assert (table["shift_p"] <= 0.05).all() == bool(change)
    assert (table["shift_low"] > 0).equals(table["shift_p"] <= 0.05)
    cka = 1 - pairs["baseline"]["cka_target_layer"].mean()
    assert table.loc["cka_target_layer", "floor"] == pytest.approx(cka)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU())
        self.hidden, self.head = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.hidden(self.features(x).mean((2, 3))).relu())


def test_features_are_those_of_the_layer_and_before_the_last_linear_layer() -> None:
    torch.manual_seed(0)
    network = Network()
    images = RANDOM.integers(0, 256, (7, 8, 8, 1), dtype=np.uint8)
    settings: dict[str, Any] = {"mean": [0.4], "std": [0.2], "input_size": 8}
    found = features.extract(network, network.features, images, batch_size=3, **settings)
    inputs = ((torch.from_numpy(images).float() / 255 - 0.4) / 0.2).permute(0, 3, 1, 2)
    with torch.no_grad():
        of_layer = network.features(inputs)
        before = network.hidden(of_layer.mean((2, 3))).relu()
    assert found[0] == pytest.approx(of_layer.numpy(), abs=1e-6)
    assert found[1] == pytest.approx(before.numpy(), abs=1e-6)
    assert not network.head._forward_hooks and not network.features._forward_hooks
    network.head = network.hidden = nn.Identity()  # type: ignore[assignment]
    with pytest.raises(CampareError, match="representations: the network has no linear layer"):
        features.extract(network, network.features, images, batch_size=3, **settings)


def test_a_representation_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = representations.represent([RANDOM.normal(size=(9, 2, 3))] * 2, np.arange(9) * 3, 4)
    for name in ("a", "b"):
        representations.write(one, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read = representations.read(tmp_path / "a")
    for name, value in vars(one).items():
        assert np.array_equal(getattr(read, name), value)
    (tmp_path / "a").write_bytes((tmp_path / "b").read_bytes()[:-10])
    with pytest.raises(CampareError, match="representation"):
        representations.read(tmp_path / "a")


def test_brier_score_and_log_loss_are_scikit_learns() -> None:
    logit = RANDOM.normal(size=(50, 4)) * 3
    label = RANDOM.integers(0, 4, 50)
    store = scores(logit, label)
    row = calibration.of_model(store)
    share = store.prediction.astype(float)
    share /= share.sum(axis=1, keepdims=True)
    expected = brier_score_loss(label, share, labels=range(4), scale_by_half=False)
    assert row["brier"] == pytest.approx(expected, abs=1e-6)
    assert row["nll"] == pytest.approx(log_loss(label, share, labels=range(4)), abs=1e-6)
    sure = calibration.log_loss(np.array([[1e4, 0.0]]), np.array([1]))
    assert sure == pytest.approx([1e4])  # a probability would be 0 and its logarithm infinite


def test_the_expected_calibration_error_is_a_mean_over_bins() -> None:
    share = RANDOM.dirichlet([0.5] * 3, 400)
    label = RANDOM.integers(0, 3, 400)
    confidence, correct = share.max(axis=1), share.argmax(axis=1) == label
    expected = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert calibration.expected_error(share, label) == pytest.approx(expected)
    assert calibration.expected_error(np.eye(3)[label], label) == 0
    assert calibration.expected_error(np.eye(3)[(label + 1) % 3], label) == 1


def calibrated() -> pd.DataFrame:
    random = np.random.default_rng(2)
    rows = {}
    for name, seeds in (("baseline", range(8)), ("cutmix", range(20, 23)), ("blur", range(30, 33))):
        for seed in seeds:
            ece = 0.1 + 0.1 * (name == "cutmix") + 0.01 * random.normal()
            values = {"accuracy": 0.9, "confidence": random.random(), "ece": ece}
            rows[name, seed] = values | {"brier": random.random(), "nll": random.random()}
    return calibration.table(rows)


def test_changes_of_calibration_have_welchs_interval_and_a_permutation_test() -> None:
    table = calibrated()
    changes = calibration.changes(table, 0).set_index(["measure", "augmentation"])
    row = changes.loc[("ece", "cutmix")]
    a, b = (table.loc[table["augmentation"] == name, "ece"] for name in ("cutmix", "baseline"))
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (row["change_low"], row["change_high"]) == pytest.approx((low, high))
    assert row["change_p"] == pytest.approx(1 / 165) and row["change_p_holm"] == pytest.approx(
        2 / 165
    )
    assert changes.loc[("ece", "blur"), "change_p_holm"] > 0.05
    assert (changes["models"] == 3).all() and (changes["baselines"] == 8).all()


def test_figures_show_every_augmentation_and_what_is_significant() -> None:
    models, pairs = arms(1.0)
    shifts = controls.shifts(pairs, models, list(registry.REPRESENTATIONS), "", 0)
    row = shifts.iloc[[0]].assign(metric="overlap_20", shift_p_holm=0.5)
    row[["shift", "shift_low", "shift_high"]] /= 20
    figure = figures.shift(row, shifts, "digits")
    maps, layer, before, predictions = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["Maps", *figures.PANELS]
    assert [label.get_text() for label in maps.get_yticklabels()] == ["Affine"]
    of_cka = shifts[shifts["predictions"] == "any"].iloc[0]
    marks = [line for line in layer.lines if line.get_marker() in figures.MARKERS]
    assert marks[0].get_xdata()[0] == pytest.approx(100 * of_cka["relative_shift"])  # type: ignore[index]
    assert {line.get_markerfacecolor() for line in maps.lines if line.get_marker() == "o"} == {
        "white"
    }
    assert all(line.get_markerfacecolor() != "white" for line in marks)
    assert len(before.lines) == len(predictions.lines) == 3
    # Maps and features have one scale, on which every marker is visible.
    low, high = maps.get_xlim()
    for axes in figure.axes[:3]:
        assert axes.get_xlim() == (low, high)
        assert all(low <= line.get_xdata()[0] <= high for line in axes.lines)  # type: ignore[index]
    assert len(figures.calibration(calibrated()).axes) == len(calibration.MEASURES)
