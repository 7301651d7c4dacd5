"""How time and peak memory grow with images, models and resolution, drawn.

    .venv/bin/python benchmarks/growth.py        writes growth.csv and growth.png beside this file

Every point is a process of its own, which does what the workflow's job does, from file to file: a
data file or two stores of random content are made first, in a process that does not count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
HERE = Path(__file__).parent
IMAGES = [1_000, 10_000, 100_000]
SIZES = [32, 64, 112, 224]  # pixels
MODELS = [1, 2, 4, 8]
# What grows, its values, and the job; the rest stays as in USUAL.
SERIES = {
    ("cams", "images"): IMAGES,
    ("cams", "input_size"): SIZES,
    ("similarity", "images"): IMAGES,
    ("similarity", "input_size"): SIZES,
    ("similarity", "models"): MODELS,
}
USUAL = {"images": 10_000, "models": 1, "input_size": 32}
LABELS = {
    "images": "images",
    "models": "models compared with one baseline",
    "input_size": "input size, pixels",
}


def made(folder: Path, job: str, images: int, models: int, input_size: int) -> None:
    """The job's input files."""
    import numpy as np

    from campare import data, store

    random = np.random.default_rng(0)
    if job == "cams":
        pictures = random.integers(0, 256, (images, 32, 32, 3), np.uint8)
        labels, part = np.arange(images) % 10, np.full(images, "test")
        data.write(data.Dataset(pictures, labels, tuple("0123456789"), part), folder / "data.h5")
        return
    rows = np.arange(images)
    about = dict.fromkeys(store.ATTRIBUTES, "benchmark") | {"input_size": input_size}
    for model in range(1 + models):
        maps = random.normal(size=(images, 8, 8)).astype(np.float32)
        logit = random.normal(size=(images, 10)).astype(np.float32)
        whole = [(maps, logit, rows % 10)]
        path = folder / f"{model}.h5"
        store.write(path, whole, labels=rows % 10, indices=rows, attributes=about)


def done(folder: Path, job: str, images: int, models: int, input_size: int) -> None:
    """The job, and what it took as one line of JSON: seconds of work, peak memory in MB."""
    import resource

    import numpy as np

    threads = 2
    if job == "cams":
        from campare import data, explain, seeding
        from campare import models as networks

        seeding.deterministic(threads)
        start = time.perf_counter()
        dataset = data.read(folder / "data.h5")
        index = np.arange(images)
        (folder / "split.csv").touch()
        network = networks.build("small_cnn", classes=10, channels=3, seed=0)
        settings = dict.fromkeys(explain.RECORDED, "benchmark") | {
            "method": "gradcam",
            "class_policy": "predicted",
            "input_size": input_size,
            "target_layer": None,
            "batch_size": 64,
            "fold_batch_norm": True,
        }
        explain.into_store(
            folder / "store.h5",
            network,
            {"mean": [0.5] * 3, "std": [0.25] * 3},
            data.Rows(dataset.images, index),
            dataset.labels,
            index,
            settings=settings,
            baseline=None,
            device=networks.torch.device("cpu"),
            weights=[],
            split=str(folder / "split.csv"),
            watched=lambda batches: batches,
        )
    else:
        from campare import similarity, store

        start = time.perf_counter()
        baseline, *others = (store.read(folder / f"{model}.h5") for model in range(1 + models))
        metrics = ["overlap_20", "overlap_10", "overlap_5", "pearson", "spearman", "mad", "msd"]
        size = (input_size, input_size)
        for table in similarity.tables(baseline, others, metrics, size, 1e-12, threads):
            table.to_parquet(folder / "table.parquet")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def measured() -> list[dict[str, Any]]:
    """A row per point."""
    rows = []
    for (job, grows), values in SERIES.items():
        for value in values:
            case = {**USUAL, grows: value}
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, "--folder", folder, "--case"]
                arguments = json.dumps({"job": job, **case})
                subprocess.run([*command, arguments, "--make"], check=True)
                run = subprocess.run(
                    [*command, arguments], check=True, capture_output=True, text=True
                )
            found = json.loads(run.stdout.splitlines()[-1])
            rows.append({"job": job, "grows": grows, **case, **found})
            print(rows[-1], flush=True)
    return rows


def drawn(rows: list[dict[str, Any]], path: Path) -> None:
    """Time and peak memory against what grows, one column each."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("Agg")
    colours = {"cams": "#0072b2", "similarity": "#d55e00"}
    names = {"cams": "CAMs (small_cnn)", "similarity": "7 metrics"}
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.4), sharex="col", layout="constrained")
    for column, grows in enumerate(LABELS):
        for job, colour in colours.items():
            points = [row for row in rows if row["job"] == job and row["grows"] == grows]
            if not points:
                continue
            x = [row[grows] for row in points]
            for line, key in enumerate(("seconds", "peak_mb")):
                axes[line, column].plot(
                    x, [row[key] for row in points], "o-", color=colour, label=names[job]
                )
        for line in (0, 1):
            axes[line, column].grid(alpha=0.3)
            axes[line, column].set_ylim(0, 1.1 * axes[line, column].get_ylim()[1])
        if grows == "images":
            axes[0, column].loglog()
            axes[0, column].set_ylim(0.1, 100)
        ticks = sorted({row[grows] for row in rows if row["grows"] == grows})
        axes[1, column].set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes[1, column].minorticks_off()
        axes[1, column].set_xlabel(LABELS[grows])
    axes[0, 0].set_ylabel("Time without imports (s)")
    axes[1, 0].set_ylabel("Peak memory (MB)")
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        (made if options.make else done)(options.folder, **options.case)
        return
    import pandas as pd

    rows = measured()
    pd.DataFrame(rows).to_csv(HERE / "growth.csv", index=False, float_format="%.4g")
    drawn(rows, HERE / "growth.png")


if __name__ == "__main__":
    main()
