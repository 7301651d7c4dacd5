# Needs: data.h5, split.csv, the baseline's model and store.
# Makes: the maps of the training images, features/<classifier>.h5 with masked pixels, SVMs on them
# (svm.smk), and tables and figures of the effect of the mask.

PIXEL_SVMS = ["unmasked", "masked", "mask-same-class", "mask-any-class", "mask-alone"]

compute(
    "map_training",
    script_name="map_images",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "weights": BASELINE_WEIGHTS,
    },
    makes={"store": f"<results>/cams/baseline-training/{DESIGN.first_seed}.h5"},
    kind="map_other",
    gpu=GPU,
    entries=[*METHODS[""], *ARCHITECTURES],
    **BASELINE_MAPS,
    augmentation="baseline-training",
    class_policy="predicted",
    subsets=["train", "validation"],
)
compute(
    "mask_pixels",
    needs={
        "data": rules.load_data.output.data,
        "training": rules.map_training.output.store,
        "test": BASELINE_STORE,
    },
    makes={"vectors": [f"<results>/features/{name}.h5" for name in PIXEL_SVMS]},
    kind="pixels",
    cores=1,
    classifiers=PIXEL_SVMS,
    keep=STUDY["masking"]["keep"],
    seed=STUDY["masking"]["seed"],
)
compare_classifiers(
    "masking",
    {
        **{name: f"<results>/classifiers/{name}.parquet" for name in PIXEL_SVMS},
        "cnn": BASELINE_STORE,
    },
    reference="unmasked",
)
draw(
    "masks",
    needs={"data": rules.load_data.output.data, "vectors": rules.mask_pixels.output.vectors},
    makes=figures("masks", "figure", ["classes"]),
    classifiers=PIXEL_SVMS,
    **SHOWN,
)
