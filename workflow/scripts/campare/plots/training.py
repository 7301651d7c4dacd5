"""Performance of networks: test scores, confusion matrices, training curves, architectures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from campare.design import BASELINE
from campare.labels import SCORES as SCORES
from campare.plots.charts import (
    Powers,
    axes_and_legend,
    beside,
    draw_seeds,
    named_rows,
    panel_grid,
    text_columns,
)
from campare.plots.fitting import MOST_CLASSES, MOST_ROWS, arranged, fitted, ordered, sets_shown
from campare.plots.matrix import NUMBERED, colour_bar, heat_map
from campare.plots.style import (
    GREY,
    MARKERS,
    PALETTE,
    REFERENCE,
    SMALL,
    WIDTH,
    Floats,
    blank_figure,
    colours,
    control_title,
    styled,
    title,
)

MOST_CELLS = 250  # rows of a confusion matrix; more would be thinner than a dot on paper
RATE = 1.3  # height of the panel of the learning rate, inches


@styled
def performance(
    models: pd.DataFrame, summary: pd.DataFrame, score: str, augmentations: Sequence[str]
) -> Figure:
    """A test score of every model, with mean and standard deviation over seeds (5.6 to 5.9).

    Points replace the bars of the thesis: the scores differ by a few per cent, so that bars from
    zero are almost equal and bars from another value mislead.

    Parameters
    ----------
    models
        `augmentation`, `seed` and the score in [0, 1]: performance.csv.
    summary
        `augmentation`, `score`, `mean`, `std` (NaN for one seed): performance_summary.csv.
    score
        A key of `SCORES`.
    augmentations
        Rows, from top to bottom.
    """
    colour = colours(augmentations)
    augmentations, note = sets_shown(augmentations, MOST_ROWS)
    figure, axes = named_rows([control_title(name) for name in augmentations])
    rows = summary[summary["score"] == score]
    means, spreads = (
        dict(zip(rows["augmentation"], 100 * rows[column], strict=True))
        for column in ("mean", "std")
    )
    labels = []
    for row, name in enumerate(augmentations):
        seeds = 100 * models.loc[models["augmentation"] == name, score].to_numpy()
        mean, spread = means[name], spreads[name]
        draw_seeds(axes, row, seeds, mean, np.nan_to_num(spread), colour[name])
        labels.append(f"{mean:.2f}" + (f" ± {spread:.2f}" if np.isfinite(spread) else ""))
    key = "Mean ± s.d. over seeds; dots: seeds"
    if BASELINE in means:
        axes.axvline(means[BASELINE], color=GREY, zorder=1, **REFERENCE)
        key += "; dashed: mean of the baseline"
    axes.grid(axis="x")
    axes.set_xlabel(f"Test {SCORES[score]} (%)\n{key}{note}")
    text_columns(axes, {"Mean ± s.d.": labels})
    return figure


@styled
def confusion(table: pd.DataFrame, augmentation: str) -> Figure:
    """Confusion matrix of an augmentation's models: counts, coloured by share of the true class.

    Parameters
    ----------
    table
        `augmentation`, `label`, `prediction`, `images`: confusion.csv, with class names as text
        in their order; cells without images may be left out. Counts are printed for up to
        `NUMBERED` classes. With more than `MOST_CLASSES`, the most frequent confusions are listed
        next to the matrix; with more than `MOST_CELLS`, a cell is the largest share of several.
    augmentation
        The augmentation whose models are counted, seeds pooled.
    """
    rows = table[table["augmentation"] == augmentation]
    classes = ordered(rows["label"])
    counts = (
        rows.pivot_table(index="label", columns="prediction", values="images", aggfunc="sum")
        .reindex(index=classes, columns=classes)
        .fillna(0)
        .to_numpy()
    )
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    texts = [
        [f"{count:.0f}" if count else "" for count in row]
        for row in counts[: NUMBERED if len(classes) <= NUMBERED else 0]
    ]
    pooled = -(-len(classes) // MOST_CELLS)  # rows and columns of a cell
    named = classes[::pooled]
    figure, axes, mesh = heat_map(
        _largest(shares, pooled), named, texts, cell=0.34, cmap="Blues", limits=(0, 100),
        side_text=_confused(counts, classes) if len(classes) > MOST_CLASSES else "",
    )  # fmt: skip
    of = f",\nlargest of {pooled} × {pooled} classes" if pooled > 1 else ""
    colour_bar(figure, axes, mesh, f"Share of the true class (%){of}", len(classes))
    name = fitted([title(augmentation)], figure.get_figwidth() - 2.6)[title(augmentation)]
    step = -(-len(named) // MOST_CLASSES) * pooled
    every = f" (one in {step} is named)" if step > 1 else ""
    axes.set(
        xlabel=f"Predicted class{every}",
        ylabel=f"True class{every}",
        title=f"{name}: {counts.sum():,.0f} predictions",
    )
    return figure


def _largest(shares: Floats, side: int) -> Floats:
    """The largest of every side × side cells of a matrix (K, K), without NaN unless all are."""
    if side == 1:
        return shares
    whole = np.pad(shares, (0, -len(shares) % side), constant_values=np.nan)
    rows = len(whole) // side
    return np.asarray(np.fmax.reduce(whole.reshape(rows, side, rows, side), axis=(1, 3)))


def _confused(counts: Floats, classes: Sequence[str]) -> str:
    """The most frequent confusions, a line each."""
    errors = counts * (1 - np.eye(len(counts)))
    places = np.argsort(-errors, axis=None, kind="stable")[:MOST_CLASSES]
    pairs = [divmod(int(place), len(classes)) for place in places if errors.flat[place]]
    short = fitted([classes[place] for pair in pairs for place in pair], 1.7)
    lines = [
        f"{errors[true, predicted]:,.0f} × {short[classes[true]]} → {short[classes[predicted]]}"
        for true, predicted in pairs
    ]
    which = f"{len(lines)} most frequent confusions" if len(lines) > 1 else "only confusion"
    head = f"The {which}, true → predicted:" if lines else "No class is confused with another."
    return "\n".join([head, *lines])


@styled
def history(table: pd.DataFrame, augmentations: Sequence[str], *, averaged: bool = False) -> Figure:
    """Training loss and validation accuracy per epoch, a panel each per augmentation.

    If the learning rate changes, a panel below shows it.

    Parameters
    ----------
    table
        `augmentation`, `seed`, `epoch`, `train_loss` (nats) and `validation_accuracy` in [0, 1]:
        the histories of all models; `learning_rate` if it changes. Thin lines are seeds, the thick
        line is their mean up to the last epoch that all of them reach; the baseline is repeated in
        grey in every panel.
    augmentations
        Panels of the figure.
    averaged
        Whether the accuracy is that of averaged weights (`training.ema`).
    """
    colour = colours(augmentations)
    names, note = sets_shown([name for name in augmentations if name != BASELINE] or [BASELINE])
    rated = "learning_rate" in table
    across, width, height = arranged(len(names), WIDTH / 4, 2.2, margin_height=1.4)
    figure = blank_figure(max(4.6, width), height + RATE * rated, "constrained")
    accuracy = "Validation accuracy (%)" + ("\nof EMA weights" if averaged else "")
    quantities = (
        ("train_loss", 1, "Training loss (nats)"),
        ("validation_accuracy", 100, accuracy),
    )
    heights = [height / 2, height / 2, *([RATE] if rated else [])]
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for part, (column, scale, label) in zip(parts[:2], quantities, strict=True):
        panels = panel_grid(part, [title(name) for name in names], across, WIDTH / 4)
        for panel, name in zip(panels, names, strict=True):
            for drawn in dict.fromkeys((BASELINE, name)):
                models = table[table["augmentation"] == drawn]
                for _, model in models.groupby("seed"):
                    panel.plot(
                        model["epoch"], scale * model[column], color=colour[drawn], alpha=0.6,
                        linewidth=0.5,
                    )  # fmt: skip
                epochs = models.groupby("epoch")[column]
                mean = scale * epochs.mean()[epochs.size() == models["seed"].nunique()]
                panel.plot(mean.index, mean, color=colour[drawn], linewidth=1.5)
            panel.grid()
        if column == "train_loss" and (table[column] > 0).all():
            panels[0].set_yscale("log")
            low, high = table[column].min(), table[column].max()
            if high < 10 * low:
                panels[0].yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
                panels[0].yaxis.set_major_formatter("{x:g}")
                panels[0].yaxis.set_minor_locator(NullLocator())
            else:
                panels[0].yaxis.set_major_formatter(Powers())
                panels[0].yaxis.set_minor_formatter(Powers(minor_thresholds=(1, 0.4)))
        panels[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
        part.supylabel(label, size=8)
        part.supxlabel(f"Epoch{note}", size=8)
    if rated:
        _draw_rates(parts[-1], table)
    key = (
        Line2D([], [], color=GREY, linewidth=1.5, label="Baseline, mean over seeds"),
        Line2D([], [], color="black", linewidth=1.5, label="Augmentation, mean over seeds"),
        Line2D([], [], color="black", linewidth=0.5, label="Individual seed"),
    )
    figure.legend(handles=key, loc="outside lower center", ncols=len(key))
    return figure


def _draw_rates(part: SubFigure, table: pd.DataFrame) -> None:
    """The learning rate per epoch; models with other numbers of epochs have their own line."""
    axes = part.subplots()
    rates = {tuple(model["learning_rate"]) for _, model in table.groupby(["augmentation", "seed"])}
    for rate in sorted(rates):
        axes.plot(range(1, 1 + len(rate)), rate, ".-", color="black", linewidth=1.2)
    axes.grid()
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    part.supylabel("Learning rate\nat end of epoch", size=8)
    part.supxlabel("Epoch", size=8)


@styled
def architecture_scores(table: pd.DataFrame, score: str, architectures: Sequence[str]) -> Figure:
    """Test score per epoch of the candidate architectures (thesis figures 5.1 to 5.4).

    Parameters
    ----------
    table
        `architecture`, `epoch` and `test_<score>` in [0, 1]: their histories.
    score
        A key of `SCORES`.
    architectures
        Lines of the figure.
    """
    names = [title(name) for name in architectures]
    figure, axes, labels, columns = axes_and_legend(names, 3.6, 2.8)
    for place, name in enumerate(architectures):
        model = table[table["architecture"] == name]
        axes.plot(
            model["epoch"], 100 * model[f"test_{score}"], label=labels[title(name)],
            linewidth=1.2, color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)], markersize=3.5,
        )  # fmt: skip
    axes.grid()
    axes.set(xlabel="Epoch", ylabel=f"Test {SCORES[score]} (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc=beside(), ncols=columns)
    return figure


@styled
def architecture_times(table: pd.DataFrame, architectures: Sequence[str]) -> Figure:
    """Training time of the candidate architectures (thesis figure 5.5).

    Parameters
    ----------
    table
        `architecture` and `seconds`, a row per epoch: their histories.
    architectures
        Rows, from top to bottom.
    """
    totals = dict(table.groupby("architecture")["seconds"].sum())
    seconds = np.array([totals[name] for name in architectures])
    unit, length = next(
        (unit, length)
        for unit, length in (("h", 3600), ("min", 60), ("s", 1))
        if length == 1 or seconds.max() >= 2 * length
    )
    figure, axes = named_rows([title(name) for name in architectures])
    colour = [PALETTE[place % len(PALETTE)] for place in range(len(architectures))]
    bars = axes.barh(range(len(architectures)), seconds / length, height=0.6, color=colour)
    axes.bar_label(bars, fmt="{:.2g}", padding=3, size=SMALL)
    axes.set_xlabel(f"Total training time, all epochs ({unit})")
    return figure
