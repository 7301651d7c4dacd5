"""Draw one test image of each class under two models' maps."""

from campare import data, hybrids, maps, plots, store
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    dataset = data.read(snakemake.input.data)
    stores = [store.read(path) for path in snakemake.input.stores]
    rows = hybrids.first_of_each(stores[0].label, dataset.classes)
    images = dataset.images[stores[0].index[rows]]
    looks = {
        hybrids.NAMES[name]: [
            plots.Look(
                name,
                "",
                heat,
                dataset.classes[kept.predicted[row]],
                float(kept.prediction[row].max()),
                bool(kept.predicted[row] == kept.label[row]),
            )
            for row, heat in zip(rows, maps.show(kept.maps[rows], images.shape[1:3]), strict=True)
        ]
        for name, kept in zip(wanted.models, stores, strict=True)
    }
    names = [dataset.classes[label] for label in stores[0].label[rows]]
    plots.save_each(
        snakemake.output,
        lambda _: plots.side_by_side(images, names, looks),
        wanted.dpi,
        wanted.font,
    )
