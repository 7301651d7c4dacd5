# Needs: vectors/<machine>.h5, features or pixels of all images (stages hybrid, masking).
# Makes: machines/<machine>.safetensors, an SVM; .csv, its cross-validation; .parquet, what it
# predicts of the test images.


wildcard_constraints:
    machine="[a-z-]+",


rule fit_svm:
    input:
        vectors="<results>/vectors/{machine}.h5",
    output:
        machine="<results>/machines/{machine}.safetensors",
        search="<results>/machines/{machine}.csv",
        predictions="<results>/machines/{machine}.parquet",
    log:
        "<logs>/fit_svm/{machine}.log",
    benchmark:
        "<benchmarks>/fit_svm/{machine}.tsv"
    resources:
        **sized("fit_svm"),
    params:
        **named(
            machine=lambda wildcards: wildcards.machine,
            settings=lambda wildcards: fits.svm_settings(STUDY, config, wildcards.machine),
            key=lambda wildcards: fits.svm_stage(wildcards.machine) + ".svm",
        ),
        **code("fit_svm"),
    script:
        "../scripts/fit_svm.py"
