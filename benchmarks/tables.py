"""The jobs after the maps in a large study: time and memory of tables, figures and explorer.

    .venv/bin/python benchmarks/tables.py FOLDER [--augmentations 100] [--seeds 10] [--images 10000]

makes a study in FOLDER whose models, maps and comparisons are simulated, runs the jobs that follow
with Snakemake, one at a time, and adds a row per job to tables.csv beside this file. The numbers
of `--only make` and `--only run` do one part. The baselines, `BASELINES` of them and as many
step-matched models, are not counted among the models.

A map is the sum of a map of its image, one of its arm and one of its model, so that augmentations
differ in how far they shift the maps. The tables of comparisons are drawn at random, too, because
comparing maps takes an hour for 1,000 models; `measure_similarity` and `measure_pairs` are jobs of
one augmentation, of which one is run on the maps. Their values are rounded to 1/4,096, so that the
files are a tenth of the size; tables in memory are as large as usual.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
HERE = Path(__file__).parent
BASES = (
    *("affine", "color_jitter", "elastic", "equalize", "gaussian_blur", "random_crop", "rotation"),
    *("translation", "shear", "perspective", "grayscale", "invert", "posterize", "solarize"),
    *("sharpness", "autocontrast", "gaussian_noise", "jpeg", "cutout", "hide_and_seek"),
)
BASELINES = 10
CLASSES = 10
SIDE = 7  # of the maps
TRAIN = 1000  # training and validation images
LEVELS = 4096  # of the values in tables
# Files of the study, in the order in which Snakemake would have made them.
MADE = ("data.h5", "split.csv", "models/*/*", "cams/*/*", "pairs/*", "similarity/*/*")
TARGETS = ("tables", "figures", "controls", "explorer", "pages")
USAGE = """\
import atexit, os, sys, time
def write():
    name = os.path.basename(sys.argv[0]).partition(".")[2].removesuffix(".py")
    if name:
        lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
        peak = int(lines["VmHWM"].split()[0]) * 1024 / 1e6
        with open(os.environ["USAGE"], "a") as file:
            file.write(f"{name},{time.process_time():.2f},{peak:.0f}\\n")
atexit.register(write)
"""


def arms(number: int) -> list[str]:
    """Names of augmentations, those of one kind at different strengths one after the other."""
    each = -(-number // len(BASES))
    return [f"{base}_{k + 1}" for base in BASES for k in range(each)][:number]


def config(augmentations: int, seeds: int) -> str:
    """The study, as YAML."""
    names = "".join(
        f"  {name}: {{use: {name.rpartition('_')[0]}}}\n" for name in arms(augmentations)
    )
    first = 1000
    return (
        "study: scale\ndata: {name: digits}\n"
        "model: {architecture: small_cnn, input_size: 32}\n"
        f"seeds: {[*range(1, seeds + 1)]}\nvary: [augmentation, init, order]\nreference: all\n"
        "controls:\n"
        f"  baselines: {{seeds: {[*range(first, first + BASELINES - 1)]}, vary: [init, order]}}\n"
        "  duplicated_originals: true\n"
        f"  matched_seeds: {[*range(2 * first, 2 * first + BASELINES)]}\n"
        "training: {epochs: 10}\nfigures: {formats: [png]}\n"
        f"augmentations:\n{names}"
    )


def design_of(file: Path) -> Any:
    import yaml

    from campare import config as study_config
    from campare.design import Design

    return Design(
        study_config.complete(yaml.safe_load(file.read_text(encoding="utf-8")), file.name)
    )


def make(folder: Path, images: int, paired: list[str] | None) -> None:
    """Files of the study up to the tables of comparisons."""
    import numpy as np
    import pandas as pd

    from campare import data, registry, store, tables

    design = design_of(folder / "scale.yaml")
    results = folder / "results" / "scale"
    rng = np.random.default_rng(0)
    number = TRAIN + images
    labels = np.arange(number) % CLASSES
    pictures = rng.integers(0, 256, (number, 8, 8, 1), np.uint8)
    part = np.full(number, "")
    results.mkdir(parents=True)
    data.write(data.Dataset(pictures, labels, tuple("0123456789"), part), results / "data.h5")
    subset = np.repeat(["train", "validation", "test"], [TRAIN - 200, 200, images])
    split = pd.DataFrame({"index": np.arange(number), "label": labels, "subset": subset})
    tables.write(split, results / "split.csv")
    index, label = np.arange(TRAIN, number), labels[TRAIN:]

    def random_of(*name: object) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(repr(name).encode()))

    # Share of the images whose class a model mistakes, and how far an arm moves the maps.
    @cache
    def error(name: str) -> float:
        return 0.08 + 0.04 * random_of("error", name).random()

    @cache
    def reach(name: str) -> float:
        plain = name == "baseline" or name in registry.MATCHED
        return 0.0 if plain else 0.6 * random_of("reach", name).random() ** 2

    predicted: dict[tuple[str, int], Any] = {}
    common = rng.normal(size=(images, SIDE, SIDE)).astype(np.float32)
    about = dict.fromkeys(store.ATTRIBUTES, "simulated") | {"study": "scale", "input_size": 32}
    for name, seed in design.models:
        own = random_of(name, seed)
        wrong = own.random(images) < error(name)
        chosen = np.where(wrong, own.integers(CLASSES, size=images), label)
        predicted[name, seed] = chosen
        arm = random_of("map", name).normal(size=(SIDE, SIDE)).astype(np.float32)
        noise = own.normal(size=(images, SIDE, SIDE)).astype(np.float32)
        maps = common + reach(name) * arm + 0.7 * noise
        logits = own.normal(size=(images, CLASSES)).astype(np.float32)
        logits[np.arange(images), chosen] += 6
        path = results / "cams" / name / f"{seed}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        attributes = about | {"augmentation": name, "seed": seed}
        store.write(
            path, [(maps, logits, chosen)], labels=label, indices=index, attributes=attributes
        )
        weights = results / "models" / name / f"{seed}.safetensors"
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.touch()
        epochs = np.arange(1, 11)
        falling = np.exp(-epochs / 3) + 0.02 * own.random(10)
        history = {"epoch": epochs, "train_loss": falling, "validation_loss": falling + 0.1}
        for score in ("accuracy", "precision", "recall", "f1"):
            history[f"validation_{score}"] = 1 - error(name) - 0.3 * falling
        history |= {"seconds": np.ones(10), "images_per_second": np.full(10, 1000.0)}
        tables.write(pd.DataFrame(history), weights.with_suffix(".csv"))

    base = {name: rng.standard_normal(images, np.float32) for name in design.metrics}

    @cache
    def of_arm(metric: str, name: str) -> Any:
        return 0.3 * random_of("image", metric, name).standard_normal(images, np.float32)

    def values(metric: str, names: tuple[str, str], own: np.random.Generator) -> Any:
        """A metric over the images: identical maps have its best value."""
        entry = registry.metric(metric)
        shift = sum(map(reach, names)) if names[0] != names[1] else 0.0
        image = of_arm(metric, names[0]) + of_arm(metric, names[1])
        rest = 0.7 * own.standard_normal(images, np.float32)
        far = 0.15 * np.exp(0.5 * (base[metric] + (0.2 + shift) * image + rest) + shift)
        far = np.rint(np.minimum(far, 1) * LEVELS).astype(float) / LEVELS
        return entry.same - far if entry.same else far

    for model in [*design.augmented, *design.matched_models]:
        parts = []
        for reference in design.references_of(model):
            own = random_of(model, reference)
            columns: dict[str, Any] = {
                "index": index,
                "label": label,
                "baseline_prediction": predicted[reference],
                "prediction": predicted[model],
            }
            for metric in design.metrics:
                columns[metric] = values(metric, (reference[0], model[0]), own)
                if share := registry.overlap_share(metric):
                    columns[f"{metric}_area_baseline"] = np.full(images, share / 100)
                    columns[f"{metric}_area"] = np.full(images, share / 100)
            parts.append(pd.DataFrame(columns))
        path = results / "similarity" / model[0] / f"{model[1]}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        tables.write(pd.concat(parts, ignore_index=True), path)
    (results / "pairs").mkdir()
    for name in paired or design.with_pairs:
        parts = []
        for a, b in design.pairs_of(name):
            own = random_of(a, b)
            columns = dict(zip(("a", "seed_a", "b", "seed_b"), a + b, strict=True))
            columns |= {"index": index, "label": label}
            columns |= {"prediction_a": predicted[a], "prediction_b": predicted[b]}
            columns |= {"constant_a": np.zeros(images, bool), "constant_b": np.zeros(images, bool)}
            columns |= {m: values(m, (a[0], b[0]), own) for m in design.distances}
            parts.append(pd.DataFrame(columns))
        tables.write(pd.concat(parts, ignore_index=True), results / "pairs" / f"{name}.parquet")
    for place, pattern in enumerate(MADE):
        for path in results.glob(pattern):
            os.utime(path, (1e9 + place, 1e9 + place))


def run(folder: Path, targets: list[str], usage: Path) -> int:
    """Make targets of the study with Snakemake, one job at a time; rows are added to `usage`."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(USAGE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site), "USAGE": str(usage)}
    command = [str(Path(sys.executable).parent / "snakemake"), "-d", str(folder)]
    command += ["-s", str(SCRIPTS.parents[1] / "Snakefile")]
    command += ["--configfile", str(folder / "scale.yaml")]
    command += ["--cores", "1", "--nolock", "--keep-going", "--rerun-triggers", "mtime", "--ri"]
    return subprocess.run([*command, *targets], env=environment, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--augmentations", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--only", choices=["make", "run"])
    parser.add_argument("--pairs", nargs="+", help="arms whose tables of pairs are made, not all")
    parser.add_argument("--targets", nargs="+", default=TARGETS)
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    if options.only != "run":
        shutil.rmtree(folder / "results", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        text = config(options.augmentations, options.seeds)
        (folder / "scale.yaml").write_text(text, encoding="utf-8")
        make(folder, options.images, options.pairs)
    if options.only != "make":
        usage = folder / "usage.csv"
        usage.unlink(missing_ok=True)
        failed = run(folder, options.targets, usage)
        about = [options.augmentations * options.seeds, options.images]
        with (HERE / "tables.csv").open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if file.tell() == 0:
                writer.writerow(["models", "images", "job", "cpu_s", "peak_mb"])
            with usage.open(encoding="utf-8") as rows:
                writer.writerows([*about, *row] for row in csv.reader(rows))
        sys.exit(failed)


if __name__ == "__main__":
    main()
