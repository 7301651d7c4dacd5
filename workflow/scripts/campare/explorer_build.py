"""The data of the explorer of a study, from its stores and tables."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from campare import explorer, explorer_images, naming, registry
from campare.data import Dataset, Regions
from campare.design import BASELINE, Model
from campare.explorer import FORMAT, Payload
from campare.plots.style import PALETTE, colours, control_title, distance_label
from campare.store import Store

# Columns of summary.csv that the page shows.
SUMMARY = (
    *("augmentation", "reference", "metric", "note", "accuracy_change_note"),
    *("accuracy", "accuracy_change", "accuracy_change_low"),
    *("accuracy_change_high", "accuracy_change_p_holm", "net", "net_low", "net_high"),
    *("tightening", "tightening_low", "tightening_high", "tightening_p_holm"),
    *("shift", "shift_low", "shift_high", "shift_p_holm", "relative_shift", "floor"),
    *("significant", "tested", "models", "reference_models", "images"),
)


def payload(
    *,
    study: str,
    variant: str,
    variants: Mapping[str, str],
    metrics: Sequence[str],
    predicts: bool,
    imported: bool,
    dataset: Dataset,
    stores: Mapping[Model, Callable[[], Store]],
    similarities: Mapping[Model, pd.DataFrame],
    localisation: Mapping[Model, pd.DataFrame],
    regions: Callable[[np.ndarray[Any, Any]], Regions | None],
    pairs: Mapping[str, pd.DataFrame],
    summary: pd.DataFrame | None,
    folder: str = "",
    tables: Sequence[str] = (),
) -> Payload:
    """The description, arrays and images of a page.

    Parameters
    ----------
    study, variant
        Names; the variant is its folder, "" for the main one.
    variants
        Folder of each variant → its title; the page links to their pages.
    metrics
        Columns of the similarity tables.
    predicts
        Whether the predictions of the models are known.
    imported
        Whether the models have numbers in place of seeds.
    stores
        A function for each model, the baselines first, that returns its store.
    similarities
        Similarity table of each model that is compared with baselines.
    localisation
        Table of localisation scores of each model; {} without masks.
    regions
        A function that returns the regions of the images at some positions; None without masks.
    pairs
        Augmentation, control or baseline → pairs of its models; {} without controls.
    summary
        summary.csv; None if the study has none.
    folder
        Folder of the study, as Snakemake names it and with "/" at its end.
    tables
        Files of tables to which the page links, relative to it.
    """
    models = list(stores)
    read = list(stores.values())
    heads = [explorer.outline(one()) for one in read]
    index = explorer.common_index(heads)
    shapes = [head.shape for head in heads]
    names = list(dict.fromkeys(name for name, _ in models))
    groups = explorer.described(models, {n: control_title(n) for n in names}, colours(names))
    made = Payload(
        {
            "format": FORMAT,
            "study": study,
            "variants": [
                {
                    "title": title,
                    "current": part == variant,
                    "file": _link(variant, part),
                    "report": _report_id(f"{folder}{part}explorer.html"),
                }
                for part, title in variants.items()
            ],
            "count": len(index),
            "classes": [naming.isolated(name) for name in dataset.classes],
            "predicts": predicts,
            "member": "network" if imported else "seed",
            "models": [{"group": names.index(name), "seed": seed} for name, seed in models],
            "groups": groups,
            "palette": list(PALETTE),
            "map": list(explorer.grid(shapes, len(index))),
            "map_original": [max(sides) for sides in zip(*shapes, strict=True)],
            "arrays": {},
            "shards": {"digest": "", "files": []},
            "summary": [],
            "tables": list(tables),
        }
    )
    explorer.add_predictions(made, heads, index)
    del heads  # the scores of a thousand models take a gigabyte
    kept = explorer.add_maps(made, read, index)
    layout, sheets = explorer_images.sheets(dataset.images, index)
    made.about["images"] = layout
    made.about["regions"] = []
    if (masks := regions(index)) is not None:
        made.about["regions"] = list(masks.names)
        size = layout["height"], layout["width"]
        made.add("regions", explorer_images.region_bits(masks.masks, size))
    made.blocks |= {f"sheet-{number}": text for number, text in enumerate(sheets)}

    compared = list(metrics) if similarities else []
    values = explorer.measured(similarities, models, compared, index)
    entries = [_metric(name) for name in compared]
    located, scores = explorer.located(localisation, models, index)
    explorer.add_numbers(made, [*entries, *located], np.concatenate([values, scores]), "values")
    made.about["summary"] = [] if summary is None else _records(summary)
    _add_components(made, pairs, index)
    embedding = explorer.embedded(kept, [group["models"] for group in groups])
    made.add("ends", embedding.ends)
    explorer.add_numbers(
        made,
        [{"explained": share} for share in embedding.explained],
        np.moveaxis(embedding.places, 2, 0),
        "embedding",
    )
    explorer.add_numbers(made, [{}, {}], np.moveaxis(embedding.spectral, 2, 0), "spectral")
    return made


def pair_columns(metric: str) -> list[str]:
    """The columns of tables of pairs that `payload` uses; `metric` is that of the summary."""
    return ["a", "b", "index", metric]


def _metric(name: str) -> dict[str, Any]:
    """Name, label, value of two identical maps, of a metric for the page."""
    entry = registry.metric(name)
    return {"name": name, "label": entry.label, "same": entry.same}


def _records(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the summary with the columns it has; undefined numbers are null."""
    columns = [name for name in SUMMARY if name in summary]
    rows = summary[columns].astype(object).where(summary[columns].notna(), None)
    return [
        {
            **{name: row[name].item() if isinstance(row[name], np.generic) else row[name]
               for name in columns},
            "distance": distance_label(row["metric"]),
        }
        for row in rows.to_dict("records")
    ]  # fmt: skip


def _add_components(
    made: Payload, pairs: Mapping[str, pd.DataFrame], index: np.ndarray[Any, Any]
) -> None:
    """Add net distance and tightening of each row of the summary and image."""
    rows = [
        (place, row)
        for place, row in enumerate(made.about["summary"])
        if row["augmentation"] in pairs and row.get("reference", BASELINE) in pairs
    ]
    parts = [
        explorer.components(pairs, row["augmentation"], row["reference"], row["metric"])
        for _, row in rows
    ]
    for number, (_, row) in enumerate(rows):
        row["component"] = number
    values = np.array(
        [[part[name].reindex(index) for part in parts] for name in ("net", "tightening")], float
    ).reshape(2, len(parts), len(index))
    entries = [{"name": "net"}, {"name": "tightening"}] if parts else []
    explorer.add_numbers(made, entries, values[: len(entries)], "components")


def _link(origin: str, folder: str) -> str:
    """The page of a variant, relative to that of another."""
    return os.path.relpath(f"{folder or '.'}/explorer.html", origin or ".")


def _report_id(path: str) -> str:
    """The folder of a file in the report of Snakemake (`snakemake.common.get_report_id`)."""
    return hashlib.sha256(path.encode()).hexdigest()[:16]
