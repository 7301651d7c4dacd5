"""Which tables and figures a paper about a study has.

The rules import this module: no pandas here.
"""

from __future__ import annotations

from collections.abc import Iterator

from campare import registry
from campare.design import Design

# Ends of the names of figures, as in plots.page, which needs matplotlib.
WIDTHS = ("_one_column", "_two_columns")
# Figures that need the width of a page; the document shows others in a column.
WIDE = (
    *("summary", "overlays", "sets", "spurious", "faithfulness", "localisation", "mosaics"),
    *("sanity", "single_deletion", "map_exchange", "corruptions"),
    *("known_changes", "representations", "calibration", "variants", "during_training"),
    "equal_accuracy",
)


def main_metric(design: Design) -> str:
    """The metric that tables and figures of one metric show: that of the summary."""
    chosen = design.study["analysis"]["summary"]
    return str(chosen or design.metrics[0])


def tables(design: Design) -> dict[str, list[str]]:
    """Table of the paper → tables of the study from which it is made.

    `variants` is made from the summaries of all variants of the maps.
    """
    return dict(_tables(design))


def _tables(design: Design) -> Iterator[tuple[str, list[str]]]:
    study = design.study
    controls = "controls" in study and bool(design.arms)
    if design.predicts:
        yield "performance", ["performance_summary", "performance"]
    if controls and design.predicts:
        yield "accuracy_change", ["accuracy_change"]
    if controls and design.summarised:
        yield "map_shift", ["summary"]
        yield "equal_accuracy", ["equal_accuracy"]
        if len(design.variants) > 1:
            yield "variants", ["summary"]
    if controls and design.has_floor:
        yield "shift_by_metric", ["shift"]
    if controls and study["reference"] == "none":
        yield "between", ["between"]
    if design.compares:
        yield "distribution", ["distribution"]
        if len(design.augmentations) > 1:
            yield "pairs", ["strongest_pairs", "weakest_pairs"]
        if design.predicts:
            yield "segments", ["segments"]
            yield "accuracy_correlation", ["accuracy_correlation"]
    if study.get("controls", {}).get("uninformative"):
        yield "uninformative", ["uninformative"]
    if study["published"] and not design.imported:
        yield "published", ["published"]
    if "localisation" in study:
        yield "localisation", ["localisation_summary"]
        if study["localisation"]["spurious"]:
            yield "spurious", ["spurious_summary"]
    if "mosaics" in study:
        yield "mosaics", ["mosaics_summary"]
    if "single_deletion" in study:
        yield "single_deletion", ["single_deletion_summary"]
    if "map_exchange" in study:
        yield "map_exchange", ["map_exchange_summary"]
    if "sanity" in study:
        yield "sanity", ["sanity"]
    if "known_changes" in study:
        yield "known_changes", ["known_changes_summary"]
    if "robustness" in study:
        yield "corruptions", ["corruption_change"]
        yield "equivariance", ["equivariance_change"]
    if "representations" in study:
        yield "calibration", ["calibration_change"]
        if design.summarised:
            yield "representations", ["representation_shift"]
    if "faithfulness" in study:
        yield "faithfulness", ["faithfulness_summary"]
    if "hybrid" in study:
        yield "agreement", ["agreement"]
    for stage in ("hybrid", "masking"):
        if stage in study:
            yield f"{stage}_scores", [f"{stage}_scores"]


def figures(design: Design) -> list[str]:
    """Figures of the paper as <kind>/<name>, in the order of the document."""
    return list(_figures(design))


def _figures(design: Design) -> Iterator[str]:
    study, metric = design.study, main_metric(design)
    controls = "controls" in study
    if controls and design.summarised:
        yield "summary/summary"
        yield "equal_accuracy/equal_accuracy"
        if len(design.variants) > 1:
            yield "variants/variants"
        if design.epochs:
            yield "during_training/during_training"
        yield from (f"dose_response/{sweep.base}_{sweep.parameter}" for sweep in design.sweeps)
    elif design.compares and design.predicts:
        yield "performance/accuracy"
    if design.augmentations and not design.imported:
        yield "sets/sets"
    if design.augmentations and design.predicts:
        yield "overlays/over_images"
    if design.compares:
        yield f"boxplot/{metric}"
        if len(design.augmentations) > 1:
            yield f"correlation/{metric}"
        if design.predicts:
            yield f"accuracy/{metric}"
    if controls and study["reference"] == "none" and design.arms:
        yield f"between/{metric}"
    if "localisation" in study:
        yield from (f"localisation/{score}" for score in registry.LOCALISATION)
        several = isinstance(study["localisation"]["spurious"], list)
        if study["localisation"]["spurious"]:
            yield f"spurious/{'reliance' if several else 'spurious'}"
    if "mosaics" in study:
        yield from (f"mosaics/{score}" for score in registry.MOSAICS)
    if "sanity" in study:
        yield f"sanity/{metric if metric in design.map_distances else design.map_distances[0]}"
    if "known_changes" in study:
        yield "known_changes/known_changes"
    if "representations" in study:
        yield "calibration/calibration"
        if design.summarised:
            yield "representations/shift"
    if "faithfulness" in study:
        yield "faithfulness/curves"
        yield "faithfulness/gain"
    if "single_deletion" in study:
        yield "single_deletion/correlation"
    if "map_exchange" in study:
        yield from (f"map_exchange/{measure}" for measure in ("deletion", "insertion"))
    if "robustness" in study:
        # That of transformed images is higher than a page; there is a table of it.
        yield from (f"corruptions/{what}" for what in ("accuracy", "change"))
    if "hybrid" in study:
        yield f"agreement/{metric}"
    yield from (f"scores/{stage}" for stage in ("hybrid", "masking") if stage in study)
    if "occlusion" in study:
        yield "occlusion/accuracy"
