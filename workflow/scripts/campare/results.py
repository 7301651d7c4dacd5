"""The results of a study for notebooks: tables as data frames, CAM stores, maps as shown.

The entry point is `campare.open_study("results/digits")`; `docs/notebook.md` is a worked example.
Nothing here trains or writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import data, display, maps, naming, registry, store, tables
from campare.design import BASELINE, Model
from campare.errors import CampareError
from campare.messages import known
from campare.sizes import pair

if TYPE_CHECKING:  # needs matplotlib
    from campare.image_maps import ImageMaps

Rows = NDArray[np.int64] | list[int]
SUFFIXES = (".csv", ".parquet")
# A folder that contains any of these is the results folder of a study.
SIGNS = ("data.h5", "cams", "tables", "similarity")
# Columns with names, which may look like numbers; tables of confusions have two more.
NAMES = ["augmentation", "augmentation_a", "augmentation_b", "class"]
OF_CONFUSIONS = ["label", "prediction"]


@dataclass(frozen=True)
class Study:
    """The results folder of a study; files are read on request.

    Attributes
    ----------
    path : the folder results/<study>
    named : "" for the main variant of the maps, or one of `variants`
    """

    path: Path
    named: str = ""

    @property
    def name(self) -> str:
        """The name of the study."""
        return self.path.resolve().name

    @property
    def variants(self) -> list[str]:
        """Names of further variants of the maps, as under `cam.variants`."""
        return sorted(folder.parent.name for folder in self.path.glob("variants/*/cams"))

    def variant(self, name: str) -> Study:
        """The same study with the maps, similarities and tables of a variant.

        Raises
        ------
        CampareError
            The study has no variant of this name.
        """
        if name not in self.variants:
            raise CampareError(
                f"{self.path / 'variants' / name}: there is no such variant of the maps; "
                f"{known(name, self.variants) if self.variants else 'the study has none'}"
            )
        return Study(self.path, name)

    @property
    def models(self) -> list[Model]:
        """(augmentation, seed) of every store: the baseline, then by name.

        Includes the stores of stages, such as untrained, occluded-4 and cnn-svm.
        """
        models = _numbered(self._folder / "cams", ".h5")
        return sorted(models, key=lambda model: model[0] != BASELINE)

    @property
    def tables(self) -> list[str]:
        """Names of the tables in `tables/`, for `table`."""
        files = (self._folder / "tables").glob("*.*")
        return sorted(path.stem for path in files if path.suffix in SUFFIXES)

    def table(self, name: str) -> pd.DataFrame:
        """A table by its name, such as summary.

        Other tables of the study by their path without the suffix, such as pairs/affine, split, or
        models/affine/1 (the training history).

        Raises
        ------
        CampareError
            There is no such table, or it cannot be read.
        """
        for stem in (self._folder / "tables" / name, self._folder / name, self.path / name):
            for suffix in SUFFIXES:
                if (path := stem.with_name(stem.name + suffix)).is_file():
                    confusion = OF_CONFUSIONS if "confus" in name else []
                    return tables.read(path, text=[*NAMES, *confusion])
        raise CampareError(
            f"{self._folder / 'tables' / name}: there is no such table; "
            f"{known(name, self.tables) if self.tables else 'there are no tables: run snakemake'}"
        )

    def similarity(self, augmentation: str, seed: int | None = None) -> pd.DataFrame:
        """Every metric of every test image against the baseline.

        Parameters
        ----------
        seed
            A seed; None: all seeds, one below the other.

        Returns
        -------
        DataFrame
            seed, index, label, baseline_prediction, prediction, then a column per metric, NaN if
            undefined.

        Raises
        ------
        CampareError
            There is no table of such a model, or it cannot be read.
        """
        measured = _numbered(self._folder / "similarity", ".parquet")
        models = [
            model for model in measured if model[0] == augmentation and seed in (None, model[1])
        ]
        if not models:
            raise self._unknown("similarity", augmentation, seed, measured)
        frames = []
        for name, number in models:
            frame = tables.read(self._folder / "similarity" / name / f"{number}.parquet")
            frame.insert(0, "seed", number)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def store(self, augmentation: str, seed: int, rows: Rows | None = None) -> store.Store:
        """The CAM store of a model: signed maps, logits, predictions and positions of images.

        Parameters
        ----------
        rows
            Rows of test images, from 0; None: all.

        Raises
        ------
        CampareError
            There is no such model, or its store cannot be read.
        """
        if (augmentation, seed) not in self.models:
            raise self._unknown("cams", augmentation, seed, self.models)
        return store.read(self._folder / "cams" / augmentation / f"{seed}.h5", rows)

    def maps(self, augmentation: str, seed: int, rows: Rows | None = None) -> NDArray[np.float32]:
        """The maps of a model as shown in figures: ReLU, min–max, at the input size.

        Parameters
        ----------
        rows
            Rows of test images, from 0; None: all, which may take gigabytes of memory.

        Returns
        -------
        float32 (N, H, W) in [0, 1].

        Raises
        ------
        CampareError
            There is no such model, or its store cannot be read.
        """
        kept = self.store(augmentation, seed, rows)
        return maps.show(kept.maps, pair(kept.attributes["input_size"]))

    def images(self, index: Rows | None = None) -> NDArray[np.uint8]:
        """The images at these positions of the data set, such as `store(…).index`; None: all.

        Returns
        -------
        uint8 (N, H, W, C), C = 1 (grey), 3 (RGB) or more, at the size at which they were read.
        """
        images = self.dataset.images
        return images if index is None else np.asarray(images[self._positions(index)])

    def image(
        self,
        position: int,
        *,
        augmentations: Sequence[str] | None = None,
        variant: str | None = None,
        opacity: float = 0.6,
        channels: Sequence[int] | None = None,
    ) -> ImageMaps:
        """A test image with the maps and predictions of the models, which a notebook draws.

        Parameters
        ----------
        position
            Position of the image in the data set, such as an entry of `store(…).index`.
        augmentations
            Whose maps, in this order, and "baseline"; None: those of all models that were trained.
        variant
            A variant of the maps; None: those of this object.
        opacity
            Of the maps over the image, from 0 to 1.
        channels
            Channels that are shown, three as RGB or one as grey (`display.displayed`).

        Raises
        ------
        CampareError
            There is no such image, augmentation or variant, or matplotlib is not installed.
        """
        if variant is not None:
            return (
                Study(self.path)
                .variant(variant)
                .image(position, augmentations=augmentations, opacity=opacity, channels=channels)
            )
        if not 0 <= opacity <= 1:
            raise CampareError(f"opacity: {opacity} is not a number from 0 to 1")
        try:
            from campare.image_maps import ImageMaps
            from campare.plots.views import of_store
        except ModuleNotFoundError as error:
            raise CampareError(
                f"drawing needs {error.name}: pip install matplotlib scipy"
            ) from error
        trained = [model for model in self.models if _is_trained(model[0])]
        names = list(dict.fromkeys(name for name, _ in trained))
        shown = names if augmentations is None else list(augmentations)
        if isinstance(augmentations, str):
            shown = [augmentations]
        for name in shown:
            if name not in names:
                raise CampareError(
                    f"{self._folder / 'cams'}: there are no maps of {name!r}; {known(name, names)}"
                )
        if not shown:
            raise CampareError(f"{self._folder / 'cams'}: there are no maps: run snakemake")
        images = display.of(self.dataset, channels).images
        views = []
        for name, seed in (model for name in shown for model in trained if model[0] == name):
            path = self._folder / "cams" / name / f"{seed}.h5"
            index = store.read_index(path)
            (rows,) = np.nonzero(index == position)
            if not rows.size:
                raise CampareError(
                    f"{path}: there is no map of image {position}; maps are of {len(index):,} test "
                    f"images, such as {', '.join(map(str, index[:3]))}: use an entry of "
                    f'store("{name}", {seed}).index'
                )
            kept = store.read(path, rows)
            shown_map = maps.show(kept.maps, pair(kept.attributes["input_size"]))
            (view,) = of_store(kept, np.arange(1), shown_map, images, self.classes)
            # Scores that are all zero stand for unknown ones, of maps made elsewhere.
            known_score = kept.logit.any()
            views.append(view if known_score else replace(view, predicted="", probability=np.nan))
        return ImageMaps(int(position), tuple(views), opacity, self.named)

    def labels(self, index: Rows | None = None) -> NDArray[np.int64]:
        """The true classes at these positions: int64 (N,), positions in `classes`; None: all."""
        labels = self.dataset.labels
        return labels if index is None else labels[self._positions(index)]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.dataset.classes

    @cached_property
    def dataset(self) -> data.Dataset:
        """The data set in `data.h5`; images are read from the file on use."""
        return data.read(self.path / "data.h5")

    @property
    def _folder(self) -> Path:
        return self.path / "variants" / self.named if self.named else self.path

    def _positions(self, index: Rows) -> NDArray[np.int64]:
        positions, count = np.asarray(index, dtype=np.int64), len(self.dataset.labels)
        if positions.size and (positions.min() < 0 or positions.max() >= count):
            raise CampareError(
                f"{self.path / 'data.h5'}: positions {positions.min()} to {positions.max()} are "
                f"outside 0 to {count - 1}; use the index of a store of this study"
            )
        return positions

    def _unknown(
        self, kind: str, augmentation: str, seed: int | None, models: list[Model]
    ) -> CampareError:
        """The error that there is no file of a model, with the models that have one."""
        unknown = augmentation if seed is None else f"{augmentation} {seed}"
        names = [f"{name} {number}" for name, number in models]
        return CampareError(
            f"{self._folder / kind}: there is no file of the model {unknown!r}; "
            f"{known(unknown, names) if names else 'there are no models: run snakemake'}"
        )


def open_study(path: str | Path) -> Study:
    """Open the results of a study, `results/<study>`.

    Raises
    ------
    CampareError
        There is no such folder, or it does not hold the results of a study.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise CampareError(
            f"{path}: there is no such folder; give the path of results/<study>, relative to "
            f"{Path.cwd()} or absolute"
        )
    if not _is_study(path):
        inner = sorted(folder.name for folder in path.iterdir() if _is_study(folder))
        remedy = f"open one of the studies in it: {', '.join(inner)}" if inner else "run it first"
        raise CampareError(f"{path}: not the results of a study; {remedy}")
    return Study(path)


def _is_study(folder: Path) -> bool:
    return any((folder / sign).exists() for sign in SIGNS)


def _is_trained(name: str) -> bool:
    """Whether models of this name were trained: not the stores of stages."""
    stages = set(registry.RESERVED.values()) - set(registry.MATCHED)
    return name not in stages and "-" not in name  # no name of an augmentation has a hyphen


def _numbered(folder: Path, suffix: str) -> list[Model]:
    """(augmentation, seed) of files `<augmentation>/<seed><suffix>`, in the order of figures."""
    models = [
        (path.parent.name, int(path.stem))
        for path in folder.glob(f"*/*{suffix}")
        if path.stem.isdecimal()
    ]
    names = sorted({name for name, _ in models})
    place = {names[number]: rank for rank, number in enumerate(naming.ordered(names))}
    return sorted(models, key=lambda model: (place[model[0]], model[1]))
