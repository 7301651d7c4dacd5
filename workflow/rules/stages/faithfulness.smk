# Needs: data.h5, every model and its store.
# Makes: faithfulness/<augmentation>/<seed>.parquet, deletion and insertion curves and ROAD for a sample
# of test images, with the model's maps and with random maps; tables/faithfulness*.csv,
# figures/faithfulness/*.

compute(
    "measure_faithfulness",
    needs={
        "data": rules.load_data.output.data,
        "weights": WEIGHTS,
        "store": CAMS,
    },
    makes={"faithfulness": "<results>/{variant}faithfulness/{augmentation}/{seed}.parquet"},
    kind="test_faithfulness",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=ARCHITECTURES,
    **STUDY["faithfulness"],
    **DEVICE,
    architecture=architecture_of,
    input_size=STUDY["model"]["input_size"],
    batch_size=STUDY["cam"]["batch_size"],
)
tabulate(
    "faithfulness",
    needs={"measured": of_models(rules.measure_faithfulness.output.faithfulness, DESIGN.models)},
    makes={
        "curves": table("faithfulness_curves", "{variant}"),
        "models": table("faithfulness", "{variant}"),
        "summary": table("faithfulness_summary", "{variant}"),
    },
    models=DESIGN.models,
    paired=DESIGN.paired,
    seed=RESAMPLING_SEED,
)
draw(
    "faithfulness",
    needs={
        "curves": "<results>/{variant}tables/faithfulness_curves.csv",
        "models": "<results>/{variant}tables/faithfulness.csv",
        "summary": "<results>/{variant}tables/faithfulness_summary.csv",
    },
    makes=figures("faithfulness", "figure", ["curves", "gain"], "{variant}"),
)
