# Needs: vectors/<machine>.h5, features or pixels of all images (stages hybrid, masking).
# Makes: machines/<machine>.safetensors, an SVM; .csv, its cross-validation; .parquet, what it
# predicts of the test images.


wildcard_constraints:
    machine="[a-z-]+",


def stage_of(wildcards):
    """The stage that a machine belongs to."""
    return "hybrid" if wildcards.machine == "cnn-svm" else "masking"


def svm_settings(wildcards):
    """How a machine is chosen and fitted; `adapts` names defaults, which give way."""
    stage = STUDY[stage_of(wildcards)]
    given = (config.get(stage_of(wildcards)) or {}).get("svm", {})
    defaults = [key for key in ("folds", "search_images") if key not in given]
    return {**stage["svm"], "seed": stage["seed"], "adapts": defaults}


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
        **code("fit_svm"),
        machine="{machine}",
        settings=svm_settings,
        key=lambda wildcards: f"{stage_of(wildcards)}.svm",
    script:
        "../scripts/fit_svm.py"
