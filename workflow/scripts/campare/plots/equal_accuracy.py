"""The map shift between networks of equal accuracy."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from campare.labels import distance_label
from campare.plots import page
from campare.plots.charts import draw_seeds, key_columns, panels_side_by_side
from campare.plots.fitting import MOST_ROWS, chosen
from campare.plots.style import DARK, GREY, REFERENCE, SMALL, colours, control_title, styled
from campare.statistics import ALPHA

CHARACTERS = 132  # of small text across the figure
SHIFTS = (("shift", "shift_p_holm", "o", -0.17), ("adjusted_shift", "adjusted_p_holm", "D", 0.17))


@styled
def equal_accuracy(table: pd.DataFrame, performance: pd.DataFrame) -> Figure:
    """Accuracy of every network, and the map shift with and without adjustment for it.

    A filled marker is significant at 5 % after Holm's correction.

    Parameters
    ----------
    table
        equal_accuracy.csv.
    performance
        performance.csv: `augmentation`, `seed`, `accuracy`.
    """
    colour = colours(list(table["augmentation"]))
    names, note = chosen(table["augmentation"], MOST_ROWS)
    table = table[table["augmentation"].isin(names)].reset_index(drop=True)
    titles = ("Test accuracy\nof every network", "Map shift, all networks\nand at equal accuracy")
    figure, (accuracy, shift) = panels_side_by_side(names, titles)
    for row, (name, of) in enumerate(zip(names, table.to_dict("records"), strict=True)):
        own, references = (
            100 * performance.loc[performance["augmentation"] == arm, "accuracy"].to_numpy(float)
            for arm in (name, of["reference"])
        )
        accuracy.plot(references, [row + 0.22] * len(references), "|", color=GREY, markersize=5)
        spread = own.std(ddof=1) if len(own) > 1 else 0.0
        draw_seeds(accuracy, row, own, own.mean(), spread, colour[name], small=True)
        for column, p, marker, down in SHIFTS:
            centre, low, high = (
                100 * of[end] / of["floor"] for end in (column, f"{column}_low", f"{column}_high")
            )
            shift.hlines(row + down, low, high, color=colour[name], linewidth=1.2)
            face = colour[name] if of[p] <= ALPHA else "white"
            form: dict[str, Any] = {"color": colour[name], "markerfacecolor": face, "markersize": 5}
            shift.plot(centre, row + down, marker, **form)
    shift.axvline(0, color="0.3", zorder=1, **REFERENCE)
    accuracy.set_xlabel("% (mean ± s.d.; dots: networks)", size=SMALL)
    shift.set_xlabel("% of the noise floor", size=SMALL)
    dark: dict[str, Any] = {"color": DARK, "linestyle": ""}
    handles = [
        Line2D([], [], marker="|", color=GREY, linestyle="", label="Reference networks"),
        Line2D([], [], marker="o", markerfacecolor="white", label="All networks", **dark),
        Line2D([], [], marker="D", markerfacecolor="white", label="At equal accuracy", **dark),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=key_columns((str(handle.get_label()) for handle in handles), 4),
        columnspacing=1.2,
        handletextpad=0.2,
    )
    compared = " and ".join(dict.fromkeys(table["reference"].map(control_title)))
    text = (
        "Map shift beyond retraining variability, before and after adjustment for differences of "
        f"test accuracy. Reference: {compared}. Distance: {distance_label(table['metric'][0])}. "
        f"Right panel: lines are {100 * (1 - 2 * ALPHA):g} % intervals, filled markers have "
        f"p ≤ {ALPHA:g} (Holm). {note}"
    ).rstrip()
    characters = int(CHARACTERS * page.width() / page.USUAL)
    figure.suptitle(textwrap.fill(text, characters), size=SMALL, x=0.01, ha="left")
    return figure
