"""Shift of features and predictions beside that of maps, and calibration."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from campare import controls
from campare.design import BASELINE
from campare.labels import CALIBRATION, distance_label
from campare.plots.charts import draw_seeds, panels_side_by_side
from campare.plots.page import columns_of_key, printing
from campare.plots.style import (
    DARK,
    GREY,
    REFERENCE,
    SMALL,
    colours,
    styled,
)
from campare.plots.summary import CHARACTERS, REFERENCES
from campare.statistics import ALPHA

# Panel → measures of `registry.REPRESENTATIONS`, with the markers o and ^.
PANELS = {
    "Features at the\ntarget layer": ("cka_target_layer", "neighbours_target_layer"),
    "Features before\nthe classifier": ("cka_penultimate", "neighbours_penultimate"),
    "Predictions": ("jensen_shannon", "churn"),
}
MARKERS = ("o", "^")


@styled
def shift(summary: pd.DataFrame, shifts: pd.DataFrame, study: str) -> Figure:
    """Shift of maps, features and predictions, each in per cent of its own noise floor.

    Four panels: maps; features at the target layer and before the classifier, by CKA (circles) and
    nearest neighbours (triangles); predictions, by Jensen-Shannon divergence (circles) and churn
    (triangles). Predictions have a scale of their own, because they vary much more. A filled marker
    is significant at 5 % after Holm's correction. On a page the heading is left to the caption.

    Parameters
    ----------
    summary
        summary.csv, of one metric of maps.
    shifts
        representation_shift.csv.
    study
        Name of the study.
    """
    names = list(summary["augmentation"])
    reference = dict(zip(names, summary["reference"], strict=True))
    colour = colours(names)
    titles = ["Maps", *PANELS]
    figure, panels = panels_side_by_side(names, titles)
    every = shifts[shifts["predictions"] == controls.ANY]
    used = {
        (row["metric"], row["augmentation"], row["reference"]): row for _, row in every.iterrows()
    }
    of_maps = summary.set_index("augmentation")

    for axes in panels[1:3]:  # before anything is drawn, so that the scale fits all of them
        axes.sharex(panels[0])
    for axes, title in zip(panels, titles, strict=True):
        measures = PANELS.get(title, ("",))
        for place, measure in enumerate(measures):
            up = 0.17 * (1 - 2 * place) * (len(measures) > 1)
            for row, name in enumerate(names):
                values = used[measure, name, reference[name]] if measure else of_maps.loc[name]
                scale = 100 / values["floor"] if values["floor"] > 0 else np.nan
                centre, low, high = (
                    scale * values[column] for column in ("shift", "shift_low", "shift_high")
                )
                axes.hlines(row - up, low, high, color=colour[name], linewidth=1.2)
                face = colour[name] if values["shift_p_holm"] <= ALPHA else "white"
                axes.plot(
                    centre,
                    row - up,
                    MARKERS[place],
                    color=colour[name],
                    markerfacecolor=face,
                    markersize=5,
                )
        axes.axvline(0, color="0.3", zorder=1, **REFERENCE)
        axes.set_xlabel("% of the noise floor", size=SMALL)
    figure.legend(
        ncols=columns_of_key(3, 1.9),
        handles=[
            Line2D(
                [], [], color=DARK, marker=marker, markerfacecolor=face, linestyle="", label=text
            )
            for marker, face, text in (
                ("o", DARK, f"filled: p ≤ {ALPHA:g}"),
                ("o", "white", "maps; CKA; Jensen-Shannon divergence"),
                ("^", "white", "nearest neighbours; prediction churn"),
            )
        ],
        loc="outside lower left",
        columnspacing=1.2,
        handletextpad=0.2,
    )
    if not printing():
        heading = textwrap.fill(_heading(summary, shifts, study), CHARACTERS)
        figure.suptitle(heading, size=SMALL, x=0.01, ha="left")
    return figure


def _heading(summary: pd.DataFrame, shifts: pd.DataFrame, study: str) -> str:
    """What is compared, and how the distances are scaled."""
    first = summary.iloc[0]
    images = shifts["images"].iloc[0]
    return (
        f"Shift beyond retraining variability. Study {study}; reference: "
        f"{REFERENCES[first['reference']]}. Maps: {distance_label(first['metric'])}, "
        f"{first['images']:,} test images; features and predictions: {images:,} of them. Noise "
        "floor: mean distance of two reference networks, of each measure its own. Lines: "
        f"{100 * (1 - 2 * ALPHA):g} % intervals. The scale of the predictions differs."
    )


@styled
def calibration(table: pd.DataFrame) -> Figure:
    """Calibration of every model: a panel per measure, dots are models, and their mean.

    Parameters
    ----------
    table
        `augmentation`, `seed` and the measures: calibration.csv.
    """
    names = list(dict.fromkeys(table["augmentation"]))
    colour = colours(names)
    figure, panels = panels_side_by_side(
        names, [textwrap.fill(label, 22) for label in CALIBRATION.values()]
    )
    for axes, measure in zip(panels, CALIBRATION, strict=True):
        for row, name in enumerate(names):
            values = table.loc[table["augmentation"] == name, measure].to_numpy(float)
            spread = values.std(ddof=1) if len(values) > 1 else 0.0
            draw_seeds(axes, row, values, values.mean(), spread, colour[name], small=True)
        if BASELINE in names:
            mean = table.loc[table["augmentation"] == BASELINE, measure].mean()
            axes.axvline(mean, color=GREY, zorder=1, **REFERENCE)
    key = "Mean ± s.d. over seeds; dots: models"
    figure.supxlabel(key + "; dashed: mean of the baselines" * (BASELINE in names), size=SMALL)
    return figure
