# Needs: data.h5, split.csv, the baselines, and the arms of sweeps with their pairs (stage controls).
# Makes: models/<change>/<seed>.safetensors, networks with a known change; their stores and pairs, as those
# of augmentations; known_changes/<change>/<seed>.h5 and .csv, their training data, deleted after the
# training; tables/known_changes*.csv, figures/known_changes/*.


wildcard_constraints:
    layers=r"\d+",


OF_DATA = [change for change in DESIGN.changes.values() if change.of_data]
# Arm, kind or sweep, level and strength of every known change.
KNOWN = [
    *(
        (name, change.kind, "" if change.level is None else str(change.level), change.strength)
        for name, change in DESIGN.changes.items()
    ),
    *(
        (arm, f"{sweep.base}_{sweep.parameter}", str(value), strength)
        for sweep in DESIGN.sweeps
        for strength, (arm, value) in enumerate(sweep.arms.items(), 1)
    ),
]
KNOWN_ARMS = [name for name, *_ in KNOWN]
KNOWN_MODELS = [
    *DESIGN.baselines,
    *(model for name in KNOWN_ARMS for model in DESIGN.models_of(name)),
]

compute(
    "change_training_data",
    needs={"data": rules.load_data.output.data, "split": rules.make_split.output.split},
    makes={
        "data": temp(CHANGED_DATA),
        "split": temp(CHANGED_DATA.replace(".h5", ".csv")),
    },
    kind="load",
    cores=1,
    entries=registry.functions(registry.DATASETS, [STUDY["data"]["name"]]),
    change=lambda wildcards: DESIGN.changes[wildcards.augmentation].kind,
    level=lambda wildcards: DESIGN.changes[wildcards.augmentation].level,
    seed=lambda wildcards: int(wildcards.seed),
    source=READING,
)
compute(
    "reinitialise",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "weights": f"<results>/models/{known_changes.UNCHANGED}/{{seed}}.safetensors",
    },
    makes={"weights": "<results>/models/untrained_layers_{layers}/{seed}.safetensors"},
    kind="map",
    entries=ARCHITECTURES,
    layers=lambda wildcards: int(wildcards.layers),
    seed=lambda wildcards: int(wildcards.seed),
    architecture=DESIGN.architecture_of("baseline"),
    input_size=STUDY["model"]["input_size"],
    threads=STUDY["compute"]["threads"],
)


ruleorder: reinitialise > train


tabulate(
    "known_changes",
    kind="statistics",
    needs={
        "stores": of_models(CAMS, KNOWN_MODELS),
        "pairs": [
            f"<results>/{{variant}}pairs/{name}.parquet" for name in ["baseline", *KNOWN_ARMS]
        ],
        **(
            {
                "representation_pairs": [
                    f"<results>/representation_pairs/{name}.parquet"
                    for name in ["baseline", *KNOWN_ARMS]
                ]
            }
            if "representations" in STUDY
            else {}
        ),
    },
    makes={
        "changes": table("known_changes", "{variant}"),
        "summary": table("known_changes_summary", "{variant}"),
    },
    arms=KNOWN,
    models=KNOWN_MODELS,
    metrics=DESIGN.distances,
    seed=RESAMPLING_SEED,
)
draw(
    "known_changes",
    needs={
        "changes": "<results>/{variant}tables/known_changes.csv",
        "summary": "<results>/{variant}tables/known_changes_summary.csv",
    },
    makes=figures("known_changes", "figure", ["known_changes"], "{variant}"),
    metrics=DESIGN.distances,
    study=STUDY["study"],
)
