# Needs: data.h5, split.csv, all stores.
# Makes: virelay/, a project of ViRelAy for each model, only on request (`snakemake virelay`); one for each
# variant of the maps.

REPORT.target = "virelay"

compute(
    "virelay_images",
    needs={"data": rules.load_data.output.data, "split": FIRST_SPLIT},
    makes={
        "images": "<results>/virelay/images.h5",
        "labels": "<results>/virelay/labels.json",
    },
    kind="pixels",
    cores=1,
    **SHOWN,
)
compute(
    "virelay_project",
    needs={"store": CAMS, **rules.virelay_images.output},
    makes={
        "project": "<results>/{variant}virelay/{augmentation}/{seed}.yaml",
        "attributions": "<results>/{variant}virelay/{augmentation}/{seed}.attributions.h5",
        "analysis": "<results>/{variant}virelay/{augmentation}/{seed}.analysis.h5",
    },
    kind="explore",
    cores=1,
    study=STUDY["study"],
    predicts=DESIGN.predicts,
    member="network" if DESIGN.imported else "seed",
    variant=lambda wildcards: wildcards.variant.replace("variants/", ", ").rstrip("/"),
    maps=lambda wildcards: DESIGN.variants[wildcards.variant].title,
)
REPORT.add(of_models("<results>/{variant}virelay/{augmentation}/{seed}.yaml", DESIGN.models))
