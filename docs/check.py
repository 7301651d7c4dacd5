"""Compare the numbers of README.md and docs/*.md with docs/tables/, copies of tables of results/.

A page has generated regions, each from a Jinja template that takes its numbers from docs/tables/:

    <!-- from docs/templates/NAME.md -->
    …
    <!-- end of NAME.md -->

docs/tables/runs.csv is written by hand: when, with which version and on what a study was made, and
the CPU time of Snakemake and its jobs (`time snakemake …`).

Statements without a number are tested as well: `holds(condition, text)` in a template is the text,
or a failure if the tables contradict it. `quoted(page, text)` is a text that must be
on another page.

    python docs/check.py            (make docs-check) report each line that differs
    python docs/check.py --write    (make docs) write the regions
    python docs/check.py --copy shapes --write      after a rerun of this study: copy its tables and
                                                    figures again from results/ first
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import math
import re
import shutil
import statistics
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import jinja2

ROOT = Path(__file__).resolve().parents[1]
# Pages with numbers of studies that are not compared with tables yet.
NOT_COVERED = {
    "docs/evidence.md": "results of simulations",
    "benchmarks/RESULTS.md": "what was measured once, outside the regions",
}
REGION = re.compile(
    r"(?P<begin><!-- from docs/templates/(?P<name>\S+) -->\n).*?"
    r"(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)
# What docs/tables/ has of results/: table → columns, and the values of the rows that are kept.
SHIFT = "shift shift_low shift_high shift_p_holm relative_shift"
SUMMARY = (
    "augmentation reference accuracy reference_accuracy accuracy_change accuracy_change_low "
    "accuracy_change_high accuracy_change_p_holm floor net net_low net_high tightening "
    f"tightening_low tightening_high {SHIFT} noise_corrected_similarity "
    "noise_corrected_similarity_low noise_corrected_similarity_high tightening_p_holm "
    "superiority agreement models reference_models images "
    "equal_shift equal_shift_p_holm significant tested"
)
METRICS = [
    *("overlap_20", "overlap_10", "overlap_5", "pearson", "spearman"),
    *("mad", "msd", "class_kld"),
]
DIFFERENCE = "difference difference_low difference_high"
CHANGE = (
    "mean reference_mean change change_low change_high change_p_holm models reference_models images"
)
EXCHANGE = "augmentation measure term pairs images mean low high"
EQUAL_ACCURACY = (
    "augmentation reference accuracy reference_accuracy close_pairs across_pairs floor shift "
    "shift_p_holm adjusted_shift adjusted_shift_low adjusted_shift_high relative_adjusted_shift "
    "adjusted_p_holm inflation models reference_models"
)
SCORES = f"model accuracy low high f1 {DIFFERENCE}"
MEANS = (
    "augmentation seed pearson kl entropy entropy_baseline "
    "entropy_histogram entropy_histogram_baseline"
)
UNDEFINED = {"metric": ["pearson", "entropy"]}
ALL: Mapping[str, Sequence[str]] = {}
Copied = tuple[str, Mapping[str, Sequence[str]]]
# Of several studies.
PERFORMANCE: Copied = ("augmentation seed accuracy", ALL)
CORRELATION: Copied = ("metric augmentation_a augmentation_b pearson", {"metric": METRICS})
ACCURACY_CORRELATION: Copied = ("metric over pearson low high n", ALL)
CLUSTERS: Copied = (
    "metric first second distance support",
    {"metric": ["overlap_20", "all"]},
)
PAIR_COUNTS: Copied = ("pairs augmentation_a augmentation_b count p p_any", ALL)
AGREEMENT: Copied = (f"metric class pairs undefined mean chance {DIFFERENCE}", ALL)
CORRECTED: Copied = (
    "metric augmentation floor shift relative_shift noise_corrected_similarity "
    "noise_corrected_similarity_low noise_corrected_similarity_high",
    {"metric": ["pearson"], "predictions": ["any"]},
)
DISTRIBUTION: Copied = (
    "metric augmentation images undefined q1 median q3",
    {"pairs": ["reference"], "metric": METRICS},
)
REPRESENTATIONS: Copied = (
    f"metric augmentation reference predictions floor {SHIFT}",
    {"reference": ["baseline"], "predictions": ["any"]},
)
MOSAICS: Copied = (
    f"augmentation region score seeds images mean chance other {DIFFERENCE}",
    {"region": ["grid_pointing"], "score": ["energy"]},
)
CORRUPTIONS: Copied = (
    f"corruption augmentation reference {CHANGE}",
    {"corruption": ["none", "all", "loss"]},
)
VARIANTS: Copied = (
    "variant augmentation floor net tightening shift relative_shift shift_p_holm rank",
    ALL,
)
RANKING: Copied = ("metric kendall_w p variants augmentations", ALL)
PAIR_KINDS: Copied = (
    "metric augmentation kind mean pairs images undefined constant",
    {"metric": ["overlap_20"]},
)
BASELINE_LEVELS: Copied = (
    "metric level augmentation mean",
    {"metric": ["overlap_20"], "augmentation": ["baseline"]},
)
COPIES: dict[str, Copied] = {
    "cifar10/summary": (SUMMARY, ALL),
    "cifar10/mosaics_summary": MOSAICS,
    "cifar10/representation_shift": REPRESENTATIONS,
    "cifar10/shift": CORRECTED,
    "cifar10/performance": PERFORMANCE,
    "cifar10/distribution": DISTRIBUTION,
    "cifar10/correlation": CORRELATION,
    "cifar10/uninformative": ("metric level augmentation mean", {"augmentation": ["baseline"]}),
    "cifar10/segments": (
        "metric augmentation segment pairs mean median",
        {"metric": ["overlap_20", "pearson"]},
    ),
    "cifar10/accuracy_correlation": ACCURACY_CORRELATION,
    "cifar10/clusters": CLUSTERS,
    "cifar10/variants": VARIANTS,
    "cifar10/variants_ranking": RANKING,
    "cifar10/earlier_layer/pair_kinds": PAIR_KINDS,
    "cifar10-small/summary": (SUMMARY, ALL),
    "cifar10-small/performance": PERFORMANCE,
    "cifar10-small/distribution": DISTRIBUTION,
    "cifar10-small/correlation": CORRELATION,
    "cifar10-small/uninformative": (
        "metric level augmentation mean",
        {"metric": ["overlap_20"], "augmentation": ["baseline"]},
    ),
    "cifar10-small/segments": (
        "metric augmentation segment pairs mean median",
        {"metric": ["overlap_20"]},
    ),
    "cifar10-small/accuracy_correlation": ACCURACY_CORRELATION,
    "cifar10-small/clusters": CLUSTERS,
    "cifar10-small/pair_counts": PAIR_COUNTS,
    "cifar10-small/variants": VARIANTS,
    "cifar10-small/earlier_layer/pair_kinds": PAIR_KINDS,
    "cifar10-small/variants_ranking": RANKING,
    "cifar10-small/mosaics_summary": MOSAICS,
    "cifar10-small/representation_shift": REPRESENTATIONS,
    "cifar10-small/equal_accuracy": (EQUAL_ACCURACY, ALL),
    "cifar10-small/map_exchange_summary": (EXCHANGE, ALL),
    "cifar10-small/corruption_change": CORRUPTIONS,
    "cifar10-small-added/summary": (SUMMARY, ALL),
    "cifar10-small-added/performance": PERFORMANCE,
    "cifar10-small-added/distribution": DISTRIBUTION,
    "cifar10-small-added/correlation": CORRELATION,
    "cifar10-small-added/clusters": CLUSTERS,
    "cifar10-small-added/pair_counts": PAIR_COUNTS,
    "cifar10-small-added/shift": (
        f"augmentation floor net tightening {SHIFT} noise_corrected_similarity",
        {"metric": ["overlap_20"], "reference": ["baseline"], "predictions": ["any"]},
    ),
    "cifar10-small-added/accuracy_change": (
        "augmentation accuracy_change accuracy_change_low accuracy_change_high "
        "accuracy_change_p_holm",
        {"reference": ["baseline"]},
    ),
    "cifar10-small-between/between": (
        "augmentation_a augmentation_b between within_a within_b shift",
        {"metric": ["overlap_20"]},
    ),
    "finetune/summary": (SUMMARY, ALL),
    "finetune/shift": CORRECTED,
    "finetune/performance": PERFORMANCE,
    "finetune/distribution": DISTRIBUTION,
    "finetune/variants": VARIANTS,
    "finetune/uninformative": ("metric level augmentation mean", {"augmentation": ["baseline"]}),
    "finetune/last_layer/uninformative": BASELINE_LEVELS,
    "finetune/last_layer/pair_kinds": PAIR_KINDS,
    "digits/summary": (SUMMARY, ALL),
    "digits/mosaics_summary": MOSAICS,
    "digits/representation_shift": REPRESENTATIONS,
    "digits/shift": (
        f"metric augmentation reference predictions floor net tightening {SHIFT} "
        "noise_corrected_similarity agreement",
        {"metric": ["overlap_20"], "predictions": ["any"]},
    ),
    "digits/distribution": DISTRIBUTION,
    "digits/correlation": CORRELATION,
    "digits/sanity": (
        "augmentation check metric seeds images mean low high undefined above above_low above_high "
        "difference difference_low difference_high",
        {"metric": ["overlap_20", ""]},
    ),
    "digits/single_deletion_summary": (
        "augmentation network seeds images mean low high accuracy accuracy_deleted undefined "
        "difference difference_low difference_high",
        ALL,
    ),
    "digits/map_exchange_summary": (EXCHANGE, ALL),
    "cifar10/map_exchange_summary": (
        EXCHANGE,
        {"augmentation": ["flip_and_shift", "cutmix", "cutmix_mixed", "affine"]},
    ),
    "digits/strongest_pairs": ("augmentation_a augmentation_b count", ALL),
    "digits/weakest_pairs": ("augmentation_a augmentation_b count", ALL),
    "digits/pair_counts": PAIR_COUNTS,
    "digits/equal_accuracy": (EQUAL_ACCURACY, ALL),
    "cifar10/equal_accuracy": (EQUAL_ACCURACY, ALL),
    "digits-epochs/during_training": (
        "epoch augmentation accuracy reference_accuracy floor shift_p_holm relative_shift "
        "relative_shift_low relative_shift_high models reference_models",
        ALL,
    ),
    "digits-epochs/during_training_onset": ("augmentation shift_from accuracy_from", ALL),
    "digits-epochs/matched_accuracy": (
        "augmentation models matched_models matched_pairs accuracy_gap epochs floor shift "
        "shift_low shift_high relative_shift",
        ALL,
    ),
    "digits-epochs/equal_accuracy": (EQUAL_ACCURACY, ALL),
    "cues/spurious_reliance": (
        f"augmentation cue cue_class seeds images mean std {DIFFERENCE}",
        ALL,
    ),
    "cues/localisation_summary": (
        f"augmentation region score seeds images mean chance {DIFFERENCE}",
        {"region": ["mark"], "score": ["energy"]},
    ),
    "cues/performance_summary": ("augmentation score mean std seeds", {"score": ["accuracy"]}),
    "cifar10-evidence/summary": (SUMMARY, ALL),
    "cifar10-evidence/performance_summary": ("augmentation score mean std seeds", ALL),
    "cifar10-evidence/distribution": DISTRIBUTION,
    "cifar10-evidence/correlation": CORRELATION,
    "cifar10-evidence/strongest_pairs": ("augmentation_a augmentation_b count", ALL),
    "cifar10-evidence/weakest_pairs": ("augmentation_a augmentation_b count", ALL),
    "cifar10-evidence/uninformative": (
        "metric level augmentation mean",
        {"metric": ["overlap_20"]},
    ),
    "cifar10-evidence/shift": (
        "metric augmentation reference predictions shift shift_p_holm",
        {"reference": ["duplicated_originals"]},
    ),
    "cifar10-evidence/pair_kinds": ("metric augmentation kind mean", {"metric": ["overlap_20"]}),
    "cifar10-evidence/true_class/summary": (SUMMARY, ALL),
    "cifar10-evidence/baseline_class/summary": (SUMMARY, ALL),
    "shapes/summary": (SUMMARY, ALL),
    "shapes/accuracy_change": (
        "augmentation reference accuracy_change accuracy_change_low accuracy_change_high",
        {"reference": ["baseline"]},
    ),
    "shapes/localisation_summary": (
        f"augmentation region score seeds images constant mean chance other {DIFFERENCE}",
        {"score": ["energy", "average_precision"]},
    ),
    "shapes/spurious_summary": (
        f"augmentation group measure seeds images mean std chance {DIFFERENCE}",
        ALL,
    ),
    "shapes/faithfulness_summary": (
        f"augmentation measure seeds images gain gain_low gain_high {DIFFERENCE}",
        ALL,
    ),
    "digits/corruption_change": CORRUPTIONS,
    "digits/equivariance_change": (
        f"transform metric augmentation reference {CHANGE}",
        {
            "metric": ["overlap_20", "prediction"],
            "transform": ["all", "flipped", "shifted", "rotated"],
        },
    ),
    "digits/equivariance": (
        "augmentation seed transform metric mean other valid",
        {"metric": ["overlap_20"], "augmentation": ["cutmix", "duplicated_originals"]},
    ),
    "cifar10/corruption_change": CORRUPTIONS,
    "cifar10/equivariance_change": (
        f"transform metric augmentation reference {CHANGE}",
        {"metric": ["overlap_20", "prediction"]},
    ),
    "cifar10/equivariance": (
        "augmentation seed transform metric mean other valid",
        {"metric": ["overlap_20"]},
    ),
    "validity/summary": (SUMMARY, ALL),
    "validity/dose_localisation": (f"region score augmentation reference {CHANGE}", ALL),
    "validity/dose_response": ("sweep measure strengths models tau p p_holm", ALL),
    "evidence/summary": (SUMMARY, ALL),
    "evidence/shift": (
        "metric augmentation reference predictions shift shift_p_holm relative_shift",
        {"metric": ["overlap_20", "class_kld"], "reference": ["baseline"], "predictions": ["any"]},
    ),
    "evidence/correlation": (
        "metric augmentation_a augmentation_b pearson",
        {"metric": ["overlap_20"]},
    ),
    "evidence/correlation_shared": (
        "metric augmentation_a augmentation_b pearson",
        {"metric": ["overlap_20"]},
    ),
    "evidence/pair_counts": PAIR_COUNTS,
    "evidence/uninformative": BASELINE_LEVELS,
    "evidence/true_class/summary": (SUMMARY, ALL),
    "validity/known_changes": (
        "metric change level strength accuracy reference_accuracy floor within between "
        "relative_shift shift_p auprc auprc_low auprc_high chance prior auroc models "
        "reference_models images",
        ALL,
    ),
    "validity/known_changes_summary": (
        "metric change auprc auprc_low auprc_high correlation correlation_low correlation_high "
        "detected arms",
        ALL,
    ),
    "mnist100/published": (
        "score augmentation published published_rank mean std seeds rank low high inside best "
        "above_baseline",
        ALL,
    ),
    "mnist100/performance": PERFORMANCE,
    "mnist100/validation": PERFORMANCE,
    "mnist100/model_means": (MEANS, ALL),
    "mnist100/accuracy_correlation": ACCURACY_CORRELATION,
    "mnist100/segments": ("metric augmentation segment pairs undefined", UNDEFINED),
    "mnist100/input_gradient/model_means": (MEANS, ALL),
    "mnist100/input_gradient/accuracy_correlation": ACCURACY_CORRELATION,
    "mnist100/input_gradient/segments": (
        "metric augmentation segment pairs undefined",
        UNDEFINED,
    ),
    "fashion/hybrid_scores": (SCORES, ALL),
    "fashion/hybrid_classes": ("model class precision recall f1 support", {"model": ["cnn-svm"]}),
    "fashion/masking_scores": (SCORES, ALL),
    "fashion/masking_classes": ("model class precision recall f1 support", {"model": ["masked"]}),
    "fashion/agreement": AGREEMENT,
    "fashion-hirescam/agreement": AGREEMENT,
    "fashion-features8/agreement": AGREEMENT,
    "fashion-features5/agreement": AGREEMENT,
    "fashion-originals/own_images": ("image class prediction", ALL),
    "fashion-photographs/own_images": ("image class prediction", ALL),
    "fashion-epochs/architectures": ("architecture epoch validation_accuracy accuracy", ALL),
    "fashion/occlusion": (
        "size class measure mean",
        {"measure": ["accuracy", "pearson"]},
    ),
}
# Figure of docs/ → its place in results/.
FIGURES = {
    "validity_sanity": "digits/figures/sanity/overlap_20",
    "evidence_summary": "digits/figures/summary/summary",
    "results_summary": "cifar10/figures/summary/summary",
    "results_accuracy": "cifar10/figures/accuracy/overlap_20",
    "results_pearson": "cifar10/figures/boxplot/pearson",
    "evidence_cifar10_summary": "cifar10-evidence/figures/summary/summary",
    "shapes_summary": "shapes/figures/summary/summary",
    "shapes_spurious": "shapes/figures/spurious/spurious",
    "shapes_energy": "shapes/figures/localisation/energy",
    "shapes_curves": "shapes/figures/faithfulness/curves",
    "results_small": "cifar10-small/figures/summary/summary",
    "results_small_clusters": "cifar10-small/figures/clusters/all",
    "results_added": "cifar10-small-added/figures/summary/summary",
    "results_finetune": "finetune/figures/summary/summary",
    "validity_exchange": "cifar10-small/figures/map_exchange/deletion",
    "validity_representations": "cifar10/figures/representations/shift",
    "validity_known_changes": "validity/figures/known_changes/known_changes",
    "validity_corruptions": "digits/figures/corruptions/change",
    "validity_dose": "validity/figures/dose_response/gaussian_blur_sigma",
    "validity_equal_accuracy": "digits/figures/equal_accuracy/equal_accuracy",
    "validity_during_training": "digits-epochs/figures/during_training/during_training",
    "validity_cues": "cues/figures/spurious/reliance",
    "fashion_overlays": "fashion/figures/sheets/classes",
    "fashion_mistakes": "fashion/figures/sheets/mistakes",
    "fashion_masking": "fashion/figures/scores/masking",
    "fashion_masks": "fashion/figures/masks/classes",
    "fashion_agreement": "fashion/figures/agreement/overlap_20_ties",
    "fashion_maps": "fashion/figures/hybrid/maps",
    "fashion_occlusion": "fashion/figures/occlusion/accuracy",
    "mnist100_sets": "mnist100/figures/sets/sets",
    "mnist100_boxplot": "mnist100/variants/input_gradient/figures/boxplot/pearson",
    "mnist100_maps": "mnist100/variants/input_gradient/figures/overlays/over_images",
    "mnist100_accuracy": "mnist100/variants/input_gradient/figures/accuracy/pearson",
}
Row = dict[str, Any]


class DocsError(Exception):
    """A template, table or statement that is wrong."""


# Numbers as the pages print them. NaN is a dash.


def _printed(number: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(number)
    def printed(value: float, *arguments: Any) -> str:
        return "–" if math.isnan(value) else number(value, *arguments).replace("-", "−")

    return printed


@_printed
def fixed(value: float, digits: int = 3) -> str:
    """0.123"""
    return f"{value:.{digits}f}"


@_printed
def signed(value: float, digits: int = 3) -> str:
    """+0.123"""
    return f"{value:+.{digits}f}"


@_printed
def percent(value: float, digits: int = 1) -> str:
    """A share as a percentage, without the sign %: 12.3"""
    return f"{100 * value:.{digits}f}"


@_printed
def points(value: float, digits: int = 1) -> str:
    """A difference of shares in percentage points: +1.2"""
    return f"{100 * value:+.{digits}f}"


@_printed
def significant(value: float, digits: int = 3) -> str:
    """Significant digits: 1,230 or 12.3 or 0.0123"""
    rounded = float(f"{value:.{digits}g}")
    decimals = digits - 1 - math.floor(math.log10(abs(rounded))) if rounded else 0
    return f"{rounded:,.{max(decimals, 0)}f}"


@_printed
def p_value(value: float) -> str:
    """0.042, or < 0.001"""
    return "< 0.001" if value < 0.0005 else f"{value:.3f}"


def with_interval(row: Row, column: str, number: Callable[[float], str] = signed) -> str:
    """+0.030 (−0.007 to +0.067), from the columns `column`, `column`_low and `column`_high."""
    low, high = (number(row[f"{column}_{end}"]) for end in ("low", "high"))
    return f"{number(row[column])} ({low} to {high})"


def with_range(row: Row, digits: int = 3) -> str:
    """8.34 [7.83, 8.81]: the ratio of a benchmark, with the lowest and highest of its rounds."""
    ratio, low, high = (significant(row[column], digits) for column in ("ratio", "low", "high"))
    return f"{ratio} [{low}, {high}]"


def defined(values: Iterable[float]) -> list[float]:
    """The values that are not NaN."""
    return [value for value in values if not math.isnan(value)]


def pearson_r(rows: Iterable[Row], first: str, second: str) -> Row:
    """Pearson's r of two columns over rows with Fisher's 95 % interval."""
    pairs = [(row[first], row[second]) for row in rows]
    r = statistics.correlation(*zip(*pairs, strict=True))
    half = statistics.NormalDist().inv_cdf(0.975) / math.sqrt(len(pairs) - 3)
    low, high = (math.tanh(math.atanh(r) + end) for end in (-half, half))
    return {"pearson": r, "low": low, "high": high, "n": len(pairs)}


def over_seeds(values: Sequence[float], digits: int = 3, number: Callable[..., str] = fixed) -> str:
    """0.123 ± 0.045 (7 seeds): mean and standard deviation over the seeds that have a value.

    Their number is given if some have none.
    """
    found = defined(values)
    shown = f"{number(statistics.mean(found), digits)} ± {fixed(statistics.stdev(found), digits)}"
    return shown if len(found) == len(values) else f"{shown} ({len(found)} seeds)"


def label(name: str) -> str:
    """The name of an augmentation in a table of a page."""
    return "CutMix" if name == "cutmix" else name.replace("_", " ").capitalize()


def holds(condition: Any, text: str) -> str:
    """`text`, a statement that the tables must support."""
    if not condition:
        raise DocsError(f"the tables contradict the statement “{text}”")
    return text


class Tables:
    """The tables in a folder, by study/table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: dict[str, list[Row]] = {}

    def rows(self, table: str, **values: Any) -> list[Row]:
        """The rows of a table that have these values, as dictionaries; numbers as floats.

        benchmarks/NAME is the table NAME.csv of the folder benchmarks of the repository.
        """
        found = [row for row in self._read(table) if all(row[k] == v for k, v in values.items())]
        if not found:
            raise DocsError(f"{table} has no row with {values}")
        return found

    def unread(self) -> list[str]:
        """Tables of the folder of which no row has been asked for."""
        every = (path.relative_to(self.folder) for path in self.folder.rglob("*.csv"))
        return sorted({str(path.with_suffix("")) for path in every} - set(self.tables))

    def correlations(self, study: str, metric: str, table: str = "correlation") -> list[float]:
        """Correlations of a metric between augmentations, each pair once."""
        pairs: dict[frozenset[str], float] = {}
        for row in self.rows(f"{study}/{table}", metric=metric):
            names = frozenset((row["augmentation_a"], row["augmentation_b"]))
            pairs[names] = row["pearson"]
        return [value for names, value in pairs.items() if len(names) == 2]

    def made(self, study: str) -> str:
        """When, with which version and on what a study was made: its row of runs.csv as text."""
        run = self.row("runs", study=study)
        text = (
            f"Made on {run['date']} with {run['version']}, on {run['machine']}, torch "
            f"{run['torch']}, one thread per job: {run['cpu_minutes']:.0f} minutes of CPU time for "
            "the tables and figures of this page."
        )
        return textwrap.fill(text, 115)

    def _read(self, table: str) -> list[Row]:
        if table not in self.tables:
            root = self.folder.parents[1] if table.startswith("benchmarks/") else self.folder
            path = root / f"{table}.csv"
            if not path.exists():
                raise DocsError(f"{path.relative_to(self.folder.parents[1])} is missing")
            with path.open(newline="") as file:
                cells = list(csv.DictReader(file))
            self.tables[table] = [{k: _value(v) for k, v in row.items()} for row in cells]
        return self.tables[table]

    def row(self, table: str, **values: Any) -> Row:
        """The only row of a table that has these values."""
        found = self.rows(table, **values)
        if len(found) != 1:
            raise DocsError(f"{table} has {len(found)} rows with {values}, not one")
        return found[0]


def _value(text: str) -> float | str:
    try:
        return float(text) if text else math.nan
    except ValueError:
        return text


def benchmarks(folder: Path) -> Callable[[str], dict[str, Any]]:
    """The function `benchmark` of templates: a JSON file of the folder, results by their name."""

    @functools.cache
    def benchmark(file: str) -> dict[str, Any]:
        path = folder / file
        if not path.exists():
            raise DocsError(f"{folder.name}/{file} is missing")
        content: dict[str, Any] = json.loads(path.read_text())
        return content | {"results": {row["name"]: row for row in content["results"]}}

    return benchmark


def quoter(folder: Path) -> Callable[[str, str], str]:
    """The function `quoted` of templates: a text that must be in a file of the folder."""

    def quoted(page: str, text: str) -> str:
        found = (folder / page).read_text() if (folder / page).exists() else ""
        if " ".join(text.split()) not in " ".join(found.split()):
            raise DocsError(f"{page} does not have “{text}”")
        return text

    return quoted


def render(template: str, tables: Tables, templates: Path) -> str:
    """The text of a region."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
    )
    numbers: Sequence[Callable[..., str]] = (
        *(fixed, signed, percent, points, significant, p_value, label),
        *(with_interval, with_range, over_seeds),
    )
    environment.filters |= {number.__name__: number for number in (*numbers, defined)}
    environment.globals |= {number.__name__: number for number in numbers}
    environment.globals |= {"rows": tables.rows, "row": tables.row, "holds": holds}
    environment.globals["pearson_r"] = pearson_r
    environment.globals |= {"correlations": tables.correlations, "made": tables.made}
    root = templates.parents[1]
    environment.globals |= {"quoted": quoter(root), "benchmark": benchmarks(root / "benchmarks")}
    try:
        return environment.get_template(template).render()
    except (DocsError, jinja2.TemplateError, KeyError) as error:
        raise DocsError(f"docs/templates/{template}: {error}") from error


def written(page: str, tables: Tables, templates: Path) -> str:
    """A page with its regions as the tables have them."""

    def region(match: re.Match[str]) -> str:
        text = render(match["name"], tables, templates)
        return match["begin"] + text + match["end"]

    return REGION.sub(region, page)


def pages(root: Path) -> Iterator[tuple[Path, str]]:
    """The pages that have regions, with their texts."""
    for path in (root / "README.md", *sorted(root.glob("*/*.md"))):
        text = path.read_text()
        if len(REGION.findall(text)) != text.count("<!-- from docs/templates/"):
            raise DocsError(f"{path.relative_to(root)}: a region has no end")
        if REGION.search(text):
            yield path, text


def check(root: Path = ROOT, *, write: bool = False) -> list[str]:
    """Messages, one for each place of a page that differs from the tables."""
    tables, templates = Tables(root / "docs" / "tables"), root / "docs" / "templates"
    messages: list[str] = []
    used: set[str] = set()
    try:
        for path, text in pages(root):
            used |= {match["name"] for match in REGION.finditer(text)}
            new = written(text, tables, templates)
            if write and new != text:
                path.write_text(new)
            elif new != text:
                messages += _differences(str(path.relative_to(root)), text, new)
    except DocsError as error:
        messages.append(str(error))
    else:
        unused = {path.name for path in templates.glob("*.md")} - used
        messages += [f"docs/templates/{name} is on no page" for name in sorted(unused)]
        messages += [f"docs/tables/{name}.csv is in no template" for name in tables.unread()]
    return messages


def _differences(name: str, text: str, new: str) -> list[str]:
    page, tables = text.splitlines(), new.splitlines()
    changes = SequenceMatcher(None, page, tables, autojunk=False).get_opcodes()
    return [
        f"{name}:{i + 1}: the page has\n  {_lines(page[i:j])}\n"
        f"and the tables give\n  {_lines(tables[k:m])}"
        for kind, i, j, k, m in changes
        if kind != "equal"
    ]


def _lines(lines: Sequence[str]) -> str:
    return "\n  ".join(lines) or "(nothing)"


def copy(
    root: Path = ROOT,
    copies: Mapping[str, Any] = COPIES,
    figures: Mapping[str, str] = FIGURES,
    studies: Sequence[str] = (),
) -> list[str]:
    """Copy tables and figures from results/ to docs/; a message for each that is missing.

    study/table is from results/<study>/tables/, study/variant/table from
    results/<study>/variants/<variant>/tables/. What is missing leaves the earlier copy as it is.
    `studies`: only of these; none: of all.
    """
    results, messages = root / "results", []
    for name, chosen in copies.items():
        study, *variant, table = name.split("/")
        if not studies or study in studies:
            folder = "/".join([study, *(["variants", *variant] if variant else []), "tables"])
            target = root / "docs" / "tables" / f"{name}.csv"
            messages += _copy_table(results, f"{folder}/{table}.csv", target, *chosen)
    for name, place in figures.items():
        if studies and place.split("/")[0] not in studies:
            continue
        if (results / f"{place}.png").exists():
            shutil.copyfile(results / f"{place}.png", root / "docs" / f"{name}.png")
        else:
            messages.append(f"results/{place}.png is missing")
    return messages


def _copy_table(
    results: Path, name: str, target: Path, columns: str, values: Mapping[str, Sequence[str]]
) -> list[str]:
    if not (results / name).exists():
        return [f"results/{name} is missing"]
    with (results / name).open(newline="") as file:
        found = list(csv.DictReader(file))
    if absent := {*columns.split(), *values} - set(found[0]):
        return [f"results/{name} has no column {', '.join(sorted(absent))}"]
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns.split(), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(r for r in found if all(r[k] in v for k, v in values.items()))
    return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Report, write or copy; 1 if there is a message."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="write the regions")
    parser.add_argument(
        "--copy", nargs="*", metavar="STUDY", help="copy from results/ first; no STUDY: of all"
    )
    options = parser.parse_args(arguments)
    messages = [] if options.copy is None else copy(studies=options.copy)
    messages += check(write=options.write)
    for message in messages:
        print(message, file=sys.stderr)
    covered = [str(path.relative_to(ROOT)) for path, _ in pages(ROOT)]
    print(f"compared: {', '.join(covered)}")
    print("not compared: " + "; ".join(f"{page}: {part}" for page, part in NOT_COVERED.items()))
    return int(bool(messages))


if __name__ == "__main__":
    sys.exit(main())
