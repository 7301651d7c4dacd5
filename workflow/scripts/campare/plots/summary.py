"""The main results of a study in one figure: accuracy change and map shift."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from campare import registry
from campare.design import BASELINE
from campare.plots import page
from campare.plots.charts import text_columns
from campare.plots.fitting import MOST_ROWS, chosen, ranked, text_width, two_lines
from campare.plots.style import (
    DARK,
    LEVEL,
    REFERENCE,
    SMALL,
    WIDTH,
    blank_figure,
    colours,
    control_title,
    distance_label,
    styled,
    title,
)
from campare.statistics import ALPHA

PITCH, CLOSE = 0.36, 0.26  # inches of a row; if there are more than MOST_TALL
MOST_TALL = 20
LINE = 0.125  # inches of a line of small text
BELOW = 0.65  # inches below the panels, without the lines of axis labels and of the footer
CHARACTERS = 132  # of small text across the figure
REFERENCES = {
    BASELINE: "baselines, no augmentation",
    "duplicated_originals": "step-matched duplicated originals, no augmentation",
    "longer_training": "step-matched longer training, no augmentation",
}
# Of the first panel, if it shows balanced accuracy, too.
BALANCED_KEY = (("o", "white", "Accuracy"), ("v", "white", "Balanced accuracy"))
TITLES = (
    "Change of\ntest accuracy",
    "Components of\nthe map shift",
    "Map shift\nbeyond retraining\nvariability",
)
# Entries of the key of each panel: marker, fill, meaning.
KEYS = (
    (("o", DARK, f"Filled: p ≤ {ALPHA:g}"), ("o", "white", "Hollow: not significant")),
    (("D", "white", "Net distance (no test)"), ("s", "white", "Tightening")),
    (("o", "white", "All images"), ("^", "white", "Images with equal predictions")),
)


@styled
def summary(table: pd.DataFrame, study: str, *, balanced: bool = False) -> Figure:
    """Accuracy change and map shift of every augmentation, with intervals and tests.

    Three panels: the change of test accuracy; the components of the map shift (net distance and
    tightening); the map shift itself, for all images and for those of equal predictions. A filled
    marker is significant at 5 % after Holm's correction; the net distance is not tested. On a page
    the text above and below the panels is left to the caption (`caption`); on a narrow page the
    panels are one below the other, without the columns of numbers.

    Parameters
    ----------
    table
        A row per augmentation, then per control, of one metric: summary.csv.
    study
        Name of the study.
    balanced
        Whether the first panel also shows the change of balanced accuracy.
    """
    keys = (BALANCED_KEY, *KEYS[1:]) if balanced else KEYS
    colour = colours(list(table["augmentation"]))
    heading = "" if page.printing() else _heading(table, study)
    table, _ = _shown(table)
    names = list(table["augmentation"])
    pitch = PITCH if len(names) <= MOST_TALL else CLOSE
    above = 0.1 + LINE * (heading.count("\n") + 1) + 0.5
    if page.narrow():
        return _stacked(table, names, colour, keys)
    distance = textwrap.fill(f"Difference in {distance_label(table['metric'][0])}", 26)
    legend = "" if page.printing() else _legend()
    footer = LINE * (legend.count("\n") + 1) if legend else 0.0
    below = BELOW + footer + LINE * (distance.count("\n") + 1)
    figure = blank_figure(WIDTH, above + pitch * len(names) + below)
    panels = list(figure.subplots(1, 3, sharey=True))
    accuracy, components, shift = panels

    _draw(panels, table, names, colour, balanced=balanced)
    labels = [textwrap.fill(label, 20) for label in _labels(names)]
    accuracy.set_yticks(range(len(names)), labels)
    accuracy.set_ylim(len(names) - 0.5, -0.5)
    for axes, text in zip(panels, TITLES, strict=True):
        axes.set_title(text, loc="left", weight="bold")
    accuracy.set_xlabel("Percentage points", size=SMALL)
    for axes in (components, shift):
        axes.set_xlabel(distance, size=SMALL)
    columns = text_columns(
        shift,
        {
            "Shift,\n% of noise\nfloor": [
                f"{100 * x:+.1f}".replace("-", "−") if np.isfinite(x) else "–"
                for x in table["relative_shift"]
            ],
            "Noise-\ncorrected\nsimilarity c": [
                f"{x:.3f}" if np.isfinite(x) else "–" for x in table["noise_corrected_similarity"]
            ],
            "Metrics with\nsignificant\nshift": [
                f"{k:.0f} of {n}" if n > 0 else "–"
                for k, n in zip(table["significant"], table["tested"], strict=True)
            ],
        },
    )
    widest = max(map(text_width, "\n".join(labels).split("\n")))
    _place(panels, (widest + 0.15, columns + 0.05), (above, below))
    for axes, entries in zip(panels, keys, strict=True):
        _key(axes, footer, *entries)
    edge = 0.05 / figure.get_figwidth()
    figure.text(edge, 1 - 0.05 / figure.get_figheight(), heading, va="top", size=SMALL)
    figure.text(edge, 0.05 / figure.get_figheight(), legend, va="bottom", size=SMALL)
    return figure


def _draw(
    panels: Sequence[Axes],
    table: pd.DataFrame,
    names: Sequence[str],
    colour: Mapping[str, str],
    *,
    balanced: bool,
) -> None:
    """Draw accuracy change, components and map shift into three panels with a row per name."""
    accuracy, components, shift = panels
    controls = [name for name in names if name in registry.RESERVED.values()]

    def draw(axes: Axes, column: str, p: str, marker: str, up: float = 0.0, scale: int = 1) -> None:
        values = scale * table[[column, f"{column}_low", f"{column}_high"]].to_numpy(float)
        significant = table[p].to_numpy(float) <= ALPHA if p else np.zeros(len(table), bool)
        for row, (centre, low, high) in enumerate(values):
            shade = colour[names[row]]
            axes.hlines(row - up, low, high, color=shade, linewidth=1.2)
            face = shade if significant[row] else "white"
            axes.plot(centre, row - up, marker, color=shade, markerfacecolor=face, markersize=5)

    up = 0.17 * balanced
    draw(accuracy, "accuracy_change", "accuracy_change_p_holm", "o", up, scale=100)
    if balanced:
        column = "balanced_accuracy_change"
        draw(accuracy, column, f"{column}_p_holm", "v", -up, scale=100)
    draw(components, "net", "", "D", 0.17)
    draw(components, "tightening", "tightening_p_holm", "s", -0.17)
    draw(shift, "shift", "shift_p_holm", "o", 0.17)
    draw(shift, "equal_shift", "equal_shift_p_holm", "^", -0.17)
    for axes in panels:
        axes.axvline(0, color="0.3", zorder=1, **REFERENCE)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if 0 < len(controls) < len(names):
            axes.axhline(names.index(controls[0]) - 0.5, color="0.6", linewidth=0.6)


def _labels(names: Sequence[str]) -> list[str]:
    """Names of the rows."""
    return [
        f"{control_title(name)} vs. baseline" if name in registry.RESERVED.values() else title(name)
        for name in names
    ]


def _stacked(
    table: pd.DataFrame,
    names: Sequence[str],
    colour: Mapping[str, str],
    keys: Sequence[Sequence[tuple[str, str, str]]],
) -> Figure:
    """The three panels one below the other, for a narrow page."""
    short = [label.replace(" (step-matched)", "") for label in _labels(names)]
    labels = two_lines(short, 0.3 * page.width(), SMALL)
    figure = blank_figure(page.width(), 3 * (0.8 + 0.22 * len(names)), "constrained")
    panels = list(figure.subplots(3, 1))
    _draw(panels, table, names, colour, balanced=keys[0] is BALANCED_KEY)
    distance = f"Difference in {distance_label(table['metric'][0])}"
    for axes, text, entries in zip(panels, TITLES, keys, strict=True):
        axes.set_yticks(range(len(names)), list(labels.values()))
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_title(text.replace("\n", " "), loc="left", weight="bold", pad=16)
        axes.set_xlabel("Percentage points" if axes is panels[0] else distance, size=SMALL)
        axes.legend(
            handles=_handles(*entries), loc="lower left", bbox_to_anchor=(0, 1), ncols=2,
            borderpad=0.2, handletextpad=0.2, handlelength=1.2, columnspacing=1.0,
        )  # fmt: skip
    return figure


def _place(panels: Sequence[Axes], sides: tuple[float, float], ends: tuple[float, float]) -> None:
    """Set the positions of the panels: margins in inches, left and right, above and below."""
    figure = panels[0].get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    gap = 0.25
    wide = (width - sum(sides) - gap * (len(panels) - 1)) / len(panels)
    for place, axes in enumerate(panels):
        x = sides[0] + place * (wide + gap)
        high = height - sum(ends)
        axes.set_position((x / width, ends[1] / height, wide / width, high / height))


def _key(axes: Axes, footer: float, *entries: tuple[str, str, str]) -> None:
    """A legend below a panel, above the footer: marker, fill and meaning of each entry."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(
        handles=_handles(*entries), loc="lower left",
        bbox_to_anchor=(axes.get_position().x0, (0.15 + footer) / figure.get_figheight()),
        borderaxespad=0, borderpad=0, handletextpad=0.2, handlelength=1.2,
    )  # fmt: skip


def _handles(*entries: tuple[str, str, str]) -> list[Line2D]:
    """Entries of a legend: marker, fill and meaning of each."""
    drawn: dict[str, Any] = {"color": DARK, "linestyle": "", "markersize": 4.5}
    return [
        Line2D([], [], marker=marker, markerfacecolor=face, label=label, **drawn)
        for marker, face, label in entries
    ]


def caption(table: pd.DataFrame, study: str) -> str:
    """What is compared, how the shift is defined, and how to read the figure, as one paragraph."""
    return " ".join(f"{_heading(table, study)} {_legend()}".split())


def _heading(table: pd.DataFrame, study: str) -> str:
    """What is compared with what, how the shift is defined, and why a test is missing."""
    augmented = table[~table["augmentation"].isin(registry.MATCHED)]
    counts = sorted(set(augmented["models"]))
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    first = table.iloc[0]
    floor = f", {first['floor']:.3f}" if np.isfinite(first["floor"]) else ""
    lines = [
        f"Study {study}, {first['images']:,} test images; networks: {each} per augmentation, "
        f"{first['reference_models']} reference ({REFERENCES[first['reference']]}).",
        f"Map distance: {distance_label(first['metric'])}. Noise floor: mean distance between two "
        f"reference networks of different seeds{floor}.",
        "Net distance: augmented–reference minus reference–reference. Tightening: half of "
        "(reference–reference minus augmented–augmented).",
        "Map shift = net distance + tightening. Zero: no difference beyond retraining variability.",
        _shown(table)[1],
    ]
    for column, what in (("note", "map shift"), ("accuracy_change_note", "accuracy change")):
        notes = dict.fromkeys(str(note) for note in table[column].dropna() if note)
        lines += [f"No test of the {what}: {note}." for note in notes]
    return "\n".join(textwrap.fill(line, CHARACTERS) for line in lines if line)


def _shown(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows that the figure shows, and a note if the table has more."""
    with ranked(table):
        names, note = chosen(table["augmentation"], MOST_ROWS)
    return table[table["augmentation"].isin(names)].reset_index(drop=True), note


def _legend() -> str:
    """How to read intervals and tests."""
    return textwrap.fill(
        f"Filled, in all panels: p ≤ {ALPHA:g} by permutation of network labels, after Holm's "
        f"correction over augmentations. Lines: {LEVEL} intervals; map shift: "
        f"{100 * (1 - 2 * ALPHA):g} %, so that zero lies outside if p ≤ {ALPHA:g} before "
        "correction. c: similarity between augmented and reference networks, divided by the "
        "geometric mean of those within; 1: no difference beyond retraining variability. Equal "
        "predictions: both networks predict the same class.",
        CHARACTERS,
    )
