"""Tables of results for a paper: rows and columns of a study's tables, as LaTeX and Markdown.

Labels, rounding and meaning of columns are those of the data dictionary (`campare.columns`).
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from campare import columns, registry
from campare.design import BASELINE, Design
from campare.labels import CLASSIFIERS, control_title, distance_label, in_sentence, title
from campare.paper.contents import main_metric
from campare.paper.latex import escape
from campare.statistics import ALPHA

Frames = Mapping[Any, pd.DataFrame]
PERMUTED = (
    "p: permutation of the labels of networks, after Holm's correction over the augmentations"
)
OWN_FAMILY = " (step-matched controls are a family of their own)"
MOST_PAIRS = 8
# Points: width of a column and of a page; of a character and a gap at the sizes of LaTeX.
LINES = 64  # rows of a page
COLUMN, PAGE = 252, 515
SIZES = {"footnotesize": (3.4, 12), "scriptsize": (3.0, 8)}
HEADER = 12  # least number of characters of a line of a heading


@dataclass(frozen=True)
class PaperTable:
    """A table of text.

    Attributes
    ----------
    name
        Of its files and label.
    caption
        What it shows: numbers of networks and images, intervals, tests.
    header
        Heading of each column.
    rows
        Cells.
    text
        Number of columns with text, on the left; the others are numbers.
    groups
        Rows before which there is a rule.
    """

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: int = 1
    groups: Sequence[int] = ()

    @property
    def markdown(self) -> str:
        """The table in Markdown, under its caption."""
        align = ["---"] * self.text + ["---:"] * (len(self.header) - self.text)
        lines = [self.header, align, *self.rows]
        cells = ["| " + " | ".join(map(_markdown, line)) + " |" for line in lines]
        return "\n".join([f"**{_markdown(self.caption)}**", "", *cells, ""])

    @property
    def latex(self) -> str:
        """The table in LaTeX (package booktabs), as wide as a column or a page.

        Text has 8 or 7 pt. If the columns are too wide for a page, they are divided into parts, one
        below the other, each with the columns of text. A table that is too long for a page is
        continued on the next.
        """
        widths = [
            max(len(part) for part in [*self._heading(place), *(row[place] for row in self.rows)])
            for place in range(len(self.header))
        ]
        every = range(len(self.header))
        starred = _points(widths, every, "footnotesize") > COLUMN
        room = PAGE if starred else COLUMN
        size = next((name for name in SIZES if _points(widths, every, name) <= room), "scriptsize")
        parts = self._parts(widths, size, room)
        gap = f"\\setlength{{\\tabcolsep}}{{{SIZES[size][1] / 2:g}pt}}\n"
        star = "*" if starred else ""
        most = max(1, LINES // len(parts))
        floats = []
        for start in range(0, max(1, len(self.rows)), most):
            caption = f"\\caption{{{escape(self.caption)}}}\n\\label{{tab:{self.name}}}\n"
            if start:  # with the number of the first
                caption = "\\addtocounter{table}{-1}\n\\caption{Continued.}\n"
            rows = range(start, min(start + most, len(self.rows)))
            floats.append(
                f"\\begin{{table{star}}}\n\\centering\n\\{size}\n{gap}{caption}"
                + "\\par\\medskip\n".join(self._tabular(places, rows) for places in parts)
                + f"\\end{{table{star}}}\n"
            )
        return "".join(floats)

    def _parts(self, widths: Sequence[int], size: str, room: float) -> list[list[int]]:
        """The columns of each part: those of text, and an equal share of the others."""
        text, numbers = [*range(self.text)], [*range(self.text, len(self.header))]
        for count in range(1, len(numbers) + 1):
            most = -(-len(numbers) // count)
            parts = [text + numbers[start : start + most] for start in range(0, len(numbers), most)]
            if all(_points(widths, places, size) <= room for places in parts):
                break
        return parts

    def _heading(self, place: int) -> list[str]:
        """Lines of the heading of a column, as wide as its cells."""
        room = max([HEADER, *(len(row[place]) for row in self.rows)])
        whole = self.header[place].replace(" %", "\u00a0%").replace("n = ", "n\u00a0=\u00a0")
        return textwrap.wrap(whole, room, break_long_words=False) or [""]

    def _tabular(self, places: Sequence[int], rows: range) -> str:
        """Some columns of some rows in LaTeX."""
        align = ["l" if place < self.text else "r" for place in places]
        heads = [
            _stacked(self._heading(place), side) for place, side in zip(places, align, strict=True)
        ]
        body = []
        for number in rows:
            if number in self.groups and number > rows.start:
                body.append("\\midrule")
            body.append(" & ".join(escape(self.rows[number][place]) for place in places) + r" \\")
        lines = ["\\toprule", " & ".join(heads) + r" \\", "\\midrule", *body, "\\bottomrule"]
        content = "\n".join(lines)
        return f"\\begin{{tabular}}{{@{{}}{''.join(align)}@{{}}}}\n{content}\n\\end{{tabular}}\n"


def _points(widths: Sequence[int], places: Sequence[int], size: str) -> float:
    """Approximate width of some columns in points."""
    char, gap = SIZES[size]
    return sum(widths[place] * char + gap for place in places)


def _markdown(text: str) -> str:
    """A text as Markdown that prints the same characters."""
    if re.fullmatch(r"-+:?", text):
        return text
    return re.sub(r"([\\`*_|\[\]<>])", r"\\\1", " ".join(text.split()))


def _stacked(lines: Sequence[str], align: str) -> str:
    """Lines of a heading, without a further package."""
    if len(lines) == 1:
        return escape(lines[0])
    content = r"\\".join(map(escape, lines))
    return rf"\begin{{tabular}}[b]{{@{{}}{align}@{{}}}}{content}\end{{tabular}}"


def make(name: str, frames: Frames, design: Design) -> PaperTable:
    """A table of the paper.

    Parameters
    ----------
    name
        A key of `contents.tables`.
    frames
        Name → table of the study, of those that `contents.tables` lists; for `variants` the place
        of each variant → its summary.
    design
        The design of the study.
    """
    return MAKERS[name](frames, design)


# ---- Cells ---------------------------------------------------------------------------------------

Row = Mapping[Any, Any]
MOST_DECIMALS = 6


def cells(
    table: str, name: str, frame: pd.DataFrame, within: str = "", *, interval: bool = True
) -> Callable[[Row], str]:
    """A function of a row that returns a value with its interval: 0.107 (0.078 to 0.137).

    Numbers have three decimals, and more if all estimates are so small that they need them: the
    same number for all values of the column, or of its rows with the same value in `within`.
    """
    column = columns.column(table, name)
    rounded = column.form in ("number", "signed")
    decimals: dict[Any, int] = {}
    if rounded:
        groups = frame.groupby(within)[name] if within else [("", frame[name])]
        decimals = {group: _decimals(values) for group, values in groups}

    def text(value: Any, digits: int) -> str:
        if not rounded or pd.isna(value):
            return columns.text(column, value)
        sign = "+" if column.form == "signed" else ""
        return f"{value:{sign},.{digits}f}".replace("-", "−")

    def shown(row: Row) -> str:
        digits = decimals.get(row[within] if within else "", 3)
        value = text(row[name], digits)
        if not (interval and column.ends) or value == columns.MISSING:
            return value
        ends = [text(row[end], digits) for end in column.ends]
        return value if columns.MISSING in ends else f"{value} ({ends[0]} to {ends[1]})"

    return shown


def _decimals(values: pd.Series) -> int:
    """Decimals with which the largest value has two significant digits, but at least three."""
    largest = values.abs().max()
    if not largest > 0:
        return 3
    return min(max(1 - math.floor(math.log10(largest)), 3), MOST_DECIMALS)


def heading(table: str, name: str) -> str:
    """Label of a column, with its unit and the level of its interval."""
    column = columns.column(table, name)
    unit = column.shown_unit
    parts = [unit] if unit and unit not in column.label else []
    if column.ends:
        parts.append(f"{column.level} interval")
    return f"{column.label} ({', '.join(parts)})" if parts else column.label


def tidy(
    table: str, frame: pd.DataFrame, names: Sequence[str], headings: Mapping[str, str] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Header and rows of some columns of a table."""
    own = headings or {}
    header = [own.get(name, heading(table, name)) for name in names]
    shown = [cells(table, name, frame) for name in names]
    rows = [[one(row) for one in shown] for row in frame.to_dict("records")]
    return header, rows


def crossed(
    frame: pd.DataFrame, rows: str, across: str, shown: Callable[[Row], str]
) -> tuple[list[str], list[str], list[list[str]]]:
    """Values of two columns, and a cell for each pair of them; `columns.MISSING` without a row."""
    down, right = (list(dict.fromkeys(frame[name])) for name in (rows, across))
    found = {(row[rows], row[across]): shown(row) for row in frame.to_dict("records")}
    texts = [[found.get((a, b), columns.MISSING) for b in right] for a in down]
    return down, right, texts


def mean_std(table: str, frame: pd.DataFrame, within: str) -> Callable[[Row], str]:
    """A function of a row that returns mean ± standard deviation."""
    mean = cells(table, "mean", frame, within, interval=False)
    std = cells(table, "std", frame, within)

    def shown(row: Row) -> str:
        value, spread = mean(row), std(row)
        if columns.MISSING in (value, spread):
            return value
        digits = len(value.partition(".")[2])
        return f"{value} ± {row['std'] * _scale(table):.{digits}f}"

    return shown


def _scale(table: str) -> float:
    """By which means of a table are multiplied when they are shown."""
    return columns.FORMS[columns.column(table, "mean").form].scale


def _controls(names: Sequence[str]) -> list[int]:
    """The first row of the controls."""
    places = [place for place, name in enumerate(names) if name in registry.RESERVED.values()]
    return places[:1]


def _permuted(frame: pd.DataFrame) -> str:
    """What a p-value is, in a caption."""
    return PERMUTED + OWN_FAMILY * bool(frame["augmentation"].isin(registry.MATCHED).any())


def _spread(values: pd.Series) -> str:
    """A number, or the smallest and the largest: 3 to 6."""
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


# ---- Tables --------------------------------------------------------------------------------------


def _performance(frames: Frames, design: Design) -> PaperTable:
    frame = frames["performance_summary"]
    images = int(frames["performance"]["images"].max())
    names, scores, texts = crossed(
        frame, "augmentation", "score", mean_std("performance_summary", frame, "score")
    )
    score = columns.column("performance_summary", "score")
    seeds = frame.drop_duplicates("augmentation").set_index("augmentation")["seeds"]
    rows = [
        [control_title(name), f"{seeds[name]:.0f}", *row]
        for name, row in zip(names, texts, strict=True)
    ]
    header = ["Training set", "Networks", *(f"{columns.text(score, each)} (%)" for each in scores)]
    return PaperTable(
        "performance",
        f"Test performance: mean ± standard deviation over networks, {images:,} test images. "
        "Precision, recall and F1 are means over classes.",
        header,
        rows,
        groups=[1 if names[0] == BASELINE else 0, *_controls(names)],
    )


def _accuracy_change(frames: Frames, design: Design) -> PaperTable:
    frame = frames["accuracy_change"]
    header, rows = tidy(
        "accuracy_change",
        frame,
        ["augmentation", "reference", "accuracy", "accuracy_change", "accuracy_change_p_holm", "g"],
        {"augmentation": "Training set", "accuracy_change_p_holm": "p"},
    )
    for row in rows:
        row[1] = row[1].removesuffix(" (step-matched)")
    starts = frame["reference"].ne(frame["reference"].shift())
    return PaperTable(
        "accuracy_change",
        "Change of test accuracy from the reference networks, with its interval over networks and "
        f"images; {_spread(frame['models'])} networks per training set, "
        f"{_spread(frame['reference_models'])} reference networks, {int(frame['images'].max()):,} "
        f"test images. {_permuted(frame)}. g: standardised difference over networks.",
        header,
        rows,
        text=2,
        groups=[k for k, start in enumerate(starts) if start],
    )


def _map_shift(frames: Frames, design: Design) -> PaperTable:
    frame = frames["summary"]
    names = [
        "augmentation",
        "net",
        "tightening",
        "shift",
        "relative_shift",
        "noise_corrected_similarity",
        "shift_p_holm",
        "equal_shift",
        "significant",
    ]
    header, rows = tidy(
        "summary",
        frame,
        names,
        {
            "shift_p_holm": "p of E",
            "relative_shift": "E (% of noise floor)",
            "significant": "Metrics with p ≤ 0.05",
            "equal_shift": "E, equal predictions (90 % interval)",
        },
    )
    for row, number in zip(rows, frame["tested"], strict=True):
        if number == 0:
            row[-1] = columns.MISSING
        elif row[-1] != columns.MISSING:
            row[-1] += f" of {number:.0f}"
    return PaperTable(
        "map_shift",
        f"Map shift beyond retraining variability. Distance: {distance_label(frame['metric'][0])}. "
        f"{_networks(frame)} Net distance N = AB − BB, tightening T = (BB − AA)/2, map shift "
        f"E = N + T; noise floor BB = {_floor(frame)}. c: noise-corrected similarity, 1 without a "
        "shift. Intervals: 95 %, of E and c 90 % (their test is one-sided). "
        f"{_permuted(frame)}; one-sided for E. Equal predictions: images for which both networks "
        "predict the same class.",
        header,
        rows,
        groups=_controls(list(frame["augmentation"])),
    )


def _networks(frame: pd.DataFrame) -> str:
    """Numbers of networks and images of a summary, and what its references are."""
    ours = frame[~frame["augmentation"].isin(registry.MATCHED)]
    ours = ours if len(ours) else frame
    references = " or ".join(dict.fromkeys(map(title, ours["reference"])))
    theirs = "" if len(ours) == len(frame) else " Controls are compared with the baselines."
    return (
        f"{_spread(ours['models'])} networks per augmentation, {_spread(ours['reference_models'])} "
        f"reference networks ({references.lower()}), {int(frame['images'].max()):,} test "
        f"images.{theirs}"
    )


def _floor(frame: pd.DataFrame) -> str:
    values = frame.loc[frame["reference"] == frame["reference"].iloc[0], "floor"]
    return columns.text(columns.column("summary", "floor"), float(values.iloc[0]))


def _equal_accuracy(frames: Frames, design: Design) -> PaperTable:
    frame = frames["equal_accuracy"]
    header, rows = tidy(
        "equal_accuracy",
        frame,
        [
            *("augmentation", "accuracy", "reference_accuracy", "shift", "shift_p_holm"),
            *("adjusted_shift", "adjusted_p_holm", "inflation"),
        ],
        {"shift_p_holm": "p", "adjusted_p_holm": "p at equal accuracy"},
    )
    return PaperTable(
        "equal_accuracy",
        "Map shift of all networks, and between networks of equal test accuracy, by regression "
        f"over pairs of networks. Distance: {distance_label(frame['metric'][0])}. "
        f"{_networks(frame)} Noise floor: {_floor(frame)}. Intervals: 90 % (one-sided tests). "
        "Variance inflation: how many times as large the variance is by the adjustment.",
        header,
        rows,
        groups=_controls(list(frame["augmentation"])),
    )


def _variants(frames: Frames, design: Design) -> PaperTable:
    names = list(next(iter(frames.values()))["augmentation"])
    header, rows = ["Training set"], [[control_title(name)] for name in names]
    said = []
    for (folder, variant), frame in zip(design.variants.items(), frames.values(), strict=True):
        label = folder.removeprefix("variants/").rstrip("/").replace("_", " ") or "main"
        said.append(f"{label}: {variant.title}")
        header += [f"{label[:1].upper()}{label[1:]}: E (90 % interval)", "p"]
        shown = [cells("summary", name, frame) for name in ("shift", "shift_p_holm")]
        for row, record in zip(rows, frame.to_dict("records"), strict=True):
            row += [one(record) for one in shown]
    first = next(iter(frames.values()))
    return PaperTable(
        "variants",
        f"Map shift E for several kinds of maps ({'; '.join(said)}). Distance: "
        f"{distance_label(first['metric'][0])}. {_networks(first)} {_permuted(first)}; one-sided.",
        header,
        rows,
        groups=_controls(names),
    )


def _shift_by_metric(frames: Frames, design: Design) -> PaperTable:
    frame = frames["shift"]
    testable = frame[frame["shift_p_holm"].notna()]["reference"]
    reference = next((name for name in registry.MATCHED if name in set(testable)), BASELINE)
    own = frame["reference"].eq(reference)
    own |= frame["augmentation"].isin(registry.MATCHED) & frame["reference"].eq(BASELINE)
    frame = frame[own & frame["predictions"].eq("any")]
    frame = frame.sort_values(
        "augmentation", key=lambda names: names.isin(registry.MATCHED), kind="stable"
    )

    def shown(row: Row) -> str:
        text = columns.text(columns.column("shift", "relative_shift"), row["relative_shift"])
        return f"{text}*" if row["shift_p_holm"] <= ALPHA else text

    names, metrics, texts = crossed(frame, "augmentation", "metric", shown)
    return PaperTable(
        "shift_by_metric",
        "Map shift E in per cent of the noise floor, in every metric. Reference: "
        f"{title(reference).lower()}; {_spread(frame['models'])} networks per training set, "
        f"{_spread(frame['reference_models'])} reference networks, {int(frame['images'].max()):,} "
        f"test images. * p ≤ {ALPHA:g}. {_permuted(frame)}; one-sided. A small share with a small "
        "p is a measurable, not a large, shift.",
        ["Training set", *map(columns.metric_label, metrics)],
        [[control_title(name), *row] for name, row in zip(names, texts, strict=True)],
        groups=_controls(names),
    )


def _representations(frames: Frames, design: Design) -> PaperTable:
    table = _shift_by_metric({"shift": frames["representation_shift"]}, design)
    return replace(
        table,
        name="representations",
        caption="Features and predictions: " + table.caption[0].lower() + table.caption[1:],
    )


def _calibration(frames: Frames, design: Design) -> PaperTable:
    frame = frames["calibration_change"]
    header, rows = tidy(
        "calibration_change",
        frame,
        ["measure", "augmentation", "mean", "baseline", "change", "change_p_holm"],
        {"augmentation": "Training set", "change_p_holm": "p"},
    )
    starts = frame["measure"].ne(frame["measure"].shift())
    return PaperTable(
        "calibration",
        "Calibration of the predictions, and its change from the baselines with its interval over "
        f"networks; {_spread(frame['models'])} networks per training set, "
        f"{_spread(frame['baselines'])} baselines. {_permuted(frame)}.",
        header,
        rows,
        text=2,
        groups=[k for k, start in enumerate(starts) if start],
    )


def _mosaics(frames: Frames, design: Design) -> PaperTable:
    frame = frames["mosaics_summary"]
    frame = frame[frame["score"].isin(list(registry.MOSAICS))]
    header, rows, _ = _located("mosaics_summary", frame)
    region, level = (columns.column("mosaics_summary", name) for name in ("region", "chance"))
    chance = ", ".join(
        f"{columns.text(level, float(part['chance'].mean()))} ({columns.text(region, kind)})"
        for kind, part in frame.groupby("region", sort=False)
    )
    return PaperTable(
        "mosaics",
        "Localisation in mosaics of test images: mean ± standard deviation over networks of the "
        "share of the map on the cells of the explained class, and of the share of maps with "
        "their maximum there, and the difference from the baseline with its 95 % interval over "
        "networks and mosaics, not corrected for several augmentations; "
        f"{int(frame['images'].max()):,} mosaics of each kind. Chance: {chance}.",
        ["Training set", "Kind of mosaic", *header],
        rows,
        text=2,
    )


def _sanity(frames: Frames, design: Design) -> PaperTable:
    frame = frames["sanity"]
    of_maps = design.map_distances
    metric = main_metric(design) if main_metric(design) in of_maps else of_maps[0]
    frame = frame[frame["metric"].fillna("").isin([metric, ""])]
    header, rows = tidy(
        "sanity",
        frame,
        ["augmentation", "check", "mean", "above", "difference"],
        {"augmentation": "Training set", "check": "Map compared with"},
    )
    return PaperTable(
        "sanity",
        f"Sanity checks of the maps, by {in_sentence(registry.metric(metric).label)} (eMPRT: "
        "relative rise of the entropy), compared with the map of another image and with the "
        f"baseline, with intervals over networks and images; {int(frame['images'].max()):,} test "
        "images.",
        header,
        rows,
        text=2,
    )


def _single_deletion(frames: Frames, design: Design) -> PaperTable:
    frame = frames["single_deletion_summary"]
    header, rows = tidy(
        "single_deletion_summary",
        frame,
        ["augmentation", "network", "mean", "accuracy", "accuracy_deleted", "difference"],
        {"augmentation": "Training set"},
    )
    return PaperTable(
        "single_deletion",
        "Rank correlation of the maps and of single deletions, and its difference from the "
        f"baseline, with intervals over networks and images; {int(frame['images'].max()):,} test "
        "images.",
        header,
        rows,
        text=2,
    )


def _map_exchange(frames: Frames, design: Design) -> PaperTable:
    frame = frames["map_exchange_summary"]
    header, rows = tidy(
        "map_exchange_summary",
        frame,
        ["augmentation", "measure", "term", "pairs", "images", "mean"],
        {"augmentation": "Training set"},
    )
    return PaperTable(
        "map_exchange",
        "Deletion and insertion with exchanged maps: the difference from baselines, its parts due "
        "to networks and to maps, and the advantage of the own map, with intervals over pairs of "
        "networks and images; positive: more faithful.",
        header,
        rows,
        text=3,
    )


def _known_changes(frames: Frames, design: Design) -> PaperTable:
    frame = frames["known_changes_summary"]
    columns_shown = ["metric", "auprc", "correlation", "detected", "arms"]
    header, rows = tidy("known_changes_summary", frame[frame["change"] == "all"], columns_shown)
    return PaperTable(
        "known_changes",
        "Detection of known changes of the networks by each metric: AUPRC of the separation of "
        "groups of networks, and correlation of strength and distance, means over the kinds of "
        "changes with intervals over networks; number of changes with a significant map shift "
        "(not corrected), of the tested changes.",
        header,
        rows,
    )


def _of_reference(frame: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Rows of augmentations with step-matched models, if there are any, else the baselines."""
    reference = next(iter(design.matched), BASELINE)
    controls = frame["augmentation"].isin(registry.MATCHED)
    return frame[frame["reference"] == pd.Series(reference, frame.index).mask(controls, BASELINE)]


def _changes(frame: pd.DataFrame, name: str, first: str, keep: str, caption: str) -> PaperTable:
    """A table of `controls.changes`, in groups by the column `first`."""
    header, rows = tidy(
        keep,
        frame,
        [first, "augmentation", "reference", "mean", "reference_mean", "change", "change_p_holm"],
        {"augmentation": "Training set", "change_p_holm": "p"},
    )
    starts = frame[first].ne(frame[first].shift())
    return PaperTable(
        name,
        f"{caption} {_spread(frame['models'])} networks per training set, "
        f"{_spread(frame['reference_models'])} reference networks, {int(frame['images'].max()):,} "
        f"test images. {_permuted(frame)}.",
        header,
        rows,
        text=3,
        groups=[k for k, start in enumerate(starts) if start],
    )


def _corruptions(frames: Frames, design: Design) -> PaperTable:
    frame = _of_reference(frames["corruption_change"], design)
    return _changes(
        frame[frame["corruption"].isin(["none", "all", "loss"])],
        "corruptions",
        "corruption",
        "corruption_change",
        "Accuracy on the images, on their corruptions (mean over corruptions and severities), and "
        "the difference of the two, with its change from the reference.",
    )


def _equivariance(frames: Frames, design: Design) -> PaperTable:
    frame = _of_reference(frames["equivariance_change"], design)
    metric = frame["metric"].iloc[0] if len(frame) else ""
    return _changes(
        frame[frame["metric"] == metric],
        "equivariance",
        "transform",
        "equivariance_change",
        "Maps of transformed images compared with transformed maps "
        f"({columns.metric_label(metric)}), with the change from the reference.",
    )


def _between(frames: Frames, design: Design) -> PaperTable:
    frame = frames["between"]
    frame = frame[frame["metric"] == main_metric(design)]
    header, rows = tidy(
        "between",
        frame,
        ["augmentation_a", "augmentation_b", "between", "shift", "p_holm"],
        {"p_holm": "p"},
    )
    return PaperTable(
        "between",
        f"Map shift between augmentations. Distance: {distance_label(main_metric(design))}; "
        f"{int(frame['images'].max()):,} test images. p: permutation of the labels of networks, "
        "one-sided, after Holm's correction over pairs of augmentations.",
        header,
        rows,
        text=2,
    )


def _distribution(frames: Frames, design: Design) -> PaperTable:
    frame = frames["distribution"]
    kinds = list(dict.fromkeys(frame["pairs"]))
    shown = frame[frame["pairs"].eq(kinds[-1]) & frame["metric"].isin(design.metrics)]
    means = mean_std("distribution", shown, "metric")
    names, metrics, texts = crossed(shown, "augmentation", "metric", means)
    labels = ["Two baselines" if name == BASELINE else control_title(name) for name in names]
    pairs = columns.text(columns.column("distribution", "pairs"), kinds[-1]).lower()
    note = " Two baselines: the noise floor." if BASELINE in names else ""
    return PaperTable(
        "distribution",
        "Metrics of the maps of augmented networks and their references: mean ± standard deviation "
        f"over {int(shown['images'].max()):,} test images, each with its mean over pairs of "
        f"networks (pairs: {pairs}).{note}",
        ["Training set", *map(columns.metric_label, metrics)],
        [[label, *row] for label, row in zip(labels, texts, strict=True)],
        groups=[names.index(BASELINE)] if BASELINE in names else _controls(names),
    )


def _pairs(frames: Frames, design: Design) -> PaperTable:
    rows: list[list[str]] = []
    groups, cut = [], False
    for which in ("strongest", "weakest"):
        frame = frames[f"{which}_pairs"]
        groups.append(len(rows))
        cut |= len(frame) > MOST_PAIRS
        for row in frame.head(MOST_PAIRS).to_dict("records"):
            ends = f"{title(row['augmentation_a'])} – {title(row['augmentation_b'])}"
            rows.append([which.capitalize(), ends, f"{row['count']:.0f}"])
    top = design.study["analysis"]["top_pairs"]
    more = f" The first {MOST_PAIRS} of each." if cut else ""
    return PaperTable(
        "pairs",
        f"Pairs of augmentations among the {top} most strongly and most weakly correlated: number "
        f"of metrics, of {len(design.metrics)}. Metrics are not independent; some pair reaches "
        f"such counts by chance as well.{more}",
        ["Correlation", "Pair of augmentations", "Metrics"],
        rows,
        text=2,
        groups=groups,
    )


def _segments(frames: Frames, design: Design) -> PaperTable:
    metric = main_metric(design)
    frame = frames["segments"]
    frame = frame[frame["metric"] == metric]

    mean = cells("segments", "mean", frame)

    def shown(row: Row) -> str:
        return f"{mean(row)} ({row['pairs']:,})"

    names, segments, texts = crossed(frame, "augmentation", "segment", shown)
    label = columns.column("segments", "segment")
    return PaperTable(
        "segments",
        f"{columns.metric_label(metric)} by correctness or agreement of the predictions: mean over "
        "pairs of maps (number of pairs of maps), networks pooled.",
        ["Augmentation", *(columns.text(label, name) for name in segments)],
        [[control_title(name), *row] for name, row in zip(names, texts, strict=True)],
    )


def _accuracy_correlation(frames: Frames, design: Design) -> PaperTable:
    frame = frames["accuracy_correlation"]
    table = "accuracy_correlation"
    names, over, texts = crossed(frame, "metric", "over", cells(table, "pearson", frame))
    numbers = frame.groupby("over", sort=False)["n"].max()
    label = columns.column(table, "over")
    return PaperTable(
        "accuracy_correlation",
        "Pearson's r of the mean of a metric over test images and test accuracy, with Fisher's "
        "95 % interval. Models of one augmentation resemble each other, so that the interval over "
        "models is too narrow.",
        ["Metric", *(f"{columns.text(label, one)} (n = {numbers[one]:.0f})" for one in over)],
        [[columns.metric_label(name), *row] for name, row in zip(names, texts, strict=True)],
    )


def _uninformative(frames: Frames, design: Design) -> PaperTable:
    frame = frames["uninformative"]
    frame = frame[frame["augmentation"] == BASELINE]
    table = "uninformative"
    names, metrics, texts = crossed(frame, "level", "metric", mean_std(table, frame, "metric"))
    level = columns.column(table, "level")
    return PaperTable(
        "uninformative",
        "Metrics of a baseline's maps and uninformative reference maps: mean ± standard deviation "
        f"over {int(frame['images'].max()):,} test images.",
        ["Reference map", *map(columns.metric_label, metrics)],
        [[columns.text(level, name), *row] for name, row in zip(names, texts, strict=True)],
    )


def _published(frames: Frames, design: Design) -> PaperTable:
    header, rows = tidy(
        "published",
        frames["published"],
        ["augmentation", "score", "published", "mean", "std", "seeds"],
        {"augmentation": "Training set"},
    )
    return PaperTable(
        "published",
        "Published accuracies and those of this study: mean over networks with the 95 % prediction "
        "interval for one further network, and standard deviation over networks.",
        header,
        rows,
        text=2,
    )


LOCATED = {
    "pointing": "Pointing game",
    "energy": "Energy inside",
    "iou": "IoU",
    "average_precision": "Average precision",
}


def _located(table: str, frame: pd.DataFrame) -> tuple[list[str], list[list[str]], str]:
    """Heading and rows of a table of localisation, two columns for each score; scores of chance."""
    frame = frame.assign(row=frame["augmentation"] + "\n" + frame["region"])
    names, scores, texts = crossed(frame, "row", "score", mean_std(table, frame, "score"))
    _, _, changes = crossed(frame, "row", "score", cells(table, "difference", frame))
    rows = []
    for name, values, change in zip(names, texts, changes, strict=True):
        augmentation, region = name.split("\n")
        both = [x for pair in zip(values, change, strict=True) for x in pair]
        shown = columns.text(columns.column(table, "region"), region)
        rows.append([control_title(augmentation), shown, *both])
    header = [text for score in scores for text in (LOCATED[score], "Change")]
    chance = ", ".join(
        f"{LOCATED[str(score)].lower() if score != 'iou' else 'IoU'} "
        f"{columns.text(columns.column(table, 'chance'), float(part['chance'].mean()))}"
        for score, part in frame.groupby("score", sort=False)
    )
    return header, rows, chance


def _localisation(frames: Frames, design: Design) -> PaperTable:
    frame = frames["localisation_summary"]
    header, rows, chance = _located("localisation_summary", frame)
    return PaperTable(
        "localisation",
        "Localisation of the maps: mean ± standard deviation over networks, and the difference "
        "from the baseline with its 95 % interval over networks and images, not corrected for "
        f"several augmentations; {int(frame['images'].max()):,} test images. Chance, mean over "
        f"regions: {chance}.",
        ["Training set", "Region", *header],
        rows,
        text=2,
    )


def _spurious(frames: Frames, design: Design) -> PaperTable:
    frame = frames["spurious_summary"]
    of = ["cue"] if len(set(frame["cue"])) > 1 else []
    header, rows = tidy(
        "spurious_summary",
        frame,
        ["augmentation", *of, "group", "measure", "mean", "std", "difference"],
        {"augmentation": "Training set"},
    )
    return PaperTable(
        "spurious",
        "Reliance on the spurious region: mean and standard deviation over networks, and the "
        "difference from the baseline with its interval over networks and images, not corrected "
        "for several augmentations.",
        header,
        rows,
        text=3 + len(of),
    )


def _faithfulness(frames: Frames, design: Design) -> PaperTable:
    frame = frames["faithfulness_summary"]
    header, rows = tidy(
        "faithfulness_summary",
        frame,
        ["augmentation", "measure", "mean", "random", "gain", "difference"],
        {"augmentation": "Training set"},
    )
    return PaperTable(
        "faithfulness",
        "Faithfulness of the maps, their gain over random maps, and its difference from the "
        f"baseline, with intervals over networks and images; {int(frame['images'].max()):,} test "
        "images.",
        header,
        rows,
        text=2,
    )


def _agreement(frames: Frames, design: Design) -> PaperTable:
    frame = frames["agreement"]
    groups = list(dict.fromkeys(frame["class"]))[:3]
    header, rows = tidy(
        "agreement",
        frame[frame["class"].isin(groups)],
        ["metric", "class", "pairs", "mean", "chance", "difference"],
        {"class": "Images"},
    )
    return PaperTable(
        "agreement",
        "Metrics of the maps of the CNN and of the CNN with an SVM: of the same image, and of "
        "different images of a class (chance). Intervals are over test images, for these two "
        "models.",
        header,
        rows,
        text=2,
    )


def _scores(stage: str, about: str, reference: str) -> Callable[[Frames, Design], PaperTable]:
    name = f"{stage}_scores"

    def made(frames: Frames, design: Design) -> PaperTable:
        frame = frames[name].copy()
        differences = [column for column in map(str, frame) if column.startswith("difference")]
        frame.loc[frame["model"] == reference, differences] = math.nan
        header, rows = tidy(
            name, frame, ["model", "accuracy", "precision", "recall", "f1", "difference"]
        )
        return PaperTable(
            name,
            f"Test scores of {about}; {int(frame['images'].max()):,} test images. Intervals are "
            "over test images, for these models (Wilson's of accuracy, Student's t of "
            f"differences). Reference: {CLASSIFIERS[reference]}.",
            header,
            rows,
        )

    return made


MAKERS: dict[str, Callable[[Frames, Design], PaperTable]] = {
    "performance": _performance,
    "accuracy_change": _accuracy_change,
    "map_shift": _map_shift,
    "equal_accuracy": _equal_accuracy,
    "variants": _variants,
    "shift_by_metric": _shift_by_metric,
    "between": _between,
    "distribution": _distribution,
    "pairs": _pairs,
    "segments": _segments,
    "accuracy_correlation": _accuracy_correlation,
    "uninformative": _uninformative,
    "published": _published,
    "localisation": _localisation,
    "spurious": _spurious,
    "faithfulness": _faithfulness,
    "representations": _representations,
    "calibration": _calibration,
    "mosaics": _mosaics,
    "sanity": _sanity,
    "single_deletion": _single_deletion,
    "map_exchange": _map_exchange,
    "known_changes": _known_changes,
    "corruptions": _corruptions,
    "equivariance": _equivariance,
    "agreement": _agreement,
    "hybrid_scores": _scores(
        "hybrid", "the CNN, a second network, and the SVM on its features", "network"
    ),
    "masking_scores": _scores("masking", "SVMs on masked pixels", "unmasked"),
}
