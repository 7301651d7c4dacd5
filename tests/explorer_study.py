"""Small studies in memory, for tests of the explorer."""

from __future__ import annotations

from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from campare import explorer_build
from campare.data import Dataset
from campare.explorer import Payload
from campare.store import Store

IMAGES = 40
CLASSES = ('<img src=x onerror="window.hacked=1">', "</script><b>b & 'c'", "déjà vu")
BASELINES = [("baseline", seed) for seed in (1, 2, 3)]
AUGMENTED = [("affine", 1), ("affine", 2), ("cutmix", 1), ("cutmix", 2)]
METRICS = ["overlap_20", "mad", "class_kld"]
INDEX = np.arange(100, 100 + IMAGES)
LABELS = np.arange(100 + IMAGES) % len(CLASSES)


def dataset(height: int = 12, width: int = 10, channels: int = 3) -> Dataset:
    images = np.random.default_rng(0).integers(
        0, 256, (len(LABELS), height, width, channels), np.uint8
    )
    return Dataset(images, LABELS, CLASSES, np.full(len(LABELS), ""))


def store(seed: int, shape: tuple[int, int] = (4, 5)) -> Store:
    random = np.random.default_rng(seed)
    labels = LABELS[INDEX]
    logit = random.normal(size=(IMAGES, len(CLASSES))).astype(np.float32)
    logit[np.arange(IMAGES), labels] += 1.2
    powers = np.exp(logit)
    prediction = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    maps = random.normal(size=(IMAGES, *shape)).astype(np.float32)
    return Store(maps, prediction, logit, labels, INDEX, logit.argmax(1), {"input_size": 12})


def similarity(seed: int) -> pd.DataFrame:
    """A similarity table against two baselines, so that there are two rows per image."""
    random = np.random.default_rng(1000 + seed)
    table = pd.DataFrame({"index": np.tile(INDEX, 2), "label": np.tile(LABELS[INDEX], 2)})
    for name in METRICS:
        table[name] = random.random(2 * IMAGES)
    table.loc[table["index"] == INDEX[3], "mad"] = np.nan
    return table


def pairs() -> dict[str, pd.DataFrame]:
    """Tables of pairs of models, as measure_pairs writes them."""
    arms = {"baseline": BASELINES, "affine": AUGMENTED[:2], "cutmix": AUGMENTED[2:]}
    tables = {}
    for number, (name, models) in enumerate(arms.items()):
        listed = list(combinations(models, 2))
        if name != "baseline":
            listed += product(BASELINES, models)
        random = np.random.default_rng(50 + number)
        tables[name] = pd.concat(
            pd.DataFrame({"a": a, "b": b, "index": INDEX, "overlap_20": random.random(IMAGES)})
            for (a, _), (b, _) in listed
        )
    return tables


def summary() -> pd.DataFrame:
    rows = [
        {
            "augmentation": name,
            "reference": "baseline",
            "metric": "overlap_20",
            "accuracy_change": 0.0123,
            "accuracy_change_low": -0.001,
            "accuracy_change_high": 0.0261,
            "accuracy_change_p_holm": 0.2,
            "net": -0.0156,
            "net_low": -0.02,
            "net_high": 0.01,
            "tightening": 0.0412,
            "tightening_low": 0.03,
            "tightening_high": 0.05,
            "tightening_p_holm": 0.01,
            "shift": 0.0256,
            "shift_low": 0.0112,
            "shift_high": 0.0413,
            "shift_p_holm": 0.03,
            "relative_shift": 0.0512,
            "note": None,
            "significant": 2,
            "tested": 3,
            "models": 2,
            "reference_models": 3,
            "images": IMAGES,
        }
        for name in ("affine", "cutmix")
    ]
    rows[1] |= {"shift": np.nan, "shift_low": np.nan, "shift_high": np.nan, "shift_p_holm": np.nan}
    return pd.DataFrame(rows)


def arguments(**changes: Any) -> dict[str, Any]:
    """The arguments of `explorer_build.payload` for the whole study."""
    models = [*BASELINES, *AUGMENTED]
    return {
        "study": "small",
        "variant": "",
        "variants": {"": "Grad-CAM"},
        "metrics": METRICS,
        "predicts": True,
        "imported": False,
        "dataset": dataset(),
        "stores": {model: partial(store, place) for place, model in enumerate(models)},
        "similarities": {model: similarity(place) for place, model in enumerate(AUGMENTED)},
        "localisation": {},
        "regions": lambda index: None,
        "pairs": pairs(),
        "summary": summary(),
        "tables": ["tables/summary.html", "tables/shift.html"],
        **changes,
    }


def full(**changes: Any) -> Payload:
    """The payload of a study with everything."""
    return explorer_build.payload(**arguments(**changes))


def bare(**changes: Any) -> Payload:
    """The payload of a study of one network, without predictions and comparisons."""
    return full(
        stores={("baseline", 1): partial(store, 0)},
        similarities={},
        pairs={},
        summary=None,
        predicts=False,
        **changes,
    )
