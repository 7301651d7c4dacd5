"""Write the ViRelAy project of a model: its maps, their analysis, and the project file."""

import os
from pathlib import Path

from campare import atomic, store, virelay
from job import logged

with logged(snakemake.log[0]):
    params, needs, makes = snakemake.params, snakemake.input, snakemake.output
    cams = store.read(needs.store)
    size, labels = virelay.read_images(needs.images)
    virelay.write_attributions(makes.attributions, cams, labels)
    # The class that a map explains; it is unknown for maps without predictions.
    explained = cams.target if params.predicts else cams.label
    virelay.write_analysis(makes.analysis, virelay.categories(cams, explained))

    about = cams.attributes
    files = {"labels": needs.labels, "images": needs.images}
    files |= {"attributions": makes.attributions, "analysis": makes.analysis}
    folder = Path(makes.project).parent
    text = virelay.project(
        study=params.study,
        model=f"{about['augmentation']}, {params.member} {about['seed']}{params.variant}",
        architecture=about["architecture"],
        maps=params.maps,
        policy=about["class_policy"],
        size=size,
        files={name: os.path.relpath(path, folder) for name, path in files.items()},
    )
    with atomic.replacing(makes.project) as aside:
        aside.write_text(text, encoding="utf-8")
    print(f"{len(cams.maps):,} maps")
