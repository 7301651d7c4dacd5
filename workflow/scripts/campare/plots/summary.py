"""The answer of a study on one page."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from campare import registry
from campare.design import BASELINE
from campare.plots.charts import text_columns
from campare.plots.style import (
    DARK,
    LEVEL,
    REFERENCE,
    SMALL,
    WIDTH,
    blank_figure,
    colours,
    styled,
    title,
)
from campare.statistics import ALPHA


@styled
def summary(table: pd.DataFrame, study: str) -> Figure:
    """Accuracy change and map shift of every augmentation on one page, with intervals and tests.

    Three panels: the change of test accuracy; net distance and tightening; their sum, the shift,
    for all maps and for those of equal predictions. A filled marker is significant at 5 % after
    Holm's correction; the net distance is not tested.

    Parameters
    ----------
    table
        A row per augmentation, then per control, of one metric: summary.csv.
    """
    metric = registry.metric(table["metric"][0])
    names = list(table["augmentation"])
    controls = [name for name in names if name in registry.RESERVED.values()]
    colour = colours(names)
    figure = blank_figure(WIDTH, 1.9 + 0.36 * len(names), "constrained")
    panels = list(figure.subplots(1, 3, sharey=True, width_ratios=(1, 1, 1)))
    accuracy, parts, moved = panels

    def draw(axes: Axes, column: str, p: str, marker: str, up: float = 0.0, scale: int = 1) -> None:
        values = scale * table[[column, f"{column}_low", f"{column}_high"]].to_numpy(float)
        significant = table[p].to_numpy(float) <= ALPHA if p else np.zeros(len(table), bool)
        for row, (centre, low, high) in enumerate(values):
            drawn = colour[names[row]]
            axes.hlines(row - up, low, high, color=drawn, linewidth=1.2)
            face = drawn if significant[row] else "white"
            axes.plot(centre, row - up, marker, color=drawn, markerfacecolor=face, markersize=5)

    draw(accuracy, "gain", "gain_p_holm", "o", scale=100)
    draw(parts, "net", "", "D", 0.17)
    draw(parts, "tightening", "tightening_p_holm", "s", -0.17)
    draw(moved, "shift", "shift_p_holm", "o", 0.17)
    draw(moved, "equal_shift", "equal_shift_p_holm", "^", -0.17)
    for axes in panels:
        axes.axvline(0, color="0.3", zorder=1, **REFERENCE)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if 0 < len(controls) < len(names):
            axes.axhline(names.index(controls[0]) - 0.5, color="0.6", linewidth=0.6)
    labels = [f"{title(name)} vs. baseline" if name in controls else title(name) for name in names]
    accuracy.set_yticks(range(len(names)), [textwrap.fill(label, 18) for label in labels])
    accuracy.set_ylim(len(names) - 0.5, -0.5)
    name = metric.label[:1].lower() + metric.label[1:]
    distance = f"{metric.same:g} − {name}" if metric.same else metric.label
    accuracy.set_xlabel("Percentage points", size=SMALL)
    for axes in (parts, moved):
        axes.set_xlabel(textwrap.fill(distance, 30), size=SMALL)
    accuracy.set_title("Accuracy change", loc="left", weight="bold")
    parts.set_title("Parts of the shift", loc="left", weight="bold")
    moved.set_title("Map shift", loc="left", weight="bold")
    columns = {
        "% of\nfloor": [f"{100 * x:+.1f}" if np.isfinite(x) else "–" for x in table["share"]],
        "c": [f"{x:.3f}" if np.isfinite(x) else "–" for x in table["similarity"]],
        "Metrics": [
            f"{k:.0f} of {n}" if n > 0 else "–"
            for k, n in zip(table["significant"], table["tested"], strict=True)
        ],
    }
    text_columns(moved, columns)
    key: dict[str, Any] = {"color": DARK, "linestyle": "", "markersize": 4.5}
    handles = [
        Line2D([], [], marker=marker, markerfacecolor=face, label=label, **key)
        for marker, face, label in (
            ("D", "white", "Net distance"),
            ("s", "white", "Tightening"),
            ("o", "white", "Shift, all maps"),
            ("^", "white", "Shift, maps of equal predictions"),
            ("o", DARK, f"Filled: p ≤ {ALPHA:g} (Holm)"),
        )
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, columnspacing=1.2)
    figure.suptitle(_about_summary(table, study), x=0.01, ha="left", size=SMALL)
    # Once is not enough for the columns.
    layout = figure.get_layout_engine()
    assert layout is not None
    layout.execute(figure)
    return figure


def _about_summary(table: pd.DataFrame, study: str) -> str:
    """What was compared, how to read it, and why a test is missing, in words."""
    augmented = table[~table["augmentation"].isin(registry.MATCHED)]
    counts = sorted(set(augmented["models"]))
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    reference = table["reference"][0]
    others = {
        BASELINE: "trained without augmentation",
        "duplicated_originals": "trained on duplicated originals (as many steps, no augmentation)",
        "longer_training": "trained without augmentation for as many steps",
    }[reference]
    lines = [
        f"Study {study}: {each} networks per augmentation against {table['reference_models'][0]} "
        f"networks {others}; {table['images'][0]:,} test images.",
        "Shift = net distance (to the reference networks, beyond theirs among themselves) + "
        "tightening (augmented networks agree more among themselves); zero: as after retraining "
        "with other seeds. % of floor: of the mean distance of two reference networks; c: "
        "noise-corrected similarity; metrics: in how many the shift is significant. Tests permute "
        f"network labels. Bars: {LEVEL} intervals; of the shift {100 * (1 - 2 * ALPHA):g} %, each "
        f"end one-sided at {100 * ALPHA:g} %.",
    ]
    for words in ("note", "gain_note"):
        notes = dict.fromkeys(str(note) for note in table[words].dropna() if note)
        lines += [f"{'Maps' if words == 'note' else 'Accuracy'}: {note}" for note in notes]
    return "\n".join(textwrap.fill(line, 118) for line in lines)
