# Needs: the data set the config names.
# Makes: data.h5 (images, labels, class names), split.csv (who trains, validates, tests), or
# split/<seed>.csv where that varies.


rule load_data:
    output:
        data=f"{RESULTS}/data.h5",
    log:
        f"{RESULTS}/logs/load_data.log",
    benchmark:
        f"{RESULTS}/benchmarks/load_data.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        **verbatim(STUDY["data"]),
        code=code("load_data", *entries_of(registry.DATASETS, STUDY["data"]["name"])),
    script:
        "../scripts/load_data.py"


rule make_split:
    input:
        data=rules.load_data.output.data,
    output:
        split=f"{RESULTS}/{SPLIT}.csv",
    log:
        f"{RESULTS}/logs/make_{SPLIT}.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_{SPLIT}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **STUDY["split"],
        training_seed=lambda wildcards: int(wildcards.seed) if "seed" in wildcards.keys() else None,
        code=code("make_split"),
    script:
        "../scripts/make_split.py"
