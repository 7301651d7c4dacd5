"""Checks of a study's settings against the number and size of its images.

A value that the study sets is refused before training if the images do not allow it. A default is
adapted to the images where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campare.errors import CampareError
from campare.sizes import Size, pair

Study = Mapping[str, Any]
SVM_BYTES = 8_000_000_000  # that an SVM takes, the memory of its job (`needs`)
SVM_ROWS = 4000  # arrays of 1,000 vectors by all two-class SVMs, while vectors are classified


@dataclass(frozen=True)
class Images:
    """Number of images of each (label, subset) of a split, their size, and their regions.

    size: side, or height and width, pixels; regions: the names of the regions that have masks.
    """

    counts: Mapping[tuple[int, str], int]
    size: Size
    regions: Sequence[str] = ()

    def count(self, *subsets: str) -> int:
        """Number of images of some subsets."""
        return sum(n for (_, subset), n in self.counts.items() if subset in subsets)

    @property
    def fitting(self) -> Counter[int]:
        """Class → number of images for training and validation."""
        images_of: Counter[int] = Counter()
        for (label, subset), n in self.counts.items():
            if subset != "test":
                images_of[label] += n
        return images_of


def check(study: Study, written: Study, images: Images) -> None:
    """Check that a study's images allow its settings.

    Parameters
    ----------
    study, written
        The study as `config.complete` returns it, and as the file has it: a key that the latter
        lacks has its default.

    Raises
    ------
    CampareError
        Names the key, and what is possible.
    """
    if problem := next(_problems(study, written, images), None):
        raise CampareError(problem)


def occlusion(sizes: Sequence[int], size: Size) -> str | None:
    """A message if patches of the stage `occlusion` are larger than the images; else None."""
    height, width = pair(size)
    if (largest := max(sizes)) <= min(height, width):
        return None
    return f"occlusion.sizes: {largest} is larger than the images, {height}×{width} pixels"


def batch_size(length: int, steps: int) -> int:
    """The batch size that divides `length` images into `steps` batches, the last one smaller.

    Raises
    ------
    CampareError
        There is no such size.
    """
    size = -(-length // steps)
    if (nearest := -(-length // size)) != steps:
        raise CampareError(
            f"training.steps_per_epoch: {length} images cannot be divided into {steps} equal "
            f"batches; {nearest} steps are possible"
        )
    return size


def svm_stage(name: str) -> str:
    """The stage that an SVM belongs to."""
    return "hybrid" if name == "cnn-svm" else "masking"


def svm_settings(study: Study, written: Study, name: str) -> dict[str, Any]:
    """Settings of the search and the fit of an SVM.

    `adapts` lists the settings that are defaults, and so are adapted to the number of images.
    study, written: as in `check`.
    """
    stage = svm_stage(name)
    settings = (written.get(stage) or {}).get("svm") or {}
    adapts = [key for key in ("folds", "search_images") if key not in settings]
    return {**study[stage]["svm"], "seed": study[stage]["seed"], "adapts": adapts}


def _problems(study: Study, written: Study, images: Images) -> Iterator[str]:
    """Messages about settings that the images do not allow."""
    if len(images.fitting) < 2:
        yield "data: the images are all of one class; a classifier needs two or more"
    if (steps := study["training"]["steps_per_epoch"]) is not None:
        for copies in {0, study["augmenting"]["copies"] if study["augmentations"] else 0}:
            batch_size(images.count("train") * (1 + copies), steps)
    for stage in ("hybrid", "masking"):
        if stage in study:
            svm = (written.get(stage) or {}).get("svm", {})
            yield from _svm(f"{stage}.svm", study[stage]["svm"], svm, images)
    available = images.count("test")
    for stage in (
        *("faithfulness", "map_exchange", "representations", "robustness", "sanity"),
        "single_deletion",
    ):
        used = (written.get(stage) or {}).get("images", 0)
        if used > available:
            yield (
                f"{stage}.images: {used}, but there are {available} test images; "
                f"set it to {available}"
            )
    neighbours = study.get("representations", {}).get("neighbours", 0)
    if neighbours > max(available - 2, 0):
        yield (
            f"representations.neighbours: {neighbours}, but there are {available} test images; "
            "set fewer"
        )
    if "occlusion" in study and (problem := occlusion(study["occlusion"]["sizes"], images.size)):
        yield problem
    if "mosaics" in study:
        yield from _mosaics(study["mosaics"]["cells"], images)
    if "localisation" in study and not images.regions:
        yield "localisation: the data set has no masks; remove the key"
    spurious = study.get("localisation", {}).get("spurious") or []
    for region in [spurious] if isinstance(spurious, str) else spurious:
        if region not in images.regions:
            yield (
                f"localisation.spurious: the images have no region {region!r}; they have: "
                f"{', '.join(images.regions)}"
            )


def _mosaics(cells: int, images: Images) -> Iterator[str]:
    """Messages about mosaics for which the test images do not suffice."""
    counts = [n for (_, subset), n in images.counts.items() if subset == "test" and n]
    if len(counts) < cells**2:
        remedy = "set it to 2" if cells > 2 and len(counts) >= 4 else "remove the key mosaics"
        yield (
            f"mosaics.cells: {cells}, but the test images have {len(counts)} classes, and the grid "
            f"pointing game needs {cells**2}; {remedy}"
        )
    elif max(counts) < cells**2 // 2:
        yield (
            f"mosaics.cells: {cells}, but no class has {cells**2 // 2} test images; use more test "
            "images, or remove the key mosaics"
        )


def _svm(key: str, svm: Study, written: Study, images: Images) -> Iterator[str]:
    """Messages about settings of an SVM that its training images do not allow."""
    available, classes = images.fitting.total(), len(images.fitting)
    for name in ("images", "search_images"):
        number = written.get(name)
        if number not in (None, available) and not classes <= number <= available - classes:
            yield out_of_range(f"{key}.{name}", number, available, classes)
    fitted = svm["images"] or available
    pairs = classes * (classes - 1) // 2
    if 8 * pairs * (fitted + classes + SVM_ROWS) > SVM_BYTES:
        fit = SVM_BYTES // (8 * pairs) - classes - SVM_ROWS
        remedy = (
            f"set it to {fit} or fewer"
            if fit >= classes
            else f"remove the key {key.removesuffix('.svm')}"
        )
        yield (
            f"{key}.images: {fitted}, but an SVM of {classes} classes consists of {pairs:,} "
            f"two-class SVMs, which would take {8 * pairs * (fitted + classes) / 1e9:.0f} GB; "
            f"{remedy}"
        )
    used, fewest = searched(svm["search_images"], available, min(images.fitting.values()))
    if written.get("folds", 0) > fewest:
        yield too_many_folds(key, svm["folds"], fewest, used)


def searched(images: int | None, available: int, smallest: int) -> tuple[int, int]:
    """Images in an SVM's cross-validation, and the most of them that the smallest class has.

    images: `search_images`; available: training images; smallest: those of the smallest class.
    """
    used = min(images or available, available)
    return used, -(-smallest * used // available)


def too_many_folds(key: str, folds: int, fewest: int, used: int) -> str:
    """A message that a class has fewer images than there are folds."""
    return (
        f"{key}.folds: {folds}, but a class has {fewest} vector(s) among the {used} that "
        "cross-validation uses; set fewer folds or more search_images"
    )


def out_of_range(key: str, images: int, available: int, classes: int) -> str:
    """A message that this number of training images cannot be drawn by class."""
    return (
        f"{key}: {images}; must lie between {classes}, the number of classes, and "
        f"{available - classes}, or be null for all {available} training images"
    )
