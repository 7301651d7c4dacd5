"""Draw test images under their maps: one of each class, and the most confident mistakes."""

import numpy as np
from matplotlib.figure import Figure

from campare import data, maps, selection, store
from campare.plots import saving, views
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    kept = store.read(snakemake.input.store)
    sheets = {
        "classes": (
            selection.first_of_each(kept.label, dataset.classes),
            "The first test image of each class",
        ),
        "mistakes": (
            selection.confident_mistakes(kept, params.mistakes),
            "The mistakes made with the highest probability",
        ),
    }

    def draw(name: str) -> Figure:
        rows, heading = sheets[name]
        size = dataset.images.shape[1:3]
        if params.spline is None:
            heat = maps.show(kept.maps[rows], size)
        else:
            heat = maps.splined(kept.maps[rows], size, params.spline)
        shown = views.of_store(kept, rows, heat, dataset.images, dataset.classes)
        return views.sheets(shown, params.threshold, heading)

    saving.save_each(snakemake.output, draw, params.dpi, params.font)
    wrong = np.count_nonzero(kept.predicted != kept.label)
    sure = kept.prediction.max(axis=1) >= params.threshold
    print(
        f"{wrong:,} mistakes in {len(kept.label):,} test images; {sure.mean():.1%} are classified "
        f"with a probability of {params.threshold:.0%} or more, of which "
        f"{np.count_nonzero(sure & (kept.predicted != kept.label)):,} wrongly"
    )
