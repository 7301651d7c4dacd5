"""Draw one test image of each class with the maps of two models."""

from campare import data, display, labels, maps, selection, store
from campare.plots import saving, views
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = display.of(data.read(snakemake.input.data), params.get("shown"))
    stores = [store.read(path) for path in snakemake.input.stores]
    rows = selection.first_of_each(stores[0].label, dataset.classes)
    size = dataset.images.shape[1:3]
    model_views = {
        labels.CLASSIFIERS[name]: views.of_store(
            cams, rows, maps.show(cams.maps[rows], size), dataset.images, dataset.classes
        )
        for name, cams in zip(params.models, stores, strict=True)
    }
    saving.save_each(
        snakemake.output,
        lambda _: views.side_by_side(model_views),
        params.dpi,
        params.font,
        params.caption,
    )
