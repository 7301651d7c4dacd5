"""Exchanged maps divide a difference of deletion or insertion scores into networks and maps."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import test_faithfulness
import torch
from matplotlib.figure import Figure
from test_faithfulness import CPU, MEAN, SIDE, STD, pictures, stored
from torch import Tensor, nn

from campare import config, exchange, faithfulness
from campare.design import Design
from campare.exchange import MODEL, PARTNER
from campare.plots import truth

ABOUT = {"mean": MEAN, "std": STD}
LEFT, RIGHT = np.eye(2, dtype=np.float32).repeat(SIDE // 2, axis=1)


class Reading(nn.Module):
    """Two classes; the logit of each is the mean magnitude of some columns of the image."""

    def __init__(self, columns: np.ndarray, gain: float = 4) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(gain * columns / columns.sum()))

    def forward(self, inputs: Tensor) -> Tensor:
        logit = (inputs.abs().mean(dim=(1, 2)) * self.weight).sum(dim=1)
        return torch.stack([logit, -logit], dim=1)


def marking(columns: np.ndarray) -> np.ndarray:
    """Five equal maps that mark some columns."""
    return np.broadcast_to(columns, (5, SIDE, SIDE)).copy()


def measured(networks: list[nn.Module], of_maps: list[np.ndarray], **changes: Any) -> pd.DataFrame:
    names = MODEL, PARTNER
    target = np.zeros(5, np.int64)
    settings = {
        "input_size": SIDE, "steps": 4, "blur": 0.1, "seed": 0, "batch_size": 3, "device": CPU,
    } | changes  # fmt: skip
    return exchange.measure(
        {name: (network, ABOUT) for name, network in zip(names, networks, strict=True)},
        pictures(),
        {
            name: stored(maps=values, target=target)
            for name, values in zip(names, of_maps, strict=True)
        },
        **settings,
    )


def means(table: pd.DataFrame, measure: str) -> dict[str, float]:
    return dict(exchange.terms(table, measure).mean())


def test_areas_of_own_maps_are_those_of_faithfulness() -> None:
    random = np.random.default_rng(3)
    networks = [test_faithfulness.network(), Reading(LEFT)]
    of_maps = [random.random((5, 4, 4)).astype(np.float32) for _ in networks]
    table = measured(networks[:1] * 2, of_maps)
    store = stored(maps=of_maps[0], target=np.zeros(5, np.int64))
    curves = test_faithfulness.measured(store=store, road=[])
    own = faithfulness.areas(curves[curves["map"] == faithfulness.OWN])
    rows = table[(table["network"] == MODEL) & (table["map"] == MODEL)].sort_values("index")
    for measure in exchange.SIGNS:
        assert rows[measure].to_numpy() == pytest.approx(own[measure], abs=1e-12)


@pytest.mark.parametrize("measure", exchange.SIGNS)
def test_terms_are_the_effects_of_a_two_by_two_design(measure: str) -> None:
    """Oracle: least squares with effects coded as ±½ (networks, maps) and ±½ (interaction)."""
    random = np.random.default_rng(0)
    cells = list(product((MODEL, PARTNER), repeat=2))
    table = pd.DataFrame(
        {"index": image, "network": network, "map": owner, measure: random.random()}
        for image in range(6)
        for network, owner in cells
    )
    terms = exchange.terms(table, measure)
    sign = {MODEL: 1, PARTNER: -1}
    design = np.array([[2, sign[n], sign[m], sign[n] * sign[m]] for n, m in cells]) / 2
    scores = exchange.SIGNS[measure] * table.pivot_table(
        index="index", columns=["network", "map"], values=measure
    )
    effects = np.linalg.lstsq(design, scores[cells].to_numpy().T, rcond=None)[0]
    found = terms[[exchange.NETWORKS, exchange.MAPS, exchange.OWN]].to_numpy().T
    np.testing.assert_allclose(found, effects[1:], atol=1e-12)
    np.testing.assert_allclose(
        terms[exchange.DIFFERENCE], terms[exchange.NETWORKS] + terms[exchange.MAPS], atol=1e-12
    )


@pytest.mark.parametrize("measure", exchange.SIGNS)
def test_equal_networks_differ_by_their_maps_alone(measure: str) -> None:
    """The map of the first marks what both networks use."""
    found = means(
        measured([Reading(LEFT), Reading(LEFT)], [marking(LEFT), marking(RIGHT)]), measure
    )
    assert found["maps"] > 0.02
    assert found["difference"] == pytest.approx(found["maps"])
    assert found["networks"] == pytest.approx(0, abs=1e-12)
    assert found["own"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("measure", exchange.SIGNS)
def test_equal_maps_differ_by_their_networks_alone(measure: str) -> None:
    """The first network is less confident: its scores differ although the maps are the same."""
    networks = [Reading(LEFT, gain=1), Reading(LEFT)]
    found = means(measured(networks, [marking(LEFT), marking(LEFT)]), measure)
    assert abs(found["networks"]) > 0.02
    assert found["maps"] == pytest.approx(0, abs=1e-12)
    assert found["own"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("measure", exchange.SIGNS)
def test_a_map_of_what_its_own_network_uses_is_an_advantage_of_the_own_map(measure: str) -> None:
    networks = [Reading(LEFT), Reading(RIGHT)]
    found = means(measured(networks, [marking(LEFT), marking(RIGHT)]), measure)
    assert found["own"] > 0.02
    assert abs(found["maps"]) < found["own"] / 4


def tables(count: int = 4) -> tuple[list[Any], list[pd.DataFrame]]:
    """CutMix: better by the networks, worse by the maps. Baselines: equal."""
    random = np.random.default_rng(0)
    pairs = [(("baseline", 2 * k), ("baseline", 2 * k + 1)) for k in range(count)]
    pairs += [(("cutmix", k), ("baseline", k + 1)) for k in range(count)]
    measured = []
    for (name, _), _ in pairs:
        network, owner = (0.2, -0.1) if name == "cutmix" else (0, 0)
        shift = {MODEL: 0.5, PARTNER: -0.5}
        measured.append(
            pd.DataFrame(
                {"index": image, "network": n, "map": m}
                | {
                    name: 0.5 + sign * (network * shift[n] + owner * shift[m]) + noise
                    for (name, sign), noise in zip(
                        exchange.SIGNS.items(), 0.02 * random.standard_normal(2), strict=True
                    )
                }
                for image in range(20)
                for n, m in product((MODEL, PARTNER), repeat=2)
            )
        )
    return pairs, measured


def test_summary_separates_networks_from_maps() -> None:
    rows = exchange.summary(*tables(), 0).set_index(["augmentation", "measure", "term"])
    for measure in exchange.SIGNS:
        for term, expected in (("networks", 0.2), ("maps", -0.1), ("difference", 0.1), ("own", 0)):
            row = rows.loc["cutmix", measure, term]
            assert row["mean"] == pytest.approx(expected, abs=0.01)
            assert row["low"] < expected < row["high"]
            assert rows.loc["baseline", measure, term]["mean"] == pytest.approx(0, abs=0.01)
    assert (rows[["pairs", "images"]] == [4, 20]).all(axis=None)
    by_pair = exchange.by_pair(*tables())
    assert by_pair["partner_seed"].tolist()[:8] == [1] * 8


def test_pairs_that_share_a_network_have_no_interval() -> None:
    """They are not independent: with a shared baseline 57 % of nominal 95 % intervals held."""
    pairs, every = tables()
    pairs = [(model, ("baseline", 1)) if model[0] == "cutmix" else (model, partner)
             for model, partner in pairs]  # fmt: skip
    rows = exchange.summary(pairs, every, 0).set_index("augmentation")
    assert rows["mean"].notna().all()
    assert rows.loc["cutmix", ["low", "high"]].isna().all(axis=None)
    assert rows.loc["baseline", ["low", "high"]].notna().all(axis=None)


def test_images_with_different_classes_are_left_out_of_their_pair_alone() -> None:
    pairs, every = tables()
    every[0] = every[0][every[0]["index"] < 10]
    every[1] = every[1][:0]
    rows = exchange.summary(pairs, every, 0).set_index("augmentation")
    assert (rows.loc["baseline", "images"] == (10 + 0 + 20 + 20) / 4).all()
    assert rows.loc["baseline", "mean"].notna().all()
    assert exchange.by_pair(pairs, every)["mean"].isna().sum() == 8


STUDY: dict[str, Any] = {
    "study": "small",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"affine": {}},
    "seeds": [1, 2, 3],
    "map_exchange": {},
}


def partners(**changes: Any) -> dict[Any, Any]:
    return Design(config.complete(STUDY | changes, "study.yaml")).partners


def test_models_exchange_maps_with_baselines_of_other_seeds() -> None:
    found = partners(
        vary=["init", "order"],
        reference="all",
        controls={"baselines": {"seeds": [11, 12], "vary": ["init", "order"]}},
    )
    assert found == {
        ("baseline", 1): ("baseline", 11),
        ("affine", 1): ("baseline", 11),
        ("affine", 2): ("baseline", 12),
        ("affine", 3): ("baseline", 1),
    }


def test_paired_models_exchange_maps_with_the_baseline_of_their_seed() -> None:
    found = partners(vary=["init"], reference="paired")
    assert {model: found[model] for model in found if model[0] == "affine"} == {
        ("affine", seed): ("baseline", seed) for seed in (1, 2, 3)
    }


def test_with_a_single_baseline_it_is_the_partner_of_all() -> None:
    assert set(partners().values()) == {("baseline", 1)}


def drawn() -> Figure:
    pairs, every = tables()
    return truth.map_exchange(
        exchange.by_pair(pairs, every), exchange.summary(pairs, every, 0), "deletion"
    )


def test_figure_has_a_panel_for_each_term() -> None:
    assert len([axes for axes in drawn().axes if axes.get_visible()]) == len(exchange.TERMS)
