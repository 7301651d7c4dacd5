# Needs: data.h5, every model with its store. For studies with `faithfulness`.
# Makes: faithfulness/<augmentation>/<seed>.parquet, curves of deletion, insertion and ROAD of some
# test images, of the model's maps and of random ones; tables/faithfulness*.csv,
# figures/faithfulness/*.

FAITHFULNESS = STUDY["faithfulness"]


rule measure_faithfulness:
    input:
        data=rules.load_data.output.data,
        weights=rules.train.output.weights,
        store=rules.extract_cams.output.store,
    output:
        faithfulness=f"{RESULTS}/{{also}}faithfulness/{{augmentation}}/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/{{also}}faithfulness/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}faithfulness/{{augmentation}}/{{seed}}.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(explaining_memory),
        runtime=at_each_attempt(faithfulness_minutes),
    params:
        **FAITHFULNESS,
        architecture=STUDY["model"]["architecture"],
        input_size=STUDY["model"]["input_size"],
        batch_size=STUDY["cam"]["batch_size"],
        device=DEVICE,
        threads=THREADS,
        code=code("measure_faithfulness", architecture_entry(STUDY["model"]["architecture"])),
    script:
        "../scripts/measure_faithfulness.py"


rule tabulate_faithfulness:
    input:
        measured=of_models("{also}faithfulness/{augmentation}/{seed}.parquet", MODELS),
    output:
        curves=table("faithfulness_curves", "{also}"),
        models=table("faithfulness", "{also}"),
        summary=table("faithfulness_summary", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_faithfulness.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_faithfulness.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=MODELS,
        paired=PAIRED_SEEDS,
        seed=DRAWN,
        code=code("tabulate_faithfulness"),
    script:
        "../scripts/tabulate_faithfulness.py"


rule plot_faithfulness:
    input:
        curves=rules.tabulate_faithfulness.output.curves,
        models=rules.tabulate_faithfulness.output.models,
        summary=rules.tabulate_faithfulness.output.summary,
    output:
        figures("faithfulness", labelled("figure", ["curves", "gain"]), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_faithfulness.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_faithfulness.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        code=code("plot_faithfulness"),
    script:
        "../scripts/plot_faithfulness.py"


rule faithfulness:
    input:
        expand([*rules.tabulate_faithfulness.output, *rules.plot_faithfulness.output], also=ALSO),


localrules:
    faithfulness,
