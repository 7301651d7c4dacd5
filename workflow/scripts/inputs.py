"""Input functions: the files of the models that a job is about."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

from campare.design import Design, Model

CAMS = "<results>/{variant}cams/{augmentation}/{seed}.h5"
InputFunction = Callable[[Any], list[str]]


def of_models(pattern: str, models: Iterable[Model], variant: str | None = None) -> list[str]:
    """One path per model; other wildcards stay, and so does `variant` where it is not given."""
    if variant is not None:
        pattern = pattern.replace("{variant}", variant)
    return [
        pattern.replace("{augmentation}", augmentation).replace("{seed}", str(seed))
        for augmentation, seed in models
    ]


def model_of(wildcards: Any) -> Model:
    """The model that a job is about."""
    return wildcards.augmentation, int(wildcards.seed)


@dataclass(frozen=True)
class Inputs:
    """Those of a study; `source` is what messages call its config."""

    design: Design
    source: str

    def augmented(self, pattern: str) -> InputFunction:
        """One path per augmented model."""

        def paths(wildcards: Any) -> list[str]:
            if not self.design.augmented:
                raise WorkflowError(
                    f"{self.source}: augmentations: empty, so that there is nothing to compare "
                    "with the baseline; name some"
                )
            return of_models(pattern, self.design.augmented, wildcards.get("variant"))

        return paths

    def explained(self, wildcards: Any) -> list[str]:
        """The store of the baseline whose predictions a model's maps explain, if any."""
        baseline = self.design.explained_by(model_of(wildcards), wildcards.variant)
        return of_models(CAMS, baseline, wildcards.variant)

    def compared(self, seeds: Sequence[int], side: int) -> InputFunction:
        """A store per comparison of models of these seeds: of the model (0) or its baseline (1)."""

        def stores(wildcards: Any) -> list[str]:
            models = [(wildcards.augmentation, seed) for seed in seeds]
            pairs = [(model, b) for model in models for b in self.design.references_of(model)]
            return of_models(CAMS, [pair[side] for pair in pairs], wildcards.variant)

        return stores

    def pairs(self, wildcards: Any) -> list[str]:
        """The store of each model in the pairs of an augmentation, in order of appearance."""
        models = dict.fromkeys(chain(*self.design.pairs_of(wildcards.augmentation)))
        return of_models(CAMS, models, wildcards.variant)


def folder_digest(folder: str) -> str:
    """A digest of the files in a user's folder and those within, as a param of a job.

    Not the files as input, whose names Snakemake would read as patterns: `{x}.png`.
    """
    top = Path(folder).expanduser()
    places = [top, *filter(Path.is_dir, top.iterdir())] if top.is_dir() else []
    files = sorted(path for place in places for path in place.iterdir() if path.is_file())
    listed = [(os.fsencode(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(listed).encode()).hexdigest()
