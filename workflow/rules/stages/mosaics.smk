# Needs: data.h5, split.csv, every model.
# Makes: mosaics/<augmentation>/<seed>.parquet, scores of a model's maps of mosaics, with a row per mosaic;
# tables/mosaics*.csv, figures/mosaics/*.

compute(
    "measure_mosaics",
    needs={"data": rules.load_data.output.data, "split": FIRST_SPLIT, "weights": WEIGHTS},
    makes={"mosaics": "<results>/{variant}mosaics/{augmentation}/{seed}.parquet"},
    kind="map_mosaics",
    gpu=GPU,
    group="maps_{augmentation}",
    **STUDY["mosaics"],
    **MAPPING,
    architecture=architecture_of,
    method=lambda wildcards: DESIGN.variants[wildcards.variant].method,
    target_layer=lambda wildcards: DESIGN.variants[wildcards.variant].target_layer,
    entries=[*ARCHITECTURES, *chain(*METHODS.values())],
)
tabulate(
    "mosaics",
    script="tabulate_localisation",
    needs={"measured": of_models(rules.measure_mosaics.output.mosaics, DESIGN.models)},
    makes={
        "models": table("mosaics", "{variant}"),
        "summary": table("mosaics_summary", "{variant}"),
    },
    models=DESIGN.models,
    paired=DESIGN.paired,
    seed=RESAMPLING_SEED,
)
draw(
    "mosaics",
    script="plot_localisation",
    needs={
        "models": "<results>/{variant}tables/mosaics.csv",
        "summary": "<results>/{variant}tables/mosaics_summary.csv",
    },
    makes=figures("mosaics", "score", registry.MOSAICS, "{variant}"),
    labels=registry.MOSAICS,
)
