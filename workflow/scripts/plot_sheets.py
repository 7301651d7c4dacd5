"""Draw test images with their maps: one of each class, and the most confident errors."""

import numpy as np
from matplotlib.figure import Figure

from campare import data, display, maps, selection, store
from campare.plots import saving, views
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = display.of(data.read(snakemake.input.data), params.get("shown"))
    cams = store.read(snakemake.input.store)
    sheets = {
        "classes": (
            selection.first_of_each(cams.label, dataset.classes),
            "The first test image of each class",
        ),
        "mistakes": (
            selection.confident_mistakes(cams, params.mistakes),
            "Incorrectly classified test images with the highest predicted probability",
        ),
    }

    def draw(name: str) -> Figure:
        rows, heading = sheets[name]
        size = dataset.images.shape[1:3]
        if params.spline is None:
            resized_maps = maps.show(cams.maps[rows], size)
        else:
            resized_maps = maps.splined(cams.maps[rows], size, params.spline)
        model_views = views.of_store(cams, rows, resized_maps, dataset.images, dataset.classes)
        return views.sheets(model_views, params.threshold, heading)

    saving.save_each(snakemake.output, draw, params.dpi, params.font, params.caption)
    incorrect = cams.predicted != cams.label
    confident = cams.prediction.max(axis=1) >= params.threshold
    print(
        f"{np.count_nonzero(incorrect):,} of {len(cams.label):,} test images are classified "
        f"incorrectly; {confident.mean():.1%} have a predicted probability of "
        f"{params.threshold:.0%} or more, {np.count_nonzero(confident & incorrect):,} of these "
        "incorrectly"
    )
