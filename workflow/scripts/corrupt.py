"""Make common corruptions of a sample of test images, at the size of the network's input."""

import numpy as np
import torch

from campare import corruptions, data, faithfulness, store
from campare.preprocess import resized
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    index = store.read(snakemake.input.store).index
    index = index[faithfulness.sampled_rows(len(index), params.images, params.seed)]
    stored = torch.from_numpy(dataset.images[index]).permute(0, 3, 1, 2)
    images = resized(stored, params.input_size).permute(0, 2, 3, 1).numpy()
    corruptions.write(
        np.ascontiguousarray(images),
        index,
        params.corruptions,
        params.severities,
        params.seed,
        snakemake.output.corrupted,
    )
    print(
        f"{len(index):,} images, {len(params.corruptions)} corruptions, severities "
        f"{', '.join(map(str, params.severities))}"
    )
