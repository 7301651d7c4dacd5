# Needs: stores, histories, similarity tables.
# Makes: tables/*.csv, small and tidy; tables/aggregate.parquet, the mean over seeds per image. Tables
# of maps are made for every variant, too, in variants/<name>/tables.

REPORT.target = "tables"

tabulate(
    "images",
    needs={
        "data": rules.load_data.output.data,
        "splits": [
            *dict.fromkeys(f"<results>/{SPLIT}.csv".format(seed=seed) for _, seed in DESIGN.models)
        ],
    },
    makes={"subsets": table("subsets"), "duplicates": table("duplicates")},
    near=STUDY["analysis"]["near_duplicates"],
)

# Tables and figures of predictions are in the target if the predictions are known.
REPORT.target = "tables" if DESIGN.predicts else ""
# Models that are compared with the noise floor, and the floor itself ("baseline").
BESIDE_FLOOR = DESIGN.with_pairs if DESIGN.has_floor else []

tabulate(
    "performance",
    needs={
        "data": rules.load_data.output.data,
        "stores": of_models(CAMS, DESIGN.models, variant=""),
    },
    makes={
        "performance": table("performance"),
        "summary": table("performance_summary"),
        "confusion": table("confusion"),
        "confused_pairs": table("confused_pairs"),
    },
    models=DESIGN.models,
)
if "trained" in STUDY:
    tabulate(
        "imported",
        needs={"stores": of_models(CAMS, DESIGN.models, variant="")},
        makes={"imported": table("imported")},
        models=DESIGN.models,
        files=[DESIGN.imported[model] for model in DESIGN.models],
    )
elif not DESIGN.imported:
    tabulate(
        "validation",
        needs={"histories": of_models("<results>/models/{augmentation}/{seed}.csv", DESIGN.models)},
        makes={"validation": table("validation")},
        models=DESIGN.models,
        keep=STUDY["training"]["keep"],
    )
if STUDY["published"]:
    tabulate(
        "published",
        needs={
            "performance": "<results>/tables/performance.csv",
            "validation": "<results>/tables/validation.csv",
        },
        makes={"published": table("published")},
        published=STUDY["published"],
        references={seed: DESIGN.reference_of(seed)[1] for seed in DESIGN.seeds},
    )

# Comparisons of augmentations with the baseline: in the target if the study makes them.
REPORT.target = "tables" if DESIGN.compares else ""

tabulate(
    "aggregate",
    needs={
        "similarities": INPUTS.augmented(SIMILARITIES),
        "matched": of_models(SIMILARITIES, DESIGN.matched_models),
        "pairs": [f"<results>/{{variant}}pairs/{name}.parquet" for name in BESIDE_FLOOR],
    },
    makes={
        **(
            {"across": "<results>/{variant}tables/across_seeds.parquet"} if DESIGN.has_floor else {}
        ),
        "aggregate": "<results>/{variant}tables/aggregate.parquet",
        "distribution": table("distribution", "{variant}"),
    },
    models=DESIGN.augmented,
    matched=DESIGN.matched_models,
    beside_floor=BESIDE_FLOOR,
    like=[pair for name in BESIDE_FLOOR for pair in DESIGN.pairs_like_floor(name)],
)
tabulate(
    "correlation",
    needs={"aggregate": "<results>/{variant}tables/aggregate.parquet"},
    makes={
        "correlation": table("correlation", "{variant}"),
        "strongest": table("strongest_pairs", "{variant}"),
        "weakest": table("weakest_pairs", "{variant}"),
    },
    metrics=DESIGN.metrics,
    top_pairs=STUDY["analysis"]["top_pairs"],
)
tabulate(
    "extremes",
    needs={"aggregate": "<results>/{variant}tables/aggregate.parquet"},
    makes={"extremes": table("extremes", "{variant}")},
    metrics=DESIGN.metrics,
)
REPORT.target = "tables" if DESIGN.compares and DESIGN.predicts else ""

tabulate(
    "segments",
    needs={"similarities": INPUTS.augmented(SIMILARITIES)},
    makes={"segments": table("segments", "{variant}")},
    models=DESIGN.augmented,
    metrics=DESIGN.metrics,
    segments=STUDY["analysis"]["segments"],
)
tabulate(
    "accuracy",
    needs={
        "performance": "<results>/tables/performance.csv",
        "similarities": INPUTS.augmented(SIMILARITIES),
    },
    makes={
        "means": table("model_means", "{variant}"),
        "correlation": table("accuracy_correlation", "{variant}"),
    },
    models=DESIGN.augmented,
    metrics=DESIGN.metrics,
)
