"""Measure deletion and insertion of a model and of a baseline that exchange their maps."""

import time

from campare import exchange, store, tables
from job import log_usage, logged
from network_job import NetworkJob, sampled

with logged(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    job = NetworkJob(snakemake)
    networks = {
        exchange.MODEL: job.network(),
        exchange.PARTNER: job.network(inputs.partner_weights, params.partner_architecture),
    }
    rows, _ = sampled(snakemake)
    paths = {exchange.MODEL: inputs.store, exchange.PARTNER: inputs.partner_store}
    own, partner = (store.read(path, rows).target for path in paths.values())
    rows = rows[own == partner]
    print(f"{len(rows):,} of {len(own):,} images, whose two maps explain the same class")
    stores = {name: store.read(path, rows) for name, path in paths.items()}
    start = time.monotonic()
    areas = exchange.measure(
        networks,
        job.dataset.images[stores[exchange.MODEL].index],
        stores,
        input_size=params.input_size,
        steps=params.steps,
        blur=params.blur,
        seed=params.seed,
        batch_size=params.batch_size,
        device=job.device,
    )
    tables.write(areas, snakemake.output.areas)
    log_usage(len(rows), time.monotonic() - start)
