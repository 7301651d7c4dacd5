"""Measure the similarity of two models' maps of the same image and of different images."""

from dataclasses import replace

from campare import maps, masks, similarity, store, tables
from campare.sizes import pair
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    size = pair(params.input_size)
    # Their layers differ in resolution, so both are resized to the input size first.
    first, second = (
        replace(model, maps=maps.show(model.maps, size))
        for model in (store.read(snakemake.input.first), store.read(snakemake.input.second))
    )
    partner = masks.partners(second.label, params.seed)
    for path, other in (
        (snakemake.output.pairs, second),
        (snakemake.output.chance, second.with_maps_of(partner)),
    ):
        table = similarity.table(
            first, other, params.metrics, None, params.epsilon, snakemake.threads
        )
        # An image that is alone in its class has no partner.
        tables.write(table if other is second else table[partner >= 0], path)
        undefined = table[[*params.metrics]].isna().any(axis=1).sum()
        print(f"{path}: {len(table):,} pairs, {undefined:,} with an undefined metric")
