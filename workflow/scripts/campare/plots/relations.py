"""Comparisons between augmentations: correlations, map shifts, clusters, most correlated pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from campare import registry
from campare.design import BASELINE
from campare.plots.charts import LABEL, named_rows
from campare.plots.fitting import fitted
from campare.plots.matrix import CELL, NUMBERED, colour_bar, heat_map
from campare.plots.style import (
    PALETTE,
    SMALL,
    STYLE,
    TALLEST,
    Floats,
    distance_label,
    styled,
    title,
)


@styled
def correlation(table: pd.DataFrame, metric: str, augmentations: Sequence[str]) -> Figure:
    """Correlation of a metric between augmentations over the test set (thesis 5.11, … 5.25).

    Parameters
    ----------
    table
        `metric`, `augmentation_a`, `augmentation_b`, `pearson`: correlation.csv. The colour scale
        runs from -1 to 1 in every figure, so that metrics can be compared; n/a means undefined.
    metric
        Name of the metric.
    augmentations
        Rows and columns.
    """
    names = [name for name in augmentations if name != BASELINE]
    matrix, numbers = _squared(table[table["metric"] == metric], names)
    lower = np.tri(len(names), dtype=bool)
    texts = np.where(lower, numbers, "").tolist()
    labels = [title(name) for name in names]
    figure, axes, mesh = heat_map(
        np.where(lower, matrix, np.nan), labels, texts, cell=0.4, cmap="RdBu_r", limits=(-1, 1)
    )
    axes.set_title(f"Metric: {registry.metric(metric).label}")
    label = "Correlation between augmentations\n(Pearson's r over test images)"
    colour_bar(figure, axes, mesh, label, len(names))
    return figure


@styled
def between(table: pd.DataFrame, metric: str) -> Figure:
    """Map shift between every two augmentations, without the baseline.

    Parameters
    ----------
    table
        `metric`, `augmentation_a`, `augmentation_b`, `shift`, `p_holm`: between.csv. An asterisk
        marks p ≤ 0.05.
    metric
        Name of the metric.
    """
    rows = table[table["metric"] == metric]
    first, second = (list(dict.fromkeys(rows[f"augmentation_{end}"])) for end in "ab")
    values = np.full((len(second), len(first)), np.nan)
    texts = [[""] * len(first) for _ in second]
    numbers = rows[["shift", "p_holm"]].to_numpy(float)
    reach = np.nanmax(np.abs(numbers[:, 0]), initial=0) or 1.0
    decimals = max(0, 1 - math.floor(math.log10(reach)))  # two digits of the largest shift
    for a, b, (shift, p) in zip(
        rows["augmentation_a"], rows["augmentation_b"], numbers, strict=True
    ):
        column, row = first.index(a), second.index(b)
        values[row, column] = shift
        number = f"{round(shift, decimals) + 0:.{decimals}f}".replace("-", "−")  # + 0: no −0.00
        texts[row][column] = number + ("*" if p <= 0.05 else "")
    figure, axes, mesh = heat_map(
        values, [title(name) for name in second], texts, cell=0.45, cmap="RdBu_r",
        limits=(-reach, reach), columns=[title(name) for name in first],
    )  # fmt: skip
    axes.set_title(f"Distance: {distance_label(metric)}")
    label = "Map shift between augmentations\n(* p ≤ 0.05, Holm's correction)"
    colour_bar(figure, axes, mesh, label, len(first))
    return figure


@styled
def clusters(correlations: pd.DataFrame, clusters: pd.DataFrame, metric: str) -> Figure:
    """Correlations between augmentations, ordered by clusters, with the cluster tree.

    Parameters
    ----------
    correlations
        `metric`, `augmentation_a`, `augmentation_b`, `pearson`: cluster_correlation.csv.
    clusters
        `metric`, `first`, `second`, `members`, `distance`, `support`: clusters.csv. Augmentations
        without defined correlations are in no cluster and come last.
    metric
        A metric of both tables, or "all".
    """
    rows = clusters[clusters["metric"] == metric]
    table = correlations[correlations["metric"] == metric]
    joined = rows["members"].iloc[-1] if len(rows) else ""
    names = list(dict.fromkeys([*filter(None, joined.split(" + ")), *table["augmentation_a"]]))
    matrix, texts = _squared(table, names)
    figure, axes, mesh = heat_map(
        matrix, [title(name) for name in names], texts, cell=0.4, cmap="RdBu_r", limits=(-1, 1)
    )
    # In inches, because the rows of the tree must be those of the heat map.
    few = len(names) <= NUMBERED
    side, left, above, below = (0.4 if few else CELL) * len(names), 1.6, 0.55, 2.15
    height = above + side + below
    width = max(left + side + 2.3, 4.6, height / TALLEST)
    branch = width - left - side - 0.3
    figure.set_layout_engine("none")
    figure.set_size_inches(width, height)

    def placed(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
        return x / width, y / height, wide / width, high / height

    axes.set_position(placed(left, below, side, side))
    tree = figure.add_axes(placed(left + side + 0.1, below, branch, side), sharey=axes)
    ends = {name: (place + 0.5, 0.0) for place, name in enumerate(names)}
    numbers = rows[["distance", "support"]].to_numpy(float)
    joins = rows[["first", "second", "members"]].itertuples(index=False, name=None)
    for (first, second, members), (far, support) in zip(joins, numbers, strict=True):
        (y, x), (y_other, x_other) = ends[first], ends[second]
        middle = (y + y_other) / 2
        tree.plot([x, far, far, x_other], [y, y, y_other, y_other], color="0.3", linewidth=0.9)
        ends[members] = middle, float(far)
        if members == joined:
            break  # the cluster of all augmentations is in every resample
        if few:
            tree.annotate(
                f"{support:.0%}", (far, middle), (3, 2), textcoords="offset points", size=SMALL,
                va="bottom", bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"},
            )  # fmt: skip
        elif support >= 0.95:
            tree.plot(far, middle, "o", color="black", markersize=2.5)
    reach = rows["distance"].max() if len(rows) else 1.0
    tree.set_xlim(0, 1.3 * reach or 1.0)
    tree.xaxis.set_major_locator(MaxNLocator(3))
    tree.spines["left"].set_visible(False)
    tree.tick_params(axis="y", length=0, labelleft=False)
    tree.set_xlabel("Average-linkage distance (1 − r)", size=SMALL)
    support = (
        "% of resamples with\nthe same cluster" if few else "●: cluster in ≥ 95 %\nof resamples"
    )
    tree.set_title(support, size=SMALL)
    label = "mean of all (Fisher's z)" if metric == "all" else registry.metric(metric).label
    figure.suptitle(f"Metric: {label}", y=1 - 0.1 / height, va="top", size=STYLE["axes.titlesize"])
    bar = figure.add_axes(placed(0.4, 0.5, width - 0.8, 0.09))
    label = "Correlation between augmentations (Pearson's r over test images)"
    figure.colorbar(mesh, bar, orientation="horizontal", label=label)
    return figure


@styled
def pairs(table: pd.DataFrame, which: str, metrics: int, top: int) -> Figure:
    """How often a pair of augmentations is among the most (least) correlated (tables 5.1, 5.2).

    Parameters
    ----------
    table
        `augmentation_a`, `augmentation_b`, `count`: strongest_pairs.csv or weakest_pairs.csv.
    which
        "strongest" or "weakest".
    metrics, top
        Number of metrics, and of pairs counted per metric.
    """
    ends = table["augmentation_a"].map(title), table["augmentation_b"].map(title)
    short = fitted([*ends[0], *ends[1]], 0.8 * LABEL)
    names = [f"{short[a]} – {short[b]}" for a, b in zip(*ends, strict=True)]
    figure, axes = named_rows(names)
    bars = axes.barh(range(len(names)), table["count"], height=0.7, color=PALETTE[2])
    axes.bar_label(bars, padding=3, size=SMALL)
    axes.set_xlim(0, metrics * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"Metrics (of {metrics}) with the pair among the {top} {which} correlations")
    if not names:
        axes.text(
            0.5,
            0.5,
            "no pairs of augmentations",
            transform=axes.transAxes,
            ha="center",
            va="center",
        )
    return figure


def _squared(table: pd.DataFrame, names: list[str]) -> tuple[Floats, list[list[str]]]:
    """Correlations of pairs as a matrix, as numbers and as text."""
    matrix = (
        table.pivot_table(index="augmentation_a", columns="augmentation_b", values="pearson")
        .reindex(index=names, columns=names)
        .to_numpy(dtype=float)
    )
    return matrix, [[f"{r:.2f}" if np.isfinite(r) else "n/a" for r in row] for row in matrix]
