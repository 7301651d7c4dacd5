"""Write the images and the label map that all ViRelAy projects of a study share."""

from campare import atomic, data, display, split, virelay
from job import logged

with logged(snakemake.log[0]):
    dataset = display.of(data.read(snakemake.input.data), snakemake.params.get("shown"))
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "test"].to_numpy()
    virelay.write_images(snakemake.output.images, dataset.images, dataset.labels, index)
    with atomic.replacing(snakemake.output.labels) as aside:
        aside.write_text(virelay.label_map(dataset.classes), encoding="utf-8")
    print(f"{len(index):,} test images")
