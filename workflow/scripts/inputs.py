"""Input and param functions of rules: the files of the models that a job reads, their settings."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

from campare.data_files import matching
from campare.design import Design, Model
from campare.errors import CampareError
from campare.registry import IMAGE_SUFFIXES

WEIGHTS = "<results>/models/{augmentation}/{seed}.safetensors"
CAMS = "<results>/{variant}cams/{augmentation}/{seed}.h5"
# Images of a folder whose sizes are compared at most, since a network file system takes long.
STATED = 10_000
# Bytes that are read of files of arrays at most, in blocks.
READ, BLOCK = 64 << 20, 1 << 20
InputFunction = Callable[[Any], list[str]]


def of_models(pattern: str, models: Iterable[Model], variant: str | None = None) -> list[str]:
    """One path per model.

    Parameters
    ----------
    pattern
        A path with the wildcards {augmentation} and {seed}; other wildcards are kept.
    models
        The models.
    variant
        Replaces the wildcard {variant}; None keeps the wildcard.
    """
    if variant is not None:
        pattern = pattern.replace("{variant}", variant)
    return [
        pattern.replace("{augmentation}", augmentation).replace("{seed}", str(seed))
        for augmentation, seed in models
    ]


def model_of(wildcards: Any) -> Model:
    """The model (augmentation, seed) in a job's wildcards."""
    return wildcards.augmentation, int(wildcards.seed)


@dataclass(frozen=True)
class Inputs:
    """Input and param functions of a study.

    Attributes
    ----------
    design
        The design of the study.
    source
        Name of its config in messages.
    """

    design: Design
    source: str

    def augmented(self, pattern: str) -> InputFunction:
        """An input function: one path per augmented model."""

        def paths(wildcards: Any) -> list[str]:
            if not self.design.augmented:
                raise WorkflowError(
                    f"{self.source}: augmentations: empty, so there is nothing to compare with "
                    "the baseline; name at least one"
                )
            return of_models(pattern, self.design.augmented, wildcards.get("variant"))

        return paths

    def weights(self, wildcards: Any) -> str:
        """The weights of a model: those that are kept, or of an epoch of `cam.epochs`."""
        epoch = self.design.epochs.get(wildcards.variant)
        end = "" if epoch is None else f".epoch-{epoch}"
        pattern = WEIGHTS.replace(".safetensors", f"{end}.safetensors")
        return of_models(pattern, [model_of(wildcards)])[0]

    def trained_on(self, path: str, changed: str) -> Callable[[Any], str]:
        """An input function: `path`, or `changed` for a model with training data of its own."""

        def chosen(wildcards: Any) -> str:
            change = self.design.changes.get(wildcards.augmentation)
            return changed if change and change.of_data else path

        return chosen

    def explained(self, wildcards: Any) -> list[str]:
        """The store of the baseline whose predicted classes a model's maps explain, if any."""
        baseline = self.design.explained_by(model_of(wildcards), wildcards.variant)
        return of_models(CAMS, baseline, wildcards.variant)

    def compared(self, seeds: Sequence[int], side: int) -> InputFunction:
        """An input function: one store per comparison of a model with a baseline.

        Parameters
        ----------
        seeds
            Seeds of the augmented models.
        side
            0 for the stores of the models, 1 for those of their baselines.
        """

        def stores(wildcards: Any) -> list[str]:
            models = [(wildcards.augmentation, seed) for seed in seeds]
            pairs = [(model, b) for model in models for b in self.design.references_of(model)]
            return of_models(CAMS, [pair[side] for pair in pairs], wildcards.variant)

        return stores

    def in_pairs(self, pattern: str) -> InputFunction:
        """An input function: a path per model in the pairs of an augmentation, as they appear."""

        def paths(wildcards: Any) -> list[str]:
            models = dict.fromkeys(chain(*self.design.pairs_of(wildcards.augmentation)))
            return of_models(pattern, models, wildcards.get("variant"))

        return paths

    def partner(self, pattern: str) -> Callable[[Any], str]:
        """An input function: the path of the baseline with which a model exchanges maps."""

        def path(wildcards: Any) -> str:
            partner = self.design.partners[model_of(wildcards)]
            return of_models(pattern, [partner], wildcards.get("variant"))[0]

        return path

    def imported(self, wildcards: Any) -> str:
        """The file of a model, or of its maps, that exists already."""
        return str(Path(self.design.imported[model_of(wildcards)]).expanduser())

    def of_arm(self, key: str) -> Callable[[Any], Any]:
        """A param function: a setting of the arm of `trained` to which a model belongs."""
        return lambda wildcards: self.design.study["trained"][wildcards.augmentation][key]

    def parameters(self, wildcards: Any) -> dict[str, Any] | None:
        """The parameters of the architecture of a model, if it has any."""
        return self.design.parameters_of(wildcards.augmentation)


@cache
def file_digest(path: str) -> str:
    """SHA-256 of a user's file, as a param of a job.

    The file is not an input of the job: Snakemake compares times of inputs above 1 MB, so that a
    copy of the same weights would retrain all models, and other weights of an older date none.
    """
    with Path(path).expanduser().open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def with_digest(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a training with the digest of its file of weights, if there is one."""
    if settings.get("weights") in (None, "published"):
        return dict(settings)
    return {**settings, "weights_sha256": file_digest(settings["weights"])}


def decisive(settings: Mapping[str, Any]) -> list[str]:
    """The keys of settings `with_digest` that decide the weights: not a path with a digest."""
    return [key for key in settings if key != "weights" or "weights_sha256" not in settings]


def folder_digest(folder: str) -> str:
    """A digest of the files in a user's folder and its subfolders, as a param of a job.

    The files are not inputs of the job, because Snakemake would read names such as `{x}.png` as
    patterns.
    """
    top = Path(folder).expanduser()
    folders = [top, *filter(Path.is_dir, top.iterdir())] if top.is_dir() else []
    files = sorted(path for each in folders for path in each.iterdir() if path.is_file())
    listed = [(os.fsencode(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def image_listing(folder: str, recorded: str | Path) -> str:
    """A digest of the images in a folder and its subfolders, as a param of the job that reads them.

    It has the names of all images, so that an added, removed or renamed one is seen, and sizes, so
    that an exchanged one is: of all images up to `STATED`, else of every kth. Times are left out,
    since a copy of the folder has others. If the folder does not exist, for example because the
    study was copied without it, the digest is that which the job wrote to the file `recorded`.
    """
    top = Path(folder).expanduser()
    if not top.is_dir():
        path = Path(recorded)
        return path.read_text(encoding="ascii") if path.exists() else ""
    names = sorted(_images_in(top))
    digest = hashlib.sha256(b"\0".join(map(os.fsencode, names)))
    for name in names[:: -(-len(names) // STATED) or 1]:
        digest.update(b"%d," % (top / name).stat().st_size)
    return digest.hexdigest()


def array_listing(root: str, recorded: str | Path) -> str:
    """A digest of files of arrays or Parquet files, as a param of the job that reads them.

    It has names, sizes and content: all of it up to `READ` bytes; of more, about as many bytes, in
    blocks at equal distances and the last one, where `.npz` has the checksums of its arrays, and
    Parquet the statistics of its columns. If there are no files, it is what `recorded` has, as for
    `image_listing`.
    """
    try:
        files = matching(root, (".npz", ".h5", ".hdf5", ".parquet"), several=True)
    except CampareError:
        path = Path(recorded)
        return path.read_text(encoding="ascii") if path.exists() else ""
    digest, most = hashlib.sha256(), max(1, READ // BLOCK // len(files))
    for path in files:
        size = path.stat().st_size
        blocks = -(-size // BLOCK)
        digest.update(os.fsencode(path.name) + b"\0%d," % size)
        with path.open("rb") as file:
            for number in sorted({*range(0, blocks, -(-blocks // most) or 1), blocks - 1} - {-1}):
                file.seek(number * BLOCK)
                digest.update(file.read(BLOCK))
    return digest.hexdigest()


def _images_in(folder: Path) -> Iterator[str]:
    """Paths of the images in a folder and its subfolders, without hidden ones, in any order."""
    for place, inner, files in os.walk(folder, followlinks=True):
        inner[:] = [name for name in inner if not name.startswith(".")]
        inside = place[len(str(folder)) :].lstrip(os.sep)
        for name in files:
            suffix = f".{name.rpartition('.')[2].lower()}"
            if suffix in IMAGE_SUFFIXES and not name.startswith("."):
                yield f"{inside}/{name}" if inside else name


def stamps(folder: Path, patterns: Iterable[str]) -> str:
    """A digest of names, sizes and times of files that a job uses only if they exist."""
    files = sorted(path for pattern in patterns for path in folder.glob(pattern))
    listed = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(listed).encode()).hexdigest()
