"""Extract a network's pooled features of every image, and its own predictions."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from campare import cams, split, svm, tables
from campare.preprocess import prepare
from job import logged
from network_job import NetworkJob

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    frame = split.read(snakemake.input.split, len(dataset.images))
    index, label = frame["index"].to_numpy(), frame["label"].to_numpy()
    network, about = job.network()
    classifier = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    classifier.to(device)
    network = svm.with_head(network, nn.Identity()).to(device)

    features, logits = [], []
    with cams.exact(device, gradient=False):
        for rows in np.array_split(index, -(-len(index) // params.batch_size)):
            images = torch.from_numpy(dataset.images[rows]).to(device).permute(0, 3, 1, 2)
            pooled = network(prepare(images, about["mean"], about["std"], params.input_size))
            features.append(pooled.cpu().numpy())
            logits.append(classifier(pooled).cpu().numpy())

    test = (frame["subset"] == "test").to_numpy()
    vectors = svm.Vectors(np.concatenate(features), label, index, ~test)
    svm.write_vectors(vectors, snakemake.output.vectors)
    predicted = np.concatenate(logits).argmax(axis=1)
    predictions = pd.DataFrame({"index": index, "label": label, "prediction": predicted})
    tables.write(predictions[test], snakemake.output.predictions)
    print(f"{vectors.x.shape[1]} features of {len(index):,} images")
