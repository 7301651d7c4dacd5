"""Evaluation of maps: localisation, faithfulness, and reliance on a spurious cue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from campare.design import BASELINE
from campare.labels import CUE_GROUPS, DELETION, EXCHANGE
from campare.labels import CURVES as CURVES
from campare.labels import GAINS as GAINS
from campare.localisation import GROUPS
from campare.plots import page
from campare.plots.charts import (
    draw_seeds,
    key_columns,
    panels_in_grid,
    panels_side_by_side,
    text_columns,
)
from campare.plots.fitting import arranged, sets_shown, two_lines
from campare.plots.style import (
    GREY,
    LEVEL,
    PALETTE,
    REFERENCE,
    SMALL,
    WIDTH,
    blank_figure,
    colours,
    styled,
    title,
)

# Groups of images by class and cue → label, marker, colour; markers are hollow without the cue.
GROUP_STYLES = {
    name: (CUE_GROUPS[name], marker, PALETTE[colour])
    for name, marker, colour in zip(GROUPS, "ooss", (5, 5, 1, 1), strict=True)
}
CHANCE: dict[str, Any] = {"color": "0.3", "linewidth": 0.9, "dashes": (1, 2)}
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markersize": 3.5, "markeredgewidth": 0.8}


@styled
def localisation(models: pd.DataFrame, summary: pd.DataFrame, score: str, label: str) -> Figure:
    """Localisation of the maps: a panel per region, each with a row per augmentation.

    Parameters
    ----------
    models
        `augmentation`, `seed`, `region`, `score`, `mean`: localisation.csv.
    summary
        `augmentation`, `region`, `score`, `mean`, `std`, `chance`, `other`, `difference`,
        `difference_low`, `difference_high`: localisation_summary.csv.
    score
        Name of the score.
    label
        Label of the score.
    """
    models, summary = (table[table["score"] == score] for table in (models, summary))
    names = list(dict.fromkeys(summary["augmentation"]))
    regions = list(dict.fromkeys(summary["region"]))
    figure, panels = panels_in_grid(names, regions)
    for panel, region in zip(panels, regions, strict=True):
        rows = summary[summary["region"] == region].set_index("augmentation").reindex(names)
        _draw_models(panel, models[models["region"] == region], "mean", names)
        panel.plot(rows["other"], range(len(names)), "D", color="0.3", **_HOLLOW)
        panel.axvline(rows["chance"].mean(), zorder=1, **CHANCE)
        if BASELINE in names:
            mean = rows.loc[BASELINE, "mean"]
            panel.axvline(mean, color=GREY, zorder=1, **REFERENCE)
            gains = rows[["difference", "difference_low", "difference_high"]]
            _print_gains(panel, gains, "Difference from\nbaseline")
    figure.supxlabel(label, size=8)
    key = (
        Line2D([], [], marker="o", color="0.3", linewidth=1.4, label="Mean ± s.d. over seeds"),
        Line2D([], [], color=GREY, label="Baseline mean", **REFERENCE),
        Line2D(
            [], [], marker="D", color="0.3", linestyle="", label="Maps of other images", **_HOLLOW
        ),
        Line2D([], [], label="Chance (by area of the region)", **CHANCE),
    )
    columns = key_columns((str(line.get_label()) for line in key), len(key))
    figure.legend(handles=key, loc="outside upper center", ncols=columns)
    return figure


@styled
def spurious(models: pd.DataFrame, summary: pd.DataFrame, region: str) -> Figure:
    """Reliance on a spurious cue, a region that occurs with one class in training.

    Parameters
    ----------
    models
        `augmentation`, `cue`, `group`, `accuracy`, `cue_class_rate`, `energy` of each seed:
        spurious.csv.
    summary
        `augmentation`, `cue`, `group`, `measure`, `mean`, `std`, `chance`: spurious_summary.csv.
    region
        Name of the region, one of `cue`.
    """
    models, summary = (table[table["cue"] == region] for table in (models, summary))
    names = list(dict.fromkeys(summary["augmentation"]))
    drawn = {
        "accuracy": ("Test accuracy (%)", 100, list(GROUPS)),
        "cue_class_rate": (f"Classified as the class\nof the {region} (%)", 100, list(GROUPS[2:])),
        "energy": (f"Map energy on the {region}\n(% of the map)", 100, list(GROUPS[::2])),
    }
    figure, panels = panels_side_by_side(names, [label for label, _, _ in drawn.values()])
    for panel, (measure, (_, scale, groups)) in zip(panels, drawn.items(), strict=True):
        places = np.linspace(-0.28, 0.28, len(groups))
        for group, place in zip(groups, places, strict=True):
            label, marker, fill = GROUP_STYLES[group]
            rows = summary[(summary["group"] == group) & (summary["measure"] == measure)]
            rows = rows.set_index("augmentation").reindex(names)
            one = models[models["group"] == group]
            for row, name in enumerate(names):
                seeds = scale * one.loc[one["augmentation"] == name, measure].to_numpy()
                panel.plot(seeds, [row + place] * len(seeds), ".", color="0.6", markersize=2.5)
            panel.errorbar(
                scale * rows["mean"], np.arange(len(names)) + place,
                xerr=scale * np.nan_to_num(rows["std"]), fmt=marker, color=fill, markersize=4.5,
                markerfacecolor=fill if "with" in group.split("_") else "white", capsize=2,
                elinewidth=1, label=label if measure == "accuracy" else None,
            )  # fmt: skip
            if measure == "energy" and group == GROUPS[0]:
                chance = scale * rows["chance"].mean()
                panel.axvline(chance, zorder=1, **CHANCE)
        for row in range(1, len(names)):
            panel.axhline(row - 0.5, color="0.9", linewidth=0.6)
    figure.supxlabel(
        f"Mean ± s.d. over seeds; dots: seeds; dotted: chance (area of the {region})", size=8
    )
    columns = key_columns((label for label, _, _ in GROUP_STYLES.values()), 4)
    figure.legend(loc="outside upper center", ncols=columns)
    return figure


@styled
def reliance(table: pd.DataFrame) -> Figure:
    """Reliance on every cue: a panel per cue, with the differences from the baseline.

    Parameters
    ----------
    table
        spurious_reliance.csv.
    """
    names = list(dict.fromkeys(table["augmentation"]))
    cues = list(dict.fromkeys(table["cue"]))
    colour = colours(names)
    of_cue = table.drop_duplicates("cue").set_index("cue")["cue_class"]
    figure, panels = panels_side_by_side(names, [f"{title(c)}\n(class {of_cue[c]})" for c in cues])
    for axes in panels[1:]:  # before anything is drawn, so that the scale fits all of them
        axes.sharex(panels[0])
    for axes, cue in zip(panels, cues, strict=True):
        rows = table[table["cue"] == cue].set_index("augmentation").reindex(names)
        for place, name in enumerate(names):
            of = rows.loc[name]
            base = of["mean"] - of["difference"]  # of the baselines with which it is compared
            ends = 100 * (base + of[["difference_low", "difference_high"]].to_numpy(float))
            if np.isfinite(ends).all():
                axes.hlines(place, *ends, color=colour[name], linewidth=1.2)
            differs = of["difference_low"] > 0 or of["difference_high"] < 0
            face = colour[name] if differs else "white"
            form: dict[str, Any] = {"color": colour[name], "markerfacecolor": face, "markersize": 5}
            axes.plot(100 * of["mean"], place, "o", **form)
        if BASELINE in rows.index:
            axes.axvline(100 * rows.loc[BASELINE, "mean"], color=GREY, zorder=1, **REFERENCE)
        axes.axvline(0, color="0.85", linewidth=0.8, zorder=0)
    figure.supxlabel(
        "Reliance (percentage points): images of other classes predicted as the class of the cue,\n"
        f"with the cue minus without. Lines: {LEVEL} intervals of the difference from the baseline "
        "(dashed);\nfilled: the interval excludes the baseline",
        size=SMALL,
    )
    return figure


@styled
def faithfulness_curves(table: pd.DataFrame) -> Figure:
    """Probability of the explained class against removed or inserted pixels, a row per curve.

    Parameters
    ----------
    table
        `augmentation`, `map` ("map" or "random"), `curve`, `share`, `probability`, `std` over
        seeds: faithfulness_curves.csv.
    """
    every = list(dict.fromkeys(table["augmentation"]))
    names, note = sets_shown(every)
    colour = colours(every)
    curves, titles = len(CURVES), two_lines(map(title, names), 0.82, SMALL)
    high = 1.0 if page.narrow() else 1.15
    across, width, height = arranged(
        len(names), 0.85, high * curves, margin_width=0.6, margin_height=0.8
    )
    figure = blank_figure(max(WIDTH, width), height, "constrained")
    down = -(-len(names) // across)
    grid = figure.subplots(down * curves, across, sharex=True, sharey=True, squeeze=False)
    for axes in grid[-curves:, len(names) - (down - 1) * across :].flat:
        axes.set_visible(False)
    for place, name in enumerate(names):
        block, column = divmod(place, across)
        panels = grid[block * curves : (block + 1) * curves, column]
        panels[0].set_title(titles[title(name)], size=SMALL)
        for axes, (curve, label) in zip(panels, CURVES.items(), strict=True):
            rows = table[(table["augmentation"] == name) & (table["curve"] == curve)]
            for drawn, shade, dashes in (("random", GREY, (3, 2)), ("map", colour[name], ())):
                one = rows[rows["map"] == drawn].sort_values("share")
                x, y = 100 * one["share"], one["probability"]
                spread = np.nan_to_num(one["std"])
                # The baseline is black: its usual grey is the colour of random maps.
                shade = "black" if shade == GREY and drawn == "map" else shade
                if len(one) == 1:  # neither a line nor an area could be seen
                    axes.errorbar(x, y, yerr=spread, fmt="o", color=shade, markersize=3)
                    continue
                axes.plot(x, y, color=shade, linewidth=1.3, dashes=dashes)
                axes.fill_between(x, y - spread, y + spread, color=shade, alpha=0.2, linewidth=0)
            axes.grid()
            if column == 0:
                axes.set_ylabel(label)
    grid[0, 0].set_ylim(0, 1)
    grid[0, 0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.supxlabel(
        "Pixels removed (deletion, ROAD) or inserted (%).  ↓ lower, ↑ higher is more faithful"
        f"{note}",
        size=8,
    )
    figure.supylabel("Mean probability of the explained class", size=8)
    own, random = "Pixels ranked by the model's map (± s.d. over seeds)", "Ranked by a random map"
    key = (
        Line2D([], [], color="black", linewidth=1.3, label=own),
        Line2D([], [], color=GREY, linewidth=1.3, dashes=(3, 2), label=random),
    )
    columns = key_columns((str(line.get_label()) for line in key), 2)
    figure.legend(handles=key, loc="outside upper center", ncols=columns)
    return figure


@styled
def faithfulness_gain(models: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Faithfulness of a model's maps relative to random maps: a panel per measure.

    Parameters
    ----------
    models
        `augmentation`, `measure`, `gain`, a row per seed: faithfulness.csv.
    summary
        `augmentation`, `measure`, `gain`, `gain_low`, `gain_high`: faithfulness_summary.csv.
    """
    names = list(dict.fromkeys(summary["augmentation"]))
    figure, panels = panels_in_grid(names, list(GAINS.values()))
    for panel, measure in zip(panels, GAINS, strict=True):
        _draw_models(panel, models[models["measure"] == measure], "gain", names)
        panel.axvline(0, zorder=1, **CHANCE)
        rows = summary[summary["measure"] == measure].set_index("augmentation").reindex(names)
        _print_gains(panel, rows[["gain", "gain_low", "gain_high"]], "Mean gain")
    figure.supxlabel(
        "Gain of the model's map over a random map (mean probability; positive: more faithful)\n"
        "Mean ± s.d. over seeds; dots: seeds",
        size=8,
    )
    return figure


@styled
def single_deletion(models: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Rank correlation of maps and single deletions: a panel per kind of network.

    Parameters
    ----------
    models
        `augmentation`, `network`, `mean`, a row per seed: single_deletion.csv.
    summary
        `augmentation`, `network`, `mean`, `difference`, `difference_low`, `difference_high`:
        single_deletion_summary.csv.
    """
    names = list(dict.fromkeys(summary["augmentation"]))
    kinds = [kind for kind in DELETION if kind in set(summary["network"])]
    # In two lines, so that they end before the heading of the printed differences.
    short = two_lines(DELETION.values(), 2.0)
    figure, panels = panels_in_grid(names, [short[DELETION[kind]] for kind in kinds])
    for panel, kind in zip(panels, kinds, strict=True):
        _draw_models(panel, models[models["network"] == kind], "mean", names)
        panel.axvline(0, zorder=1, **CHANCE)
        rows = summary[summary["network"] == kind].set_index("augmentation").reindex(names)
        if BASELINE in names:
            panel.axvline(float(rows["mean"][BASELINE]), color=GREY, zorder=1, **REFERENCE)
            gains = rows[["difference", "difference_low", "difference_high"]]
            _print_gains(panel, gains, "Difference from\nbaseline")
    figure.supxlabel(
        "Spearman correlation, over cells, of the map and the fall of the score without the cell\n"
        "Mean ± s.d. over seeds; dots: seeds; dashed: baseline mean; dotted: chance",
        size=8,
    )
    return figure


@styled
def map_exchange(pairs: pd.DataFrame, summary: pd.DataFrame, measure: str) -> Figure:
    """Deletion or insertion of networks that exchange maps: a panel per term.

    Parameters
    ----------
    pairs
        `augmentation`, `measure`, `term`, `mean`, a row per pair of networks: map_exchange.csv.
    summary
        `augmentation`, `measure`, `term`, `mean`, `low`, `high`: map_exchange_summary.csv.
    measure
        "deletion" or "insertion".
    """
    pairs, summary = (table[table["measure"] == measure] for table in (pairs, summary))
    names = list(dict.fromkeys(summary["augmentation"]))
    figure, panels = panels_in_grid(names, list(EXCHANGE.values()))
    for panel, term in zip(panels, EXCHANGE, strict=True):
        _draw_models(panel, pairs[pairs["term"] == term], "mean", names)
        panel.axvline(0, zorder=1, **CHANCE)
        rows = summary[summary["term"] == term].set_index("augmentation").reindex(names)
        _print_gains(panel, rows[["mean", "low", "high"]], "Mean")
    # The first panel is the sum of the next two: one scale.
    low, high = np.transpose([panel.get_xlim() for panel in panels])
    for panel in panels:
        panel.set_xlim(low.min(), high.max())
    of_baselines = "; first row: two baselines" if BASELINE in names else ""
    figure.supxlabel(
        f"{GAINS[measure]} score ({'minus the ' if measure == 'deletion' else ''}mean probability "
        "of the explained class), augmented − baseline\n"
        "(last panel: own map − map of the other); positive: more faithful\n"
        f"Mean ± s.d. over pairs of networks; dots: pairs{of_baselines}",
        size=8,
    )
    return figure


def _draw_models(axes: Axes, models: pd.DataFrame, column: str, names: Sequence[str]) -> None:
    """Draw a row per augmentation: its seeds, their mean and standard deviation."""
    colour = colours(names)
    for row, name in enumerate(names):
        seeds = models.loc[models["augmentation"] == name, column].to_numpy()
        spread = seeds.std(ddof=1) if len(seeds) > 1 else 0
        draw_seeds(axes, row, seeds, seeds.mean(), spread, colour[name], small=True)


def _print_gains(axes: Axes, gains: pd.DataFrame, what: str) -> None:
    """Print a difference with its interval next to each row; columns: mean, low, high.

    Not on a narrow page, where they would leave no room for the axes.
    """
    if page.narrow():
        return
    texts = [_gain(*row) for row in gains.itertuples(index=False)]
    text_columns(axes, {f"{what} ({LEVEL} interval)": texts})


def _gain(mean: float, low: float, high: float) -> str:
    """A signed difference with its interval; empty if undefined."""
    if np.isnan(mean):
        return ""
    text = f"{mean:+.3f}" + ("" if np.isnan(low) else f" ({low:+.3f}, {high:+.3f})")
    return text.replace("-", "−")
