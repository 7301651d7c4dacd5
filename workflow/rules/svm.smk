# Needs: features/<classifier>.h5, features or pixels of all images (stages hybrid, masking).
# Makes: classifiers/<classifier>.safetensors, an SVM; .csv, its cross-validation; .parquet, its
# predictions for the test images.


wildcard_constraints:
    classifier="[a-z-]+",


rule fit_svm:
    input:
        vectors="<results>/features/{classifier}.h5",
    output:
        classifier="<results>/classifiers/{classifier}.safetensors",
        search="<results>/classifiers/{classifier}.csv",
        predictions="<results>/classifiers/{classifier}.parquet",
    log:
        "<logs>/fit_svm/{classifier}.log",
    benchmark:
        "<benchmarks>/fit_svm/{classifier}.tsv"
    resources:
        **sized("fit_svm"),
    params:
        **named(
            classifier=lambda wildcards: wildcards.classifier,
            settings=lambda wildcards: feasibility.svm_settings(
                STUDY, config, wildcards.classifier
            ),
            key=lambda wildcards: feasibility.svm_stage(wildcards.classifier) + ".svm",
        ),
        **code("fit_svm"),
    script:
        "../scripts/fit_svm.py"
