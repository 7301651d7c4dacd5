# Needs: data.h5, every model and its store.
# Makes: faithfulness/<augmentation>/<seed>.parquet, deletion and insertion curves and ROAD for a sample
# of test images, with the model's maps and with random maps; tables/faithfulness*.csv,
# figures/faithfulness/*.


rule measure_faithfulness:
    input:
        data=rules.load_data.output.data,
        weights=rules.train.output.weights,
        store=rules.extract_cams.output.store,
    output:
        faithfulness="<results>/{variant}faithfulness/{augmentation}/{seed}.parquet",
    log:
        "<logs>/{variant}faithfulness/{augmentation}/{seed}.log",
    benchmark:
        "<benchmarks>/{variant}faithfulness/{augmentation}/{seed}.tsv"
    group:
        "maps_{augmentation}"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("test_faithfulness"),
        gpu=GPU,
    params:
        **named(
            **STUDY["faithfulness"],
            **DEVICE,
            architecture=STUDY["model"]["architecture"],
            input_size=STUDY["model"]["input_size"],
            batch_size=STUDY["cam"]["batch_size"],
        ),
        **code("measure_faithfulness", ARCHITECTURE),
    script:
        "../../scripts/measure_faithfulness.py"


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
