"""Which metrics detect which known changes: two heat maps with a row per metric."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from campare.columns import metric_label
from campare.detection import ALL
from campare.known_changes import UNCHANGED
from campare.plots import page
from campare.plots.fitting import text_width
from campare.plots.style import SMALL, WIDTH, Floats, blank_figure, styled, title
from campare.plots.summary import CHARACTERS
from campare.statistics import ALPHA

ROW = 0.25  # height of a row, inches
CELL, LETTER = 0.31, 0.06  # smallest width of a cell, mean width of a small letter, inches
TINY = 5.5  # points, of numbers on a narrow page
COLOURS = "cividis"  # perceptually uniform, also in protanopic and deuteranopic vision


@styled
def detection(changes: pd.DataFrame, summary: pd.DataFrame, study: str) -> Figure:
    """AUPRC of every known change, and the correlation with the strength, by metric.

    Bold numbers: the map shift is significant at 5 %. Metrics are in the order of their mean AUPRC.

    Parameters
    ----------
    changes, summary
        Results of `campare.detection.tables`.
    study
        Name of the study.
    """
    every = summary[summary["change"] == ALL].sort_values("auprc", ascending=False, kind="stable")
    metrics = list(every["metric"])
    groups = changes[changes["metric"] == metrics[0]]
    kinds = list(dict.fromkeys(groups["change"]))
    ordered = summary[summary["correlation"].notna() & (summary["change"] != ALL)]
    with_order = [kind for kind in kinds if kind in set(ordered["change"])]
    auprc, p = (_matrix(changes, metrics, column) for column in ("auprc", "shift_p"))
    correlation = (
        ordered.pivot_table("correlation", index="metric", columns="change")
        .reindex(index=metrics, columns=with_order)  # NaN: undefined for this metric
        .to_numpy(float)
    )
    names_of = [title(kind) for kind in with_order]
    chance = float(changes["chance"].mean())
    if page.narrow():
        return _upright(metrics, groups, names_of, auprc, p <= ALPHA, correlation, chance)
    heading = "" if page.printing() else _heading(changes, study)
    labels = [_metric(name) for name in metrics]
    above, below, left = 0.14 * (heading.count("\n") + 1) + 0.45, 1.15, 0.15
    left += max(text_width(line) for label in labels for line in label.split("\n"))
    height = above + ROW * len(metrics) + below
    columns = auprc.shape[1] + 0.6 + len(with_order)
    figure = blank_figure(max(WIDTH, left + CELL * columns + 0.1), height)
    wide, high = figure.get_size_inches()
    cell = (wide - left - 0.1) / columns
    box = (below / high, ROW * len(metrics) / high)
    axes = figure.add_axes((left / wide, box[0], auprc.shape[1] * cell / wide, box[1]))
    _draw(axes, auprc, p <= ALPHA, (chance, 1.0))
    axes.set_yticks(np.arange(len(metrics)), labels)
    levels = groups["level"].map(_level)
    axes.set_xticks(np.arange(auprc.shape[1]), levels, size=SMALL)
    start = 0
    for kind in kinds:
        number = int((groups["change"] == kind).sum())
        middle = start + (number - 1) / 2
        name = "Seeds only" if kind == UNCHANGED else title(kind)
        name = textwrap.fill(name, max(5, int(number * cell / LETTER)), break_long_words=False)
        axes.annotate(
            name, (middle, 0), xytext=(0, -16), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="top", size=SMALL,
        )  # fmt: skip
        if start:
            axes.axvline(start - 0.5, color="white", linewidth=3)
        start += number
    axes.set_title("AUPRC", size=SMALL + 1, loc="left")
    if with_order:
        place = (left + (auprc.shape[1] + 0.6) * cell) / wide
        right = figure.add_axes((place, box[0], len(with_order) * cell / wide, box[1]))
        _draw(right, correlation, np.zeros(correlation.shape, bool), (0.0, 1.0))
        right.set_yticks([])
        right.set_xticks(
            np.arange(len(names_of)), names_of, size=SMALL,
            rotation=90, rotation_mode="anchor", ha="right", va="center",
        )  # fmt: skip
        right.set_title("Correlation\nwith strength", size=SMALL + 1, loc="left")
    figure.text(0.05 / wide, 1 - 0.05 / high, heading, va="top", size=SMALL)
    return figure


def _upright(
    metrics: list[str],
    groups: pd.DataFrame,
    ordered: list[str],
    auprc: Floats,
    bold: np.ndarray,
    correlation: Floats,
    chance: float,
) -> Figure:
    """The same for a narrow page: a column per metric, the correlations below.

    groups: the rows of one metric, a change each; ordered: names of the changes with a correlation.
    """
    rows = [
        "Seeds only" if kind == UNCHANGED else f"{title(kind)} {_level(level)}"
        for kind, level in groups[["change", "level"]].to_numpy()
    ]
    labels = [_metric(name) for name in metrics]
    left = 0.15 + max(text_width(line) for line in [*rows, *ordered]) * TINY / SMALL
    below = 0.1 + max(text_width(line) for text in labels for line in text.split("\n"))
    gap, above = 0.3, 0.25
    height = above + ROW * len(rows) + (gap + ROW * len(ordered)) * bool(ordered) + below
    figure = blank_figure(page.width(), height)
    wide, high = figure.get_size_inches()
    bottom = below
    plain = np.zeros(correlation.T.shape, bool)
    parts = [(correlation.T, ordered, plain, (0.0, 1.0), "Correlation with strength")]
    parts = parts if ordered else []
    parts.append((auprc.T, rows, bold.T, (chance, 1.0), f"AUPRC (bold: p ≤ {ALPHA:g})"))
    for place, (values, names, marked, limits, heading) in enumerate(parts):
        size = ROW * len(names)
        axes = figure.add_axes((left / wide, bottom / high, 1 - (left + 0.05) / wide, size / high))
        _draw(axes, values, marked, limits, size=TINY)
        axes.set_yticks(np.arange(len(names)), names, size=TINY)
        axes.set_xticks([])
        axes.set_title(heading, size=SMALL, loc="left", pad=3)
        if place == 0:
            axes.set_xticks(
                np.arange(len(labels)), labels, size=TINY,
                rotation=90, rotation_mode="anchor", ha="right", va="center",
            )  # fmt: skip
        bottom += size + gap
    return figure


def _metric(name: str) -> str:
    """The label of a metric's row, without the unit: what the cells show has none."""
    return textwrap.fill(metric_label(name).removesuffix(" (nats)"), 30)


def _matrix(changes: pd.DataFrame, metrics: list[str], column: str) -> Floats:
    """A column of the table as (metrics, changes)."""
    return np.array([changes.loc[changes["metric"] == name, column] for name in metrics], float)


def _level(value: str | float) -> str:
    """A level as text: none for unchanged networks, which the table leaves empty."""
    return "" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)


def _draw(
    axes: Axes,
    values: Floats,
    bold: np.ndarray,
    limits: tuple[float, float],
    size: float = SMALL,
) -> None:
    """A heat map with a number in every cell."""
    cmap = colormaps[COLOURS]
    axes.imshow(values, cmap=cmap, vmin=limits[0], vmax=limits[1], aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            axes.text(column, row, "–", ha="center", va="center", size=size)
            continue
        share = (value - limits[0]) / (limits[1] - limits[0])
        axes.text(
            column, row, f"{value:.2f}", ha="center", va="center", size=size,
            color="black" if share > 0.5 else "white",
            weight="bold" if bold[row, column] else "normal",
        )  # fmt: skip
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _heading(changes: pd.DataFrame, study: str) -> str:
    """What is shown, and numbers of networks and images."""
    first = changes.iloc[0]
    numbers = sorted(set(changes["models"]))
    several = "–".join(f"{n}" for n in dict.fromkeys((numbers[0], numbers[-1])))
    text = (
        f"Which metrics detect a known change? Study {study}; {several} networks of each group, "
        f"{first['reference_models']} baselines, {first['images']:,} test images. AUPRC: 1 if the "
        f"groups are separated, {changes['chance'].mean():.2f} on average without a change. Bold: "
        f"map shift with p ≤ {ALPHA:g} (permutation of labels, not corrected)."
    )
    return textwrap.fill(text, CHARACTERS)
