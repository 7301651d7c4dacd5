"""Reading and training with more images than memory holds: memory, time, speed.

    .venv/bin/python benchmarks/scale.py FOLDER [--images 1000 10000 100000]

makes JPEG files of 224×224 pixels in FOLDER (5 kB each; the data file takes 150 kB an image, while
it is made twice that) and writes scale.csv beside this file. Each step is a process of its own,
whose memory is sampled: anonymous memory is what it needs; pages of mapped files can be dropped.

    read    the folder to data.h5, as the job load_data
    train   STEPS steps of BATCH images, as the job train, with images read from the file, which is
            dropped from the page cache before
    memory  the same with all images in memory, if they need at most MOST bytes
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
HERE = Path(__file__).parent
SIDE = 224  # pixels
CLASSES = 10
STEPS, BATCH, VALIDATION = 100, 64, 100
MOST = 4_000_000_000  # bytes


def make(folder: Path, images: int) -> None:
    """Smooth random images of `CLASSES` classes."""
    import numpy as np
    from PIL import Image

    def write(number: int) -> None:
        path = folder / str(number % CLASSES) / f"{number:07}.jpg"
        if path.exists():
            return
        coarse = np.random.default_rng(number).integers(0, 256, (14, 14, 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(path)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(images)))


def read(folder: Path, data_file: Path) -> int:
    from campare import data, scratch

    with scratch.folder(data_file.parent):
        dataset = data.load("image_folder", root=str(folder), size=None, fit="crop", channels=None)
    data.write(dataset, data_file)
    return len(dataset.images)


def train(data_file: Path, resident: bool) -> int:
    import numpy as np
    import pandas as pd

    from campare import data, train, training_images
    from campare.settings import Settings

    if resident:
        training_images.RESIDENT = sys.maxsize  # type: ignore[attr-defined]
    dataset = data.read(data_file)
    rows = np.arange(len(dataset.images))
    settings = Settings(
        architecture="small_cnn",
        input_size=SIDE,
        epochs=1 + STEPS * BATCH // (len(rows) - VALIDATION),
        batch_size=BATCH,
        learning_rate=1e-3,
        weight_decay=0.0,
        precision="float32",
        device="cpu",
        threads=2,
        copies=0,
        resample="each_epoch",
        augment_at="native",
        init_seed=1,
        order_seed=2,
        augmentation_seed=3,
    )
    flip = ("horizontal_flip", {"probability": 0.5, "alternate": False})
    settings = replace(settings, steps=[flip], probability=1.0)
    subsets = np.where(rows < VALIDATION, "validation", "train")
    split = pd.DataFrame({"index": rows, "label": dataset.labels, "subset": subsets})
    times: list[float] = []

    def stopping() -> bool:
        times.append(time.perf_counter())
        return len(times) > STEPS

    with suppress(train.Stopped):
        train.train(
            settings,
            dataset,
            split,
            name="scale",
            checkpoint=data_file.with_name("checkpoint"),
            code=[],
            progress=lambda event: None,
            stopping=stopping,
        )
    # Without the first steps, in which memory is allocated.
    print(json.dumps({"images_per_second": BATCH * (len(times) - 11) / (times[-1] - times[10])}))
    data_file.with_name("checkpoint").unlink()
    return STEPS * BATCH


def anonymous(process: int) -> int:
    """Anonymous memory of a process, bytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (OSError, ValueError):
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines.get("RssAnon", "0 kB").split()[0]) * 1024


def measured(*arguments: str) -> dict[str, float]:
    """What a step took: seconds, peak_anonymous_mb, and what it prints."""
    start = time.perf_counter()
    command = [sys.executable, __file__, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak, ended = 0, threading.Event()

        def sample() -> None:
            nonlocal peak
            while not ended.wait(0.02):
                peak = max(peak, anonymous(process.pid))

        sampler = threading.Thread(target=sample)
        sampler.start()
        printed, _ = process.communicate()
        ended.set()
        sampler.join()
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}: failed")
    own = json.loads(printed.splitlines()[-1]) if printed.strip() else {}
    return {"seconds": time.perf_counter() - start, "peak_anonymous_mb": peak / 1e6, **own}


def drop(path: Path) -> None:
    """Remove a file from the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--step", choices=["read", "train", "memory"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder: Path = options.folder
    data_file = folder / "data.h5"
    if options.step == "read":
        read(folder / str(options.images[0]), data_file)
        return
    if options.step:
        train(data_file, resident=options.step == "memory")
        return
    import pandas as pd

    rows = []
    for images in options.images:
        make(folder / str(images), images)
        for step in ("read", "train", "memory"):
            if step == "memory" and images * SIDE**2 * 3 > MOST:
                continue
            if step == "train":
                drop(data_file)
            found = measured(str(folder), "--images", str(images), "--step", step)
            rows.append({"images": images, "step": step, **found})
            print(rows[-1], flush=True)
        data_file.unlink()
    table = pd.DataFrame(rows)
    table.to_csv(HERE / "scale.csv", index=False, float_format="%.5g", lineterminator="\n")


if __name__ == "__main__":
    main()
