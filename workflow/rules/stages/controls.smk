# Needs: all stores; the similarity tables.
# Makes: models/untrained/<seed>.safetensors; pairs/<augmentation>.parquet (a row per pair of models and
# test image; one job per augmentation, because each model's maps are prepared once for all its pairs);
# uninformative.parquet (comparisons with uninformative reference maps); and tables and figures of how
# far augmentations shift the maps beyond retraining variability, with cam.epochs also during training.

UNINFORMATIVE = STUDY["controls"]["uninformative"]
PAIRS = [f"<results>/{{variant}}pairs/{name}.parquet" for name in DESIGN.with_pairs]

compute(
    "measure_pairs",
    needs={"stores": INPUTS.in_pairs(CAMS)},
    makes={"pairs": "<results>/{variant}pairs/{augmentation}.parquet"},
    kind="compare_pairs",
    gpu=COMPARING_GPU,
    group="maps_{augmentation}",
    variants=WITH_EPOCHS,
    entries=registry.metric_functions(DESIGN.distances),
    **COMPARING | {"metrics": DESIGN.distances},
    pairs=lambda wildcards: DESIGN.pairs_of(wildcards.augmentation),
)
REPORT.add(PAIRS)

if UNINFORMATIVE:
    # One model of each training set.
    ONE_OF_EACH = [*DESIGN.examples, *((name, DESIGN.matched_seeds[0]) for name in DESIGN.matched)]

    compute(
        "initialise",
        needs={"data": rules.load_data.output.data, "split": FIRST_SPLIT},
        makes={"weights": f"<results>/models/untrained/{DESIGN.first_seed}.safetensors"},
        kind="map",
        group="maps_untrained",
        entries=ARCHITECTURES,
        **DESIGN.initial,
    )

    if not DESIGN.imported:

        ruleorder: initialise > train

    compute(
        "measure_uninformative",
        needs={
            "data": rules.load_data.output.data,
            "stores": of_models(CAMS, ONE_OF_EACH),
            "untrained": f"<results>/{{variant}}cams/untrained/{DESIGN.first_seed}.h5",
        },
        makes={"uninformative": "<results>/{variant}uninformative.parquet"},
        kind="compare_uninformative",
        gpu=COMPARING_GPU,
        group="report",
        entries=registry.metric_functions(DESIGN.distances),
        **COMPARING | {"metrics": DESIGN.distances},
        models=ONE_OF_EACH,
        seed=RESAMPLING_SEED,
    )
    tabulate(
        "uninformative",
        needs={"uninformative": rules.measure_uninformative.output.uninformative},
        makes={"uninformative": table("uninformative", "{variant}")},
        metrics=DESIGN.distances,
    )
    draw(
        "uninformative",
        needs={
            "uninformative": rules.measure_uninformative.output.uninformative,
            "baselines": (
                "<results>/{variant}pairs/baseline.parquet" if len(DESIGN.baselines) > 1 else []
            ),
        },
        makes=figures("uninformative", "metric", DESIGN.distances, "{variant}"),
        metrics=DESIGN.distances,
    )


if DESIGN.parts:
    # Arms of a part, and those with which they are compared.
    PAIRED = {
        part: [n for n in DESIGN.with_pairs if n in (*arms, "baseline", *registry.MATCHED)]
        for part, arms in DESIGN.parts.items()
    }
    compute(
        "measure_shift",
        needs={
            "pairs": lambda wildcards: [
                f"<results>/{wildcards.variant}pairs/{name}.parquet"
                for name in PAIRED[wildcards.part]
            ]
        },
        makes={
            "shift": "<results>/{variant}shift/{part}.parquet",
            "kinds": "<results>/{variant}shift/{part}_kinds.parquet",
        },
        kind="statistics",
        cores=1,
        read=lambda wildcards: PAIRED[wildcards.part],
        arms=lambda wildcards: DESIGN.parts[wildcards.part],
        augmentations=DESIGN.with_pairs,
        models=DESIGN.models,
        metrics=DESIGN.distances,
        incomparable=DESIGN.incomparable,
        seed=RESAMPLING_SEED,
    )

if DESIGN.arms:
    tabulate(
        "shift",
        kind="statistics",
        needs=(
            {
                name: [f"<results>/{{variant}}shift/{part}{end}.parquet" for part in DESIGN.parts]
                for name, end in (("shifts", ""), ("kinds", "_kinds"))
            }
            if DESIGN.parts
            else {"pairs": PAIRS}
        ),
        makes={
            **({"between": table("between", "{variant}")} if STUDY["reference"] == "none" else {}),
            "kinds": table("pair_kinds", "{variant}"),
            "shift": table("shift", "{variant}"),
        },
        augmentations=DESIGN.with_pairs,
        compared=DESIGN.augmentations,
        models=DESIGN.models,
        metrics=DESIGN.distances,
        incomparable=DESIGN.incomparable,
        predicts=DESIGN.predicts,
        seed=RESAMPLING_SEED,
    )
if DESIGN.arms and DESIGN.predicts:
    tabulate(
        "accuracy_change",
        needs={"stores": of_models(CAMS, DESIGN.models, variant="")},
        makes={"accuracy_change": table("accuracy_change")},
        models=DESIGN.models,
        matched=DESIGN.matched,
        seed=RESAMPLING_SEED,
    )

if DESIGN.summarised:
    tabulate(
        "mixed_model",
        kind="statistics",
        needs={"pairs": PAIRS},
        makes={"mixed_model": table("mixed_model", "{variant}")},
        augmentations=DESIGN.with_pairs,
        models=DESIGN.models,
        metric=STUDY["analysis"]["summary"],
        seed=RESAMPLING_SEED,
    )
    tabulate(
        "summary",
        needs={
            "accuracy_change": "<results>/tables/accuracy_change.csv",
            "shift": "<results>/{variant}tables/shift.csv",
        },
        makes={"summary": table("summary", "{variant}")},
        metric=STUDY["analysis"]["summary"],
    )
    draw(
        "summary",
        needs={
            "summary": "<results>/{variant}tables/summary.csv",
            "subsets": "<results>/tables/subsets.csv",
        },
        makes=REPORT.labelled(
            "summary", {"summary": {"page": "Summary, figure"}}, "{variant}", category="Answer"
        ),
        metrics=[STUDY["analysis"]["summary"]],
        study=STUDY["study"],
    )
    if STUDY["analysis"]["by_class"]:
        tabulate(
            "shift_by_class",
            kind="statistics",
            needs={
                "data": rules.load_data.output.data,
                "summary": "<results>/{variant}tables/summary.csv",
                "pairs": PAIRS,
            },
            makes={"table": table("shift_by_class", "{variant}")},
            augmentations=DESIGN.with_pairs,
            compared=DESIGN.augmentations,
            models=DESIGN.models,
            metrics=STUDY["analysis"]["by_class"],
            seed=RESAMPLING_SEED,
        )
        draw(
            "shift_by_class",
            needs={"table": "<results>/{variant}tables/shift_by_class.csv"},
            makes=figures("shift_by_class", "metric", STUDY["analysis"]["by_class"], "{variant}"),
            metrics=STUDY["analysis"]["by_class"],
        )
    tabulate(
        "equal_accuracy",
        kind="statistics",
        needs={
            "summary": "<results>/{variant}tables/summary.csv",
            "performance": "<results>/tables/performance.csv",
            "pairs": PAIRS,
        },
        makes={"equal_accuracy": table("equal_accuracy", "{variant}")},
        augmentations=DESIGN.with_pairs,
        metric=STUDY["analysis"]["summary"],
        seed=RESAMPLING_SEED,
    )
    draw(
        "equal_accuracy",
        needs={
            "equal_accuracy": "<results>/{variant}tables/equal_accuracy.csv",
            "performance": "<results>/tables/performance.csv",
        },
        makes=figures("equal_accuracy", "figure", ["equal_accuracy"], "{variant}"),
        metrics=[STUDY["analysis"]["summary"]],
        ranked=True,
    )
    if len(DESIGN.variants) > 1:
        tabulate(
            "variants",
            needs={
                "summaries": [f"<results>/{folder}tables/summary.csv" for folder in DESIGN.variants]
            },
            makes={
                "variants": table("variants"),
                "agreement": table("variants_agreement"),
                "ranking": table("variants_ranking"),
            },
            titles=DESIGN.variant_titles,
            seed=RESAMPLING_SEED,
        )
        draw(
            "variants",
            needs={
                "variants": "<results>/tables/variants.csv",
                "agreement": "<results>/tables/variants_agreement.csv",
                "ranking": "<results>/tables/variants_ranking.csv",
            },
            makes=REPORT.labelled(
                "variants", {"variants": {"page": "Variants of the maps"}}, category="Answer"
            ),
            metrics=[STUDY["analysis"]["summary"]],
        )
    if DESIGN.epochs:
        # Numbers of epochs in ascending order, then the weights that training keeps.
        FOLDERS = {str(epoch): folder for folder, epoch in DESIGN.epochs.items()}
        FOLDERS[STUDY["training"]["keep"]] = ""
        STORES = [
            path
            for folder in FOLDERS.values()
            for path in of_models(CAMS, DESIGN.models, variant=folder)
        ]
        tabulate(
            "during_training",
            kind="statistics",
            needs={
                "stores": STORES,
                "pairs": [
                    path.replace("{variant}", folder)
                    for folder in FOLDERS.values()
                    for path in PAIRS
                ],
            },
            makes={
                "shifts": table("during_training"),
                "onset": table("during_training_onset"),
            },
            epochs=[*FOLDERS],
            models=DESIGN.models,
            augmentations=DESIGN.with_pairs,
            matched=DESIGN.matched,
            metric=STUDY["analysis"]["summary"],
            seed=RESAMPLING_SEED,
        )
        MATCHED_TABLE = table("matched_accuracy")
        compute(
            "match_accuracy",
            needs={
                "stores": STORES,
                "histories": of_models("<results>/models/{augmentation}/{seed}.csv", DESIGN.models),
                "summary": "<results>/tables/summary.csv",
            },
            makes={"matched": MATCHED_TABLE},
            kind="statistics",
            gpu=COMPARING_GPU,
            group="report",
            entries=registry.metric_functions([STUDY["analysis"]["summary"]]),
            **COMPARING | {"metrics": [STUDY["analysis"]["summary"]]},
            epochs=[*FOLDERS],
            models=DESIGN.models,
            # Epochs of a training in one epoch of the study.
            steps={
                name: DESIGN.epochs_of(name) // STUDY["training"]["epochs"]
                for name in dict(DESIGN.models)
            },
            independent=[
                pair for pair in product(DESIGN.models, repeat=2) if DESIGN.independent(pair)
            ],
        )
        REPORT.add([MATCHED_TABLE])
        draw(
            "during_training",
            needs={"shifts": "<results>/tables/during_training.csv"},
            makes=figures("during_training", "figure", ["during_training"]),
            maps="Maps",
            metrics=[STUDY["analysis"]["summary"]],
        )
    if DESIGN.sweeps:
        SWEEPS = {
            f"{s.base}_{s.parameter}": (s.base, s.parameter, s.arms, s.unit) for s in DESIGN.sweeps
        }
        SWEPT = [arm for _, _, arms, _ in SWEEPS.values() for arm in arms]
        LOCALISED = "localisation" in STUDY
        tabulate(
            "dose_response",
            kind="statistics",
            needs={
                "performance": "<results>/tables/performance.csv",
                "summary": "<results>/{variant}tables/summary.csv",
                "pairs": [f"<results>/{{variant}}pairs/{name}.parquet" for name in SWEPT],
                "localisation": of_models(LOCALISATION, DESIGN.models) if LOCALISED else [],
            },
            makes={
                "trends": table("dose_response", "{variant}"),
                **({"localisation": table("dose_localisation", "{variant}")} if LOCALISED else {}),
            },
            sweeps=SWEEPS,
            arms=SWEPT,
            models=DESIGN.models,
            matched=DESIGN.matched,
            score="energy",
            metric=STUDY["analysis"]["summary"],
            seed=RESAMPLING_SEED,
        )
        draw(
            "dose_response",
            needs={
                "summary": "<results>/{variant}tables/summary.csv",
                "trends": "<results>/{variant}tables/dose_response.csv",
                "localisation": (
                    ["<results>/{variant}tables/dose_localisation.csv"] if LOCALISED else []
                ),
                "data": rules.load_data.output.data,
                "split": FIRST_SPLIT,
            },
            makes=figures("dose_response", "sweep", SWEEPS, "{variant}"),
            metrics=[STUDY["analysis"]["summary"]],
            entries=[*chain(*(TRANSFORMS[name] for name in SWEPT))],
            sweeps=SWEEPS,
            steps={name: DESIGN.steps_of(name) for name in SWEPT},
            input_size=(
                STUDY["model"]["input_size"] if STUDY["augmenting"]["at"] == "input" else None
            ),
            augmentation_seed=DESIGN.training((SWEPT[0], DESIGN.first_seed))["augmentation_seed"],
            **SHOWN,
        )

if STUDY["reference"] == "none":
    draw(
        "between",
        needs={"between": "<results>/{variant}tables/between.csv"},
        makes=figures("between", "metric", DESIGN.distances, "{variant}"),
        metrics=DESIGN.distances,
    )

if DESIGN.clusters:
    tabulate(
        "clusters",
        kind="statistics",
        needs={"similarities": INPUTS.augmented(SIMILARITIES)},
        makes={
            "clusters": table("clusters", "{variant}"),
            "correlation": table("cluster_correlation", "{variant}"),
            "counts": table("pair_counts", "{variant}"),
        },
        models=DESIGN.augmented,
        metrics=DESIGN.metrics,
        all="all",
        # Whether the models of a seed share more than its number.
        paired=DESIGN.paired or not DESIGN.imported and set(STUDY["vary"]) != {"augmentation"},
        top_pairs=STUDY["analysis"]["top_pairs"],
        seed=RESAMPLING_SEED,
    )
    draw(
        "clusters",
        needs={
            "clusters": "<results>/{variant}tables/clusters.csv",
            "correlation": "<results>/{variant}tables/cluster_correlation.csv",
        },
        makes=figures("clusters", "metric", [*DESIGN.metrics, "all"], "{variant}"),
        metrics=DESIGN.metrics,
    )

# The same correlations with shared baselines, as many as each augmentation has of its own.
if STUDY["reference"] == "disjoint":
    tabulate(
        "shared",
        kind="statistics",
        needs={"pairs": [f"<results>/{{variant}}pairs/{n}.parquet" for n in DESIGN.augmentations]},
        makes={"correlation": table("correlation_shared", "{variant}")},
        augmentations=DESIGN.augmentations,
        baselines=[seed for _, seed in DESIGN.references_of(DESIGN.augmented[0])],
        metrics=DESIGN.distances,
    )
    draw(
        "shared",
        script="plot_correlations",
        needs={"correlation": "<results>/{variant}tables/correlation_shared.csv"},
        makes=figures("correlation_shared", "metric", DESIGN.distances, "{variant}"),
        metrics=DESIGN.distances,
        augmentations=DESIGN.augmentations,
    )
