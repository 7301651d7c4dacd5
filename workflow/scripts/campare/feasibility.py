"""Whether there are as many images, and as large ones, as a study asks for.

What a study sets is refused where it cannot be met, before any network is trained; a default gives
way instead, where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campare.errors import CampareError

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Images:
    """How many images of each (label, subset) a split has, and what they are like.

    side: of the square pictures, pixels; regions: the names of those that masks tell of.
    """

    counts: Mapping[tuple[int, str], int]
    side: int
    regions: Sequence[str] = ()

    def count(self, *subsets: str) -> int:
        return sum(n for (_, subset), n in self.counts.items() if subset in subsets)

    @property
    def fitting(self) -> Counter[int]:
        """Class → images for training and validation."""
        images_of: Counter[int] = Counter()
        for (label, subset), n in self.counts.items():
            if subset != "test":
                images_of[label] += n
        return images_of


def check(study: Given, given: Given, images: Images) -> None:
    """Check what a study asks of its images.

    Parameters
    ----------
    study, given
        As `config.complete` gives it, and as it was given: what the latter lacks is a default.

    Raises
    ------
    CampareError
        Names the key, and what is possible.
    """
    if problem := next(_problems(study, given, images), None):
        raise CampareError(problem)


def occlusion(sizes: Sequence[int], side: int) -> str | None:
    """What is wrong with the patches of a study whose pictures have this side."""
    if (largest := max(sizes)) <= side:
        return None
    return f"occlusion.sizes: {largest} is larger than the images, {side}×{side} pixels"


def batch_size(length: int, steps: int) -> int:
    """The size of a batch that cuts `length` images into so many.

    Raises
    ------
    CampareError
        No size does.
    """
    size = -(-length // steps)
    if (nearest := -(-length // size)) != steps:
        raise CampareError(
            f"training.steps_per_epoch: {length} images cannot be cut into {steps} equal "
            f"batches; {nearest} steps are possible"
        )
    return size


def svm_stage(name: str) -> str:
    """The stage that an SVM belongs to."""
    return "hybrid" if name == "cnn-svm" else "masking"


def svm_settings(study: Given, given: Given, name: str) -> dict[str, Any]:
    """How an SVM is chosen and fitted; `adapts` names defaults, which give way.

    study, given: as of `check`.
    """
    stage = svm_stage(name)
    own = (given.get(stage) or {}).get("svm") or {}
    adapts = [key for key in ("folds", "search_images") if key not in own]
    return {**study[stage]["svm"], "seed": study[stage]["seed"], "adapts": adapts}


def _problems(study: Given, given: Given, images: Images) -> Iterator[str]:
    if len(images.fitting) < 2:
        yield "data: the images are all of one class; a classifier needs two or more"
    if (steps := study["training"]["steps_per_epoch"]) is not None:
        for copies in {0, study["augmenting"]["copies"] if study["augmentations"] else 0}:
            batch_size(images.count("train") * (1 + copies), steps)
    for stage in ("hybrid", "masking"):
        if stage in study:
            own = (given.get(stage) or {}).get("svm", {})
            yield from _svm(f"{stage}.svm", study[stage]["svm"], own, images)
    asked = (given.get("faithfulness") or {}).get("images", 0)
    if asked > (there := images.count("test")):
        yield f"faithfulness.images: {asked}, but there are {there} test images; set it to {there}"
    if "occlusion" in study and (problem := occlusion(study["occlusion"]["sizes"], images.side)):
        yield problem
    region = study.get("localisation", {}).get("spurious")
    if region is not None and region not in images.regions:
        yield (
            f"localisation.spurious: the pictures have no region {region!r}; they have: "
            f"{', '.join(images.regions)}"
        )


def _svm(key: str, svm: Given, given: Given, images: Images) -> Iterator[str]:
    """What a study sets of an SVM and its training images do not allow."""
    there, classes = images.fitting.total(), len(images.fitting)
    for name in ("images", "search_images"):
        asked = given.get(name)
        if asked not in (None, there) and not classes <= asked <= there - classes:
            yield out_of_range(f"{key}.{name}", asked, there, classes)
    used = min(svm["search_images"] or there, there)
    fewest = -(-min(images.fitting.values()) * used // there)
    if given.get("folds", 0) > fewest:
        yield too_many_folds(key, svm["folds"], fewest, used)


def too_many_folds(key: str, folds: int, fewest: int, used: int) -> str:
    """That a class has fewer images than there are folds."""
    return (
        f"{key}.folds: {folds}, but a class has {fewest} vector(s) among the {used} that "
        "cross-validation uses; set fewer folds or more search_images"
    )


def out_of_range(key: str, images: int, there: int, classes: int) -> str:
    """That no such number of training images can be drawn by class."""
    return (
        f"{key}: {images}; must lie between {classes}, the number of classes, and "
        f"{there - classes}, or be null for all {there} training images"
    )
