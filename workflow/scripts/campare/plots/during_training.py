"""Accuracy, distances of maps and map shift after several epochs of training."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from campare.plots import page
from campare.plots.charts import key_columns
from campare.plots.style import (
    DARK,
    GREY,
    LEVEL,
    MARKERS,
    REFERENCE,
    SMALL,
    Floats,
    blank_figure,
    colours,
    control_title,
    distance_label,
    in_sentence,
    styled,
)
from campare.registry import MATCHED
from campare.statistics import ALPHA

FIXED = "\N{NO-BREAK SPACE}"
SPREAD = 0.5  # width that the arms of an epoch take, of the distance of two epochs


@styled
def during_training(table: pd.DataFrame) -> Figure:
    """Test accuracy, distances of maps, and map shift against the epoch.

    Epochs are at equal distances; that of the weights which training keeps, which differs between
    models, comes last and is not joined to the others. A filled marker is significant at 5 % after
    Holm's correction, a hollow one is not, or is not tested.

    Parameters
    ----------
    table
        during_training.csv, with `epoch` as text.
    """
    epochs = list(dict.fromkeys(table["epoch"]))
    augmented = table[~table["augmentation"].isin(MATCHED)]
    table = augmented if len(augmented) else table
    names = list(dict.fromkeys(table["augmentation"]))
    colour = colours(names)
    marker = {name: MARKERS[place % len(MARKERS)] for place, name in enumerate(names)}
    narrow = page.narrow()
    figure = blank_figure(7.0, 7.5 if narrow else 3.1, "constrained")
    accuracy, distance, shift = figure.subplots(*((3, 1) if narrow else (1, 3)))
    places = np.arange(len(epochs), dtype=float)
    # Of the reference, then of the arms.
    middle, *offsets = SPREAD * (np.arange(len(names) + 1) / len(names) - 0.5)

    # The reference of each epoch, which is the same for all augmentations.
    first = table.drop_duplicates("epoch").set_index("epoch").loc[epochs]
    grey: dict[str, Any] = {"color": GREY, "marker": "", "filled": np.ones(len(epochs), bool)}
    _draw(accuracy, places + middle, 100 * _interval(first, "reference_accuracy"), **grey)
    _joined(distance, places + middle, first["floor"].to_numpy(float), color=GREY)
    for name, offset in zip(names, offsets, strict=True):
        rows = table[table["augmentation"] == name].set_index("epoch").reindex(epochs)
        form = {"color": colour[name], "marker": marker[name]}
        for axes, column, scale, p in (
            (accuracy, "accuracy", 100, "accuracy_change_p_holm"),
            (shift, "relative_shift", 100, "shift_p_holm"),
        ):
            filled = rows[p].to_numpy(float) <= ALPHA
            _draw(axes, places + offset, scale * _interval(rows, column), filled=filled, **form)
        _joined(distance, places + offset, rows["between"].to_numpy(float), **form)
    shift.axhline(0, color="0.3", zorder=1, **REFERENCE)
    low, high = accuracy.get_ylim()  # intervals of few networks may leave the possible values
    accuracy.set_ylim(max(low, 0), min(high, 103))
    # A line does not break at the minus sign.
    measured = distance_label(table["metric"].iloc[0]).replace(" − ", f"{FIXED}−{FIXED}")
    for axes, label in (
        (accuracy, "Test accuracy (%)"),
        (distance, f"Distance of two maps: {measured}"),
        (shift, "Map shift (% of the noise floor of the epoch)"),
    ):
        axes.set_ylabel(textwrap.fill(label, 32), size=SMALL)
        axes.set_xticks(places, epochs)
        axes.set_xlim(-0.5, len(epochs) - 0.5)
        axes.grid(axis="y")
    figure.supxlabel(_axis(epochs), size=8)
    reference = in_sentence(control_title(first["reference"].iloc[0]))
    handles = [
        Line2D([], [], color=colour[n], marker=marker[n], markersize=4, label=control_title(n))
        for n in names
    ]
    handles.append(Line2D([], [], color=GREY, label=f"Reference: {reference} (noise floor)"))
    dot: dict[str, Any] = {"color": DARK, "marker": "o", "markersize": 4, "linestyle": ""}
    handles += [
        Line2D([], [], label=f"Filled: p ≤ {ALPHA:g} (Holm)", **dot),
        Line2D([], [], label="Hollow: not significant", markerfacecolor="white", **dot),
    ]
    figure.legend(
        handles=handles,
        title=f"Vertical lines: {LEVEL} intervals of the accuracy, "
        f"{100 * (1 - 2 * ALPHA):g} % of the shift",
        loc="outside upper center",
        ncols=key_columns((str(handle.get_label()) for handle in handles), 4),
    )
    return figure


def _axis(epochs: Sequence[str]) -> str:
    """The label of the axis of epochs."""
    meaning = {
        "best": "best: that of the highest validation accuracy, whose weights are kept",
        "last": "last: that whose weights are kept",
    }
    return f"Epoch ({meaning[epochs[-1]]})" if epochs[-1] in meaning else "Epoch"


def _interval(rows: pd.DataFrame, column: str) -> Floats:
    """An estimate and the ends of its interval: (epochs, 3)."""
    return rows[[column, f"{column}_low", f"{column}_high"]].to_numpy(float)


def _joined(axes: Axes, places: Floats, values: Floats, color: str, marker: str = "") -> None:
    """Values joined by a line, without the last, that of the kept weights."""
    axes.plot(places[:-1], values[:-1], color=color, linewidth=0.9, marker=marker, markersize=3)
    axes.plot(places[-1:], values[-1:], color=color, marker=marker or ".", markersize=4)


def _draw(
    axes: Axes, places: Floats, values: Floats, color: str, marker: str, filled: Floats
) -> None:
    """Estimates with their intervals; the last one is that of the kept weights."""
    axes.plot(places[:-1], values[:-1, 0], color=color, linewidth=0.9)
    axes.vlines(places, values[:, 1], values[:, 2], color=color, linewidth=1)
    for place, value, is_filled in zip(places, values[:, 0], filled, strict=True):
        face = color if is_filled else "white"
        axes.plot(place, value, marker or ".", color=color, markerfacecolor=face, markersize=4)
