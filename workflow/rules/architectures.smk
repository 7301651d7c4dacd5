# Needs: data.h5, split.csv.
# Makes: architectures/<architecture>.safetensors and .csv, the candidates trained without
# augmentation and tested after every epoch; figures/architectures/* (thesis, 5.1 to 5.5).


rule train_architecture:
    input:
        data=rules.load_data.output.data,
        split=FIRST_SPLIT,
    output:
        weights=f"{RESULTS}/architectures/{{architecture}}.safetensors",
        history=f"{RESULTS}/architectures/{{architecture}}.csv",
    log:
        f"{RESULTS}/logs/architectures/{{architecture}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/architectures/{{architecture}}.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(training_memory),
        runtime=at_each_attempt(training_minutes),
    params:
        explained=False,
        settings=lambda wildcards: {
            **training_settings(*BASELINES[0]),
            "architecture": wildcards.architecture,
            "evaluate": ["validation", "test"],
        },
        code=lambda wildcards: training_code(wildcards.architecture, []),
    script:
        "../scripts/train_model.py"


rule plot_architectures:
    input:
        histories=[f"{RESULTS}/architectures/{name}.csv" for name in STUDY["architectures"]],
    output:
        figures("architectures", labelled("score", [*SCORES, "time"])),
    log:
        f"{RESULTS}/logs/plot_architectures.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_architectures.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        **DRAWING,
        architectures=STUDY["architectures"],
        code=code("plot_architectures"),
    script:
        "../scripts/plot_architectures.py"


rule architectures:
    input:
        rules.plot_architectures.output,
