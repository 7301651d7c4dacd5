# Needs: tables, similarity tables, stores, data.h5.
# Makes: figures/<kind>/<name>.<format>; figures of maps also for every variant, in
# variants/<name>/figures. One job draws all figures of a kind, because a process takes longer to start
# than to draw; each file is still a target of its own.

# Of every study, with maps or without.
REPORT.target = "figures"

draw(
    "subsets",
    needs={"subsets": "<results>/tables/subsets.csv"},
    makes=figures("subsets", "figure", ["subsets"]),
)

# Images and histories of trainings, which imported models do not have.
REPORT.target = "" if DESIGN.imported else "figures"

draw(
    "examples",
    needs={"data": rules.load_data.output.data, "split": FIRST_SPLIT},
    makes={
        "examples": figures("examples", "augmentation", DESIGN.augmentations),
        "sets": figures("sets", "figure", ["sets"]),
    },
    augmentations=STUDY["augmentations"],
    at=STUDY["augmenting"]["at"],
    resample=STUDY["augmenting"]["resample"],
    input_size=STUDY["model"]["input_size"],
    seed=DESIGN.training(DESIGN.examples[-1])["augmentation_seed"],
    entries=chain.from_iterable(TRANSFORMS.values()),
    **SHOWN,
)
draw(
    "history",
    needs={"histories": of_models("<results>/models/{augmentation}/{seed}.csv", DESIGN.models)},
    makes=figures("training", "figure", ["history"]),
    models=DESIGN.models,
    averaged=STUDY["training"]["ema"] is not None,
    ranked=True,
)

# With predictions, which imported maps may lack.
REPORT.target = "figures" if DESIGN.predicts else ""

draw(
    "confusion",
    needs={"confusion": "<results>/tables/confusion.csv"},
    makes=figures("confusion", "augmentation", dict(DESIGN.models)),
)
draw(
    "overlays",
    needs={
        "data": rules.load_data.output.data,
        "stores": of_models(CAMS, DESIGN.examples),
    },
    makes=figures("overlays", "maps", ["over_images", "alone"], "{variant}"),
    models=DESIGN.examples,
    input_size=STUDY["model"]["input_size"],
    ranked=True,
    **SHOWN,
)

# Comparisons of augmentations with the baseline: in the target if the study makes them.
REPORT.target = "figures" if DESIGN.compares else ""

draw(
    "boxplots",
    needs={
        "aggregate": "<results>/{variant}tables/"
        + ("across_seeds.parquet" if DESIGN.has_floor else "aggregate.parquet")
    },
    makes=figures("boxplot", "metric", DESIGN.metrics, "{variant}"),
    metrics=DESIGN.metrics,
    augmentations=DESIGN.augmentations,
    across_seeds=DESIGN.has_floor,
    ranked=True,
)
draw(
    "correlations",
    needs={"correlation": "<results>/{variant}tables/correlation.csv"},
    makes=figures("correlation", "metric", DESIGN.metrics, "{variant}"),
    metrics=DESIGN.metrics,
    augmentations=DESIGN.augmentations,
)
draw(
    "pairs",
    needs={
        "strongest": "<results>/{variant}tables/strongest_pairs.csv",
        "weakest": "<results>/{variant}tables/weakest_pairs.csv",
    },
    makes=figures("pairs", "pairs", ["strongest", "weakest"], "{variant}"),
    number=len(DESIGN.metrics),
    top_pairs=STUDY["analysis"]["top_pairs"],
)

REPORT.target = "figures" if DESIGN.compares and DESIGN.predicts else ""

draw(
    "performance",
    needs={
        "performance": "<results>/tables/performance.csv",
        "summary": "<results>/tables/performance_summary.csv",
    },
    makes=figures("performance", "score", ["accuracy", "precision", "recall", "f1"]),
    ranked=True,
)
draw(
    "segments",
    needs={"similarities": INPUTS.augmented(SIMILARITIES)},
    makes=figures("segments", "metric", DESIGN.metrics, "{variant}"),
    metrics=DESIGN.metrics,
    models=DESIGN.augmented,
    segments=STUDY["analysis"]["segments"],
    ranked=True,
)
draw(
    "accuracy",
    needs={
        "means": "<results>/{variant}tables/model_means.csv",
        "correlation": "<results>/{variant}tables/accuracy_correlation.csv",
    },
    makes=figures("accuracy", "metric", DESIGN.metrics, "{variant}"),
    metrics=DESIGN.metrics,
    augmentations=DESIGN.augmentations,
    ranked=True,
)
for statistic in ("mean", "std"):
    draw(
        f"extremes_{statistic}",
        needs={
            "data": rules.load_data.output.data,
            "extremes": "<results>/{variant}tables/extremes.csv",
            "stores": of_models(
                "<results>/{variant}cams/{augmentation}/{seed}.h5",
                [*DESIGN.references, *DESIGN.augmented],
            ),
        },
        makes=REPORT.labelled(
            "extremes",
            {
                f"{m}_{statistic}": {
                    "metric": columns.metric_label(m),
                    "statistic": columns.CODES["statistic"][statistic],
                }
                for m in DESIGN.metrics
            },
            "{variant}",
        ),
        script="plot_extremes",
        ranked=True,
        metrics=DESIGN.metrics,
        models=[*DESIGN.references, *DESIGN.augmented],
        statistic=statistic,
        input_size=STUDY["model"]["input_size"],
        **SHOWN,
    )
