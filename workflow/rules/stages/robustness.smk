# Needs: data.h5, every model and its stores.
# Makes: corrupted.h5, a sample of test images with every corruption; corruptions/<augmentation>/<seed>.parquet,
# predictions of a model for these images; equivariance/<augmentation>/<seed>.parquet, comparisons of the maps of
# transformed images with transformed maps; tables/corruption_*.csv, tables/equivariance*.csv and their figures.

ROBUSTNESS = STUDY["robustness"]
CORRUPTIONS = "<results>/corruptions/{augmentation}/{seed}.parquet"
EQUIVARIANCE = "<results>/{variant}equivariance/{augmentation}/{seed}.parquet"
# The metric of the summary, if it compares maps, and that of Tětková and Hansen.
FOLLOWING = [
    name
    for name in dict.fromkeys([registry.plain(STUDY["analysis"]["summary"]), "pearson"])
    if registry.metric(name).of == "maps" and registry.metric(name).same is not None
]

compute(
    "corrupt",
    needs={"data": rules.load_data.output.data, "store": BASELINE_STORE},
    makes={"corrupted": "<results>/corrupted.h5"},
    kind="corrupt",
    group="maps_baseline",
    cores=1,
    entries=[f"corruptions:{name}" for name in ROBUSTNESS["corruptions"]],
    input_size=STUDY["model"]["input_size"],
    **{key: ROBUSTNESS[key] for key in ("images", "corruptions", "severities", "seed")},
)
compute(
    "measure_corruptions",
    needs={
        "data": rules.load_data.output.data,
        "weights": WEIGHTS,
        "corrupted": rules.corrupt.output.corrupted,
    },
    makes={"predictions": CORRUPTIONS},
    kind="test_corruptions",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=ARCHITECTURES,
    **DEVICE,
    architecture=architecture_of,
    input_size=STUDY["model"]["input_size"],
    batch_size=STUDY["cam"]["batch_size"],
)
compute(
    "measure_equivariance",
    needs={"data": rules.load_data.output.data, "weights": WEIGHTS, "store": CAMS},
    makes={"equivariance": EQUIVARIANCE},
    kind="test_transforms",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=[
        *ARCHITECTURES,
        *chain(*METHODS.values()),
        *registry.metric_functions(FOLLOWING),
        *registry.functions(
            registry.STEPS, chain(*map(transforms, DESIGN.test_transforms.values()))
        ),
    ],
    **MAPPING,
    images=ROBUSTNESS["images"],
    seed=ROBUSTNESS["seed"],
    transforms=DESIGN.test_transforms,
    metrics=FOLLOWING,
    epsilon=STUDY["similarity"]["epsilon"],
    architecture=architecture_of,
    method=lambda wildcards: DESIGN.variants[wildcards.variant].method,
    target_layer=lambda wildcards: DESIGN.variants[wildcards.variant].target_layer,
)
tabulate(
    "corruptions",
    needs={"predictions": of_models(CORRUPTIONS, DESIGN.models)},
    makes={"accuracy": table("corruption_accuracy"), "change": table("corruption_change")},
    models=DESIGN.models,
    matched=DESIGN.matched,
    seed=RESAMPLING_SEED,
)
draw(
    "corruptions",
    needs={
        "accuracy": "<results>/tables/corruption_accuracy.csv",
        "change": "<results>/tables/corruption_change.csv",
    },
    makes=figures("corruptions", "figure", ["accuracy", "change"]),
    reference=DESIGN.matched[0] if DESIGN.matched else "baseline",
)
tabulate(
    "equivariance",
    needs={"measured": of_models(EQUIVARIANCE, DESIGN.models)},
    makes={
        "models": table("equivariance", "{variant}"),
        "change": table("equivariance_change", "{variant}"),
    },
    models=DESIGN.models,
    metrics=FOLLOWING,
    matched=DESIGN.matched,
    seed=RESAMPLING_SEED,
)
draw(
    "equivariance",
    needs={
        "models": "<results>/{variant}tables/equivariance.csv",
        "change": "<results>/{variant}tables/equivariance_change.csv",
    },
    makes=figures("equivariance", "metric", [*FOLLOWING, "prediction"], "{variant}"),
    metrics=FOLLOWING,
    reference=DESIGN.matched[0] if DESIGN.matched else "baseline",
)
