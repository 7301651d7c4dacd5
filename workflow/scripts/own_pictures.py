"""Classify a user's photographs, and draw each under its map."""

import numpy as np
import pandas as pd
from scipy.special import softmax

from campare import cams, data, devices, maps, models, photographs, seeding, tables
from campare.plots import saving, views
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    seeding.deterministic(wanted.threads)
    dataset = data.read(snakemake.input.data)
    side, channels = dataset.images.shape[2:]
    found = data.photographs(wanted.folder)
    small = np.stack([photographs.prepared(grey, side, wanted.light) for _, grey in found])
    images = np.repeat(small[..., None], channels, axis=3)

    network, about = models.load(
        snakemake.input.weights,
        wanted.architecture,
        classes=len(dataset.classes),
        channels=channels,
    )
    shape = (channels, wanted.input_size, wanted.input_size)
    _, layer = models.target_layer(network, wanted.target_layer, shape)
    batches = cams.compute(
        network,
        layer,
        models.head(network, layer, shape),
        images,
        mean=about["mean"],
        std=about["std"],
        input_size=wanted.input_size,
        method=wanted.method,
        batch_size=wanted.batch_size,
        device=devices.choose(wanted.device),
    )
    coarse, logits, predicted = (np.concatenate(part) for part in zip(*batches, strict=True))
    probability = softmax(logits.astype(float), axis=1)
    heat = maps.show(coarse, (side, side))
    rows, shown = [], []
    for place, (path, grey) in enumerate(found):
        true = photographs.label(path, wanted.folder, dataset.classes)
        name = dataset.classes[predicted[place]]
        likely = float(probability[place, predicted[place]])
        rows.append(
            {"picture": data.shown(path), "class": true, "prediction": name, "probability": likely}
        )
        shown.append(
            views.ModelView(
                images[place], heat[place], name, likely, true, original=grey[..., None]
            )
        )
    table = pd.DataFrame(rows)
    tables.write(table, snakemake.output.table)
    saving.save_each(
        snakemake.output.figures,
        lambda _: views.sheets(shown, wanted.threshold, "Your own pictures"),
        wanted.dpi,
        wanted.font,
    )
    print(table.to_string(index=False))
