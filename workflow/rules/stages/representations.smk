# Needs: data.h5, every model and its store.
# Makes: representations/<augmentation>/<seed>.safetensors, the geometry of a sample of test images in the
# features of a model; representation_pairs/<augmentation>.parquet, comparisons of models as in pairs/;
# tables/representation_shift.csv and tables/calibration.csv, and their figures.

REPRESENTATIONS = "<results>/representations/{augmentation}/{seed}.safetensors"
REPRESENTATION_PAIRS = "<results>/representation_pairs/{augmentation}.parquet"

compute(
    "represent",
    needs={
        "data": rules.load_data.output.data,
        "weights": WEIGHTS,
        "store": CAMS.replace("{variant}", ""),
    },
    makes={"representation": REPRESENTATIONS},
    kind="represent",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=ARCHITECTURES,
    **STUDY["representations"],
    **DEVICE,
    architecture=architecture_of,
    target_layer=STUDY["cam"]["target_layer"],
    input_size=STUDY["model"]["input_size"],
    batch_size=STUDY["cam"]["batch_size"],
)
compute(
    "compare_representations",
    needs={
        "representations": INPUTS.in_pairs(REPRESENTATIONS),
        "stores": INPUTS.in_pairs(CAMS.replace("{variant}", "")),
    },
    makes={"pairs": REPRESENTATION_PAIRS},
    kind="compare_pairs",
    group="maps_{augmentation}",
    pairs=lambda wildcards: DESIGN.pairs_of(wildcards.augmentation),
)
REPORT.add(expand(REPRESENTATION_PAIRS, augmentation=DESIGN.with_pairs))
tabulate(
    "calibration",
    needs={"stores": of_models(CAMS, DESIGN.models, variant="")},
    makes={"calibration": table("calibration"), "change": table("calibration_change")},
    models=DESIGN.models,
    seed=RESAMPLING_SEED,
)
draw(
    "calibration",
    needs={"calibration": "<results>/tables/calibration.csv"},
    makes=figures("calibration", "figure", ["calibration"]),
)

if DESIGN.summarised:
    tabulate(
        "representation_shift",
        kind="statistics",
        needs={"pairs": expand(REPRESENTATION_PAIRS, augmentation=DESIGN.with_pairs)},
        makes={"shift": table("representation_shift")},
        augmentations=DESIGN.with_pairs,
        models=DESIGN.models,
        incomparable=DESIGN.incomparable,
        seed=RESAMPLING_SEED,
    )
    draw(
        "representation_shift",
        needs={
            "summary": "<results>/tables/summary.csv",
            "shift": "<results>/tables/representation_shift.csv",
        },
        makes=figures("representations", "figure", ["shift"]),
        maps="Maps",
        metrics=[STUDY["analysis"]["summary"]],
        study=STUDY["study"],
    )
