# Needs: vectors/<machine>.h5, features or pixels of all images. For studies with `hybrid` or
# `masking`.
# Makes: machines/<machine>.safetensors, an SVM; .csv, its cross-validation; .parquet, what it
# predicts of the test images. Then, per stage, scores and confusion matrices.


wildcard_constraints:
    machine="[a-z-]+",


rule fit_svm:
    input:
        vectors=f"{RESULTS}/vectors/{{machine}}.h5",
    output:
        machine=f"{RESULTS}/machines/{{machine}}.safetensors",
        search=f"{RESULTS}/machines/{{machine}}.csv",
        predictions=f"{RESULTS}/machines/{{machine}}.parquet",
    log:
        f"{RESULTS}/logs/fit_svm/{{machine}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fit_svm/{{machine}}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        machine="{machine}",
        settings=machine_settings,
        key=lambda wildcards: f"{machine_stage(wildcards)}.svm",
        code=code("fit_svm"),
    script:
        "../scripts/fit_svm.py"
