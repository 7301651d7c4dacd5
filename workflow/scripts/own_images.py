"""Classify the user's own photographs, and draw each with its map."""

import numpy as np
import pandas as pd
from scipy.special import softmax

from campare import cams, data, maps, models, photographs, tables
from campare.plots import saving, views
from campare.sizes import pair
from job import logged
from network_job import NetworkJob

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset = job.dataset
    size, channels = dataset.images.shape[1:3], dataset.images.shape[3]
    photos = data.photographs(params.folder)
    prepared = np.stack([photographs.prepared(grey, size, params.light) for _, grey in photos])
    images = np.repeat(prepared[..., None], channels, axis=3)

    network, about = job.network()
    shape = (channels, *pair(params.input_size))
    _, layer = models.target_layer(network, params.target_layer, shape)
    batches = cams.compute(
        network,
        layer,
        models.head(network, layer, shape),
        images,
        mean=about["mean"],
        std=about["std"],
        input_size=params.input_size,
        method=params.method,
        batch_size=params.batch_size,
        device=job.device,
    )
    coarse, logits, predicted = (np.concatenate(part) for part in zip(*batches, strict=True))
    probability = softmax(logits.astype(float), axis=1)
    resized_maps = maps.show(coarse, size)
    rows, model_views = [], []
    for place, (path, grey) in enumerate(photos):
        view = views.ModelView(
            images[place],
            resized_maps[place],
            predicted=dataset.classes[predicted[place]],
            probability=float(probability[place, predicted[place]]),
            true=photographs.label(path, params.folder, dataset.classes),
            original=grey[..., None],
        )
        model_views.append(view)
        rows.append(
            {
                "image": data.shown(path),
                "class": view.true,
                "prediction": view.predicted,
                "probability": view.probability,
            }
        )
    table = pd.DataFrame(rows)
    tables.write(table, snakemake.output.table)
    saving.save_each(
        snakemake.output.figures,
        lambda _: views.sheets(model_views, params.threshold, "Own images"),
        params.dpi,
        params.font,
    )
    print(table.to_string(index=False))
