"""Accuracy on corrupted images, and maps of transformed images, by augmentation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from campare import registry
from campare.columns import metric_label
from campare.design import BASELINE
from campare.labels import CORRUPTIONS
from campare.plots import page
from campare.plots.charts import (
    draw_seeds,
    name_rows,
    panels_in_grid,
    text_columns,
)
from campare.plots.fitting import fitted, text_width
from campare.plots.style import (
    GREY,
    LEVEL,
    REFERENCE,
    SMALL,
    WIDTH,
    Floats,
    blank_figure,
    colours,
    control_title,
    in_sentence,
    styled,
    title,
)
from campare.robustness import ALL, LOSS, PREDICTION
from campare.statistics import ALPHA

NONE = "none"
MOST = 20.0  # change of the accuracy at the ends of the colour scale, percentage points, at least 5
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markersize": 3.5, "markeredgewidth": 0.8}
CHARACTERS = 105  # of a line of the usual width
MARK = "∗"  # of a significant change


@styled
def accuracy(by_model: pd.DataFrame, changes: pd.DataFrame, reference: str) -> Figure:
    """Accuracy on the images, on corrupted ones, and the difference: a row per augmentation.

    Parameters
    ----------
    by_model
        corruption_accuracy.csv.
    changes
        corruption_change.csv.
    reference
        The reference of the augmentations; step-matched controls are compared with the baselines.
    """
    names = list(dict.fromkeys(by_model["augmentation"]))
    panels = (NONE, ALL, LOSS)
    kind = (by_model["corruption"] == NONE).map({True: NONE, False: ALL})
    table = 100 * by_model.assign(kind=kind).pivot_table(
        "accuracy", ["augmentation", "seed"], "kind", sort=False
    )
    table[LOSS] = table[NONE] - table[ALL]
    titles = [CORRUPTIONS[panel] for panel in panels]
    figure, axes = panels_in_grid(names, titles)
    for one, panel in zip(axes, panels, strict=True):
        _draw_models(one, table[panel], names)
        chosen = changes[changes["corruption"] == panel]
        _print_changes(one, chosen, names, reference, scale=100, decimals=1)
    figure.supxlabel(
        "Test accuracy (%); loss: accuracy on uncorrupted images minus that on corrupted ones "
        "(percentage points)",
        size=8,
    )
    _legend(figure, reference, BASELINE in names)
    return figure


@styled
def change(by_model: pd.DataFrame, changes: pd.DataFrame, reference: str) -> Figure:
    """Change of the accuracy under every corruption: a row per corruption, a column per arm."""
    names = [n for n in dict.fromkeys(by_model["augmentation"]) if n != BASELINE]
    kinds = list(dict.fromkeys(changes["corruption"])) or [NONE]
    used = _compared(changes, reference).set_index(["corruption", "augmentation"])
    values, texts = np.full((len(kinds), len(names)), np.nan), []
    for row, kind in enumerate(kinds):
        texts.append([""] * len(names))
        for column, name in enumerate(names):
            if (kind, name) in used.index:
                found = used.loc[(kind, name)]
                values[row, column] = 100 * found["change"]
                significant = found["change_p_holm"] <= ALPHA
                texts[row][column] = _signed(100 * found["change"], 1) + MARK * bool(significant)
    shown = [kind != LOSS for kind in kinds]
    titles = {name: title(name) for name in names}
    short = fitted(titles.values(), 1.3)
    room = max(map(text_width, short.values()), default=0.5)
    labels = [CORRUPTIONS.get(kind, kind) for kind in kinds]
    left = max(map(text_width, labels)) + 0.2
    width = max(WIDTH * 0.6, left + 0.5 * len(names) + 1.1)
    figure = blank_figure(width, 0.75 * room + 0.19 * len(kinds) + 0.9, "constrained")
    axes = figure.subplots()
    largest = np.nanmax(np.abs(values[shown]), initial=0.0) if names else 0.0
    limit = min(MOST, max(5.0, float(largest)))
    # A larger loss is a lower robustness: its colour is that of a lower accuracy.
    signs = np.where(np.array(shown), 1, -1)[:, None]
    shown_values = signs * values if names else np.full((len(kinds), 1), np.nan)
    mesh = axes.imshow(shown_values, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    for row, column in np.ndindex(values.shape):
        dark = abs(values[row, column]) > 0.65 * limit
        axes.text(
            column, row, texts[row][column], ha="center", va="center", size=SMALL,
            color="white" if dark else "black",
        )  # fmt: skip
    name_rows(axes, labels)
    axes.set_xticks(
        range(len(names)), [short[titles[name]] for name in names], rotation=45, ha="right",
        rotation_mode="anchor",
    )  # fmt: skip
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.axhline(2.5, color="black", linewidth=0.8)
    if not page.narrow():
        figure.colorbar(mesh, ax=axes, shrink=0.7, aspect=25, pad=0.02, extend="both").set_label(
            "Change of the accuracy\n(percentage points; of the loss: × −1)", size=SMALL
        )
    others = "" if reference == BASELINE else " (these: with the baselines)"
    heading = (
        "Change of test accuracy on corrupted images (percentage points), mean over severities, "
        f"compared with {in_sentence(control_title(reference))}{others}; "
        f"{MARK}: p ≤ {ALPHA:g} (Holm)"
    )
    characters = int(figure.get_figwidth() * CHARACTERS / WIDTH)
    figure.suptitle(textwrap.fill(heading, characters), size=SMALL, x=0.01, ha="left")
    return figure


@styled
def equivariance(
    by_model: pd.DataFrame, changes: pd.DataFrame, metric: str, reference: str
) -> Figure:
    """Similarity of the map of the transformed image to the transformed map: a panel a transform.

    Parameters
    ----------
    by_model
        equivariance.csv.
    changes
        equivariance_change.csv.
    metric
        Name of the metric, or "prediction".
    reference
        As in `accuracy`.
    """
    by_model, changes = (table[table["metric"] == metric] for table in (by_model, changes))
    names = list(dict.fromkeys(by_model["augmentation"]))
    transforms = list(dict.fromkeys(by_model["transform"]))
    percent = metric == PREDICTION
    scale, decimals = (100, 1) if percent else (1, 3)
    figure, panels = panels_in_grid(names, transforms)
    for panel, transform in zip(panels, transforms, strict=True):
        rows = by_model[by_model["transform"] == transform].set_index(["augmentation", "seed"])
        _draw_models(panel, scale * rows["mean"], names)
        if not percent:
            other = rows.groupby("augmentation")["other"].mean().reindex(names)
            panel.plot(other, range(len(names)), "D", color="0.3", **_HOLLOW)
        chosen = changes[changes["transform"] == transform]
        _print_changes(panel, chosen, names, reference, scale=scale, decimals=decimals)
        valid = 100 * rows["valid"].mean()
        if valid < 99.95:
            panel.set_title(
                f"{panel.get_title(loc='left')} ({valid:.0f} % of the image)", loc="left"
            )
    label = "Images with the same predicted class (%)" if percent else metric_label(metric)
    what = "" if percent else ": map of the transformed image, transformed map"
    figure.supxlabel(label + what, size=8)
    _legend(figure, reference, BASELINE in names, others=not percent)
    return figure


def _draw_models(axes: Axes, values: pd.Series, names: Sequence[str]) -> None:
    """A row per augmentation: its models, their mean and standard deviation."""
    colour = colours(names)
    for row, name in enumerate(names):
        seeds: Floats = values.loc[name].to_numpy(float)
        spread = float(seeds.std(ddof=1)) if len(seeds) > 1 else 0.0
        draw_seeds(axes, row, seeds, float(seeds.mean()), spread, colour[name], small=True)
    if BASELINE in names:
        axes.axvline(values.loc[BASELINE].mean(), color=GREY, zorder=1, **REFERENCE)


def _compared(changes: pd.DataFrame, reference: str) -> pd.DataFrame:
    """The rows of augmentations with the reference, and of controls with the baselines."""
    controls = changes["augmentation"].isin(registry.MATCHED)
    return changes[
        changes["reference"] == pd.Series(reference, changes.index).mask(controls, BASELINE)
    ]


def _print_changes(
    axes: Axes,
    changes: pd.DataFrame,
    names: Sequence[str],
    reference: str,
    *,
    scale: float,
    decimals: int,
) -> None:
    """Print the change with its interval at the right of each row, marked if significant."""
    if page.narrow() or changes.empty:
        return
    rows = _compared(changes, reference).set_index("augmentation").reindex([*names])
    texts = []
    for centre, low, high, p in rows[
        ["change", "change_low", "change_high", "change_p_holm"]
    ].itertuples(index=False):
        if np.isnan(centre):
            texts.append("")
            continue
        text = _signed(scale * centre, decimals)
        if not np.isnan(low):
            ends = " to ".join(_signed(scale * end, decimals) for end in (low, high))
            text += f" ({ends})"
        texts.append(text + (MARK if p <= ALPHA else "  "))
    text_columns(axes, {f"Change ({LEVEL} interval)": texts})


def _signed(value: float, decimals: int) -> str:
    rounded = round(value, decimals) + 0.0
    return f"{rounded:+.{decimals}f}".replace("-", "−") if rounded else f"{0:.{decimals}f}"


def _legend(figure: Figure, reference: str, baseline: bool, others: bool = False) -> None:
    key = [Line2D([], [], marker="o", color="0.3", linewidth=1.4, label="Mean ± s.d. over seeds")]
    if baseline:
        key.append(Line2D([], [], color=GREY, label="Mean of the baselines", **REFERENCE))
    if others:
        key.append(
            Line2D(
                [],
                [],
                marker="D",
                color="0.3",
                linestyle="",
                label="Maps of other images",
                **_HOLLOW,
            )
        )
    compared = f"{MARK}: p ≤ {ALPHA:g} (Holm); change from: {in_sentence(control_title(reference))}"
    if page.narrow():
        compared = textwrap.fill(compared, page.LABEL)
    key.append(Line2D([], [], linestyle="", label=compared))
    lines = [line for each in key for line in str(each.get_label()).split("\n")]
    widest = max(map(text_width, lines))
    columns = max(1, min(len(key), int(figure.get_figwidth() / (widest + 0.5))))
    figure.legend(handles=key, loc="outside upper center", ncols=columns)
