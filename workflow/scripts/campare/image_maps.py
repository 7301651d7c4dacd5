"""One image with the maps of many models, which a notebook draws (`Study.image`)."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from campare.plots import views
from campare.plots.views import ModelView


@dataclass(frozen=True)
class ImageMaps:
    """An image with the maps of models; a notebook shows it as a figure.

    Attributes
    ----------
    position : position of the image in the data set
    views : the maps and predictions of the models, the baseline first
    opacity : opacity of the maps over the image, from 0 to 1
    maps : what distinguishes these maps, such as the name of a variant; may be ""
    """

    position: int
    views: tuple[ModelView, ...]
    opacity: float
    maps: str = ""

    @property
    def figure(self) -> Figure:
        """The image and the maps over it: a row for each augmentation, a column for each seed."""
        heading = f"Image {self.position}" + (f". Maps: {self.maps}" if self.maps else "")
        return views.every_model(self.views, heading, self.opacity)

    @property
    def predictions(self) -> pd.DataFrame:
        """Augmentation, seed, predicted class, its probability and whether it is the true class."""
        return pd.DataFrame(
            {
                "augmentation": [view.augmentation for view in self.views],
                "seed": [int(view.seed) for view in self.views],
                "prediction": [view.predicted for view in self.views],
                "probability": [view.probability for view in self.views],
                "correct": [view.correct for view in self.views],
            }
        )

    def __repr__(self) -> str:
        return f"<image {self.position} ({self.views[0].true}) with {len(self.views)} maps>"

    def _repr_png_(self) -> bytes:
        """The figure as PNG, for IPython."""
        file = io.BytesIO()
        self.figure.savefig(file, format="png", dpi=110)
        return file.getvalue()
