"""Draw one test image of each class under two models' maps."""

from campare import classifiers, data, maps, selection, store
from campare.plots import saving, views
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    stores = [store.read(path) for path in snakemake.input.stores]
    rows = selection.first_of_each(stores[0].label, dataset.classes)
    size = dataset.images.shape[1:3]
    seen = {
        classifiers.NAMES[name]: views.of_store(
            kept, rows, maps.show(kept.maps[rows], size), dataset.images, dataset.classes
        )
        for name, kept in zip(params.models, stores, strict=True)
    }
    saving.save_each(snakemake.output, lambda _: views.side_by_side(seen), params.dpi, params.font)
