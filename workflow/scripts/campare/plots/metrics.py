"""Similarity to the baseline's maps: a metric over test images, by segment, against accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from campare import registry
from campare.design import BASELINE
from campare.labels import OVER as OVER
from campare.plots import page
from campare.plots.charts import (
    Powers,
    axes_and_legend,
    beside,
    name_rows,
    named_rows,
    panel_grid,
    plain_powers,
    text_columns,
)
from campare.plots.fitting import MOST_ROWS, arranged, sets_shown
from campare.plots.style import (
    GREY,
    LEVEL,
    MARKERS,
    REFERENCE,
    SMALL,
    Floats,
    blank_figure,
    colours,
    control_title,
    styled,
    title,
)

PALE = "0.75"  # of augmentations without a colour of their own
FLOOR = "Retraining variability (baseline vs. baseline)"


@styled
def boxplot(
    table: pd.DataFrame,
    metric: str,
    augmentations: Sequence[str],
    floor: Sequence[str] = (),
    fill: str | None = None,
    about: str = "",
) -> Figure:
    """A metric over the test images, a box per augmentation (thesis 5.10, 5.12, … 5.24).

    Boxes are quartiles with the median; whiskers span the central 95 % of the images, whatever the
    scale of the axis; dots are the remaining images. The dashed line is the value of two identical
    maps. A quantity of one map has no such line, but a box for the baseline. A divergence, which
    has no upper bound, has a symmetric log axis: linear below the power of ten under which 5 % of
    the images lie, so that zero is on the axis.

    Parameters
    ----------
    table
        `augmentation` and a column per metric, a row per test image: aggregate.parquet or
        across_seeds.parquet. NaN means undefined: it is counted and not drawn.
    metric
        Name of the metric.
    augmentations
        Rows of the figure.
    floor
        Rows without augmentation, in grey at the bottom: "baseline" (pairs of baselines) and
        step-matched controls.
    fill
        Colour of the other boxes if they are not augmentations.
    about
        How the value of an image is computed; printed below the name of the metric.
    """
    entry = registry.metric(metric)
    names, note = sets_shown([n for n in augmentations if n != BASELINE], MOST_ROWS)
    rows = [(title(name), table.loc[table["augmentation"] == name, metric]) for name in names]
    fills = [fill or colours(names)[name] for name in names]
    if entry.same is None:
        first = table["augmentation"] == names[0]
        rows.insert(0, (title(BASELINE), table.loc[first, f"{metric}_baseline"]))
        fills.insert(0, colours(names)[BASELINE])
    above = len(rows)
    for name in floor:
        values = table.loc[table["augmentation"] == name, metric]
        if values.notna().any():
            label = control_title(name)
            if name == BASELINE:
                label = "Two baselines" if page.narrow() else FLOOR
            rows.append((label, values))
            fills.append(GREY)
    labels, groups = [label for label, _ in rows], [values.to_numpy() for _, values in rows]
    figure, axes = named_rows(labels)
    _boxes(axes, groups, fills)
    if len(rows) > above:
        axes.axhline(above - 0.5, color="0.6", linewidth=0.6)
    label = _metric_axis(axes, metric, _span(metric, np.concatenate(groups)), ticks=8)
    axes.set_xlabel((f"{label}\n{about}" if about and not page.printing() else label) + note)
    if entry.same is not None:
        axes.annotate(
            f"identical {entry.of}",
            (entry.same, -0.5),
            xytext=(0, 1),
            textcoords="offset points",
            ha="right" if entry.same > 0 else "left",
            va="bottom",
            size=SMALL,
            color="0.4",
        )
    counts = {"Images": _sizes(groups), "Undefined": _missing(groups)}
    if page.printing() and len(set(map(len, groups))) == 1:
        del counts["Images"]  # the caption has their number
        if not any(np.isnan(group).any() for group in groups):
            del counts["Undefined"]
    text_columns(axes, counts)
    return figure


@styled
def segments(
    groups: Mapping[str, Mapping[str, Floats]],
    metric: str,
    segments: Mapping[str, str],
    note: str = "",
) -> Figure:
    """A metric by segment of the images, a panel per augmentation (thesis appendix C).

    Parameters
    ----------
    groups
        Augmentation → segment → the metric, a value per test image and seed. Boxes, whiskers and
        dots as in `boxplot`.
    metric
        Name of the metric.
    segments
        Segment → label, from top to bottom.
    note
        A line on the choice of the augmentations.
    """
    names = [name for name in groups if name != BASELINE]
    one = 0.25 + 0.25 * len(segments)
    across, width, height = arranged(len(names), 1.8, one, margin_width=1.6, margin_height=0.5)
    figure = blank_figure(max(4.6, width), height, "constrained")
    panels = panel_grid(figure, [title(name) for name in names], across, 1.8)
    values = np.concatenate([group for rows in groups.values() for group in rows.values()])
    span, some_missing = _span(metric, values), np.isnan(values).any()
    for panel, name in zip(panels, names, strict=True):
        rows = [groups[name][key] for key in segments]
        _boxes(panel, rows, [colours(names)[name]] * len(rows))
        label = _metric_axis(panel, metric, span, ticks=4)
        name_rows(panel, list(segments.values()))
        counts = {"Pairs": _sizes(rows)}
        if some_missing:
            counts["Undef."] = _missing(rows)
        text_columns(panel, counts)
    figure.supxlabel(f"{label}{note}", size=8)
    return figure


@styled
def accuracy(
    means: pd.DataFrame, correlation: pd.DataFrame, metric: str, augmentations: Sequence[str]
) -> Figure:
    """A metric's mean over the test images against test accuracy, a point per model.

    Parameters
    ----------
    means
        `augmentation`, `accuracy` in [0, 1] and the metric: model_means.csv.
    correlation
        `metric`, `over`, `pearson`, `low`, `high`, `n`: accuracy_correlation.csv, printed above.
    metric
        Name of the metric.
    augmentations
        Of the study, in its order.
    """
    names = [name for name in augmentations if name != BASELINE]
    shown, note = sets_shown(names)
    colour = colours(names)
    figure, axes, labels, columns = axes_and_legend([title(name) for name in shown], 4.6, 3.4)
    if note:
        others = means[~means["augmentation"].isin(shown)]
        axes.plot(100 * others["accuracy"], others[metric], ".", color=PALE, label="Others")
        note = f"{note} The others are in grey."
    for place, name in enumerate(names):
        if name not in shown:
            continue
        models = means[means["augmentation"] == name]
        axes.plot(
            100 * models["accuracy"], models[metric], MARKERS[place % len(MARKERS)],
            color=colour[name], label=labels[title(name)], markersize=5.5, alpha=0.85,
            markeredgecolor="0.2", markeredgewidth=0.5,
        )  # fmt: skip
    axes.grid()
    axes.set(
        xlabel=f"Test accuracy (%){note}",
        ylabel=f"{registry.metric(metric).label},\nmean over test images",
    )
    rows = correlation[correlation["metric"] == metric].set_index("over")
    lines = [_correlated(rows.loc[[over]].iloc[0], what) for over, what in OVER.items()]
    heading = f"Pearson's r [{LEVEL} interval] of metric and accuracy"
    axes.set_title("\n".join([heading, *lines]), loc="left", size=SMALL)
    figure.legend(loc=beside(), ncols=columns)
    return figure


def _correlated(row: pd.Series, over: str) -> str:
    """A correlation with its interval and number of points, in words."""
    if not np.isfinite(row["pearson"]):
        return f"r undefined over {row['n']:.0f} {over}"
    between = f" [{row['low']:+.2f}, {row['high']:+.2f}]" if np.isfinite(row["low"]) else ""
    return f"r = {row['pearson']:+.2f}{between} over {row['n']:.0f} {over}".replace("-", "−")


def _boxes(axes: Axes, groups: Sequence[Floats], fills: Sequence[str]) -> None:
    """Draw horizontal box plots of the defined values, one per row.

    All boxes share a few artists: matplotlib's own box plots have seven each, which is slow.
    """
    defined = [group[np.isfinite(group)] for group in groups]
    marks = [
        np.percentile(group, (2.5, 25, 50, 75, 97.5)) if group.size else np.full(5, np.nan)
        for group in defined
    ]
    low, q1, median, q3, high = np.transpose(marks)
    rows = np.arange(len(groups))
    twice, ends = np.tile(rows, 2), np.concatenate([low, high])
    axes.hlines(twice, ends, np.concatenate([q1, q3]), color="black", linewidth=0.7)
    axes.vlines(ends, twice - 0.15, twice + 0.15, color="black", linewidth=0.7)
    boxes = axes.barh(rows, q3 - q1, 0.6, left=q1, edgecolor="black", linewidth=0.7)
    for box, fill in zip(boxes, fills, strict=True):
        box.set_facecolor((fill, 0.6))
    axes.vlines(median, rows - 0.3, rows + 0.3, color="black", linewidth=1.2)
    # Markers of a line, which matplotlib renders once, and not again for each dot as in a scatter
    # plot. Rasterised: ten thousand dots as vectors would make an SVG of megabytes.
    for row, (group, fill) in enumerate(zip(defined, fills, strict=True)):
        dots = group[(group < low[row]) | (group > high[row])]
        axes.plot(
            dots, np.full(dots.size, row), "o", markersize=math.sqrt(3), markeredgewidth=0,
            color=fill, alpha=0.5, zorder=1, rasterized=True,
        )  # fmt: skip


def _span(metric: str, values: Floats) -> tuple[float, float, int | None]:
    """Lowest and highest value on a metric's axis; on a log axis, the power of ten of its linear
    part.
    """
    entry = registry.metric(metric)
    finite = values[np.isfinite(values)]
    if entry.same is not None:
        finite = np.append(finite, entry.same)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if entry.bounds[1] is not None or entry.same is None or not finite.any():
        return low, high, None
    return low, high, math.floor(math.log10(np.quantile(np.abs(finite[finite != 0]), 0.05)))


def _metric_axis(axes: Axes, metric: str, span: tuple[float, float, int | None], ticks: int) -> str:
    """Set scale and limits of a metric's x axis, with a line at identical maps; its label.

    span: result of `_span`.
    """
    entry = registry.metric(metric)
    axes.grid(axis="x")
    if entry.same is not None:
        axes.axvline(entry.same, color="0.3", zorder=1, **REFERENCE)
    low, high, linear = span
    if linear is None:
        margin = 0.03 * (high - low) or 0.05
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
        return entry.label
    axes.set_xscale("symlog", linthresh=10.0**linear, linscale=0.5)
    axes.set_xlim(1.5 * low - 0.2 * 10.0**linear, max(1.5 * high, 10.0**linear))
    powers = range(math.floor(math.log10(axes.get_xlim()[1])), linear - 1, -1)
    stride = -(-len(powers) // ticks)
    axes.set_xticks(
        [0, *(10.0**power for power in powers[::stride] if power >= linear + stride - 1)]
    )
    axes.xaxis.set_major_formatter(Powers(linthresh=10.0**linear))
    axes.minorticks_off()
    return f"{entry.label}, log scale (linear below {plain_powers(f'10^{{{linear}}}')})"


def _sizes(groups: Sequence[Floats]) -> list[str]:
    return [f"{len(group):,}" for group in groups]


def _missing(groups: Sequence[Floats]) -> list[str]:
    return [f"{np.isnan(group).sum():,}" for group in groups]
