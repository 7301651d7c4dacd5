"""Pack the results of a study and of `gpu.sh` into a few files of limited size.

    python benchmarks/collect.py OUT LOGS CONFIG

LOGS is a folder of logs of `gpu.sh`. Of the study in results/<name>, tables, histories, logs,
benchmarks and png figures come first, then weights, seed by seed, as many as fit.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml

FILES = 8  # in OUT
SIZE = 14 << 20  # bytes of a file
SMALL = ("tables/**/*.csv", "benchmarks/**/*", "logs/**/*.log", "models/*/*.csv", "*.csv")
FIGURES = ("figures/**/*.png",)


def wanted(results: Path) -> Iterator[Path]:
    """The files of a study, the most important ones first."""
    for pattern in (*SMALL, *FIGURES):
        yield from sorted(path for path in results.glob(pattern) if path.is_file())
    weights = results.glob("models/*/*.safetensors")
    yield from sorted(weights, key=lambda path: (len(path.stem), path.stem, path.parent.name))


class Archives:
    """Archives study0.tar.gz, study1.tar.gz, … in a folder, `most` of them."""

    def __init__(self, folder: Path, most: int) -> None:
        self.files = [folder / f"study{number}.tar.gz" for number in range(most)]
        self.room = 0  # bytes left in the current one
        self.archive: tarfile.TarFile | None = None

    def add(self, path: Path) -> bool:
        """Add a file to the current archive or to a new one, if there is room."""
        size = path.stat().st_size
        if size > self.room:
            if not self.files or size > SIZE:
                return False
            self.close()
            self.raw = self.files.pop(0).open("wb")
            self.archive = tarfile.open(fileobj=self.raw, mode="w:gz")  # noqa: SIM115
        assert self.archive
        self.archive.add(path)
        self.room = SIZE - self.raw.tell()
        return True

    def close(self) -> None:
        if self.archive:
            self.archive.close()
            self.raw.close()


def main() -> None:
    out, logs, config = map(Path, sys.argv[1:])
    with tarfile.open(out / "logs.tar.gz", "w:gz") as archive:
        archive.add(logs, "logs")
    study = yaml.safe_load(config.read_text(encoding="utf-8"))["study"]
    archives = Archives(out, FILES - len(list(out.iterdir())))
    left_out = [str(path) for path in wanted(Path("results") / study) if not archives.add(path)]
    archives.close()
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size:>12,} {path.name}")
    print(f"{len(left_out)} files of the study did not fit", *left_out[:20])


if __name__ == "__main__":
    main()
