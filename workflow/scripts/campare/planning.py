"""What a study can show, and what it costs, before anything is trained.

For the comparisons that a study makes: the smallest possible p-value, and the smallest map shift
that is detected with a power of 80 % (`power`); and the cheapest design for shifts of several
sizes. The variability of the distances between networks is that of the study's own baselines, if
they have been compared (the pilot), or the range of the studies in `config/`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from campare import power, registry, statistics
from campare.design import BASELINE, Design
from campare.needs import START, Need, Needs
from campare.needs import USUAL as USUAL_IMAGES
from campare.power import Comparison, Variability
from campare.statistics import ALPHA

if TYPE_CHECKING:  # `warnings` is for rules, which do not need pandas
    import pandas as pd

Study = Mapping[str, Any]
# Shifts, as shares of the noise floor, for which the cheapest design is sought.
SHIFTS = (0.01, 0.02, 0.03, 0.05, 0.1)
# The largest designs considered: networks of an augmentation, and of a reference.
MOST, MOST_REFERENCES = 16, 32
# Metric → noise floor and relative variability in studies of `config/`: `config.yaml` (digits,
# eight baselines), `cifar10-evidence.yaml` (eight), `cifar10.yaml` (ten).
USUAL: Mapping[str, tuple[tuple[float, float], ...]] = {
    "overlap_20": ((0.480, 0.035), (0.680, 0.025), (0.436, 0.017)),
    "overlap_10": ((0.598, 0.036), (0.789, 0.019), (0.552, 0.020)),
    "overlap_5": ((0.705, 0.032), (0.867, 0.014), (0.671, 0.020)),
    "pearson": ((0.221, 0.075), (0.544, 0.054), (0.222, 0.020)),
    "spearman": ((0.234, 0.067), (0.538, 0.056), (0.257, 0.012)),
    "mad": ((0.130, 0.042), (0.224, 0.039), (0.119, 0.012)),
    "msd": ((0.033, 0.072), (0.089, 0.060), (0.030, 0.020)),
    "class_kld": ((0.143, 0.209), (0.854, 0.173), (0.134, 0.008)),
}
PILOT, SHIPPED = "pilot", "shipped studies"
OTHERS = "other augmentations"
# Kinds of jobs whose times are measured: folders under `benchmarks`.
WORK = {"train": "training", "cams": "maps"}
KINDS = tuple(WORK)
# The references in sentences.
REFERENCES = {
    BASELINE: "baselines",
    "duplicated_originals": "networks trained on duplicated originals",
    "longer_training": "networks with longer training",
    OTHERS: "networks of another augmentation",
}
COLUMNS = [
    *("design", "target_shift", "metric", "reference", "models", "reference_models", "tests"),
    *("least_p", "variability", "pilot_networks", "floor", "relative_variability"),
    *(
        "relative_variability_low",
        "relative_variability_high",
        "detectable",
        "detectable_low",
        "detectable_high",
    ),
    *("networks", "hours", "memory_gb", "note"),
]
Hours = Mapping[str, float]  # augmentation → hours of a network


class Family(NamedTuple):
    """Augmentations that are compared with one reference and corrected together.

    tests: their number; comparison: that of the augmentation with the fewest networks; note: why
    there is no test, if not for the number of networks.
    """

    reference: str
    comparison: Comparison
    tests: int
    note: str = ""


class Cost(NamedTuple):
    """Number of networks, hours of their training and maps, GB of memory of the largest job."""

    networks: int
    hours: float
    memory: float


@dataclass
class Costs:
    """Estimates the cost of designs.

    needs
        A design → the needs of its jobs.
    measured
        Kind of job (`KINDS`) → augmentation → mean hours of its jobs in this study; may be empty.
    """

    needs: Callable[[Design], Needs]
    measured: Mapping[str, Hours] = field(default_factory=dict)

    def of(self, design: Design) -> Cost:
        """The cost of all networks of a design, those of `known_changes` included."""
        needs = self.needs(design)
        hours = self.per_network(design)
        jobs: list[tuple[Callable[[Mapping[str, str]], Need], Iterable[str]]] = [
            (needs.train, [] if design.imported else hours),
            (needs.map, [] if "maps" in design.study else hours),
            (needs.compare_pairs, design.with_pairs),
            (needs.statistics, design.with_pairs[:1]),
        ]
        memory = [need({"augmentation": name}).memory for need, names in jobs for name in names]
        models = [*design.models, *design.changed_models]
        total = sum(hours[name] for name, _ in models)
        return Cost(len(models), total, max(memory, default=0) / 1000)

    def per_network(self, design: Design) -> Hours:
        """Hours of training a network of each augmentation and of making its maps.

        Estimates are those of `needs`, which are upper limits. If the study has measured times of a
        kind of job, its estimates are multiplied by the mean ratio of measured to estimated times.
        """
        needs = self.needs(design)
        names = list(dict([*design.models, *design.changed_models]))
        made = {name for name, change in design.changes.items() if not change.trained}
        made |= {*names} if design.imported else set()
        estimates = {
            "train": {n: 0.0 if n in made else _hours(needs.train, n) for n in names},
            "cams": {n: 0.0 if "maps" in design.study else _hours(needs.map, n) for n in names},
        }
        times = {"train": 1, "cams": len(design.variants) + len(design.epochs)}
        return {
            name: sum(
                times[kind] * self._factor(kind, estimate) * estimate[name]
                for kind, estimate in estimates.items()
            )
            for name in names
        }

    def _factor(self, kind: str, estimates: Hours) -> float:
        """Mean ratio of measured to estimated times of a kind of job; 1 without measured ones."""
        ratios = [
            hours / estimates[name]
            for name, hours in self.measured.get(kind, {}).items()
            if estimates.get(name)
        ]
        return math.fsum(ratios) / len(ratios) if ratios else 1.0


def _hours(need: Callable[[Mapping[str, str]], Need], augmentation: str) -> float:
    """Hours of a job, without the minutes for its start."""
    return (need({"augmentation": augmentation}).minutes - START) / 60


def families(design: Design) -> Iterator[Family]:
    """The comparisons of the augmentations of a study with each reference, as `controls.shifts`.

    Nothing if the study does not compare augmentations with a noise floor.
    """
    if not design.has_floor and design.study["reference"] != "none":
        return
    names = design.augmentations
    if design.study["reference"] == "none":
        tests = len(names) * (len(names) - 1) // 2
        if tests:
            first, second = sorted(names, key=lambda name: len(design.seeds_of(name)))[:2]
            yield Family(OTHERS, _comparison(design, first, second, tests), tests)
        return
    for reference in (BASELINE, *design.matched):
        # All arms that `controls.shifts` compares count towards the number of seeds for swaps.
        arms = len(names) + (len(design.matched) if reference == BASELINE else 0)
        each = [_comparison(design, name, reference, arms) for name in names]
        fewest = min(each, key=lambda one: one.models)
        yield Family(
            reference, fewest, len(names), design.incomparable if reference == BASELINE else ""
        )


def _comparison(design: Design, name: str, reference: str, tests: int) -> Comparison:
    ours, theirs = design.models_of(name), design.models_of(reference)
    between = {(name, reference), (reference, name)}
    pairs = [
        pair
        for owner in (name, reference)
        for pair in design.pairs_of(owner)
        if (pair[0][0], pair[1][0]) in between
    ]
    shared = len(ours) * len(theirs) - len(set(pairs))
    seeds = {seed for _, seed in ours} == {seed for _, seed in theirs}
    swapped = seeds and statistics.enough_pairs(len(ours), tests)
    return Comparison(len(ours), len(theirs), min(shared, len(ours), len(theirs)), swapped)


def variability(pairs: pd.DataFrame | None, metric: str) -> tuple[Variability, str]:
    """Variability of a metric between the baselines, and its source: PILOT or SHIPPED.

    Parameters
    ----------
    pairs
        Pairs of baselines, as measure_pairs writes them; None without a pilot. Fewer than four
        baselines are not enough. Of the shipped studies, the values are the median, and `low` and
        `high` the range; NaN for a metric that they do not have.
    """
    if pairs is not None and metric in pairs:
        from campare import controls

        seeds = sorted({*pairs["seed_a"], *pairs["seed_b"]})
        far, places = controls.distances([pairs], [(BASELINE, seed) for seed in seeds], metric)
        found = power.variability(statistics.average(far, 1), places, len(seeds))
        if not math.isnan(found.relative):
            return found, PILOT
    if metric not in USUAL:
        return Variability(np.nan, np.nan, np.nan, np.nan, 0), SHIPPED
    floors, relative = np.array(USUAL[metric]).T
    middle, low, high = (float(f(relative)) for f in (np.median, np.min, np.max))
    return Variability(float(np.median(floors)), middle, low, high, 0), SHIPPED


def alternative(study: Study, models: int, references: int) -> Study:
    """The study with other numbers of networks: of each augmentation, and of each reference."""
    changed = copy.deepcopy(dict(study))
    own = study.get("controls", {})
    used = [*study["seeds"], *(own.get("matched_seeds") or [])]
    used += own.get("baselines", {}).get("seeds", [])
    free = iter(range(max(used) + 1, max(used) + 1 + models + 2 * references))

    def seeds(known: Sequence[int], number: int) -> list[int]:
        return [*known[:number], *(next(free) for _ in range(number - len(known)))]

    changed["seeds"] = seeds(study["seeds"], models)
    baselines = changed["controls"].get("baselines")
    first = models if study["reference"] == "paired" else 1
    if baselines is not None or references > first:
        known = baselines or {"seeds": [], "vary": sorted({*study["vary"]} - {"augmentation"})}
        changed["controls"]["baselines"] = {
            **known, "seeds": seeds(known["seeds"], max(references - first, 0))
        }  # fmt: skip
    if own.get("matched_seeds") or any(own.get(name) for name in registry.MATCHED):
        changed["controls"]["matched_seeds"] = seeds(own.get("matched_seeds") or [], references)
    return changed


def table(
    design: Design, costs: Costs, pairs: pd.DataFrame | None, metric: str, seed: int
) -> pd.DataFrame:
    """The plan of a study.

    Parameters
    ----------
    pairs
        As in `variability`.
    metric
        The metric of the summary, for which the cheapest designs are sought.
    seed
        Of the simulated studies.

    Returns
    -------
    DataFrame
        design: "study", a row per metric and reference, or "cheapest", a row for each target shift;
        target_shift: the shift that is to be detected, share of the noise floor; metric, reference;
        models, reference_models (numbers of networks of an augmentation and of the reference),
        tests (augmentations in Holm's correction); least_p: smallest possible p-value after the
        correction; variability (from: "pilot" or "shipped studies"), pilot_networks, floor,
        relative_variability with _low and _high (95 %, or the range of the shipped studies);
        detectable with _low and _high: smallest shift with a power of 80 %, share of the noise
        floor, NaN if there is none; networks, hours, memory_gb: of the whole study (`Cost`); note.
    """
    import pandas as pd

    found = list(families(design))
    cost = costs.of(design)
    rows: list[dict[str, Any]] = []
    for name in [metric, *(other for other in design.distances if other != metric)]:
        own, source = variability(pairs, name)
        for family in found:
            rows.append(
                {"design": "study", "target_shift": np.nan}
                | _row(name, family, own, source, seed)
                | {"networks": cost.networks, "hours": cost.hours, "memory_gb": cost.memory}
                | {"note": family.note}
            )
    if design.has_floor and not design.imported and not found[-1].note:
        own, source = variability(pairs, metric)
        for target in SHIFTS:
            chosen = cheapest(design, costs, target, own.relative, seed)
            if chosen is None:
                continue
            used = list(families(chosen))[-1]
            total = costs.of(chosen)
            rows.append(
                {"design": "cheapest", "target_shift": target}
                | _row(metric, used, own, source, seed)
                | {"networks": total.networks, "hours": total.hours, "memory_gb": total.memory}
                | {"note": used.note}
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(metric: str, family: Family, own: Variability, source: str, seed: int) -> dict[str, Any]:
    """Columns of a comparison."""
    comparison, tests = family.comparison, family.tests
    testable = not family.note
    detectable = [
        power.detectable(comparison, q, tests, seed) if testable else np.nan
        for q in (own.relative, own.low, own.high)
    ]
    return {
        "metric": metric,
        "reference": family.reference,
        "models": comparison.models,
        "reference_models": comparison.references,
        "tests": tests,
        "least_p": power.least_p(comparison, tests) if testable else np.nan,
        "variability": source,
        "pilot_networks": own.networks,
        "floor": own.floor,
        "relative_variability": own.relative,
        "relative_variability_low": own.low,
        "relative_variability_high": own.high,
        "detectable": detectable[0],
        "detectable_low": detectable[1],
        "detectable_high": detectable[2],
    }


def cheapest(
    design: Design, costs: Costs, target: float, relative: float, seed: int
) -> Design | None:
    """The cheapest design that detects a shift with a power of 80 %; None if none is found.

    Designs with 2 to 16 networks of each augmentation and up to 32 of each reference are compared
    by their hours, then by their number of networks.
    """
    if not relative > 0:
        return None
    tests = len(design.augmentations)
    hours = costs.per_network(design)
    of_augmentations = sum(hours[name] for name in design.augmentations)
    of_references = sum(hours[name] for name in (BASELINE, *design.matched))
    candidates = []
    for n in range(2, MOST + 1):
        for m in [n] if design.paired else range(2, MOST_REFERENCES + 1):
            networks = n * tests + m * (1 + len(design.matched))
            candidates.append((n * of_augmentations + m * of_references, networks, n, m))
    for _, _, n, m in sorted(candidates):
        if power.approximate(Comparison(n, m), relative, tests) > target:
            continue  # no simulation is needed
        chosen = Design(alternative(design.study, n, m))
        family = list(families(chosen))[-1]
        if power.detectable(family.comparison, relative, tests, seed) <= target:
            return chosen
    return None


def warnings(design: Design) -> list[str]:
    """Why no augmentation of a study can be tested, a message for each reference; else nothing."""
    messages = []
    for family in families(design):
        least = power.least_p(family.comparison, family.tests)
        if least <= ALPHA and not family.note:
            return []
        if math.isnan(least):
            value = "is undefined, because each arm needs two networks"
        else:
            value = f"after Holm's correction over {family.tests} augmentations is {least:.3g}"
        if not least <= ALPHA:
            messages.append(
                f"{_networks(family)} cannot give p ≤ {ALPHA:g}: the smallest possible p-value "
                + value
            )
    return messages


def _networks(family: Family) -> str:
    n, m = family.comparison[:2]
    reference = REFERENCES.get(family.reference, family.reference)
    return f"{n} networks of each augmentation compared with {m} {reference}"


def text(plan: pd.DataFrame, design: Design, basis: str) -> str:
    """The plan of a study as Markdown.

    Parameters
    ----------
    plan
        `table` of the design.
    basis
        What times and memory are based on (`basis`).
    """
    study = plan[plan["design"] == "study"]
    lines = [f"# Plan of the study {design.study['study']}", ""]
    if plan.empty:
        lines += [
            "The study does not compare augmentations with a noise floor, so that no map shift is "
            "tested. `controls` with further `baselines` adds the comparison (docs/evidence.md).",
            "",
        ]
        return "\n".join(lines)
    first = study.iloc[0]
    lines += [f"Warning: {message}.\n" for message in warnings(design)]
    lines += [f"Not tested: {note}.\n" for note in dict.fromkeys(study["note"]) if note]
    lines += [
        f"{first['networks']:.0f} networks: {_time(first['hours'])} of training and maps, one job "
        f"after another; at most {first['memory_gb']:.1f} GB of memory per job ({basis}).",
        "",
        f"Variability between networks without augmentation: {_source(first)}",
        "",
        "Detectable: smallest map shift that a single augmentation must cause to have p ≤ "
        f"{ALPHA:g} after Holm's correction with a probability of {100 * power.POWER:.0f} %, in % "
        "of the noise floor"
        + (
            " (95 % limits from the number of baselines)."
            if first["variability"] == PILOT
            else " (range of these studies)."
        ),
        "",
    ]
    columns = {
        "metric": lambda row: str(row["metric"]),
        "reference": lambda row: str(row["reference"]).replace("_", " "),
        "networks": lambda row: f"{row['models']} and {row['reference_models']}",
        "tests": lambda row: str(row["tests"]),
        "least p": lambda row: _number(row["least_p"], "{:.2g}"),
        "noise floor": lambda row: _number(row["floor"], "{:.3f}"),
        "variability, %": lambda row: _number(100 * row["relative_variability"], "{:.1f}"),
        "detectable, %": _detectable,
    }
    lines += _markdown(study, columns)
    cheap = plan[plan["design"] == "cheapest"]
    if len(cheap):
        lines += [
            "",
            f"Cheapest design that detects a shift of {first['metric']}:",
            "",
            *_markdown(
                cheap,
                {
                    "shift, %": lambda row: f"{100 * row['target_shift']:.0f}",
                    "networks of each augmentation": lambda row: str(row["models"]),
                    "of each reference": lambda row: str(row["reference_models"]),
                    "in all": lambda row: str(row["networks"]),
                    "time": lambda row: _time(row["hours"]),
                    "memory, GB": lambda row: f"{row['memory_gb']:.1f}",
                    "detectable, %": _detectable,
                },
            ),
        ]
    return "\n".join([*lines, ""])


def basis(measured: Collection[str], images: Mapping[str, int] | None) -> str:
    """What times and memory are based on.

    Parameters
    ----------
    measured
        Kinds of jobs (`KINDS`) whose times were measured in this study.
    images
        Number of images in each subset; None if they are not known yet.
    """
    times = "times measured in this study"
    if estimated := [WORK[kind] for kind in KINDS if kind not in measured]:
        times = f"times of {' and '.join(estimated)}: upper estimates, often several times too long"
    if images:
        return times
    assumed = f"{USUAL_IMAGES['train']:,} training and {USUAL_IMAGES['test']:,} test images"
    return f"{times}, for {assumed}, because the data set has not been read yet"


def _source(row: pd.Series) -> str:
    """Where the variability is from."""
    if row["variability"] == PILOT:
        return f"from the {row['pilot_networks']:.0f} baselines of this study (pilot)."
    return (
        "median and range of the shipped studies, because this study has no four baselines that "
        "have been compared. To measure it, make `pairs/baseline.parquet` (docs/planning.md)."
    )


def _detectable(row: pd.Series) -> str:
    if math.isnan(row["detectable"]):
        return "none" if not row["least_p"] <= ALPHA else "unknown"
    ends = (_number(100 * row[f"detectable_{end}"], "{:.1f}") for end in ("low", "high"))
    return f"{100 * row['detectable']:.1f} ({' to '.join(ends)})"


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value)


def _time(hours: float) -> str:
    return f"{60 * hours:.0f} min" if hours < 2 else f"{hours:,.1f} h"


def _markdown(rows: pd.DataFrame, columns: Mapping[str, Callable[[pd.Series], str]]) -> list[str]:
    """A Markdown table with columns of equal width: name → text of a row."""
    cells = [[*columns], *([form(row) for form in columns.values()] for _, row in rows.iterrows())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    return [
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
