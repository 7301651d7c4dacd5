"""Figures of localisation, faithfulness and a spurious cue show their tables, legibly."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from campare import localisation
from campare.plots import saving, style, truth

pytestmark = pytest.mark.filterwarnings("error")

NAMES = ["baseline", "cutmix", "random_erasing", "random_crop"]
REGIONS = ["object", "distractor", "cue"]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def titled(figure: Figure) -> dict[str, Axes]:
    return {axes.get_title() or axes.get_title(loc="left"): axes for axes in figure.axes}


def localised(
    seeds: int = 3, names: list[str] = NAMES, regions: list[str] = REGIONS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    models = list(product(names, range(1, seeds + 1)))
    tables = []
    for _ in models:
        table = pd.DataFrame(product(regions, range(20)), columns=["region", "index"])
        for score in localisation.SCORES:
            table[score], table[f"{score}_other"] = random.uniform(0.1, 0.9, (2, len(table)))
        tables.append(table.assign(area=0.2, constant=False))
    summary = localisation.summary(models, tables, 0, paired=True)
    return localisation.by_model(models, tables), summary


def planted(seeds: int = 3, names: list[str] = NAMES) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    keys = product(names, range(1, seeds + 1), [*localisation.GROUPS] * 20)
    images = pd.DataFrame(keys, columns=["augmentation", "seed", "group"])
    without = images["group"].str.endswith("without")
    for name in localisation.MEASURES:
        images[name] = random.uniform(0, 1, len(images))
    images.loc[without, "energy"] = np.nan
    images["chance"] = np.where(without, np.nan, 0.016)
    images["cue"] = "cue"
    return localisation.spurious(images), localisation.spurious_summary(images, 0, paired=True)


def relied() -> pd.DataFrame:
    """Reliance on two cues of one class."""
    random = np.random.default_rng(1)
    keys = product(["mark", "tint"], NAMES, range(1, 4), [*localisation.GROUPS] * 20)
    images = pd.DataFrame(keys, columns=["cue", "augmentation", "seed", "group"])
    images["cue_class_rate"] = random.uniform(0, 1, len(images))
    return localisation.reliance(images, {"mark": "star", "tint": "star"}, 0, paired=True)


def curves() -> pd.DataFrame:
    keys = product(NAMES, ["map", "random"], truth.CURVES, [0.0, 0.5, 1.0])
    table = pd.DataFrame(keys, columns=["augmentation", "map", "curve", "share"])
    return table.assign(probability=np.linspace(0.1, 0.9, len(table)), std=0.05, seeds=3)


def gains(seeds: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = product(NAMES, range(1, seeds + 1), truth.GAINS)
    models = pd.DataFrame(keys, columns=["augmentation", "seed", "measure"])
    models = models.assign(gain=np.linspace(-0.1, 0.3, len(models)))
    summary = models.groupby(["augmentation", "measure"], sort=False)["gain"].mean().reset_index()
    bound = 0.05 if seeds > 1 else np.nan
    return models, summary.assign(
        gain_low=summary["gain"] - bound, gain_high=summary["gain"] + bound
    )


def test_localisation_shows_every_augmentation_on_every_region() -> None:
    means, summary = localised()
    panels = titled(truth.localisation(means, summary, "energy", "Energy"))
    assert list(panels) == ["Object", "Distractor", "Cue"]
    for region, panel in zip(REGIONS, panels.values(), strict=True):
        rows = summary[(summary["region"] == region) & (summary["score"] == "energy")]
        drawn = [bar.lines[0].get_xdata()[0] for bar in panel.containers]
        np.testing.assert_allclose(drawn, rows["mean"])
        hollow = next(line for line in panel.lines if line.get_marker() == "D")
        np.testing.assert_allclose(hollow.get_xdata(), rows["other"])
        (row,) = rows[rows["augmentation"] == "cutmix"].itertuples()
        found = texts(panel.figure)
        difference = (
            f"{row.difference:+.3f} ({row.difference_low:+.3f}, {row.difference_high:+.3f})"
        )
        assert difference.replace("-", "−") in found
    names = [tick.get_text() for tick in next(iter(panels.values())).get_yticklabels()]
    assert names == [style.title(name) for name in NAMES]


def test_cue_figure_shows_its_groups() -> None:
    models, summary = planted()
    panels = list(titled(truth.spurious(models, summary, "cue")).values())
    drawn = [
        ("accuracy", list(localisation.GROUPS)),
        ("cue_class_rate", ["other_classes_with_cue", "other_classes_without_cue"]),
        ("energy", ["cue_class_with_cue", "other_classes_with_cue"]),
    ]
    for panel, (measure, groups) in zip(panels, drawn, strict=True):
        assert len(panel.containers) == len(groups)
        for container, group in zip(panel.containers, groups, strict=True):
            rows = summary[(summary["measure"] == measure) & (summary["group"] == group)]
            np.testing.assert_allclose(container.lines[0].get_xdata(orig=False), 100 * rows["mean"])


def test_curves_show_the_map_and_a_random_map() -> None:
    table = curves()
    figure = truth.faithfulness_curves(table)
    assert len(figure.axes) == len(truth.CURVES) * len(NAMES)
    for axes, (curve, name) in zip(figure.axes, product(truth.CURVES, NAMES), strict=True):
        rows = table[(table["augmentation"] == name) & (table["curve"] == curve)]
        for line, drawn in zip(axes.lines, ("random", "map"), strict=True):
            expected = rows.loc[rows["map"] == drawn, "probability"]
            np.testing.assert_allclose(line.get_ydata(), expected)


def test_a_curve_of_one_share_is_a_point() -> None:
    table = curves()
    *others, road = truth.CURVES
    figure = truth.faithfulness_curves(table[(table["curve"] != road) | (table["share"] == 1)])
    points = [len(axes.containers) for axes in figure.axes]
    assert points == [0] * len(others) * len(NAMES) + [2] * len(NAMES)


def test_gain_shows_every_measure_with_its_interval() -> None:
    models, summary = gains()
    figure = truth.faithfulness_gain(models, summary)
    assert list(titled(figure)) == ["Deletion", "Insertion", "ROAD"]
    for row in summary.itertuples():
        gain = f"{row.gain:+.3f} ({row.gain_low:+.3f}, {row.gain_high:+.3f})"
        assert gain.replace("-", "−") in texts(figure)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
@pytest.mark.parametrize("kind", ["all", "one region", "cue", "curves", "gain"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_are_legible_also_from_degenerate_tables(
    tmp_path: Path, kind: str, suffix: str, seeds: int
) -> None:
    degenerate = localised(seeds, ["baseline"], ["object"])
    figure = {
        "all": lambda: truth.localisation(*localised(seeds), "iou", "IoU"),
        "one region": lambda: truth.localisation(*degenerate, "iou", "IoU"),
        "cue": lambda: truth.spurious(*planted(seeds), "cue"),
        "curves": lambda: truth.faithfulness_curves(curves().assign(std=np.nan)),
        "gain": lambda: truth.faithfulness_gain(*gains(seeds)),
    }[kind]()
    width, height = figure.get_size_inches()
    assert height <= 0.8 * width + 1e-9
    visible = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in visible) >= 7
    saving.save(figure, tmp_path / f"a{suffix}", 60)
    assert (tmp_path / f"a{suffix}").stat().st_size > 500


@pytest.mark.parametrize("figure", ["localisation", "spurious"])
def test_names_of_controls_are_whole_and_broken_between_words(figure: str) -> None:
    names = [*NAMES, "duplicated_originals", "longer_training"]
    drawn = {
        "localisation": lambda: truth.localisation(*localised(names=names), "energy", "Energy"),
        "spurious": lambda: truth.spurious(*planted(names=names), "cue"),
    }[figure]()
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert [label.replace("\n", " ") for label in labels[-2:]] == [
        "Duplicated originals (step-matched)",
        "Longer training (step-matched)",
    ]


def test_reliance_has_a_panel_per_cue_and_fills_differences_from_the_baseline() -> None:
    table = relied()
    mine = (table["cue"] == "tint") & (table["augmentation"] == NAMES[1])
    ends = ["difference", "difference_low", "difference_high"]
    table.loc[mine, ends] = -0.3, -0.4, -0.2
    panels = titled(truth.reliance(table))
    assert list(panels) == ["Mark\n(class star)", "Tint\n(class star)"]
    for cue, axes in zip(("mark", "tint"), panels.values(), strict=True):
        rows = table[table["cue"] == cue].set_index("augmentation")
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert [line.get_xdata()[0] for line in dots] == pytest.approx(
            100 * rows["mean"].to_numpy()
        )
        filled = [line.get_markerfacecolor() != "white" for line in dots]
        differs = (rows["difference_low"] > 0) | (rows["difference_high"] < 0)
        assert filled == differs.tolist()
    assert filled[1]
