# Needs: data.h5 with masks, split.csv, every model's store.
# Makes: localisation/<augmentation>/<seed>.parquet, scores of a model's maps for every region, with a
# row per test image and region; tables/localisation*.csv, figures/localisation/*; with
# localisation.spurious also tables/spurious*.csv, figures/spurious/*.

SPURIOUS = STUDY["localisation"]["spurious"]
CUES = [SPURIOUS] if isinstance(SPURIOUS, str) else SPURIOUS

compute(
    "measure_localisation",
    needs={"data": rules.load_data.output.data, "store": CAMS},
    makes={"localisation": LOCALISATION},
    kind="localise",
    group="maps_{augmentation}",
    cores=1,
)
tabulate(
    "localisation",
    needs={"measured": of_models(LOCALISATION, DESIGN.models)},
    makes={
        "models": table("localisation", "{variant}"),
        "summary": table("localisation_summary", "{variant}"),
    },
    models=DESIGN.models,
    paired=DESIGN.paired,
    seed=RESAMPLING_SEED,
)
draw(
    "localisation",
    needs={
        "models": "<results>/{variant}tables/localisation.csv",
        "summary": "<results>/{variant}tables/localisation_summary.csv",
    },
    makes=figures("localisation", "score", registry.LOCALISATION, "{variant}"),
    labels=registry.LOCALISATION,
)

if STUDY["analysis"]["by_class"]:
    tabulate(
        "localisation_by_class",
        needs={
            "data": rules.load_data.output.data,
            "measured": of_models(LOCALISATION, DESIGN.models),
        },
        makes={"table": table("localisation_by_class", "{variant}")},
        models=DESIGN.models,
        paired=DESIGN.paired,
        seed=RESAMPLING_SEED,
    )
    draw(
        "localisation_by_class",
        needs={"table": "<results>/{variant}tables/localisation_by_class.csv"},
        makes=figures("localisation_by_class", "figure", ["localisation_by_class"], "{variant}"),
    )

if SPURIOUS:
    tabulate(
        "spurious",
        kind="map",
        needs={
            "data": rules.load_data.output.data,
            "split": FIRST_SPLIT,
            "stores": of_models(CAMS, DESIGN.models),
            "measured": of_models(LOCALISATION, DESIGN.models),
        },
        makes={
            "models": table("spurious", "{variant}"),
            "summary": table("spurious_summary", "{variant}"),
            "reliance": table("spurious_reliance", "{variant}"),
        },
        models=DESIGN.models,
        paired=DESIGN.paired,
        seed=RESAMPLING_SEED,
        cues=CUES,
    )
    draw(
        "spurious",
        needs={
            "models": "<results>/{variant}tables/spurious.csv",
            "summary": "<results>/{variant}tables/spurious_summary.csv",
            "reliance": "<results>/{variant}tables/spurious_reliance.csv",
        },
        # Of a list of cues, a figure per cue and one of all.
        makes=figures(
            "spurious",
            "figure",
            ["spurious"] if isinstance(SPURIOUS, str) else [*CUES, "reliance"],
            "{variant}",
        ),
        cues=CUES,
    )
