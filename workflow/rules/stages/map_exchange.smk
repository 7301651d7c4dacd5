# Needs: data.h5, every model and its store.
# Makes: map_exchange/<augmentation>/<seed>.parquet, deletion and insertion of a model and of a baseline,
# each with its own maps and with those of the other, for a sample of test images; tables/map_exchange*.csv,
# figures/map_exchange/*.

compute(
    "exchange_maps",
    needs={
        "data": rules.load_data.output.data,
        "weights": WEIGHTS,
        "store": CAMS,
        "partner_weights": INPUTS.partner(WEIGHTS),
        "partner_store": INPUTS.partner(CAMS),
    },
    makes={"areas": "<results>/{variant}map_exchange/{augmentation}/{seed}.parquet"},
    kind="exchange_maps",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=ARCHITECTURES,
    **STUDY["map_exchange"],
    **DEVICE,
    architecture=architecture_of,
    partner_architecture=DESIGN.architecture_of("baseline"),
    input_size=STUDY["model"]["input_size"],
    batch_size=STUDY["cam"]["batch_size"],
)
tabulate(
    "map_exchange",
    needs={"measured": of_models(rules.exchange_maps.output.areas, DESIGN.partners)},
    makes={
        "pairs": table("map_exchange", "{variant}"),
        "summary": table("map_exchange_summary", "{variant}"),
    },
    partners=list(DESIGN.partners.items()),
    seed=RESAMPLING_SEED,
)
draw(
    "map_exchange",
    needs={
        "pairs": "<results>/{variant}tables/map_exchange.csv",
        "summary": "<results>/{variant}tables/map_exchange_summary.csv",
    },
    makes=figures("map_exchange", "measure", ["deletion", "insertion"], "{variant}"),
)
