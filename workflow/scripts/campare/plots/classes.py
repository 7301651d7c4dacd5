"""Classes of a study: their numbers of images, and map shift and localisation of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from campare.design import BASELINE
from campare.labels import SUBSETS
from campare.localisation import main_region
from campare.plots import page
from campare.plots.charts import key_columns, name_rows
from campare.plots.fitting import MOST_CLASSES, fitted, ordered
from campare.plots.style import (
    DARK,
    GREY,
    MARKERS,
    PALETTE,
    REFERENCE,
    SMALL,
    WIDTH,
    Floats,
    blank_figure,
    colours,
    distance_label,
    styled,
    title,
)

SHADES = {"train": PALETTE[0], "validation": PALETTE[6], "test": PALETTE[2]}
ROW = 0.17  # inches
NAMES = 1.6  # room for the names of classes, inches
NAMED = 8  # classes that are named at each end of a curve
ROWS = "Rows: true classes (number of test images)"
ENDS = 15  # classes with the lowest and the highest map shift that a figure shows


@styled
def subsets(table: pd.DataFrame) -> Figure:
    """Number of images of each class in each subset.

    Up to `MOST_CLASSES` classes: bars with the numbers, a panel per subset. More: the numbers
    against the rank of the class, with the names of the largest and smallest classes.

    Parameters
    ----------
    table
        `class`, `train`, `validation`, `test`: subsets.csv, whose last row is the sum.
    """
    classes, numbers = table.iloc[:-1].reset_index(drop=True), table[[*SUBSETS]].iloc[:-1]
    if len(classes) > MOST_CLASSES:
        return _ranked(classes["class"].tolist(), numbers)
    names = ordered(classes["class"])
    numbers = numbers.set_axis(classes["class"]).loc[names]
    figure = blank_figure(WIDTH, 0.95 + ROW * len(names), "constrained")
    panels = figure.subplots(1, len(SUBSETS), sharey=True)
    name_rows(panels[0], list(fitted(names, NAMES).values()))
    for axes, (subset, colour) in zip(panels, SHADES.items(), strict=True):
        values = numbers[subset].to_numpy()
        axes.barh(range(len(names)), values, height=0.7, color=colour)
        for row, value in enumerate(values):
            axes.annotate(
                f"{value:,}", (value, row), xytext=(2, 0), textcoords="offset points",
                va="center", size=SMALL,
            )  # fmt: skip
        axes.set_title(_about(subset, values), loc="left")
        axes.set_xlim(0, 1.25 * max(1, values.max()))
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
    figure.supxlabel("Images of the class", size=8)
    return figure


def _about(subset: str, values: Floats) -> str:
    """The name of a subset, its number of images, and how unequal the classes are."""
    label = SUBSETS[subset]
    low, high = values.min(), values.max()
    ratio = f"largest/smallest class: {high / low:,.3g}" if low else f"smallest class: {low:,}"
    return f"{label}: {values.sum():,} images\n{ratio}"


def _ranked(names: Sequence[str], numbers: pd.DataFrame) -> Figure:
    """Numbers of images against the rank of the class, and names of the classes at the ends."""
    figure = blank_figure(WIDTH, 3.6, "constrained")
    axes, listed = figure.subplots(1, 2, width_ratios=(5, 3))
    train = numbers["train"].to_numpy()
    order = np.argsort(-train, kind="stable")
    ranks = np.arange(1, len(names) + 1)
    for (subset, colour), marker in zip(SHADES.items(), MARKERS, strict=False):
        values = numbers[subset].to_numpy()
        axes.plot(
            ranks, values[order], marker, color=colour, markersize=2.5, markeredgewidth=0,
            label=_about(subset, values),
        )  # fmt: skip
    counts = numbers.to_numpy()
    if counts.max() > 10 * counts[counts > 0].min():
        axes.set_yscale("symlog", linthresh=1, linscale=0.3)  # zero is on the axis
        axes.set_yticks([0, *(10**power for power in range(len(str(counts.max()))))])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(bottom=-0.2)
    else:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(0, len(names) + 1)
    axes.set(
        xlabel=f"Rank of the class by its training images ({len(names):,} classes)",
        ylabel="Images of the class",
    )
    axes.grid()
    labels = [str(label) for label in axes.get_legend_handles_labels()[1]]
    ncols = key_columns(chain(*(label.split("\n") for label in labels)), 3)
    figure.legend(loc="outside upper center", ncols=ncols, markerscale=2)
    listed.set_axis_off()
    if train.min() == train.max():
        listed.text(0, 1, f"Every class has {train[0]:,} training images.", va="top", size=SMALL)
        return figure
    heads = (("Most training images", order[:NAMED]), ("Fewest training images", order[-NAMED:]))
    short = fitted([names[row] for _, places in heads for row in places], 1.9)
    for top, (head, places) in zip((1.0, 0.46), heads, strict=True):
        place: dict[str, Any] = {"va": "top", "size": SMALL, "linespacing": 1.2}
        listed.text(0, top, head, color="0.4", **place)
        numbered = "\n".join(f"{train[row]:,}" for row in places)
        named = "\n".join(short[names[row]] for row in places)
        listed.text(0.17, top - 0.05, numbered, ha="right", **place)
        listed.text(0.2, top - 0.05, named, **place)
    return figure


@styled
def shift_by_class(table: pd.DataFrame, metric: str) -> Figure:
    """Map shift E of every class, a panel per augmentation, and the noise floor of the class.

    Classes are sorted by the mean of E over augmentations. Of more than twice `ENDS`, those with
    the highest and the lowest mean are shown.

    Parameters
    ----------
    table
        `metric`, `augmentation`, `class` ("all" for all images, the first row of each), `shift`,
        `shift_low`, `shift_high`, `floor`, `images`: shift_by_class.csv.
    metric
        Name of the metric.
    """
    rows = table[table["metric"] == metric].rename(columns={"floor": "level"})
    figure, _, note = _by_class(rows, "shift", "E", "Noise floor BB (distance)")
    label = f"Map shift E of the class, difference in {distance_label(metric)}"
    figure.supxlabel(f"{label} (dashed: all images)\n{ROWS}{note}", size=8)
    return figure


@styled
def localisation_by_class(table: pd.DataFrame) -> Figure:
    """Change of the energy on the main region by class, and the energy of the baselines' maps.

    Parameters
    ----------
    table
        `augmentation`, `region`, `class`, `mean`, `chance`, `difference`, `difference_low`,
        `difference_high`, `images`: localisation_by_class.csv.
    """
    region = main_region(table)
    rows = table[table["region"] == region]
    own = rows[rows["augmentation"] == BASELINE].set_index("class")
    rows = rows[rows["augmentation"] != BASELINE]
    rows = rows.assign(level=rows["class"].map(own["mean"]))
    heading = "Baselines (energy)"
    figure, panels, note = _by_class(rows, "difference", "the difference", heading)
    panels[-1].axvline(own["chance"].iloc[0], color="0.3", linewidth=0.9, dashes=(1, 2))
    label = f"Difference of the energy on the region {region} from the baselines"
    figure.supxlabel(f"{label} (dashed: all images; dotted: chance)\n{ROWS}{note}", size=8)
    return figure


def _by_class(
    rows: pd.DataFrame, value: str, what: str, heading: str
) -> tuple[Figure, list[Axes], str]:
    """A panel per augmentation with `value` and its interval, and one with the column `level`.

    rows: `class` "all" is the first of each augmentation. Returns the figure, the panels, and a
    note if classes are left out.
    """
    names = list(dict.fromkeys(rows["augmentation"]))
    whole = rows.drop_duplicates("augmentation").set_index("augmentation")
    rows = rows[rows.duplicated("augmentation")]
    classes, note = _sorted_classes(rows, value, what)
    images = rows.drop_duplicates("class").set_index("class")["images"]
    short = fitted(classes, NAMES - 0.35)
    down = -(-(len(names) + 1) // (2 if page.narrow() else 4))
    across = -(-(len(names) + 1) // down)
    figure = blank_figure(WIDTH, 0.75 + down * (0.35 + 0.8 * ROW * len(classes)), "constrained")
    grid = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    panels, colour = grid[: len(names) + 1], colours(names)
    ends = [value, f"{value}_low", f"{value}_high"]
    low, high = _limits(rows[ends].to_numpy(float))
    for axes, name in zip(panels, names, strict=False):
        own = rows[rows["augmentation"] == name].set_index("class").loc[classes, ends]
        mean, *reach = own.to_numpy(float).T
        axes.errorbar(
            mean, range(len(own)), xerr=np.abs(np.array(reach) - mean), color=colour[name],
            markersize=3, elinewidth=1, fmt="o",
        )  # fmt: skip
        axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
        axes.axvline(whole.loc[name, value], color=GREY, zorder=1, **REFERENCE)
        axes.set_xlim(low, high)
    levels = rows.drop_duplicates("class").set_index("class").loc[classes, "level"]
    panels[-1].plot(levels, range(len(classes)), "D", color=DARK, markersize=3)
    panels[-1].axvline(whole["level"].iloc[0], color=GREY, zorder=1, **REFERENCE)
    for axes, label in zip(panels, [*map(title, names), heading], strict=True):
        axes.set_title(label, loc="left")
        _rows_of(axes, [f"{short[each]} ({images[each]:,})" for each in classes])
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    return figure, panels, note


def _rows_of(axes: Axes, labels: Sequence[str]) -> None:
    name_rows(axes, labels)
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))


def _sorted_classes(rows: pd.DataFrame, value: str, what: str) -> tuple[list[str], str]:
    """Classes with the highest mean value first, and a note if some are left out."""
    means = rows.groupby("class", sort=False)[value].mean()
    ranked = list(means.sort_values(ascending=False, kind="stable").index)
    if len(ranked) <= 2 * ENDS:
        return ranked, ""
    which = f"the {ENDS} with the highest and the {ENDS} with the lowest mean of {what}"
    note = f"\nOf {len(ranked):,} classes: {which} over augmentations"
    return [*ranked[:ENDS], *ranked[-ENDS:]], note


def _limits(values: Floats) -> tuple[float, float]:
    """Ends of the x axis that all panels share; values (rows, 3): estimates, ends of intervals.

    Intervals are cut beyond the range of the estimates, widened by half of it on each side.
    """
    estimates = np.append(values[:, 0], 0)
    low, high = np.nanmin(estimates), np.nanmax(estimates)
    reach = (high - low) / 2 or 0.01
    return (
        float(max(low - reach, np.nanmin([low, *values.ravel()]) - 0.1 * reach)),
        float(min(high + reach, np.nanmax([high, *values.ravel()]) + 0.1 * reach)),
    )
