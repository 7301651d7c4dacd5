"""Pack the logs of `gpu.sh`, and the results of a study, into a few files of limited size.

    python benchmarks/collect.py OUT LOGS [CONFIG]

LOGS is a folder of logs of `gpu.sh`. Of the study in results/<name>, tables, histories, logs,
benchmarks and png figures come first, then the maps of the main variant, then weights, seed by
seed, as many as fit. No job of the study is run.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml

FILES = 8  # in OUT
SIZE = 14 << 20  # bytes of a file
TOTAL = 60 << 20  # bytes in OUT
SLACK = 512 << 10  # bytes that an archive holds back until it is closed
SMALL = ("tables/**/*.csv", "benchmarks/**/*", "logs/**/*.log", "models/*/*.csv", "*.csv")
FIGURES = ("figures/**/*.png",)
BY_SEED = ("cams/*/*.h5", "models/*/*.safetensors")  # <augmentation>/<seed>


def results_of(results: Path) -> Iterator[Path]:
    """The files of a study, the most important ones first."""
    for pattern in (*SMALL, *FIGURES):
        yield from sorted(path for path in results.glob(pattern) if path.is_file())
    for pattern in BY_SEED:
        found = results.glob(pattern)
        yield from sorted(found, key=lambda path: (len(path.stem), path.stem, path.parent.name))


class Archives:
    """Archives study0.tar.gz, study1.tar.gz, … in a folder, to its limits of number and size."""

    def __init__(self, folder: Path) -> None:
        there = [path.stat().st_size for path in folder.iterdir()]
        self.files = [folder / f"study{number}.tar.gz" for number in range(FILES - len(there))]
        self.left = TOTAL - sum(there)  # bytes, before the current one
        self.room = 0  # bytes left in the current one
        self.archive: tarfile.TarFile | None = None

    def add(self, path: Path) -> bool:
        """Add a file to the current archive or to a new one, if there is room."""
        size = path.stat().st_size + SLACK
        if size > self.room:
            used = self.raw.tell() + SLACK if self.archive else 0
            limit = min(SIZE, self.left - used)
            if not self.files or size > limit:
                return False
            self.close()
            self.limit = limit
            self.raw = self.files.pop(0).open("wb")
            self.archive = tarfile.open(fileobj=self.raw, mode="w:gz")  # noqa: SIM115
        assert self.archive
        self.archive.add(path)
        self.room = self.limit - self.raw.tell()
        return True

    def close(self) -> None:
        """End the current archive, if there is one."""
        if self.archive:
            self.archive.close()
            self.left -= self.raw.tell()
            self.raw.close()
        self.archive, self.room = None, 0


def main() -> None:
    out, logs, *configs = map(Path, sys.argv[1:])
    with tarfile.open(out / "logs.tar.gz", "w:gz") as archive:
        archive.add(logs, "logs")
    archives, left_out = Archives(out), []
    for config in configs:
        study = yaml.safe_load(config.read_text(encoding="utf-8"))["study"]
        left_out = [path for path in results_of(Path("results") / study) if not archives.add(path)]
    archives.close()
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size:>12,} {path.name}")
    if configs:
        print(f"{len(left_out)} files of the study did not fit", *left_out[:20])


if __name__ == "__main__":
    main()
