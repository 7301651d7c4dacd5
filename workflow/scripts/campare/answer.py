"""The answer of a study on one page: what each augmentation changes, as sentences and a table.

The page opens the report (`workflow/report/workflow.rst` takes what is between `MARK`s) and is
`results/<study>/answer.html`. It states what the tables contain and computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import pandas as pd

from campare import columns, labels, pages, performance, registry, uninformative
from campare.columns import Column
from campare.design import BASELINE
from campare.statistics import ALPHA

MARK = "<!-- answer -->"
_BASELINE = "another baseline's map of the same image (the noise floor)"
# Maps that do not depend on what the model uses in the image.
_UNRELATED = {
    uninformative.SHUFFLED: "the same network's map of another image",
    uninformative.GAUSSIAN: "a Gaussian in the centre",
}
# Tables that a page can use.
TABLES = (
    "summary",
    "shift",
    "uninformative",
    "between",
    "performance_summary",
    "distribution",
    "subsets",
)
# Snakemake's report shows its first page in a narrow column, before a graph of the rules.
_STYLE = """
.campare.answer { max-width: 66rem; margin: 0 auto; }
.campare.answer table { font-size: 13px; }
.campare.answer tbody th { white-space: normal; min-width: 7rem; font-weight: 500; }
.campare.answer th, .campare.answer td { padding: .22rem .4rem; }
.campare.answer figure { margin: 1rem 0; background: #fff; padding: .4rem; }
.campare.answer figure > * { width: 100%; height: auto; display: block; }
.campare.answer .finding { font-size: 1.12rem; }
div:has(> .prose .campare.answer), div:has(> div > .prose .campare.answer) {
  align-items: safe center; justify-content: safe center; flex-direction: column; }
.prose:has(.campare.answer) { max-width: none; }
.prose .campare.answer { color-scheme: light; }
"""


@dataclass(frozen=True)
class Facts:
    """What a page says about a study besides its tables.

    Attributes
    ----------
    study, dataset, architecture
        Names.
    maps
        Title of the way of making maps.
    metric
        The metric of the summary.
    models
        Number of networks.
    trained
        Whether the study trained them.
    """

    study: str
    dataset: str
    architecture: str
    maps: str
    metric: str
    models: int
    trained: bool


def page(facts: Facts, tables: Mapping[str, pd.DataFrame], figure: str = "") -> str:
    """The page of a study.

    Parameters
    ----------
    tables
        Those of `TABLES` that the study has, by name.
    figure
        The figure `summary` as HTML; "" if there is none.
    """
    title = "How does data augmentation change what an image classifier looks at?"
    body = "\n".join(
        [
            MARK,
            f"<style>{pages.STYLE}{_STYLE}</style>",
            '<div class="campare answer">',
            f"<h1>{title}</h1>",
            *_parts(facts, tables, figure),
            "</div>",
            MARK,
        ]
    )
    return pages.document(f"{facts.study}: {title}", body)


def _parts(facts: Facts, tables: Mapping[str, pd.DataFrame], figure: str) -> Iterator[str]:
    networks = f"{facts.models:,} network{'s' * (facts.models != 1)}"
    networks += "" if facts.trained else ", trained elsewhere"
    yield _paragraph(
        f"Study {facts.study}: {networks}; {labels.title(facts.architecture)}; data set "
        f"{facts.dataset}. Maps: {facts.maps}."
    )
    unequal = _unequal(tables)
    if "summary" in tables:
        rows = tables["summary"]
        if not unequal:
            rows = rows[[name for name in rows if not str(name).startswith("balanced_")]]
        yield from _shifts(rows, figure)
    elif "shift" in tables and not (chosen := _chosen(tables["shift"], facts.metric)).empty:
        yield from _shifts(chosen, figure)
    elif "between" in tables:
        yield from _between(tables["between"], facts.metric)
    elif "distribution" in tables:
        yield from _similarity(tables, facts.metric)
    elif "performance_summary" in tables:
        yield _paragraph("The study has no augmentations: it shows the maps of the baseline.")
        yield _table("performance_summary", tables["performance_summary"])
    if unequal:
        yield _paragraph(unequal)
    if "shift" in tables and "uninformative" in tables:
        depends = image_dependence(tables["shift"], tables["uninformative"], facts.metric)
        if depends:
            yield "<h2>Do the maps depend on the image?</h2>"
            yield _paragraph(depends)
    yield "<h2>In this report</h2>"
    yield (
        "<ul><li><b>Workflow</b>: this page. <b>Answer</b>: the same, the figure alone, and the "
        "explorer, with all images and maps of the study."
        "</li><li><b>Figures</b>, by kind: each has a caption (ⓘ) with what it shows, its numbers "
        "and what may be concluded.</li><li><b>Tables</b>: the numbers of the figures, which can "
        "be "
        "sorted and filtered, with the meaning of their columns; also as CSV files.</li></ul>"
    )


def _unequal(tables: Mapping[str, pd.DataFrame]) -> str:
    """What to say about test images of unequal classes; "" if they are not unequal."""
    numbers = tables["subsets"]["test"].iloc[:-1] if "subsets" in tables else pd.Series([0])
    if not performance.unequal(numbers):
        return ""
    numbers = numbers[numbers > 0]
    return (
        f"Classes are unequal: they have {numbers.min():,} to {numbers.max():,} test images, so "
        "that accuracy is mostly that of the large classes. Balanced accuracy is the mean over "
        "classes of the share of their images that are classified correctly."
    )


# ---- The map shift ------------------------------------------------------------------------------


def _chosen(shifts: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The rows of shift.csv in one metric, compared with the baselines, for all images."""
    member = (shifts["metric"] == metric) & (shifts["predictions"] == "any")
    return shifts[member & (shifts["reference"] == "baseline")].reset_index(drop=True)


def _shifts(rows: pd.DataFrame, figure: str) -> Iterator[str]:
    """The answer of a study whose maps are compared with a noise floor."""
    controls = rows["augmentation"].isin(registry.MATCHED)
    yield _paragraph(lead(rows[~controls]), "finding")
    yield _answer_table(rows)
    yield "<ul>"
    yield from (f"<li>{escape(sentence(row))}</li>" for _, row in rows.iterrows())
    yield "</ul>"
    if figure:
        yield f"<figure>{figure}</figure>"
    yield "<h2>How to read the numbers</h2>"
    first = rows.iloc[0]
    yield _paragraph(
        f"Distance of two maps: {labels.distance_label(first['metric'])}, mean over "
        f"{first['images']:,} test images and pairs of networks. Reference: "
        f"{labels.control_title(first['reference'])}, {first['reference_models']} networks without "
        "augmentation; the mean distance between two of them, the noise floor, is "
        f"{columns.text(columns.FLOOR, first['floor'])}."
    )
    yield _paragraph(
        "AA, AB and BB: mean distances between two augmented networks, between an augmented and a "
        "reference network, and between two reference networks, always of different seeds."
    )
    for column in (columns.SHIFT, columns.NET, columns.TIGHTENING, columns.CORRECTED):
        yield _paragraph(f"{column.label}: {column.about}")
    yield _paragraph(
        "In parentheses: 95 % intervals of accuracy, N and T, 90 % intervals of E and c, over "
        "networks and images. p: one-sided, of E, by permuting the labels of networks, after "
        "Holm's "
        "correction over the augmentations. Metrics: in how many the shift is significant "
        f"(p ≤ {ALPHA:g}), of those tested. A significant shift means that augmented and reference "
        "networks are not exchangeable; judge its size by E in % of the noise floor and by c."
    )


def lead(rows: pd.DataFrame) -> str:
    """The answer in two sentences, from rows of augmentations."""
    tested = rows[rows["shift_p_holm"].notna()]
    sizes = rows[rows["relative_shift"].notna()].sort_values("relative_shift")
    if rows.empty:
        return "No augmentation is compared with the noise floor."
    if tested.empty:
        notes = ", ".join(dict.fromkeys(rows["note"].dropna()))
        found = f"The map shift of no augmentation is tested ({notes})."
    else:
        changed = tested[tested["shift_p_holm"] <= ALPHA]
        number = f"{len(changed)} of {len(tested)} augmentation{'s' * (len(tested) != 1)}"
        verb = "change" if len(changed) != 1 else "changes"
        found = (
            f"{number} {verb} the maps beyond retraining variability (p ≤ {ALPHA:g} after Holm's "
            "correction)."
        )
    if len(sizes):
        ends = [_size(sizes.iloc[place]) for place in dict.fromkeys((0, len(sizes) - 1))]
        found += f" The map shift is {' to '.join(ends)} of the noise floor."
    if "accuracy_change" in rows:
        of_change = rows[rows["accuracy_change_p_holm"].notna()]
        better = of_change[of_change["accuracy_change_p_holm"] <= ALPHA]
        if len(of_change):
            names = "; ".join(map(labels.control_title, better["augmentation"]))
            found += (
                f" Test accuracy changes significantly with {names}."
                if names
                else " Test accuracy changes significantly with none of them."
            )
    return found


def _size(row: pd.Series) -> str:
    """The size of a shift with the name of its augmentation."""
    size = columns.text(columns.SHIFTS["relative_shift"], row["relative_shift"])
    return f"{size} % ({labels.control_title(row['augmentation'])})"


def sentence(row: pd.Series) -> str:
    """What an augmentation, or a control, changes, in plain words."""
    name = labels.control_title(row["augmentation"])
    if row["augmentation"] in registry.MATCHED:
        name += ", compared with the baselines"
    size = columns.text(columns.SHIFTS["relative_shift"], row["relative_shift"])
    size = f"by {size} % of the noise floor" if size != columns.MISSING else "undefined"
    p = columns.text(columns.SHIFTS["shift_p_holm"], row["shift_p_holm"])
    if pd.isna(row["shift_p_holm"]):
        found = f"the change of the maps ({size}) is not tested"
    elif row["shift_p_holm"] <= ALPHA:
        found = f"the maps change beyond retraining variability, {size} (p = {p}){_kind(row)}"
    else:
        found = f"no change of the maps beyond retraining variability is shown ({size}, p = {p})"
    return f"{name}: {found}{_accuracy(row)}."


def _kind(row: pd.Series) -> str:
    """Whether a shift is a net distance or a tightening, as far as their intervals say."""
    farther, tighter = row["net_low"] > 0, row["tightening_low"] > 0
    if farther and not tighter:
        return "; they are farther from the reference maps than these are from each other"
    if tighter and not farther:
        return "; they are more similar to each other than the reference maps are (tightening)"
    return ""


def _accuracy(row: pd.Series) -> str:
    """The change of accuracy as the end of a sentence; "" if it is unknown."""
    if pd.isna(row.get("accuracy_change")):
        return ""
    change = columns.text(columns.CHANGE, row["accuracy_change"])
    p = row["accuracy_change_p_holm"]
    if pd.isna(p):
        return f". Test accuracy changes by {change} percentage points (not tested)"
    shown = columns.text(columns.SHIFTS["shift_p_holm"], p)
    balanced = _balanced(row)
    if p <= ALPHA:
        return f". Test accuracy changes by {change} percentage points (p = {shown}){balanced}"
    return f". Test accuracy does not change significantly ({change} points, p = {shown}){balanced}"


def _balanced(row: pd.Series) -> str:
    """The change of balanced accuracy as the end of a sentence; "" if it is not reported."""
    if pd.isna(row.get("balanced_accuracy_change")):
        return ""
    change = columns.text(columns.BALANCED_CHANGE, row["balanced_accuracy_change"])
    p = row["balanced_accuracy_change_p_holm"]
    return (
        f"; balanced accuracy: {change} points "
        f"(p = {columns.text(columns.SHIFTS['shift_p_holm'], p)})"
    )


def _answer_table(rows: pd.DataFrame) -> str:
    """The main columns of the summary."""
    names = (
        *("augmentation", "accuracy_change", "balanced_accuracy_change", "net", "tightening"),
        *("shift", "relative_shift", "noise_corrected_similarity", "shift_p_holm"),
    )
    known = columns.TABLES["summary"].columns
    of_table = {name: known[name] for name in map(str, rows) if name in known}
    of_table["noise_corrected_similarity"] = replace(
        of_table["noise_corrected_similarity"], label="Similarity c"
    )
    of_table["relative_shift"] = replace(of_table["relative_shift"], label="E, % of noise floor")
    shown = [name for name in names if name in rows]
    if "tested" in rows:
        counts = zip(rows["significant"], rows["tested"], strict=True)
        of_metrics = [f"{k:.0f} of {n:.0f}" if n else columns.MISSING for k, n in counts]
        rows = rows.assign(of_metrics=of_metrics)
        of_table["of_metrics"] = Column("Metrics", "Metrics with a significant shift.", "text")
        shown.append("of_metrics")
    return pages.html_table(rows, of_table, shown)


def image_dependence(shifts: pd.DataFrame, levels: pd.DataFrame, metric: str) -> str:
    """Whether two baselines' maps of an image are more alike than maps that ignore the image.

    Otherwise the maps mark similar positions in every image, and so may the map shift.

    Parameters
    ----------
    shifts, levels
        shift.csv, uninformative.csv.
    metric
        The metric of the summary.

    Returns
    -------
    Sentences; "" if the tables do not say.
    """
    entry = registry.metric(metric)
    floors = _chosen(shifts, metric)["floor"].dropna()
    of_baseline = levels[(levels["metric"] == metric) & (levels["augmentation"] == BASELINE)]
    means = of_baseline.set_index("level")["mean"].dropna()
    known = {name: means[level] for level, name in _UNRELATED.items() if level in means}
    if entry.of != "maps" or entry.same is None or floors.empty or not known:
        return ""
    floor = floors.iloc[0]
    distances = {name: abs(entry.same - mean) for name, mean in known.items()}
    found = "; ".join(
        f"from {name}: {columns.text(columns.FLOOR, distance)}"
        for name, distance in {_BASELINE: floor, **distances}.items()
    )
    found = f"Mean distance of a baseline's map {found}."
    nearer = [name for name, distance in distances.items() if distance <= floor]
    if not nearer:
        return f"{found} The first is the smallest, so the maps depend on the image."
    return (
        f"{found} A baseline's map is no farther from {' or '.join(nearer)} than from another "
        "baseline's. So the maps say little about the image, and the map shift may be a shift of "
        "the positions that the maps mark in every image. Compare other target layers and CAM "
        "methods (config key cam.variants)."
    )


# ---- Studies without a noise floor --------------------------------------------------------------


def _between(rows: pd.DataFrame, metric: str) -> Iterator[str]:
    """The answer of a study without a baseline."""
    chosen = rows[rows["metric"] == metric]
    tested = chosen[chosen["p_holm"].notna()]
    changed = tested[tested["p_holm"] <= ALPHA]
    notes = ", ".join(dict.fromkeys(chosen["note"].dropna()))
    yield _paragraph(
        f"The maps of {len(changed)} of {len(tested)} pairs of augmentations differ beyond "
        f"retraining variability (p ≤ {ALPHA:g} after Holm's correction)."
        if len(tested)
        else f"The differences between augmentations are not tested ({notes}).",
        "finding",
    )
    yield _paragraph(f"Distance of two maps: {labels.distance_label(metric)}.")
    shown = ["augmentation_a", "augmentation_b", "between", "shift", "p_holm"]
    yield _table("between", chosen.sort_values("shift", ascending=False), shown)


def _similarity(tables: Mapping[str, pd.DataFrame], metric: str) -> Iterator[str]:
    """The answer of a study without controls: accuracies and similarities, without a test."""
    of_maps = tables["distribution"]
    of_maps = of_maps[(of_maps["metric"] == metric) & (of_maps["pairs"] == "reference")]
    ends = of_maps.sort_values("mean")
    label = labels.in_sentence(registry.metric(metric).label)
    if len(ends):
        rows = ends.iloc[[0, -1] if len(ends) > 1 else [0]]
        values = [columns.text(columns.BETWEEN, value) for value in rows["mean"]]
        names = map(labels.control_title, rows["augmentation"])
        named = [f"{value} ({name})" for value, name in zip(values, names, strict=True)]
        yield _paragraph(
            f"The mean {label} of an augmented network's maps and the baseline's is "
            f"{' to '.join(named)}.",
            "finding",
        )
    yield _paragraph(
        "The study has no controls, so it does not measure how much the maps change when a network "
        "is retrained with another seed. A difference from the baseline may be due to retraining "
        "alone; the config key controls adds the comparison."
    )
    yield f"<h2>{escape(registry.metric(metric).label)}</h2>"
    yield _table("distribution", of_maps, ["augmentation", "images", "undefined", "mean", "median"])
    if "performance_summary" in tables:
        scores = tables["performance_summary"]
        for score, heading in (("accuracy", "Test accuracy"), ("recall", "Balanced accuracy")):
            if score == "accuracy" or _unequal(tables):
                rows = scores[scores["score"] == score]
                yield f"<h2>{heading}</h2>"
                yield _table("performance_summary", rows, ["augmentation", "mean", "std", "seeds"])


def _table(name: str, rows: pd.DataFrame, shown: Sequence[str] | None = None) -> str:
    """Rows of a table with some of its columns."""
    of_table = {str(each): columns.column(name, str(each)) for each in rows}
    kept: Iterable[str] = shown or (key for key, column in of_table.items() if not column.end)
    return pages.html_table(rows, of_table, list(kept))


def _paragraph(text: str, kind: str = "") -> str:
    opening = f'<p class="{kind}">' if kind else "<p>"
    return f"{opening}{escape(text)}</p>"
