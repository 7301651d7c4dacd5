# Needs: data.h5, split.csv, the baseline's model and store.
# Makes: the maps of the training images, features/<classifier>.h5 with masked pixels, SVMs on them
# (svm.smk), and tables and figures of the effect of the mask.

PIXEL_SVMS = ["unmasked", "masked", "mask-same-class", "mask-any-class", "mask-alone"]


rule map_training:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=BASELINE_WEIGHTS,
    output:
        store=f"<results>/cams/baseline-training/{DESIGN.first_seed}.h5",
    log:
        "<logs>/cams/baseline-training.log",
    benchmark:
        "<benchmarks>/cams/baseline-training.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("map_other"),
        gpu=GPU,
    params:
        **named(
            **MAPPING,
            augmentation="baseline-training",
            seed=DESIGN.first_seed,
            architecture=STUDY["model"]["architecture"],
            target_layer=STUDY["cam"]["target_layer"],
            method=STUDY["cam"]["method"],
            class_policy="predicted",
            subsets=["train", "validation"],
        ),
        **code("map_images", *METHODS[""], ARCHITECTURE),
    script:
        "../../scripts/map_images.py"


rule mask_pixels:
    input:
        data=rules.load_data.output.data,
        training=rules.map_training.output.store,
        test=BASELINE_STORE,
    output:
        vectors=[f"<results>/features/{name}.h5" for name in PIXEL_SVMS],
    log:
        "<logs>/mask_pixels.log",
    benchmark:
        "<benchmarks>/mask_pixels.tsv"
    resources:
        **sized("pixels"),
    params:
        **named(
            classifiers=PIXEL_SVMS,
            keep=STUDY["masking"]["keep"],
            seed=STUDY["masking"]["seed"],
        ),
        **code("mask_pixels"),
    script:
        "../../scripts/mask_pixels.py"


tabulate(
    "masking",
    script="tabulate_scores",
    needs={
        "data": rules.load_data.output.data,
        "predictions": [
            *(f"<results>/classifiers/{name}.parquet" for name in PIXEL_SVMS),
            BASELINE_STORE,
        ],
    },
    makes={
        "scores": table("masking_scores"),
        "classes": table("masking_classes"),
        "confusion": table("masking_confusion"),
    },
    models=[*PIXEL_SVMS, "cnn"],
    reference="unmasked",
)
draw(
    "masking_scores",
    script="plot_scores",
    needs={"scores": "<results>/tables/masking_scores.csv"},
    makes=figures("scores", "models", ["masking"]),
)
draw(
    "masking_confusion",
    script="plot_svm_confusion",
    needs={"confusion": "<results>/tables/masking_confusion.csv"},
    makes=figures("svm_confusion", "model", PIXEL_SVMS),
)
draw(
    "masks",
    needs={"data": rules.load_data.output.data, "vectors": rules.mask_pixels.output.vectors},
    makes=figures("masks", "figure", ["classes"]),
    classifiers=PIXEL_SVMS,
)
