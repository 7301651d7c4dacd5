"""What the files of a study record: images, training, versions, hardware, and time used."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from safetensors import safe_open

from campare import sizes, split, store, tables
from campare.errors import reading

EVALUATION = "evaluation of networks"
# Kinds of jobs, by the first one or two parts of the path of their benchmark within a variant or an
# epoch; others are `REST`.
KINDS = {
    "train": "training",
    "finetuned": "training",
    "models/permuted_labels": "training",
    "architectures": "training of candidate architectures",
    "import": "import",
    "models": "maps",
    "cams": "maps",
    "corruptions": EVALUATION,
    "equivariance": EVALUATION,
    "faithfulness": EVALUATION,
    "features/cnn-svm": EVALUATION,
    "map_exchange": EVALUATION,
    "mosaics": EVALUATION,
    "representations": EVALUATION,
    "sanity": EVALUATION,
    "single_deletion": EVALUATION,
    "tables/own_images": EVALUATION,
    "similarity": "comparison of maps",
    "pairs": "comparison of maps",
}
REST = "tables, statistics and figures"
# Kinds whose jobs train a network.
TRAINING = ("training", "training of candidate architectures")
OWN = "paper"  # folder of the jobs that write the paper; they are not counted
_NO_WEIGHTS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Usage:
    """Number of jobs, and their time in seconds: wall-clock and CPU time."""

    jobs: int
    wall: float
    cpu: float


@dataclass(frozen=True)
class Maps:
    """Maps of a variant: layer and resolution (height, width), as recorded in a store."""

    layer: str
    height: int
    width: int


@dataclass(frozen=True)
class Facts:
    """What the files of a study record.

    Attributes
    ----------
    classes
        Names of the classes.
    size, channels
        Of the stored images, pixels.
    available
        Number of images in the data set.
    divided
        Whether the data set has a test part of its own.
    images
        Subset → number of images, of the first split.
    smallest_class
        Number of training and validation images of the class with the fewest, of the first split.
    parameters
        Number of parameters of the baseline; None if there is no file of weights.
    epochs
        Least and largest number of epochs of all trainings; None without histories.
    maps
        Folder of a variant → its maps.
    versions
        Package → version with which maps were made.
    devices
        Devices of the recorded stores, such as "cpu".
    trained_on
        Device on which the baseline was trained; "" if it is not recorded.
    threads
        CPU threads of the jobs that made them.
    usage
        Kind of job → time used; empty without benchmarks.
    regions
        Names of the regions with masks.
    """

    classes: Sequence[str]
    size: tuple[int, int]
    channels: int
    available: int
    divided: bool
    images: Mapping[str, int]
    smallest_class: int
    parameters: int | None = None
    epochs: tuple[int, int] | None = None
    maps: Mapping[str, Maps] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    devices: Sequence[str] = ()
    trained_on: str = ""
    threads: int = 1
    usage: Mapping[str, Usage] = field(default_factory=dict)
    regions: Sequence[str] = ()

    @property
    def used(self) -> int:
        """Number of images in all subsets."""
        return sum(self.images.values())

    @property
    def on_gpu(self) -> bool:
        """Whether a network was trained, or maps were made, on a CUDA GPU."""
        return any(device.startswith("cuda") for device in (*self.devices, self.trained_on))

    def kinds_on_gpu(self, *, comparing: bool) -> list[str]:
        """Kinds of jobs that ran on a CUDA GPU; comparing: whether comparisons did."""
        maps = any(device.startswith("cuda") for device in self.devices)
        ran = dict.fromkeys(TRAINING, self.trained_on.startswith("cuda"))
        ran |= {"maps": maps, EVALUATION: maps, "comparison of maps": comparing}
        return [kind for kind, used in ran.items() if used and kind in self.usage]


def read(
    data: str | Path,
    first_split: str | Path,
    stores: Mapping[str, str | Path],
    *,
    weights: Sequence[str | Path] = (),
    histories: Iterable[str | Path] = (),
    benchmarks: Path | None = None,
) -> Facts:
    """Read the facts of a study.

    Parameters
    ----------
    data, first_split
        The images, and the split of the first seed.
    stores
        Folder of a variant → store of one model.
    weights
        Weights of the baseline, one file or none.
    histories
        Histories of all trainings.
    benchmarks
        Folder of Snakemake's benchmarks.
    """
    with reading(data, "data set"), h5py.File(data, "r") as file:
        count, *size, channels = file["images"].shape
        classes = [str(name) for name in file["classes"].asstr()[:]]
        divided = bool((file["part"][...].astype("U5") != "").any())
        regions = [str(name) for name in file.attrs.get("regions", ())]
    frame = split.read(first_split, count)
    subsets = frame["subset"].value_counts()
    attributes = {}
    layers = {}
    for variant, path in stores.items():
        first = store.read(path, [0])
        height, width = first.maps.shape[1:]
        layers[variant] = Maps(str(first.attributes["target_layer"]), height, width)
        attributes[variant] = first.attributes
    lengths = [len(tables.read(path)) for path in histories]
    main = attributes.get("", {})
    return Facts(
        classes,
        sizes.pair(size),
        int(channels),
        int(count),
        divided,
        {name: int(subsets.get(name, 0)) for name in split.SUBSETS},
        int(frame["label"][frame["subset"] != "test"].value_counts().min()),
        parameters=parameters(weights[0]) if weights else None,
        epochs=(min(lengths), max(lengths)) if lengths else None,
        maps=layers,
        versions=versions(str(main.get("packages", ""))),
        devices=list(dict.fromkeys(str(each["device"]) for each in attributes.values())),
        trained_on=trained_on(weights[0]) if weights else "",
        threads=int(main.get("threads", 1)),
        usage=usage(benchmarks) if benchmarks else {},
        regions=regions,
    )


def parameters(weights: str | Path) -> int:
    """Number of parameters in a file of weights, without statistics of batch norms."""
    with reading(weights, "weights"), safe_open(weights, "numpy") as file:
        return sum(
            math.prod(file.get_slice(name).get_shape())
            for name in file.keys()  # noqa: SIM118, not a mapping
            if not name.endswith(_NO_WEIGHTS)
        )


def trained_on(weights: str | Path) -> str:
    """The device on which campare trained a network; "" if it did not."""
    with reading(weights, "weights"), safe_open(weights, "numpy") as file:
        about = json.loads((file.metadata() or {}).get("campare", "{}"))
    return str(about.get("device", ""))


def versions(packages: str) -> dict[str, str]:
    """Package → version, from the attribute of a store: "torch 2.11.0, numpy 2.4.6"."""
    pairs = (each.rsplit(" ", 1) for each in packages.split(", ") if " " in each)
    return dict(pairs)


def usage(benchmarks: Path) -> dict[str, Usage]:
    """Time used by the jobs of a study, by kind, the longest first.

    Each benchmark is of the process that finished the job, without interrupted attempts.
    """
    rows = []
    for path in sorted(benchmarks.rglob("*.tsv")):
        parts = path.relative_to(benchmarks).with_suffix("").parts
        inner = parts[2:] if parts[0] in ("variants", "epochs") else parts
        if parts[0] == OWN or len(inner) == 0:
            continue
        last = pd.read_csv(path, sep="\t").iloc[-1]
        # Snakemake writes "NA" or "-" for jobs that are too short to be measured.
        wall, cpu = (float(pd.to_numeric(last[key], errors="coerce")) for key in ("s", "cpu_time"))
        wall = float(np.nan_to_num(wall))
        cpu = wall if np.isnan(cpu) else cpu
        kind = KINDS.get("/".join(inner[:2]), KINDS.get(inner[0], REST))
        rows.append((kind, wall, cpu))
    table = pd.DataFrame(rows, columns=["kind", "wall", "cpu"])
    found = {
        str(kind): Usage(len(group), float(group["wall"].sum()), float(group["cpu"].sum()))
        for kind, group in table.groupby("kind")
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].wall))


def energy(
    facts: Facts, core_power: float, gpu_power: float, *, comparing_gpu: bool = False
) -> tuple[float, float]:
    """Estimated electrical energy of all jobs in kWh: of CPU cores, and of GPUs.

    Parameters
    ----------
    core_power
        Power of a busy CPU core with its share of memory and machine, W; times CPU time.
    gpu_power
        Power of a GPU, W; times the wall-clock time of jobs that run on it. An upper bound if
        several jobs shared a GPU.
    comparing_gpu
        Whether maps were compared on a GPU.
    """
    joules = 3.6e6
    cores = sum(used.cpu for used in facts.usage.values()) * core_power / joules
    gpus = sum(facts.usage[kind].wall for kind in facts.kinds_on_gpu(comparing=comparing_gpu))
    return cores, gpus * gpu_power / joules
