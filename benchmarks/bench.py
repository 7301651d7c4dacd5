"""Time campare beside what it replaces, and write how many times as fast it is.

    make bench                                    all of it, 10 to 20 minutes
    .venv/bin/python benchmarks/bench.py --only similarity training --rounds 5
    .venv/bin/python benchmarks/bench.py --cuda

Every row is a ratio of two rates that were measured in turns, in this one process: with the same
threads, and the same settings of malloc (campare's). The median of the rounds counts; the least and
the greatest stand beside it. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
# As `seeding.deterministic`: cuBLAS reads it once, at the first use of a GPU, before any training.
os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"

import torch

import augmenting
import comparing
import explaining
import recipes
import storing
import training
from campare import memory
from rounds import Row

PACKAGES = [
    *("torch", "torchvision", "albumentations", "grad-cam"),
    *("numpy", "scipy", "numba", "opencv-python-headless"),
]
HEADER = f"{'':<40}{'ratio':>9}{'lowest':>9}{'highest':>9}{'goal':>7}{'ours':>12}{'theirs':>12}"


def cpu() -> str:
    """The processor's name, which platform.processor() does not know on Linux."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def machine(device: torch.device, threads: int) -> dict[str, object]:
    """What the ratios were measured on."""
    about: dict[str, object] = {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "threads": threads,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
    if device.type == "cuda":
        about["peak_gpu_memory_mb"] = torch.cuda.max_memory_reserved() / 1e6
    return about


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--cuda",
        action="store_true",
        help="networks on the GPU; maps compared there too",
    )
    kinds_known = ["cam", "similarity", "training", "store", "augmenting", "recipes"]
    parser.add_argument("--only", nargs="+", choices=kinds_known)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results.json"))
    options = parser.parse_args()
    device = torch.device("cuda" if options.cuda else "cpu")
    torch.set_num_threads(options.threads)
    memory.keep_freed()

    kinds: dict[str, Callable[[], Iterator[Row]]] = {
        "cam": lambda: explaining.rows(options.rounds, device),
        "similarity": lambda: comparing.rows(options.rounds, device),
        "training": lambda: training.rows(options.rounds, device),
        "store": storing.rows,
        "augmenting": lambda: augmenting.rows(options.rounds),
        "recipes": lambda: recipes.rows(min(options.rounds, 3), device),
    }
    found: list[Row] = []
    print(HEADER)
    for kind in options.only or kinds:
        for row in kinds[kind]():
            found.append(row)
            goal = "" if row.goal is None else f"{row.goal:g}"
            print(
                f"{row.name:<40}{row.ratio:>9.3g}{row.low:>9.3g}{row.high:>9.3g}{goal:>7}"
                f"{row.ours:>12,.4g}{row.theirs:>12,.4g} {row.unit}",
                flush=True,
            )
            # After each row, so that a run that is stopped keeps those before.
            about = machine(device, options.threads)
            text = json.dumps(
                {"machine": about, "results": [asdict(row) for row in found]}, indent=2
            )
            options.output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
